//! Uniform laws on the dark cells of boards, smoothed by error functions.

use super::interval::{log_smoothed_box, log_smoothed_box_slope};
use crate::data::law::{FAR, Law, REACH, index, normal_pair, uniform};
use rand::Rng;

/// The boards are [-4, 4]².
const HALF: f64 = 4.0;

/// Stripes this many nats below the nearest one are left out.
const NEGLIGIBLE: f64 = 40.0;

/// Uniform on the cells (i, j), 0 ≤ i, j < n, whose i + j has one parity, plus isotropic noise.
#[derive(Debug, Clone, Copy)]
pub struct Checkerboard {
    name: &'static str,
    /// n, an even number.
    count: usize,
    /// That of i + j in dark cells.
    parity: usize,
    noise: f64,
    entropy: f64,
}

impl Checkerboard {
    /// Eight cells of side 2 with i + j even, without noise: density 1/32 there.
    pub const fn large() -> Self {
        Self { name: "checkerboard", count: 4, parity: 0, noise: 0.0, entropy: 5.0 * std::f64::consts::LN_2 }
    }

    /// The 32 unit cells on which ⌊x₁⌋ + ⌊x₂⌋ is odd, with noise 0.01, as in torchebm.
    pub const fn torchebm() -> Self {
        Self { name: "checkerboard-torchebm", count: 8, parity: 1, noise: 0.01, entropy: 3.501478 }
    }

    /// The side of a cell.
    fn cell(&self) -> f64 {
        2.0 * HALF / self.count as f64
    }

    /// The low edge of column or row `i`.
    fn edge(&self, i: usize) -> f64 {
        self.cell() * i as f64 - HALF
    }

    /// How far `t` is from column or row `i`.
    fn gap(&self, t: f64, i: usize) -> f64 {
        (self.edge(i) - t).max(t - self.edge(i) - self.cell()).max(0.0)
    }

    /// The columns or rows of one parity.
    fn stripes(&self, parity: usize) -> impl Iterator<Item = usize> {
        (parity % 2..self.count).step_by(2)
    }

    /// The squared distance from `t` to the nearest column or row of one parity.
    fn nearest_squared(&self, t: f64, parity: usize) -> f64 {
        self.stripes(parity).map(|i| self.gap(t, i).powi(2)).fold(f64::INFINITY, f64::min)
    }

    /// For columns (or rows) of one parity: ln of the summed densities of their smoothed intervals at `t`, and its slope.
    fn log_stripes(&self, t: f64, parity: usize, s: f64) -> (f64, f64) {
        let stripe = |i: usize| {
            let (at, cell) = (t - self.edge(i), self.cell());
            (log_smoothed_box(at, cell, s), log_smoothed_box_slope(at, cell, s))
        };
        let limit = self.nearest_squared(t, parity) + 2.0 * s * s * NEGLIGIBLE;
        let near = self.stripes(parity).filter(|i| self.gap(t, *i).powi(2) <= limit);
        near.map(stripe).reduce(|a, b| mix([a, b])).unwrap_or((f64::NEG_INFINITY, 0.0))
    }

    /// ln p and its gradient where there is any noise.
    fn smoothed(&self, x: &[f64], s: f64) -> (f64, [f64; 2]) {
        let column = [0, 1].map(|parity| self.log_stripes(x[0], parity, s));
        let row = [0, 1].map(|parity| self.log_stripes(x[1], parity + self.parity, s));
        let joint = |axis: usize| mix([0, 1].map(|k| (column[k].0 + row[k].0, [column[k].1, row[k].1][axis])));
        let (log, slope) = joint(0);
        let cells = (self.count * self.count / 2) as f64;
        (log - cells.ln(), [slope, joint(1).1])
    }

    /// The squared distance from `x` to the nearest dark cell.
    fn squared_distance(&self, x: &[f64]) -> f64 {
        // along each axis the nearest stripe of each parity
        let both = [0, 1].map(|k| self.nearest_squared(x[0], k) + self.nearest_squared(x[1], k + self.parity));
        both[0].min(both[1])
    }
}

/// ln(exp a + exp b) and its slope from those of a and b.
fn mix([(a, slope_a), (b, slope_b)]: [(f64, f64); 2]) -> (f64, f64) {
    let high = a.max(b);
    let [wa, wb] = [(a - high).exp(), (b - high).exp()];
    (high + (wa + wb).ln(), (wa * slope_a + wb * slope_b) / (wa + wb))
}

impl Law for Checkerboard {
    fn name(&self) -> &'static str {
        self.name
    }

    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let column = index(rng, self.count);
        let row = 2 * index(rng, self.count / 2) + (column + self.parity) % 2;
        out[0] = self.edge(column) + self.cell() * uniform(rng);
        out[1] = self.edge(row) + self.cell() * uniform(rng);
        if self.noise > 0.0 {
            out.iter_mut().zip(normal_pair(rng)).for_each(|(value, z)| *value += self.noise * z);
        }
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        let s = self.noise.hypot(sigma);
        if s > 0.0 {
            self.smoothed(x, s).0
        } else if self.squared_distance(x) == 0.0 {
            -self.entropy
        } else {
            f64::NEG_INFINITY
        }
    }

    /// Without noise the density is flat, so the score is 0; outside there is none, and 0 stands for it.
    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        let s = self.noise.hypot(sigma);
        let slope = if s > 0.0 { self.smoothed(x, s).1 } else { [0.0; 2] };
        out.copy_from_slice(&slope);
    }

    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let reach = HALF + REACH * self.noise.hypot(sigma);
        vec![[-reach, reach]; 2]
    }

    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        self.squared_distance(x) > (FAR * self.noise.hypot(sigma)).powi(2)
    }

    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        // each coordinate is uniform on [-4, 4]
        Some([vec![0.0; 2], vec![HALF * HALF / 3.0 + self.noise * self.noise; 2]])
    }

    fn entropy(&self) -> f64 {
        self.entropy
    }
}
