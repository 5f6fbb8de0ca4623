//! GELU of a split number, by the series of the normal density. Twin: `shaders/lib/split_gelu.wgsl`.

use super::{Split, SplitPhi};
use crate::model::phi;
use crate::real::Real;

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

    /// Only the odd part: a long way from x to the mean is a difference of values.
    #[inline(always)]
    fn is_far(self, z: Split<T>) -> bool {
        z.odd.abs() > self.reach()
    }

    /// For steps within reach, the terms left out are some 1e-7 of the density at 0 in f32, 1e-15 in f64.
    #[inline(always)]
    fn near(self, z: Split<T>) -> [Split<T>; 2] {
        let (shift, about_mean) = (NormalParts::of::<10>(z.centre, z.even), NormalParts::of::<16>(z.mean(), z.odd));
        let [(p, integral), (p_mean, integral_mean)] = [z.centre, z.mean()].map(|z| (density(z), distribution(z)));
        let short = z.even.abs() < T::of(0.25) * self.reach();
        let [to_mean, integral_to_mean] = if short {
            [p * (shift.odd + shift.even), p * (shift.integral_odd + shift.integral_even)]
        } else {
            [p_mean - p, integral_mean - integral]
        };
        let density = Split { centre: p, odd: p_mean * about_mean.odd, even: to_mean + p_mean * about_mean.even };
        let distribution = Split {
            centre: integral,
            odd: p_mean * about_mean.integral_odd,
            even: integral_to_mean + p_mean * about_mean.integral_even,
        };
        [z.times(distribution), distribution.plus(z.times(density))]
    }
}

/// The normal distribution function.
#[inline(always)]
fn distribution<T: Real>(z: T) -> T {
    T::of(0.5) * (T::of(1.0) + (z * T::of(std::f64::consts::FRAC_1_SQRT_2)).erf())
}

/// The normal density.
#[inline(always)]
fn density<T: Real>(z: T) -> T {
    // far out its square must not become infinite
    let square = if z * z < T::of(1e4) { z * z } else { T::of(1e4) };
    T::of(0.398_942_280_401_432_7) * (T::of(-0.5) * square).exp()
}
