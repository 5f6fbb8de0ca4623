//! The logarithm of the mass that a Gaussian puts on an interval, without cancellation in the tails.

use libm::erfc;
use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

/// ln of the density at `t` of U(0, w) + N(0, s²), and of N(0, s²) alone for w = 0.
///
/// Relative accuracy of the density about 1e-14 times max(1, s / w), at any distance.
pub(super) fn log_smoothed_box(t: f64, w: f64, s: f64) -> f64 {
    if w == 0.0 {
        return -0.5 * (t / s).powi(2) - 0.5 * (TAU * s * s).ln();
    }
    let (near, far) = ends(t, w, s);
    log_mass(near, far) - w.ln()
}

/// The derivative of [`log_smoothed_box`] in `t`.
pub(super) fn log_smoothed_box_slope(t: f64, w: f64, s: f64) -> f64 {
    if w == 0.0 {
        return -t / (s * s);
    }
    let (near, far) = ends(t, w, s);
    // d/dt ln(Q(near) - Q(far)) = -(phi(near) - phi(far)) / (Q(near) - Q(far)) / s, everything relative to phi(near).
    let drop = 0.5 * (near - far) * (near + far);
    let log_phi = -0.5 * near * near - 0.5 * TAU.ln();
    let slope = drop.exp_m1() / s * (log_phi - log_mass(near, far)).exp();
    slope * (t - 0.5 * w).signum()
}

/// The nearer and the farther end of [0, w] as seen from `t`, in units of `s`; the nearer is negative inside.
fn ends(t: f64, w: f64, s: f64) -> (f64, f64) {
    let middle = (t - 0.5 * w).abs();
    ((middle - 0.5 * w) / s, (middle + 0.5 * w) / s)
}

/// ln(Q(near) - Q(far)) with the upper tail Q of the standard normal.
fn log_mass(near: f64, far: f64) -> f64 {
    if near < 1.0 {
        return (0.5 * (erfc(near * FRAC_1_SQRT_2) - erfc(far * FRAC_1_SQRT_2))).ln();
    }
    // In the tail both terms underflow long before their ratio to exp(-near²/2) does.
    let drop = (0.5 * (near - far) * (near + far)).exp();
    let scaled = erfcx(near * FRAC_1_SQRT_2) - drop * erfcx(far * FRAC_1_SQRT_2);
    (0.5 * scaled).ln() - 0.5 * near * near
}

/// exp(x²) erfc(x) for x > 0.7.
fn erfcx(x: f64) -> f64 {
    if x < 8.0 {
        return (x * x).exp() * erfc(x);
    }
    // Asymptotic series (DLMF 7.12.1): at x = 8 the first term left out is 9e-14.
    let mut series = 1.0;
    for k in (1..=10).rev() {
        series = 1.0 - series * (2.0 * f64::from(k) - 1.0) / (2.0 * x * x);
    }
    series / (x * PI.sqrt())
}
