//! The flags that choose an engine, the same for every command.

use crate::cli::notice::notice;
use ebm_gpu::engine::gpu::GpuOptions;
use ebm_gpu::engine::{Engine, EngineChoice, Selection, select};
use ebm_gpu::error::{Error, Result};
use serde::Serialize;

#[derive(clap::Args, Serialize, Clone)]
#[serde(rename_all = "kebab-case")]
pub(super) struct EngineArgs {
    /// Where to compute: auto (a hardware GPU, else cpu), gpu (WGSL kernels, software drivers included), cpu (native
    /// f32), reference (f64)
    #[arg(long, default_value = "auto", value_name = "ENGINE")]
    pub(super) engine: String,
    /// The adapter of the gpu engine: its index in `ebm-gpu devices`, or a part of its name
    #[arg(long, value_name = "INDEX|NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) adapter: Option<String>,
    /// The most that a submission to a GPU should take, in milliseconds: below what its watchdog allows
    #[arg(long, default_value_t = 100.0, value_name = "MS")]
    pub(super) max_submit_ms: f64,
    /// Have this kernel of a GPU compute wrongly: for tests
    #[arg(long, hide = true, value_name = "KERNEL")]
    #[serde(skip)]
    pub(super) spoil_kernel: Option<String>,
    /// Take the driver of a GPU for this one: for tests
    #[arg(long, hide = true, value_name = "DRIVER")]
    #[serde(skip)]
    pub(super) pretend_driver: Option<String>,
    /// Refuse to make more than so many bytes on a GPU: for tests
    #[arg(long, hide = true, value_name = "BYTES")]
    #[serde(skip)]
    pub(super) most_memory: Option<u64>,
}

impl EngineArgs {
    /// Opens the engine, and says on stderr which it is and why.
    ///
    /// # Errors
    /// There is none, or its driver is known to compute wrongly.
    pub(super) fn open(&self, quiet: bool) -> Result<Box<dyn Engine>> {
        trusted(self.open_until(None, false, quiet)?, false, quiet, "update the driver, or use --engine cpu")
    }

    /// The same for work of which the time counts and not the numbers.
    pub(super) fn open_to_time(&self, quiet: bool) -> Result<Box<dyn Engine>> {
        trusted(self.open_until(None, false, quiet)?, true, quiet, "")
    }

    /// Whatever is known against its driver; a GPU is lost at this submission, if one is given, and tells so by a panic or
    /// otherwise.
    pub(super) fn open_until(&self, lose_at: Option<u64>, panic_when_lost: bool, quiet: bool) -> Result<Selection> {
        let ms = self.max_submit_ms;
        if !(1.0..=500.0).contains(&ms) {
            return Err(Error::input(format!("max-submit-ms is {ms}, it has to be from 1 to 500")));
        }
        let gpu = GpuOptions {
            adapter: self.adapter.clone(),
            max_submit_ms: ms,
            lose_at,
            panic_when_lost,
            most_memory: self.most_memory,
            driver: self.pretend_driver.clone(),
            spoil: self.spoil_kernel.clone(),
            ..Default::default()
        };
        let selection = select(EngineChoice::by_name(&self.engine)?, &gpu)?;
        if !quiet {
            notice!("{}", selection.reason);
        }
        Ok(selection)
    }
}

/// Refuses an engine whose driver is known to compute wrongly, or uses it `anyway` with a warning.
pub(super) fn trusted(selection: Selection, anyway: bool, quiet: bool, hint: &str) -> Result<Box<dyn Engine>> {
    match selection.doubt {
        Some(doubt) if !anyway => return Err(Error::failed(doubt).hint(hint)),
        Some(doubt) if !quiet => notice!("warning: {doubt}"),
        _ => {}
    }
    Ok(selection.engine)
}
