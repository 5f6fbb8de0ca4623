//! Shifting and scaling every column to mean 0 and standard deviation 1, and back.

use crate::points::Points;
use serde::{Deserialize, Serialize};

/// The affine map x ↦ (x - mean) / scale, column by column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standardizer {
    /// What is subtracted from each column.
    pub mean: Vec<f64>,
    /// What each column is divided by, positive.
    pub scale: Vec<f64>,
}

impl Standardizer {
    /// The map that gives the columns of `points` mean 0 and standard deviation 1 (division by the count, not by the
    /// count less one). A column whose values are all equal keeps scale 1.
    pub fn fit(points: &Points) -> Self {
        let count = points.count().max(1) as f64;
        let column = |axis: usize| points.rows().map(move |row| row[axis]);
        let mean: Vec<f64> = (0..points.dim()).map(|axis| column(axis).sum::<f64>() / count).collect();
        let std = |axis: usize| (column(axis).map(|v| (v - mean[axis]).powi(2)).sum::<f64>() / count).sqrt();
        // A constant column gets a standard deviation of about one rounding error of its mean, not exactly 0.
        let usable = |axis: usize, std: f64| std.is_finite() && std > 1e-12 * mean[axis].abs();
        let scale = (0..points.dim()).map(|axis| Some(std(axis)).filter(|s| usable(axis, *s)).unwrap_or(1.0)).collect();
        Self { mean, scale }
    }

    /// The map that changes nothing.
    pub fn identity(dim: usize) -> Self {
        Self { mean: vec![0.0; dim], scale: vec![1.0; dim] }
    }

    /// (x - mean) / scale.
    ///
    /// # Panics
    /// If `points` does not have one column per mean: a mistake of the caller.
    pub fn apply(&self, points: &Points) -> Points {
        self.map(points, |value, mean, scale| (value - mean) / scale)
    }

    /// mean + scale x, the inverse of [`apply`](Self::apply).
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    pub fn undo(&self, points: &Points) -> Points {
        self.map(points, |value, mean, scale| mean + scale * value)
    }

    /// Σ ln scale: a log-density of standardised points less this is the log-density in the original units.
    pub fn log_scale(&self) -> f64 {
        self.scale.iter().map(|s| s.ln()).sum()
    }

    fn map(&self, points: &Points, change: impl Fn(f64, f64, f64) -> f64) -> Points {
        let (dim, known) = (points.dim(), self.mean.len());
        assert!(dim == known, "points of {dim} columns for a standardizer of {known}");
        let mut changed = points.clone();
        for row in changed.values_mut().chunks_exact_mut(dim) {
            for ((value, mean), scale) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
                *value = change(*value, *mean, *scale);
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apply_standardises_and_undo_returns() {
        let points = Points::new(2, vec![1.0, 10.0, 3.0, -20.0, 5.0, 40.0, 8.0, 7.0]);
        let map = Standardizer::fit(&points);
        let flat = map.apply(&points);
        for axis in 0..2 {
            let mean: f64 = flat.rows().map(|r| r[axis]).sum::<f64>() / 4.0;
            let square: f64 = flat.rows().map(|r| r[axis] * r[axis]).sum::<f64>() / 4.0;
            assert!(mean.abs() < 1e-15 && (square - 1.0).abs() < 1e-14, "{mean} {square}");
        }
        for (back, original) in map.undo(&flat).values().iter().zip(points.values()) {
            assert!((back - original).abs() < 1e-13, "{back} {original}");
        }
        assert!((map.log_scale() - map.scale[0].ln() - map.scale[1].ln()).abs() < 1e-15);
    }

    #[test]
    fn a_constant_column_keeps_its_scale() {
        let map = Standardizer::fit(&Points::new(1, vec![0.1; 7]));
        assert_eq!(map.scale, [1.0]);
        assert_eq!(Standardizer::identity(3).log_scale(), 0.0);
    }
}
