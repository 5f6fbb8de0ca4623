//! The kernels: each a `.wgsl` and the Rust that declares its parameters and bindings.

mod adam_step;
mod dsm_gradient;
mod energy;
mod jet_gradient;
mod langevin_chains;
mod reduce_gradient;
mod score;

pub use adam_step::{AdamParams, AdamStep};
pub use dsm_gradient::{DsmGradient, DsmParams};
pub use energy::{Energy, EnergyParams};
pub use jet_gradient::{JetGradientKernel, JetParams};
pub use langevin_chains::{LangevinChains, LangevinParams};
pub use reduce_gradient::{ReduceGradient, ReduceParams};
pub use score::{Score, ScoreParams};

use super::kernel::Kernel;

/// Every kernel.
pub const ALL: &[Kernel] = &[
    Energy::KERNEL,
    Score::KERNEL,
    DsmGradient::KERNEL,
    JetGradientKernel::KERNEL,
    ReduceGradient::KERNEL,
    AdamStep::KERNEL,
    LangevinChains::KERNEL,
];
