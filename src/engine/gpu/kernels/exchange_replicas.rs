//! Exchanges between temperatures. Its header in `shaders/exchange_replicas.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `exchange_replicas`.
    pub struct ExchangeParams {
        /// Low word of the seed.
        key_low: u32,
        /// High word of the seed.
        key_high: u32,
        /// Columns: chains times replicas.
        count: u32,
        /// Coordinates of a chain.
        dim: u32,
        /// Temperatures.
        replicas: u32,
        /// The hotter one of the first pair: 0 or 1.
        odd: u32,
        /// Pairs of a chain.
        pairs: u32,
        /// Steps done.
        step: u32,
        /// The column that the first one is among all.
        first_column: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused0: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused1: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused2: u32,
    }
}

kernel! {
    /// Neighbouring temperatures change places.
    pub ExchangeReplicas = exchange_replicas,
    files: ["lib/philox.wgsl", "exchange_replicas.wgsl"],
    passes: None,
    bindings: {
        Uniform params: ExchangeParams,
        Read table: f32,
        Write chains: f32,
        Write states: [f32; 4],
    },
}
