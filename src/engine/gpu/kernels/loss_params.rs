//! Arguments of the kernels that compute losses. `shaders/lib/batch.wgsl` says what each field means.

use crate::engine::gpu::kernel::device_struct;

device_struct! {
    /// Arguments of `score_matching`, `difference_matching` and `contrast`.
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
        /// Rows of the data; where the host has placed the batch, its first.
        rows: u32,
        /// The first tile of the dispatch.
        first_tile: u32,
        /// The one behind its last.
        end_tile: u32,
        /// Workgroups among which all tiles are shared.
        groups: u32,
        /// vec4 of scratch that a workgroup owns.
        region: u32,
        /// vec4 of slabs that a workgroup owns.
        slab: u32,
        /// Where z lies in the region.
        noise: u32,
        /// How samples have their rows; given ones have given draws too.
        chosen: u32,
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
        /// Negatives of a sample.
        negatives: u32,
        /// How energies become a loss.
        form: u32,
        /// Where negatives come from.
        source: u32,
        /// The standard deviation of noise on the data.
        data_noise: f32,
        /// √t of perturbed negatives.
        spread: f32,
        /// α.
        alpha: f32,
        /// ln w.
        log_w: f32,
        /// ln of the number of negatives.
        log_count: f32,
        /// ln q at the mean of the noise law.
        log_peak: f32,
        /// Workgroups among which the tangents of a tile are split.
        splits: u32,
        /// 1 in the dispatch that adds up what they have made.
        joining: u32,
    }
}

/// `ROWS_DRAWN` of the WGSL.
pub const ROWS_DRAWN: u32 = 0;
/// `ROWS_GIVEN` of the WGSL.
pub const ROWS_GIVEN: u32 = 1;
/// `ROWS_PLACED` of the WGSL.
pub const ROWS_PLACED: u32 = 2;
/// `LAW_GAUSSIAN` of the WGSL.
pub const LAW_GAUSSIAN: u32 = 0;
/// `LAW_RADEMACHER` of the WGSL.
pub const LAW_RADEMACHER: u32 = 1;
/// `LAW_SPHERE` of the WGSL.
pub const LAW_SPHERE: u32 = 2;
/// `LAW_BASIS` of the WGSL.
pub const LAW_BASIS: u32 = 3;

/// `FORM_DIFFERENCE` of the WGSL.
pub const FORM_DIFFERENCE: u32 = 0;
/// `FORM_RANKING` of the WGSL.
pub const FORM_RANKING: u32 = 1;
/// `FORM_CLASSIFICATION` of the WGSL.
pub const FORM_CLASSIFICATION: u32 = 2;
/// `FROM_GIVEN` of the WGSL.
pub const FROM_GIVEN: u32 = 0;
/// `FROM_DATA` of the WGSL.
pub const FROM_DATA: u32 = 1;
/// `FROM_LAW` of the WGSL.
pub const FROM_LAW: u32 = 2;
