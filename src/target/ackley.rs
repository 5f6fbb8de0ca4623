//! Ackley's function: a pointed pit in a plain of ripples (Ackley 1987).
//!
//! It stays below 20 + e far out, so exp(−E) has a finite integral on a box only.

use std::f64::consts::{E, TAU};

use super::Facts;
use super::elementary::sin_cos_turns;
use crate::real::Real;

/// Added to the mean square, so that the slope at the tip is 0 and not 0 / 0.
const TIP: f64 = 1e-30;

/// E = 20 (1 − exp(−r / 5)) + e − exp(mean cos 2πxₙ), r² = mean xₙ².
pub(super) fn energy<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let share = T::of(1.0 / x.len() as f64);
    let (mut square, mut ripple) = (T::of(0.0), T::of(0.0));
    for (x, slope) in x.iter().zip(&mut *gradient) {
        let (sin, cos) = sin_cos_turns(*x);
        square += *x * *x;
        ripple += cos;
        // kept here for the second loop
        *slope = sin;
    }
    let r = (square * share + T::of(TIP)).sqrt();
    let pit = (T::of(-0.2) * r).exp();
    let ripple = (ripple * share).exp();
    let (along, across) = (T::of(4.0) * pit * share / r, T::of(TAU) * ripple * share);
    for (x, slope) in x.iter().zip(gradient) {
        *slope = along * *x + across * *slope;
    }
    T::of(20.0) * (T::of(1.0) - pit) + (T::of(E) - ripple)
}

/// Symmetric; normaliser and variance in the plane by quadrature.
pub(super) fn facts(dim: usize) -> Facts {
    let mean = Some(vec![0.0; dim]);
    if dim != 2 {
        return Facts { mean, ..Facts::default() };
    }
    Facts { mean, ..Facts::moments(-1.382_428_022_85, Vec::new(), vec![0.549_364_919; 2]) }
}
