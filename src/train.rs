//! The training loop: it drives an engine, watches for divergence, and keeps the history.

use std::time::Instant;

use crate::engine::{Engine, StepRecord, TrainingPlan, TrainingState};
use crate::error::Result;
use crate::eval::{Health, Validation};
use crate::model::Model;
use crate::objective::Objective;
use crate::points::Points;

/// What a training run leaves.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The network with averaged parameters (the last ones if there is no averaging).
    pub model: Model,
    /// Where the run stands: the last good state if it diverged.
    pub state: TrainingState,
    /// Every step's record, in order.
    pub history: Vec<StepRecord>,
    /// Time spent, in seconds.
    pub seconds: f64,
    /// The step whose loss or gradient was not finite, if there was one.
    pub diverged: Option<StepRecord>,
    /// The best loss on held-out points, where they were watched; `model` is that of its step.
    pub best: Option<Best>,
}

impl Trained {
    /// The mean loss of the last tenth of the steps.
    pub fn final_loss(&self) -> f64 {
        let tail = &self.history[self.history.len() - self.history.len().div_ceil(10)..];
        tail.iter().map(|r| r.loss).sum::<f64>() / tail.len() as f64
    }

    /// Steps done in a second.
    pub fn steps_per_second(&self) -> f64 {
        self.history.len() as f64 / self.seconds
    }
}

/// The best that held-out points have seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    /// After how many steps.
    pub step: u64,
    /// The loss on held-out points.
    pub loss: f64,
}

/// Training by what held-out points say: the best network is kept, and training ends when none is better for a while.
#[derive(Debug, Clone, Copy)]
pub struct EarlyStopping<'a> {
    /// The points.
    pub validation: &'a Validation,
    /// Steps between looks at them.
    pub every: u64,
    /// Looks in a row without a better loss that end training.
    pub patience: u64,
}

/// Where training stops for a while.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pauses<'a> {
    /// Steps between checkpoints; 0 for none.
    pub checkpoints: u64,
    /// The looks that may end it, if any.
    pub stopping: Option<EarlyStopping<'a>>,
}

/// What a caller wants to hear of during training.
pub trait Watch {
    /// Some steps have been done.
    ///
    /// # Errors
    /// What the watcher writes cannot be written: the run ends.
    fn steps(&mut self, records: &[StepRecord]) -> Result<()>;

    /// The run stands at a multiple of `every` steps, or at its end.
    ///
    /// # Errors
    /// As [`Watch::steps`].
    fn checkpoint(&mut self, state: &TrainingState, model: &Model) -> Result<()>;

    /// The loss on held-out points after `step` steps, where they are watched.
    ///
    /// # Errors
    /// As [`Watch::steps`].
    fn validated(&mut self, _step: u64, _loss: f64) -> Result<()> {
        Ok(())
    }

    /// How the chains of the last step are, at most some hundred times a run, where an objective has any.
    ///
    /// # Errors
    /// As [`Watch::steps`].
    fn health(&mut self, health: &Health) -> Result<()>;
}

/// Looks at chains in a run.
const LOOKS: u64 = 100;

/// Trains `model` on `data` from `state` to the plan's end, or until held-out points end it.
///
/// # Errors
/// The device failed, or the watcher did. A run that diverges is no error here: see [`Trained::diverged`].
pub fn train(
    engine: &dyn Engine,
    model: &Model,
    plan: &TrainingPlan,
    data: &Points,
    state: TrainingState,
    pauses: Pauses<'_>,
    watch: &mut dyn Watch,
) -> Result<Trained> {
    let start = Instant::now();
    let mut done = state.step;
    let mut history = Vec::with_capacity(plan.steps.saturating_sub(done) as usize);
    let mut diverged = None;
    let mut training = engine.train(model, plan, data, state)?;
    let looks = if plan.has_chains(&model.spec) { plan.steps.div_ceil(LOOKS) } else { 0 };
    let Pauses { checkpoints: every, stopping } = pauses;
    let looked = stopping.map_or(0, |s| s.every);
    let (mut best, mut kept, mut waited): (Option<Best>, Option<Model>, u64) = (None, None, 0);
    while done < plan.steps && diverged.is_none() {
        let next = |interval: u64| done.checked_div(interval).map_or(plan.steps, |n| (n + 1) * interval);
        let stop = next(every).min(next(looks)).min(next(looked)).min(plan.steps);
        while done < stop && diverged.is_none() {
            let records = training.advance(stop)?;
            let good = records.iter().position(|r| !r.is_finite());
            diverged = good.map(|at| records[at]);
            let records = &records[..good.unwrap_or(records.len())];
            done += records.len() as u64;
            history.extend_from_slice(records);
            watch.steps(records)?;
        }
        let due = |interval: u64| interval > 0 && (done.is_multiple_of(interval) || done == plan.steps);
        if diverged.is_none() && (due(every) || due(looks) || due(looked)) {
            let state = training.state()?;
            let contrastive = match &plan.objective {
                Objective::Cd(cd) | Objective::Pcd(cd, _) if due(looks) => Some(cd),
                _ => None,
            };
            if let Some((cd, negatives)) = contrastive.zip(training.negatives()?) {
                let model = Model { spec: model.spec.clone(), parameters: state.parameters.clone() };
                watch.health(&Health::of(engine, &model, cd, data, &negatives, state.replay.as_ref())?)?;
            }
            if due(every) {
                watch.checkpoint(&state, &averaged(model, plan, &state))?;
            }
            if let Some(stopping) = stopping.filter(|_| due(looked)) {
                let averaged = averaged(model, plan, &state);
                let loss = stopping.validation.loss(engine, &averaged)?;
                watch.validated(done, loss)?;
                waited += 1;
                // a loss that is not a number is better than nothing only
                if best.is_none_or(|b| loss < b.loss || (b.loss.is_nan() && !loss.is_nan())) {
                    (best, kept, waited) = (Some(Best { step: done, loss }), Some(averaged), 0);
                }
                if waited >= stopping.patience {
                    break;
                }
            }
        }
    }
    let state = training.state()?;
    let seconds = start.elapsed().as_secs_f64();
    let model = kept.unwrap_or_else(|| averaged(model, plan, &state));
    Ok(Trained { model, state, history, seconds, diverged, best })
}

fn averaged(model: &Model, plan: &TrainingPlan, state: &TrainingState) -> Model {
    let parameters = if plan.optimizer.ema > 0.0 { &state.ema } else { &state.parameters };
    Model { spec: model.spec.clone(), parameters: parameters.clone() }
}
