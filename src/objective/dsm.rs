//! Denoising score matching (Vincent 2011): the score at a noisy point should point back to the clean one.
//!
//! With x̃ = x + σz, z ~ N(0, I) and g = ∇E(x̃), the loss of a sample is ½ w ‖z − σ g‖², so that u = ∂ℓ/∂g =
//! −w σ (z − σ g). The minimiser is the score of p ∗ N(0, σ² I), not that of p.

use crate::error::{Error, Result, unknown_name};
use crate::model::MlpSpec;

/// The factor λ(σ) of ½‖s(x̃) + z/σ‖².
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// λ = 1: ½‖s + z/σ‖².
    One,
    /// λ = σ²: ½‖σ s + z‖², of the same size for every σ.
    Sigma2,
    /// λ = σ⁴: ½‖σ² s + σ z‖².
    Sigma4,
}

impl Weighting {
    /// The names that `--weighting` takes.
    pub const NAMES: &[&str] = &["one", "sigma2", "sigma4"];

    /// The weighting of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest valid one.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "one" => Ok(Self::One),
            "sigma2" => Ok(Self::Sigma2),
            "sigma4" => Ok(Self::Sigma4),
            _ => Err(unknown_name("weighting", name, Self::NAMES)),
        }
    }
}

/// Hyper-parameters of denoising score matching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dsm {
    /// Standard deviation of the noise, in the units of the data the network sees.
    pub sigma: f64,
    /// The factor in front.
    pub weighting: Weighting,
}

impl Dsm {
    /// Checks the noise level.
    ///
    /// # Errors
    /// `sigma` is not a positive number that f32 can hold with its square.
    pub fn new(sigma: f64, weighting: Weighting) -> Result<Self> {
        if !(1e-6..=1e6).contains(&sigma) {
            return Err(Error::input(format!("sigma is {sigma}, dsm needs a noise level from 1e-6 to 1e6"))
                .hint("0.05 to 0.3 times the smallest feature of the data is a good start"));
        }
        Ok(Self { sigma, weighting })
    }

    /// w of the module's formula: λ / σ².
    pub fn weight(&self) -> f64 {
        match self.weighting {
            Weighting::One => self.sigma.powi(-2),
            Weighting::Sigma2 => 1.0,
            Weighting::Sigma4 => self.sigma.powi(2),
        }
    }

    pub(super) fn formula(&self) -> String {
        let form = match self.weighting {
            Weighting::One => "1/2 |s(x + sigma z) + z/sigma|^2",
            Weighting::Sigma2 => "1/2 |sigma s(x + sigma z) + z|^2",
            Weighting::Sigma4 => "1/2 |sigma^2 s(x + sigma z) + sigma z|^2",
        };
        format!("{form}, s = -grad E, sigma = {} (a standard deviation)", self.sigma)
    }

    pub(super) fn warnings(&self, spec: &MlpSpec) -> Vec<String> {
        if spec.activation().is_smooth() {
            return Vec::new();
        }
        vec![format!(
            "{} has no second derivative: its dsm gradient exists almost everywhere but misses the kinks; silu, softplus, \
             tanh and gelu do not have this problem",
            spec.activation().name()
        )]
    }
}
