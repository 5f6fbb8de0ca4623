//! Energy-based models trained, and Langevin chains run, by hand-written GPU compute kernels, with a native engine for
//! machines without a GPU and an f64 reference that all are checked against.
//!
//! # Map
//! | module | subject | depends on |
//! | --- | --- | --- |
//! | [`model`] | the MLP: shape, activations, checkpoints | |
//! | [`random`] | Philox and its streams | |
//! | [`engine`] | the trait; `gpu`, `cpu` and `reference` | model, random, objective, sampler, target |
//! | [`objective`] | what is minimised | model, random |
//! | [`sampler`] | how chains move, and what they are worth | |
//! | [`target`] | energies in closed form, to judge samplers by | |
//! | [`optimizer`] | Adam and its schedule | |
//! | [`data`] | laws with exact densities, files, transforms | random |
//! | [`eval`] | metrics | data, engine |
//! | [`train`] | the training loop | engine, eval |
//! | [`report`] | figures | |
//! | [`mod@sample`] | burn-in, draws and what they are worth | engine |
//! | [`comparison`] | many runs side by side | report |
//! | [`repro`] | published experiments, repeated | train, eval, report |
//! | [`mod@check`], [`mod@bench`] | every kernel against the reference; how fast it is | engine |
//!
//! # Symbols and conventions
//! | symbol | meaning |
//! | --- | --- |
//! | p(x) ∝ exp(−E(x)) | the model; s = −∇E is its score, H = ∇²E |
//! | φ | the activation |
//! | d, B | dimension of a point, samples of a batch |
//! | σ (`sigma`) | a standard deviation, always |
//! | η (`step_size`) | multiplies ∇E in x ← x − η∇E + √(2ηT) ξ |
//! | T (`temperature`) | 1 unless said |
//! | t | the variance of energy discrepancy's perturbation |
//! | y; M, ν | negative points of a data point x; how many (ν of noise) |
//! | z, ξ | standard normal numbers |
//!
//! Arrays are row-major `[samples, dim]` at every boundary; weights are `[out, in]`, as in `torch.nn.Linear`. Points and
//! results cross boundaries as f64 whatever the engine computes in.

#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod bench;
pub mod check;
mod cholesky;
pub mod comparison;
pub mod data;
pub mod engine;
pub mod error;
pub mod eval;
pub mod files;
pub mod model;
pub mod objective;
pub mod optimizer;
pub mod points;
pub mod random;
pub mod real;
pub mod report;
pub mod repro;
pub mod sample;
pub mod sampler;
pub mod target;
mod tensors;
pub mod train;
