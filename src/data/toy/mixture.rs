//! Mixtures of Gaussians with equal weights and one isotropic standard deviation, in closed form.

use crate::data::law::{FAR, Law, Modes, REACH, index, normal_pair};
use crate::points::Points;
use rand::Rng;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// (1/K) Σ N(m_k, s² I) in the plane.
#[derive(Debug, Clone)]
pub struct Mixture {
    name: &'static str,
    means: Vec<[f64; 2]>,
    std: f64,
    entropy: f64,
}

impl Mixture {
    /// Eight Gaussians on a circle: (4 c_k + z / 2) / √2, so radius 2.8284 and standard deviation 0.35355.
    pub fn eight_gaussians() -> Self {
        let radius = 4.0 * FRAC_1_SQRT_2;
        let means = (0..8).map(|k| TAU * f64::from(k) / 8.0).map(|a| [radius * a.cos(), radius * a.sin()]).collect();
        Self { name: "8gaussians", means, std: 0.5 * FRAC_1_SQRT_2, entropy: 2.831578 }
    }

    /// A 5 x 5 lattice: (4 (i/2, j/2) + 0.2 z) / 1.414 with i, j in -2..2, so spacing 1.41443 and standard deviation
    /// 0.141443.
    pub fn twenty_five_gaussians() -> Self {
        let at = |i: usize| 2.0 * (i as f64 - 2.0) / 1.414;
        let means = (0..25).map(|k| [at(k / 5), at(k % 5)]).collect();
        Self { name: "25gaussians", means, std: 0.2 / 1.414, entropy: 2.145029 }
    }

    /// Three clusters at (-2, 0), (2, 0) and (0, 2) with standard deviation 0.3.
    pub fn three_clusters() -> Self {
        Self { name: "3clusters", means: vec![[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0]], std: 0.3, entropy: 1.528539 }
    }

    /// Two unit Gaussians at (0, 0) and (10, 10).
    pub fn gmm2() -> Self {
        Self { name: "gmm2", means: vec![[0.0, 0.0], [10.0, 10.0]], std: 1.0, entropy: 3.531024 }
    }

    fn squared_distance(mean: &[f64; 2], x: &[f64]) -> f64 {
        (x[0] - mean[0]).powi(2) + (x[1] - mean[1]).powi(2)
    }

    fn nearest_squared(&self, x: &[f64]) -> f64 {
        self.means.iter().map(|m| Self::squared_distance(m, x)).fold(f64::INFINITY, f64::min)
    }

    fn variance(&self, sigma: f64) -> f64 {
        self.std * self.std + sigma * sigma
    }
}

impl Law for Mixture {
    fn name(&self) -> &'static str {
        self.name
    }

    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let mean = self.means[index(rng, self.means.len())];
        let z = normal_pair(rng);
        out[0] = mean[0] + self.std * z[0];
        out[1] = mean[1] + self.std * z[1];
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        let variance = self.variance(sigma);
        let least = self.nearest_squared(x);
        let relative = |m| (-0.5 * (Self::squared_distance(m, x) - least) / variance).exp();
        let sum: f64 = self.means.iter().map(relative).sum();
        sum.ln() - 0.5 * least / variance - (TAU * variance * self.means.len() as f64).ln()
    }

    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        let variance = self.variance(sigma);
        let least = self.nearest_squared(x);
        let (mut sum, mut pull) = (0.0, [0.0; 2]);
        for mean in &self.means {
            let share = (-0.5 * (Self::squared_distance(mean, x) - least) / variance).exp();
            sum += share;
            pull[0] += share * (mean[0] - x[0]);
            pull[1] += share * (mean[1] - x[1]);
        }
        out[0] = pull[0] / (sum * variance);
        out[1] = pull[1] / (sum * variance);
    }

    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let reach = REACH * self.variance(sigma).sqrt();
        (0..2)
            .map(|axis| {
                let low = self.means.iter().map(|m| m[axis]).fold(f64::INFINITY, f64::min);
                let high = self.means.iter().map(|m| m[axis]).fold(f64::NEG_INFINITY, f64::max);
                [low - reach, high + reach]
            })
            .collect()
    }

    fn modes(&self) -> Option<Modes> {
        let centers = Points::new(2, self.means.concat());
        Some(Modes { centers, weights: vec![1.0 / self.means.len() as f64; self.means.len()] })
    }

    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        self.nearest_squared(x) > FAR * FAR * self.variance(sigma)
    }

    fn entropy(&self) -> f64 {
        self.entropy
    }
}
