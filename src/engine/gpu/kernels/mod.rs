//! The kernels: each a `.wgsl` and the Rust that declares its parameters and bindings.

mod adam_step;
mod autocovariance;
mod chain_moments;
mod contrast;
mod difference_matching;
mod energy;
mod exchange_replicas;
mod fold_draws;
mod hamiltonian_chains;
mod langevin_chains;
mod loss_params;
mod multiply_add;
mod negative_chains;
mod orthonormal_basis;
mod rank_scores;
mod record_draws;
mod reduce_gradient;
mod row_moments;
mod score;
mod score_matching;
mod sort_keys;
mod target_energy;

pub use adam_step::{AdamParams, AdamStep};
pub use autocovariance::{Autocovariance, LagParams};
pub use chain_moments::{ChainMoments, MomentParams};
pub use contrast::Contrast;
pub use difference_matching::DifferenceMatching;
pub use energy::{Energy, EnergyParams};
pub use exchange_replicas::{ExchangeParams, ExchangeReplicas};
pub use fold_draws::{FoldDraws, FoldParams, Unit};
pub use hamiltonian_chains::{HamiltonianChains, HamiltonianParams};
pub use langevin_chains::{LangevinChains, LangevinParams};
pub use loss_params::{
    FORM_CLASSIFICATION, FORM_DIFFERENCE, FORM_RANKING, FROM_DATA, FROM_GIVEN, FROM_LAW, LAW_BASIS, LAW_GAUSSIAN,
    LAW_RADEMACHER, LAW_SPHERE, LossParams, ROWS_DRAWN, ROWS_GIVEN, ROWS_PLACED,
};
pub use multiply_add::{MultiplyAdd, MultiplyAddParams};
pub use negative_chains::{NegativeChains, NegativeParams};
pub use orthonormal_basis::{BasisParams, MOST_ROWS, OrthonormalBasis};
pub use rank_scores::{RankParams, RankScores};
pub use record_draws::{RecordDraws, RecordParams};
pub use reduce_gradient::{ReduceGradient, ReduceParams};
pub use row_moments::{Row, RowMoments, RowParams};
pub use score::{Score, ScoreParams};
pub use score_matching::ScoreMatching;
pub use sort_keys::{SortKeys, SortParams};
pub use target_energy::{TargetEnergy, TargetParams};

use super::kernel::Kernel;

/// Every kernel.
pub const ALL: &[Kernel] = &[
    Energy::KERNEL,
    Score::KERNEL,
    OrthonormalBasis::KERNEL,
    ScoreMatching::KERNEL,
    DifferenceMatching::KERNEL,
    Contrast::KERNEL,
    NegativeChains::KERNEL,
    ReduceGradient::KERNEL,
    AdamStep::KERNEL,
    LangevinChains::KERNEL,
    HamiltonianChains::KERNEL,
    ExchangeReplicas::KERNEL,
    ChainMoments::KERNEL,
    RecordDraws::KERNEL,
    SortKeys::KERNEL,
    RankScores::KERNEL,
    FoldDraws::KERNEL,
    RowMoments::KERNEL,
    Autocovariance::KERNEL,
    TargetEnergy::KERNEL,
    MultiplyAdd::KERNEL,
];
