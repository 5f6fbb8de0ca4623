//! The pinwheel: five Gaussians, each sheared into a bent arm, with its density by roots and its smoothed one by quadrature.

use crate::data::law::{FAR, Law, REACH, index, normal_pair};
use arm::{Place, View};
use rand::Rng;
use std::f64::consts::TAU;

mod arm;

/// f = (1 + 0.3 z₁, 0.1 z₂), turned by -a with a = 2πk / 5 + exp(f₁) / 4 and k one of 0..5, times 2.
///
/// Turning a point x by a gives (w₁, w₂) = 2f for the right f₁. So at sigma = 0 the density is a sum over the roots f₁ of
/// w₁(f₁) - 2 f₁, each with the Jacobian |1 + a' f₂| (it has folds, where it is infinite; beyond them is some 1e-8 of the mass),
/// and with noise it is the integral over f₁ of Gaussians in w₁ - 2 f₁ and w₂, by Gauss-Legendre quadrature on panels
/// that are halved until they are short against the noise; the logarithm is within 1e-7. Values of f₁ farther than 8
/// standard deviations from 1 are left out.
#[derive(Debug, Clone, Copy)]
pub struct Pinwheel;

const ARMS: usize = 5;
const RADIAL: f64 = 0.3;
const TANGENTIAL: f64 = 0.1;
const RATE: f64 = 0.25;
const SCALE: f64 = 2.0;

/// Where f₁ is looked for.
const RANGE: [f64; 2] = [1.0 - 8.0 * RADIAL, 1.0 + 8.0 * RADIAL];

/// Panels this many nats below the largest term are left out.
const NEGLIGIBLE: f64 = 30.0;

/// Panels are halved until they are this long at most, in units of what the integrand varies over.
const PANEL: f64 = 1.4;

/// The least exponent of all arms, at most by a quarter too high; a coarse pass first leaves the fine one little to do.
fn least_nats(x: &[f64], sigma: f64) -> f64 {
    let mut best = f64::INFINITY;
    for longest in [8.0 * PANEL, PANEL] {
        View::of(x, sigma).for_each(|view| view.lower(&mut best, longest));
    }
    best
}

impl Pinwheel {
    /// ln p and its gradient, by panels of `longest` in the units of [`PANEL`].
    pub(super) fn evaluate(x: &[f64], sigma: f64, longest: f64) -> (f64, [f64; 2]) {
        let mut shares = Vec::new();
        if sigma == 0.0 {
            View::of(x, sigma).for_each(|view| shares.extend(view.roots().iter().map(View::share)));
        } else {
            let limit = least_nats(x, sigma) + NEGLIGIBLE;
            View::of(x, sigma).for_each(|view| view.nodes(limit, longest, &mut shares));
        }
        let top = shares.iter().map(|s| s.log).fold(f64::NEG_INFINITY, f64::max);
        let (mut total, mut pull) = (0.0, [0.0; 2]);
        for share in &shares {
            let weight = (share.log - top).exp();
            total += weight;
            (0..2).for_each(|axis| pull[axis] += weight * share.pull[axis]);
        }
        (top + total.ln(), pull.map(|p| p / total))
    }
}

impl Law for Pinwheel {
    fn name(&self) -> &'static str {
        "pinwheel"
    }

    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let arm = index(rng, ARMS);
        let z = normal_pair(rng);
        let (f1, f2) = (1.0 + RADIAL * z[0], TANGENTIAL * z[1]);
        let (sin, cos) = (TAU * arm as f64 / ARMS as f64 + RATE * f1.exp()).sin_cos();
        out[0] = SCALE * (f1 * cos + f2 * sin);
        out[1] = SCALE * (f2 * cos - f1 * sin);
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        Self::evaluate(x, sigma, PANEL).0
    }

    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        out.copy_from_slice(&Self::evaluate(x, sigma, PANEL).1);
    }

    /// The distance from the origin is about 2 f₁.
    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let reach = SCALE + REACH * (SCALE * RADIAL).hypot(sigma);
        vec![[-reach, reach]; 2]
    }

    /// Mahalanobis, by the likeliest f₁ of any arm.
    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        let nats = |p: &Place| 0.5 * (((p.f - 1.0) / RADIAL).powi(2) + (p.w2 / (SCALE * TANGENTIAL)).powi(2));
        let roots = || View::of(x, sigma).flat_map(|view| view.roots());
        let best =
            if sigma == 0.0 { roots().map(|p| nats(&p)).fold(f64::INFINITY, f64::min) } else { least_nats(x, sigma) };
        best > 0.5 * FAR * FAR
    }

    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        // turned by a fifth it is the same: half of E (2f)², f = (1 + 0.3 z, 0.1 z')
        Some([vec![0.0; 2], vec![0.5 * 4.0 * (1.0 + 0.09 + 0.01); 2]])
    }

    fn entropy(&self) -> f64 {
        2.317788
    }
}
