//! Laws of growth, fitted to measurements: a fixed part and one for each unit, or a power.

/// y = `fixed` + `each` x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// What there is whatever the size.
    pub fixed: f64,
    /// What each unit adds.
    pub each: f64,
}

impl Law {
    /// y at x.
    pub fn at(&self, x: f64) -> f64 {
        self.fixed + self.each * x
    }
}

/// The law with the least squares of relative errors through (x, y), none of which may be 0; none for fewer than two x.
pub fn affine(points: &[(f64, f64)]) -> Option<Law> {
    // of (fixed + each x) / y - 1: weights 1 / y²
    let sum = |f: fn(f64, f64) -> f64| points.iter().map(|(x, y)| f(*x, *y)).sum::<f64>();
    let (s, sx, sxx) = (sum(|_, y| 1.0 / (y * y)), sum(|x, y| x / (y * y)), sum(|x, y| x * x / (y * y)));
    let (sy, sxy) = (sum(|_, y| 1.0 / y), sum(|x, y| x / y));
    let determinant = s * sxx - sx * sx;
    let law = Law { fixed: (sxx * sy - sx * sxy) / determinant, each: (s * sxy - sx * sy) / determinant };
    (points.len() > 1 && law.fixed.is_finite() && law.each.is_finite()).then_some(law)
}

/// The exponent p of y ∝ xᵖ over the larger half of the points (three at least, if there are): the slope of ln y over ln x;
/// none for fewer than two x.
pub fn power(points: &[(f64, f64)]) -> Option<f64> {
    let kept = points.len().div_ceil(2).max(3).min(points.len());
    let logs: Vec<(f64, f64)> = points[points.len() - kept..].iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let mean = |f: fn(&(f64, f64)) -> f64| logs.iter().map(f).sum::<f64>() / kept as f64;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let slope =
        logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / logs.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>();
    slope.is_finite().then_some(slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_are_found_again() {
        let points: Vec<(f64, f64)> = [1.0, 10.0, 100.0, 1e4].iter().map(|x| (*x, 3.0 + 0.5 * x)).collect();
        let law = affine(&points).expect("a law");
        assert!((law.fixed - 3.0).abs() < 1e-9 && (law.each - 0.5).abs() < 1e-12, "{law:?}");
        assert!((law.at(8.0) - 7.0).abs() < 1e-9);
        let points: Vec<(f64, f64)> =
            [1.0, 2.0, 64.0, 128.0, 256.0].iter().map(|x: &f64| (*x, 7.0 * x.powf(1.5))).collect();
        assert!((power(&points).expect("a power") - 1.5).abs() < 1e-12);
        for few in [&points[..0], &points[..1]] {
            assert_eq!((affine(few), power(few)), (None, None));
        }
    }
}
