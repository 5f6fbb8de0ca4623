//! Finite-difference sliced score matching (Pang et al. 2020, arXiv:2007.03317): three energies in place of second
//! derivatives.
//!
//! With v uniform on the sphere of radius ε, (d/ε²) [(E(x+v) − E(x−v))²/8 + 2E(x) − E(x+v) − E(x−v)], mean over K probes: it
//! equals sliced score matching up to terms of order ε², and exactly for a quadratic E.

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

/// The least ε, relative to the scale of the data, that f32 is trusted with. Rounding errors of the second difference are some
/// 1e-7 |E| / ε²: a thousandth of the loss at 0.1, a fiftieth at 0.02.
const RESOLVED: f64 = 0.05;

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

    /// A warning if f32 cannot resolve the second difference on data of this scale.
    pub fn resolution_warning(&self, scale: f64) -> Option<String> {
        let relative = self.epsilon / scale;
        (relative < RESOLVED).then(|| {
            format!(
                "epsilon is {relative:.2e} of the data's scale: below {RESOLVED} the second difference loses percents to \
                 f32's rounding (1e-7 |E| / eps^2); 0.1 to 0.3 is safe"
            )
        })
    }
}
