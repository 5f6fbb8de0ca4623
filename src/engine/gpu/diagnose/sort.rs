//! The dispatches of a sort: merges of growing size, within blocks where they fit and one step at a time where they do not.

use crate::engine::gpu::kernels::SortParams;

/// Keys that a workgroup sorts in its own memory: BLOCK of `shaders/sort_keys.wgsl`.
pub(super) const BLOCK: usize = 2048;

/// The parts of a sort of `padded` keys.
pub(super) fn parts(padded: u32, of: SortParams) -> Vec<SortParams> {
    let block = BLOCK as u32;
    let mut all = vec![SortParams { padded, fresh: 1, first_size: 2, last_size: block, ..of }];
    let mut size = 2 * block;
    while size <= padded {
        let mut stride = size / 2;
        while stride >= block {
            all.push(SortParams { padded, last_size: size, stride, ..of });
            stride /= 2;
        }
        all.push(SortParams { padded, first_size: size, last_size: size, ..of });
        size *= 2;
    }
    all
}
