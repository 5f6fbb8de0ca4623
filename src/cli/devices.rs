//! `devices`: the adapters, and what `--engine auto` picks.

use ebm_gpu::engine::gpu::{GpuOptions, adapters};
use ebm_gpu::engine::{EngineChoice, select};
use ebm_gpu::error::Result;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let all = adapters::list()?;
    let auto = select(EngineChoice::Auto, &GpuOptions::default())?;
    if args.json {
        return super::print_json(&serde_json::json!({
            "adapters": all,
            "auto": { "engine": auto.engine.name(), "adapter": auto.engine.adapter() },
        }));
    }
    for a in &all {
        let kind = if a.software { "software" } else { "hardware" };
        super::print_line(&format!("{:>3}  {kind}  {}  ({}, {})", a.index, a.name, a.backend, a.driver))?;
        if let Some(doubt) = a.doubt() {
            super::print_line(&format!("     {doubt}"))?;
        }
    }
    super::print_line(&format!("auto: {}", auto.reason))
}
