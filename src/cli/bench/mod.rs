//! `bench`: how long a training step takes, how many chain steps a second there are, and what that is of the machine's peak.

mod roofline;
mod scale;

use ebm_gpu::bench::{Card, chain_steps_per_second, expected_seconds, peak_memory, step_work, train_step};
use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result, unknown_name};
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec};
use ebm_gpu::objective::Objective;
use ebm_gpu::sampler::{Hamiltonian, Langevin, Transition};

use super::engine::EngineArgs;
use super::objective::{ObjectiveArgs, Scales};
use super::{MOST_BATCH, MOST_CHAINS, check_count, print_json, print_line};

/// Langevin steps of a chain of cd and pcd unless said: as many as others are measured with.
const CHAIN_STEPS: usize = 10;
/// Leapfrogs of a step of `hmc`.
const LEAPFROGS: u32 = 10;

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
    /// What each kernel of a training step does and moves, and how long that should take on GPUs of which the data sheet is
    /// known
    Roofline(Box<roofline::Args>),
    /// How time and memory grow with chains, batch, width, depth and dimension: a table and figures
    Scale(scale::Args),
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
    /// Chains; several numbers are measured one after another
    #[arg(long, default_value = "4096", value_delimiter = ',', value_name = "N,N,..")]
    chains: Vec<usize>,
    /// How they move: ula, mala, or hmc (with 10 leapfrogs)
    #[arg(long, default_value = "ula")]
    sampler: String,
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
        What::Roofline(args) => roofline::run(args),
        What::Scale(args) => scale::run(args),
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
    let objective = objective(&args.objective, &spec)?;
    objective.check(&spec)?;
    let engine = common.engine.open_to_time(common.json)?;
    let (time, peak) =
        beside_peak(engine.as_ref(), || train_step(engine.as_ref(), &spec, &objective, args.batch, args.seconds))?;
    let ms = time.ms;
    let columns = objective.least_columns(&spec);
    let multiply_adds = objective.least_multiply_adds(&spec) * args.batch;
    let gflops = 2e-6 * multiply_adds as f64 / ms;
    let expected =
        Card::of(&engine.adapter()).map(|card| 1e3 * expected_seconds(card, &step_work(&spec, &objective, args.batch)));
    if common.json {
        return print_json(&serde_json::json!({
            "ms_per_step": ms, "gflop_per_second": gflops, "net": spec.to_string(), "loss": objective.name(),
            "columns": columns, "batch": args.batch, "engine": engine.name(), "adapter": engine.adapter(),
            "peak_gflop_per_second": peak, "share_of_peak": gflops / peak, "device_ms_per_step": time.device_ms,
            "expected_ms_per_step": expected, "peak_bytes": peak_memory(),
        }));
    }
    let on_device = time.device_ms.map_or_else(String::new, |ms| format!("; {ms:.4} ms by the device's clock"));
    let by_sheet = expected.map_or_else(String::new, |ms| format!("; {ms:.4} ms expected by the GPU's data sheet"));
    print_line(&format!(
        "{ms:.4} ms a step of {} samples through {spec}; {gflops:.1} GFLOP/s, of the least work alone ({columns} columns a \
         sample); {}{on_device}{by_sheet}",
        args.batch,
        of_peak(gflops, peak)
    ))
}

/// The objective of these flags, on the benchmark's data, which are standard normal.
fn objective(args: &ObjectiveArgs, spec: &MlpSpec) -> Result<Objective> {
    let mut args = args.clone();
    args.negatives.k.get_or_insert(CHAIN_STEPS);
    Ok(args.objective(&Scales::unit(spec.dim())?)?.0)
}

/// What is measured, and the machine's fastest in GFLOP/s, before it or behind it: clocks change from one second to the next.
fn beside_peak<R>(engine: &dyn Engine, measure: impl FnOnce() -> Result<R>) -> Result<(R, f64)> {
    let before = engine.peak()?.gflops();
    let measured = measure()?;
    Ok((measured, before.max(engine.peak()?.gflops())))
}

/// What a speed is of the machine's fastest, both in GFLOP/s.
fn of_peak(gflops: f64, peak: f64) -> String {
    format!("{:.0} % of the {peak:.1} GFLOP/s of a loop of multiply-adds", 100.0 * gflops / peak)
}

fn chains(args: &ChainArgs) -> Result<()> {
    let common = &args.common;
    for chains in &args.chains {
        check_count("chains", *chains, 1, MOST_CHAINS)?;
    }
    check_count("steps", args.steps as usize, 1, u32::MAX as usize / 1024)?;
    check_count("rounds", args.rounds, 1, 1000)?;
    let spec = MlpSpec::parse(&common.net, Activation::by_name(&common.activation)?)?;
    let (transition, surveys): (Transition, usize) = match args.sampler.as_str() {
        "ula" => (Langevin::new(0.01, 1.0)?.into(), 1),
        "mala" => (Hamiltonian::langevin(0.01, 1.0)?.into(), 1),
        "hmc" => (Hamiltonian::new(0.1, LEAPFROGS, 1.0)?.into(), LEAPFROGS as usize),
        other => return Err(unknown_name("sampler", other, &["ula", "mala", "hmc"])),
    };
    let engine = common.engine.open_to_time(common.json)?;
    let multiply_adds: usize = spec.dims().windows(2).map(|d| d[0] * d[1]).sum::<usize>() * 2 * surveys;
    let mut fastest = 0.0_f64;
    let mut sizes = Vec::new();
    for count in args.chains.iter().copied() {
        let (speed, beside) = beside_peak(engine.as_ref(), || {
            chain_steps_per_second(engine.as_ref(), &spec, &transition, count, args.steps, args.rounds)
        })?;
        fastest = fastest.max(beside);
        let gflops = 2e-9 * multiply_adds as f64 * speed;
        let peak = peak_memory();
        if !common.json {
            let memory =
                peak.map_or_else(String::new, |bytes| format!("; {:.0} MB so far at most", 1e-6 * bytes as f64));
            print_line(&format!(
                "{speed:.3e} chain steps a second of {count} chains through {spec}; {gflops:.1} GFLOP/s, of the least work \
                 alone ({} columns a step); {}{memory}",
                2 * surveys,
                of_peak(gflops, fastest)
            ))?;
        }
        sizes.push(serde_json::json!({
            "chains": count, "chain_steps_per_second": speed, "gflop_per_second": gflops, "peak_bytes": peak,
            "share_of_peak": gflops / fastest,
        }));
    }
    if !common.json {
        return Ok(());
    }
    let mut report = serde_json::json!({
        "net": spec.to_string(), "sampler": args.sampler, "steps": args.steps, "engine": engine.name(),
        "adapter": engine.adapter(), "peak_gflop_per_second": fastest,
    });
    match (&mut report, &mut sizes[..]) {
        (serde_json::Value::Object(report), [serde_json::Value::Object(only)]) => report.append(only),
        (report, sizes) => report["sizes"] = (&*sizes).into(),
    }
    print_json(&report)
}
