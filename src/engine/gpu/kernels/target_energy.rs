//! E and its gradient at points, for an analytic target. Its header in `shaders/target_energy.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `target_energy`.
    pub struct TargetParams {
        /// Points.
        count: u32,
        /// Coordinates of a point.
        dim: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused0: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused1: u32,
    }
}

kernel! {
    /// E and its gradient at points, for an analytic target.
    pub TargetEnergy = target_energy,
    files: [
        "lib/philox.wgsl",
        "lib/target.wgsl",
        "target_energy.wgsl",
    ],
    passes: Target,
    bindings: {
        Uniform params: TargetParams,
        Read points: f32,
        Read constants: f32,
        Write energies: f32,
        Write gradients: f32,
    },
}
