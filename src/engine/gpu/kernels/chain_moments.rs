//! Moments over chains. Its header in `shaders/chain_moments.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `chain_moments`.
    pub struct MomentParams {
        /// Chains, without their replicas.
        count: u32,
        /// Temperatures.
        replicas: u32,
        /// Coordinates of a chain.
        dim: u32,
        /// 1 if chains accept or refuse.
        accepting: u32,
    }
}

kernel! {
    /// Mean and variance of each coordinate over chains.
    pub ChainMoments = chain_moments,
    files: ["chain_moments.wgsl"],
    passes: None,
    bindings: {
        Uniform params: MomentParams,
        Read chains: f32,
        Read states: [f32; 4],
        Write parts: [f32; 4],
    },
}
