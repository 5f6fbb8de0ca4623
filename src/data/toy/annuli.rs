//! Concentric rings whose radius alone is blurred, smoothed by quadrature over the radius.

use super::rings::scaled_bessel_i0;
use crate::data::law::{FAR, Law, REACH, index, normal, uniform};
use rand::Rng;
use std::f64::consts::TAU;

/// The radius k + 0.15 z with k one of 1, 2, 3, 4, and a uniform angle (`rings4`).
///
/// At sigma = 0 the density is the mean over k of N(r; k, s²) + N(-r; k, s²), divided by 2πr: a negative radius, of
/// probability 7e-12, is a positive one at the opposite angle. At the origin it grows like 1 / r; radii below 1e-9,
/// which hold 1e-18 of the mass, are taken for 1e-9.
///
/// With noise it is the mean over k of ∫ N(u; k, s²) exp(-(r² + u²) / 2σ²) I₀(ru / σ²) / (2πσ²) du. The trapezoid rule
/// with a step of 0.6 of the integrand's width leaves an error below 1e-12.
#[derive(Debug, Clone, Copy)]
pub struct Annuli;

const RADII: [f64; 4] = [1.0, 2.0, 3.0, 4.0];
const NOISE: f64 = 0.15;

/// Nodes on each side of the middle, and the step between them in standard deviations: out to 9.
const SIDE: i32 = 15;
const STEP: f64 = 0.6;

/// The distance from radius `r` to the nearest ring.
fn nearest_gap(r: f64) -> f64 {
    RADII.iter().map(|radius| (r - radius).abs()).fold(f64::INFINITY, f64::min)
}

impl Law for Annuli {
    fn name(&self) -> &'static str {
        "rings4"
    }

    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let radius = RADII[index(rng, RADII.len())] + NOISE * normal(rng);
        let (sin, cos) = (TAU * uniform(rng)).sin_cos();
        out[0] = radius * cos;
        out[1] = radius * sin;
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        let r = x[0].hypot(x[1]).max(1e-9);
        let rings = RADII.len() as f64;
        // Everything relative to the nearest ring, so that nothing underflows.
        let variance = NOISE * NOISE + sigma * sigma;
        let least = nearest_gap(r).powi(2);
        let shift = 0.5 * least / variance;
        if sigma == 0.0 {
            let term = |gap: f64| (-0.5 * (gap * gap - least) / variance).exp();
            let sum: f64 = RADII.iter().map(|k| term(r - k) + term(r + k)).sum();
            return sum.ln() - shift - (rings * TAU * r * (TAU * variance).sqrt()).ln();
        }
        let noise = sigma * sigma;
        let width = NOISE * sigma / variance.sqrt();
        let ring = |k: &f64| {
            // The two Gaussians in u are one around `middle` and one in r - k.
            let middle = (k * noise + r * NOISE * NOISE) / variance;
            let node = |j: i32| {
                let u = middle + width * STEP * f64::from(j);
                let nats = 0.5 * ((u - k) / NOISE).powi(2) + 0.5 * ((r - u.abs()) / sigma).powi(2);
                (shift - nats).exp() * scaled_bessel_i0(r * u.abs() / noise)
            };
            (-SIDE..=SIDE).map(node).sum::<f64>()
        };
        let sum: f64 = RADII.iter().map(ring).sum();
        (sum * STEP * width).ln() - shift - (rings * TAU.powf(1.5) * NOISE * noise).ln()
    }

    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let reach = RADII[RADII.len() - 1] + REACH * NOISE.hypot(sigma);
        vec![[-reach, reach]; 2]
    }

    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        nearest_gap(x[0].hypot(x[1])) > FAR * NOISE.hypot(sigma)
    }

    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        // the angle is uniform: half of E r²
        let squares = RADII.iter().map(|r| r * r).sum::<f64>() / RADII.len() as f64;
        Some([vec![0.0; 2], vec![0.5 * (squares + NOISE * NOISE); 2]])
    }

    fn entropy(&self) -> f64 {
        3.534527
    }
}
