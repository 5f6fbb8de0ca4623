//! Activations at three points at once, x and x ± v, by the parts in which their values differ.
//!
//! Of a quantity f, [`Split`] has f at x, the odd part (f₊ − f₋)/2 and the even part (f₊ + f₋)/2 − f. For short v the parts
//! are of order |v| and |v|², far below what rounding leaves of f₊ and f₋: here they come from closed forms in which nothing
//! cancels, each good to the last digits of itself. Twins: `shaders/lib/split*.wgsl`.

mod logistic;
mod normal;
mod piecewise;
#[cfg(test)]
mod tests;

use super::activation::Phi;
use crate::real::Real;

/// A quantity at x and at x ± v.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split<T> {
    /// f at x.
    pub(crate) centre: T,
    /// (f₊ − f₋)/2.
    pub(crate) odd: T,
    /// (f₊ + f₋)/2 − f.
    pub(crate) even: T,
}

impl<T: Real> Split<T> {
    /// (f₊ + f₋)/2.
    #[inline(always)]
    fn mean(self) -> T {
        self.centre + self.even
    }

    #[inline(always)]
    fn scaled(self, by: T) -> Self {
        Self { centre: by * self.centre, odd: by * self.odd, even: by * self.even }
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self { centre: self.centre + other.centre, odd: self.odd + other.odd, even: self.even + other.even }
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Self {
            centre: self.centre * other.centre,
            odd: self.mean() * other.odd + self.odd * other.mean(),
            even: self.centre * other.even + self.even * other.mean() + self.odd * other.odd,
        }
    }

    /// From the three values, where they differ by enough.
    #[inline(always)]
    fn of(centre: T, plus: T, minus: T) -> Self {
        let half = T::of(0.5);
        Self { centre, odd: half * (plus - minus), even: half * ((plus - centre) + (minus - centre)) }
    }
}

/// φ and φ′ of a split number.
pub(crate) trait SplitPhi<T: Real>: Phi<T> {
    /// The largest odd and even part that [`SplitPhi::near`] is made for.
    fn reach(self) -> T;

    /// φ and φ′, by forms that keep the digits of parts within [`SplitPhi::reach`].
    fn near(self, z: Split<T>) -> [Split<T>; 2];

    /// φ and φ′, by the differences themselves.
    #[inline(always)]
    fn far(self, z: Split<T>) -> [Split<T>; 2] {
        let (centre, plus, minus) =
            (self.derivatives(z.centre), self.derivatives(z.mean() + z.odd), self.derivatives(z.mean() - z.odd));
        [0, 1].map(|i| Split::of(centre[i], plus[i], minus[i]))
    }

    /// Is z beyond the reach of [`SplitPhi::near`]?
    #[inline(always)]
    fn is_far(self, z: Split<T>) -> bool {
        (z.odd.abs() > self.reach()) | (z.even.abs() > self.reach())
    }
}

/// `size` with the sign of z.
#[inline(always)]
fn signed<T: Real>(z: T, size: T) -> T {
    if z < T::of(0.0) { -size } else { size }
}
