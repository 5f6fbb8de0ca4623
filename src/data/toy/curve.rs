//! Laws along a curve, blurred by Gaussian noise: moons, spirals and a roll, by quadrature over the curve.

use super::interval::{log_smoothed_box, log_smoothed_box_slope};
use super::quadrature::GAUSS;
use crate::data::law::{FAR, Law, REACH, normal_pair};
use rand::Rng;
use std::f64::consts::SQRT_2;

mod named;

/// The noise levels that nodes are placed for, in units of the law's own noise; beyond 4 the nodes are few already.
const LEVELS: [f64; 5] = [1.0, SQRT_2, 2.0, 2.0 * SQRT_2, 4.0];

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
    /// One set of nodes for each of [`LEVELS`].
    levels: Vec<Vec<Node>>,
    /// The side of the square that a point of the curve is the low corner of.
    side: f64,
    noise: f64,
    entropy: f64,
    place: Place,
}

/// Draws a point of the curve, or of its square.
type Place = fn(&mut dyn Rng) -> [f64; 2];

#[derive(Debug, Clone)]
struct Node {
    corner: [f64; 2],
    log_weight: f64,
}

impl Curve {
    fn std(&self, sigma: f64) -> f64 {
        self.noise.hypot(sigma)
    }

    /// The nodes of the coarsest level that is still fine enough for noise of standard deviation `s`.
    fn nodes(&self, s: f64) -> &[Node] {
        let coarser = LEVELS.iter().skip(1).take_while(|level| **level * self.noise <= s).count();
        &self.levels[coarser]
    }

    /// The squared distance from `x` to the square of a node.
    fn squared_distance(&self, node: &Node, x: &[f64]) -> f64 {
        let half = 0.5 * self.side;
        let gap = |axis: usize| ((x[axis] - node.corner[axis] - half).abs() - half).max(0.0);
        gap(0).powi(2) + gap(1).powi(2)
    }

    fn nearest_squared(&self, x: &[f64], s: f64) -> f64 {
        self.nodes(s).iter().map(|node| self.squared_distance(node, x)).fold(f64::INFINITY, f64::min)
    }

    /// Calls `each` with every node that matters at `x` and its share of the density times exp(shift); returns the
    /// shift, which keeps the shares in range.
    fn sum(&self, x: &[f64], s: f64, mut each: impl FnMut(&Node, f64)) -> f64 {
        let least = self.nearest_squared(x, s);
        let shift = 0.5 * least / (s * s);
        let limit = least + 2.0 * s * s * NEGLIGIBLE;
        for node in self.nodes(s).iter().filter(|node| self.squared_distance(node, x) <= limit) {
            let kernel = |axis: usize| log_smoothed_box(x[axis] - node.corner[axis], self.side, s);
            each(node, (node.log_weight + kernel(0) + kernel(1) + shift).exp());
        }
        shift
    }
}

/// Nodes for the integral over [0, end] of a density times a kernel: panels of length `panel(start)`, six nodes each.
fn quadrature(end: f64, panel: impl Fn(f64) -> f64, at: impl Fn(f64) -> ([f64; 2], f64)) -> Vec<Node> {
    let (mut nodes, mut low) = (Vec::new(), 0.0);
    while low < end {
        let high = (low + panel(low)).min(end);
        let half = 0.5 * (high - low);
        for (place, weight) in GAUSS {
            let (corner, density) = at(low + half * (1.0 + place));
            nodes.push(Node { corner, log_weight: (density * weight * half).ln() });
        }
        low = high;
    }
    nodes
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
        (0..2)
            .map(|axis| {
                let low = self.levels[0].iter().map(|n| n.corner[axis]).fold(f64::INFINITY, f64::min);
                let high = self.levels[0].iter().map(|n| n.corner[axis]).fold(f64::NEG_INFINITY, f64::max);
                [low - reach, high + self.side + reach]
            })
            .collect()
    }

    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        let s = self.std(sigma);
        self.nearest_squared(x, s) > (FAR * s).powi(2)
    }

    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        // by the nodes, and the variances of the square and of the noise
        let middle = |node: &Node, axis: usize| node.corner[axis] + 0.5 * self.side;
        let mean = |axis, power| {
            self.levels[0].iter().map(|n: &Node| n.log_weight.exp() * middle(n, axis).powi(power)).sum::<f64>()
        };
        let around = self.side * self.side / 12.0 + self.noise * self.noise;
        let variance = |axis| mean(axis, 2) - mean(axis, 1).powi(2) + around;
        Some([[0, 1].map(|axis| mean(axis, 1)).to_vec(), [0, 1].map(variance).to_vec()])
    }

    fn entropy(&self) -> f64 {
        self.entropy
    }
}
