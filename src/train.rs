//! The training loop: it drives an engine, watches for divergence, keeps the history, and goes on from where a run was left.

mod history;
mod saved;

use std::time::Instant;

use crate::engine::{Engine, StepRecord, Training, TrainingPlan, TrainingState};
use crate::error::Result;
use crate::eval::{Health, Validation};
use crate::model::Model;
use crate::objective::Objective;
use crate::points::Points;
pub use history::History;
pub use saved::{read_progress, write_progress};

/// Where a run stands: what it needs to go on as if it had never stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The optimizer's and the chains' part of it.
    pub state: TrainingState,
    /// What held-out points have said.
    pub looks: Looks,
    /// The loss so far.
    pub history: History,
    /// Time spent, in seconds.
    pub seconds: f64,
}

impl Progress {
    /// The state before the first step.
    pub fn start(model: &Model) -> Self {
        Self { state: TrainingState::start(model), looks: Looks::default(), history: History::default(), seconds: 0.0 }
    }
}

/// What looks at held-out points have come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looks {
    /// The best look, and the parameters that it saw; none before the first.
    pub best: Option<(Best, Vec<f64>)>,
    /// Looks since then.
    pub waited: u64,
}

/// What a training run leaves.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The network with averaged parameters (the last ones if there is no averaging); where held-out points were watched,
    /// that of the best look.
    pub model: Model,
    /// Where the run stands: the last good state if it diverged.
    pub progress: Progress,
    /// The step whose loss or gradient was not finite, if there was one.
    pub diverged: Option<StepRecord>,
}

impl Trained {
    /// The best loss on held-out points, where they were watched.
    pub fn best(&self) -> Option<Best> {
        self.progress.looks.best.as_ref().map(|(best, _)| *best)
    }

    /// After how many steps the network was `model`.
    pub fn step_of_model(&self) -> u64 {
        self.best().map_or(self.progress.state.step, |best| best.step)
    }

    /// The mean loss of the last tenth of the steps: see [`History::final_loss`].
    pub fn final_loss(&self) -> f64 {
        self.progress.history.final_loss()
    }

    /// Steps done in a second.
    pub fn steps_per_second(&self) -> f64 {
        self.progress.history.steps() as f64 / self.progress.seconds
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
    /// Steps between checkpoints; 0 for none but the last and those that the watcher wants.
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

    /// The run stands at a multiple of [`Pauses::checkpoints`], at its end, or soon after [`Watch::wants_checkpoint`]; `model`
    /// is the network with averaged parameters. Everything else about the steps so far has been told.
    ///
    /// # Errors
    /// As [`Watch::steps`].
    fn checkpoint(&mut self, progress: &Progress, model: &Model) -> Result<()>;

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

    /// Whether a checkpoint is wanted as soon as what is in flight is done.
    fn wants_checkpoint(&self) -> bool {
        false
    }
}

/// Looks at chains in a run.
const LOOKS: u64 = 100;

/// Trains `model` on `data` from `progress` to the plan's end, or until held-out points end it. The result is the same, bit for
/// bit, however often it was left and taken up again on one device.
///
/// # Errors
/// The device failed, or the watcher did. A run that diverges is no error here: see [`Trained::diverged`].
pub fn train(
    engine: &dyn Engine,
    model: &Model,
    plan: &TrainingPlan,
    data: &Points,
    progress: Progress,
    pauses: Pauses<'_>,
    watch: &mut dyn Watch,
) -> Result<Trained> {
    let training = engine.train(model, plan, data, progress.state.clone())?;
    let clock = (Instant::now(), progress.seconds);
    let mut course = Course { engine, model, plan, data, training, progress, clock, diverged: None, watch };
    let looks = if plan.has_chains(&model.spec) { plan.steps.div_ceil(LOOKS) } else { 0 };
    let Pauses { checkpoints: every, stopping } = pauses;
    let looked = stopping.map_or(0, |s| s.every);
    while !course.is_over(stopping) {
        let done = course.done();
        let next = |interval: u64| done.checked_div(interval).map_or(plan.steps, |n| (n + 1) * interval);
        course.go(next(every).min(next(looks)).min(next(looked)).min(plan.steps))?;
        if course.diverged.is_some() {
            break;
        }
        let done = course.done();
        let wanted = course.watch.wants_checkpoint();
        let due = |interval: u64| interval > 0 && (done.is_multiple_of(interval) || done == plan.steps);
        if !(wanted || due(every) || due(looks) || due(looked) || done == plan.steps) {
            continue;
        }
        course.stand()?;
        if due(looks) {
            course.look_at_chains()?;
        }
        if let Some(stopping) = stopping.filter(|_| due(looked)) {
            course.look(stopping.validation)?;
        }
        if wanted || due(every) || course.is_over(stopping) {
            course.watch.checkpoint(&course.progress, &course.averaged())?;
        }
    }
    course.stand()?;
    let model = match &course.progress.looks.best {
        Some((_, parameters)) => Model { spec: model.spec.clone(), parameters: parameters.clone() },
        None => course.averaged(),
    };
    Ok(Trained { model, progress: course.progress, diverged: course.diverged })
}

/// A run on its way.
struct Course<'a> {
    engine: &'a dyn Engine,
    model: &'a Model,
    plan: &'a TrainingPlan,
    data: &'a Points,
    training: Box<dyn Training + 'a>,
    /// Its state is that of the last [`Course::stand`].
    progress: Progress,
    /// When this began, and the seconds spent before.
    clock: (Instant, f64),
    diverged: Option<StepRecord>,
    watch: &'a mut dyn Watch,
}

impl Course<'_> {
    /// Steps done.
    fn done(&self) -> u64 {
        self.progress.history.steps()
    }

    /// Whether all steps are done, or held-out points have ended it.
    fn is_over(&self, stopping: Option<EarlyStopping<'_>>) -> bool {
        self.done() >= self.plan.steps || stopping.is_some_and(|s| self.progress.looks.waited >= s.patience)
    }

    /// Goes to step `stop`, or to where the watcher wants a checkpoint.
    fn go(&mut self, stop: u64) -> Result<()> {
        while self.done() < stop && self.diverged.is_none() {
            let records = self.training.advance(stop)?;
            self.hear(&records)?;
            if self.diverged.is_none() && self.watch.wants_checkpoint() {
                // the state is that after all that is in flight, of which the records have not been heard
                let step = self.training.state()?.step;
                let records = self.training.advance(step)?;
                return self.hear(&records);
            }
        }
        Ok(())
    }

    /// Waits for all work, and takes note of where the run stands.
    fn stand(&mut self) -> Result<()> {
        self.progress.state = self.training.state()?;
        self.progress.seconds = self.clock.1 + self.clock.0.elapsed().as_secs_f64();
        Ok(())
    }

    /// The network with averaged parameters (the last ones if there is no averaging).
    fn averaged(&self) -> Model {
        let state = &self.progress.state;
        let parameters = if self.plan.optimizer.ema > 0.0 { &state.ema } else { &state.parameters };
        Model { spec: self.model.spec.clone(), parameters: parameters.clone() }
    }

    fn hear(&mut self, records: &[StepRecord]) -> Result<()> {
        let bad = records.iter().position(|r| !r.is_finite());
        self.diverged = bad.map(|at| records[at]);
        let good = &records[..bad.unwrap_or(records.len())];
        good.iter().for_each(|record| self.progress.history.add(record));
        self.watch.steps(good)
    }

    /// Looks at the chains of the last step, where the objective has any.
    fn look_at_chains(&mut self) -> Result<()> {
        let (Objective::Cd(cd) | Objective::Pcd(cd, _)) = &self.plan.objective else { return Ok(()) };
        let Some(negatives) = self.training.negatives()? else { return Ok(()) };
        let state = &self.progress.state;
        let model = Model { spec: self.model.spec.clone(), parameters: state.parameters.clone() };
        self.watch.health(&Health::of(self.engine, &model, cd, self.data, &negatives, state.replay.as_ref())?)
    }

    /// Looks at held-out points.
    fn look(&mut self, validation: &Validation) -> Result<()> {
        let averaged = self.averaged();
        let (step, loss) = (self.done(), validation.loss(self.engine, &averaged)?);
        self.watch.validated(step, loss)?;
        let looks = &mut self.progress.looks;
        looks.waited += 1;
        // a loss that is not a number is better than nothing only
        if looks.best.as_ref().is_none_or(|(b, _)| loss < b.loss || (b.loss.is_nan() && !loss.is_nan())) {
            *looks = Looks { best: Some((Best { step, loss }, averaged.parameters)), waited: 0 };
        }
        Ok(())
    }
}
