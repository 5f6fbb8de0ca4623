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
use super::super::output::Folder;
use super::super::progress;
use super::super::resume::Origin;
use super::args::{Args, Plan};
use super::checkpoints::{Checkpoints, Saved, metadata};

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
    plan: &'a Plan,
    log: MetricsLog,
    checkpoints: Checkpoints<'a>,
    autosave: Autosave,
    bar: ProgressBar,
}

impl Recorder<'_> {
    fn rate(plan: &Plan) -> impl Fn(u64) -> f64 {
        move |step| plan.training.optimizer.rate(step, plan.training.steps)
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
        let (step, steps) = (progress.state.step, plan.training.steps);
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

/// Trains from `saved`, or from the start, and leaves model.safetensors.
pub(super) fn training(
    args: &Args,
    plan: &Plan,
    validation: Option<&Validation>,
    engine: &dyn Engine,
    folder: &Folder,
    origin: &Origin,
    saved: Option<Saved>,
) -> Result<Trained> {
    let model = plan.spec.initial(plan.seed);
    let (progress, said) = match saved {
        Some(saved) => (saved.progress, saved.metadata.get(Checkpoints::SAID).cloned()),
        None => (Progress::start(&model), None),
    };
    let log = MetricsLog::open(&folder.file(metrics::FILE), args.steps, &progress.history, said.as_deref())?;
    let checkpoints = Checkpoints::new(folder, args.keep, plan, origin)?;
    let bar = progress::bar("training", args.steps, args.quiet);
    bar.set_position(progress.state.step);
    bar.reset_eta();
    let mut recorder = Recorder { plan, log, checkpoints, autosave: Autosave::new(), bar };
    let stopping = validation.map(|validation| EarlyStopping {
        validation,
        every: args.validate_every.unwrap_or(args.steps.div_ceil(LOOKS)),
        patience: args.patience,
    });
    let pauses = Pauses { checkpoints: args.checkpoint_every, stopping };
    let data = &plan.data.train;
    let trained = interrupt::heed(|| train(engine, &model, &plan.training, data, progress, pauses, &mut recorder));
    recorder.bar.finish_and_clear();
    let trained = trained?;
    recorder.log.finish(Recorder::rate(plan))?;
    let path = folder.file("model.safetensors");
    write_checkpoint(&path, &trained.model, &metadata(plan, trained.step_of_model()))?;
    if let Some(bad) = trained.diverged {
        return Err(Error::diverged(format!(
            "training diverged at step {}: the loss was {:e}, the norm of its gradient {:e}; {} holds the model of step {}",
            bad.step,
            bad.loss,
            bad.gradient_norm,
            path.display(),
            trained.step_of_model()
        ))
        .hint("a smaller --lr, clipping (--clip 1), or data without wild outliers"));
    }
    Ok(trained)
}
