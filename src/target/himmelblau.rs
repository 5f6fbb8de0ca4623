//! Himmelblau's function: four minima of equal depth and unequal width (Himmelblau 1972).

use super::{Facts, Mode};
use crate::real::Real;

/// E = p² + q² with p = x₁² + x₂ − 11 and q = x₁ + x₂² − 7.
pub(super) fn energy<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let p = x[0] * x[0] + x[1] - T::of(11.0);
    let q = x[0] + x[1] * x[1] - T::of(7.0);
    let (two, four) = (T::of(2.0), T::of(4.0));
    gradient[0] = four * x[0] * p + two * q;
    gradient[1] = two * p + four * x[1] * q;
    p * p + q * q
}

/// Moments by quadrature.
pub(super) fn facts() -> Facts {
    let modes = [
        ([3.0, 2.0], 0.340_812),
        ([-2.805_118_086_953, 3.131_312_518_251], 0.214_558),
        ([-3.779_310_253_378, -3.283_185_991_286], 0.159_188),
        ([3.584_428_340_330, -1.848_126_526_964], 0.285_442),
    ];
    Facts {
        modes: modes.map(|(center, weight)| Mode { center: center.to_vec(), weight }).to_vec(),
        ..Facts::moments(-0.898_679_212, vec![0.842_155_732, 0.302_836_181], vec![9.968_488_988, 6.013_471_818])
    }
}
