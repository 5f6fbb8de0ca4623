//! Whether two samples have one law: sliced Wasserstein distance, maximum mean discrepancy, energy distance and nearest
//! neighbours, each with what it is for two samples of one law.
//!
//! The law of a statistic under that hypothesis is known exactly without any assumption: the labels of the pooled points
//! are exchangeable, so the statistics of relabelled pools are draws of it (Fisher's permutation test).
//!
//! | module | subject |
//! | --- | --- |
//! | `pairs` | statistics that are sums over pairs of points |
//! | `sliced` | the sliced Wasserstein distance |
//! | `relabel` | which points a relabelled pool calls the first sample |

pub(super) mod pairs;
mod relabel;
pub(super) mod sliced;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::points::Points;
use crate::random::{Seed, Stream};
use pairs::PairSums;
use relabel::Labels;
use sliced::Projections;

/// The most rows of a sample that statistics of pairs look at: their cost is quadratic.
const PAIR_ROWS: usize = 2000;
/// Relabelled pools: with the true labels, 120 equally likely places of the statistic among them, of which 3 lie below an
/// interval that holds 95 of 100, and 3 above.
const RELABELLED: usize = 119;
/// The most rows of a sample that are projected.
const PROJECTED_ROWS: usize = 10_000;
/// Directions of the sliced Wasserstein distance.
const DIRECTIONS: usize = 100;

/// A statistic of two samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Statistic {
    /// Its value.
    pub value: f64,
    /// Where 95 of 100 such values lie if both samples have one law.
    pub null: [f64; 2],
    /// The share of relabelled pools, the true one included, whose value is as large: at most p with probability p if both
    /// samples have one law.
    pub p_value: f64,
}

impl Statistic {
    /// From the value and those of relabelled pools.
    fn against(value: f64, mut null: Vec<f64>) -> Self {
        null.sort_unstable_by(f64::total_cmp);
        let above = null.iter().filter(|v| **v >= value).count();
        let p_value = (above + 1) as f64 / (null.len() + 1) as f64;
        Self { value, null: central(&null), p_value }
    }
}

/// Where 95 of 100 values lie that are like these, sorted: between the k-th from below and from above with k = (n + 1) / 40, n
/// their number, 39 or more.
pub(super) fn central(sorted: &[f64]) -> [f64; 2] {
    let beyond = ((sorted.len() + 1) / 40).max(1);
    [sorted[beyond - 1], sorted[sorted.len() - beyond]]
}

/// All that is known of two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoSamples {
    /// Sliced Wasserstein-2 distance, in the units of the points.
    pub swd: Statistic,
    /// Squared maximum mean discrepancy, unbiased.
    pub mmd2: Statistic,
    /// Energy distance, unbiased, in the units of the points.
    pub energy_distance: Statistic,
    /// The share of the nearest neighbours of points that come from the point's own sample: about ½ for samples of one law, 1
    /// for samples apart.
    pub neighbours: Statistic,
}

/// Compares two samples; none if one has fewer than two rows or a value is not finite.
///
/// # Panics
/// If the samples differ in dimension: a mistake of the caller.
pub fn compare(a: &Points, b: &Points, seed: Seed) -> Option<TwoSamples> {
    check_dims(a, b);
    let finite = a.values().iter().chain(b.values()).all(|v| v.is_finite());
    if a.count() < 2 || b.count() < 2 || !finite {
        return None;
    }
    let mut rng = seed.sequence(Stream::Host, 2);
    let (rows_a, rows_b) = (thinned(a, PROJECTED_ROWS), thinned(b, PROJECTED_ROWS));
    let projections = Projections::new(&rows_a, &rows_b, DIRECTIONS, &mut rng);
    let swd = projections.statistic(&Labels::draw(rows_a.len(), rows_b.len(), RELABELLED, &mut rng));
    // equally many, so that the share of neighbours from the own sample is about a half under one law
    let rows = PAIR_ROWS.min(a.count()).min(b.count());
    let (rows_a, rows_b) = (thinned(a, rows), thinned(b, rows));
    let sums = PairSums::new(&rows_a, &rows_b, &Labels::draw(rows_a.len(), rows_b.len(), RELABELLED, &mut rng));
    Some(TwoSamples { swd, mmd2: sums.mmd2(), energy_distance: sums.energy_distance(), neighbours: sums.neighbours() })
}

fn check_dims(a: &Points, b: &Points) {
    let (left, right) = (a.dim(), b.dim());
    assert!(left == right, "points of {left} and of {right} dimensions cannot be compared");
}

/// At most `limit` rows, evenly spaced.
fn thinned(points: &Points, limit: usize) -> Vec<&[f64]> {
    let kept = points.count().min(limit);
    (0..kept).map(|i| points.row(i * points.count() / kept)).collect()
}
