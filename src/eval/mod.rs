//! How good a model is.
//!
//! | module | subject |
//! | --- | --- |
//! | [`Evaluation`] | all metrics of a trained model, through an engine; the rest works on plain arrays |
//! | [`grid`] | midpoints of a regular grid and the normaliser of an energy on it |
//! | [`divergence`] | NLL, KL, mass outside the support, Fisher divergence, log-density error, mode weights |
//! | [`ais`] | ln Z by annealed importance sampling, through an engine's chains |
//! | [`Health`] | chains of contrastive divergence, while they train |
//! | [`Validation`] | a loss on held-out points, to stop training by |
//! | [`two_sample`] | whether two samples have one law |

pub mod ais;
pub mod divergence;
pub mod grid;
mod health;
mod metrics;
#[cfg(test)]
mod tests;
pub mod two_sample;
mod validation;

pub use ais::{AnnealedImportance, Base, LogNormalizer};
pub use divergence::{
    Divergence, Estimate, LawOnGrid, fisher, log_density_mse, mode_tv, mode_tv_null, modes_by_nearest,
};
pub use grid::{CELLS, Grid, cells};
pub use health::Health;
pub use metrics::{Evaluation, FEWEST_CHAINS, Metrics, Target};
pub use two_sample::{Statistic, TwoSamples, compare};
pub use validation::Validation;
