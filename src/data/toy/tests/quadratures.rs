//! Quadratures and special functions against finer ones, and against integrals that share nothing with them.

use super::places;
use crate::data::law::Law;
use crate::data::testing::SplitMix64;
use crate::data::toy::interval::{log_smoothed_box, log_smoothed_box_slope};
use crate::data::toy::rings::scaled_bessel_i0;
use crate::data::toy::{Annuli, Curve, Pinwheel, PotentialOnBox};
use std::f64::consts::{PI, SQRT_2, TAU};

#[test]
fn coarser_nodes_agree_with_finer_ones() {
    let curves: [fn(f64) -> Curve; 8] = [
        Curve::moons_by,
        Curve::moons_maf_by,
        Curve::swissroll_by,
        Curve::two_spirals_by,
        Curve::line_by,
        Curve::cos_by,
        Curve::swissroll_torchebm_by,
        Curve::pinwheel_torchebm_by,
    ];
    for curve in curves {
        let [kept, finer] = [1.0, 0.2].map(curve);
        for sigma in [0.0, 0.11, 0.2, 0.29, 0.41, 1.0] {
            // About twice as far out as the points of the smoothed law.
            for x in places(&kept, 2.0 * sigma, 300, &mut SplitMix64(11)).rows() {
                let error = kept.log_density(x, sigma) - finer.log_density(x, sigma);
                assert!(error.abs() < 5e-6, "{} {sigma} {x:?}: {error:e}", kept.name());
            }
        }
    }
}

/// Panels of half the length, at levels of noise that lie between those of the kept lattices.
#[test]
fn potentials_by_finer_panels_are_the_same() {
    for law in [PotentialOnBox::u1(), PotentialOnBox::u2(), PotentialOnBox::u3(), PotentialOnBox::u4()] {
        for sigma in [0.1, 0.3, 1.0, 2.0] {
            let points = places(&law, 2.0 * sigma, 12, &mut SplitMix64(17));
            for x in points.rows() {
                let error = law.log_density(x, sigma) - law.log_density_by(x, sigma, 0.5);
                assert!(error.abs() < 1e-5, "{} {sigma} {x:?}: {error:e}", law.name());
            }
        }
        // on either side of the least noise that a lattice is kept for
        for x in places(&law, 0.02, 12, &mut SplitMix64(18)).rows() {
            let [above, below] = [1.0 + 1e-9, 1.0 - 1e-9].map(|k| law.log_density(x, k / 64.0));
            assert!((above - below).abs() < 1e-5, "{} {x:?}: {above} and {below}", law.name());
        }
    }
}

/// Along the line it is a smoothed interval, across it a Gaussian: what the nodes know nothing of.
#[test]
fn a_line_is_a_product() {
    let law = Curve::line();
    for sigma in [0.0, 0.11, 0.4, 1.0] {
        let (length, s) = (5.0 * SQRT_2, 0.05f64.hypot(sigma));
        for x in places(&law, 2.0 * sigma, 300, &mut SplitMix64(14)).rows() {
            let [along, across] = [x[0] + x[1], x[1] - x[0]].map(|sum| sum / SQRT_2);
            let want = log_smoothed_box(along + 0.5 * length, length, s) + log_smoothed_box(across, 0.0, s);
            let got = law.log_density(x, sigma);
            assert!((got - want).abs() < 5e-6, "{sigma} {x:?}: {got} for {want}");
        }
    }
}

#[test]
fn pinwheels_by_finer_panels_are_the_same() {
    let log = |x: &[f64], sigma: f64, panel: f64| Pinwheel::evaluate(x, sigma, panel).0;
    for sigma in [1e-3, 0.05, 0.3, 1.0, 4.0] {
        for x in places(&Pinwheel, 2.0 * sigma, 300, &mut SplitMix64(12)).rows() {
            let error = log(x, sigma, 1.4) - log(x, sigma, 0.35);
            assert!(error.abs() < 1e-7, "{sigma} {x:?}: {error:e}");
        }
    }
}

/// The roots and the quadrature know nothing of one another.
#[test]
fn a_pinwheel_with_little_noise_is_almost_the_one_without() {
    for x in places(&Pinwheel, 0.0, 300, &mut SplitMix64(13)).rows() {
        let [exact, noisy, noisier] = [0.0, 1e-4, 2e-4].map(|sigma| Pinwheel.log_density(x, sigma));
        // the error of smoothing is proportional to sigma²: at 1e-4, a third of what another 1e-4 adds
        let error = noisy - (noisier - noisy) / 3.0 - exact;
        assert!(error.abs() < 1e-6, "{x:?}: {error:e} for {exact}");
    }
}

/// The convolution in polar coordinates: both integrals by the trapezoid rule, that over the angle exact to rounding.
#[test]
fn smoothed_rings_are_a_convolution_over_radius_and_angle() {
    for sigma in [0.03, 0.15, 0.7, 3.0] {
        for r in [0.0, 0.3, 1.0, 1.5, 4.2, 6.0] {
            let (turns, steps, reach) = (3000, 1600, 8.0);
            let kernel = |u: f64| {
                let around = |k: i32| {
                    let squared = r * r + u * u - 2.0 * r * u * (TAU * f64::from(k) / f64::from(turns)).cos();
                    (-0.5 * squared / (sigma * sigma)).exp()
                };
                (0..turns).map(around).sum::<f64>() / f64::from(turns)
            };
            let node = |j: i32| {
                let u = reach * f64::from(j) / f64::from(steps);
                let ring = |k: f64| (-0.5 * ((u - k) / 0.15).powi(2)).exp();
                kernel(u) * [1.0, 2.0, 3.0, 4.0].into_iter().map(ring).sum::<f64>()
            };
            let norm = 4.0 * TAU.powf(1.5) * 0.15 * sigma * sigma * f64::from(steps) / reach;
            let want = ((-steps..=steps).map(node).sum::<f64>() / norm).ln();
            let got = Annuli.log_density(&[0.6 * r, 0.8 * r], sigma);
            assert!((got - want).abs() < 1e-9, "{sigma} {r}: {got} for {want}");
        }
    }
}

#[test]
fn boxes_are_smoothed_without_cancellation() {
    for (t, w, s) in [(0.3, 1.0, 0.2), (-0.5, 2.0, 0.3), (3.0, 2.0, 0.15), (9.0, 0.5, 1.0), (-7.0, 0.2, 0.61)] {
        // ln of the midpoint rule for the mean over the box of the normal density.
        let steps = 200_000;
        let offset = |k: i32| (t - w * (f64::from(k) + 0.5) / f64::from(steps)) / s;
        let sum: f64 = (0..steps).map(|k| (-0.5 * offset(k).powi(2)).exp()).sum();
        let want = (sum / f64::from(steps) / (s * TAU.sqrt())).ln();
        let got = log_smoothed_box(t, w, s);
        assert!((got - want).abs() < 1e-8, "{t} {w} {s}: {got} for {want}");
        let h = 1e-5;
        let slope = (log_smoothed_box(t + h, w, s) - log_smoothed_box(t - h, w, s)) / (2.0 * h);
        assert!((log_smoothed_box_slope(t, w, s) - slope).abs() < 1e-5 * (1.0 + slope.abs()));
    }
    // Where one formula hands over to the next: near = 1 and near = 8 √2.
    for near in [1.0, 8.0 * 2f64.sqrt()] {
        let [below, above] = [near - 1e-9, near + 1e-9].map(|n| log_smoothed_box(1.0 + n, 1.0, 1.0));
        assert!((below - above - 2e-9 * near).abs() < 2e-9, "{below} {above}");
    }
}

#[test]
fn bessel_agrees_with_its_integral() {
    for z in [0.0, 0.5, 5.0, 19.99, 20.0, 50.0, 1e4] {
        // The trapezoid rule over a period is exact to rounding here.
        let count = 4000;
        let term = |k: i32| (-2.0 * z * (0.5 * PI * f64::from(k) / f64::from(count)).sin().powi(2)).exp();
        let want = (0..2 * count).map(term).sum::<f64>() / f64::from(2 * count);
        let got = scaled_bessel_i0(z);
        assert!((got / want - 1.0).abs() < 3e-14, "{z}: {got} for {want}");
    }
}
