//! Loss and parameter gradient of score matching. Its header in `shaders/score_matching.wgsl` says the rest.

use super::LossParams;
use crate::engine::gpu::kernel::kernel;
use crate::engine::gpu::network::LayerEntry;

kernel! {
    /// Loss and parameter gradient of score matching.
    pub ScoreMatching = score_matching,
    files: [
        "lib/layer.wgsl",
        "lib/tile.wgsl",
        "lib/philox.wgsl",
        "lib/noise.wgsl",
        "lib/sweep.wgsl",
        "lib/jet.wgsl",
        "lib/rows.wgsl",
        "lib/batch.wgsl",
        "lib/gradient.wgsl",
        "score_matching.wgsl",
    ],
    passes: Matching,
    bindings: {
        Uniform params: LossParams,
        Uniform net: LayerEntry,
        Read data: f32,
        Read given_draws: f32,
        Read levels: [f32; 4],
        Read directions: [f32; 4],
        Read weights: [f32; 4],
        Write scratch: [f32; 4],
        Write slabs: [f32; 4],
        Write losses: f32,
    },
}
