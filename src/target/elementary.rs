//! Elementary functions that several targets need, in the form that their WGSL twins have in `shaders/lib/target.wgsl`.

use crate::real::Real;

/// (sin 2πx, cos 2πx) for any x: the whole turns are taken off exactly.
#[inline(always)]
pub(super) fn sin_cos_turns<T: Real>(x: T) -> (T, T) {
    (T::of(2.0) * (x - x.round())).sin_cos_pi()
}

/// ln(eᵃ + eᵇ), shifted by the larger.
#[inline(always)]
pub(super) fn log_add_exp<T: Real>(a: T, b: T) -> T {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    high + (low - high).exp().ln_1p_unit()
}

/// 1 / (1 + e⁻ˣ) and 1 / (1 + eˣ), each accurate where it is small.
#[inline(always)]
pub(super) fn logistic<T: Real>(x: T) -> (T, T) {
    let e = (-x.abs()).exp();
    let (large, small) = (T::of(1.0) / (T::of(1.0) + e), e / (T::of(1.0) + e));
    if x > T::of(0.0) { (large, small) } else { (small, large) }
}
