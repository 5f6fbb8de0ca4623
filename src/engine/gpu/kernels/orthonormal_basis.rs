//! An orthonormal basis of the row space of the first weights. Its header in `shaders/orthonormal_basis.wgsl` says the rest.

use crate::engine::gpu::kernel::{device_struct, kernel};

device_struct! {
    /// Arguments of `orthonormal_basis`.
    pub struct BasisParams {
        /// Rows of W.
        width: u32,
        /// vec4 of a row.
        input: u32,
        /// Where W begins, in vec4.
        weight: u32,
        /// Fills the struct to a multiple of 16 bytes.
        unused: u32,
    }
}

/// The most rows: `MOST_ROWS` of the WGSL.
pub const MOST_ROWS: usize = 2048;

kernel! {
    /// An orthonormal basis of the row space of the first weights.
    pub OrthonormalBasis = orthonormal_basis,
    files: ["orthonormal_basis.wgsl"],
    passes: None,
    bindings: {
        Uniform params: BasisParams,
        Read weights: [f32; 4],
        Write directions: [f32; 4],
    },
}
