//! The command line: one file per subcommand, with its arguments and its `run`.

use crate::cli::notice::notice;
mod autosave;
mod bench;
mod chains;
mod check;
mod compare;
mod config;
mod contrast;
mod data;
mod dataset;
mod devices;
mod doubts;
mod endurance;
mod engine;
mod eval;
mod figures;
mod grad;
mod interrupt;
mod metrics;
pub(crate) mod notice;
mod objective;
mod output;
mod page;
mod progress;
mod refusal;
mod repro;
mod resume;
mod run;
mod sample;
mod shaders;
mod unused;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use ebm_gpu::error::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  ebm-gpu run --loss dsm                                   train, sample, evaluate and draw 8gaussians
  ebm-gpu run --loss dsm --engine gpu                      the same through the WGSL kernels
  ebm-gpu run --loss mdsm --conditioning concat            many noise levels, annealed chains
  ebm-gpu run --loss ssm-vr --head score                   a score field without an energy
  ebm-gpu run --loss nce --data 3clusters                  an energy with its normalising constant
  ebm-gpu run --loss dsm --data data/sp500_nasdaq.csv --columns sp500,nasdaq
  ebm-gpu run --resume results/dsm-8gaussians              go on with a run that was interrupted
  ebm-gpu sample results/dsm-8gaussians/model.safetensors --sampler mala
  ebm-gpu eval results/dsm-8gaussians --sampler mala       how good it is, in numbers with errors
  ebm-gpu sample --target gmm --sampler tempering          two far modes with the right weights
  ebm-gpu compare --losses dsm,ssm,cd,ed --seeds 5         which objective is better, and by how much
  ebm-gpu repro --list                                     published experiments, to repeat and judge
  ebm-gpu data list                                        the toy laws that --data knows
  ebm-gpu check                                            does this GPU compute rightly?

Exit codes: 0 done, 1 failed (diverged, a check missed), 2 wrong usage or input, 130 interrupted.
stdout is data (one JSON object with --json), stderr is log and progress.";

/// Train energy-based models and run massive numbers of Langevin chains from hand-written GPU compute kernels.
#[derive(Parser)]
#[command(name = "ebm-gpu", version, after_help = EXAMPLES, args_override_self = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train, sample, evaluate and draw: everything into results/<name>/
    #[command(args_override_self = true)]
    Run(Box<run::Args>),
    /// Chains from a model or an analytic target: ULA, MALA, HMC, annealed, parallel tempering
    Sample(Box<sample::Args>),
    /// How good a model is on data: NLL, KL, two-sample distances and the like, each with its error or null interval
    Eval(Box<eval::Args>),
    /// Loss and parameter gradient of an objective on given points and noise, as safetensors
    Grad(grad::Args),
    /// Objectives on data sets over seeds: one table, one figure, one page; goes on where it was interrupted
    Compare(Box<compare::Args>),
    /// Published experiments, repeated: each line measured against the range it has to lie in
    Repro(repro::Args),
    /// How long a training step takes, how many chain steps a second there are
    Bench(bench::Args),
    /// Every kernel against the f64 reference on this machine's adapter
    Check(check::Args),
    /// The toy laws, and points of them as a file
    Data(data::Args),
    /// Adapters, and what --engine auto picks
    Devices(devices::Args),
    /// The WGSL exactly as it is compiled
    Shaders(shaders::Args),
}

/// The parser. A negative number is a value everywhere, so that what refuses it can name its flag.
fn command() -> clap::Command {
    fn negative(command: clap::Command) -> clap::Command {
        command.mut_args(with_negative_numbers).mut_subcommands(negative)
    }
    negative(Cli::command())
}

/// The argument, to which a negative number is a value if it takes any.
fn with_negative_numbers(arg: clap::Arg) -> clap::Arg {
    let takes_values = arg.get_action().takes_values();
    arg.allow_negative_numbers(takes_values)
}

/// The command that the arguments name, with that above it: `bench train`.
fn named(program: &clap::Command, args: &[std::ffi::OsString]) -> String {
    let mut names = Vec::new();
    let mut at = program;
    for sub in args.iter().skip(1).map_while(|word| word.to_str()) {
        let Some(found) = at.find_subcommand(sub) else { break };
        at = found;
        names.push(found.get_name());
    }
    names.join(" ")
}

/// Parses the program's arguments and runs the command.
pub(crate) fn main() -> Result<()> {
    let args = config::expand(std::env::args_os().collect())?;
    let command = command();
    let named = named(&command, &args);
    let refused = |e: clap::Error| refusal::restated(&e, &named).unwrap_or_else(|| e.exit());
    let matches = command.clone().try_get_matches_from(args).map_err(refused)?;
    for warning in unused::warnings(&command, &matches) {
        notice!("warning: {warning}");
    }
    let parsed = Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit());
    interrupt::listen()?;
    match parsed.command {
        Command::Run(args) => run::run(*args),
        Command::Sample(args) => sample::run(*args),
        Command::Eval(args) => eval::run(&args),
        Command::Grad(args) => grad::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Repro(args) => repro::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Data(args) => data::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Shaders(args) => shaders::run(&args),
    }
}

/// The largest batch, and the most chains and points of a toy law, that are not taken for a slip.
const MOST_BATCH: usize = 1 << 24;
const MOST_CHAINS: usize = 1 << 28;
const MOST_POINTS: usize = 1 << 28;

fn check_count(name: &str, count: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&count) {
        return Ok(());
    }
    Err(Error::input(format!("{name} is {count}, it has to be from {least} to {most}")))
}

/// A seed as a number, or as text where it is too large for TOML.
fn seed_text<S: serde::Serializer>(seed: &u64, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match i64::try_from(*seed) {
        Ok(number) => serializer.serialize_i64(number),
        Err(_) => serializer.serialize_str(&seed.to_string()),
    }
}

/// Prints one JSON object on stdout.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|e| Error::failed(format!("cannot write JSON: {e}")))?;
    print_line(&text)
}

/// A place among the coordinates as a person reads it.
fn place(coordinates: &[f64]) -> String {
    // adding 0 takes the sign from −0
    let rounded = coordinates.iter().map(|x| format!("{:.3}", (1e3 * x).round() / 1e3 + 0.0));
    format!("({})", rounded.collect::<Vec<_>>().join(", "))
}

/// Prints a line on stdout; a reader that has gone is no error.
fn print_line(line: &str) -> Result<()> {
    use std::io::Write as _;
    match writeln!(std::io::stdout(), "{line}") {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::failed(format!("cannot print: {e}"))),
        _ => Ok(()),
    }
}
