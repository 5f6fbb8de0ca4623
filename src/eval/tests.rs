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
    let found = fisher(&Gaussian, 0.0, &points, &scores);
    assert!((found.value - 0.09).abs() < 5.0 * found.error, "{found:?}");
    // ‖x‖² / 2 is exponential: its standard deviation is its mean
    assert!((found.error / (0.09 / 50_000f64.sqrt()) - 1.0).abs() < 0.05, "{found:?}");
    // Energies right up to a constant have no error, those of N(0, I / a) a known one.
    let energy = |a: f64| points.rows().map(|x| 0.5 * a * (x[0] * x[0] + x[1] * x[1]) + 40.0).collect::<Vec<_>>();
    assert!(log_density_mse(&Gaussian, 0.0, &points, &energy(1.0)).value < 1e-20);
    // ln p - ln q = (a - 1) t - ln a with t = ½‖x‖² exponential: variance (a - 1)², mean (a - 1) - ln a.
    let (a, got) = (1.3f64, log_density_mse(&Gaussian, 0.0, &points, &energy(1.3)).value);
    let want = (a - 1.0).powi(2) + (a - 1.0 - a.ln()).powi(2);
    assert!((got - want).abs() < 0.006, "{got} {want}");
    // of N((1, 0), I) the points know r = ln q - ln p = x₀ - ½ and Z: (x₀ - ½)² + exp(x₀ - ½) - 1 has mean 1 + ¼, variance 3 + e - 1
    let shifted: Vec<f64> = points.rows().map(|x| 0.5 * ((x[0] - 1.0).powi(2) + x[1] * x[1])).collect();
    let found = log_density_mse(&Gaussian, 0.0, &points, &shifted);
    let error = ((2.0 + 1f64.exp()) / 50_000.0).sqrt();
    assert!((found.value - 1.25).abs() < 5.0 * error && (found.error / error - 1.0).abs() < 0.08, "{found:?} {error}");
}

#[test]
fn mode_weights_and_lost_samples() {
    let modes = Modes { centers: Points::new(1, vec![0.0, 10.0]), weights: vec![0.25, 0.75] };
    assert_eq!(mode_tv(&modes, &Points::new(1, vec![1.0, 9.0, 11.0, 8.0])), 0.0);
    assert_eq!(mode_tv(&modes, &Points::new(1, vec![0.0, 0.0])), 0.75);
    assert_eq!(mode_tv(&modes, &Points::new(1, vec![f64::NAN, 9.0, 11.0, 8.0])), 0.25);
    assert_eq!(mode_tv(&modes, &Points::new(1, vec![])), 1.0);
}

/// Where modes overlap, the components' weights are not what is nearest to their centres: `star` has 250 modes that do.
#[test]
fn the_null_interval_of_mode_weights_holds_what_the_law_gives() {
    const SAMPLES: usize = 500;
    const TRIALS: usize = 40;
    let mut rng = SplitMix64(31);
    let mut with_modes = 0;
    for name in crate::data::toy::NAMES {
        let law = by_name(name).unwrap();
        for sigma in [0.0, 0.3] {
            let Some(modes) = modes_by_nearest(&*law, sigma).unwrap() else { continue };
            with_modes += 1;
            assert!((modes.weights.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{name}");
            // one in forty is as large as the upper end, a few more where there are ties
            let ([low, high], _) = mode_tv_null(&modes, SAMPLES, 0.0, &mut rng);
            let (_, p) = mode_tv_null(&modes, SAMPLES, high, &mut rng);
            assert!(low == high || (0.005..0.1).contains(&p), "{name}, sigma {sigma}: p = {p} at {high}");
            assert_eq!(mode_tv_null(&modes, SAMPLES, 0.0, &mut rng).1, 1.0);
            let inside = (0..TRIALS).filter(|_| {
                let mut samples = law.draw(SAMPLES, &mut rng);
                samples.values_mut().iter_mut().for_each(|x| *x += sigma * normal(&mut rng));
                (low..=high).contains(&mode_tv(&modes, &samples))
            });
            // 95 of 100, with the errors of the interval's ends (199 draws) and of the trials: 5 standard errors are 8 of 40
            let inside = inside.count();
            assert!(inside >= 30, "{name}, sigma {sigma}: {inside} of {TRIALS} in {low} to {high}");
            let weights = law.modes().unwrap().weights;
            let off = 0.5 * modes.weights.iter().zip(&weights).map(|(a, b)| (a - b).abs()).sum::<f64>();
            let apart = ["8gaussians", "25gaussians", "gmm2", "gmm2-unequal", "gmm-ncsn", "mix1d"].contains(name);
            assert!(!apart || off < 2e-3, "{name}, sigma {sigma}: {off}");
            assert!(*name != "star" || off > 0.1, "{name}, sigma {sigma}: {off}");
        }
    }
    assert_eq!(with_modes, 26);
}

/// Edges of cells lie on the squares' edges however far the grid reaches.
#[test]
fn a_wider_grid_holds_squares_as_well() {
    let board = by_name("checkerboard").unwrap();
    for sigma in [0.0, 0.1, 0.3, 1.0] {
        let grid = Grid::around_law(&*board, sigma, cells(2)).unwrap();
        let missed = LawOnGrid::new(&*board, 0.0, &grid).mass_error.abs();
        assert!(missed < 1e-9, "smoothed by {sigma}: {missed:e} in {}", grid.shape());
    }
}

#[test]
fn grids_around_laws_hold_and_resolve_them() {
    for name in crate::data::toy::NAMES {
        let law = by_name(name).unwrap();
        let grid = Grid::around_law(&*law, 0.0, cells(law.dim())).unwrap();
        for (axis, [low, high]) in law.extent(0.0).into_iter().enumerate() {
            let width = high - low;
            assert!(grid.lows[axis] <= (low - 0.2 * width).min(-6.0), "{name}");
            assert!(grid.highs[axis] >= (high + 0.2 * width).max(6.0), "{name}");
        }
        // as fine as 600 cells across [-6, 6] or the law's own box, and hardly more cells than that takes
        let widest =
            law.extent(0.0).iter().map(|[low, high]| (1.4 * (high - low)).max(12.0) / 600.0).fold(0.0, f64::max);
        assert!(grid.widest_cell() <= widest + 1e-9 && grid.count() < 2 * 600 * 600, "{name}: {grid:?}");
        let on_grid = LawOnGrid::new(&*law, 0.0, &grid);
        let (mass, entropy) = match *name {
            // noise of 0.0018 in cells of 0.02: its NLL is withheld, as the error is beyond 1e-3
            "swissroll-torchebm" => {
                assert!(on_grid.mass_error.abs() > 1e-3, "{name} is resolved: {:e}", on_grid.mass_error);
                continue;
            }
            // edges as wide as half a cell
            "checkerboard-torchebm" => (1e-7, 1e-3),
            // walls where the density is not 0
            "u4" => (3e-6, 1e-5),
            _ => (1e-7, 1e-5),
        };
        assert!(on_grid.mass_error.abs() < mass, "{name}: {:e}", on_grid.mass_error);
        assert!((on_grid.entropy - law.entropy()).abs() < entropy, "{name}: {} {}", on_grid.entropy, law.entropy());
    }
}

#[test]
fn the_rim_and_the_halves_of_a_grid() {
    let grid = Grid { lows: vec![0.0, 0.0], highs: vec![100.0, 200.0], counts: vec![100, 100] };
    // a density that is even over the grid: all but 96 of 100 parts along each axis
    let rim = grid.rim_mass(&vec![-(20_000f64).ln(); grid.count()]);
    assert!((rim - (1.0 - 0.96 * 0.96)).abs() < 1e-12, "{rim}");
    // 1 on the dark cells of a board of 3 x 3, 2 on the light ones
    let board = Grid { lows: vec![0.0, 0.0], highs: vec![3.0, 6.0], counts: vec![3, 3] };
    let energies: Vec<f64> = (0..9).map(|i| if i % 2 == 0 { 0.0 } else { -(2f64.ln()) }).collect();
    let [dark, light] = board.log_normalizers_by_halves(&energies);
    assert!((dark - 18f64.ln()).abs() < 1e-12 && (light - 36f64.ln()).abs() < 1e-12, "{dark} {light}");
    assert_eq!(grid.shape(), "100 x 100");
}
