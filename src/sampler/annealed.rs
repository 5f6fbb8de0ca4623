//! Annealed Langevin sampling (Song and Ermon 2019, arXiv:1907.05600): unadjusted chains through a ladder of noise levels,
//! from the largest to the smallest, with a step at each in proportion to its variance.
//!
//! η multiplies the score: x ← x + η s(x, σ) + √(2ηT) ξ. Papers that write x + (α/2) s + √α ξ have α = 2η, so a step that is
//! copied from their text has to be halved; the code of NCSN already writes it as here (2e-5 at σ = 0.01 is 0.2 σ²).

use super::Langevin;
use crate::error::Result;
use crate::objective::Ladder;

/// η at the smallest level over its variance, unless said: the bias of the stationary variance is then below 2.6 %.
pub const STEP_PER_VARIANCE: f64 = 0.05;

/// The levels of an annealed run, with the step at each: η_i = η_L (σ_i / σ_L)².
///
/// # Errors
/// A step size or temperature that [`Langevin::new`] refuses.
pub fn annealed(ladder: &Ladder, last_step_size: f64, temperature: f64) -> Result<Vec<(f64, Langevin)>> {
    let smallest = ladder.smallest();
    let at = |sigma: &f64| {
        let step_size = last_step_size * (sigma / smallest).powi(2);
        Ok((*sigma, Langevin::new(step_size, temperature)?))
    };
    ladder.levels().iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_with_the_variance_of_the_level() {
        let ladder = Ladder::geometric(20.0, 1.0, 10).expect("ladder");
        let levels = annealed(&ladder, 0.05, 1.0).expect("steps");
        assert_eq!(levels.len(), 10);
        assert_eq!(levels[9], (1.0, Langevin::new(0.05, 1.0).expect("step")));
        assert!((levels[0].1.step_size - 20.0).abs() < 1e-12 && levels[0].0 == 20.0);
        assert!(annealed(&ladder, 0.0, 1.0).is_err());
    }
}
