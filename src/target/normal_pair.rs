//! A mixture of two normal laws of one variance.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use super::elementary::logistic;
use super::{Facts, Mode};
use crate::real::Real;

/// w₁ N(μ₁, v I) + w₂ N(μ₂, v I).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NormalPair {
    means: [[f64; 2]; 2],
    weights: [f64; 2],
    variance: f64,
}

impl NormalPair {
    /// Unit variance; the first component has `weight`.
    pub(super) fn new(first: [f64; 2], second: [f64; 2], weight: f64) -> Self {
        Self { means: [first, second], weights: [weight, 1.0 - weight], variance: 1.0 }
    }

    pub(super) fn smoothed(&self, sigma: f64) -> Self {
        Self { variance: self.variance + sigma * sigma, ..self.clone() }
    }

    /// E = −ln Σ wₖ exp(−|x − μₖ|² / 2v). The log-odds of the components are linear in x, which is exact where they matter.
    pub(super) fn energy<T: Real>(&self, x: &[T], gradient: &mut [T]) -> T {
        let precision = T::of(1.0 / self.variance);
        let [first, second] = &self.means;
        let half = T::of(0.5);
        let mut squares = [T::of(0.0); 2];
        let mut odds = T::of(0.0);
        for n in 0..2 {
            let (a, b) = (T::of(first[n]), T::of(second[n]));
            let (u, v) = (x[n] - a, x[n] - b);
            squares[0] += u * u;
            squares[1] += v * v;
            odds += (a - b) * (x[n] - half * (a + b));
        }
        let [log_a, log_b] = self.weights.map(|w| T::of(w.ln()));
        let odds = precision * odds + (log_a - log_b);
        let (share_a, share_b) = logistic(odds);
        for n in 0..2 {
            let (u, v) = (x[n] - T::of(first[n]), x[n] - T::of(second[n]));
            gradient[n] = precision * (share_a * u + share_b * v);
        }
        let [a, b] = [half * precision * squares[0] - log_a, half * precision * squares[1] - log_b];
        let nearer = if odds > T::of(0.0) { a } else { b };
        nearer - (-odds.abs()).exp().ln_1p_unit()
    }

    /// 1 / v, ln w₁, ln w₂, μ₁, μ₂.
    pub(super) fn constants(&self) -> Vec<f64> {
        let [a, b] = self.weights.map(f64::ln);
        let [first, second] = self.means;
        [&[1.0 / self.variance, a, b], &first[..], &second[..]].concat()
    }

    pub(super) fn facts(&self) -> Facts {
        let ([first, second], [a, b]) = (self.means, self.weights);
        let mean: Vec<f64> = first.iter().zip(second).map(|(f, s)| a * f + b * s).collect();
        let apart: Vec<f64> = first.iter().zip(second).map(|(f, s)| f - s).collect();
        let variance = apart.iter().map(|d| self.variance + a * b * d * d).collect();
        // half the distance of the centres, in standard deviations, is where the nearer one changes
        let half = 0.5 * apart[0].hypot(apart[1]) / self.variance.sqrt();
        let beyond = 0.5 * libm::erfc(half * FRAC_1_SQRT_2);
        let modes = self.means.iter().zip(self.weights);
        let modes = modes.map(|(m, w)| Mode { center: m.to_vec(), weight: w * (1.0 - beyond) + (1.0 - w) * beyond });
        Facts { modes: modes.collect(), ..Facts::moments((TAU * self.variance).ln(), mean, variance) }
    }
}
