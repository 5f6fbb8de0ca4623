//! `repro`: published experiments, repeated.

use std::path::{Path, PathBuf};

use ebm_gpu::error::{Error, Result};
use ebm_gpu::repro::{EXPERIMENTS, Setup, find};

use super::engine::EngineArgs;
use super::output::Folder;
use super::progress;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The experiment; `--list` tells of all
    #[arg(value_name = "NAME", required_unless_present = "list")]
    name: Option<String>,
    /// What the experiments are
    #[arg(long)]
    list: bool,
    /// Run this objective alone, where the experiment compares several
    #[arg(long)]
    loss: Option<String>,
    /// Run this law alone, where the experiment has several
    #[arg(long)]
    data: Option<String>,
    /// Independent repetitions, whose medians are judged
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Divide numbers of steps, points, chains and the batch by this, to see only that the experiment runs: what its lines say
    /// then means nothing
    #[arg(long, default_value_t = 1, value_name = "N")]
    reduce: usize,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder of the results [default: results/repro-<name>]; if it exists, a number is added
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write into the folder even if it exists
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// No progress and no messages
    #[arg(long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let Some(name) = args.name.as_deref().filter(|_| !args.list) else { return list() };
    let experiment = find(name, args.loss.as_deref(), args.data.as_deref())?;
    for (name, count) in [("seeds", args.seeds), ("reduce", args.reduce as u64)] {
        super::check_count(name, count as usize, 1, 10_000)?;
    }
    let engine = args.engine.open(args.quiet)?.engine;
    let default = Path::new("results").join(format!("repro-{name}"));
    let folder = Folder::create(args.out.as_deref().unwrap_or(&default), args.force)?;
    let spinner = progress::spinner(name, args.quiet);
    let setup = Setup {
        engine: engine.as_ref(),
        seeds: args.seeds,
        reduce: args.reduce,
        loss: args.loss.clone(),
        law: args.data.clone(),
        out: folder.path().to_path_buf(),
        progress: &|what| spinner.set_message(format!("{name}: {what}")),
    };
    let report = experiment.run(&setup)?;
    spinner.finish_and_clear();
    if args.json {
        super::print_json(&report)?;
    } else {
        super::print_line(&format!("{report}\nresults   {}", folder.path().display()))?;
    }
    match report.failures() {
        0 => Ok(()),
        failed => Err(Error::failed(format!("{failed} of {} lines of {name} fail", report.judged()))),
    }
}

fn list() -> Result<()> {
    for experiment in EXPERIMENTS {
        super::print_line(&format!("{:<22} {}", experiment.name, experiment.about))?;
    }
    Ok(())
}
