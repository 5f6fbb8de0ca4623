//! The unit banana: a normal law bent along a parabola.

use std::f64::consts::TAU;

use super::Facts;
use crate::real::Real;

/// E = ½ x₁² + ½ u² with u = x₂ + ½ (x₁² − 1).
pub(super) fn energy<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let half = T::of(0.5);
    let u = x[1] + half * (x[0] * x[0] - T::of(1.0));
    gradient[0] = x[0] + u * x[0];
    gradient[1] = u;
    half * (x[0] * x[0] + u * u)
}

/// x₁ and u are independent standard normals, so x₂ = u − ½ (x₁² − 1) has the variance 1 + ¼ · 2.
pub(super) fn facts() -> Facts {
    Facts::moments(TAU.ln(), vec![0.0; 2], vec![1.0, 1.5])
}
