//! Neal's funnel: coordinates whose scale is itself random (Neal 2003, section 8).

use std::f64::consts::TAU;

use super::Facts;
use crate::real::Real;

/// The variance of x₁.
pub(super) const VARIANCE: f64 = 9.0;

/// Below x₁ = −60, 20 standard deviations out, the width of the others stays the same, so that f32 does not overflow.
const NARROWEST: f64 = 60.0;

/// E = x₁² / 18 + ½ Σ (xₙ² exp(−x₁) + x₁), n from 2.
pub(super) fn energy<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let (neck, rest) = (x[0], &x[1..]);
    let (half, precision) = (T::of(0.5), T::of(1.0 / VARIANCE));
    let inside = neck > T::of(-NARROWEST);
    let inverse = (if inside { -neck } else { T::of(NARROWEST) }).exp();
    let mut squares = T::of(0.0);
    for (x, slope) in rest.iter().zip(&mut gradient[1..]) {
        squares += *x * *x;
        *slope = inverse * *x;
    }
    let count = T::of(rest.len() as f64);
    let wide = half * inverse * squares;
    gradient[0] = precision * neck + half * count - if inside { wide } else { T::of(0.0) };
    half * precision * neck * neck + wide + half * count * neck
}

/// var xₙ = E exp(x₁) = exp(9 / 2).
pub(super) fn facts(dim: usize) -> Facts {
    let mut variance = vec![(0.5 * VARIANCE).exp(); dim];
    variance[0] = VARIANCE;
    Facts::moments(0.5 * (VARIANCE.ln() + dim as f64 * TAU.ln()), vec![0.0; dim], variance)
}
