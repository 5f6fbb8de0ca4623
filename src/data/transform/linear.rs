//! The linear part of a transform.

use super::super::standardize::Standardizer;
use super::whiten::Whitening;
use crate::error::{Error, Result, unknown_name};
use crate::points::Points;

/// Which linear map is fitted to the training points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransformKind {
    /// Each column to mean 0 and standard deviation 1.
    Standardise,
    /// All columns by one mean and one scale, so that the mean over them all is 0 and the variance 1.
    Joint,
    /// The vector to mean 0 and covariance I.
    Whiten,
    /// None.
    None,
}

impl TransformKind {
    /// The names that [`by_name`](Self::by_name) knows.
    pub const NAMES: &[&str] = &["standardise", "joint", "whiten", "none"];

    /// The kind of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "standardise" | "standardize" => Ok(Self::Standardise),
            "joint" => Ok(Self::Joint),
            "whiten" => Ok(Self::Whiten),
            "none" => Ok(Self::None),
            _ => Err(unknown_name("transform", name, Self::NAMES)),
        }
    }
}

/// A fitted map.
#[derive(Debug, Clone, PartialEq)]
pub enum Linear {
    /// Column by column.
    Columns(Standardizer),
    /// All columns together.
    Whitening(Whitening),
}

impl Linear {
    /// The map of this kind for these points, whose columns are called `names`.
    ///
    /// # Errors
    /// If the spread of a column overflows, or the points cannot be whitened.
    pub fn fit(kind: TransformKind, points: &Points, names: &[String]) -> Result<Self> {
        let columns = match kind {
            TransformKind::Standardise => Standardizer::fit(points),
            TransformKind::Joint => Standardizer::fit_jointly(points),
            TransformKind::None => Standardizer::identity(points.dim()),
            TransformKind::Whiten => return Whitening::fit(points, names).map(Self::Whitening),
        };
        let wild = columns.mean.iter().zip(&columns.scale).position(|(m, s)| !(m.is_finite() && s.is_finite()));
        match wild {
            Some(c) => {
                let name = &names[c];
                Err(Error::input(format!("the numbers in column {name} are too large: their spread overflows"))
                    .hint("rescale the column"))
            }
            None => Ok(Self::Columns(columns)),
        }
    }

    pub(in crate::data) fn apply_to(&self, points: &mut Points) {
        match self {
            Self::Columns(columns) => columns.apply_to(points),
            Self::Whitening(whitening) => whitening.apply_to(points),
        }
    }

    pub(super) fn undo_to(&self, points: &mut Points) {
        match self {
            Self::Columns(columns) => columns.undo_to(points),
            Self::Whitening(whitening) => whitening.undo_to(points),
        }
    }

    /// ln |det ∂y/∂z|.
    pub fn log_scale(&self) -> f64 {
        match self {
            Self::Columns(columns) => columns.log_scale(),
            Self::Whitening(whitening) => whitening.log_scale(),
        }
    }

    /// Mean and variance of the columns of y where z has these, and is uncorrelated unless the map is column by column.
    pub fn moments(&self, mean: &[f64], variance: &[f64]) -> [Vec<f64>; 2] {
        let mut center = Points::new(mean.len(), mean.to_vec());
        self.undo_to(&mut center);
        let variances = match self {
            Self::Columns(columns) => variance.iter().zip(&columns.scale).map(|(v, s)| v * s * s).collect(),
            Self::Whitening(whitening) => whitening.variances(variance),
        };
        [center.values().to_vec(), variances]
    }

    pub(super) fn pull_back(&self, score: &mut [f64]) {
        match self {
            Self::Columns(columns) => score.iter_mut().zip(&columns.scale).for_each(|(s, scale)| *s /= scale),
            Self::Whitening(whitening) => whitening.pull_back(score),
        }
    }

    pub(super) fn formula(&self) -> &'static str {
        match self {
            Self::Columns(_) => "(x - mean) / scale",
            Self::Whitening(_) => "L^-1 (x - mean), L L^T the covariance",
        }
    }

    pub(super) fn metadata(&self) -> Vec<(&'static str, String)> {
        let list = |values: &[f64]| format!("{values:?}");
        match self {
            Self::Columns(columns) => vec![("mean", list(&columns.mean)), ("scale", list(&columns.scale))],
            Self::Whitening(whitening) => {
                let (mean, triangle) = whitening.parts();
                vec![("mean", list(mean)), ("factor", list(&triangle))]
            }
        }
    }
}
