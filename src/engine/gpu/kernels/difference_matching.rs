//! Loss and parameter gradient of finite-difference score matching. Its header in `shaders/difference_matching.wgsl` says
//! the rest.

use super::LossParams;
use crate::engine::gpu::kernel::kernel;
use crate::engine::gpu::network::LayerEntry;

kernel! {
    /// Loss and parameter gradient of finite-difference score matching.
    pub DifferenceMatching = difference_matching,
    files: [
        "lib/layer.wgsl",
        "lib/tile.wgsl",
        "lib/philox.wgsl",
        "lib/noise.wgsl",
        "lib/sweep.wgsl",
        "lib/odd_even.wgsl",
        "lib/rows.wgsl",
        "lib/batch.wgsl",
        "lib/gradient.wgsl",
        "difference_matching.wgsl",
    ],
    passes: Difference,
    bindings: {
        Uniform params: LossParams,
        Uniform net: LayerEntry,
        Read data: f32,
        Read given_draws: f32,
        Read weights: [f32; 4],
        Write scratch: [f32; 4],
        Write slabs: [f32; 4],
        Write losses: f32,
    },
}
