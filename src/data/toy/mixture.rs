//! Mixtures of Gaussians with one isotropic standard deviation, in closed form.

use crate::data::law::{FAR, Law, Modes, REACH, normal_pair, uniform};
use crate::points::Points;
use crate::random::{Seed, Stream};
use rand::Rng;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// Σ w_k N(m_k, s² I), in the plane or on the line.
#[derive(Debug, Clone)]
pub struct Mixture {
    name: &'static str,
    means: Points,
    /// w_k, positive, with sum 1.
    weights: Vec<f64>,
    std: f64,
    entropy: f64,
}

impl Mixture {
    /// Eight Gaussians on a circle: (4 c_k + z / 2) / √2, so radius 2.8284 and standard deviation 0.35355.
    pub fn eight_gaussians() -> Self {
        Self::circle("8gaussians", 4.0 * FRAC_1_SQRT_2, 0.5 * FRAC_1_SQRT_2, 2.831578)
    }

    /// Eight Gaussians on the unit circle with standard deviation 0.15, so near that neighbours overlap.
    pub fn gmm8() -> Self {
        Self::circle("gmm8", 1.0, 0.15, 1.093234)
    }

    /// Eight Gaussians on a circle of radius 2 with standard deviation 0.02, as in torchebm.
    pub fn eight_gaussians_torchebm() -> Self {
        Self::circle("8gaussians-torchebm", 2.0, 0.02, -2.906727)
    }

    /// Eight Gaussians on the unit circle with standard deviation 0.05, as in torchebm: 15 of them lie between neighbours.
    pub fn gmm8_torchebm() -> Self {
        Self::circle("gmm8-torchebm", 1.0, 0.05, -1.074146)
    }

    /// A 5 x 5 lattice: (4 (i/2, j/2) + 0.2 z) / 1.414 with i, j in -2..2, so spacing 1.41443 and standard deviation
    /// 0.141443.
    pub fn twenty_five_gaussians() -> Self {
        let at = |i: usize| 2.0 * (i as f64 - 2.0) / 1.414;
        let means = (0..25).flat_map(|k| [at(k / 5), at(k % 5)]).collect();
        Self::equal("25gaussians", Points::new(2, means), 0.2 / 1.414, 2.145029)
    }

    /// Three clusters at (-2, 0), (2, 0) and (0, 2) with standard deviation 0.3.
    pub fn three_clusters() -> Self {
        Self::equal("3clusters", Points::new(2, vec![-2.0, 0.0, 2.0, 0.0, 0.0, 2.0]), 0.3, 1.528539)
    }

    /// Two unit Gaussians at (0, 0) and (10, 10).
    pub fn gmm2() -> Self {
        Self::equal("gmm2", Points::new(2, vec![0.0, 0.0, 10.0, 10.0]), 1.0, 3.531024)
    }

    /// 0.2 of the mass of a unit Gaussian at (0, 0) and 0.8 at (10, 10).
    pub fn gmm2_unequal() -> Self {
        Self { name: "gmm2-unequal", weights: vec![0.2, 0.8], entropy: 3.338279, ..Self::gmm2() }
    }

    /// 250 Gaussians of covariance 0.01 I on the flower of five petals r = 1 + sin 5a, at a = 2πk / 250.
    ///
    /// Their weights are uniform numbers, divided by their sum: the first 250 that the seed 0 gives to the host.
    pub fn star() -> Self {
        let mut rng = Seed(0).sequence(Stream::Host, 0);
        let shares: Vec<f64> = (0..250).map(|_| uniform(&mut rng)).collect();
        let sum: f64 = shares.iter().sum();
        let at = |k: i32| {
            let angle = TAU * f64::from(k) / 250.0;
            let radius = 1.0 + (5.0 * angle).sin();
            [radius * angle.cos(), radius * angle.sin()]
        };
        let weights = shares.into_iter().map(|share| share / sum).collect();
        Self {
            name: "star",
            means: Points::new(2, (0..250).flat_map(at).collect()),
            weights,
            std: 0.1,
            entropy: 1.650135,
        }
    }

    /// N(0, I) in the plane.
    pub fn gaussian() -> Self {
        Self::equal("gaussian", Points::new(2, vec![0.0; 2]), 1.0, 1.0 + TAU.ln())
    }

    /// Two unit Gaussians, 0.8 of the mass at (5, 5) and 0.2 at (-5, -5): the toy of Song and Ermon 2019
    /// (arXiv 1907.05600), on which Langevin chains miss the weights.
    pub fn gmm_ncsn() -> Self {
        let means = Points::new(2, vec![5.0, 5.0, -5.0, -5.0]);
        Self { name: "gmm-ncsn", means, weights: vec![0.8, 0.2], std: 1.0, entropy: 3.338279 }
    }

    /// N(0, 1) on the line.
    pub fn gauss1d() -> Self {
        Self::equal("gauss1d", Points::new(1, vec![0.0]), 1.0, 0.5 * (1.0 + TAU.ln()))
    }

    /// 0.2 N(-5, 1) + 0.8 N(5, 1) on the line: the weights that score matching cannot see and energy discrepancy can
    /// (Schröder et al. 2023, arXiv 2307.06431, figure 1).
    pub fn mix1d() -> Self {
        let means = Points::new(1, vec![-5.0, 5.0]);
        Self { name: "mix1d", means, weights: vec![0.2, 0.8], std: 1.0, entropy: 1.919340 }
    }

    /// Eight components at multiples of 45 degrees.
    fn circle(name: &'static str, radius: f64, std: f64, entropy: f64) -> Self {
        let angles = (0..8).map(|k| TAU * f64::from(k) / 8.0);
        Self::equal(
            name,
            Points::new(2, angles.flat_map(|a| [radius * a.cos(), radius * a.sin()]).collect()),
            std,
            entropy,
        )
    }

    fn equal(name: &'static str, means: Points, std: f64, entropy: f64) -> Self {
        let weights = vec![1.0 / means.count() as f64; means.count()];
        Self { name, means, weights, std, entropy }
    }

    fn components(&self) -> impl Iterator<Item = (&[f64], f64)> {
        self.means.rows().zip(self.weights.iter().copied())
    }

    /// The component that a uniform number falls to.
    fn pick(&self, rng: &mut dyn Rng) -> &[f64] {
        let mut left = uniform(rng);
        for (mean, weight) in self.components() {
            left -= weight;
            if left < 0.0 {
                return mean;
            }
        }
        // rounding of the weights' sum
        self.means.row(self.means.count() - 1)
    }

    fn squared_distance(mean: &[f64], x: &[f64]) -> f64 {
        mean.iter().zip(x).map(|(m, v)| (v - m).powi(2)).sum()
    }

    fn nearest_squared(&self, x: &[f64]) -> f64 {
        self.means.rows().map(|m| Self::squared_distance(m, x)).fold(f64::INFINITY, f64::min)
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
        self.means.dim()
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        out.copy_from_slice(self.pick(rng));
        for pair in out.chunks_mut(2) {
            pair.iter_mut().zip(normal_pair(rng)).for_each(|(value, z)| *value += self.std * z);
        }
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        let variance = self.variance(sigma);
        let least = self.nearest_squared(x);
        let relative = |(m, w): (_, f64)| w * (-0.5 * (Self::squared_distance(m, x) - least) / variance).exp();
        let sum: f64 = self.components().map(relative).sum();
        sum.ln() - 0.5 * least / variance - 0.5 * self.dim() as f64 * (TAU * variance).ln()
    }

    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        let variance = self.variance(sigma);
        let least = self.nearest_squared(x);
        let mut sum = 0.0;
        out.fill(0.0);
        for (mean, weight) in self.components() {
            let share = weight * (-0.5 * (Self::squared_distance(mean, x) - least) / variance).exp();
            sum += share;
            out.iter_mut().zip(mean.iter().zip(x)).for_each(|(pull, (m, v))| *pull += share * (m - v));
        }
        out.iter_mut().for_each(|pull| *pull /= sum * variance);
    }

    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let reach = REACH * self.variance(sigma).sqrt();
        (0..self.dim())
            .map(|axis| {
                let low = self.means.rows().map(|m| m[axis]).fold(f64::INFINITY, f64::min);
                let high = self.means.rows().map(|m| m[axis]).fold(f64::NEG_INFINITY, f64::max);
                [low - reach, high + reach]
            })
            .collect()
    }

    fn modes(&self) -> Option<Modes> {
        Some(Modes { centers: self.means.clone(), weights: self.weights.clone() })
    }

    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        self.nearest_squared(x) > FAR * FAR * self.variance(sigma)
    }

    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        let mean = |axis: usize, power: i32| self.components().map(|(m, w)| w * m[axis].powi(power)).sum::<f64>();
        let variance = |axis| mean(axis, 2) - mean(axis, 1).powi(2) + self.variance(0.0);
        let axes = || 0..self.dim();
        Some([axes().map(|axis| mean(axis, 1)).collect(), axes().map(variance).collect()])
    }

    fn entropy(&self) -> f64 {
        self.entropy
    }
}
