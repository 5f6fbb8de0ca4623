//! Sorting draws. Its header in `shaders/sort_keys.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `sort_keys`.
    pub struct SortParams {
        /// Draws of a coordinate that are sorted.
        count: u32,
        /// A power of two, a block or more.
        padded: u32,
        /// Draws of a coordinate.
        each: u32,
        /// The first draw of the first coordinate.
        source: u32,
        /// What chains are cut in: 1 or 2.
        parts: u32,
        /// Draws of a part.
        length: u32,
        /// Draws of a chain.
        draws: u32,
        /// 1 if the keys are made first.
        fresh: u32,
        /// The first merge within blocks.
        first_size: u32,
        /// The last one.
        last_size: u32,
        /// 0, or the step of a merge between blocks.
        stride: u32,
        /// Nothing.
        unused: u32,
    }
}

kernel! {
    /// A part of the network that sorts the draws of each coordinate.
    pub SortKeys = sort_keys,
    files: ["lib/keys.wgsl", "lib/halves.wgsl", "sort_keys.wgsl"],
    passes: None,
    bindings: {
        Uniform params: SortParams,
        Read series: f32,
        Write keys: u32,
    },
}
