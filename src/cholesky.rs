//! Cholesky's factor of a covariance.

/// The variance of a coordinate given those before it that is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Singular {
    /// The coordinate, counted from 0.
    pub(crate) coordinate: usize,
    /// What is left of its variance.
    pub(crate) left: f64,
}

/// The lower triangle L with L Lᵀ = Σ, row-major `[d, d]`, zeros above; only the lower triangle of Σ is read. What is left of
/// a variance is not one if it is at most the share `least` of it.
pub(crate) fn cholesky(covariance: &[f64], d: usize, least: f64) -> Result<Vec<f64>, Singular> {
    let mut factor = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let (rows_i, rows_j) = (&factor[i * d..i * d + j], &factor[j * d..j * d + j]);
            let known: f64 = rows_i.iter().zip(rows_j).map(|(a, b)| a * b).sum();
            let left = covariance[i * d + j] - known;
            if i != j {
                factor[i * d + j] = left / factor[j * d + j];
                continue;
            }
            // phrased so that NaN is refused
            let enough = left > least * covariance[i * d + i].abs() && left > 0.0;
            if !enough {
                return Err(Singular { coordinate: i, left });
            }
            factor[i * d + i] = left.sqrt();
        }
    }
    Ok(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_variance_of_its_own_is_named() {
        assert_eq!(cholesky(&[4.0, 9.0, 2.0, 5.0], 2, 1e-14), Ok(vec![2.0, 0.0, 1.0, 2.0]));
        assert_eq!(cholesky(&[1.0, 2.0, 2.0, 4.0], 2, 1e-14), Err(Singular { coordinate: 1, left: 0.0 }));
        assert_eq!(cholesky(&[1.0, 1.0, 1.0, 1.0 + 1e-6], 2, 1e-3).map_err(|s| s.coordinate), Err(1));
        assert!(cholesky(&[f64::NAN], 1, 0.0).is_err());
    }
}
