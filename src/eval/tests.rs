//! The metrics against closed forms.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::data::law::{Law, Modes, normal};
use crate::data::testing::SplitMix64;
use crate::data::toy::by_name;
use crate::points::Points;
use rand::Rng;
use std::f64::consts::TAU;

/// N(0, I) in the plane, for which everything is known.
struct Gaussian;

impl Law for Gaussian {
    fn name(&self) -> &'static str {
        "gaussian"
    }
    fn dim(&self) -> usize {
        2
    }
    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        out.copy_from_slice(&[normal(rng), normal(rng)]);
    }
    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        let v = 1.0 + sigma * sigma;
        -0.5 * (x[0] * x[0] + x[1] * x[1]) / v - (TAU * v).ln()
    }
    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        vec![[-9.0 * 1f64.hypot(sigma), 9.0 * 1f64.hypot(sigma)]; 2]
    }
    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        x[0].hypot(x[1]) > 5.0 * 1f64.hypot(sigma)
    }
    fn entropy(&self) -> f64 {
        1.0 + TAU.ln()
    }
}

fn gaussian_points(count: usize, dim: usize, seed: u64, shift: f64) -> Points {
    let mut rng = SplitMix64(seed);
    Points::new(dim, (0..count * dim).map(|_| shift + normal(&mut rng)).collect())
}

#[test]
fn a_grid_integrates_and_orders_its_points() {
    let grid = Grid { lows: vec![0.0, 10.0], highs: vec![1.0, 13.0], counts: vec![2, 3] };
    assert_eq!(grid.points().values(), [0.25, 10.5, 0.25, 11.5, 0.25, 12.5, 0.75, 10.5, 0.75, 11.5, 0.75, 12.5]);
    assert_eq!(grid.cell_volume(), 0.5);
    let line = Grid::covering(&[[-9.0, 9.0]], 60).unwrap();
    let energies: Vec<f64> = line.points().values().iter().map(|x| 0.5 * x * x - 1000.0).collect();
    assert!((line.log_normalizer(&energies) - 1000.0 - 0.5 * TAU.ln()).abs() < 1e-12);
    assert!(line.log_normalizer(&[f64::NAN; 60]).is_nan());
    assert_eq!(line.log_normalizer(&[f64::INFINITY; 60]), f64::NEG_INFINITY);
    let mut holed = energies;
    holed[7] = f64::NAN;
    assert!(line.log_normalizer(&holed).is_nan());
    for bad in [&[[0.0, 0.0]][..], &[[0.0, f64::NAN]], &[], &[[0.0, 1.0]; 3]] {
        assert!(Grid::covering(bad, 10).is_err());
    }
    assert!(Grid::covering(&[[0.0, 1.0]], 0).is_err() && Grid::covering(&[[0.0, 1.0]], usize::MAX).is_err());
}

#[test]
fn grid_divergences_have_their_closed_forms() {
    let sigma = 0.5;
    let grid = Grid::covering(&Gaussian.extent(sigma), 100).unwrap();
    let law = LawOnGrid::new(&Gaussian, sigma, &grid);
    assert!(law.mass_error.abs() < 1e-12, "{}", law.mass_error);
    let v = 1.0 + sigma * sigma;
    assert!((law.entropy - 1.0 - (TAU * v).ln()).abs() < 1e-10);
    // q = N((1, 0), 2 I): KL = ln(2 / v) + (2 v + 1) / 4 - 1.
    let energies: Vec<f64> = grid.points().rows().map(|x| 0.25 * ((x[0] - 1.0).powi(2) + x[1] * x[1])).collect();
    let log_z = grid.log_normalizer(&energies);
    let found = law.compare(&energies.iter().map(|e| -e - log_z).collect::<Vec<_>>());
    let kl = (2.0 / v).ln() + (2.0 * v + 1.0) / 4.0 - 1.0;
    assert!((found.kl - kl).abs() < 1e-7 && (found.nll - found.entropy - kl).abs() < 1e-7, "{found:?} {kl}");
    // A model that spreads evenly has outside the circle of radius 5 sqrt(v) what is left of the box's area.
    let area = (18.0 * v.sqrt()).powi(2);
    let flat = law.compare(&vec![-area.ln(); grid.count()]);
    let want = 1.0 - TAU / 2.0 * 25.0 * v / area;
    assert!((flat.outside_mass - want).abs() < 3e-3, "{} {want}", flat.outside_mass);
}

#[test]
fn a_grid_that_misses_mass_says_so_and_renormalises() {
    let law = LawOnGrid::new(&Gaussian, 0.0, &Grid::covering(&[[0.0, 9.0]; 2], 200).unwrap());
    assert!((law.mass_error + 0.75).abs() < 1e-6, "{}", law.mass_error);
    assert!((law.entropy - 1.0 - (TAU / 4.0).ln()).abs() < 1e-3, "{}", law.entropy);
}

#[test]
fn a_cell_without_mass_counts_nothing() {
    let board = by_name("checkerboard").unwrap();
    let law = LawOnGrid::new(&*board, 0.0, &Grid::covering(&[[-6.0, 6.0]; 2], 60).unwrap());
    let own = law.compare(&law.log_density);
    assert!(own.kl.abs() < 1e-12 && (own.nll - 32f64.ln()).abs() < 1e-9 && own.outside_mass == 0.0, "{own:?}");
}

#[test]
fn sample_metrics_have_their_closed_forms() {
    let points = gaussian_points(50_000, 2, 1, 0.0);
    // Scores too steep by 1.3: ½ E (0.3)² ‖x‖² = 0.09.
    let scores = Points::new(2, points.values().iter().map(|v| -1.3 * v).collect());
    assert!((fisher(&Gaussian, 0.0, &points, &scores) - 0.09).abs() < 5.0 * 0.09 / 50_000f64.sqrt());
    // Energies right up to a constant have no error, those of N(0, I / a) a known one.
    let energy = |a: f64| points.rows().map(|x| 0.5 * a * (x[0] * x[0] + x[1] * x[1]) + 40.0).collect::<Vec<_>>();
    assert!(log_density_mse(&Gaussian, 0.0, &points, &energy(1.0)) < 1e-20);
    // ln p - ln q = (a - 1) t - ln a with t = ½‖x‖² exponential: variance (a - 1)², mean (a - 1) - ln a.
    let (a, got) = (1.3f64, log_density_mse(&Gaussian, 0.0, &points, &energy(1.3)));
    let want = (a - 1.0).powi(2) + (a - 1.0 - a.ln()).powi(2);
    assert!((got - want).abs() < 0.006, "{got} {want}");
}

#[test]
fn mode_weights_and_lost_samples() {
    let modes = Modes { centers: Points::new(1, vec![0.0, 10.0]), weights: vec![0.25, 0.75] };
    assert_eq!(mode_tv(&modes, &Points::new(1, vec![1.0, 9.0, 11.0, 8.0])), 0.0);
    assert_eq!(mode_tv(&modes, &Points::new(1, vec![0.0, 0.0])), 0.75);
    assert_eq!(mode_tv(&modes, &Points::new(1, vec![f64::NAN, 9.0, 11.0, 8.0])), 0.25);
    assert_eq!(mode_tv(&modes, &Points::new(1, vec![])), 1.0);
}

#[test]
fn sliced_wasserstein_of_a_shift_and_of_unequal_counts() {
    let mut rng = SplitMix64(7);
    let line = |values: &[f64]| Points::new(1, values.to_vec());
    // Quantiles of {0, 1} and {0, 1, 5}: (0-0)² / 3 + (0-1)² / 6 + (1-1)² / 6 + (1-5)² / 3.
    let got = sliced_wasserstein2(&line(&[1.0, 0.0]), &line(&[5.0, 0.0, 1.0]), 3, &mut rng);
    assert!((got - (1.0f64 / 6.0 + 16.0 / 3.0).sqrt()).abs() < 1e-12, "{got}");
    // A shift by m projects to m cos: the mean square is ‖m‖² / 2 in the plane.
    let (a, b) = (gaussian_points(500, 2, 8, 0.0), gaussian_points(500, 2, 8, 3.0));
    let got = sliced_wasserstein2(&a, &b, 20_000, &mut rng).powi(2);
    assert!((got - 9.0).abs() < 5.0 * 9.0 / 2f64.sqrt() / 20_000f64.sqrt(), "{got}");
    assert!(sliced_wasserstein2(&a, &Points::new(2, vec![]), 3, &mut rng).is_nan());
    assert!(sliced_wasserstein2(&line(&[0.0, f64::NAN]), &line(&[0.0, 1.0]), 3, &mut rng).is_nan());
}

#[test]
fn two_sample_statistics_are_calibrated_under_the_null() {
    let repeats = 60;
    let mmd: Vec<f64> = (0..repeats)
        .map(|i| mmd2_unbiased(&gaussian_points(120, 2, 2 * i, 0.0), &gaussian_points(150, 2, 2 * i + 1, 0.0)))
        .collect();
    let count = repeats as f64;
    let mean = mmd.iter().sum::<f64>() / count;
    let error = (mmd.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / count / count).sqrt();
    assert!(mean.abs() < 5.0 * error, "unbiased: {mean} ± {error}");
    assert!(mmd.iter().any(|m| *m < 0.0));
    let moved = mmd2_unbiased(&gaussian_points(120, 2, 900, 0.0), &gaussian_points(150, 2, 901, 1.0));
    assert!(moved > mean + 10.0 * error * count.sqrt(), "{moved}");
    // Sliced W2 of two samples of one law falls like the root of the count.
    let mut rng = SplitMix64(9);
    let mut null = |n: usize| {
        let square =
            |i| sliced_wasserstein2(&gaussian_points(n, 2, i, 0.0), &gaussian_points(n, 2, i + 50, 0.0), 50, &mut rng);
        (1000..1020).map(square).sum::<f64>() / 20.0
    };
    let ratio = null(200) / null(3200);
    assert!((3.0..5.0).contains(&ratio), "{ratio}");
}

#[test]
fn mmd_at_its_edges() {
    let same = Points::new(2, vec![1.0; 12]);
    assert_eq!(mmd2_unbiased(&same, &same), 0.0);
    assert!(mmd2_unbiased(&same, &Points::new(2, vec![1.0, 1.0])).is_nan());
    assert!(mmd2_unbiased(&same, &Points::new(2, vec![1.0, f64::INFINITY, 0.0, 0.0])).is_nan());
    // Two pairs at distance 1 in the plane's units, by hand: all kernels are exp(-½ d² / median).
    let (a, b) = (Points::new(1, vec![0.0, 1.0]), Points::new(1, vec![0.0, 1.0]));
    let kernel = (-0.5f64).exp();
    assert!((mmd2_unbiased(&a, &b) - (2.0 * kernel - (1.0 + kernel))).abs() < 1e-15);
}
