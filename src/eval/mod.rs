//! How good a model is.
//!
//! | module | subject |
//! | --- | --- |
//! | [`evaluate`] | all metrics of a trained model, through an engine; the rest works on plain arrays |
//! | [`grid`] | midpoints of a regular grid and the normaliser of an energy on it |
//! | [`divergence`] | NLL, KL, mass outside the support, Fisher divergence, log-density error, mode weights |
//! | [`ais`] | ln Z by annealed importance sampling, through an engine's chains |
//! | [`Health`] | chains of contrastive divergence, while they train |
//! | [`two_sample`] | sliced Wasserstein distance and maximum mean discrepancy between two samples |

pub mod ais;
pub mod divergence;
pub mod grid;
mod health;
mod metrics;
#[cfg(test)]
mod tests;
pub mod two_sample;

pub use ais::{LogNormalizer, ais_in_box};
pub use divergence::{Divergence, LawOnGrid, fisher, log_density_mse, mode_tv};
pub use grid::Grid;
pub use health::Health;
pub use metrics::{Metrics, Target, evaluate};
pub use two_sample::{mmd2_unbiased, sliced_wasserstein2};
