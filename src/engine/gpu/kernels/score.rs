//! s = −∇E at each point. Its header in `shaders/score.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};
use crate::engine::gpu::network::LayerEntry;

device_struct! {
    /// Arguments of `score`.
    pub struct ScoreParams {
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
    /// s = −∇E at each point.
    pub Score = score,
    files: [
        "lib/layer.wgsl",
        "lib/tile.wgsl",
        "lib/philox.wgsl",
        "lib/sweep.wgsl",
        "lib/jet.wgsl",
        "lib/points.wgsl",
        "score.wgsl",
    ],
    passes: Score,
    bindings: {
        Uniform params: ScoreParams,
        Uniform net: LayerEntry,
        Read points: f32,
        Read weights: [f32; 4],
        Write scratch: [f32; 4],
        Write scores: f32,
    },
}
