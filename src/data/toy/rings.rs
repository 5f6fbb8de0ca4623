//! Concentric circles blurred by Gaussian noise, in closed form with a Bessel function.

use crate::data::law::{FAR, Law, REACH, index, normal_pair, uniform};
use rand::Rng;
use std::f64::consts::TAU;

/// Equally likely circles around the origin, each point of them blurred by isotropic noise s.
///
/// The density is the mean over the radii R of exp(-(r² + R²) / 2s²) I₀(rR / s²) / (2π s²).
#[derive(Debug, Clone, Copy)]
pub struct Rings {
    name: &'static str,
    radii: &'static [f64],
    noise: f64,
    entropy: f64,
}

impl Rings {
    /// Circles of radius 3, 2.25, 1.5 and 0.75 with noise 0.08.
    pub const fn four() -> Self {
        Self { name: "rings", radii: &[3.0, 2.25, 1.5, 0.75], noise: 0.08, entropy: 2.623183 }
    }

    /// Two circles, of radius 3 and 1.5, with noise 0.24.
    pub const fn circles() -> Self {
        Self { name: "circles", radii: &[3.0, 1.5], noise: 0.24, entropy: 3.268136 }
    }

    /// The unit circle with noise 0.05, as in torchebm.
    pub const fn circle_torchebm() -> Self {
        Self { name: "circle-torchebm", radii: &[1.0], noise: 0.05, entropy: 0.260456 }
    }

    /// The distance from radius `r` to the nearest circle.
    fn nearest_gap(&self, r: f64) -> f64 {
        self.radii.iter().map(|radius| (r - radius).abs()).fold(f64::INFINITY, f64::min)
    }
}

impl Law for Rings {
    fn name(&self) -> &'static str {
        self.name
    }

    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let radius = self.radii[index(rng, self.radii.len())];
        let (sin, cos) = (TAU * uniform(rng)).sin_cos();
        let z = normal_pair(rng);
        out[0] = radius * cos + self.noise * z[0];
        out[1] = radius * sin + self.noise * z[1];
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        let variance = self.noise * self.noise + sigma * sigma;
        let r = x[0].hypot(x[1]);
        let gap = self.nearest_gap(r);
        let least = gap * gap;
        let term = |&radius: &f64| {
            let nats = 0.5 * ((r - radius).powi(2) - least) / variance;
            (-nats).exp() * scaled_bessel_i0(r * radius / variance)
        };
        let sum: f64 = self.radii.iter().map(term).sum();
        sum.ln() - 0.5 * least / variance - (TAU * variance * self.radii.len() as f64).ln()
    }

    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let reach = self.radii[0] + REACH * self.noise.hypot(sigma);
        vec![[-reach, reach]; 2]
    }

    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        self.nearest_gap(x[0].hypot(x[1])) > FAR * self.noise.hypot(sigma)
    }

    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        // the angle is uniform: half of E r²
        let squares = self.radii.iter().map(|r| r * r).sum::<f64>() / self.radii.len() as f64;
        Some([vec![0.0; 2], vec![0.5 * squares + self.noise * self.noise; 2]])
    }

    fn entropy(&self) -> f64 {
        self.entropy
    }
}

/// exp(-z) I₀(z) for z ≥ 0, to 1e-14.
pub(super) fn scaled_bessel_i0(z: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    if z < 20.0 {
        // Power series (DLMF 10.25.2): every term is positive, so nothing cancels.
        for k in 1..80 {
            term *= (0.5 * z / f64::from(k)).powi(2);
            sum += term;
            if term < 1e-17 * sum {
                break;
            }
        }
        return sum * (-z).exp();
    }
    // Asymptotic series (DLMF 10.40.1): its smallest term, near k = 2z, is exp(-2z), below 1e-17 from z = 20 on.
    for k in 1..40 {
        term *= (2.0 * f64::from(k) - 1.0).powi(2) / (8.0 * z * f64::from(k));
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    sum / (TAU * z).sqrt()
}
