//! Random numbers for a tile, drawn where they are used. Twin: `shaders/lib/philox.wgsl`.

use super::block::Block;
use super::vectorized;
use crate::random::{Seed, Stream};
use crate::real::Real;

/// Fills the first `samples` columns of `z`, `[dim, ..]`, with standard normals: sample `s` of the tile draws at index
/// `first + s`, coordinates four at a time.
pub(crate) fn normals<T: Real>(z: &mut Block<T>, seed: Seed, stream: Stream, first: u32, samples: usize, step: u32) {
    let mut quad = [[T::default(); 4]; 64];
    for block in 0..z.rows().div_ceil(4) {
        for start in (0..samples).step_by(quad.len()) {
            let count = quad.len().min(samples - start);
            let index = first + start as u32;
            vectorized(
                #[inline(always)]
                || {
                    for (s, q) in quad[..count].iter_mut().enumerate() {
                        *q = seed.normals(stream, index + s as u32, step, block as u32);
                    }
                },
            );
            for n in 4 * block..z.rows().min(4 * block + 4) {
                let row = z.row_mut(n, start..start + count);
                row.iter_mut().zip(&quad).for_each(|(z, q)| *z = q[n % 4]);
            }
        }
    }
}
