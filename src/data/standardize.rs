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
        let (mean, squares) = mean_and_squares(points);
        // A constant column gets a standard deviation of about one rounding error of its mean, not exactly 0.
        let usable = |std: &f64, mean: f64| std.is_finite() && *std > 1e-12 * mean.abs();
        let deviation = |square: f64, mean: f64| Some(square.sqrt()).filter(|std| usable(std, mean)).unwrap_or(1.0);
        let scale = squares.into_iter().zip(&mean).map(|(square, mean)| deviation(square, *mean)).collect();
        Self { mean, scale }
    }

    /// One mean and one scale for all columns: all values together get mean 0 and standard deviation 1.
    pub fn fit_jointly(points: &Points) -> Self {
        let (mean, squares) = mean_and_squares(points);
        let dim = points.dim() as f64;
        let center = mean.iter().sum::<f64>() / dim;
        let between = mean.iter().map(|m| (m - center).powi(2)).sum::<f64>() / dim;
        let std = (squares.iter().sum::<f64>() / dim + between).sqrt();
        let scale = if std.is_finite() && std > 1e-12 * center.abs() { std } else { 1.0 };
        Self { mean: vec![center; points.dim()], scale: vec![scale; points.dim()] }
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
        let mut changed = points.clone();
        self.apply_to(&mut changed);
        changed
    }

    /// The same in place.
    pub(super) fn apply_to(&self, points: &mut Points) {
        self.change(points, |value, mean, scale| (value - mean) / scale);
    }

    /// mean + scale x, the inverse of [`apply`](Self::apply).
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    pub fn undo(&self, points: &Points) -> Points {
        let mut changed = points.clone();
        self.undo_to(&mut changed);
        changed
    }

    /// The same in place.
    pub(super) fn undo_to(&self, points: &mut Points) {
        self.change(points, |value, mean, scale| mean + scale * value);
    }

    /// Σ ln scale: a log-density of standardised points less this is the log-density in the original units.
    pub fn log_scale(&self) -> f64 {
        self.scale.iter().map(|s| s.ln()).sum()
    }

    fn change(&self, points: &mut Points, change: impl Fn(f64, f64, f64) -> f64) {
        let (dim, known) = (points.dim(), self.mean.len());
        assert!(dim == known, "points of {dim} columns for a standardizer of {known}");
        for row in points.values_mut().chunks_exact_mut(dim) {
            for ((value, mean), scale) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
                *value = change(*value, *mean, *scale);
            }
        }
    }
}

/// The mean of each column and the mean square of its deviations, row by row: columns of large tables are far apart.
fn mean_and_squares(points: &Points) -> (Vec<f64>, Vec<f64>) {
    let (dim, count) = (points.dim(), points.count().max(1) as f64);
    let (mut mean, mut squares) = (vec![0.0; dim], vec![0.0; dim]);
    points.rows().for_each(|row| mean.iter_mut().zip(row).for_each(|(m, x)| *m += x));
    mean.iter_mut().for_each(|m| *m /= count);
    for row in points.rows() {
        squares.iter_mut().zip(row).zip(&mean).for_each(|((s, x), m)| *s += (x - m) * (x - m));
    }
    squares.iter_mut().for_each(|s| *s /= count);
    (mean, squares)
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
    fn one_mean_and_scale_for_all_columns() {
        let points = Points::new(2, vec![1.0, 10.0, 3.0, 10.0, 5.0, 10.0]);
        let map = Standardizer::fit_jointly(&points);
        let flat = map.apply(&points);
        let mean = flat.values().iter().sum::<f64>() / 6.0;
        let square = flat.values().iter().map(|v| v * v).sum::<f64>() / 6.0;
        assert!(mean.abs() < 1e-15 && (square - 1.0).abs() < 1e-14, "{mean} {square}");
        assert_eq!((map.mean[0], map.scale[0]), (map.mean[1], map.scale[1]));
        assert_eq!(Standardizer::fit_jointly(&Points::new(2, vec![0.1; 6])).scale, [1.0; 2]);
    }

    #[test]
    fn a_constant_column_keeps_its_scale() {
        let map = Standardizer::fit(&Points::new(1, vec![0.1; 7]));
        assert_eq!(map.scale, [1.0]);
        assert_eq!(Standardizer::identity(3).log_scale(), 0.0);
    }
}
