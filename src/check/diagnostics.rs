//! What draws are worth.

use super::{Case, normals};
use crate::engine::Engine as _;
use crate::error::Result;
use crate::sampler::diagnostics::Coordinate;

/// Draws, an odd number, of chains, more than a workgroup sorts at once.
const SHAPE: [usize; 3] = [101, 33, 3];
/// Sums of f32, and of scores that have the rounding errors of a driver's `log`.
const WORTH: f64 = 1e-6;

/// Autoregressive chains: plain ones, some that lie apart, and of numbers that are often equal.
fn draws() -> Vec<f64> {
    let [draws, chains, dim] = SHAPE;
    let noise = normals(draws * chains, dim, 8);
    let (mut state, mut all) = (vec![0.0; chains * dim], Vec::with_capacity(draws * chains * dim));
    for row in noise.values().chunks(chains * dim) {
        for (i, (x, z)) in state.iter_mut().zip(row).enumerate() {
            *x = 0.7 * *x + z;
            let shown = match i % dim {
                0 => *x,
                1 => *x + 0.02 * i as f64,
                _ => (4.0 * *x).round() / 4.0,
            };
            all.push(f64::from(shown as f32));
        }
    }
    all
}

pub(super) fn check(case: &mut Case<'_>) -> Result<()> {
    case.net = format!("{} draws of {} chains", SHAPE[0], SHAPE[1]);
    case.activation = "-";
    let draws = draws();
    let want = case.reference.diagnose(&draws, SHAPE)?.coordinates;
    let got = case.engine.diagnose(&draws, SHAPE)?.coordinates;
    let of = |numbers: fn(&Coordinate) -> Vec<f64>| {
        [&got, &want].map(|all| all.iter().flat_map(numbers).collect::<Vec<_>>())
    };
    let [got_moments, moments] = of(|c| vec![c.mean, c.standard_deviation]);
    case.find("sort_keys, fold_draws, row_moments: moments", &got_moments, &moments, WORTH);
    let [got_r_hat, r_hat] = of(|c| vec![c.r_hat]);
    case.find("rank_scores: R-hat", &got_r_hat, &r_hat, WORTH);
    let [got_sizes, sizes] = of(|c| vec![(c.standard_deviation / c.mean_error).powi(2), c.bulk_ess, c.tail_ess]);
    case.find("autocovariance: ESS", &got_sizes, &sizes, WORTH);
    Ok(())
}
