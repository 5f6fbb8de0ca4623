//! Objectives: what is minimised. One file per family: its hyper-parameters, what it refuses, its mathematics.

mod dsm;

pub use dsm::{Dsm, Weighting};

use crate::error::{Result, unknown_name};
use crate::model::MlpSpec;

/// The names that `--loss` takes.
pub const NAMES: &[&str] = &["dsm"];

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// Denoising score matching.
    Dsm(Dsm),
}

impl Objective {
    /// The name in flags and files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dsm(_) => "dsm",
        }
    }

    /// Refuses a name that is not an objective's.
    ///
    /// # Errors
    /// An unknown name, with the nearest valid one.
    pub fn check_name(name: &str) -> Result<()> {
        if NAMES.contains(&name) { Ok(()) } else { Err(unknown_name("loss", name, NAMES)) }
    }

    /// The objective in one formula, for the record of a run.
    pub fn formula(&self) -> String {
        match self {
            Self::Dsm(dsm) => dsm.formula(),
        }
    }

    /// The standard deviation by which the law that the objective aims at is smoothed: the model approaches
    /// p ∗ N(0, σ² I).
    pub fn smoothing(&self) -> f64 {
        match self {
            Self::Dsm(dsm) => dsm.sigma,
        }
    }

    /// What a user should know before training `spec` with this objective.
    pub fn warnings(&self, spec: &MlpSpec) -> Vec<String> {
        match self {
            Self::Dsm(dsm) => dsm.warnings(spec),
        }
    }
}
