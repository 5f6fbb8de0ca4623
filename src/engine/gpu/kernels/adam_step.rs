//! One step of Adam on all parameters. Its header in `shaders/adam_step.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};
use crate::engine::gpu::network::LayerEntry;

device_struct! {
    /// Arguments of `adam_step`.
    pub struct AdamParams {
        /// vec4 of all parameters.
        size: u32,
        /// Sums of squares.
        square_count: u32,
        /// Losses.
        batch: u32,
        /// Slot of this step in the history.
        slot: u32,
        /// Slot of the step before.
        previous: u32,
        /// The step, from 1.
        step: u32,
        /// lr / (1 − β₁ᵗ).
        first: f32,
        /// 1 / (1 − β₂ᵗ).
        second: f32,
        /// lr · weight decay.
        decay: f32,
        /// β₁.
        beta1: f32,
        /// β₂.
        beta2: f32,
        /// ε.
        epsilon: f32,
        /// Largest norm; 0 for no limit.
        clip: f32,
        /// 1 − decay of the average.
        follow: f32,
        /// 1 − β₁.
        new1: f32,
        /// 1 − β₂.
        new2: f32,
    }
}

kernel! {
    /// One step of Adam on all parameters.
    pub AdamStep = adam_step,
    files: [
        "lib/layer.wgsl",
        "adam_step.wgsl",
    ],
    passes: None,
    bindings: {
        Uniform params: AdamParams,
        Uniform net: LayerEntry,
        Read gradient: [f32; 4],
        Read squares: f32,
        Read losses: f32,
        Write weights: f32,
        Write moments: [f32; 4],
        Write history: [f32; 4],
    },
}
