//! The two floating-point types of the native engines: f32, which is fast, and f64, which is the reference.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A real number as the engines' generic code needs it.
///
/// The f32 functions are polynomials and quotients of polynomials, written so that loops over them vectorise; those that make
/// random numbers are the same as in `shaders/lib`. The f64
/// functions are those of `libm`.
pub trait Real:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + std::fmt::Debug
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + std::iter::Sum
    + bytemuck::Pod
{
    /// The distance from 1 to the next number.
    const EPSILON: f64;
    /// The nearest number to a constant.
    fn of(value: f64) -> Self;
    /// The number as f64, exact.
    fn f64(self) -> f64;
    /// A whole number below 2²³, exact.
    fn from_u32(value: u32) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// eˣ.
    fn exp(self) -> Self;
    /// eˣ and eˣ − 1, each good to the last digits of itself.
    fn exp_with_m1(self) -> (Self, Self);
    /// ln(1 + x) for x in [0, 1].
    fn ln_1p_unit(self) -> Self;
    /// ln(1 + x) for x from 0 to 1e30.
    fn ln_1p(self) -> Self;
    /// ln x for a positive normal x.
    fn ln_normal(self) -> Self;
    /// (sin πx, cos πx) for x in [−1, 1].
    fn sin_cos_pi(self) -> (Self, Self);
    /// erf x.
    fn erf(self) -> Self;
    /// The logistic function σ(x) = 1 / (1 + e⁻ˣ).
    fn logistic(self) -> Self;
    /// tanh x.
    fn tanh(self) -> Self;
    /// ln(1 + eˣ) and its derivative σ(x).
    fn softplus(self) -> (Self, Self);
    /// The nearest whole number; of two, the even one.
    fn round(self) -> Self;
    /// The largest whole number that is not above x.
    fn floor(self) -> Self;
    /// x · a + b, fused where the machine does that.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Neither NaN nor infinite.
    fn is_finite(self) -> bool;
    /// The numbers themselves where they are f32.
    fn as_f32s(values: &[Self]) -> Option<&[f32]>;
    /// The same, to be changed.
    fn as_f32s_mut(values: &mut [Self]) -> Option<&mut [f32]>;
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;
    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn from_u32(value: u32) -> Self {
        Self::from(value)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    fn exp(self) -> Self {
        libm::exp(self)
    }
    fn exp_with_m1(self) -> (Self, Self) {
        (libm::exp(self), libm::expm1(self))
    }
    fn ln_1p_unit(self) -> Self {
        libm::log1p(self)
    }
    fn ln_1p(self) -> Self {
        libm::log1p(self)
    }
    fn ln_normal(self) -> Self {
        libm::log(self)
    }
    fn sin_cos_pi(self) -> (Self, Self) {
        libm::sincos(std::f64::consts::PI * self)
    }
    fn erf(self) -> Self {
        libm::erf(self)
    }
    fn logistic(self) -> Self {
        let e = libm::exp(-self.abs());
        if self < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
    }
    fn tanh(self) -> Self {
        libm::tanh(self)
    }
    fn softplus(self) -> (Self, Self) {
        // as a choice, so that NaN stays NaN
        let positive = if self < 0.0 { 0.0 } else { self };
        (positive + libm::log1p(libm::exp(-self.abs())), self.logistic())
    }
    #[inline(always)]
    fn round(self) -> Self {
        self.round_ties_even()
    }
    #[inline(always)]
    fn floor(self) -> Self {
        self.floor()
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    #[inline(always)]
    fn as_f32s(_: &[Self]) -> Option<&[f32]> {
        None
    }
    #[inline(always)]
    fn as_f32s_mut(_: &mut [Self]) -> Option<&mut [f32]> {
        None
    }
}

/// Adding and subtracting 1.5 · 2²³ rounds an f32 of moderate size to a whole number.
const ROUND: f32 = 12_582_912.0;

impl Real for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
    #[inline(always)]
    fn of(value: f64) -> Self {
        value as Self
    }
    #[inline(always)]
    fn f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn from_u32(value: u32) -> Self {
        // through i32, which vector units convert directly
        value as i32 as Self
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    /// 2ⁿ eʳ with |r| ≤ ½ ln 2 and the Taylor polynomial of degree 7 (relative error 1e-7); clamped to ±87, so neither
    /// infinite nor denormal. NaN stays NaN.
    #[inline(always)]
    fn exp(self) -> Self {
        let (power, r, p) = exp_parts(self);
        r.mul_add(p, 1.0) * power
    }
    /// 2ⁿ (eʳ − 1) + (2ⁿ − 1), of which the second is 0 where the first is small.
    #[inline(always)]
    fn exp_with_m1(self) -> (Self, Self) {
        let (power, r, p) = exp_parts(self);
        (r.mul_add(p, 1.0) * power, power.mul_add(r * p, power - 1.0))
    }
    /// 2 artanh(x / (2 + x)) by its series to degree 15 (relative error 1e-7).
    #[inline(always)]
    fn ln_1p_unit(self) -> Self {
        two_artanh(self / (2.0 + self))
    }
    /// The same as [`Real::ln_normal`] of 1 + x, but m − 1 is x itself where it can be.
    #[inline(always)]
    fn ln_1p(self) -> Self {
        let bits = (1.0 + self).to_bits().wrapping_sub(0x3F35_04F3);
        let exponent = (bits as i32) >> 23;
        let m = f32::from_bits((bits & 0x007F_FFFF).wrapping_add(0x3F35_04F3));
        let above = if exponent == 0 { self } else { m - 1.0 };
        (exponent as f32).mul_add(std::f32::consts::LN_2, two_artanh(above / (2.0 + above)))
    }
    /// e ln 2 + 2 artanh((m − 1) / (m + 1)) with m in [√½, √2).
    #[inline(always)]
    fn ln_normal(self) -> Self {
        let bits = self.to_bits().wrapping_sub(0x3F35_04F3);
        let exponent = (bits as i32) >> 23;
        let m = f32::from_bits((bits & 0x007F_FFFF).wrapping_add(0x3F35_04F3));
        (exponent as f32).mul_add(std::f32::consts::LN_2, two_artanh((m - 1.0) / (m + 1.0)))
    }
    /// Taylor polynomials on a quarter of the circle (absolute error 1e-7), turned by quadrants.
    #[inline(always)]
    fn sin_cos_pi(self) -> (Self, Self) {
        let shifted = self.mul_add(2.0, ROUND);
        let quadrant = shifted - ROUND;
        let t = quadrant.mul_add(-0.5, self) * std::f32::consts::PI;
        let s = t * t;
        let p = s.mul_add(1.0 / 362_880.0, -1.0 / 5040.0);
        let p = s.mul_add(p, 1.0 / 120.0);
        let p = s.mul_add(p, -1.0 / 6.0);
        let sin = (t * s).mul_add(p, t);
        let p = s.mul_add(-1.0 / 3_628_800.0, 1.0 / 40_320.0);
        let p = s.mul_add(p, -1.0 / 720.0);
        let p = s.mul_add(p, 1.0 / 24.0);
        let p = s.mul_add(p, -0.5);
        let cos = s.mul_add(p, 1.0);
        let q = shifted.to_bits();
        let (a, b) = if q & 1 == 0 { (sin, cos) } else { (cos, sin) };
        (if q & 2 == 0 { a } else { -a }, if q.wrapping_add(1) & 2 == 0 { b } else { -b })
    }
    /// Abramowitz and Stegun 7.1.28 has too few digits; this is 1 − t·exp(−x² + P(t)), t = 1/(1 + x/2), with the Chebyshev
    /// fit of Numerical Recipes (fractional error of erfc below 1.2e-7).
    #[inline(always)]
    fn erf(self) -> Self {
        const P: [f32; 10] = [
            0.170_872_77,
            -0.822_152_25,
            1.488_515_9,
            -1.135_204,
            0.278_868_07,
            -0.186_288_06,
            0.096_784_18,
            0.374_091_96,
            1.000_023_7,
            -1.265_512_2,
        ];
        let x = self.abs();
        let t = 1.0 / 0.5f32.mul_add(x, 1.0);
        let mut p = P[0];
        for c in &P[1..] {
            p = p.mul_add(t, *c);
        }
        let tail = t * Real::exp((-x).mul_add(x, p));
        if self < 0.0 { tail - 1.0 } else { 1.0 - tail }
    }
    #[inline(always)]
    fn logistic(self) -> Self {
        0.5 + half_tanh_of_half(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        2.0 * half_tanh_of_half(2.0 * self)
    }
    /// max(x, 0) − ln σ(|x|), the logarithm as a polynomial in σ(|x|) − ½ that interpolates it at Chebyshev's points of
    /// [0, ½] (absolute error 1e-7) and is 0 at ½.
    #[inline(always)]
    fn softplus(self) -> (Self, Self) {
        const P: [f32; 10] = [
            -1.875_068_1,
            5.792_77,
            -8.414_147,
            7.966_204_6,
            -5.894_843_6,
            3.939_035,
            -2.662_282_7,
            1.999_835_7,
            -1.999_997_6,
            std::f32::consts::LN_2,
        ];
        let half_tanh = half_tanh_of_half(self);
        let t = Real::abs(half_tanh);
        let mut p = P[0];
        for c in &P[1..] {
            p = p.mul_add(t, *c);
        }
        let positive = if self < 0.0 { 0.0 } else { self };
        (positive + p, 0.5 + half_tanh)
    }
    /// Exact below 2²²; beyond, where all but halves are whole already, x itself.
    #[inline(always)]
    fn round(self) -> Self {
        let whole = (self + ROUND) - ROUND;
        if Real::abs(self) < 4_194_304.0 { whole } else { self }
    }
    /// Exact below 2²²; beyond, x itself.
    #[inline(always)]
    fn floor(self) -> Self {
        let nearest = Real::round(self);
        if nearest > self { nearest - 1.0 } else { nearest }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self.mul_add(a, b)
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    #[inline(always)]
    fn as_f32s(values: &[Self]) -> Option<&[f32]> {
        Some(values)
    }
    #[inline(always)]
    fn as_f32s_mut(values: &mut [Self]) -> Option<&mut [f32]> {
        Some(values)
    }
}

/// 2ⁿ, r and (eʳ − 1) / r with x = n ln 2 + r, clamped to ±87.
#[inline(always)]
fn exp_parts(x: f32) -> (f32, f32, f32) {
    let x = if x > 87.0 { 87.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    // ln 2 in two parts, the first exact in 9 bits (Cephes)
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_4, x));
    let p = r.mul_add(1.0 / 5040.0, 1.0 / 720.0);
    let p = r.mul_add(p, 1.0 / 120.0);
    let p = r.mul_add(p, 1.0 / 24.0);
    let p = r.mul_add(p, 1.0 / 6.0);
    let p = r.mul_add(p, 0.5);
    let p = r.mul_add(p, 1.0);
    // the low bits of `shifted` are n: no conversion, which would cost a saturation check
    (f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3F80_0000)), r, p)
}

/// ½ tanh(x/2) = σ(x) − ½ as x P(x²) / Q(x²), fitted to the least absolute error on [−18, 18] (1e-8, and 2e-7 with its
/// rounding) and exactly ±½ beyond. One division and no exponential: half the time of 1 / (1 + e⁻ˣ).
#[inline(always)]
fn half_tanh_of_half(x: f32) -> f32 {
    let x = if x > 18.0 { 18.0 } else { x };
    let x = if x < -18.0 { -18.0 } else { x };
    let s = x * x;
    let p = s.mul_add(1.288_364_5e-11, 7.999_258e-8);
    let p = s.mul_add(p, 5.448_383_3e-5);
    let p = s.mul_add(p, 8.358_45e-3);
    let p = s.mul_add(p, 0.249_999_97);
    let q = s.mul_add(3.010_237e-9, 5.112_516_6e-6);
    let q = s.mul_add(q, 1.615_215_1e-3);
    let q = s.mul_add(q, 0.116_767_05);
    let q = s.mul_add(q, 1.0);
    x * p / q
}

/// 2 artanh s = ln((1 + s) / (1 − s)) for |s| ≤ 1/3.
#[inline(always)]
fn two_artanh(s: f32) -> f32 {
    let q = s * s;
    let p = q.mul_add(2.0 / 15.0, 2.0 / 13.0);
    let p = q.mul_add(p, 2.0 / 11.0);
    let p = q.mul_add(p, 2.0 / 9.0);
    let p = q.mul_add(p, 2.0 / 7.0);
    let p = q.mul_add(p, 2.0 / 5.0);
    let p = q.mul_add(p, 2.0 / 3.0);
    let p = q.mul_add(p, 2.0);
    s * p
}

#[cfg(test)]
mod tests;
