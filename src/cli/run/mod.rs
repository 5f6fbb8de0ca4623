//! `run`: trains, samples, evaluates and draws.

mod args;
mod page;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use ebm_gpu::data::Standardizer;
use ebm_gpu::data::npy::write_npy_f32;
use ebm_gpu::engine::{Engine, StepRecord, TrainingPlan, TrainingState};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::eval::{Evaluation, Health, Metrics, Target, Validation};
use ebm_gpu::model::{Model, write_checkpoint};
use ebm_gpu::objective::Objective;
use ebm_gpu::points::Points;
use ebm_gpu::random::Stream;
use ebm_gpu::sample::{Frames, SamplingPlan, Stage};
use ebm_gpu::train::{EarlyStopping, Pauses, Trained, Watch, train};
use indicatif::ProgressBar;
use serde::Serialize;

use super::dataset::{DataArgs, Stamp};
use super::figures::{self, Part};
use super::output::{Folder, MetricsLog};
use super::progress::{self, ChainBar};
pub(super) use args::Args;
use args::Plan;

/// What `run.json` holds and `--json` prints.
#[derive(Serialize)]
struct Summary {
    version: &'static str,
    engine: &'static str,
    adapter: String,
    data: String,
    /// Size and time of the data's file; none for a toy law.
    source: Option<Stamp>,
    columns: Vec<String>,
    loss: &'static str,
    objective: String,
    langevin: &'static str,
    net: String,
    activation: &'static str,
    head: &'static str,
    conditioning: &'static str,
    conventions: BTreeMap<&'static str, String>,
    /// The smoothing of the law that the model approaches; none for objectives that aim at the data's own.
    sigma: Option<f64>,
    chains_start: &'static str,
    seed: u64,
    batch: usize,
    steps: u64,
    /// What the data went through before the network saw them.
    transform: String,
    train_points: usize,
    validation_points: usize,
    test_points: usize,
    train_seconds: f64,
    steps_per_second: f64,
    final_loss: f64,
    /// What the points for validation have said, where training listened to them.
    validation: Option<ValidationSummary>,
    /// ln Z of the network without the bias of its output, as the objective has learnt it, in the units of the network; none
    /// for objectives that do not.
    log_z: Option<f64>,
    /// −log₂ of the probability of held-out data per value, where they were dequantised and have a density.
    bits_per_dim: Option<f64>,
    metrics: Metrics,
    chains: Option<ChainSummary>,
    warnings: Vec<String>,
    total_seconds: f64,
    out: PathBuf,
}

#[derive(Serialize)]
struct ValidationSummary {
    /// The loss that was taken.
    loss: &'static str,
    /// Its least value, and the step whose network was kept for it.
    best: f64,
    best_step: u64,
    /// Whether training ended for it before its last step.
    stopped: bool,
}

#[derive(Serialize)]
struct ChainSummary {
    sampler: &'static str,
    count: usize,
    steps: u64,
    step_size: f64,
    temperature: f64,
    /// Whether a last step without noise was taken.
    denoised: bool,
    seconds: f64,
    chain_steps_per_second: f64,
    /// Unadjusted chains accept every step.
    acceptance: f64,
}

pub(super) fn run(mut args: Args) -> Result<()> {
    args.resolve();
    let plan = args.plan()?;
    let engine = args.engine.open(args.quiet)?.engine;
    let summary = carried_out(&args, plan, engine.as_ref())?;
    if args.json { super::print_json(&summary) } else { print_summary(&summary) }
}

/// The same for another command, without a word: what run.json holds.
pub(super) fn perform(args: &Args, engine: &dyn Engine) -> Result<serde_json::Value> {
    let summary = carried_out(args, args.plan()?, engine)?;
    serde_json::to_value(&summary).map_err(|e| Error::failed(format!("cannot write the run as JSON: {e}")))
}

fn carried_out(args: &Args, plan: Plan, engine: &dyn Engine) -> Result<Summary> {
    let start = Instant::now();
    let mut warnings = plan.warnings.clone();
    if !args.quiet {
        warnings.iter().for_each(|w| eprintln!("warning: {w}"));
    }
    fits(args, &plan, engine)?;
    let watched = validation(args, &plan)?;
    let default = PathBuf::from("results").join(format!("{}-{}", args.objective.loss, plan.data.name));
    let folder = Folder::create(args.out.as_deref().unwrap_or(&default), args.force)?;
    let config = args.config()?;
    folder.write("config.toml", &config)?;

    let trained = training(args, &plan, watched.as_ref(), engine, &folder)?;
    let sigma = plan.training.objective.smoothing();
    // the network at its smallest noise level, where it has any
    let model = trained.model.at(sigma);
    let (chains, chain_summary) = match args.chains {
        0 => (None, None),
        _ => {
            let (chains, summary) = sampling(args, &plan, engine, &trained.model)?;
            let samples = plan.data.transform.output(&chains);
            let values: Vec<f32> = samples.values().iter().map(|v| *v as f32).collect();
            write_npy_f32(&folder.file("samples.npy"), &[samples.count(), samples.dim()], &values)?;
            let name = format!("model{}", level_note(sigma));
            figures::chain_figure(&folder, &plan.data, Part::Training, &samples, &name, &title(args, &plan))?;
            (Some(chains), Some(summary))
        }
    };
    if let Some(warning) = chains.as_ref().and_then(|c| far_chains(&plan, c)) {
        if !args.quiet {
            eprintln!("warning: {warning}");
        }
        warnings.push(warning);
    }
    let spinner = progress::spinner("evaluating and drawing", args.quiet);
    let target = Target { sigma, normalized: plan.training.objective.normalizes() };
    let evaluation = Evaluation {
        engine,
        model: &model,
        data: &plan.data,
        aim: target,
        chains: chains.as_ref(),
        spread: None,
        annealing: Some(ANNEALING),
        seed: plan.seed,
    };
    let metrics = evaluation.run()?;
    if let Some(note) = &metrics.note {
        if !args.quiet {
            eprintln!("warning: {note}");
        }
        warnings.push(note.clone());
    }
    let title = title(args, &plan);
    figures::field_figures(&folder, engine, &model, &plan.data, Part::Training, &title)?;

    spinner.finish_and_clear();

    let summary = Summary {
        version: env!("CARGO_PKG_VERSION"),
        engine: engine.name(),
        adapter: engine.adapter(),
        data: args.source.data.clone(),
        source: args.source.stamp(),
        columns: plan.data.columns.clone(),
        loss: plan.training.objective.name(),
        objective: plan.training.objective.formula(),
        langevin: LANGEVIN,
        net: plan.spec.to_string(),
        activation: plan.spec.activation().name(),
        head: plan.spec.head().name(),
        conditioning: plan.spec.conditioning().name(),
        conventions: conventions(&plan),
        sigma: (sigma > 0.0).then_some(sigma),
        chains_start: "a normal law with the mean and the variances of the training data (annealed: smoothed by the first level)",
        seed: args.seed,
        batch: args.batch,
        steps: trained.state.step,
        transform: plan.data.transform.formula(),
        train_points: plan.data.train.count(),
        validation_points: plan.data.validation.count(),
        test_points: plan.data.test.count(),
        train_seconds: trained.seconds,
        steps_per_second: trained.steps_per_second(),
        final_loss: trained.final_loss(),
        validation: trained.best.zip(watched).map(|(best, watched)| ValidationSummary {
            loss: watched.name(),
            best: best.loss,
            best_step: best.step,
            stopped: trained.state.step < args.steps,
        }),
        log_z: target.normalized.then(|| model.output_bias()),
        bits_per_dim: metrics.nll_data.and_then(|nll| plan.data.transform.bits_per_dim(nll, plan.data.dim())),
        metrics,
        chains: chain_summary,
        warnings,
        total_seconds: start.elapsed().as_secs_f64(),
        out: folder.path().to_path_buf(),
    };
    folder.write_json("run.json", &summary)?;
    page::write(&folder, &summary, plan.training.objective.title(), &config)?;
    Ok(summary)
}

fn title(args: &Args, plan: &Plan) -> String {
    format!("{}{} on {}", args.objective.loss, level_note(plan.training.objective.smoothing()), plan.data.name)
}

/// `, σ = 0.3` for a figure; nothing for a law that is not smoothed.
fn level_note(sigma: f64) -> String {
    if sigma > 0.0 { format!(", σ = {sigma}") } else { String::new() }
}

const LANGEVIN: &str = "x <- x + step_size s(x) + sqrt(2 step_size temperature) xi, s = -grad E or the field";

/// The conventions on which papers and programs differ.
fn conventions(plan: &Plan) -> BTreeMap<&'static str, String> {
    let mut all = plan.training.objective.conventions();
    all.insert("langevin", format!("{LANGEVIN}; a paper's alpha is 2 step_size"));
    if plan.sampling.name == "annealed" {
        let last = plan.sampling.levels.last().map_or(0.0, |(_, step)| step.step_size);
        all.insert("annealed_step_size", format!("step_size_i = {last} (sigma_i / sigma_L)^2"));
    }
    all
}

/// Makes the training run and the chains once without running them, so that what does not fit the device is refused before
/// anything is written; what is compiled here is kept.
fn fits(args: &Args, plan: &Plan, engine: &dyn Engine) -> Result<()> {
    let model = plan.spec.initial(plan.seed);
    engine.train(&model, &plan.training, &plan.data.train, TrainingState::start(&model))?;
    if args.chains > 0 {
        let (sigma, step) = plan.sampling.levels[0];
        engine.chains((&model.at(sigma)).into(), &step.into(), &starting_points(args, plan), plan.seed)?;
    }
    Ok(())
}

/// Writes the log and the checkpoints of a training run, and moves its progress bar.
struct Recorder<'a> {
    plan: &'a Plan,
    folder: &'a Folder,
    log: MetricsLog,
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

    fn checkpoint(&mut self, state: &TrainingState, model: &Model) -> Result<()> {
        let path = self.folder.subfolder("checkpoints")?.join(format!("step-{:08}.safetensors", state.step));
        write_checkpoint(&path, model, &metadata(self.plan, state.step))
    }

    fn validated(&mut self, _: u64, loss: f64) -> Result<()> {
        self.log.validation(loss);
        Ok(())
    }

    fn health(&mut self, health: &Health) -> Result<()> {
        self.log.health(health);
        Ok(())
    }
}

/// What a checkpoint says beside the network's shape.
fn metadata(plan: &Plan, step: u64) -> Vec<(&'static str, String)> {
    let list = |values: &[f64]| format!("{values:?}");
    // where chains start
    let data = Standardizer::fit(&plan.data.train);
    let sigma = plan.training.objective.smoothing();
    let level = (sigma > 0.0).then(|| ("sigma", sigma.to_string()));
    let ladder = match &plan.training.objective {
        Objective::Denoising(denoising) => Some(("ladder", list(denoising.ladder.levels()))),
        _ => None,
    };
    let noise = match &plan.training.objective {
        Objective::Nce(nce) => {
            vec![("noise_mean", list(nce.noise.origin())), ("noise_std", list(nce.noise.scale()))]
        }
        _ => Vec::new(),
    };
    let shared = [
        ("objective", plan.training.objective.formula()),
        ("step", step.to_string()),
        (DataArgs::KEY, plan.source.clone()),
        ("seed", plan.seed.0.to_string()),
        ("columns", plan.data.columns.join(",")),
        ("data_mean", list(&data.mean)),
        ("data_deviation", list(&data.scale)),
    ];
    let transform = plan.data.transform.metadata();
    let image = plan.data.image.zip(plan.data.range).map(|(shape, range)| {
        let sides = [shape.height, shape.width, shape.channels];
        [("image", format!("{sides:?}")), ("image_range", list(&range))]
    });
    shared
        .into_iter()
        .chain(transform)
        .chain(image.into_iter().flatten())
        .chain(level)
        .chain(ladder)
        .chain(noise)
        .collect()
}

/// Chains and levels of annealed importance sampling after training, in three dimensions and more: what takes about a second.
const ANNEALING: (usize, u32) = (512, 200);

/// Looks at the validation points in a run, unless said.
const LOOKS: u64 = 50;

/// What training is stopped by, if it is.
fn validation(args: &Args, plan: &Plan) -> Result<Option<Validation>> {
    let TrainingPlan { objective, seed, .. } = &plan.training;
    let new = || Validation::new(objective, &plan.spec, &plan.data.validation, *seed);
    (args.patience > 0).then(new).transpose()
}

fn training(
    args: &Args,
    plan: &Plan,
    validation: Option<&Validation>,
    engine: &dyn Engine,
    folder: &Folder,
) -> Result<Trained> {
    let model = plan.spec.initial(plan.seed);
    let log = MetricsLog::create(folder, args.steps)?;
    let mut recorder = Recorder { plan, folder, log, bar: progress::bar("training", args.steps, args.quiet) };
    let state = TrainingState::start(&model);
    let data = &plan.data.train;
    let stopping = validation.map(|validation| EarlyStopping {
        validation,
        every: args.validate_every.unwrap_or(args.steps.div_ceil(LOOKS)),
        patience: args.patience,
    });
    let pauses = Pauses { checkpoints: args.checkpoint_every, stopping };
    let trained = train(engine, &model, &plan.training, data, state, pauses, &mut recorder)?;
    recorder.bar.finish_and_clear();
    recorder.log.finish(Recorder::rate(plan))?;
    let path = folder.file("model.safetensors");
    write_checkpoint(&path, &trained.model, &metadata(plan, trained.best.map_or(trained.state.step, |b| b.step)))?;
    if let Some(bad) = trained.diverged {
        return Err(Error::diverged(format!(
            "training diverged at step {}: the loss was {:e}, the norm of its gradient {:e}; {} holds the model of step {}",
            bad.step,
            bad.loss,
            bad.gradient_norm,
            path.display(),
            trained.best.map_or(trained.state.step, |best| best.step)
        ))
        .hint("a smaller --lr, clipping (--clip 1), or data without wild outliers"));
    }
    figures::training_figure(
        folder,
        &trained,
        &format!("{} loss", plan.training.objective.title()),
        &format!("{} on {}", args.objective.loss, plan.data.name),
    )?;
    Ok(trained)
}

/// Starts chains at a normal law with the data's own mean and variances, and runs them.
fn sampling(args: &Args, plan: &Plan, engine: &dyn Engine, model: &Model) -> Result<(Points, ChainSummary)> {
    let sampling = &plan.sampling;
    let models: Vec<Model> = sampling.levels.iter().map(|(sigma, _)| model.at(*sigma)).collect();
    let stages = models.iter().zip(&sampling.levels).map(|(model, (_, step))| Stage {
        landscape: model.into(),
        transition: (*step).into(),
        steps: sampling.steps,
    });
    let (last, step) = sampling.levels[sampling.levels.len() - 1];
    let chains = SamplingPlan {
        stages: stages.collect(),
        burn_in: 0,
        adapt: None,
        thin: 0,
        denoise: sampling.denoise.then_some(last),
        frames: Frames::default(),
        seed: plan.seed,
    };
    let mut bar = ChainBar(progress::bar("chains", chains.all_steps(), args.quiet));
    let sampled = chains.run(engine, &starting_points(args, plan), &mut bar)?;
    bar.0.finish_and_clear();
    let summary = ChainSummary {
        sampler: sampling.name,
        count: args.chains,
        steps: sampled.steps,
        step_size: step.step_size,
        temperature: step.temperature,
        denoised: sampling.denoise,
        seconds: sampled.seconds,
        chain_steps_per_second: sampled.chain_steps_per_second(),
        acceptance: sampled.acceptance(),
    };
    Ok((sampled.positions, summary))
}

/// How many standard deviations of the data are taken for far.
const FAR: f64 = 20.0;

/// A warning if chains have ended far from all data.
fn far_chains(plan: &Plan, chains: &Points) -> Option<String> {
    let standard = Standardizer::fit(&plan.data.train).apply(chains);
    let far = standard.rows().filter(|x| x.iter().any(|v| v.abs() > FAR)).count();
    (far > 0).then(|| {
        format!(
            "{far} of {} chains ended more than {FAR} standard deviations from the data: the step size is too large, or the \
             model's energy is wrong there",
            chains.count()
        )
    })
}

fn starting_points(args: &Args, plan: &Plan) -> Points {
    let normal = Points::normal::<f64>(args.chains, plan.data.dim(), plan.seed, Stream::Start, 0);
    let mut fitted = Standardizer::fit(&plan.data.train);
    if plan.sampling.name == "annealed" {
        let first = plan.sampling.levels[0].0;
        fitted.scale.iter_mut().for_each(|scale| *scale = scale.hypot(first));
    }
    fitted.undo(&normal)
}

fn print_summary(summary: &Summary) -> Result<()> {
    super::print_line(&format!(
        "trained   {} steps in {:.1} s ({:.0} a second), final loss {:.4}",
        summary.steps, summary.train_seconds, summary.steps_per_second, summary.final_loss
    ))?;
    if let Some(v) = &summary.validation {
        super::print_line(&format!(
            "kept      the network of step {}, whose {} loss on the validation points is {:.4}{}",
            v.best_step,
            v.loss,
            v.best,
            if v.stopped { "; it has not fallen since, which ended training" } else { "" }
        ))?;
    }
    if let Some(c) = &summary.chains {
        super::print_line(&format!(
            "chains    {} of {} steps in {:.1} s ({:.2e} chain steps a second)",
            c.count, c.steps, c.seconds, c.chain_steps_per_second
        ))?;
    }
    let m = &summary.metrics;
    let data = if m.kl.is_some() { "the data's exact law" } else { "held-out data" };
    let smoothed =
        summary.sigma.map(|sigma| format!("{data} smoothed by σ = {sigma}, which is what {} models", summary.loss));
    let smoothed = smoothed.as_deref().map(|law| (law, m.nll, m.kl));
    for (law, nll, kl) in smoothed.into_iter().chain([(data, m.nll_data, m.kl_data)]) {
        let parts: Vec<_> = [("NLL", nll), ("KL", kl)]
            .iter()
            .filter_map(|(name, value)| value.map(|v| format!("{name} {v:.4} nats")))
            .collect();
        if !parts.is_empty() {
            super::print_line(&format!("model     {}: against {law}", parts.join(", ")))?;
        }
    }
    if let Some(distance) = m.swd {
        super::print_line(&format!(
            "samples   sliced Wasserstein distance {distance:.4} from held-out data of the law that {} models",
            summary.loss
        ))?;
    }
    super::print_line(&format!("results   {}  ({:.1} s in all)", summary.out.display(), summary.total_seconds))
}
