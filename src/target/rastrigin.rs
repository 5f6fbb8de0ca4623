//! Rastrigin's function: a bowl with a barrier of 20 nats around every point of whole coordinates.

use std::f64::consts::PI;

use super::Facts;
use crate::real::Real;

/// A, half the height of the barriers.
pub(super) const HEIGHT: f64 = 10.0;

/// E = Σ [xₙ² + A (1 − cos 2πxₙ)], where 1 − cos 2πx = 2 sin² πt with t the distance to the nearest whole number, which
/// loses nothing near the minima.
pub(super) fn energy<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let twice = T::of(2.0 * HEIGHT);
    let mut energy = T::of(0.0);
    for (x, slope) in x.iter().zip(gradient) {
        let (sin, cos) = (*x - x.round()).sin_cos_pi();
        energy += *x * *x + twice * sin * sin;
        *slope = T::of(2.0) * *x + T::of(4.0 * PI * HEIGHT) * sin * cos;
    }
    energy
}

/// Independent coordinates; normaliser and variance of one by quadrature. All but 1e-12 of the mass is in the box.
pub(super) fn facts(dim: usize) -> Facts {
    Facts::moments(dim as f64 * 0.226_600_924_717_531_f64.ln(), vec![0.0; dim], vec![0.499_031_598_535_976; dim])
}
