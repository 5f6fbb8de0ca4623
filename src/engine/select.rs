//! Which engine a run takes.

use super::Engine;
use super::cpu::{Cpu, Reference};
use crate::error::Result;

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

/// An engine and the sentence that says which it is and why.
pub struct Selection {
    /// The engine.
    pub engine: Box<dyn Engine>,
    /// What was chosen and why, and what to do for another choice.
    pub reason: String,
}

/// tmp
pub fn select(choice: EngineChoice, _adapter: Option<&str>) -> Result<Selection> {
    let engine: Box<dyn Engine> = match choice {
        EngineChoice::Reference => Box::new(Reference::new()?),
        _ => Box::new(Cpu::new()?),
    };
    Ok(Selection { engine, reason: String::new() })
}
