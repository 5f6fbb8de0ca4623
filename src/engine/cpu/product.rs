//! The product of a layer's weights with a block: sums that stay in registers, over columns that stay in the nearest cache.
//!
//! A product adds up each number in the order of the weights' columns, whatever the shape, the columns beside it and the
//! vectors of the machine: a sample's result does not depend on its neighbours.

use pulp::Simd;

use crate::real::Real;

/// Rows of sums that are held together: with two vectors a row, as many as 16 registers hold beside their factors.
const ROWS: usize = 6;

/// A row-major block of columns whose rows begin `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a, T> {
    pub(super) data: &'a [T],
    pub(super) stride: usize,
}

/// Puts a row-major matrix of `[rows, depth]` in strips of [`ROWS`] rows (the last of what is left), each column by column: in
/// the order in which [`product`] reads it.
pub(super) fn pack<T: Real>(strips: &mut [T], matrix: &[T], depth: usize) {
    assert_eq!(strips.len(), matrix.len());
    for (strip, rows) in strips.chunks_mut(ROWS * depth.max(1)).zip(matrix.chunks(ROWS * depth.max(1))) {
        if strip.len() == ROWS * depth {
            let columns = strip.as_chunks_mut::<ROWS>().0;
            let rows: [&[T]; ROWS] = std::array::from_fn(|r| &rows[r * depth..][..columns.len()]);
            for (k, column) in columns.iter_mut().enumerate() {
                column.iter_mut().zip(&rows).for_each(|(to, row)| *to = row[k]);
            }
        } else {
            let height = strip.len() / depth;
            for (k, column) in strip.chunks_exact_mut(height).enumerate() {
                column.iter_mut().zip(rows.chunks_exact(depth)).for_each(|(to, row)| *to = row[k]);
            }
        }
    }
}

/// The same of the transpose of a row-major matrix of `[depth, rows]`.
pub(super) fn pack_transpose<T: Real>(strips: &mut [T], matrix: &[T], rows: usize) {
    assert_eq!(strips.len(), matrix.len());
    let depth = matrix.len() / rows.max(1);
    for (strip, row) in strips.chunks_mut(ROWS * depth.max(1)).zip((0..rows).step_by(ROWS)) {
        let height = ROWS.min(rows - row);
        if height == ROWS {
            for (to, from) in strip.as_chunks_mut::<ROWS>().0.iter_mut().zip(matrix.chunks_exact(rows)) {
                to.copy_from_slice(&from[row..][..ROWS]);
            }
        } else {
            for (to, from) in strip.chunks_exact_mut(height).zip(matrix.chunks_exact(rows)) {
                to.copy_from_slice(&from[row..][..height]);
            }
        }
    }
}

/// Y = W X for a packed W of `[rows, depth]` and an X of `[depth, columns]`; rows of Y are `stride` apart.
pub(super) fn product<T: Real>(
    y: &mut [T],
    stride: usize,
    strips: &[T],
    x: Columns<'_, T>,
    [rows, depth, columns]: [usize; 3],
) {
    assert_eq!(strips.len(), rows * depth);
    if rows == 0 {
        return;
    }
    let shape = [rows, depth, columns];
    if let (Some(y), Some(strips), Some(data)) = (T::as_f32s_mut(y), T::as_f32s(strips), T::as_f32s(x.data))
        && Vectors::of(y, stride, strips, Columns { data, stride: x.stride }, shape)
    {
        return;
    }
    let arrays = Arrays { y, stride, strips, x, shape };
    // what the compiler makes of arrays for AVX-512 is several times as slow as for AVX2
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = pulp::x86::V3::try_new() {
        return Simd::vectorize(avx2, arrays);
    }
    pulp::Arch::new().dispatch(arrays);
}

/// The product of numbers of any kind, of which the compiler makes vectors.
struct Arrays<'a, T> {
    y: &'a mut [T],
    stride: usize,
    strips: &'a [T],
    x: Columns<'a, T>,
    shape: [usize; 3],
}

impl<T: Real> pulp::WithSimd for Arrays<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { y, stride, strips, x, shape } = self;
        // two vectors of columns
        match 8 * S::F32_LANES / size_of::<T>() {
            16.. => panels::<T, 16, 32, true>(y, stride, strips, x, shape),
            3..16 => panels::<T, 8, 16, true>(y, stride, strips, x, shape),
            // without vectors, a fused multiply-add is a function call
            _ => panels::<T, 8, 16, false>(y, stride, strips, x, shape),
        }
    }
}

/// All columns, `N` at a time, or `WIDE` where the rows alone would not keep enough sums going, or fewer where there are not as
/// many. Those that are left over are computed with some of the ones before, again.
#[inline(always)]
fn panels<T: Real, const N: usize, const WIDE: usize, const FUSED: bool>(
    y: &mut [T],
    stride: usize,
    strips: &[T],
    x: Columns<'_, T>,
    [rows, depth, columns]: [usize; 3],
) {
    match columns {
        _ if rows <= 2 && columns >= WIDE => {
            every_panel::<T, WIDE, FUSED>(y, stride, strips, x, [rows, depth, columns])
        }
        _ if columns >= N => every_panel::<T, N, FUSED>(y, stride, strips, x, [rows, depth, columns]),
        16.. => every_panel::<T, 16, FUSED>(y, stride, strips, x, [rows, depth, columns]),
        4.. => every_panel::<T, 4, FUSED>(y, stride, strips, x, [rows, depth, columns]),
        _ => every_panel::<T, 1, FUSED>(y, stride, strips, x, [rows, depth, columns]),
    }
}

#[inline(always)]
fn every_panel<T: Real, const N: usize, const FUSED: bool>(
    y: &mut [T],
    stride: usize,
    strips: &[T],
    x: Columns<'_, T>,
    [rows, depth, columns]: [usize; 3],
) {
    for start in (0..columns).step_by(N) {
        let column = start.min(columns - N);
        let x = Columns { data: x.data.get(column..).unwrap_or(&[]), ..x };
        panel::<T, N, FUSED>(&mut y[column..], stride, strips, x, [rows, depth]);
    }
}

#[inline(always)]
fn panel<T: Real, const N: usize, const FUSED: bool>(
    y: &mut [T],
    stride: usize,
    strips: &[T],
    x: Columns<'_, T>,
    [rows, depth]: [usize; 2],
) {
    let full = rows / ROWS * ROWS;
    for row in (0..full).step_by(ROWS) {
        let strip = &strips[row * depth..][..ROWS * depth];
        sums::<T, ROWS, N, FUSED>(&mut y[row * stride..], stride, strip, x);
    }
    if full < rows {
        let (y, strip) = (&mut y[full * stride..], &strips[full * depth..]);
        match rows - full {
            1 => sums::<T, 1, N, FUSED>(y, stride, strip, x),
            2 => sums::<T, 2, N, FUSED>(y, stride, strip, x),
            3 => sums::<T, 3, N, FUSED>(y, stride, strip, x),
            4 => sums::<T, 4, N, FUSED>(y, stride, strip, x),
            _ => sums::<T, 5, N, FUSED>(y, stride, strip, x),
        }
    }
}

/// `R` rows of `N` columns.
#[inline(always)]
fn sums<T: Real, const R: usize, const N: usize, const FUSED: bool>(
    y: &mut [T],
    stride: usize,
    strip: &[T],
    x: Columns<'_, T>,
) {
    let mut sums = [[T::default(); N]; R];
    for (k, factors) in strip.as_chunks::<R>().0.iter().enumerate() {
        let x = &x.data[k * x.stride..][..N];
        for (sums, factor) in sums.iter_mut().zip(factors) {
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum = if FUSED { x.mul_add(*factor, *sum) } else { *sum + *x * *factor };
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        y[r * stride..][..N].copy_from_slice(sums);
    }
}

/// The product of f32 in vectors, where a row holds two of them or more.
struct Vectors<'a> {
    y: &'a mut [f32],
    stride: usize,
    strips: &'a [f32],
    x: Columns<'a, f32>,
    shape: [usize; 3],
}

impl<'a> Vectors<'a> {
    /// Does it in the widest vectors of the machine that fit; false if none do.
    fn of(y: &'a mut [f32], stride: usize, strips: &'a [f32], x: Columns<'a, f32>, shape: [usize; 3]) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            use pulp::x86::{V3, V4};
            let fit = |lanes: usize| shape[2] >= 2 * lanes;
            let vectors = Vectors { y, stride, strips, x, shape };
            if let Some(avx512) = V4::try_new().filter(|_| fit(V4::F32_LANES)) {
                Simd::vectorize(avx512, vectors);
                return true;
            }
            if let Some(avx2) = V3::try_new().filter(|_| fit(V3::F32_LANES)) {
                Simd::vectorize(avx2, vectors);
                return true;
            }
        }
        false
    }
}

impl pulp::WithSimd for Vectors<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { y, stride, strips, x, shape } = self;
        // four vectors a row where there are few rows, or the 32 registers that hold so many sums
        if (shape[0] <= 2 || S::F32_LANES >= 16) && shape[2] >= 4 * S::F32_LANES {
            every_vector_panel::<S, 4>(simd, y, stride, strips, x, shape);
        } else {
            every_vector_panel::<S, 2>(simd, y, stride, strips, x, shape);
        }
    }
}

#[inline(always)]
fn every_vector_panel<S: Simd, const V: usize>(
    simd: S,
    y: &mut [f32],
    stride: usize,
    strips: &[f32],
    x: Columns<'_, f32>,
    [rows, depth, columns]: [usize; 3],
) {
    let width = V * S::F32_LANES;
    for start in (0..columns).step_by(width) {
        let column = start.min(columns - width);
        let x = Columns { data: x.data.get(column..).unwrap_or(&[]), ..x };
        for row in (0..rows).step_by(ROWS) {
            let strip = &strips[row * depth..][..ROWS.min(rows - row) * depth];
            let y = &mut y[row * stride + column..];
            match rows - row {
                1 => vector_sums::<S, 1, V>(simd, y, stride, strip, x),
                2 => vector_sums::<S, 2, V>(simd, y, stride, strip, x),
                3 => vector_sums::<S, 3, V>(simd, y, stride, strip, x),
                4 => vector_sums::<S, 4, V>(simd, y, stride, strip, x),
                5 => vector_sums::<S, 5, V>(simd, y, stride, strip, x),
                _ => vector_sums::<S, ROWS, V>(simd, y, stride, strip, x),
            }
        }
    }
}

/// `R` rows of `V` vectors.
#[inline(always)]
fn vector_sums<S: Simd, const R: usize, const V: usize>(
    simd: S,
    y: &mut [f32],
    stride: usize,
    strip: &[f32],
    x: Columns<'_, f32>,
) {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (k, factors) in strip.as_chunks::<R>().0.iter().enumerate() {
        let x = &S::as_simd_f32s(&x.data[k * x.stride..][..V * S::F32_LANES]).0[..V];
        for (sums, factor) in sums.iter_mut().zip(factors) {
            let factor = simd.splat_f32s(*factor);
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum = simd.mul_add_f32s(*x, factor, *sum);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        S::as_mut_simd_f32s(&mut y[r * stride..][..V * S::F32_LANES]).0.copy_from_slice(sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain or a sample has the same result whatever stands beside it.
    #[test]
    fn few_columns_are_rounded_like_many() {
        let (rows, depth, columns) = (8, 64, 200);
        let of = |numbers: Vec<f64>| numbers.into_iter().map(|x| x as f32).collect::<Vec<_>>();
        let (w, x) = (of(numbers(rows * depth, 0.37)), of(numbers(depth * columns, 0.71)));
        let mut strips = vec![0.0; w.len()];
        pack(&mut strips, &w, depth);
        let product_of = |count: usize| {
            let mut y = vec![0.0_f32; rows * columns];
            product(&mut y, columns, &strips, Columns { data: &x, stride: columns }, [rows, depth, count]);
            y
        };
        let all = product_of(columns);
        for count in [1, 3, 4, 7, 15, 16, 17, 31, 32, 33, 64, 100] {
            let some = product_of(count);
            for (row, all) in some.chunks(columns).zip(all.chunks(columns)) {
                assert_eq!(row[..count], all[..count], "{count} columns");
            }
        }
    }

    /// Fails if a machine of narrower vectors gets other numbers.
    fn in_narrower_vectors(
        y: &[f32],
        stride: usize,
        strips: &[f32],
        x: Columns<'_, f32>,
        [rows, depth, columns]: [usize; 3],
    ) {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = pulp::x86::V3::try_new()
            && columns >= 2 * pulp::x86::V3::F32_LANES
            && rows > 0
        {
            let mut same = vec![9.0; y.len()];
            let shape = [rows, depth, columns];
            Simd::vectorize(avx2, Vectors { y: &mut same, stride, strips, x, shape });
            assert_eq!(same, y, "{shape:?}");
        }
    }

    fn numbers(count: usize, factor: f64) -> Vec<f64> {
        (0..count).map(|i| (i as f64 * factor).sin()).collect()
    }

    #[test]
    fn every_shape_is_the_sum_in_order() {
        for [rows, depth, columns] in [
            [1, 1, 1],
            [13, 5, 40],
            [6, 3, 7],
            [17, 64, 33],
            [64, 2, 16],
            [3, 0, 20],
            [0, 4, 9],
            [1, 5, 70],
            [2, 3, 131],
            [8, 3, 20],
            [7, 9, 5],
            [9, 4, 40],
            [10, 4, 40],
            [1, 6, 33],
            [2, 6, 40],
        ] {
            let (w, x) = (numbers(rows * depth, 0.37), numbers(depth * (columns + 3), 0.71));
            let (w32, x32): (Vec<_>, Vec<_>) =
                (w.iter().map(|w| *w as f32).collect(), x.iter().map(|x| *x as f32).collect());
            let stride = columns + 5;
            let (mut y, mut y32) = (vec![9.0_f64; rows * stride], vec![9.0_f32; rows * stride]);
            let shape = [rows, depth, columns];
            let (mut strips, mut strips32) = (vec![0.0; w.len()], vec![0.0; w.len()]);
            let transpose: Vec<f32> =
                (0..depth).flat_map(|k| (0..rows).map(move |row| row * depth + k)).map(|at| w32[at]).collect();
            pack(&mut strips, &w, depth);
            pack_transpose(&mut strips32, &transpose, rows);
            product(&mut y, stride, &strips, Columns { data: &x, stride: columns + 3 }, shape);
            product(&mut y32, stride, &strips32, Columns { data: &x32, stride: columns + 3 }, shape);
            in_narrower_vectors(&y32, stride, &strips32, Columns { data: &x32, stride: columns + 3 }, shape);
            for (at, (y, y32)) in y.iter().zip(&y32).enumerate() {
                let (row, column) = (at / stride, at % stride);
                if column >= columns {
                    assert!(*y == 9.0 && *y32 == 9.0, "{shape:?}: something beside the columns has changed");
                    continue;
                }
                let terms = |k: usize| (w[row * depth + k], x[k * (columns + 3) + column]);
                let exact: f64 = (0..depth).map(terms).fold(0.0, |sum, (w, x)| sum + w * x);
                assert_eq!(*y, exact, "{shape:?} at {row}, {column}");
                let terms = |k: usize| (w32[row * depth + k], x32[k * (columns + 3) + column]);
                let fused = (0..depth).map(terms).fold(0.0, |sum, (w, x)| f32::mul_add(w, x, sum));
                let plain = (0..depth).map(terms).fold(0.0, |sum, (w, x)| sum + w * x);
                assert!(*y32 == fused || *y32 == plain, "{shape:?} at {row}, {column}");
            }
        }
    }
}
