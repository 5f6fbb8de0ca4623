//! Quantiles of draws and distances from their median. Its header in `shaders/fold_draws.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `fold_draws`.
    pub struct FoldParams {
        /// Sorted draws of a coordinate.
        count: u32,
        /// Keys of a coordinate.
        padded: u32,
        /// Draws of a coordinate.
        each: u32,
        /// Draws of all.
        total: u32,
        /// The median is halfway between this key
        middle_low: u32,
        /// and this one.
        middle_high: u32,
        /// The last key below the 5 % quantile.
        lower_tail: u32,
        /// The last below that of 95 %.
        upper_tail: u32,
    }
}

device_struct! {
    /// What a coordinate's draws are told in.
    pub struct Unit {
        /// The median.
        median: f32,
        /// The farthest draw from it, but never 0.
        unit: f32,
        /// Nothing.
        unused0: f32,
        /// Nothing.
        unused1: f32,
    }
}

kernel! {
    /// What sorted draws say of each of them: tails, and distance from the median.
    pub FoldDraws = fold_draws,
    files: ["lib/keys.wgsl", "fold_draws.wgsl"],
    passes: None,
    bindings: {
        Uniform params: FoldParams,
        Read keys: u32,
        Write series: f32,
        Write units: Unit,
    },
}
