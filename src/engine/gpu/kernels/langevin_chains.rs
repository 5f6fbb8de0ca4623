//! Many Langevin steps of many chains. Its header in `shaders/langevin_chains.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};
use crate::engine::gpu::network::LayerEntry;

device_struct! {
    /// Arguments of `langevin_chains`.
    pub struct LangevinParams {
        /// Low word of the seed.
        key_low: u32,
        /// High word of the seed.
        key_high: u32,
        /// Chains.
        count: u32,
        /// Coordinates of a chain.
        dim: u32,
        /// The first tile of the dispatch.
        first_tile: u32,
        /// The one behind its last.
        end_tile: u32,
        /// Workgroups among which all tiles are shared.
        groups: u32,
        /// vec4 of scratch that a workgroup owns.
        region: u32,
        /// Steps done before.
        first_step: u32,
        /// Steps of this dispatch.
        steps: u32,
        /// η.
        step_size: f32,
        /// √(2 η T).
        noise_scale: f32,
        /// The least value of a coordinate.
        low: f32,
        /// The largest.
        high: f32,
        /// What happens there: a `WALL_*` constant.
        wall: u32,
        /// The column that the first chain is among all.
        first_column: u32,
    }
}

kernel! {
    /// Many Langevin steps of many chains.
    pub LangevinChains = langevin_chains,
    files: [
        "lib/layer.wgsl",
        "lib/tile.wgsl",
        "lib/philox.wgsl",
        "lib/noise.wgsl",
        "lib/chains.wgsl",
        "lib/finite.wgsl",
        "lib/walls.wgsl",
        "langevin_chains.wgsl",
    ],
    passes: Chains(0),
    bindings: {
        Uniform params: LangevinParams,
        Uniform net: LayerEntry,
        Read weights: [f32; 4],
        Write scratch: [f32; 4],
        Write chains: f32,
    },
}
