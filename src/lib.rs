//! tmp
pub mod engine;
pub mod error;
pub mod files;
pub mod model;
pub mod objective;
pub mod optimizer;
pub mod points;
pub mod random;
pub mod real;
pub mod sampler;
