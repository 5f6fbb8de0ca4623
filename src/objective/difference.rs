//! Finite-difference sliced score matching (Pang et al. 2020, arXiv:2007.03317): three energies in place of second
//! derivatives.
//!
//! With v uniform on the sphere of radius ε, (d/ε²) [(E(x+v) − E(x−v))²/8 + 2E(x) − E(x+v) − E(x−v)], mean over K probes: it
//! equals sliced score matching up to terms of order ε², and exactly for a quadratic E. The engines never subtract the
//! energies themselves, so that rounding sets no least ε: they carry odd and even parts through the network.

use crate::error::{Error, Result};

/// Hyper-parameters of finite-difference sliced score matching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FdSsm {
    /// K, the probes of a sample.
    pub probes: usize,
    /// ε, the length of a probe, in the units of the data the network sees.
    pub epsilon: f64,
}

/// The loss of a probe.
pub(super) const FORM: &str = "(d/eps^2) [(E(x+v) - E(x-v))^2/8 + 2E(x) - E(x+v) - E(x-v)]";

impl FdSsm {
    /// Checks the number and the length of probes.
    ///
    /// # Errors
    /// No probes, too many, or a length that is not a positive number f32 can hold with its square.
    pub fn new(probes: usize, epsilon: f64) -> Result<Self> {
        super::implicit::Probes::new(probes, super::ProbeLaw::Sphere)?;
        if !(1e-9..=1e6).contains(&epsilon) {
            return Err(Error::input(format!("epsilon is {epsilon}, fd-ssm needs a length from 1e-9 to 1e6")));
        }
        Ok(Self { probes, epsilon })
    }

    pub(super) fn formula(&self) -> String {
        format!("{FORM}, |v| = eps = {} uniform on the sphere, {} a sample", self.epsilon, self.probes)
    }
}
