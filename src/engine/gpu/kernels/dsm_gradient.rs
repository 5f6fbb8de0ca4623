//! Loss and parameter gradient of denoising score matching. Its header in `shaders/dsm_gradient.wgsl` says the rest.

use crate::engine::Jet;
use crate::engine::gpu::kernel::{device_struct, kernel};
use crate::engine::gpu::network::LayerEntry;

device_struct! {
    /// Arguments of `dsm_gradient`.
    pub struct DsmParams {
        /// Low word of the seed.
        key_low: u32,
        /// High word of the seed.
        key_high: u32,
        /// The step, from 1.
        step: u32,
        /// Samples of the batch.
        batch: u32,
        /// Coordinates of a sample.
        dim: u32,
        /// Rows of the data.
        rows: u32,
        /// Tiles of samples.
        tiles: u32,
        /// vec4 of scratch that a workgroup owns.
        region: u32,
        /// vec4 of slabs that a workgroup owns.
        slab: u32,
        /// Where z lies in the region.
        noise: u32,
        /// 1 if samples and noise are given in order, 0 if they are drawn.
        given: u32,
        /// Standard deviation of the noise.
        sigma: f32,
        /// w / 2.
        half_weight: f32,
        /// −w σ / batch.
        pull: f32,
        /// Fills the struct to a multiple of 16 bytes.
        unused0: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused1: u32,
    }
}

kernel! {
    /// Loss and parameter gradient of denoising score matching.
    pub DsmGradient = dsm_gradient,
    files: [
        "lib/layer.wgsl",
        "lib/tile.wgsl",
        "lib/philox.wgsl",
        "lib/jet.wgsl",
        "lib/noise.wgsl",
        "lib/gradient.wgsl",
        "dsm_gradient.wgsl",
    ],
    network: true,
    jet: Some(Jet { tangents: 1, curved: 0 }),
    order: 2,
    bindings: {
        Uniform params: DsmParams,
        Uniform net: LayerEntry,
        Read data: f32,
        Read given_noise: f32,
        Read weights: [f32; 4],
        Write scratch: [f32; 4],
        Write slabs: [f32; 4],
        Write losses: f32,
    },
}
