//! Loss and parameter gradient of objectives that learn by contrast. Its header in `shaders/contrast.wgsl` says the rest.

use super::LossParams;
use crate::engine::gpu::kernel::kernel;
use crate::engine::gpu::network::LayerEntry;

kernel! {
    /// Loss and parameter gradient of objectives that learn by contrast.
    pub Contrast = contrast,
    files: [
        "lib/layer.wgsl",
        "lib/tile.wgsl",
        "lib/philox.wgsl",
        "lib/noise.wgsl",
        "lib/sweep.wgsl",
        "lib/jet.wgsl",
        "lib/rows.wgsl",
        "lib/batch.wgsl",
        "lib/forms.wgsl",
        "lib/gradient.wgsl",
        "contrast.wgsl",
    ],
    passes: Contrast,
    bindings: {
        Uniform params: LossParams,
        Uniform net: LayerEntry,
        Read data: f32,
        Read given_draws: f32,
        Read law: f32,
        Read weights: [f32; 4],
        Write scratch: [f32; 4],
        Write slabs: [f32; 4],
        Write losses: f32,
    },
}
