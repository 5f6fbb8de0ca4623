//! A regular grid of cells in one or two dimensions, for integrals by the midpoint rule.

use crate::data::Law;
use crate::error::{Error, Result};
use crate::points::Points;

/// Cells along each axis of the grids that models are normalised on, in the plane.
pub const CELLS: usize = 600;
/// And on the line, where they cost little.
const CELLS_OF_A_LINE: usize = 30_000;
/// A grid around a law reaches at least so far from the origin along every axis.
const LEAST_REACH: f64 = 6.0;
/// Room around the box of a law, as a share of its width, on each side: for the mass that a model puts elsewhere.
const ROOM: f64 = 0.2;
/// One of so many parts of an axis, at each of its ends, is the grid's rim.
const RIM: usize = 50;

/// Cells along each axis of the grids that models of so many coordinates are normalised on.
pub fn cells(dim: usize) -> usize {
    if dim == 1 { CELLS_OF_A_LINE } else { CELLS }
}

/// A box cut into equal cells.
///
/// For a smooth density that has vanished at the box's edges the midpoint rule converges faster than any power of the
/// cell: with cells at most half the width of the narrowest Gaussian feature its error is below 1e-14 of the integral.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// The low edge of each axis.
    pub lows: Vec<f64>,
    /// The high edge of each axis.
    pub highs: Vec<f64>,
    /// The number of cells along each axis.
    pub counts: Vec<usize>,
}

impl Grid {
    /// The longest side of a cell.
    pub fn widest_cell(&self) -> f64 {
        let sides = self.lows.iter().zip(&self.highs).zip(&self.counts);
        sides.map(|((low, high), count)| (high - low) / *count as f64).fold(0.0, f64::max)
    }

    /// `per_axis` cells along every axis of the box `extent`.
    ///
    /// # Errors
    /// If the box does not have one or two axes, an axis is empty or not finite, or there are no cells.
    pub fn covering(extent: &[[f64; 2]], per_axis: usize) -> Result<Self> {
        if !(1..=2).contains(&extent.len()) {
            let message = format!("a grid covers 1 or 2 dimensions, this box has {}", extent.len());
            return Err(Error::input(message));
        }
        if per_axis == 0 || per_axis.checked_pow(2).is_none() {
            return Err(Error::input(format!("a grid of {per_axis} cells per axis cannot be made")));
        }
        for (axis, [low, high]) in extent.iter().enumerate() {
            let holds = low.is_finite() && high.is_finite() && low < high;
            if !holds {
                return Err(Error::input(format!("axis {axis} of the grid runs from {low} to {high}")));
            }
        }
        let (lows, highs) = extent.iter().map(|[low, high]| (*low, *high)).unzip();
        Ok(Self { lows, highs, counts: vec![per_axis; extent.len()] })
    }

    /// The box of a law smoothed by `sigma` with a fifth of its width to spare on each side, and [-6, 6] along every axis in any
    /// case. `per_axis` cells across the former or the latter, whichever is wider, and some more: the grid begins and ends at
    /// whole numbers and has a whole number of cells between them, so that the edges of laws that end at such are edges of cells.
    ///
    /// # Errors
    /// The law has more than two coordinates, or there are no cells.
    pub fn around_law(law: &dyn Law, sigma: f64, per_axis: usize) -> Result<Self> {
        let own = law.extent(sigma).into_iter().map(|[low, high]| {
            let room = ROOM * (high - low);
            [low - room, high + room]
        });
        let own: Vec<[f64; 2]> = own.collect();
        let all = |[low, high]: &[f64; 2]| [low.min(-LEAST_REACH).floor(), high.max(LEAST_REACH).ceil()];
        let mut grid = Self::covering(&own.iter().map(all).collect::<Vec<_>>(), per_axis)?;
        for (axis, [low, high]) in own.iter().enumerate() {
            let in_one = per_axis as f64 / (high - low).max(2.0 * LEAST_REACH);
            // a rounding error is no cell
            let in_one = if in_one > 4.0 { (in_one - 1e-6).ceil() } else { in_one };
            grid.counts[axis] = ((grid.highs[axis] - grid.lows[axis]) * in_one - 1e-6).ceil() as usize;
        }
        Ok(grid)
    }

    /// ln Z of exp(-E) by every other cell, the dark and the light ones of a chessboard: they agree where cells resolve the
    /// energy, even cells somewhat wider.
    ///
    /// # Panics
    /// If there is not one energy per cell: a mistake of the caller.
    pub fn log_normalizers_by_halves(&self, energies: &[f64]) -> [f64; 2] {
        let (cells, given) = (self.count(), energies.len());
        assert!(cells == given, "{given} energies for a grid of {cells} cells");
        // the last axis is fastest, and there are one or two
        let across = self.counts[self.counts.len() - 1];
        let half =
            |colour: usize| energies.iter().enumerate().filter(move |(i, _)| (i / across + i % across) % 2 == colour);
        let log_volume = self.cell_volume().ln();
        [0, 1].map(|colour| {
            let share = half(colour).count() as f64 / cells as f64;
            log_sum_exp(half(colour).map(|(_, e)| -e)) - share.ln() + log_volume
        })
    }

    /// The mass that a density has in the outermost fiftieth of the grid along either axis, `log_density` in the order of
    /// [`points`](Self::points): where it is not small, there is more beyond the grid.
    pub fn rim_mass(&self, log_density: &[f64]) -> f64 {
        let in_rim = |(cell, _): &(usize, &f64)| {
            let mut stride = self.count();
            self.counts.iter().any(|count| {
                stride /= count;
                let (at, rim) = (cell / stride % count, count.div_ceil(RIM));
                at < rim || at >= count - rim
            })
        };
        log_density.iter().enumerate().filter(in_rim).map(|(_, log)| log.exp()).sum::<f64>() * self.cell_volume()
    }

    /// The cells in words: `600 x 600`.
    pub fn shape(&self) -> String {
        self.counts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ")
    }

    /// The number of cells.
    pub fn count(&self) -> usize {
        self.counts.iter().product()
    }

    /// The midpoints of the cells, the last axis fastest.
    pub fn points(&self) -> Points {
        let dim = self.counts.len();
        let mut values = Vec::with_capacity(self.count() * dim);
        for cell in 0..self.count() {
            let mut stride = self.count();
            for axis in 0..dim {
                stride /= self.counts[axis];
                let at = cell / stride % self.counts[axis];
                values.push(self.lows[axis] + (at as f64 + 0.5) * self.width(axis));
            }
        }
        Points::new(dim, values)
    }

    /// The length, area or volume of a cell.
    pub fn cell_volume(&self) -> f64 {
        (0..self.counts.len()).map(|axis| self.width(axis)).product()
    }

    /// ln Z of exp(-E) by the midpoint rule, `energies` in the order of [`points`](Self::points).
    ///
    /// NaN if an energy is NaN, infinite if one is -inf.
    ///
    /// # Panics
    /// If there is not one energy per cell: a mistake of the caller.
    pub fn log_normalizer(&self, energies: &[f64]) -> f64 {
        let (cells, given) = (self.count(), energies.len());
        assert!(cells == given, "{given} energies for a grid of {cells} cells");
        log_sum_exp(energies.iter().map(|e| -e)) + self.cell_volume().ln()
    }

    /// The mean and the variance of E under the law exp(-E) / Z, `energies` in the order of [`points`](Self::points).
    ///
    /// # Panics
    /// If there is not one energy per cell: a mistake of the caller.
    pub fn energy_moments(&self, energies: &[f64]) -> [f64; 2] {
        let log_z = self.log_normalizer(energies);
        let mass = |e: f64| (-e - log_z).exp() * self.cell_volume();
        // an infinite energy has no mass
        let mean = |of: &dyn Fn(f64) -> f64| -> f64 {
            energies.iter().filter(|e| **e < f64::INFINITY).map(|e| mass(*e) * of(*e)).sum()
        };
        let first = mean(&|e| e);
        [first, mean(&|e| (e - first) * (e - first))]
    }

    /// Whether the cells hold a point.
    pub fn holds(&self, x: &[f64]) -> bool {
        x.iter().zip(self.lows.iter().zip(&self.highs)).all(|(x, (low, high))| (low..=high).contains(&x))
    }

    fn width(&self, axis: usize) -> f64 {
        (self.highs[axis] - self.lows[axis]) / self.counts[axis] as f64
    }
}

/// ln Σ exp(v) without overflow; NaN if a term is NaN, -inf for no terms.
pub(super) fn log_sum_exp(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if top.is_infinite() {
        // f64::max drops NaN, the plain sum does not.
        return terms.fold(top, |sum, v| if v.is_nan() { v } else { sum });
    }
    top + terms.map(|v| (v - top).exp()).sum::<f64>().ln()
}
