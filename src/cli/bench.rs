//! `bench`: how long a training step takes, and how many chain steps a second there are.

use ebm_gpu::bench::{chain_steps_per_second, train_step_ms};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec};

use super::engine::EngineArgs;
use super::objective::{ObjectiveArgs, Scales};
use super::{MOST_BATCH, MOST_CHAINS, check_count};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// The median time of a training step
    Train(Box<TrainArgs>),
    /// Chain steps in a second
    Chains(ChainArgs),
}

#[derive(clap::Args)]
struct Common {
    /// Widths of the network, input first
    #[arg(long, default_value = "2-128-128-1")]
    net: String,
    /// Activation: silu, softplus, tanh, gelu, relu, leaky-relu
    #[arg(long, default_value = "silu")]
    activation: String,
    #[command(flatten)]
    engine: EngineArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct TrainArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    objective: ObjectiveArgs,
    /// What the network gives: energy or score
    #[arg(long, default_value = "energy")]
    head: String,
    /// How the network sees the noise level: none, scale or concat
    #[arg(long, default_value = "none")]
    conditioning: String,
    /// Samples of a step
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// Wall time to measure for
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

#[derive(clap::Args)]
struct ChainArgs {
    #[command(flatten)]
    common: Common,
    /// Chains
    #[arg(long, default_value_t = 4096)]
    chains: usize,
    /// Steps of each
    #[arg(long, default_value_t = 100)]
    steps: u64,
    /// Times that these steps are measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub(super) fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::Train(args) => train(args),
        What::Chains(args) => chains(args),
    }
}

fn train(args: &TrainArgs) -> Result<()> {
    let common = &args.common;
    check_count("batch", args.batch, 1, MOST_BATCH)?;
    if !(args.seconds > 0.0 && args.seconds <= 3600.0) {
        return Err(Error::input(format!("seconds is {}, it has to be above 0 and at most 3600", args.seconds)));
    }
    let (activation, head) = (Activation::by_name(&common.activation)?, Head::by_name(&args.head)?);
    let conditioning = Conditioning::by_name(&args.conditioning)?;
    let spec = MlpSpec::parse_conditioned(&common.net, activation, head, conditioning)?;
    // the benchmark's data are standard normal
    let (objective, _) = args.objective.objective(&Scales::unit(spec.dim())?)?;
    objective.check(&spec)?;
    let engine = common.engine.open(common.json)?.engine;
    let ms = train_step_ms(engine.as_ref(), &spec, &objective, args.batch, args.seconds)?;
    let columns = objective.least_columns(&spec);
    let multiply_adds = spec.dims().windows(2).map(|d| d[0] * d[1]).sum::<usize>() * columns * args.batch;
    let gflops = 2e-6 * multiply_adds as f64 / ms;
    if common.json {
        return super::print_json(&serde_json::json!({
            "ms_per_step": ms, "gflop_per_second": gflops, "net": spec.to_string(), "loss": objective.name(),
            "columns": columns, "batch": args.batch, "engine": engine.name(), "adapter": engine.adapter(),
        }));
    }
    super::print_line(&format!(
        "{ms:.4} ms a step of {} samples through {spec}; {gflops:.1} GFLOP/s, of the least work alone ({columns} columns a sample)",
        args.batch
    ))
}

fn chains(args: &ChainArgs) -> Result<()> {
    let common = &args.common;
    check_count("chains", args.chains, 1, MOST_CHAINS)?;
    check_count("steps", args.steps as usize, 1, u32::MAX as usize / 1024)?;
    check_count("rounds", args.rounds, 1, 1000)?;
    let spec = MlpSpec::parse(&common.net, Activation::by_name(&common.activation)?)?;
    let engine = common.engine.open(common.json)?.engine;
    let speed = chain_steps_per_second(engine.as_ref(), &spec, args.chains, args.steps, args.rounds)?;
    let multiply_adds: usize = spec.dims().windows(2).map(|d| d[0] * d[1]).sum::<usize>() * 2;
    let gflops = 2e-9 * multiply_adds as f64 * speed;
    if common.json {
        return super::print_json(&serde_json::json!({
            "chain_steps_per_second": speed, "gflop_per_second": gflops, "net": spec.to_string(),
            "chains": args.chains, "steps": args.steps, "engine": engine.name(), "adapter": engine.adapter(),
        }));
    }
    super::print_line(&format!(
        "{speed:.3e} chain steps a second of {} chains through {spec}; {gflops:.1} GFLOP/s, of the least work alone (2 columns \
         a step)",
        args.chains
    ))
}
