//! Arguments of the kernels that compute losses. `shaders/lib/batch.wgsl` says what each field means.

use crate::engine::gpu::kernel::device_struct;

device_struct! {
    /// Arguments of `score_matching` and `difference_matching`.
    pub struct LossParams {
        /// Low word of the seed.
        key_low: u32,
        /// High word of the seed.
        key_high: u32,
        /// The step, from 1.
        step: u32,
        /// Samples of the batch.
        batch: u32,
        /// Coordinates of a sample.
        dim: u32,
        /// Rows of the data.
        rows: u32,
        /// Tiles of samples.
        tiles: u32,
        /// vec4 of scratch that a workgroup owns.
        region: u32,
        /// vec4 of slabs that a workgroup owns.
        slab: u32,
        /// Where z lies in the region.
        noise: u32,
        /// 1 if samples and their draws are given in order, 0 if they are drawn.
        given: u32,
        /// Noise levels.
        levels: u32,
        /// Tangents of a sample.
        tangents: u32,
        /// Their law.
        law: u32,
        /// 1 / batch.
        share: f32,
        /// The factor of ½‖s‖².
        full: f32,
        /// The factor of ½(v·s)².
        sliced: f32,
        /// The factor of vᵀ∇s v.
        curved: f32,
        /// Length of a probe on a sphere.
        length: f32,
        /// Fills the struct to a multiple of 16 bytes.
        unused: u32,
    }
}

/// `LAW_GAUSSIAN` of the WGSL.
pub const LAW_GAUSSIAN: u32 = 0;
/// `LAW_RADEMACHER` of the WGSL.
pub const LAW_RADEMACHER: u32 = 1;
/// `LAW_SPHERE` of the WGSL.
pub const LAW_SPHERE: u32 = 2;
/// `LAW_BASIS` of the WGSL.
pub const LAW_BASIS: u32 = 3;
