//! Random numbers for a tile, drawn where they are used. Twins: `shaders/lib/philox.wgsl`, `shaders/lib/noise.wgsl`.

use std::ops::Range;

use super::block::Block;
use super::vector::{LANES, vectorized};
use crate::objective::ProbeLaw;
use crate::random::{Seed, Stream};
use crate::real::Real;

/// Fills some columns of the first `dim` rows of `z` with standard normals: column `s` of them draws at index `first + s`,
/// coordinates four at a time from block `base` on.
#[expect(clippy::too_many_arguments, reason = "where the numbers go, and the counter that they are a function of")]
pub(crate) fn normals<T: Real>(
    z: &mut Block<T>,
    dim: usize,
    columns: Range<usize>,
    seed: Seed,
    stream: Stream,
    first: u32,
    step: u32,
    base: u32,
) {
    fill(
        z,
        dim,
        columns,
        #[inline(always)]
        |s, block| seed.normals(stream, first + s, step, base + block),
    );
}

/// Fills some columns of the first `dim` rows with probe `k` of each sample; of length `length` where it is given.
#[expect(clippy::too_many_arguments, reason = "where the numbers go, and the counter that they are a function of")]
pub(crate) fn probes<T: Real>(
    v: &mut Block<T>,
    dim: usize,
    columns: Range<usize>,
    law: ProbeLaw,
    length: Option<f64>,
    seed: Seed,
    first: u32,
    step: u32,
    k: u32,
) {
    let base = k * dim.div_ceil(4) as u32;
    if law == ProbeLaw::Rademacher {
        fill(
            v,
            dim,
            columns,
            #[inline(always)]
            |s, block| {
                let [a, b, c, d] = seed.words(Stream::Probe, first + s, step, base + block);
                [sign(a), sign(b), sign(c), sign(d)]
            },
        );
        return;
    }
    normals(v, dim, columns.clone(), seed, Stream::Probe, first, step, base);
    if law == ProbeLaw::Sphere {
        let radius = T::of(length.unwrap_or((dim as f64).sqrt()));
        for s in columns {
            let square: T = (0..dim).map(|n| v.row(n, s..s + 1)[0]).map(|x| x * x).sum();
            let factor = radius / square.sqrt();
            (0..dim).for_each(|n| v.row_mut(n, s..s + 1)[0] = factor * v.row(n, s..s + 1)[0]);
        }
    }
}

#[inline(always)]
fn sign<T: Real>(word: u32) -> T {
    T::of(if word >> 31 == 0 { 1.0 } else { -1.0 })
}

/// Fills some columns of the first `dim` rows, four rows of a column at a time, with what `draw(column, block)` gives. Inlined with
/// `draw`, so that both are compiled for the widest vectors: a number of a row beside its neighbours, or nothing is vectorised.
#[inline(always)]
fn fill<T: Real>(z: &mut Block<T>, dim: usize, columns: Range<usize>, draw: impl Fn(u32, u32) -> [T; 4]) {
    vectorized(
        #[inline(always)]
        || {
            for block in 0..dim.div_ceil(4) {
                for start in (0..columns.len()).step_by(LANES) {
                    let mut rows = [[T::default(); LANES]; 4];
                    for s in 0..LANES {
                        let quad = draw((start + s) as u32, block as u32);
                        for (row, number) in rows.iter_mut().zip(quad) {
                            row[s] = number;
                        }
                    }
                    let (at, count) = (columns.start + start, LANES.min(columns.len() - start));
                    for (row, n) in rows.iter().zip(4 * block..dim) {
                        let to = z.row_mut(n, at..at + count);
                        match to.as_chunks_mut::<LANES>() {
                            ([to], []) => *to = *row,
                            _ => to.copy_from_slice(&row[..count]),
                        }
                    }
                }
            }
        },
    );
}
