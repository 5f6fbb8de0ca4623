//! Whitening by Cholesky's factor of the covariance.

use rayon::prelude::*;

use crate::cholesky::{Singular, cholesky};
use crate::error::{Error, Result};
use crate::points::Points;

/// The share of a variance that columns before it do not explain, below which a column is taken for their combination: what
/// f32 numbers leave of a sum that was rounded once (2⁻⁴⁸), with room; a network in f32 would see nothing but rounding.
const LEAST_SHARE: f64 = 1e-10;

/// More columns would make a checkpoint of more than ten megabytes.
const MOST_COLUMNS: usize = 1024;

/// z = L⁻¹ (y − mean), with L Lᵀ the covariance of y.
#[derive(Debug, Clone, PartialEq)]
pub struct Whitening {
    mean: Vec<f64>,
    /// L, row-major `[d, d]`, zeros above the diagonal.
    factor: Vec<f64>,
}

impl Whitening {
    /// The map that gives `points` mean 0 and covariance I (over their number, not less 1); `names` are their columns.
    ///
    /// # Errors
    /// If the covariance is singular, is not finite, or has more than 1024 columns.
    pub fn fit(points: &Points, names: &[String]) -> Result<Self> {
        let (d, count) = (points.dim(), points.count() as f64);
        if d > MOST_COLUMNS {
            return Err(Error::input(format!("whitening takes at most {MOST_COLUMNS} columns, there are {d}"))
                .hint("--transform joint or standardise"));
        }
        let mut mean = vec![0.0; d];
        points.rows().for_each(|row| mean.iter_mut().zip(row).for_each(|(m, x)| *m += x));
        mean.iter_mut().for_each(|m| *m /= count);
        let (mut covariance, mut apart) = (vec![0.0; d * d], vec![0.0; d]);
        for row in points.rows() {
            apart.iter_mut().zip(row).zip(&mean).for_each(|((a, x), m)| *a = x - m);
            for (i, line) in covariance.chunks_exact_mut(d).enumerate() {
                let weight = apart[i];
                line[..=i].iter_mut().zip(&apart).for_each(|(c, a)| *c += weight * a);
            }
        }
        covariance.iter_mut().for_each(|c| *c /= count);
        let factor = cholesky(&covariance, d, LEAST_SHARE).map_err(|Singular { coordinate, .. }| {
            let name = &names[coordinate];
            let why = match covariance[coordinate * d + coordinate] {
                0.0 => "holds one value only",
                v if v.is_finite() => "is a combination of the columns before it",
                _ => "is too large",
            };
            Error::input(format!("the training data cannot be whitened: column `{name}` {why}"))
                .hint("leave it out with --drop, give it noise with --dequantise, or choose --transform standardise")
        })?;
        Ok(Self { mean, factor })
    }

    /// The map with this mean and the rows of the lower triangle of L; `None` if its diagonal is not positive.
    ///
    /// # Panics
    /// If there are not d (d + 1) / 2 numbers for d means.
    pub(super) fn from_triangle(mean: Vec<f64>, triangle: &[f64]) -> Option<Self> {
        let d = mean.len();
        let mut factor = vec![0.0; d * d];
        for i in 0..d {
            factor[i * d..=i * d + i].copy_from_slice(&triangle[i * (i + 1) / 2..(i + 1) * (i + 2) / 2]);
        }
        (0..d).all(|i| factor[i * d + i] > 0.0).then_some(Self { mean, factor })
    }

    /// The mean, and the rows of the lower triangle of L.
    pub(super) fn parts(&self) -> (&[f64], Vec<f64>) {
        let d = self.mean.len();
        (&self.mean, (0..d).flat_map(|i| self.factor[i * d..=i * d + i].iter().copied()).collect())
    }

    pub(super) fn dim(&self) -> usize {
        self.mean.len()
    }

    pub(super) fn apply_to(&self, points: &mut Points) {
        let d = self.dim();
        points.values_mut().par_chunks_exact_mut(d).for_each(|row| {
            for (i, line) in self.factor.chunks_exact(d).enumerate() {
                let known: f64 = line[..i].iter().zip(&row[..i]).map(|(l, z)| l * z).sum();
                row[i] = (row[i] - self.mean[i] - known) / line[i];
            }
        });
    }

    pub(super) fn undo_to(&self, points: &mut Points) {
        let d = self.dim();
        points.values_mut().par_chunks_exact_mut(d).for_each(|row| {
            // from the last: a row of L needs what comes before only
            for (i, line) in self.factor.chunks_exact(d).enumerate().rev() {
                row[i] = self.mean[i] + line[..=i].iter().zip(&row[..=i]).map(|(l, z)| l * z).sum::<f64>();
            }
        });
    }

    /// L⁻ᵀ s: back through Lᵀ.
    pub(super) fn pull_back(&self, score: &mut [f64]) {
        let d = self.dim();
        for i in (0..d).rev() {
            let known: f64 = (i + 1..d).map(|j| self.factor[j * d + i] * score[j]).sum();
            score[i] = (score[i] - known) / self.factor[i * d + i];
        }
    }

    /// ln det L.
    pub(super) fn log_scale(&self) -> f64 {
        self.factor.iter().step_by(self.dim() + 1).map(|l| l.ln()).sum()
    }

    /// The variance of each column if z has these, uncorrelated.
    pub(super) fn variances(&self, of_z: &[f64]) -> Vec<f64> {
        let line = |line: &[f64]| line.iter().zip(of_z).map(|(l, v)| l * l * v).sum();
        self.factor.chunks_exact(self.dim()).map(line).collect()
    }
}
