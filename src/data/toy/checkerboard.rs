//! The uniform law on the eight dark cells of a 4 x 4 board, smoothed by error functions.

use super::interval::{log_smoothed_box, log_smoothed_box_slope};
use crate::data::law::{FAR, Law, REACH, index, uniform};
use rand::Rng;

/// The side of a cell; the board is [-4, 4]².
const CELL: f64 = 2.0;

/// ln of the number of dark cells.
const LOG_CELLS: f64 = 3.0 * std::f64::consts::LN_2;

/// Uniform on the cells (i, j), 0 ≤ i, j < 4, with i + j even: density 1/32 there.
#[derive(Debug, Clone, Copy)]
pub struct Checkerboard;

/// The low edge of column or row `i`.
fn edge(i: usize) -> f64 {
    CELL * (i as f64 - 2.0)
}

/// For columns (or rows) of one parity: ln of the summed densities of their smoothed intervals at `t`, and its slope.
fn log_stripes(t: f64, parity: usize, s: f64) -> (f64, f64) {
    let at = |i: usize| t - edge(i);
    let [a, b] = [parity, parity + 2].map(|i| log_smoothed_box(at(i), CELL, s));
    let [slope_a, slope_b] = [parity, parity + 2].map(|i| log_smoothed_box_slope(at(i), CELL, s));
    mix([(a, slope_a), (b, slope_b)])
}

/// ln(exp a + exp b) and its slope from those of a and b.
fn mix([(a, slope_a), (b, slope_b)]: [(f64, f64); 2]) -> (f64, f64) {
    let high = a.max(b);
    let [wa, wb] = [(a - high).exp(), (b - high).exp()];
    (high + (wa + wb).ln(), (wa * slope_a + wb * slope_b) / (wa + wb))
}

impl Checkerboard {
    /// ln p and its gradient at sigma > 0.
    fn smoothed(x: &[f64], sigma: f64) -> (f64, [f64; 2]) {
        let [even, odd] = [0, 1].map(|parity| [log_stripes(x[0], parity, sigma), log_stripes(x[1], parity, sigma)]);
        let joint = |axis: usize| mix([even, odd].map(|[c, r]| (c.0 + r.0, [c.1, r.1][axis])));
        let (log, slope) = joint(0);
        (log - LOG_CELLS, [slope, joint(1).1])
    }
}

impl Law for Checkerboard {
    fn name(&self) -> &'static str {
        "checkerboard"
    }

    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let column = index(rng, 4);
        let row = 2 * index(rng, 2) + column % 2;
        out[0] = edge(column) + CELL * uniform(rng);
        out[1] = edge(row) + CELL * uniform(rng);
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        if sigma > 0.0 {
            Self::smoothed(x, sigma).0
        } else if squared_distance(x) == 0.0 {
            -self.entropy()
        } else {
            f64::NEG_INFINITY
        }
    }

    /// At sigma = 0 the density is flat, so the score is 0; outside there is none, and 0 stands for it.
    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        let slope = if sigma > 0.0 { Self::smoothed(x, sigma).1 } else { [0.0; 2] };
        out.copy_from_slice(&slope);
    }

    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let reach = 2.0 * CELL + REACH * sigma;
        vec![[-reach, reach]; 2]
    }

    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        squared_distance(x) > (FAR * sigma).powi(2)
    }

    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        // each coordinate is uniform on [-4, 4]
        Some([vec![0.0; 2], vec![16.0 / 3.0; 2]])
    }

    fn entropy(&self) -> f64 {
        5.0 * std::f64::consts::LN_2
    }
}

/// The squared distance from `x` to the nearest dark cell.
fn squared_distance(x: &[f64]) -> f64 {
    let gap = |t: f64, i: usize| (edge(i) - t).max(t - edge(i) - CELL).max(0.0);
    let cells = (0..16).filter(|k| (k / 4 + k % 4) % 2 == 0);
    cells.map(|k| gap(x[0], k / 4).powi(2) + gap(x[1], k % 4).powi(2)).fold(f64::INFINITY, f64::min)
}
