//! The potentials u1 to u4 of Rezende and Mohamed 2015 (arXiv:1505.05770, table 1).
//!
//! u2, u3 and u4 do not fall off along x₁: they are laws on the box alone.

use std::f64::consts::FRAC_PI_2;

use super::elementary::{log_add_exp, logistic, sin_cos_turns};
use super::{Facts, Mode};
use crate::real::Real;

/// ln 1e-10, what the published code adds inside of the logarithm of u1, u3 and u4.
const FLOOR: f64 = -23.025_850_929_940_457;

/// Which of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Potential {
    U1,
    U2,
    U3,
    U4,
}

/// ln(exp(−½ a²) + exp(−½ b²) + 1e-10), and its derivatives by a and by b.
fn two_ridges<T: Real>(a: T, b: T) -> (T, T, T) {
    let half = T::of(-0.5);
    let (at_a, at_b) = (half * a * a, half * b * b);
    let log = log_add_exp(log_add_exp(at_a, at_b), T::of(FLOOR));
    (log, -a * (at_a - log).exp(), -b * (at_b - log).exp())
}

/// w₁ = sin(πx / 2) and its slope.
fn wave<T: Real>(x: T) -> (T, T) {
    let (sin, cos) = sin_cos_turns(T::of(0.25) * x);
    (sin, T::of(FRAC_PI_2) * cos)
}

/// w₂ = 3 exp(−½ ((x − 1) / 0.6)²) and its slope.
fn bump<T: Real>(x: T) -> (T, T) {
    let u = (x - T::of(1.0)) * T::of(1.0 / 0.6);
    // below what single precision has, so that a large u makes nothing of it
    if u * u > T::of(170.0) {
        return (T::of(0.0), T::of(0.0));
    }
    let w = T::of(3.0) * (T::of(-0.5) * u * u).exp();
    (w, -w * u * T::of(1.0 / 0.6))
}

/// w₃ = 3 / (1 + exp(−(x − 1) / 0.3)) and its slope.
fn rise<T: Real>(x: T) -> (T, T) {
    let (up, down) = logistic((x - T::of(1.0)) * T::of(1.0 / 0.3));
    (T::of(3.0) * up, T::of(10.0) * up * down)
}

/// −ln of two ridges along x₂ = w₁ and x₂ = w₁ − w of widths 1 / a and 1 / b.
fn branches<T: Real>(x: &[T], (w, w_slope): (T, T), a: f64, b: f64, gradient: &mut [T]) -> T {
    let (a, b) = (T::of(a), T::of(b));
    let (w1, slope) = wave(x[0]);
    let above = x[1] - w1;
    let (log, by_a, by_b) = two_ridges(above * a, (above + w) * b);
    gradient[0] = by_a * a * slope + by_b * b * (slope - w_slope);
    gradient[1] = -by_a * a - by_b * b;
    -log
}

impl Potential {
    /// The energy and its gradient.
    pub(crate) fn energy<T: Real>(self, x: &[T], gradient: &mut [T]) -> T {
        match self {
            Self::U1 => {
                // a ring of radius 2 and width 0.4, and ridges at x₁ = ±2 of width 0.6
                let r = (x[0] * x[0] + x[1] * x[1] + T::of(1e-30)).sqrt();
                let q = (r - T::of(2.0)) * T::of(2.5);
                let narrow = T::of(1.0 / 0.6);
                let (log, by_a, by_b) = two_ridges((x[0] - T::of(2.0)) * narrow, (x[0] + T::of(2.0)) * narrow);
                let along = T::of(2.5) * q / r;
                gradient[0] = along * x[0] - narrow * (by_a + by_b);
                gradient[1] = along * x[1];
                T::of(0.5) * q * q - log
            }
            Self::U2 => {
                let (w1, slope) = wave(x[0]);
                let q = (x[1] - w1) * T::of(2.5);
                gradient[1] = q * T::of(2.5);
                gradient[0] = -gradient[1] * slope;
                T::of(0.5) * q * q
            }
            Self::U3 => branches(x, bump(x[0]), 1.0 / 0.35, 1.0 / 0.35, gradient),
            Self::U4 => branches(x, rise(x[0]), 2.5, 1.0 / 0.35, gradient),
        }
    }

    /// By quadrature on the box.
    pub(crate) fn facts(self) -> Facts {
        let moments = |log_normalizer, mean: [f64; 2], variance: [f64; 2]| {
            Facts::moments(log_normalizer, mean.to_vec(), variance.to_vec())
        };
        match self {
            Self::U1 => Facts {
                modes: [2.0, -2.0].map(|x| Mode { center: vec![x, 0.0], weight: 0.5 }).to_vec(),
                ..moments(1.877_501_617, [0.0, 0.0], [3.303_501_617, 1.395_277_693])
            },
            Self::U2 => moments(2.082_089_343, [0.0, 0.0], [16.0 / 3.0, 0.66]),
            Self::U3 => moments(2.641_705_131, [0.0, -0.281_995_599], [16.0 / 3.0, 0.779_448_552]),
            Self::U4 => moments(2.684_567_671, [-0.079_687_999, -0.426_601_878], [5.225_509_423, 1.683_921_539]),
        }
    }
}
