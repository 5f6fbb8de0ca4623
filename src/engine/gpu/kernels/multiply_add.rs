//! A loop of multiply-adds and nothing else. Its header in `shaders/multiply_add.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `multiply_add`.
    pub struct MultiplyAddParams {
        /// Turns of the loop.
        turns: u32,
        /// Where every number starts.
        start: f32,
        /// What multiplies.
        factor: f32,
        /// What is added.
        term: f32,
    }
}

impl MultiplyAddParams {
    /// Multiply-adds of an invocation in a turn.
    pub const EACH: u32 = 128;
}

kernel! {
    /// A loop of multiply-adds and nothing else.
    pub MultiplyAdd = multiply_add,
    files: [
        "multiply_add.wgsl",
    ],
    passes: None,
    bindings: {
        Uniform params: MultiplyAddParams,
        Write means: f32,
    },
}
