//! Values and parameter gradient of a jet. Its header in `shaders/jet_gradient.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};
use crate::engine::gpu::network::LayerEntry;

device_struct! {
    /// Arguments of `jet_gradient`.
    pub struct JetParams {
        /// Points.
        count: u32,
        /// Coordinates of a point.
        dim: u32,
        /// Tiles of points.
        tiles: u32,
        /// vec4 of scratch that a workgroup owns.
        region: u32,
        /// vec4 of slabs that a workgroup owns.
        slab: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused0: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused1: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused2: u32,
    }
}

kernel! {
    /// Values and parameter gradient of a jet.
    pub JetGradientKernel = jet_gradient,
    files: [
        "lib/layer.wgsl",
        "lib/tile.wgsl",
        "lib/philox.wgsl",
        "lib/jet.wgsl",
        "lib/points.wgsl",
        "lib/gradient.wgsl",
        "jet_gradient.wgsl",
    ],
    network: true,
    jet: None,
    order: 3,
    bindings: {
        Uniform params: JetParams,
        Uniform net: LayerEntry,
        Read points: f32,
        Read tangents: f32,
        Read value_weights: f32,
        Read weights: [f32; 4],
        Write scratch: [f32; 4],
        Write slabs: [f32; 4],
        Write values: f32,
    },
}
