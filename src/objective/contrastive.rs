//! Contrastive divergence (Hinton 2002), and persistent contrastive divergence (Tieleman 2008): the energy falls at the data
//! and rises where chains on the energy itself end.
//!
//! The loss of a sample is E(x⁺) − E(x⁻) + α (E(x⁺)² + E(x⁻)²), with x⁻ the end of k Langevin steps
//! x ← x − η∇E(x) + √(2η) ξ from the data point (`cd`) or from a replay buffer (`pcd`). x⁻ is a constant: no gradient goes
//! through the chain. The value of the loss goes to 0 when chains follow the data, and says nothing else.

use super::{Form, Replay};
use crate::error::{Error, Result};

/// Hyper-parameters that `cd` and `pcd` share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrastive {
    /// k, the Langevin steps of a chain in one training step.
    pub steps: usize,
    /// η, which multiplies the gradient.
    pub step_size: f64,
    /// α, which keeps energies near 0.
    pub alpha: f64,
    /// The standard deviation of normal noise on the data: the model is then that of the smoothed law.
    pub data_noise: f64,
}

/// The most steps of a chain in one training step.
const MOST_STEPS: usize = 1 << 16;
/// The largest α that does not visibly flatten energies of toy laws.
const GENTLE: f64 = 0.1;

impl Contrastive {
    /// Checks every number.
    ///
    /// # Errors
    /// A number outside its range, with the range.
    pub fn new(steps: usize, step_size: f64, alpha: f64, data_noise: f64) -> Result<Self> {
        if !(1..=MOST_STEPS).contains(&steps) {
            return Err(Error::input(format!("k is {steps}, chains make from 1 to {MOST_STEPS} steps")));
        }
        if !(1e-12..=1e6).contains(&step_size) {
            return Err(Error::input(format!("eta is {step_size}, a step size is from 1e-12 to 1e6")));
        }
        for (name, value) in [("alpha", alpha), ("data-noise", data_noise)] {
            if !(0.0..=1e6).contains(&value) {
                return Err(Error::input(format!("{name} is {value}, it has to be from 0 to 1e6")));
            }
        }
        Ok(Self { steps, step_size, alpha, data_noise })
    }

    /// √(2η), the standard deviation of a step's noise.
    pub fn noise_scale(&self) -> f64 {
        (2.0 * self.step_size).sqrt()
    }

    pub(super) fn formula(&self, replay: Option<&Replay>) -> String {
        let start = match replay {
            None => "the data point".to_string(),
            Some(replay) => format!("a replay buffer of {} chains", replay.slots),
        };
        let form = Form::Difference { alpha: self.alpha }.formula(1);
        format!(
            "{form}, y after {} steps y <- y - eta grad E(y) + sqrt(2 eta) xi from {start}, eta = {}",
            self.steps, self.step_size
        )
    }

    /// Conventions under their names.
    pub(super) fn conventions(&self, replay: Option<&Replay>) -> Vec<(&'static str, String)> {
        let mut all = vec![
            ("negatives", "ends of chains, constants for the gradient".to_string()),
            (
                "negative_chains",
                format!("{} steps, eta = {} multiplies grad E; a paper's h is 2 eta", self.steps, self.step_size),
            ),
            ("alpha", self.alpha.to_string()),
            ("data_noise", format!("{} (a standard deviation)", self.data_noise)),
        ];
        if let Some(replay) = replay {
            let Replay { slots, restart, start } = replay;
            all.push(("replay", format!("{slots} chains, each begins anew with probability {restart} at a step")));
            all.push(("replay_start", start.describe()));
        }
        all
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let alpha = self.alpha;
        let flat = (alpha > GENTLE).then(|| format!("alpha is {alpha}: above {GENTLE} it visibly flattens the energy"));
        flat.into_iter().collect()
    }
}
