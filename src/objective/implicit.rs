//! Implicit score matching (Hyvärinen 2005), exact and sliced (Song et al. 2019, arXiv:1905.07088): no score of the data is
//! needed, but the derivatives of the model's score.
//!
//! `esm`     ½‖s‖² + tr ∇s
//! `ssm`     ½(v·s)² + vᵀ∇s v, mean over K probes v
//! `ssm-vr`  ½‖s‖² + vᵀ∇s v, mean over K probes v: less variance where ∇s is nearly diagonal and v Rademacher
//!
//! with s = −∇E and ∇s = −H for an energy. All have the same mean, ½‖s‖² + tr ∇s, since E[v vᵀ] = I; at the truth that is
//! −½ E‖s‖².

use super::ProbeLaw;
use crate::error::{Error, Result};

/// Probes of a sliced objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probes {
    /// K, the probes of a sample.
    pub count: usize,
    /// Where they come from.
    pub law: ProbeLaw,
}

/// The most probes of a sample.
pub const MOST_PROBES: usize = 4096;

impl Probes {
    /// Checks the number of probes.
    ///
    /// # Errors
    /// None, or more than [`MOST_PROBES`].
    pub fn new(count: usize, law: ProbeLaw) -> Result<Self> {
        if !(1..=MOST_PROBES).contains(&count) {
            return Err(Error::input(format!("{count} probes a sample: it has to be from 1 to {MOST_PROBES}")));
        }
        Ok(Self { count, law })
    }

    pub(super) fn describe(self) -> String {
        let law = match self.law {
            ProbeLaw::Gaussian => "standard normal",
            ProbeLaw::Rademacher => "of independent signs",
            ProbeLaw::Sphere => "uniform on the sphere of radius sqrt(d)",
        };
        format!("v {law}, {} a sample", self.count)
    }
}
