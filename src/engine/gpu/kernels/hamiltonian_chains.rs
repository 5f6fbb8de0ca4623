//! Many steps of Hamiltonian Monte Carlo. Its header in `shaders/hamiltonian_chains.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};
use crate::engine::gpu::network::LayerEntry;

device_struct! {
    /// Arguments of `hamiltonian_chains`.
    pub struct HamiltonianParams {
        /// Low word of the seed.
        key_low: u32,
        /// High word of the seed.
        key_high: u32,
        /// Columns: chains times replicas.
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
        /// Where its spare blocks lie.
        spare: u32,
        /// Steps done before.
        first_step: u32,
        /// Steps of this dispatch.
        steps: u32,
        /// L.
        leapfrogs: u32,
        /// Temperatures.
        replicas: u32,
        /// What happens at the walls of the box: a `WALL_*` constant.
        wall: u32,
        /// The least value of a coordinate.
        low: f32,
        /// The largest.
        high: f32,
        /// ε.
        step: f32,
        /// The acceptance that adaptation aims at; 0 for none.
        goal: f32,
        /// The gain of adaptation at step t is gain t^−decay.
        gain: f32,
        /// How fast it falls.
        decay: f32,
        /// How fast the average forgets.
        forgetting: f32,
        /// The column that the first one is among all.
        first_column: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused1: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused2: u32,
    }
}

kernel! {
    /// Many steps of Hamiltonian Monte Carlo for many chains.
    pub HamiltonianChains = hamiltonian_chains,
    files: [
        "lib/layer.wgsl",
        "lib/tile.wgsl",
        "lib/philox.wgsl",
        "lib/noise.wgsl",
        "lib/chains.wgsl",
        "lib/finite.wgsl",
        "lib/walls.wgsl",
        "hamiltonian_chains.wgsl",
    ],
    passes: Chains(3),
    bindings: {
        Uniform params: HamiltonianParams,
        Uniform net: LayerEntry,
        Read weights: [f32; 4],
        Read table: f32,
        Write scratch: [f32; 4],
        Write chains: f32,
        Write states: [f32; 4],
    },
}
