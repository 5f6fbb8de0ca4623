//! Noise-contrastive estimation (Gutmann and Hyvärinen 2010): a logistic regression that tells data from the noise of a law
//! whose density is known, and so learns the energy with its constant.
//!
//! With ν points of noise a data point, G = −E − ln q − ln ν is the log-odds that a point is data, and the loss of a sample is
//! softplus(−G(x)) + Σⱼ softplus(G(yⱼ)). −E is then itself a normalised log-density: the ln Z that others carry as a
//! parameter of its own is the bias of the network's output, and has its gradient. Without that bias the network's ln Z is
//! the bias.

use super::discrepancy::check_negatives;
use super::{Form, SeparableLaw};
use crate::error::{Error, Result};

/// Hyper-parameters of noise-contrastive estimation.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseContrastive {
    /// ν, the points of noise a data point.
    pub negatives: usize,
    /// q, normal with independent coordinates.
    pub noise: SeparableLaw,
}

impl NoiseContrastive {
    /// Checks the number and the law.
    ///
    /// # Errors
    /// No noise, too much of it, or a law that is not normal: elsewhere than everywhere, ln q is not finite.
    pub fn new(negatives: usize, noise: SeparableLaw) -> Result<Self> {
        check_negatives("nu", negatives)?;
        if noise.coordinate() != super::Coordinate::Normal {
            return Err(Error::input("the noise of nce has to have a density everywhere: a normal law"));
        }
        Ok(Self { negatives, noise })
    }

    pub(super) fn formula(&self) -> String {
        format!("{}, y of q, {}", Form::Classification.formula(self.negatives), self.noise.describe())
    }

    /// Conventions under their names.
    pub(super) fn conventions(&self) -> Vec<(&'static str, String)> {
        vec![
            ("nce_logit", "G = -E - ln q - ln nu".to_string()),
            ("nce_nu", self.negatives.to_string()),
            ("nce_noise", self.noise.describe()),
            (
                "nce_log_z",
                "-E is a normalised log-density; ln Z of the network without the bias of its output is that bias"
                    .to_string(),
            ),
        ]
    }
}
