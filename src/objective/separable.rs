//! Laws whose coordinates are independent: normal, or uniform over a box.

use crate::error::{Error, Result};
use crate::points::Points;

/// What one coordinate follows, before it is shifted and scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinate {
    /// N(0, 1).
    Normal,
    /// Uniform on (0, 1).
    Uniform,
}

/// The law of origin + scale · u with independent coordinates u.
#[derive(Debug, Clone, PartialEq)]
pub struct SeparableLaw {
    coordinate: Coordinate,
    origin: Vec<f64>,
    scale: Vec<f64>,
}

impl SeparableLaw {
    /// Normal with these means and standard deviations.
    ///
    /// # Errors
    /// No coordinate, not as many means as deviations, or a number that f32 cannot hold with its square.
    pub fn normal(mean: Vec<f64>, deviation: Vec<f64>) -> Result<Self> {
        if mean.is_empty() || mean.len() != deviation.len() {
            let (means, deviations) = (mean.len(), deviation.len());
            return Err(Error::input(format!("a normal law of {means} means and {deviations} standard deviations")));
        }
        if let Some(s) = deviation.iter().find(|s| !(1e-9..=1e9).contains(*s)) {
            return Err(Error::input(format!("a normal law of standard deviation {s}: it has to be from 1e-9 to 1e9")));
        }
        if let Some(m) = mean.iter().find(|m| !(-1e9..=1e9).contains(*m)) {
            return Err(Error::input(format!("a normal law of mean {m}: it has to be from -1e9 to 1e9")));
        }
        Ok(Self { coordinate: Coordinate::Normal, origin: mean, scale: deviation })
    }

    /// N(0, s² I) in `dim` dimensions.
    ///
    /// # Errors
    /// As [`SeparableLaw::normal`].
    pub fn isotropic(dim: usize, deviation: f64) -> Result<Self> {
        Self::normal(vec![0.0; dim], vec![deviation; dim])
    }

    /// Normal with the mean of the points and `factor` times their standard deviations (1 for a coordinate that does not
    /// vary).
    ///
    /// # Errors
    /// As [`SeparableLaw::normal`].
    pub fn fitted(points: &Points, factor: f64) -> Result<Self> {
        let count = points.count().max(1) as f64;
        let column = |axis: usize| points.rows().map(move |row| row[axis]);
        let mean: Vec<f64> = (0..points.dim()).map(|axis| column(axis).sum::<f64>() / count).collect();
        let deviation = |axis: usize| {
            let variance = column(axis).map(|v| (v - mean[axis]).powi(2)).sum::<f64>() / count;
            // a constant is its mean up to rounding
            if variance.sqrt() > 1e-12 * mean[axis].abs() { variance.sqrt() } else { 1.0 }
        };
        let deviation = (0..points.dim()).map(|axis| factor * deviation(axis)).collect();
        Self::normal(mean, deviation)
    }

    /// Uniform over the smallest box that holds the points.
    ///
    /// # Errors
    /// A coordinate that is not finite.
    pub fn around(points: &Points) -> Result<Self> {
        let fold = |axis: usize, least: f64, choose: fn(f64, f64) -> f64| {
            points.rows().map(|row| row[axis]).fold(least, choose)
        };
        let low: Vec<f64> = (0..points.dim()).map(|axis| fold(axis, f64::INFINITY, f64::min)).collect();
        let high = (0..points.dim()).map(|axis| fold(axis, f64::NEG_INFINITY, f64::max));
        let scale: Vec<f64> = high.zip(&low).map(|(high, low)| high - low).collect();
        match scale.iter().position(|s| !s.is_finite()) {
            Some(axis) => Err(Error::input(format!("coordinate {axis} of the points is not bounded"))),
            None => Ok(Self { coordinate: Coordinate::Uniform, origin: low, scale }),
        }
    }

    /// What one coordinate follows.
    pub fn coordinate(&self) -> Coordinate {
        self.coordinate
    }

    /// The number of coordinates.
    pub fn dim(&self) -> usize {
        self.origin.len()
    }

    /// What is added: means, or the low corner of the box.
    pub fn origin(&self) -> &[f64] {
        &self.origin
    }

    /// What u is multiplied by: standard deviations, or the sides of the box.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// ln of the density of a normal law at its mean, −Σ ln s − d/2 ln 2π.
    pub fn log_peak(&self) -> f64 {
        let logs = self.scale.iter().map(|s| s.ln()).sum::<f64>();
        -logs - 0.5 * self.dim() as f64 * std::f64::consts::TAU.ln()
    }

    /// ln of the density of a normal law at `x`.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        let square = |((x, m), s): ((&f64, &f64), &f64)| ((x - m) / s).powi(2);
        self.log_peak() - 0.5 * x.iter().zip(&self.origin).zip(&self.scale).map(square).sum::<f64>()
    }

    pub(super) fn describe(&self) -> String {
        /// Coordinates that are written out.
        const SOME: usize = 4;
        let list = |values: &[f64]| {
            let shown: Vec<String> = values.iter().take(SOME).map(|v| format!("{:.4}", v)).collect();
            format!("{}{}", shown.join(", "), if values.len() > SOME { ", ..." } else { "" })
        };
        match self.coordinate {
            Coordinate::Normal => {
                format!("normal, mean ({}), standard deviation ({})", list(&self.origin), list(&self.scale))
            }
            Coordinate::Uniform => {
                let high: Vec<f64> = self.origin.iter().zip(&self.scale).map(|(o, s)| o + s).collect();
                format!("uniform from ({}) to ({})", list(&self.origin), list(&high))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_fit_their_points() {
        let points = Points::new(2, vec![1.0, 7.0, 3.0, 7.0, 8.0, 7.0]);
        let normal = SeparableLaw::fitted(&points, 2.0).expect("normal");
        assert_eq!(normal.origin(), [4.0, 7.0]);
        // variances 26/3 and 0
        assert!((normal.scale()[0] - 2.0 * (26.0_f64 / 3.0).sqrt()).abs() < 1e-14);
        assert_eq!(normal.scale()[1], 2.0, "a constant counts as 1");
        let uniform = SeparableLaw::around(&points).expect("box");
        assert_eq!((uniform.origin(), uniform.scale()), (&[1.0, 7.0][..], &[7.0, 0.0][..]));
    }

    #[test]
    fn the_density_is_that_of_the_normal_law() {
        let law = SeparableLaw::normal(vec![1.0, -2.0], vec![0.5, 3.0]).expect("normal");
        let one = |x: f64, m: f64, s: f64| -0.5 * ((x - m) / s).powi(2) - (s * std::f64::consts::TAU.sqrt()).ln();
        let want = one(0.3, 1.0, 0.5) + one(4.0, -2.0, 3.0);
        assert!((law.log_density(&[0.3, 4.0]) - want).abs() < 1e-14);
    }

    #[test]
    fn what_is_no_law_is_refused() {
        for deviation in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(SeparableLaw::isotropic(2, deviation).is_err(), "{deviation}");
        }
        assert!(SeparableLaw::isotropic(0, 1.0).is_err());
        assert!(SeparableLaw::normal(vec![0.0], vec![1.0, 1.0]).is_err());
        assert!(SeparableLaw::normal(vec![f64::NAN], vec![1.0]).is_err());
        assert!(SeparableLaw::around(&Points::new(1, vec![1.0, f64::INFINITY])).is_err());
    }
}
