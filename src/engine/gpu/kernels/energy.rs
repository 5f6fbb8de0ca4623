//! E at each point. Its header in `shaders/energy.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};
use crate::engine::gpu::network::LayerEntry;

device_struct! {
    /// Arguments of `energy`.
    pub struct EnergyParams {
        /// Points.
        count: u32,
        /// Coordinates of a point.
        dim: u32,
        /// Tiles of points.
        tiles: u32,
        /// vec4 of scratch that a workgroup owns.
        region: u32,
    }
}

kernel! {
    /// E at each point.
    pub Energy = energy,
    files: [
        "lib/layer.wgsl",
        "lib/tile.wgsl",
        "lib/philox.wgsl",
        "lib/sweep.wgsl",
        "lib/jet.wgsl",
        "lib/points.wgsl",
        "energy.wgsl",
    ],
    passes: Value,
    bindings: {
        Uniform params: EnergyParams,
        Uniform net: LayerEntry,
        Read points: f32,
        Read weights: [f32; 4],
        Write scratch: [f32; 4],
        Write energies: f32,
    },
}
