//! The sum of the workgroups' slabs, and its squares. Its header in `shaders/reduce_gradient.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `reduce_gradient`.
    pub struct ReduceParams {
        /// vec4 of a slab.
        size: u32,
        /// Slabs.
        slab_count: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused0: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused1: u32,
    }
}

kernel! {
    /// The sum of the workgroups' slabs, and its squares.
    pub ReduceGradient = reduce_gradient,
    files: [
        "reduce_gradient.wgsl",
    ],
    passes: None,
    bindings: {
        Uniform params: ReduceParams,
        Read slabs: [f32; 4],
        Write gradient: [f32; 4],
        Write squares: f32,
    },
}
