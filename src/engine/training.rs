//! A training run: its plan, where it stands, and what runs it.

use crate::error::{Error, Result};
use crate::model::{MlpSpec, Model};
use crate::objective::{Objective, Program, Proposal};
use crate::optimizer::Optimizer;
use crate::points::Points;
use crate::random::Seed;

/// Everything a training run is, apart from the data and where it stands.
#[derive(Debug, Clone)]
pub struct TrainingPlan {
    /// What is minimised.
    pub objective: Objective,
    /// Samples of a step, drawn with replacement.
    pub batch: usize,
    /// How the gradient becomes a step.
    pub optimizer: Optimizer,
    /// Steps of the whole run (the learning-rate schedule ends there).
    pub steps: u64,
    /// The seed of batches and noise.
    pub seed: Seed,
}

impl TrainingPlan {
    /// Refuses what cannot be trained.
    ///
    /// # Errors
    /// A network that the objective is not defined for, or a replay buffer that has not a chain for each sample.
    pub fn check(&self, spec: &MlpSpec) -> Result<()> {
        self.objective.check(spec)?;
        match &self.objective {
            Objective::Pcd(_, replay) if replay.slots < self.batch => Err(Error::input(format!(
                "a replay buffer of {} chains for a batch of {}: each sample of a step needs a chain of its own",
                replay.slots, self.batch
            ))
            .hint("a larger --buffer, or a smaller --batch")),
            _ => Ok(()),
        }
    }

    /// Whether chains make the negative points.
    pub(crate) fn has_chains(&self, spec: &MlpSpec) -> bool {
        match self.objective.program(spec.head()) {
            Program::Contrast(contrast) => matches!(contrast.proposal, Proposal::Chains(..)),
            _ => false,
        }
    }
}

/// Where a training run stands: what it needs to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingState {
    /// Steps done.
    pub step: u64,
    /// Parameters.
    pub parameters: Vec<f64>,
    /// Their exponential moving average.
    pub ema: Vec<f64>,
    /// First moments of Adam.
    pub first_moment: Vec<f64>,
    /// Second moments of Adam.
    pub second_moment: Vec<f64>,
    /// The replay buffer of persistent chains, `[slots, dim]`; none before the first step, and for other objectives.
    pub replay: Option<Points>,
}

impl TrainingState {
    /// The state before the first step.
    pub fn start(model: &Model) -> Self {
        let zero = vec![0.0; model.parameters.len()];
        Self {
            step: 0,
            parameters: model.parameters.clone(),
            ema: model.parameters.clone(),
            first_moment: zero.clone(),
            second_moment: zero,
            replay: None,
        }
    }
}

/// What a step reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRecord {
    /// The step, from 1.
    pub step: u64,
    /// The mean loss of its batch, before the step.
    pub loss: f64,
    /// The norm of its gradient, before clipping.
    pub gradient_norm: f64,
}

impl StepRecord {
    /// Neither NaN nor infinite.
    pub fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.gradient_norm.is_finite()
    }
}

/// A training run on a device. A step whose loss or gradient is not finite changes nothing, and neither does any after
/// it, so the state is then the last good one; persistent chains alone have made the bad step's moves.
pub trait Training {
    /// Does some 50 to 100 ms of work, up to step `until`, and returns the records that have arrived since, in order.
    ///
    /// # Errors
    /// The device failed.
    fn advance(&mut self, until: u64) -> Result<Vec<StepRecord>>;

    /// Waits for all work and returns where the run stands.
    ///
    /// # Errors
    /// The device failed.
    fn state(&mut self) -> Result<TrainingState>;

    /// Waits for all work and returns the negative points of the last step, `[batch, dim]`, where chains make them and there
    /// has been a step.
    ///
    /// # Errors
    /// The device failed.
    fn negatives(&mut self) -> Result<Option<Points>>;
}
