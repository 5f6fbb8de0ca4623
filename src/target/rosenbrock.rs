//! Rosenbrock's function over 20, a long curved valley (Goodman and Weare 2010).

use std::f64::consts::PI;

use super::Facts;
use crate::real::Real;

/// a: how steep the valley's floor is.
pub(super) const SLOPE: f64 = 0.05;
/// b: how steep its walls are.
pub(super) const BEND: f64 = 5.0;

/// E = Σ [b (xₙ₊₁ − xₙ²)² + a (1 − xₙ)²].
pub(super) fn energy<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let (a, b) = (T::of(SLOPE), T::of(BEND));
    let two = T::of(2.0);
    let mut energy = T::of(0.0);
    // what the pair before leaves for the slope of this coordinate
    let mut carried = T::of(0.0);
    for (n, pair) in x.windows(2).enumerate() {
        let (u, t) = (pair[1] - pair[0] * pair[0], T::of(1.0) - pair[0]);
        energy += b * u * u + a * t * t;
        gradient[n] = carried - T::of(4.0) * b * u * pair[0] - two * a * t;
        carried = two * b * u;
    }
    gradient[x.len() - 1] = carried;
    energy
}

/// In the plane x₁ ~ N(1, 1 / 2a) and x₂ ~ N(x₁², 1 / 2b), so that var x₂ = 1 / 2b + 2 s⁴ + 4 s² with s² = 1 / 2a; with more
/// coordinates there is no closed form.
pub(super) fn facts(dim: usize) -> Facts {
    if dim != 2 {
        return Facts::default();
    }
    let (first, around) = (0.5 / SLOPE, 0.5 / BEND);
    let second = around + 2.0 * first * first + 4.0 * first;
    Facts::moments((PI / (SLOPE * BEND).sqrt()).ln(), vec![1.0, 1.0 + first], vec![first, second])
}
