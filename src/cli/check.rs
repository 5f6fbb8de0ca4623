//! `check`: every kernel against the f64 reference on this machine's adapter.

use crate::cli::notice::notice;
use ebm_gpu::check::Extent;
use ebm_gpu::engine::Engine;
use ebm_gpu::engine::cpu::Cpu;
use ebm_gpu::engine::gpu::{GpuEngine, GpuOptions};
use ebm_gpu::error::{Error, Result};

/// What a check costs.
const COST: &str = "\
Most of its time goes to compiling the kernels. Mesa's software driver takes the better part of a
minute for them the first time and keeps them, so that later checks take seconds.";

const UPDATE: &str = "update the driver (Mesa's software driver is right from version 25 on), or use --engine cpu";

#[derive(clap::Args)]
#[command(after_help = COST)]
pub(super) struct Args {
    /// The adapter to check: its index in `ebm-gpu devices`, or a part of its name; the best one if not given
    #[arg(long, value_name = "INDEX|NAME")]
    adapter: Option<String>,
    /// What to check: gpu or cpu
    #[arg(long, default_value = "gpu", value_name = "ENGINE")]
    engine: String,
    /// Every shape, activation and target too, not every kernel once: minutes on a software driver
    #[arg(long)]
    all: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Have this kernel of a GPU compute wrongly: for tests
    #[arg(long, hide = true, value_name = "KERNEL")]
    spoil_kernel: Option<String>,
    /// Take the driver of a GPU for this one: for tests
    #[arg(long, hide = true, value_name = "DRIVER")]
    pretend_driver: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let mut doubt = None;
    let engine: Box<dyn Engine> = match args.engine.as_str() {
        "gpu" => {
            let (adapter, spoil, driver) =
                (args.adapter.clone(), args.spoil_kernel.clone(), args.pretend_driver.clone());
            let engine = GpuEngine::open(&GpuOptions { adapter, spoil, driver, ..Default::default() })?;
            doubt = engine.gpu().summary().doubt();
            Box::new(engine)
        }
        "cpu" if args.adapter.is_some() => {
            return Err(Error::input("--adapter is for the gpu engine").hint("leave it out, or --engine gpu"));
        }
        "cpu" => Box::new(Cpu::new()?),
        other => return Err(ebm_gpu::error::unknown_name("engine", other, &["gpu", "cpu"])),
    };
    notice!("checking {}: {}; errors are shares of the largest number", engine.name(), engine.adapter());
    let mut findings = Vec::new();
    let mut printed = Ok(());
    if !args.json {
        super::print_line(&format!(
            "{:<48} {:<18} {:<10} {:>10} {:>10}",
            "kernel", "net", "activation", "worst", "bound"
        ))?;
    }
    let extent = if args.all { Extent::All } else { Extent::Quick };
    let good = ebm_gpu::check::check(engine.as_ref(), extent, &mut |f| {
        if !args.json && printed.is_ok() {
            let verdict = if f.holds() { "ok" } else { "WRONG" };
            printed = super::print_line(&format!(
                "{:<48} {:<18} {:<10} {:>10.1e} {:>10.1e}  {verdict}",
                f.kernel, f.net, f.activation, f.worst, f.bound
            ));
        }
        findings.push(f.clone());
    })?;
    printed?;
    if args.json {
        super::print_json(&serde_json::json!({
            "engine": engine.name(), "adapter": engine.adapter(), "passed": good && doubt.is_none(), "doubt": doubt, "findings": findings,
        }))?;
    }
    let wrong = findings.iter().filter(|f| !f.holds()).count();
    if good {
        notice!("all {} comparisons are within their bounds", findings.len());
        return doubt.map_or(Ok(()), |doubt| Err(Error::failed(doubt).hint(UPDATE)));
    }
    Err(Error::failed(format!(
        "{} computes wrongly: {wrong} of {} comparisons missed",
        engine.adapter(),
        findings.len()
    ))
    .hint(UPDATE))
}
