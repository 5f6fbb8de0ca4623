//! The unadjusted Langevin algorithm.

use super::Bounds;
use crate::error::{Error, Result};

/// The unadjusted Langevin algorithm: x ← x − η ∇E(x) + √(2 η T) ξ, ξ ~ N(0, I).
///
/// It samples exp(−E/T) up to a bias of order η: on a Gaussian of variance s² at T = 1 its stationary variance is
/// s² / (1 − η / (2 s²)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Langevin {
    /// η, which multiplies the gradient.
    pub step_size: f64,
    /// T.
    pub temperature: f64,
    /// The standard deviation of a step's noise where it is not √(2 η T).
    pub noise: Option<f64>,
    /// Where the chains are kept.
    pub bounds: Option<Bounds>,
}

impl Langevin {
    /// Checks the step size and temperature.
    ///
    /// # Errors
    /// A step size that is not positive, or a temperature that is negative or not finite.
    pub fn new(step_size: f64, temperature: f64) -> Result<Self> {
        if !(step_size > 0.0 && step_size.is_finite()) {
            return Err(Error::input(format!("the step size is {step_size}, Langevin chains need one above 0")));
        }
        if !(temperature >= 0.0 && temperature.is_finite()) {
            return Err(Error::input(format!("the temperature is {temperature}, it has to be 0 or more")));
        }
        Ok(Self { step_size, temperature, noise: None, bounds: None })
    }

    /// The same with noise of this standard deviation, whatever step size and temperature are. It then samples near
    /// exp(−E/T) with T = noise² / (2 η).
    ///
    /// # Errors
    /// A noise that is negative or not finite.
    pub fn with_noise(self, noise: f64) -> Result<Self> {
        if !(noise >= 0.0 && noise.is_finite()) {
            return Err(Error::input(format!("the noise scale is {noise}, it has to be 0 or more")));
        }
        Ok(Self { noise: Some(noise), ..self })
    }

    /// The standard deviation of a step's noise: √(2 η T) unless said.
    pub fn noise_scale(&self) -> f64 {
        self.noise.unwrap_or_else(|| (2.0 * self.step_size * self.temperature).sqrt())
    }
}
