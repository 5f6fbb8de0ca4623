//! From the data's own units to those of the network, and back.
//!
//! x is the data, dequantised if asked; y = logit(α + (1 − 2α) (x − low) / (high − low)) if asked, else x; z is a linear map of
//! y, fitted to training points, and what the network sees.

use std::collections::HashMap;
use std::path::Path;

use super::standardize::Standardizer;
use crate::error::{Error, Result};
use crate::points::Points;
use crate::tensors::metadata_list;

mod linear;
mod logit;
mod whiten;

pub use linear::{Linear, TransformKind};
pub use logit::Logit;
pub use whiten::Whitening;

/// The whole way.
#[derive(Debug, Clone, PartialEq)]
pub struct Transform {
    /// The step between the values of the data before uniform noise of one step was added; 0 is one of them.
    pub level: Option<f64>,
    /// What is done to each value.
    pub logit: Option<Logit>,
    /// What is done to the vector.
    pub linear: Linear,
}

impl Transform {
    /// The way that changes nothing.
    pub fn identity(dim: usize) -> Self {
        Self { level: None, logit: None, linear: Linear::Columns(Standardizer::identity(dim)) }
    }

    /// Whether the network's units are those of the data.
    pub fn is_identity(&self) -> bool {
        let unchanged = |c: &Standardizer| c.mean.iter().all(|m| *m == 0.0) && c.scale.iter().all(|s| *s == 1.0);
        self.logit.is_none() && matches!(&self.linear, Linear::Columns(columns) if unchanged(columns))
    }

    /// z at points in the data's units; NaN or infinite where the logit is not defined.
    ///
    /// # Panics
    /// If the points have another dimension: a mistake of the caller. So do all other methods.
    pub fn apply(&self, points: &Points) -> Points {
        let mut changed = points.clone();
        self.apply_to(&mut changed);
        changed
    }

    /// The same in place.
    pub fn apply_to(&self, points: &mut Points) {
        if let Some(logit) = &self.logit {
            points.values_mut().iter_mut().for_each(|v| *v = logit.apply(*v));
        }
        self.linear.apply_to(points);
    }

    /// x at points in the network's units, the inverse of [`apply`](Self::apply).
    pub fn undo(&self, points: &Points) -> Points {
        let mut changed = points.clone();
        self.linear.undo_to(&mut changed);
        if let Some(logit) = &self.logit {
            changed.values_mut().iter_mut().for_each(|v| *v = logit.undo(*v));
        }
        changed
    }

    /// [`undo`](Self::undo), and dequantised data without their noise: rounded down to a step.
    pub fn output(&self, points: &Points) -> Points {
        let mut changed = self.undo(points);
        if let Some(level) = self.level {
            changed.values_mut().iter_mut().for_each(|v| *v = (*v / level).floor() * level);
        }
        changed
    }

    /// ln |det ∂z/∂x| at each of some points in the network's units. A log-density of z and this make the log-density of x.
    pub fn log_stretches(&self, points: &Points) -> Vec<f64> {
        let constant = -self.linear.log_scale();
        let Some(logit) = &self.logit else { return vec![constant; points.count()] };
        let mut before = points.clone();
        self.linear.undo_to(&mut before);
        before.rows().map(|row| constant + row.iter().map(|y| logit.log_slope(*y)).sum::<f64>()).collect()
    }

    /// −log₂ of the probability of a point before it was dequantised, for each of its `dim` values, from its −ln q(x); none if
    /// it was not.
    pub fn bits_per_dim(&self, nll: f64, dim: usize) -> Option<f64> {
        self.level.map(|level| (nll / dim as f64 - level.ln()) / std::f64::consts::LN_2)
    }

    /// Changes energies at points in the network's units to those of the data's units, up to a constant.
    pub fn energies_outside(&self, points: &Points, energies: &mut [f64]) {
        if self.logit.is_some() {
            energies.iter_mut().zip(self.log_stretches(points)).for_each(|(e, stretch)| *e -= stretch);
        }
    }

    /// Changes scores ∇ ln q(z) at points in the data's units to ∇ ln q(x): the chain rule.
    pub fn scores_outside(&self, points: &Points, scores: &mut Points) {
        let dim = points.dim();
        for (score, x) in scores.values_mut().chunks_exact_mut(dim).zip(points.rows()) {
            self.linear.pull_back(score);
            if let Some(logit) = &self.logit {
                score.iter_mut().zip(x).for_each(|(s, x)| *s = logit.pull_back(*x, *s));
            }
        }
    }

    /// The shift and scale of each column, if nothing else is done.
    pub fn columns(&self) -> Option<&Standardizer> {
        match (&self.logit, &self.linear) {
            (None, Linear::Columns(columns)) => Some(columns),
            _ => None,
        }
    }

    /// The way in one line.
    pub fn formula(&self) -> String {
        let noise = self.level.map(|level| format!("x + {level} u, u uniform in (0, 1)"));
        let logit = self.logit.map(|l| l.formula());
        let steps: Vec<String> = noise.into_iter().chain(logit).chain([self.linear.formula().to_string()]).collect();
        steps.join("; then ")
    }

    /// What a checkpoint says of it: strings that [`from_metadata`](Self::from_metadata) reads.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        let mut all = self.linear.metadata();
        if let Some(logit) = &self.logit {
            all.push(("logit", logit.alpha.to_string()));
            all.push(("range", format!("{:?}", [logit.low, logit.high])));
        }
        all.extend(self.level.map(|level| ("level", level.to_string())));
        all
    }

    /// The transform in the metadata of the checkpoint at `path`, whose points have `dim` coordinates: `mean` and `scale`, or
    /// `mean` and `factor` (the lower triangle, row by row), and `logit` with `range`, and `level`, where there is any.
    ///
    /// # Errors
    /// If what is there are no such numbers, or parts of it are missing.
    pub fn from_metadata(metadata: &HashMap<String, String>, dim: usize, path: &Path) -> Result<Self> {
        let list = |key: &str, count: usize| metadata_list(metadata, key, Some(count), path);
        let path = path.display();
        let triangle = dim.saturating_mul(dim + 1) / 2;
        let linear = match (list("mean", dim)?, list("scale", dim)?, list("factor", triangle)?) {
            (Some(mean), Some(scale), None) if scale.iter().all(|s| *s > 0.0) => {
                Linear::Columns(Standardizer { mean, scale })
            }
            (Some(mean), None, Some(factor)) => Linear::Whitening(
                Whitening::from_triangle(mean, &factor)
                    .ok_or_else(|| Error::input(format!("{path}: its factor has no positive diagonal")))?,
            ),
            (None, None, None) => Linear::Columns(Standardizer::identity(dim)),
            _ => return Err(Error::input(format!("{path}: its mean and scale do not go together"))),
        };
        let logit = match (list("logit", 1)?, list("range", 2)?) {
            (Some(alpha), Some(range)) => {
                Some(Logit::new(alpha[0], [range[0], range[1]]).map_err(|e| e.of(path.to_string()))?)
            }
            (None, _) => None,
            (Some(_), None) => return Err(Error::input(format!("{path}: its logit has no range"))),
        };
        let level = list("level", 1)?.map(|level| level[0]);
        match level {
            Some(level) if level <= 0.0 => Err(Error::input(format!("{path}: its level is {level}, not above 0"))),
            _ => Ok(Self { level, logit, linear }),
        }
    }
}

#[cfg(test)]
mod tests;
