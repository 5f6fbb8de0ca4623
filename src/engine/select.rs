//! Which engine a run takes, and the sentence that says so.

use super::Engine;
use super::cpu::{Cpu, Reference};
use super::gpu::{GpuEngine, GpuOptions, adapters};
use crate::error::{Error, Result, unknown_name};

/// What `--engine` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// A hardware GPU if there is one, else the native engine.
    #[default]
    Auto,
    /// WGSL kernels on an adapter, software drivers included.
    Gpu,
    /// Native f32.
    Cpu,
    /// Native f64.
    Reference,
}

impl EngineChoice {
    /// The names that `--engine` takes.
    pub const NAMES: &[&str] = &["auto", "gpu", "cpu", "reference"];

    /// The choice of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest valid one.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "auto" => Ok(Self::Auto),
            "gpu" => Ok(Self::Gpu),
            "cpu" => Ok(Self::Cpu),
            "reference" => Ok(Self::Reference),
            _ => Err(unknown_name("engine", name, Self::NAMES)),
        }
    }
}

/// An engine and the sentence that says which it is and why.
pub struct Selection {
    /// The engine.
    pub engine: Box<dyn Engine>,
    /// What was chosen and why, and what to do for another choice.
    pub reason: String,
    /// What is known against the driver.
    pub doubt: Option<String>,
}

/// Opens the engine of `choice`; naming an adapter means `gpu`.
///
/// # Errors
/// There is no such adapter, or it does not open.
pub fn select(choice: EngineChoice, gpu: &GpuOptions) -> Result<Selection> {
    let selection = |engine: Box<dyn Engine>, why: &str| {
        let reason = format!("engine {}: {}{why}", engine.name(), engine.adapter());
        Selection { engine, reason, doubt: None }
    };
    let on = |gpu: GpuEngine| {
        let doubt = gpu.gpu().summary().doubt();
        Selection { doubt, ..selection(Box::new(gpu), "") }
    };
    if let (EngineChoice::Cpu | EngineChoice::Reference, Some(adapter)) = (choice, &gpu.adapter) {
        let engine = if choice == EngineChoice::Cpu { "cpu" } else { "reference" };
        return Err(Error::input(format!("the adapter `{adapter}` is for engine gpu, engine {engine} has none"))
            .hint("leave --adapter out, or take --engine gpu"));
    }
    match choice {
        EngineChoice::Reference => Ok(selection(Box::new(Reference::new()?), "")),
        EngineChoice::Cpu => Ok(selection(Box::new(Cpu::new()?), "")),
        EngineChoice::Gpu => Ok(on(GpuEngine::open(gpu)?)),
        EngineChoice::Auto if gpu.adapter.is_some() => Ok(on(GpuEngine::open(gpu)?)),
        EngineChoice::Auto => {
            let hardware = match adapters::best_hardware() {
                Ok(hardware) => hardware,
                Err(e) => return Ok(selection(Box::new(Cpu::new()?), &format!("; no GPU was taken: {e}"))),
            };
            if let Some(hardware) = hardware {
                let best = GpuOptions { adapter: Some(hardware.index.to_string()), ..gpu.clone() };
                return match GpuEngine::open(&best) {
                    Ok(engine) => Ok(on(engine)),
                    Err(e) => Ok(selection(Box::new(Cpu::new()?), &format!("; the GPU was not taken: {e}"))),
                };
            }
            let why = match adapters::list()?.first() {
                Some(software) => format!(
                    "; no hardware GPU was found (--engine gpu runs the WGSL kernels on the software driver {})",
                    software.name
                ),
                None => format!(
                    "; no Vulkan, Metal or DX12 adapter was found (for the WGSL kernels, {})",
                    adapters::INSTALL_HINT
                ),
            };
            Ok(selection(Box::new(Cpu::new()?), &why))
        }
    }
}
