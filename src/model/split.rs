//! Activations at three points at once, x and x ± v, by the parts in which their values differ.
//!
//! Of a quantity f, [`Split`] has f at x, the odd part (f₊ − f₋)/2 and the even part (f₊ + f₋)/2 − f. For short v the parts
//! are of order |v| and |v|², far below what rounding leaves of f₊ and f₋: here they come from closed forms in which nothing
//! cancels, each good to the last digits of itself. Twins: `shaders/lib/split*.wgsl`.

use super::activation::{Phi, phi};
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

/// What the normal density p and its integral P at m + h and m − h have apart from p and P at m, all over p(m).
struct NormalParts<T> {
    odd: T,
    even: T,
    integral_odd: T,
    integral_even: T,
}

impl<T: Real> NormalParts<T> {
    /// From p(m + h) = p(m) Σ (−h)ⁿ tₙ with tₙ = Heₙ(m)/n!, TERMS of them. The sums are nested, since powers of a short step
    /// would be denormal.
    #[inline(always)]
    fn of<const TERMS: usize>(m: T, h: T) -> Self {
        // beyond, p is 0, and the sums must not become infinite
        let m = if m > T::of(40.0) { T::of(40.0) } else { m };
        let m = if m < T::of(-40.0) { T::of(-40.0) } else { m };
        let mut t = [T::of(1.0); TERMS];
        t[1] = m;
        for n in 2..TERMS {
            t[n] = m.mul_add(t[n - 1], -t[n - 2]) * T::of(1.0 / n as f64);
        }
        let square = h * h;
        let [mut odd, mut even, mut integral_odd, mut integral_even] = [T::of(0.0); 4];
        for n in (0..TERMS).rev() {
            let integral = t[n] * T::of(1.0 / (n + 1) as f64);
            if n % 2 == 1 {
                odd = odd.mul_add(square, t[n]);
                integral_even = integral_even.mul_add(square, integral);
            } else {
                integral_odd = integral_odd.mul_add(square, integral);
                if n > 0 {
                    even = even.mul_add(square, t[n]);
                }
            }
        }
        Self {
            odd: -h * odd,
            even: square * even,
            integral_odd: h * integral_odd,
            integral_even: -square * integral_even,
        }
    }
}

impl<T: Real> SplitPhi<T> for phi::Gelu {
    #[inline(always)]
    fn reach(self) -> T {
        T::of(if T::EPSILON < 1e-10 { 0.25 } else { 1.0 })
    }

    #[inline(always)]
    fn is_far(self, z: Split<T>) -> bool {
        (z.odd.abs() > self.reach()) | (z.even.abs() > T::of(0.25) * self.reach())
    }

    /// For steps within reach, the terms left out are some 1e-7 of the density at 0 in f32, 1e-15 in f64.

    #[inline(always)]
    fn near(self, z: Split<T>) -> [Split<T>; 2] {
        let (shift, about_mean) = (NormalParts::of::<10>(z.centre, z.even), NormalParts::of::<16>(z.mean(), z.odd));
        let (p, p_mean) = (density(z.centre), density(z.mean()));
        let density = Split {
            centre: p,
            odd: p_mean * about_mean.odd,
            even: p * (shift.odd + shift.even) + p_mean * about_mean.even,
        };
        let distribution = Split {
            centre: T::of(0.5) * (T::of(1.0) + (z.centre * T::of(std::f64::consts::FRAC_1_SQRT_2)).erf()),
            odd: p_mean * about_mean.integral_odd,
            even: p * (shift.integral_odd + shift.integral_even) + p_mean * about_mean.integral_even,
        };
        [z.times(distribution), distribution.plus(z.times(density))]
    }
}

/// The normal density.
#[inline(always)]
fn density<T: Real>(z: T) -> T {
    // far out its square must not become infinite
    let square = if z * z < T::of(1e4) { z * z } else { T::of(1e4) };
    T::of(0.398_942_280_401_432_7) * (T::of(-0.5) * square).exp()
}

impl<T: Real> SplitPhi<T> for phi::LeakyRelu {
    #[inline(always)]
    fn reach(self) -> T {
        T::of(f64::INFINITY)
    }

    /// φ(z) = (1 + a)/2 z + (1 − a)/2 |z|, and of |z| the odd part is min(|m|, |o|) with both signs, the even one
    /// max(|m|, |o|) − |c|.
    #[inline(always)]
    fn near(self, z: Split<T>) -> [Split<T>; 2] {
        let (zero, one, m) = (T::of(0.0), T::of(1.0), z.mean());
        let (below, outer) = (T::of(self.0), m.abs() < z.odd.abs());
        let turned = (m < zero) != (z.centre < zero);
        let size = Split {
            centre: z.centre.abs(),
            odd: if outer { signed(z.odd, m) } else { signed(m, z.odd) },
            even: if outer | turned {
                (if outer { z.odd.abs() } else { m.abs() }) - z.centre.abs()
            } else {
                signed(z.centre, z.even)
            },
        };
        let slope = |z: T| if z > zero { one } else { below };
        let half = T::of(0.5);
        let value = z.scaled(half * (one + below)).plus(size.scaled(half * (one - below)));
        [value, Split::of(slope(z.centre), slope(m + z.odd), slope(m - z.odd))]
    }
}
