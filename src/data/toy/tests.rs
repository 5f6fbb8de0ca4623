//! Every law against itself: sampler, density, smoothing, score, entropy and the published moments.
//!
//! Seeds are fixed; a bound of five standard errors has a false-alarm rate of 6e-7 per comparison.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::data::law::normal;
use crate::data::testing::SplitMix64;
use crate::eval::{Grid, LawOnGrid};
use crate::points::Points;
use crate::random::{Seed, Stream};
use std::f64::consts::TAU;

mod quadratures;

const SAMPLES: usize = 200_000;

/// Cells along an axis of a grid that resolves the law at sigma = 0, a multiple of 20. So is 320 a multiple of 4: no cell
/// straddles an edge of the checkerboard.
fn cells(law: &dyn Law) -> usize {
    match law.name() {
        "checkerboard-torchebm" => 960,
        // the latter has a slope where the box cuts it
        "swissroll-torchebm" | "u4" => 1280,
        _ => 320,
    }
}

fn each(mut check: impl FnMut(&dyn Law, &mut SplitMix64)) {
    for (i, name) in NAMES.iter().enumerate() {
        let law = by_name(name).unwrap();
        assert_eq!(law.name(), *name);
        check(&*law, &mut SplitMix64(100 + i as u64));
    }
    assert!(by_name("8gaussian").is_none());
}

/// Whether the law has no density beyond some edge.
fn has_edges(law: &dyn Law) -> bool {
    matches!(law.name(), "checkerboard" | "u1" | "u2" | "u3" | "u4")
}

/// A few points of the law, smoothed by `sigma`.
fn places(law: &dyn Law, sigma: f64, count: usize, rng: &mut SplitMix64) -> Points {
    let mut points = law.draw(count, rng);
    points.values_mut().iter_mut().for_each(|v| *v += sigma * normal(rng));
    points
}

#[test]
fn densities_have_mass_one_and_the_stated_entropy() {
    each(|law, _| {
        for sigma in [0.0, 0.3] {
            // what is smoothed needs fewer
            let cells = if sigma == 0.0 { cells(law) } else { 200 };
            let on_grid = LawOnGrid::new(law, sigma, &Grid::covering(&law.extent(sigma), cells).unwrap());
            // what the midpoint rule leaves of a slope at the edge falls with the square of the cell
            let bound = if law.name() == "u4" { 4e-7 } else { 1e-7 };
            assert!(on_grid.mass_error.abs() < bound, "{} {sigma}: {:e}", law.name(), on_grid.mass_error);
            let excess = on_grid.entropy - law.entropy();
            let good = if sigma == 0.0 { excess.abs() < 2e-6 } else { excess > 0.01 };
            assert!(good, "{} {sigma}: entropy {} for {}", law.name(), on_grid.entropy, law.entropy());
        }
    });
}

/// The entropies that were found apart from this program, by quadrature to 1e-4.
#[test]
fn entropies_are_the_known_ones() {
    let known = [
        ("8gaussians", 2.8316),
        ("25gaussians", 2.1450),
        ("checkerboard", 3.46574),
        ("2spirals", 2.6453),
        ("rings", 2.6232),
        ("circles", 3.2681),
        ("swissroll", 2.6696),
        ("moons", 2.3939),
        ("banana", 2.8379),
        ("banana-maf", 4.2242),
        ("gmm2", 3.5310),
        ("gmm2-unequal", 3.3383),
        ("gmm-ncsn", 3.3383),
        ("3clusters", 1.5285),
        ("gmm8", 1.0932),
        ("gauss1d", 1.41894),
        ("gaussian", 2.8379),
        ("u1", 2.6600),
        ("u2", 2.5821),
        ("u3", 2.6267),
        ("u4", 2.7662),
    ];
    for (name, entropy) in known {
        let own = by_name(name).unwrap().entropy();
        assert!((own - entropy).abs() < 1.5e-4, "{name}: {own}, not {entropy}");
    }
    // by sampling, to 0.007
    assert!((by_name("moons-maf").unwrap().entropy() - 0.285).abs() < 0.007);
}

#[test]
fn moments_are_the_published_ones() {
    // Mean, variances and covariance, rounded to `unit`.
    let published = |name: &str| match name {
        "8gaussians" => ([0.0, 0.0], [4.125, 4.125, 0.0], 1e-3),
        "25gaussians" => ([0.0, 0.0], [4.02, 4.02, 0.0], 0.01),
        "3clusters" => ([0.0, 0.667], [2.76, 0.98, 0.0], 0.01),
        // By the integrals over the curve, (n cos n / 3 - 1/12)² and so on, plus 1/432 and 0.01 on the diagonal.
        "2spirals" => ([0.0, 0.0], [2.59357, 2.50943, 0.58654], 1e-5),
        "checkerboard" => ([0.0, 0.0], [5.333, 5.333, 1.0], 1e-3),
        // 2 cos θ - 1 has the mean square 3; the rest by E sin θ = 2 / π, and 0.04 on the diagonal
        "moons" => ([0.0, 0.3], [3.04, 1.01676, -0.77324], 1e-5),
        "rings" => ([0.0, 0.0], [2.12, 2.12, 0.0], 0.01),
        "banana" => ([0.0, 0.0], [1.0, 1.5, 0.0], 1e-3),
        "gmm-ncsn" => ([3.0, 3.0], [17.0, 17.0, 16.0], 1e-3),
        "circles" => ([0.0, 0.0], [2.87, 2.87, 0.0], 0.01),
        // By the integrals of t cos t / 5 and so on over [1.5π, 4.5π], plus 0.04 on the diagonal.
        "swissroll" => ([0.4000, 0.0424], [1.7946, 1.9728, 0.1715], 1e-4),
        "pinwheel" => ([0.0, 0.0], [2.2, 2.2, 0.0], 0.01),
        "gmm8" => ([0.0, 0.0], [0.5225, 0.5225, 0.0], 1e-4),
        // (E k² + 0.15²) / 2
        "rings4" => ([0.0, 0.0], [3.76125, 3.76125, 0.0], 1e-5),
        "banana-maf" => ([4.0, 0.0], [33.0, 16.0, 0.0], 1e-3),
        "moons-maf" => ([0.5, 0.25], [0.7525, 0.2467, -0.1933], 1e-4),
        "gauss1d" => ([0.0, 0.0], [1.0, 0.0, 0.0], 1e-3),
        "mix1d" => ([3.0, 0.0], [17.0, 0.0, 0.0], 1e-3),
        "gaussian" => ([0.0, 0.0], [1.0, 1.0, 0.0], 1e-3),
        "gmm2-unequal" => ([8.0, 8.0], [17.0, 17.0, 16.0], 1e-3),
        // By the sums over its components.
        "star" => ([8.2e-5, -0.05528], [0.742366, 0.749692, 0.026914], 1e-6),
        // 25/12, and 0.0025 on the diagonal
        "line" => ([0.0, 0.0], [2.08583, 2.08583, 2.08333], 1e-5),
        // By Gauss-Legendre quadrature on 300 x 300 panels of the box, as their entropies are.
        "u1" => ([0.0, 0.0], [3.30350, 1.39528, 0.0], 1e-5),
        "u2" => ([0.0, 0.0], [5.33333, 0.66, -std::f64::consts::FRAC_2_PI], 1e-5),
        "u3" => ([0.0, -0.28200], [5.33333, 0.77945, -0.91862], 1e-5),
        "u4" => ([-0.07969, -0.42660], [5.22551, 1.68392, -1.67012], 1e-5),
        // By the integrals of x sin x and sin² x over [0, 2.5].
        "cos" => ([0.0, 0.0], [2.08583, 3.72683, 2.60133], 1e-5),
        "8gaussians-torchebm" => ([0.0, 0.0], [2.0004, 2.0004, 0.0], 1e-4),
        "gmm8-torchebm" | "circle-torchebm" => ([0.0, 0.0], [0.5025, 0.5025, 0.0], 1e-4),
        "moons-torchebm" => ([0.5, 0.25], [0.7525, 0.2467, -0.1933], 1e-4),
        // By the sum over the cells' centres.
        "checkerboard-torchebm" => ([0.0, 0.0], [5.33343, 5.33343, -0.25], 1e-5),
        // Scaled so that the deviations have the mean ½.
        "swissroll-torchebm" => ([0.0, 0.0], [0.250978, 0.249024, -0.012274], 1e-6),
        "pinwheel-torchebm" => ([0.0, 0.0], [1.0025, 1.0025, 0.0], 1e-4),
        _ => ([5.0, 5.0], [26.0, 26.0, 25.0], 1e-3),
    };
    each(|law, rng| {
        let points = law.draw(SAMPLES, rng);
        let (mean, spread, unit) = published(law.name());
        let within = |what: &str, value: &dyn Fn(&[f64]) -> f64, want: f64, unit: f64| {
            let count = points.count() as f64;
            let got = points.rows().map(value).sum::<f64>() / count;
            let error = (points.rows().map(|x| (value(x) - got).powi(2)).sum::<f64>() / count / count).sqrt();
            assert!((got - want).abs() < 5.0 * error + 0.6 * unit, "{} {what}: {got} for {want}", law.name());
        };
        let check = |what: &str, value: &dyn Fn(&[f64]) -> f64, want: f64| within(what, value, want, unit);
        let exactly = |what: &str, value: &dyn Fn(&[f64]) -> f64, want: f64| within(what, value, want, 0.0);
        let [stated_mean, stated_variance] = law.moments().unwrap();
        assert_eq!((stated_mean.len(), stated_variance.len()), (law.dim(), law.dim()));
        for axis in 0..law.dim() {
            // what the law itself says is exact, so that only the error of the sample is between
            let stated = stated_variance[axis] + (stated_mean[axis] - mean[axis]).powi(2);
            assert!((stated_mean[axis] - mean[axis]).abs() < 0.6 * unit, "{}: {stated_mean:?}", law.name());
            assert!((stated_variance[axis] - spread[axis]).abs() < 0.6 * unit, "{}: {stated_variance:?}", law.name());
            exactly("mean", &|x| x[axis], stated_mean[axis]);
            exactly("variance", &|x| (x[axis] - mean[axis]).powi(2), stated);
            check("mean", &|x| x[axis], mean[axis]);
            check("variance", &|x| (x[axis] - mean[axis]).powi(2), spread[axis]);
        }
        if law.dim() == 2 {
            check("covariance", &|x| (x[0] - mean[0]) * (x[1] - mean[1]), spread[2]);
        }
    });
}

/// Pearson's chi-square over 20 x 20 bins, those expecting fewer than 10 samples pooled; false alarms at 1e-6 per law.
#[test]
fn samples_follow_the_density() {
    let bins = 20;
    each(|law, rng| {
        let (extent, sub) = (law.extent(0.0), cells(law) / bins);
        let fine = Grid::covering(&extent, bins * sub).unwrap();
        let bin = |x: &[f64]| {
            let place = |v: f64, [low, high]: [f64; 2]| ((v - low) / (high - low) * bins as f64) as usize;
            x.iter().zip(&extent).fold(0, |bin, (v, side)| bin * bins + place(*v, *side).min(bins - 1))
        };
        let mut expected = vec![0.0; bins * bins];
        for x in fine.points().rows() {
            expected[bin(x)] += law.log_density(x, 0.0).exp() * fine.cell_volume() * SAMPLES as f64;
        }
        let mut seen = vec![0.0; bins * bins];
        law.draw(SAMPLES, rng).rows().for_each(|x| seen[bin(x)] += 1.0);
        let (mut statistic, mut freedom, mut pool) = (0.0, -1.0, (0.0, 0.0));
        for (want, got) in expected.iter().zip(&seen) {
            if *want >= 10.0 {
                statistic += (got - want) * (got - want) / want;
                freedom += 1.0;
            } else {
                pool = (pool.0 + want, pool.1 + got);
            }
        }
        assert!((pool.1 - pool.0).abs() <= 5.0 * pool.0.sqrt() + 5.0, "{}: {pool:?} in rare bins", law.name());
        // Wilson and Hilferty (1931): the cube root of chi-square is close to normal.
        let spread = 2.0 / (9.0 * freedom);
        let z = ((statistic / freedom).cbrt() - 1.0 + spread) / f64::sqrt(spread);
        assert!(z < 4.75, "{}: chi-square {statistic} for {freedom} degrees of freedom", law.name());
    });
}

#[test]
fn smoothing_is_convolution() {
    each(|law, rng| {
        let centers = law.draw(SAMPLES, rng);
        for sigma in [0.3, 1.0, 2.0] {
            let variance = sigma * sigma;
            for x in places(law, 1.5 * sigma, 8, rng).rows() {
                let squared = |c: &[f64]| x.iter().zip(c).map(|(x, c)| (x - c).powi(2)).sum::<f64>();
                let norm = (TAU * variance).powf(0.5 * law.dim() as f64);
                let kernel = |c: &[f64]| (-0.5 * squared(c) / variance).exp() / norm;
                let count = SAMPLES as f64;
                let mean = centers.rows().map(kernel).sum::<f64>() / count;
                let error = (centers.rows().map(|c| (kernel(c) - mean).powi(2)).sum::<f64>() / count / count).sqrt();
                let density = law.log_density(x, sigma).exp();
                let close = (density - mean).abs() < 5.0 * error;
                assert!(close, "{} {sigma} {x:?}: {density} for {mean} ± {error}", law.name());
            }
        }
    });
}

#[test]
fn scores_are_gradients() {
    each(|law, rng| {
        // Fourth-order differences with a step 100 times that of the default score, which sharp edges do not bear.
        let step = if law.name() == "checkerboard-torchebm" { 2e-4 } else { 1e-3 };
        for sigma in [0.0, 0.05, 0.5] {
            for x in places(law, sigma, 40, rng).rows() {
                let mut score = vec![0.0; law.dim()];
                law.score(x, sigma, &mut score);
                for axis in 0..law.dim() {
                    let at = |k: f64| {
                        let mut y = x.to_vec();
                        y[axis] += k * step;
                        law.log_density(&y, sigma)
                    };
                    let slope = (8.0 * (at(1.0) - at(-1.0)) - at(2.0) + at(-2.0)) / (12.0 * step);
                    // A sample within two steps of an edge has neighbours of density 0.
                    let edge = sigma == 0.0 && has_edges(law) && !slope.is_finite();
                    let close = (score[axis] - slope).abs() < 1e-5 * (1.0 + slope.abs());
                    assert!(edge || close, "{} {sigma} {x:?}: {score:?} for {slope}", law.name());
                }
            }
        }
    });
}

#[test]
fn far_away_the_density_is_finite_and_its_score_points_home() {
    each(|law, _| {
        for sigma in [0.0, 0.01, 1.0] {
            for far in [[24.0, -40.0], [-20.0, 20.0], [0.1, 40.0]] {
                let far = &far[2 - law.dim()..];
                let log = law.log_density(far, sigma);
                let edges = has_edges(law) && sigma == 0.0;
                assert!(log < -50.0 && (edges || log.is_finite()), "{} {sigma} {far:?}: {log}", law.name());
                assert!(law.outside(far, sigma), "{} {sigma} {far:?}", law.name());
                let mut score = vec![0.0; law.dim()];
                law.score(far, sigma, &mut score);
                let home: f64 = score.iter().zip(far).map(|(s, x)| s * x).sum();
                assert!(edges || home < 0.0, "{} {sigma} {far:?}: score {score:?}", law.name());
            }
        }
    });
}

#[test]
fn almost_no_sample_is_outside() {
    each(|law, rng| {
        for sigma in [0.0, 0.3, 2.0] {
            let outside = places(law, sigma, 20_000, rng).rows().filter(|x| law.outside(x, sigma)).count();
            // A plane Gaussian leaves its circle of 5 standard deviations with probability 4e-6; the smoothed banana,
            // whose bend is not Gaussian given the first coordinate, with 1e-4 to 1e-3.
            let most = match law.name() {
                "banana" => 8,
                "banana-maf" => 20,
                _ => 1,
            };
            assert!(outside <= most, "{} {sigma}: {outside}", law.name());
        }
    });
}

#[test]
fn the_smoothed_bananas_edge_follows_its_variance() {
    // At x₁ = 6.7 and sigma = 2: x₁² / 5 = 8.98, and x₂ + 0.798 has variance 5 + 0.8 (1.34² + 0.4) = 6.757.
    assert!(!Banana::unit().outside(&[6.7, 8.9], 2.0));
    assert!(Banana::unit().outside(&[6.7, 9.9], 2.0));
}

#[test]
fn modes_are_those_of_the_mixtures() {
    each(|law, _| {
        let count = law.modes().map(|modes| {
            assert!((modes.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let last = modes.centers.count() - 1;
            assert_eq!(modes.nearest(modes.centers.row(last)), Some(last));
            assert_eq!(modes.nearest(&[f64::NAN, 0.0]), None);
            modes.centers.count()
        });
        let want = match law.name() {
            "8gaussians" | "gmm8" | "8gaussians-torchebm" | "gmm8-torchebm" => Some(8),
            "25gaussians" => Some(25),
            "3clusters" => Some(3),
            "gmm2" | "gmm2-unequal" | "gmm-ncsn" | "mix1d" => Some(2),
            "gauss1d" | "gaussian" => Some(1),
            "star" => Some(250),
            _ => None,
        };
        assert_eq!(count, want, "{}", law.name());
    });
}

#[test]
fn unequal_weights_reach_samples_density_and_modes() {
    let law = Mixture::gmm_ncsn();
    let modes = law.modes().unwrap();
    assert_eq!(modes.weights, [0.8, 0.2]);
    let points = law.draw(SAMPLES, &mut SplitMix64(7));
    let big = points.rows().filter(|x| modes.nearest(x) == Some(0)).count() as f64 / SAMPLES as f64;
    let error = (0.8 * 0.2 / SAMPLES as f64).sqrt();
    assert!((big - 0.8).abs() < 5.0 * error, "{big}");
    // 14 standard deviations apart, so at each centre the other component has exp(-100) of the density
    let log = |x: [f64; 2]| law.log_density(&x, 0.0);
    assert!((log([5.0, 5.0]) - log([-5.0, -5.0]) - 4f64.ln()).abs() < 1e-12);
}

/// E ½‖s‖² + tr ∇s = −½ E‖s‖² at the law's own score, and E ½‖s_σ(x + σz) + z/σ‖² at that of the smoothed law: below neither
/// can a network come. The numbers were found independently, to the digits that are given.
#[test]
fn true_scores_have_the_known_losses() {
    let matching = [("25gaussians", -49.98), ("8gaussians", -7.78), ("3clusters", -11.11)];
    let denoising =
        [("25gaussians", [67.05, 5.39, 3.07]), ("8gaussians", [92.91, 7.20, 2.30]), ("3clusters", [90.00, 5.64, 1.36])];
    let mean = |what: &str, values: &[f64], want: f64| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let error = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n * n)).sqrt();
        // four standard errors of both, which are taken to be alike, and half a unit of the last digit
        assert!((mean - want).abs() < 4.0 * 2f64.sqrt() * error + 0.005, "{what}: {mean} ± {error}, known {want}");
        assert!(error < 0.003 * want.abs() + 0.005, "{what}: {error}");
    };
    let mut rng = SplitMix64(15);
    for (name, want) in matching {
        let law = by_name(name).unwrap();
        let points = law.draw(400_000, &mut rng);
        let loss = |x: &[f64]| {
            let mut s = [0.0; 2];
            law.score(x, 0.0, &mut s);
            -0.5 * (s[0] * s[0] + s[1] * s[1])
        };
        mean(name, &points.rows().map(loss).collect::<Vec<_>>(), want);
    }
    for (name, floors) in denoising {
        let law = by_name(name).unwrap();
        for (sigma, want) in [0.1, 0.3, 0.5].into_iter().zip(floors) {
            let points = law.draw(400_000, &mut rng);
            let noise = Points::normal::<f64>(points.count(), 2, Seed(16), Stream::Host, (1e3 * sigma) as u32);
            let loss = |(x, z): (&[f64], &[f64])| {
                let (noisy, mut s) = ([x[0] + sigma * z[0], x[1] + sigma * z[1]], [0.0; 2]);
                law.score(&noisy, sigma, &mut s);
                0.5 * ((s[0] + z[0] / sigma).powi(2) + (s[1] + z[1] / sigma).powi(2))
            };
            let losses: Vec<f64> = points.rows().zip(noise.rows()).map(loss).collect();
            mean(&format!("{name}, sigma = {sigma}"), &losses, want);
        }
    }
}
