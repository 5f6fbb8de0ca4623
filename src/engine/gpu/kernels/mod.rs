//! The kernels: each a `.wgsl` and the Rust that declares its parameters and bindings.

mod adam_step;
mod difference_matching;
mod energy;
mod exchange_replicas;
mod hamiltonian_chains;
mod langevin_chains;
mod loss_params;
mod orthonormal_basis;
mod reduce_gradient;
mod score;
mod score_matching;
mod target_energy;

pub use adam_step::{AdamParams, AdamStep};
pub use difference_matching::DifferenceMatching;
pub use energy::{Energy, EnergyParams};
pub use exchange_replicas::{ExchangeParams, ExchangeReplicas};
pub use hamiltonian_chains::{HamiltonianChains, HamiltonianParams};
pub use langevin_chains::{LangevinChains, LangevinParams};
pub use loss_params::{LAW_BASIS, LAW_GAUSSIAN, LAW_RADEMACHER, LAW_SPHERE, LossParams};
pub use orthonormal_basis::{BasisParams, MOST_ROWS, OrthonormalBasis};
pub use reduce_gradient::{ReduceGradient, ReduceParams};
pub use score::{Score, ScoreParams};
pub use score_matching::ScoreMatching;
pub use target_energy::{TargetEnergy, TargetParams};

use super::kernel::Kernel;

/// Every kernel.
pub const ALL: &[Kernel] = &[
    Energy::KERNEL,
    Score::KERNEL,
    OrthonormalBasis::KERNEL,
    ScoreMatching::KERNEL,
    DifferenceMatching::KERNEL,
    ReduceGradient::KERNEL,
    AdamStep::KERNEL,
    LangevinChains::KERNEL,
    HamiltonianChains::KERNEL,
    ExchangeReplicas::KERNEL,
    TargetEnergy::KERNEL,
];
