//! `run`: trains, samples, evaluates and draws.

mod args;
mod checkpoints;
mod page;
mod resume;
mod rollback;
mod sampling;
mod summary;
mod training;

use std::time::Instant;

use ebm_gpu::check::startup;
use ebm_gpu::data::npy::write_npy_samples;
use ebm_gpu::engine::{Engine, TrainingState};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::eval::{Evaluation, Target};

use super::endurance::Enduring;
use super::figures::{self, Part};
use super::interrupt;
use super::metrics;
use super::progress;
use super::resume::{Origin, is_complete, refuse_another};
use crate::cli::notice::notice;
pub(super) use args::Args;
use args::Plan;
use sampling::{sampling, starting_points};
use summary::{LANGEVIN, Summary, ValidationSummary, conventions, print_summary};
use training::Ground;

/// What a run leaves last.
const SUMMARY: &str = "run.json";
/// Chains and levels of annealed importance sampling after training, in three dimensions and more: what takes about a second.
const ANNEALING: (usize, u32) = (512, 200);

pub(super) fn run(mut args: Args) -> Result<()> {
    args.resolve();
    if let Some(folder) = &args.resume {
        refuse_another(folder, &args.config()?)?;
        if is_complete(folder, SUMMARY, args.json)? {
            return Ok(());
        }
    }
    let plan = args.plan()?;
    let (flags, endurance) = (args.engine.clone(), args.endurance.clone());
    let mut engine = Enduring::open(&flags, &endurance, args.quiet)?;
    let summary = engine.during(|engine, losses| carried_out(&mut args, &plan, engine, losses))?;
    if args.json { super::print_json(&summary) } else { print_summary(&summary) }
}

/// The same for another command, without a word: what run.json holds.
pub(super) fn perform(mut args: Args, engine: &dyn Engine, losses: &[String]) -> Result<serde_json::Value> {
    let plan = args.plan()?;
    let summary = carried_out(&mut args, &plan, engine, losses)?;
    serde_json::to_value(&summary).map_err(|e| Error::failed(format!("cannot write the run as JSON: {e}")))
}

/// The whole run, or what is left of one. Once it has its folder, the same again goes on with what lies there.
fn carried_out(args: &mut Args, plan: &Plan, engine: &dyn Engine, losses: &[String]) -> Result<Summary> {
    let start = Instant::now();
    let mut warnings = plan.warnings.clone();
    if !args.quiet {
        warnings.iter().for_each(|w| notice!("warning: {w}"));
    }
    warnings.extend_from_slice(losses);
    fits(args, plan, engine)?;
    let watched = training::validation(args, plan)?;
    let (folder, saved) = resume::place(args, plan)?;
    args.resume = Some(folder.path().to_path_buf());
    let args = &*args;
    let seconds_before = saved.as_ref().map_or(0.0, |saved| saved.progress.seconds);
    let origin = Origin::new(plan.data.identity(), engine);
    let checked = saved.as_ref().map(|saved| saved.check(plan, &origin, &args.source.data));
    if let Some(warning) = checked.transpose()?.flatten() {
        warn(args, &mut warnings, warning);
    }
    interrupt::advise(|| format!("`ebm-gpu run --resume {}` goes on", folder.path().display()));
    let config = args.config()?;
    folder.write("config.toml", &config)?;

    let ground = Ground { args, plan, validation: watched.as_ref(), engine, folder: &folder, origin: &origin };
    let (trained, rollbacks, told) = ground.train(saved)?;
    warnings.extend(told);
    warnings.extend(rollbacks.sentences());
    // cd and pcd are watched by another loss, on a scale of its own
    let is_own = watched.as_ref().is_some_and(|v| v.name() == plan.training.objective.name());
    let held_out = if is_own { metrics::held_out(&folder.file(metrics::FILE))? } else { Vec::new() };
    figures::training_figure(
        &folder,
        &trained,
        &held_out,
        &format!("{} loss", plan.training.objective.title()),
        &format!("{} on {}", args.objective.loss, plan.data.name),
    )?;
    if let Some([first, last]) = trained.progress.history.runaway() {
        let warning = format!(
            "training has run away: the loss was {first:.3e} at first and is {last:.3e} at the end; a smaller --lr, or --clip"
        );
        warn(args, &mut warnings, warning);
    }
    if let Some(warning) = sampling::wild_negatives(plan, engine, &trained.model)? {
        warn(args, &mut warnings, warning);
    }
    let sigma = plan.training.objective.smoothing();
    // the network at its smallest noise level, where it has any
    let model = trained.model.at(sigma);
    let (chains, chain_summary) = match args.chains {
        0 => (None, None),
        _ => {
            let (chains, summary) = sampling(args, plan, engine, &trained.model)?;
            let samples = plan.data.transform.output(&chains);
            write_npy_samples(&folder.file("samples.npy"), &samples, plan.data.transform.is_identity())?;
            let name = format!("model{}", level_note(sigma));
            figures::chain_figure(&folder, &plan.data, Part::Training, &samples, &name, &title(args, plan))?;
            (Some(chains), Some(summary))
        }
    };
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
    let mut metrics = evaluation.run()?;
    if chain_summary.as_ref().is_some_and(|chains| chains.temperature != 1.0 || chains.denoised) {
        metrics.leave_out_chains_energy();
    }
    if let Some(note) = &metrics.note {
        warn(args, &mut warnings, note.clone());
    }
    if let Some((chains, summary)) = chains.as_ref().zip(chain_summary.as_ref()) {
        sampling::warnings(plan, chains, summary, &metrics).into_iter().for_each(|w| warn(args, &mut warnings, w));
    }
    let title = title(args, plan);
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
        conventions: conventions(plan),
        sigma: (sigma > 0.0).then_some(sigma),
        chains_start: "a normal law with the mean and the variances of the training data (annealed: smoothed by the first level)",
        seed: args.seed,
        batch: args.batch,
        steps: trained.progress.state.step,
        transform: plan.data.transform.formula(),
        train_points: plan.data.train.count(),
        validation_points: plan.data.validation.count(),
        test_points: plan.data.test.count(),
        train_seconds: trained.progress.seconds,
        steps_per_second: trained.steps_per_second(),
        final_loss: trained.final_loss(),
        validation: trained.best().zip(watched).map(|(best, watched)| ValidationSummary {
            loss: watched.name(),
            best: best.loss,
            best_step: best.step,
            stopped: trained.progress.state.step < args.steps,
        }),
        log_z: target.normalized.then(|| model.output_bias()),
        bits_per_dim: metrics.nll_data.and_then(|nll| plan.data.transform.bits_per_dim(nll, plan.data.dim())),
        metrics,
        chains: chain_summary,
        rollbacks: rollbacks.0,
        warnings,
        total_seconds: seconds_before + start.elapsed().as_secs_f64(),
        out: folder.path().to_path_buf(),
    };
    page::write(&folder, &summary, plan.training.objective.title(), &config)?;
    // the last: a run that has it is complete
    folder.write_json(SUMMARY, &summary)?;
    Ok(summary)
}

/// Tells of something that the user should know, now and in the summary.
fn warn(args: &Args, warnings: &mut Vec<String>, warning: String) {
    if !args.quiet {
        notice!("warning: {warning}");
    }
    warnings.push(warning);
}

fn title(args: &Args, plan: &Plan) -> String {
    format!("{}{} on {}", args.objective.loss, level_note(plan.training.objective.smoothing()), plan.data.name)
}

/// `, σ = 0.3` for a figure; nothing for a law that is not smoothed.
fn level_note(sigma: f64) -> String {
    if sigma > 0.0 { format!(", σ = {sigma}") } else { String::new() }
}

/// Makes the training run and the chains once, so that what does not fit the device is refused before anything is written, and
/// on a GPU takes their first steps on a few samples beside the reference; what is compiled here is kept.
fn fits(args: &Args, plan: &Plan, engine: &dyn Engine) -> Result<()> {
    let (model, data) = (plan.spec.initial(plan.seed), &plan.data.train);
    engine.train(&model, &plan.training, data, TrainingState::start(&model))?;
    let is_checked = engine.name() == "gpu" && !args.endurance.no_check;
    if is_checked {
        startup::training(engine, &model, &plan.training, data)?;
    }
    if args.chains > 0 {
        let (sigma, step) = plan.sampling.levels[0];
        let (model, step, start) = (model.at(sigma), step.into(), starting_points(args, plan));
        engine.chains((&model).into(), &step, &start, plan.seed)?;
        if is_checked {
            startup::chains(engine, (&model).into(), &step, &start, plan.seed)?;
        }
    }
    Ok(())
}
