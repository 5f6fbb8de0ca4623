//! The training part of a run, from its start or from a checkpoint, and what it writes on the way.

use ebm_gpu::engine::{Engine, StepRecord, TrainingPlan};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::eval::{Health, Validation};
use ebm_gpu::model::{Model, write_checkpoint};
use ebm_gpu::train::{EarlyStopping, Pauses, Progress, Trained, Watch, train};
use indicatif::ProgressBar;

use super::super::autosave::Autosave;
use super::super::interrupt;
use super::super::metrics::{self, MetricsLog};
use super::super::output::{FAILED, Folder};
use super::super::progress;
use super::super::resume::Origin;
use super::args::{Args, Plan};
use super::checkpoints::{Checkpoints, Saved, metadata};
use super::rollback::Rollbacks;
use crate::cli::notice::notice;

/// Looks at the validation points in a run, unless said.
const LOOKS: u64 = 50;

/// What training is stopped by, if it is.
pub(super) fn validation(args: &Args, plan: &Plan) -> Result<Option<Validation>> {
    let TrainingPlan { objective, seed, .. } = &plan.training;
    let new = || Validation::new(objective, &plan.spec, &plan.data.validation, *seed);
    (args.patience > 0).then(new).transpose()
}

/// Writes the log and the checkpoints of a training run, and moves its progress bar.
struct Recorder<'a> {
    plan: &'a TrainingPlan,
    log: MetricsLog,
    checkpoints: Checkpoints<'a>,
    autosave: Autosave,
    bar: ProgressBar,
}

impl Recorder<'_> {
    fn rate(plan: &TrainingPlan) -> impl Fn(u64) -> f64 {
        move |step| plan.optimizer.rate(step, plan.steps)
    }
}

impl Watch for Recorder<'_> {
    fn steps(&mut self, records: &[StepRecord]) -> Result<()> {
        if let Some(last) = records.last() {
            self.bar.set_position(last.step);
            self.bar.set_message(format!("loss {:.4}", last.loss));
        }
        self.log.add(records, Self::rate(self.plan))
    }

    fn checkpoint(&mut self, progress: &Progress, model: &Model) -> Result<()> {
        let (plan, log, checkpoints) = (self.plan, &mut self.log, &mut self.checkpoints);
        let (step, steps) = (progress.state.step, plan.steps);
        let standing = format!("after step {step} of {steps}, which is saved in {}", checkpoints.path().display());
        self.autosave.save(&standing, || {
            // the log first: a checkpoint without its lines would leave a gap
            let said = log.saved(Self::rate(plan))?;
            checkpoints.write(progress, model, said)
        })
    }

    fn validated(&mut self, _: u64, loss: f64) -> Result<()> {
        self.log.validation(loss);
        Ok(())
    }

    fn health(&mut self, health: &Health) -> Result<()> {
        self.log.health(health);
        Ok(())
    }

    fn wants_checkpoint(&self) -> bool {
        self.autosave.is_due()
    }
}

/// What a run trains with and writes to.
pub(super) struct Ground<'a> {
    pub(super) args: &'a Args,
    pub(super) plan: &'a Plan,
    pub(super) validation: Option<&'a Validation>,
    pub(super) engine: &'a dyn Engine,
    pub(super) folder: &'a Folder,
    pub(super) origin: &'a Origin,
}

impl Ground<'_> {
    /// Trains from `saved`, or from the start, and leaves model.safetensors. Where it diverges, it goes back to the newest
    /// checkpoint as often as it may. What has been told on the way is returned as well.
    pub(super) fn train(&self, mut saved: Option<Saved>) -> Result<(Trained, Rollbacks, Vec<String>)> {
        let Self { args, plan, folder, .. } = self;
        // of an earlier end: this one has its own; often there is none
        drop(std::fs::remove_file(folder.file(FAILED)));
        let mut told = Vec::new();
        let mut rollbacks = saved.as_ref().map_or(Ok(Rollbacks::default()), |saved| Rollbacks::of(&saved.metadata))?;
        let trained = loop {
            let trained = self.attempt(saved, &rollbacks, &mut told)?;
            match trained.diverged {
                Some(bad) if rollbacks.0.len() < args.rollback => {
                    let newest = || Saved::newest(folder);
                    let (found, mut spoilt) = newest()?;
                    saved = found;
                    // a checkpoint that training diverged from twice may be what is wrong
                    if let Some(doomed) = saved.take_if(|saved| rollbacks.has_gone_to(saved.progress.state.step)) {
                        doomed.discard();
                        let (found, more) = newest()?;
                        saved = found;
                        spoilt.extend(more);
                    }
                    let back_to = saved.as_ref().map_or(0, |saved| saved.progress.state.step);
                    let sentence = rollbacks.add(bad.step, back_to, plan.training.optimizer.learning_rate);
                    if !args.quiet {
                        spoilt.iter().chain([&sentence]).for_each(|warning| notice!("warning: {warning}"));
                    }
                    told.extend(spoilt);
                }
                _ => break trained,
            }
        };
        let path = folder.file("model.safetensors");
        write_checkpoint(&path, &trained.model, &metadata(plan, trained.step_of_model()))?;
        if let Some(bad) = trained.diverged {
            let sentence = format!(
                "training diverged at step {}{}: the loss was {:e}, the norm of its gradient {:e}; {} holds the model of step {}",
                bad.step,
                rollbacks.in_words(),
                bad.loss,
                bad.gradient_norm,
                path.display(),
                trained.step_of_model()
            );
            return Err(self.failed(sentence, &rollbacks));
        }
        Ok((trained, rollbacks, told))
    }

    /// That training has diverged for good. It is left in failed.json as well, as `compare` does it, with all rollbacks: no
    /// checkpoint tells of those after it.
    fn failed(&self, sentence: String, rollbacks: &Rollbacks) -> Error {
        let Self { args, folder, .. } = self;
        let failure = serde_json::json!({
            "failure": sentence,
            "rollbacks": rollbacks.0,
            "version": env!("CARGO_PKG_VERSION"),
            "source": args.stamp(),
        });
        // the sentence says all of it: where the file cannot be written, that is not what went wrong
        drop(folder.write_json(FAILED, &failure));
        let more = args.rollback + 3;
        Error::diverged(sentence)
            .hint(format!("a smaller --lr, clipping (--clip 1), --rollback {more}, or data without wild outliers"))
    }

    /// Trains to the end, to where held-out points end it, or to where it diverges.
    fn attempt(&self, saved: Option<Saved>, rollbacks: &Rollbacks, told: &mut Vec<String>) -> Result<Trained> {
        let Self { args, plan, validation, engine, folder, origin } = *self;
        let model = plan.spec.initial(plan.seed);
        let mut training = plan.training.clone();
        training.optimizer.learning_rate = rollbacks.learning_rate(training.optimizer.learning_rate);
        let (progress, said) = match saved {
            Some(saved) => (saved.progress, saved.metadata.get(Checkpoints::SAID).cloned()),
            None => (Progress::start(&model), None),
        };
        let done = progress.history.steps();
        let (log, gap) = MetricsLog::open(&folder.file(metrics::FILE), args.steps, done, said.as_deref())?;
        if let Some(gap) = gap.filter(|gap| !told.contains(gap)) {
            if !args.quiet {
                notice!("warning: {gap}");
            }
            told.push(gap);
        }
        let checkpoints = Checkpoints::new(folder, args.keep, plan, origin, rollbacks)?;
        // a program that was killed may have left some too many, and halves
        checkpoints.prune(progress.state.step);
        let bar = progress::bar("training", args.steps, args.quiet);
        bar.set_position(progress.state.step);
        bar.reset_eta();
        let autosave = Autosave::new(args.endurance.interval()?);
        let mut recorder = Recorder { plan: &training, log, checkpoints, autosave, bar };
        let stopping = validation.map(|validation| EarlyStopping {
            validation,
            every: args.validate_every.unwrap_or(args.steps.div_ceil(LOOKS)),
            patience: args.patience,
        });
        let pauses = Pauses { checkpoints: args.checkpoint_every, stopping };
        let data = &plan.data.train;
        let trained = interrupt::heed(|| train(engine, &model, &training, data, progress, pauses, &mut recorder));
        recorder.bar.finish_and_clear();
        let trained = trained?;
        recorder.log.finish(Recorder::rate(&training))?;
        Ok(trained)
    }
}
