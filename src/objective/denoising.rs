//! Denoising score matching (Vincent 2011) at one noise level or at many (Song and Ermon 2019, arXiv:1907.05600): the score
//! at a noisy point should point back to the clean one.
//!
//! With x̃ = x + σz, z ~ N(0, I), the loss of a sample is ½ λ(σ) ‖s(x̃) + z/σ‖², λ(σ) = σᵃ. The minimiser at each σ is the
//! score of p ∗ N(0, σ² I), not that of p. With many levels each sample draws its own, uniformly.

use super::ladder::Ladder;
use crate::error::{Error, Result, unknown_name};
use crate::model::{Conditioning, MlpSpec};

/// The exponent a of the factor λ(σ) = σᵃ in front of ½‖s(x̃) + z/σ‖².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighting(pub f64);

impl Weighting {
    /// λ = 1: ½‖s + z/σ‖².
    pub const ONE: Self = Self(0.0);
    /// λ = σ²: ½‖σ s + z‖², of the same size for every σ.
    pub const SIGMA2: Self = Self(2.0);
    /// λ = σ⁴: ½‖σ² s + σ z‖².
    pub const SIGMA4: Self = Self(4.0);

    /// The weighting of that name (`one`, `sigma2`, `sigma4`), or with that exponent.
    ///
    /// # Errors
    /// Text that is neither.
    pub fn by_name(name: &str) -> Result<Self> {
        match (name, name.parse::<f64>()) {
            ("one", _) => Ok(Self::ONE),
            ("sigma2", _) => Ok(Self::SIGMA2),
            ("sigma4", _) => Ok(Self::SIGMA4),
            (_, Ok(power)) if power.abs() <= 8.0 => Ok(Self(power)),
            (_, Ok(power)) => {
                Err(Error::input(format!("the weighting is sigma^{power}, the exponent is from -8 to 8")))
            }
            _ => Err(unknown_name("weighting", name, &["one", "sigma2", "sigma4"])),
        }
    }
}

/// Hyper-parameters of denoising score matching: `dsm` with one level, `mdsm` with more.
#[derive(Debug, Clone, PartialEq)]
pub struct Denoising {
    /// The noise levels σ, in the units of the data the network sees.
    pub ladder: Ladder,
    /// The factor in front.
    pub weighting: Weighting,
}

/// One noise level as the engines use it: the loss of a sample is ½ w ‖z + r s̃‖², where s̃ is what the network gives
/// before it is divided by anything (its output, or minus the gradient of it).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// σ.
    pub sigma: f64,
    /// r: σ, or 1 where the output is divided by σ.
    pub reach: f64,
    /// w = λ(σ) / σ².
    pub weight: f64,
}

impl Denoising {
    /// One level.
    ///
    /// # Errors
    /// A level that f32 cannot hold with its square.
    pub fn single(sigma: f64, weighting: Weighting) -> Result<Self> {
        Ok(Self { ladder: Ladder::explicit(vec![sigma])?, weighting })
    }

    pub(super) fn is_multi(&self) -> bool {
        self.ladder.levels().len() > 1
    }

    /// A level of any σ under this weighting.
    pub fn level(&self, sigma: f64, conditioning: Conditioning) -> Level {
        let reach = if conditioning == Conditioning::Scale { 1.0 } else { sigma };
        Level { sigma, reach, weight: sigma.powf(self.weighting.0 - 2.0) }
    }

    /// The loss of a sample at its level.
    pub(super) fn form(&self) -> String {
        match self.weighting {
            Weighting::ONE => "1/2 |s(x + sigma z) + z/sigma|^2".to_string(),
            Weighting::SIGMA2 => "1/2 |sigma s(x + sigma z) + z|^2".to_string(),
            Weighting::SIGMA4 => "1/2 |sigma^2 s(x + sigma z) + sigma z|^2".to_string(),
            Weighting(a) => format!("1/2 sigma^{a} |s(x + sigma z) + z/sigma|^2"),
        }
    }

    pub(super) fn formula(&self) -> String {
        let form = self.form();
        if self.is_multi() {
            format!("{form}, sigma uniform in {}", self.ladder)
        } else {
            format!("{form}, sigma = {} (a standard deviation)", self.ladder)
        }
    }

    pub(super) fn warnings(&self, spec: &MlpSpec) -> Vec<String> {
        let mut warnings = Vec::new();
        if !spec.activation().is_smooth() && spec.head() == crate::model::Head::Energy {
            warnings.push(format!(
                "{} has no second derivative: the gradient of denoising exists almost everywhere but misses the kinks; silu, \
                 softplus, tanh and gelu do not have this problem",
                spec.activation().name()
            ));
        }
        if self.is_multi() && spec.conditioning() == Conditioning::None {
            warnings.push(
                "the network does not see the noise level, so it learns one compromise for all of them: --conditioning scale \
                 or concat gives it the level"
                    .to_string(),
            );
        }
        warnings
    }
}
