//! Autocovariances of halves of chains. Its header in `shaders/autocovariance.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `autocovariance`.
    pub struct LagParams {
        /// Halves of all chains.
        rows: u32,
        /// Draws of a half.
        length: u32,
        /// Draws of a chain.
        draws: u32,
        /// Draws of a series.
        each: u32,
        /// The first lag.
        first_lag: u32,
        /// How many.
        lags: u32,
        /// Nothing.
        unused0: u32,
        /// Nothing.
        unused1: u32,
    }
}

kernel! {
    /// Sums of products of draws that are a lag apart.
    pub Autocovariance = autocovariance,
    files: ["lib/halves.wgsl", "autocovariance.wgsl"],
    passes: None,
    bindings: {
        Uniform params: LagParams,
        Read series: f32,
        Write sums: f32,
    },
}
