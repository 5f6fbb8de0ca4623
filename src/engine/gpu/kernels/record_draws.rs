//! Keeping draws of chains on the device. Its header in `shaders/record_draws.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `record_draws`.
    pub struct RecordParams {
        /// Chains that are kept.
        count: u32,
        /// Temperatures.
        replicas: u32,
        /// Coordinates of a chain.
        dim: u32,
        /// Numbers of a draw: with E, one more.
        width: u32,
        /// Draws that there is room for.
        draws: u32,
        /// Which of them this is.
        draw: u32,
        /// Numbers between the energies of two chains.
        energy_stride: u32,
        /// The first of them.
        energy_offset: u32,
    }
}

kernel! {
    /// The first chains are appended to what is kept.
    pub RecordDraws = record_draws,
    files: ["record_draws.wgsl"],
    passes: None,
    bindings: {
        Uniform params: RecordParams,
        Read chains: f32,
        Read energies: f32,
        Write kept: f32,
    },
}
