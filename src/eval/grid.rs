//! A regular grid of cells in one or two dimensions, for integrals by the midpoint rule.

use crate::error::{Error, Result};
use crate::points::Points;

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
