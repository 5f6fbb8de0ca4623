//! The model: a multi-layer perceptron, either an energy E(x) whose gradient gives the score s = −∇E or the score itself.

mod activation;
pub(crate) mod checkpoint;
mod spec;
mod split;

pub use crate::tensors::metadata_list;
pub use activation::Activation;
pub(crate) use activation::{Phi, phi, with_phi};
pub use checkpoint::{read_checkpoint, write_checkpoint, write_gradient};
pub use spec::{Conditioning, Head, Layer, MlpSpec, Model};
pub(crate) use split::{Split, SplitPhi};
