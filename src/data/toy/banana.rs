//! The unit banana: a Gaussian bent along a parabola, with its smoothed density by quadrature over the bend.

use crate::data::law::{FAR, Law, REACH, normal_pair};
use rand::Rng;
use std::f64::consts::TAU;

/// x₁ = z₁, x₂ = z₂ - (z₁² - 1) / 2: energy x₁² / 2 + (x₂ + (x₁² - 1) / 2)² / 2, normaliser 2π.
#[derive(Debug, Clone, Copy)]
pub struct Banana;

/// Contributions this many nats below a lower bound of the largest are left out.
const NEGLIGIBLE: f64 = 40.0;

/// How far below the parabola of `m` the height `h` lies.
fn unbent(m: f64, h: f64) -> f64 {
    h + 0.5 * (m * m - 1.0)
}

/// ln ∫ N(m; mean, spread²) N(h; -(m² - 1)/2, variance) dm.
///
/// The trapezoid rule on the whole line converges like exp(-2π² w² / step²) for a feature of width w; with the step
/// at 0.8 of the least width that the curvature of the exponent allows, that is 4e-14.
fn log_bent(mean: f64, spread: f64, h: f64, variance: f64) -> f64 {
    let bend = |m: f64| 0.5 * unbent(m, h).powi(2) / variance;
    // Away from the mean and from both crossings of the parabola the integrand only falls, by the Gaussian factor at
    // least; and where that factor alone is below the integrand at the mean, nothing is left to add.
    let crossing = (1.0 - 2.0 * h).max(0.0).sqrt();
    let nine = 9.0 * spread;
    let window = spread * (2.0 * (NEGLIGIBLE + bend(mean))).sqrt();
    let low = (mean.min(-crossing) - nine).max(mean - window);
    let high = (mean.max(crossing) + nine).min(mean + window);
    let widest = low.abs().max(high.abs());
    let curvature = spread.powi(-2) + (1.5 * widest * widest + h.abs() + 0.5) / variance;
    let panels = ((high - low) * curvature.sqrt() / 0.8).ceil().max(1.0);
    let step = (high - low) / panels;
    let exponent = |i: usize| {
        let m = low + step * i as f64;
        -0.5 * ((m - mean) / spread).powi(2) - bend(m)
    };
    let nodes = 0..=panels as usize;
    let top = nodes.clone().map(exponent).fold(f64::NEG_INFINITY, f64::max);
    let relative = nodes.map(|i| exponent(i) - top).filter(|e| *e > -NEGLIGIBLE);
    let sum: f64 = relative.map(f64::exp).sum();
    top + (sum * step).ln() - (TAU * spread * variance.sqrt()).ln()
}

impl Law for Banana {
    fn name(&self) -> &'static str {
        "banana"
    }

    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let z = normal_pair(rng);
        out[0] = z[0];
        out[1] = z[1] - 0.5 * (z[0] * z[0] - 1.0);
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        if sigma == 0.0 {
            return -0.5 * (x[0] * x[0] + unbent(x[0], x[1]).powi(2)) - TAU.ln();
        }
        // Given x₁ the first normal is N(x₁ / v, sigma² / v) with v = 1 + sigma², and x₁ itself is N(0, v).
        let v = 1.0 + sigma * sigma;
        let first = -0.5 * (x[0] * x[0] / v + (TAU * v).ln());
        first + log_bent(x[0] / v, sigma / v.sqrt(), x[1], v)
    }

    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        if sigma == 0.0 {
            let below = unbent(x[0], x[1]);
            out[0] = -x[0] - x[0] * below;
            out[1] = -below;
            return;
        }
        // Central differences; the trapezoid rule leaves the log-density smooth to 1e-13.
        let step = 1e-4;
        let at = |dx: f64, dy: f64| self.log_density(&[x[0] + dx, x[1] + dy], sigma);
        out[0] = (at(step, 0.0) - at(-step, 0.0)) / (2.0 * step);
        out[1] = (at(0.0, step) - at(0.0, -step)) / (2.0 * step);
    }

    /// Below, x₂ falls like -χ²/2: Chernoff's bound at 1e-9 (20.7 nats) with noise of variance v beside it.
    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let v = 1.0 + sigma * sigma;
        let (nats, side) = (20.7, REACH * v.sqrt());
        let fall = if v < 2.0 * nats { nats + 0.5 * v } else { (2.0 * nats * v).sqrt() };
        vec![[-side, side], [0.5 - fall, 0.5 + side]]
    }

    /// Mahalanobis: x₁ against its variance v, and x₂ against its mean and variance given x₁ (at sigma = 0 this undoes
    /// the bend exactly).
    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        let v = 1.0 + sigma * sigma;
        let (mean, spread2) = (x[0] / v, sigma * sigma / v);
        let variance = v + spread2 * mean * mean + 0.5 * spread2 * spread2;
        let below = x[1] + 0.5 * (mean * mean + spread2 - 1.0);
        x[0] * x[0] / v + below * below / variance > FAR * FAR
    }

    fn entropy(&self) -> f64 {
        1.0 + TAU.ln()
    }
}
