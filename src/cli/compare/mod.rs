//! `compare`: objectives on data sets over seeds, in one table and one figure. Runs that are there already stay.

mod args;
mod configuration;
mod curves;
mod figures;
mod page;

use std::collections::BTreeMap;
use std::path::Path;

use ebm_gpu::bench::train_step_ms;
use ebm_gpu::comparison::{Comparison, SECONDS, SHOWN, Trial};
use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::files::{cannot_write, write_atomically};
use serde_json::Value;

use super::config::differences;
use super::endurance::Enduring;
use super::interrupt;
use super::output::{FAILED, lock};
use super::progress;
use super::run;
use crate::cli::notice::notice;
pub(super) use args::Args;
use args::{Budget, Pair};

/// Seconds for which a step is timed to turn a budget of seconds into steps.
const TIMED: f64 = 0.5;

pub(super) fn run(args: &Args) -> Result<()> {
    let (pairs, seeds, budget) = (args.pairs()?, args.seeds()?, args.budget()?);
    // everything is checked before anything is run
    let mut warnings = Vec::new();
    for pair in &pairs {
        let steps = if let Budget::Steps(steps) = budget { steps } else { 1 };
        let of_pair = pair.run(0, steps, &args.out)?.plan()?.warnings;
        for warning in of_pair.into_iter().map(|warning| format!("{}: {warning}", pair.data)) {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
    if !args.quiet {
        warnings.iter().for_each(|warning| notice!("warning: {warning}"));
    }
    let mut enduring = Enduring::open(&args.engine, &args.endurance, args.quiet)?;
    std::fs::create_dir_all(&args.out).map_err(|e| {
        Error::input(format!("cannot make the folder {}: {e}", args.out.display()))
            .hint("--out DIR puts the results elsewhere")
    })?;
    let _lock = lock(&args.out)?;
    if args.force {
        // what is begun anew is gone before the first run, so that what was done of it stays when it is interrupted
        for (pair, seed) in pairs.iter().flat_map(|pair| seeds.clone().map(move |seed| (pair, seed))) {
            let folder = pair.run(seed, 1, &args.out)?.folder();
            ["run.json", FAILED, "config.toml"].iter().try_for_each(|name| removed(&folder.join(name)))?;
        }
    }
    let again = if args.force { "the same command without --force goes on" } else { "the same command again goes on" };
    interrupt::advise(|| again.to_string());
    let steps = enduring.during(|engine, _| steps(engine, &pairs, budget, &args.out))?;
    let bar = progress::bar("runs", pairs.len() as u64 * (seeds.end - seeds.start), args.quiet);
    let (mut comparison, mut kept) = (Comparison::default(), 0);
    for (pair, steps) in pairs.iter().zip(&steps) {
        for (list, name) in [(&mut comparison.data, &pair.data), (&mut comparison.losses, &pair.loss)] {
            if !list.contains(name) {
                list.push(name.clone());
            }
        }
        for seed in seeds.clone() {
            bar.set_message(format!("{} on {}, seed {seed}", pair.loss, pair.data));
            let run = pair.run(seed, *steps, &args.out)?;
            let (trial, was_there) =
                enduring.during(|engine, losses| trial(pair, seed, *steps, run.clone(), engine, losses))?;
            kept += usize::from(was_there);
            comparison.trials.push(trial);
            bar.inc(1);
            if bar.is_hidden() && !args.quiet {
                let (done, all) = (comparison.trials.len(), pairs.len() as u64 * (seeds.end - seeds.start));
                let how = match &comparison.trials[done - 1].failure {
                    Some(failure) => format!("failed: {failure}"),
                    None if was_there => "was there".to_string(),
                    None => "done".to_string(),
                };
                notice!("run {done} of {all}: {} on {}, seed {seed}: {how}", pair.loss, pair.data);
            }
        }
    }
    bar.finish_and_clear();
    write(&args.out.join("compare.csv"), &comparison.csv()?)?;
    if kept > 0 && !args.quiet {
        notice!("{kept} of {} runs were there already", comparison.trials.len());
    }
    let heading = format!(
        "# {} on {}\n\n{} runs of each, {} of training; {}.\n\n",
        comparison.losses.join(", "),
        comparison.data.join(", "),
        seeds.end - seeds.start,
        args.budget_in_words(),
        args.settings(),
    );
    write(&args.out.join("compare.md"), &(heading + &comparison.markdown()))?;
    let spinner = progress::spinner("drawing", args.quiet);
    let first = pairs.iter().zip(&steps).map(|(pair, steps)| pair.run(seeds.start, *steps, &args.out));
    let first = first.collect::<Result<Vec<_>>>()?;
    let (engine, adapter, left_out) = enduring.during(|engine, _| {
        let left_out = figures::draw(engine, &comparison, &first, &args.out)?;
        curves::draw(&comparison, &first, &args.out)?;
        page::write(args, &comparison, &first, engine, left_out.as_deref())?;
        Ok((engine.name().to_string(), engine.adapter(), left_out))
    })?;
    spinner.finish_and_clear();
    if let Some(sentence) = left_out.filter(|_| !args.quiet) {
        notice!("{sentence}");
    }
    let is_failed = |trial: &&Trial| trial.failure.is_some();
    let first = comparison.trials.first().filter(|_| comparison.trials.iter().all(|trial| is_failed(&trial)));
    let outcome = match first.and_then(|trial| trial.failure.as_deref()) {
        Some(failure) => {
            Err(Error::failed(format!("every run has failed, the first as {failure}")).hint("a smaller --set lr=LR"))
        }
        None => Ok(()),
    };
    if args.json {
        let rows: Vec<Value> = comparison.trials.iter().map(row).collect();
        super::print_json(&serde_json::json!({
            "engine": engine, "adapter": adapter, "runs": rows, "out": args.out,
        }))?;
        return outcome;
    }
    super::print_line(&comparison.markdown())?;
    super::print_line(&format!("results   {}", args.out.display()))?;
    outcome
}

fn row(trial: &Trial) -> Value {
    serde_json::json!({
        "data": trial.data, "loss": trial.loss, "seed": trial.seed, "steps": trial.steps, "values": trial.values,
        "failure": trial.failure,
    })
}

/// Removes a file that need not be there.
fn removed(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(cannot_write(path, &e)),
        _ => Ok(()),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    write_atomically(path, text.as_bytes())
}

/// Training steps of each pair. Measured ones are kept, so that a comparison that goes on compares the same runs.
fn steps(engine: &dyn Engine, pairs: &[Pair], budget: Budget, out: &Path) -> Result<Vec<u64>> {
    let seconds = match budget {
        Budget::Steps(steps) => return Ok(vec![steps; pairs.len()]),
        Budget::Seconds(seconds) => seconds,
    };
    let path = out.join("budget.json");
    // other steps would make other runs of those that are there
    let unread = |why: &dyn std::fmt::Display| {
        Error::input(format!("cannot read {}, the steps of a comparison that was begun: {why}", path.display()))
            .hint("without the file they are measured anew, and --force replaces runs of other steps")
    };
    let mut known: BTreeMap<String, u64> = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| unread(&e))?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(e) => return Err(unread(&e)),
    };
    let mut all = Vec::new();
    for pair in pairs {
        let key = format!("{seconds} s of {}", pair.flags().join(" "));
        if !known.contains_key(&key) {
            let plan = pair.run(0, 1, out)?.plan()?;
            let (spec, training) = (&plan.spec, &plan.training);
            let ms = train_step_ms(engine, spec, &training.objective, training.batch, TIMED)?;
            known.insert(key.clone(), ((1e3 * seconds / ms) as u64).max(1));
        }
        all.push(known[&key]);
    }
    let text = serde_json::to_string_pretty(&known)
        .map_err(|e| Error::failed(format!("cannot write the budget as JSON: {e}")))?;
    write(&path, &text)?;
    Ok(all)
}

/// In what a run that is there differs from one that is wanted.
fn difference(folder: &Path, wanted: &str) -> String {
    let there = std::fs::read_to_string(folder.join("config.toml")).unwrap_or_default();
    let all: Vec<String> = differences(&there, wanted).into_iter().map(|(_, sentence)| sentence).collect();
    if all.is_empty() { "of other data or by another version of the program".to_string() } else { all.join("; ") }
}

/// What a run has come to: read where it is there, else run, from its last checkpoint where it has been interrupted.
fn trial(
    pair: &Pair,
    seed: u64,
    steps: u64,
    run: run::Args,
    engine: &dyn Engine,
    losses: &[String],
) -> Result<(Trial, bool)> {
    let folder = run.folder();
    let mut trial = Trial { data: pair.data.clone(), loss: pair.loss.clone(), seed, steps, ..Trial::default() };
    let read = |name: &str| -> Option<Value> { serde_json::from_slice(&std::fs::read(folder.join(name)).ok()?).ok() };
    let (config, stamp) = (run.config()?, run.stamp());
    // how often a run is saved makes no other run
    let is_same = |text: String| differences(&text, &config).iter().all(|(flag, _)| flag == "save-every");
    let same = std::fs::read_to_string(folder.join("config.toml")).is_ok_and(is_same);
    // a run of an earlier version of the program, or of what a file held before, is another run
    let current = |found: &std::result::Result<Value, Value>| {
        let (Ok(run) | Err(run)) = found;
        run["version"] == env!("CARGO_PKG_VERSION") && run["source"] == stamp
    };
    let mut was_there = true;
    let begun = folder.join("config.toml").exists();
    let there = read("run.json").map(Ok).or_else(|| read(FAILED).map(Err));
    let found = match there {
        Some(found) if same && current(&found) => found,
        there if there.is_some() || begun && !same => {
            return Err(Error::input(format!(
                "{} holds another run: {}",
                folder.display(),
                difference(&folder, &config)
            ))
            .hint("--force replaces it, --out DIR starts another comparison"));
        }
        _ => {
            was_there = false;
            let run = if same { run.resumed() } else { run };
            match run::perform(run, engine, losses) {
                Ok(summary) => Ok(summary),
                // the data or the program is not what it was
                Err(e) if e.advice().is_some_and(|advice| advice.contains("without --resume")) => {
                    return Err(e.hint("--force begins the comparison anew, --out DIR starts another"));
                }
                Err(e) if !e.is_divergence() => return Err(e),
                Err(e) => {
                    // with the rollbacks that the run has left there
                    let mut failure = read(FAILED).unwrap_or_default();
                    failure["failure"] = e.to_string().into();
                    failure["version"] = env!("CARGO_PKG_VERSION").into();
                    failure["source"] = stamp;
                    write(&folder.join(FAILED), &failure.to_string())?;
                    Err(failure)
                }
            }
        }
    };
    match found {
        Ok(summary) => {
            trial.sigma = summary["sigma"].as_f64().unwrap_or(0.0);
            for name in SHOWN {
                let value = if *name == SECONDS { &summary[*name] } else { &summary["metrics"][*name] };
                let chance = &summary["metrics"]["null_intervals"][*name];
                let chance = chance[0].as_f64().zip(chance[1].as_f64()).map(|(low, high)| [low, high]);
                value.as_f64().into_iter().for_each(|value| trial.measured(name, value, chance));
            }
        }
        Err(failure) => trial.failure = Some(failure["failure"].as_str().unwrap_or("failed").to_string()),
    }
    Ok((trial, was_there))
}
