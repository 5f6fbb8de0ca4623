//! The chains that make the negatives of contrastive divergence. Its header in `shaders/negative_chains.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};
use crate::engine::gpu::network::LayerEntry;

device_struct! {
    /// Arguments of `negative_chains`.
    pub struct NegativeParams {
        /// Low word of the seed.
        key_low: u32,
        /// High word of the seed.
        key_high: u32,
        /// The training step, from 1.
        step: u32,
        /// Samples of the batch.
        batch: u32,
        /// Coordinates of a sample.
        dim: u32,
        /// Rows of the data; where the host has placed the batch, its first.
        rows: u32,
        /// The first tile of the dispatch.
        first_tile: u32,
        /// The one behind its last.
        end_tile: u32,
        /// Workgroups among which all tiles are shared.
        groups: u32,
        /// vec4 of scratch that a workgroup owns.
        region: u32,
        /// Langevin steps.
        steps: u32,
        /// Chains of the replay buffer; 0 if chains start from the data.
        slots: u32,
        /// What multiplies a sample's index in its slot.
        multiplier: u32,
        /// What is added.
        offset: u32,
        /// The restart probability in units of 2⁻²³.
        restart_limit: u32,
        /// 1 if a chain begins uniformly over a box, 0 if normally.
        box_start: u32,
        /// Where the step before stands in the history.
        previous: u32,
        /// η.
        step_size: f32,
        /// √(2 η).
        noise_scale: f32,
        /// The standard deviation of noise on the data.
        data_noise: f32,
        /// How samples have their rows.
        chosen: u32,
        /// The first Langevin step of the dispatch.
        first_round: u32,
        /// The one behind its last.
        end_round: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused: u32,
    }
}

kernel! {
    /// The chains that make the negatives of contrastive divergence.
    pub NegativeChains = negative_chains,
    files: [
        "lib/layer.wgsl",
        "lib/tile.wgsl",
        "lib/philox.wgsl",
        "lib/noise.wgsl",
        "lib/sweep.wgsl",
        "lib/jet.wgsl",
        "lib/rows.wgsl",
        "lib/finite.wgsl",
        "negative_chains.wgsl",
    ],
    passes: Negatives,
    bindings: {
        Uniform params: NegativeParams,
        Uniform net: LayerEntry,
        Read data: f32,
        Read law: f32,
        Read history: [f32; 4],
        Read weights: [f32; 4],
        Write scratch: [f32; 4],
        Write replay: f32,
        Write negatives: f32,
    },
}
