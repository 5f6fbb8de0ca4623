//! How an experiment trains: Adam with the numbers that all the sources share.

use super::Setup;
use crate::engine::{StepRecord, TrainingPlan};
use crate::error::{Error, Result};
use crate::eval::Health;
use crate::model::{MlpSpec, Model};
use crate::objective::Objective;
use crate::optimizer::{Optimizer, Schedule};
use crate::points::Points;
use crate::random::Seed;
use crate::train::{Pauses, Progress, Trained, Watch, train};

/// What is trained, and how.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    /// The network.
    pub(super) spec: MlpSpec,
    /// What is minimised.
    pub(super) objective: Objective,
    /// Samples of a step.
    pub(super) batch: usize,
    /// Steps.
    pub(super) steps: usize,
    /// The learning rate at its highest.
    pub(super) learning_rate: f64,
    /// How the learning rate goes.
    pub(super) schedule: Schedule,
    /// The largest norm of a gradient; 0 for no limit.
    pub(super) clip: f64,
    /// The decay of the average of the parameters; 0 for the last ones.
    pub(super) ema: f64,
}

impl Recipe {
    /// Trains a network from the initial parameters of `seed`.
    pub(super) fn train(&self, setup: &Setup<'_>, data: &Points, seed: u64) -> Result<Model> {
        let diverged = || Error::failed(format!("{} with seed {seed} diverged", self.objective.name()));
        self.attempt(setup, data, seed)?.ok_or_else(diverged)
    }

    /// The same; none if it diverges.
    pub(super) fn attempt(&self, setup: &Setup<'_>, data: &Points, seed: u64) -> Result<Option<Model>> {
        let trained = self.watched(setup, data, seed, 0, |_, _| Ok(()))?;
        Ok(trained.diverged.is_none().then_some(trained.model))
    }

    /// The same, diverged or not; `look` sees the network, averaged as at the end, every `every` steps (0 for never).
    pub(super) fn watched(
        &self,
        setup: &Setup<'_>,
        data: &Points,
        seed: u64,
        every: u64,
        look: impl FnMut(u64, &Model) -> Result<()>,
    ) -> Result<Trained> {
        let optimizer = Optimizer {
            schedule: self.schedule,
            clip: self.clip,
            ema: self.ema,
            ..Optimizer::adam(self.learning_rate)
        };
        let plan = TrainingPlan {
            objective: self.objective.clone(),
            batch: setup.count(self.batch),
            optimizer,
            steps: setup.count(self.steps) as u64,
            seed: Seed(seed),
        };
        let model = self.spec.initial(Seed(seed));
        let pauses = Pauses { checkpoints: every, ..Default::default() };
        train(setup.engine, &model, &plan, data, Progress::start(&model), pauses, &mut Looking(look))
    }
}

/// Hears of checkpoints alone.
struct Looking<F>(F);

impl<F: FnMut(u64, &Model) -> Result<()>> Watch for Looking<F> {
    fn steps(&mut self, _: &[StepRecord]) -> Result<()> {
        Ok(())
    }

    fn checkpoint(&mut self, progress: &Progress, model: &Model) -> Result<()> {
        self.0(progress.state.step, model)
    }

    fn health(&mut self, _: &Health) -> Result<()> {
        Ok(())
    }
}
