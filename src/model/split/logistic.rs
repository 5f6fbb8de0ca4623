//! SiLU, tanh and softplus of a split number, made of e to minus the size of its parts. Twins: `shaders/lib/split.wgsl`,
//! `split_silu.wgsl`, `split_tanh.wgsl` and `split_softplus.wgsl` beside it.

use super::{Split, SplitPhi, signed};
use crate::model::phi;
use crate::real::Real;

/// What the logistic functions of a split number are made of: e to minus the size of its parts.
struct Powers<T> {
    /// Of the value at x.
    centre: T,
    /// Of the mean of the values at x ± v.
    mean: T,
    /// Of the odd part, and that less 1.
    odd: (T, T),
    /// Of the even part, and that less 1.
    even: (T, T),
}

impl<T: Real> Powers<T> {
    #[inline(always)]
    fn of(z: Split<T>) -> Self {
        Self {
            centre: (-z.centre.abs()).exp(),
            mean: (-z.mean().abs()).exp(),
            odd: (-z.odd.abs()).exp_with_m1(),
            even: (-z.even.abs()).exp_with_m1(),
        }
    }

    /// tanh(z/2). With s = exp(−|m|) at the mean m and u = exp(−|o|), tanh at m ± o differs from tanh at m by
    ///
    /// odd   ±s (1 − u²) / D,   even   −tanh(m/2) s (1 − u)² / D,   D = (u + s)(1 + us)
    ///
    /// and the mean from x by 2k(1 − y) / ((1 + k) w), with k = exp(−|c|), y = exp(−|e|), and w = 1 + yk where c and e have
    /// one sign, y + k where they have not.
    #[inline(always)]
    fn half_tanh(&self, z: Split<T>) -> Split<T> {
        let one = T::of(1.0);
        let (k, s, (u, u1), (y, y1)) = (self.centre, self.mean, self.odd, self.even);
        let part = s / ((u + s) * (one + u * s) * (one + s));
        let about_mean = signed(z.mean(), -(part * (one - s)) * (u1 * u1));
        let together = (z.centre < T::of(0.0)) == (z.even < T::of(0.0));
        let w = if together { one + y * k } else { y + k };
        let inverse = one / ((one + k) * w);
        Split {
            centre: signed(z.centre, (one - k) * w * inverse),
            odd: signed(z.odd, -(part * (one + s)) * (u1 * (one + u))),
            even: signed(z.even, T::of(-2.0) * k * y1 * inverse) + about_mean,
        }
    }

    /// 1 − t² of t = tanh(z/2).
    #[inline(always)]
    fn slope(&self, t: Split<T>) -> Split<T> {
        let (k, two) = (self.centre, T::of(2.0));
        let sum = T::of(1.0) + k;
        Split {
            centre: T::of(4.0) * k / (sum * sum),
            odd: -two * t.mean() * t.odd,
            even: -(t.even * (two * t.centre + t.even) + t.odd * t.odd),
        }
    }

    /// The logistic function, (1 + t)/2.
    #[inline(always)]
    fn logistic(&self, z: Split<T>, t: Split<T>) -> Split<T> {
        Split { centre: logistic(z.centre, self.centre), ..t.scaled(T::of(0.5)) }
    }
}

/// The logistic function from e = exp(−|z|), with the digits of its small values.
#[inline(always)]
fn logistic<T: Real>(z: T, e: T) -> T {
    let top = if z < T::of(0.0) { e } else { T::of(1.0) };
    top / (T::of(1.0) + e)
}

impl<T: Real> SplitPhi<T> for phi::Silu {
    #[inline(always)]
    fn reach(self) -> T {
        T::of(16.0)
    }

    #[inline(always)]
    fn near(self, z: Split<T>) -> [Split<T>; 2] {
        let powers = Powers::of(z);
        let t = powers.half_tanh(z);
        let gate = powers.logistic(z, t);
        [z.times(gate), gate.plus(z.times(powers.slope(t).scaled(T::of(0.25))))]
    }
}

impl<T: Real> SplitPhi<T> for phi::Tanh {
    #[inline(always)]
    fn reach(self) -> T {
        T::of(16.0)
    }

    #[inline(always)]
    fn near(self, z: Split<T>) -> [Split<T>; 2] {
        let twice = z.scaled(T::of(2.0));
        let powers = Powers::of(twice);
        let t = powers.half_tanh(twice);
        [t, powers.slope(t)]
    }
}

impl<T: Real> SplitPhi<T> for phi::Softplus {
    #[inline(always)]
    fn reach(self) -> T {
        T::of(16.0)
    }

    /// With s and u as in `half_tanh`: about the mean m, the even part is ½ ln(1 + s(1 − u)²/(u(1 + s)²)), the odd one
    /// L = ½ ln(1 + s(1 − u²)/(u(1 + us))) for m < 0 and |o| − L for m > 0. From x to the mean it is
    /// ln(1 + σ(b)(e^|e| − 1)), with b the lower of the two.
    #[inline(always)]
    fn near(self, z: Split<T>) -> [Split<T>; 2] {
        let (zero, half, one) = (T::of(0.0), T::of(0.5), T::of(1.0));
        let powers = Powers::of(z);
        let (s, (u, u1), (y, y1)) = (powers.mean, powers.odd, powers.even);
        let (m, sum) = (z.mean(), one + powers.mean);
        let about_mean = half * (s * (u1 * u1) / (u * (sum * sum))).ln_1p();
        let rise = half * (s * (-u1 * (one + u)) / (u * (one + u * s))).ln_1p();
        let lower = if z.even < zero { logistic(m, s) } else { logistic(z.centre, powers.centre) };
        let positive = if z.centre > zero { z.centre } else { zero };
        let value = Split {
            centre: positive + powers.centre.ln_1p_unit(),
            odd: signed(z.odd, if m < zero { rise } else { z.odd.abs() - rise }),
            even: signed(z.even, (lower * -y1 / y).ln_1p()) + about_mean,
        };
        [value, powers.logistic(z, powers.half_tanh(z))]
    }
}
