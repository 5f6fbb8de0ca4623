//! The double well: two valleys in every coordinate.

use super::{Facts, Mode};
use crate::real::Real;

/// The barrier between the valleys in nats: chains cross it often enough to be tested, rarely enough to be a challenge.
pub(super) const HEIGHT: f64 = 4.0;

/// The most coordinates for which all 2ᵈ modes are listed.
const LISTED: usize = 3;

/// E = h Σ (xₙ² − 1)².
pub(super) fn energy<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let height = T::of(HEIGHT);
    let mut energy = T::of(0.0);
    for (x, slope) in x.iter().zip(gradient) {
        let w = *x * *x - T::of(1.0);
        energy += height * w * w;
        *slope = T::of(4.0) * height * *x * w;
    }
    energy
}

/// Independent coordinates; normaliser and variance of one by quadrature.
pub(super) fn facts(dim: usize) -> Facts {
    let modes = if dim <= LISTED { 1 << dim } else { 0 };
    let mode = |k: usize| Mode {
        center: (0..dim).map(|n| if k >> n & 1 == 0 { 1.0 } else { -1.0 }).collect(),
        weight: 0.5f64.powi(dim as i32),
    };
    Facts {
        modes: (0..modes).map(mode).collect(),
        ..Facts::moments(dim as f64 * 0.947_837_832_981_346_f64.ln(), vec![0.0; dim], vec![0.917_670_860_745_230; dim])
    }
}
