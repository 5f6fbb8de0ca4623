//! The sliced Wasserstein distance of two samples, for any labels of their pool.

use rand::Rng;
use rayon::prelude::*;

use super::Statistic;
use super::relabel::Labels;
use crate::data::law::normal;

/// A pool of two samples projected on random directions.
pub(in crate::eval) struct Projections {
    /// For each direction, the points in ascending order: index in the pool and coordinate.
    sorted: Vec<Vec<(u32, f64)>>,
}

impl Projections {
    /// Projects the rows of `a`, then those of `b`.
    pub(in crate::eval) fn new(a: &[&[f64]], b: &[&[f64]], directions: usize, rng: &mut dyn Rng) -> Self {
        let dim = a.first().or(b.first()).map_or(0, |x| x.len());
        let mut direction = || -> Vec<f64> {
            let along: Vec<f64> = (0..dim).map(|_| normal(rng)).collect();
            let length = along.iter().map(|v| v * v).sum::<f64>().sqrt();
            along.into_iter().map(|v| v / length).collect()
        };
        let directions: Vec<_> = (0..directions).map(|_| direction()).collect();
        let sorted = |along: &Vec<f64>| {
            let on = |x: &[f64]| x.iter().zip(along).map(|(v, d)| v * d).sum::<f64>();
            let mut values: Vec<(u32, f64)> = (0..).zip(a.iter().chain(b).map(|x| on(x))).collect();
            values.sort_unstable_by(|x, y| x.1.total_cmp(&y.1));
            values
        };
        Self { sorted: directions.par_iter().map(sorted).collect() }
    }

    /// The root of the mean squared W₂ over directions, with those of relabelled pools.
    pub(super) fn statistic(&self, labels: &Labels) -> Statistic {
        let each = |labelling: usize| {
            let in_first: Vec<bool> = (0..labels.points()).map(|i| labels.of(i)[labelling] > 0.5).collect();
            self.distance(&in_first)
        };
        let mut values: Vec<f64> = (0..labels.count()).into_par_iter().map(each).collect();
        Statistic::against(values.remove(0), values)
    }

    /// The distance between the points that are in the first sample and the others.
    pub(in crate::eval) fn distance(&self, in_first: &[bool]) -> f64 {
        let first = in_first.iter().filter(|f| **f).count();
        let stretches = stretches(first, in_first.len() - first);
        let mut parts = [vec![0.0; in_first.len() + 1], vec![0.0; in_first.len() + 1]];
        let sum: f64 = self.sorted.iter().map(|sorted| squared(sorted, in_first, &stretches, &mut parts)).sum();
        (sum / self.sorted.len() as f64).sqrt()
    }
}

/// Where two quantile functions, steps both, are constant together: the rank in each sample, and the share of the levels.
fn stretches(first: usize, second: usize) -> Vec<(u32, u32, f64)> {
    // levels are counted in units of 1 / (first second), where every step ends on an integer
    let (height_a, height_b) = (second as u64, first as u64);
    let all = first as f64 * second as f64;
    let (mut a, mut b, mut level, mut found) = (0u32, 0u32, 0, Vec::new());
    while (a as usize) < first && (b as usize) < second {
        let (end_a, end_b) = (u64::from(a + 1) * height_a, u64::from(b + 1) * height_b);
        let end = end_a.min(end_b);
        found.push((a, b, (end - level) as f64 / all));
        level = end;
        a += u32::from(end == end_a);
        b += u32::from(end == end_b);
    }
    found
}

/// ∫₀¹ (F⁻¹ − G⁻¹)² of the two samples in an ordered pool; NaN if one is empty. `parts` is working memory, a place longer
/// than the pool.
fn squared(
    sorted: &[(u32, f64)],
    in_first: &[bool],
    stretches: &[(u32, u32, f64)],
    [first, second]: &mut [Vec<f64>; 2],
) -> f64 {
    if stretches.is_empty() {
        return f64::NAN;
    }
    // without branches, which no processor could foresee
    let (mut a, mut b) = (0, 0);
    for (point, value) in sorted {
        (first[a], second[b]) = (*value, *value);
        let own = usize::from(in_first[*point as usize]);
        (a, b) = (a + own, b + 1 - own);
    }
    stretches.iter().map(|(a, b, share)| share * (first[*a as usize] - second[*b as usize]).powi(2)).sum()
}
