//! Normal laws with any mean and covariance.

use std::f64::consts::TAU;

use super::{Facts, MOST_COORDINATES};
use crate::cholesky::{Singular, cholesky};
use crate::error::{Error, Result};
use crate::real::Real;

/// Entries of a covariance may differ from their mirror images by this share of the largest.
const ASYMMETRY: f64 = 1e-9;

/// N(μ, Σ).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gaussian {
    mean: Vec<f64>,
    spread: Spread,
}

/// Σ, its inverse, and ln det Σ.
#[derive(Debug, Clone, PartialEq)]
enum Spread {
    /// Independent coordinates: the diagonal of Σ.
    Diagonal(Vec<f64>),
    /// Row-major `[d, d]`.
    Full { covariance: Vec<f64>, precision: Vec<f64>, log_determinant: f64 },
}

impl Gaussian {
    /// N(0, I).
    pub(super) fn standard(dim: usize) -> Self {
        Self { mean: vec![0.0; dim], spread: Spread::Diagonal(vec![1.0; dim]) }
    }

    /// Checks and factorises a covariance.
    pub(super) fn new(mean: Vec<f64>, covariance: Vec<f64>) -> Result<Self> {
        let d = mean.len();
        if d == 0 || d > MOST_COORDINATES || covariance.len() != d * d {
            let entries = covariance.len();
            return Err(Error::input(format!(
                "a mean of {d} numbers and a covariance of {entries} make no normal law"
            ))
            .hint("the covariance of d coordinates is row-major, d times d"));
        }
        if let Some(bad) = mean.iter().chain(&covariance).find(|v| !v.is_finite()) {
            return Err(Error::input(format!("the mean or covariance of the normal law holds {bad}")));
        }
        let largest = covariance.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        for i in 0..d {
            for j in 0..i {
                let (a, b) = (covariance[i * d + j], covariance[j * d + i]);
                if (a - b).abs() > ASYMMETRY * largest {
                    let (i, j) = (i + 1, j + 1);
                    return Err(Error::input(format!(
                        "the covariance is not symmetric: row {i}, column {j} is {a}, row {j}, column {i} is {b}"
                    )));
                }
            }
        }
        let off_diagonal = (0..d * d).filter(|k| k / d != k % d).all(|k| covariance[k] == 0.0);
        if off_diagonal {
            let diagonal: Vec<f64> = (0..d).map(|i| covariance[i * d + i]).collect();
            return match diagonal.iter().find(|v| **v <= 0.0) {
                Some(v) => Err(Error::input(format!("the covariance has the variance {v}, all have to be above 0"))),
                None => Ok(Self { mean, spread: Spread::Diagonal(diagonal) }),
            };
        }
        // what is left of a variance by rounding alone is not one
        let factor = cholesky(&covariance, d, 1e-14).map_err(|Singular { coordinate, left }| {
            Error::input(format!(
                "the covariance is not positive definite: the variance of coordinate {} given those before it is {left:.3e}",
                coordinate + 1
            ))
        })?;
        let log_determinant = 2.0 * (0..d).map(|i| factor[i * d + i].ln()).sum::<f64>();
        let spread = Spread::Full { precision: inverse(&factor, d), covariance, log_determinant };
        Ok(Self { mean, spread })
    }

    pub(super) fn smoothed(&self, sigma: f64) -> Result<Self> {
        let noise = sigma * sigma;
        match &self.spread {
            Spread::Diagonal(variances) => {
                let spread = Spread::Diagonal(variances.iter().map(|v| v + noise).collect());
                Ok(Self { spread, mean: self.mean.clone() })
            }
            Spread::Full { covariance, .. } => {
                let d = self.mean.len();
                let mut covariance = covariance.clone();
                covariance.iter_mut().step_by(d + 1).for_each(|v| *v += noise);
                Self::new(self.mean.clone(), covariance)
            }
        }
    }

    /// Three standard deviations around the means of all coordinates.
    pub(super) fn start(&self) -> [f64; 2] {
        let reach = |sign: f64| self.mean.iter().zip(self.variances()).map(move |(m, v)| m + sign * 3.0 * v.sqrt());
        [reach(-1.0).fold(f64::INFINITY, f64::min), reach(1.0).fold(f64::NEG_INFINITY, f64::max)]
    }

    fn variances(&self) -> Vec<f64> {
        match &self.spread {
            Spread::Diagonal(variances) => variances.clone(),
            Spread::Full { covariance, .. } => covariance.iter().step_by(self.mean.len() + 1).copied().collect(),
        }
    }

    /// E = ½ (x − μ)ᵀ Σ⁻¹ (x − μ).
    pub(super) fn energy<T: Real>(&self, x: &[T], gradient: &mut [T]) -> T {
        match &self.spread {
            Spread::Diagonal(variances) => {
                for (n, slope) in gradient.iter_mut().enumerate() {
                    *slope = T::of(1.0 / variances[n]) * (x[n] - T::of(self.mean[n]));
                }
            }
            Spread::Full { precision, .. } => {
                gradient.fill(T::of(0.0));
                for (column, (x, mean)) in precision.chunks_exact(x.len()).zip(x.iter().zip(&self.mean)) {
                    let apart = *x - T::of(*mean);
                    gradient.iter_mut().zip(column).for_each(|(slope, p)| *slope = T::of(*p).mul_add(apart, *slope));
                }
            }
        }
        let apart = x.iter().zip(&self.mean).map(|(x, mean)| *x - T::of(*mean));
        T::of(0.5) * apart.zip(&*gradient).map(|(apart, slope)| apart * *slope).sum()
    }

    /// 0 and μ and the diagonal of Σ⁻¹, or 1 and μ and Σ⁻¹.
    pub(super) fn constants(&self) -> Vec<f64> {
        match &self.spread {
            Spread::Diagonal(variances) => {
                let precision = variances.iter().map(|v| 1.0 / v);
                [0.0].into_iter().chain(self.mean.iter().copied()).chain(precision).collect()
            }
            Spread::Full { precision, .. } => [&[1.0], &self.mean[..], &precision[..]].concat(),
        }
    }

    pub(super) fn facts(&self) -> Facts {
        let log_determinant = match &self.spread {
            Spread::Diagonal(variances) => variances.iter().map(|v| v.ln()).sum(),
            Spread::Full { log_determinant, .. } => *log_determinant,
        };
        let log_normalizer = 0.5 * (self.mean.len() as f64 * TAU.ln() + log_determinant);
        Facts::moments(log_normalizer, self.mean.clone(), self.variances())
    }
}

/// Σ⁻¹ from L: column by column, forwards through L and back through Lᵀ.
fn inverse(factor: &[f64], d: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; d * d];
    for (k, column) in inverse.chunks_exact_mut(d).enumerate() {
        column[k] = 1.0;
        for i in k..d {
            let known: f64 = (k..i).map(|j| factor[i * d + j] * column[j]).sum();
            column[i] = (column[i] - known) / factor[i * d + i];
        }
        for i in (0..d).rev() {
            let known: f64 = (i + 1..d).map(|j| factor[j * d + i] * column[j]).sum();
            column[i] = (column[i] - known) / factor[i * d + i];
        }
    }
    // exactly symmetric, as the energy's one-sided product needs it to be
    for i in 0..d {
        for j in 0..i {
            let mean = 0.5 * (inverse[i * d + j] + inverse[j * d + i]);
            inverse[i * d + j] = mean;
            inverse[j * d + i] = mean;
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_precision_inverts_the_covariance() {
        // A Aᵀ + I, far from diagonal
        let d = 7;
        let a: Vec<f64> = (0..d * d).map(|k| (3.7 * k as f64).sin()).collect();
        let entry = |i: usize, j: usize| (0..d).map(|k| a[i * d + k] * a[j * d + k]).sum::<f64>() + f64::from(i == j);
        let covariance: Vec<f64> = (0..d * d).map(|k| entry(k / d, k % d)).collect();
        let law = Gaussian::new(vec![0.0; d], covariance.clone()).expect("law");
        let Spread::Full { precision, log_determinant, .. } = &law.spread else { panic!("full") };
        for i in 0..d {
            for j in 0..d {
                let product: f64 = (0..d).map(|k| covariance[i * d + k] * precision[k * d + j]).sum();
                assert!((product - f64::from(i == j)).abs() < 1e-13, "{i} {j}: {product}");
            }
        }
        // det of [[2, 1], [1, 3]] is 5
        let small = Gaussian::new(vec![0.0; 2], vec![2.0, 1.0, 1.0, 3.0]).expect("law");
        let Spread::Full { log_determinant: five, .. } = small.spread else { panic!("full") };
        assert!((five - 5f64.ln()).abs() < 1e-15 && log_determinant.is_finite());
    }

    #[test]
    fn what_is_no_covariance_is_refused() {
        let says =
            |covariance: &[f64]| Gaussian::new(vec![0.0; 2], covariance.to_vec()).expect_err("refused").to_string();
        let indefinite = says(&[1.0, 2.0, 2.0, 1.0]);
        assert!(indefinite.ends_with("the variance of coordinate 2 given those before it is -3.000e0"), "{indefinite}");
        assert!(says(&[1.0, 1.0, 1.0, 1.0]).contains("not positive definite"), "singular");
        assert_eq!(
            says(&[1.0, 0.5, 0.25, 1.0]),
            "the covariance is not symmetric: row 2, column 1 is 0.25, row 1, column 2 is 0.5"
        );
        assert!(says(&[1.0, 0.0, 0.0, -2.0]).contains("the variance -2"));
        assert!(says(&[1.0, f64::NAN, 0.0, 1.0]).contains("holds NaN"));
        assert!(says(&[1.0; 3]).contains("a covariance of 3"));
        assert!(Gaussian::new(vec![], vec![]).is_err());
    }
}
