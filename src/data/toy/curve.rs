//! Laws along a curve, blurred by Gaussian noise: lines, moons, spirals and rolls, by quadrature over the curve.

use super::interval::{log_smoothed_box, log_smoothed_box_slope};
use crate::data::law::{FAR, Law, REACH, normal_pair};
use nodes::{Node, Nodes};
use rand::Rng;
use std::f64::consts::{SQRT_2, TAU};

mod named;
mod nodes;
mod torchebm;

/// Nodes are placed for the law's own noise and, by steps of √2, for larger levels up to four times it and up to 0.4: a
/// thin curve smoothed by much would else be summed over thousands of nodes where a hundred do.
const LEVELS: [f64; 2] = [4.0, 0.4];

/// Nodes farther than this many nats below the nearest one are left out: together less than 1e-14 of the sum.
const NEGLIGIBLE: f64 = 40.0;

/// A curve, each point of it replaced by a uniform square (of side 0 but for `2spirals`) plus isotropic noise.
///
/// The density is that of the quadrature's nodes, which are placed once for each of a few levels of noise: the
/// logarithm is within 5e-6 out to 7 standard deviations from the curve; much farther out it is smooth and finite, off
/// by about a nat in thousands.
#[derive(Debug, Clone)]
pub struct Curve {
    name: &'static str,
    /// One set of nodes for each level, from the least noise on.
    levels: Vec<Nodes>,
    /// The side of the square that a point of the curve is the low corner of.
    side: f64,
    noise: f64,
    entropy: f64,
    place: Place,
}

/// Draws a point of the curve, or of its square.
type Place = fn(&mut dyn Rng) -> [f64; 2];

impl Curve {
    /// The law with the nodes that `nodes` places for noise of a standard deviation; its entropy in nats.
    fn new(name: &'static str, noise: f64, entropy: f64, place: Place, nodes: impl Fn(f64) -> Vec<Node>) -> Self {
        Self::of_squares(name, [0.0, noise], entropy, place, nodes)
    }

    /// The same with squares of a side, told before the noise.
    fn of_squares(
        name: &'static str,
        [side, noise]: [f64; 2],
        entropy: f64,
        place: Place,
        nodes: impl Fn(f64) -> Vec<Node>,
    ) -> Self {
        let last = (LEVELS[0] * noise).max(LEVELS[1]) * (1.0 + f64::EPSILON);
        let stds = (0..).map(|k| noise * SQRT_2.powi(k)).take_while(|std| *std <= last);
        let levels = stds.map(|std| Nodes::new(nodes(std), std, side)).collect();
        Self { name, levels, side, noise, entropy, place }
    }

    fn std(&self, sigma: f64) -> f64 {
        self.noise.hypot(sigma)
    }

    /// The nodes of the coarsest level that is still fine enough for noise of standard deviation `s`.
    fn nodes(&self, s: f64) -> &Nodes {
        let coarser = self.levels.iter().skip(1).take_while(|nodes| nodes.std <= s).count();
        &self.levels[coarser]
    }

    /// Calls `each` with every node that matters at `x` and its share of the density times exp(shift); returns the
    /// shift, which keeps the shares in range.
    fn sum(&self, x: &[f64], s: f64, mut each: impl FnMut(&Node, f64)) -> f64 {
        let nodes = self.nodes(s);
        let least = nodes.nearest_squared(x);
        let (variance, shift) = (s * s, 0.5 * least / (s * s));
        let log_norm = (TAU * variance).ln();
        nodes.visit(x, least + 2.0 * variance * NEGLIGIBLE, |node, squared| {
            let kernel = |axis: usize| log_smoothed_box(x[axis] - node.corner[axis], self.side, s);
            let log = if self.side == 0.0 { -0.5 * squared / variance - log_norm } else { kernel(0) + kernel(1) };
            each(node, (node.log_weight + log + shift).exp());
        });
        shift
    }
}

impl Law for Curve {
    fn name(&self) -> &'static str {
        self.name
    }

    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let place = (self.place)(rng);
        let z = normal_pair(rng);
        out[0] = place[0] + self.noise * z[0];
        out[1] = place[1] + self.noise * z[1];
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        let mut total = 0.0;
        let shift = self.sum(x, self.std(sigma), |_, share| total += share);
        total.ln() - shift
    }

    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        let s = self.std(sigma);
        let (mut total, mut pull) = (0.0, [0.0; 2]);
        self.sum(x, s, |node, share| {
            total += share;
            for axis in 0..2 {
                pull[axis] += share * log_smoothed_box_slope(x[axis] - node.corner[axis], self.side, s);
            }
        });
        out[0] = pull[0] / total;
        out[1] = pull[1] / total;
    }

    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let reach = REACH * self.std(sigma);
        self.levels[0].extent().map(|[low, high]| [low - reach, high + reach]).to_vec()
    }

    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        let s = self.std(sigma);
        self.nodes(s).nearest_squared(x) > (FAR * s).powi(2)
    }

    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        // by the nodes, and the variances of the square and of the noise
        let middle = |node: &Node, axis: usize| node.corner[axis] + 0.5 * self.side;
        let mean = |axis, power| self.levels[0].mean(|node| middle(node, axis).powi(power));
        let around = self.side * self.side / 12.0 + self.noise * self.noise;
        let variance = |axis| mean(axis, 2) - mean(axis, 1).powi(2) + around;
        Some([[0, 1].map(|axis| mean(axis, 1)).to_vec(), [0, 1].map(variance).to_vec()])
    }

    fn entropy(&self) -> f64 {
        self.entropy
    }
}
