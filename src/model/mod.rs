//! The model: a multi-layer perceptron E(x) whose gradient gives the score s = −∇E.

mod activation;
mod checkpoint;
mod spec;

pub use activation::Activation;
pub(crate) use activation::{Phi, phi, with_phi};
pub use checkpoint::{read_checkpoint, write_checkpoint, write_gradient};
pub use spec::{Layer, MlpSpec, Model};
