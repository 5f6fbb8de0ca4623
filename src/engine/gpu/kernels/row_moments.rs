//! Moments of parts of chains. Its header in `shaders/row_moments.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `row_moments`.
    pub struct RowParams {
        /// Parts of all chains.
        rows: u32,
        /// What chains are cut in: 1 or 2.
        parts: u32,
        /// Draws of a part.
        length: u32,
        /// Draws of a chain.
        draws: u32,
        /// Draws of a series.
        each: u32,
        /// 1 if the means are taken off.
        centre: u32,
        /// Where the first row is written.
        goal: u32,
        /// Invocations of a part, a power of two.
        lanes: u32,
        /// Parts of all series.
        total: u32,
        /// Nothing.
        unused0: u32,
        /// Nothing.
        unused1: u32,
        /// Nothing.
        unused2: u32,
    }
}

device_struct! {
    /// What a part of a chain is like.
    pub struct Row {
        /// The mean.
        mean: f32,
        /// Summed squares of deviations.
        squares: f32,
        /// Draws that differ from the first.
        moving: u32,
        /// Draws that are not finite.
        not_finite: u32,
    }
}

kernel! {
    /// Mean and squares of each part of each chain.
    pub RowMoments = row_moments,
    files: ["lib/keys.wgsl", "lib/halves.wgsl", "row_moments.wgsl"],
    passes: None,
    bindings: {
        Uniform params: RowParams,
        Write series: f32,
        Write moments: Row,
    },
}
