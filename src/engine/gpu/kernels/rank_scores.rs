//! Normal scores of draws. Its header in `shaders/rank_scores.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `rank_scores`.
    pub struct RankParams {
        /// Sorted draws of a coordinate.
        count: u32,
        /// Keys of a coordinate.
        padded: u32,
        /// Draws of a coordinate.
        each: u32,
        /// Draws of all.
        total: u32,
        /// The first draw.
        origin: u32,
        /// Its score.
        goal: u32,
        /// Nothing.
        unused0: u32,
        /// Nothing.
        unused1: u32,
    }
}

kernel! {
    /// The normal scores of ranks among sorted draws.
    pub RankScores = rank_scores,
    files: ["lib/keys.wgsl", "lib/normal_quantile.wgsl", "rank_scores.wgsl"],
    passes: None,
    bindings: {
        Uniform params: RankParams,
        Read keys: u32,
        Write series: f32,
    },
}
