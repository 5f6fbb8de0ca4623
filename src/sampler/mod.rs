//! Samplers: Markov chains that visit points with density proportional to exp(−E).

mod annealed;
pub mod diagnostics;

pub use annealed::{STEP_PER_VARIANCE, annealed};

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
        Ok(Self { step_size, temperature })
    }

    /// √(2 η T), the standard deviation of a step's noise.
    pub fn noise_scale(&self) -> f64 {
        (2.0 * self.step_size * self.temperature).sqrt()
    }
}
