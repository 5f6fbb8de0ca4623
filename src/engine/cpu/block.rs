//! Feature-major blocks of numbers and the three products of a layer.

use std::marker::PhantomData;
use std::ops::Range;

use super::product::{Columns, product};
use crate::real::Real;

/// Numbers of one layer for all columns of a tile: `[rows, columns]` row-major, a row per neuron.
#[derive(Debug, Default)]
pub(crate) struct Block<T> {
    lines: Vec<Line>,
    rows: usize,
    columns: usize,
    /// From the beginning of a row to that of the next.
    stride: usize,
    of: PhantomData<T>,
}

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// A line of the cache, where every row begins: a vector that crosses lines is two accesses.
#[derive(Debug, Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

/// The least distance between rows of so many columns that is an odd number of lines: at powers of two, the rows of a product
/// would all lie in the same few places of the cache.
fn stride<T>(columns: usize) -> usize {
    let line = LINE / size_of::<T>();
    (columns.div_ceil(line) | 1) * line
}

impl<T: Real> Block<T> {
    /// Gives the block a shape; what it held is lost. Allocates only when it has to grow.
    pub(crate) fn shape(&mut self, rows: usize, columns: usize) {
        (self.rows, self.columns, self.stride) = (rows, columns, stride::<T>(columns));
        self.lines.resize(rows * self.stride * size_of::<T>() / LINE, bytemuck::Zeroable::zeroed());
    }

    fn data(&self) -> &[T] {
        bytemuck::cast_slice(&self.lines)
    }

    fn data_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.lines)
    }

    /// Sets everything to 0.
    pub(crate) fn clear(&mut self) {
        self.data_mut().fill(T::default());
    }

    pub(crate) fn row(&self, row: usize, columns: Range<usize>) -> &[T] {
        &self.data()[row * self.stride..][..self.columns][columns]
    }

    pub(crate) fn row_mut(&mut self, row: usize, columns: Range<usize>) -> &mut [T] {
        let (start, width) = (row * self.stride, self.columns);
        &mut self.data_mut()[start..][..width][columns]
    }

    /// Two rows, the second to be changed.
    pub(crate) fn two_rows(&mut self, first: usize, second: usize) -> (&[T], &mut [T]) {
        assert!(first < second);
        let (columns, stride) = (self.columns, self.stride);
        let (low, high) = self.data_mut().split_at_mut(second * stride);
        (&low[first * stride..][..columns], &mut high[..columns])
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    fn whole(&self) -> View<'_, T> {
        self.view(&(0..self.columns))
    }

    fn view(&self, columns: &Range<usize>) -> View<'_, T> {
        assert!(columns.end <= self.columns, "columns {columns:?} of {}", self.columns);
        let data = if self.rows == 0 { &[] } else { &self.data()[columns.start..] };
        View { data, rows: self.rows, columns: columns.len(), row_stride: self.stride, column_stride: 1 }
    }
}

#[derive(Clone, Copy)]
struct View<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> View<'a, T> {
    fn matrix(data: &'a [T], rows: usize, columns: usize) -> Self {
        View { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    fn transposed(self) -> Self {
        View {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn last(&self) -> usize {
        (self.rows.max(1) - 1) * self.row_stride + (self.columns.max(1) - 1) * self.column_stride
    }
}

/// Y = W X in some columns; W is `[Y rows, X rows]`, packed.
pub(crate) fn dense<T: Real>(y: &mut Block<T>, strips: &[T], x: &Block<T>, columns: &Range<usize>) {
    assert!(columns.end <= y.columns && columns.end <= x.columns, "columns {columns:?} of {}", x.columns);
    let input = Columns { data: &x.data()[columns.start..], stride: x.stride };
    let (stride, shape) = (y.stride, [y.rows, x.rows, columns.len()]);
    product(&mut y.data_mut()[columns.start..], stride, strips, input, shape);
}

/// D += R Aᵀ over some columns; D is `[R rows, A rows]` row-major.
pub(crate) fn outer<T: Real>(gradient: &mut [T], r: &Block<T>, a: &Block<T>, columns: &Range<usize>) {
    multiply(gradient, a.rows, r.view(columns), a.view(columns).transposed(), [1.0, 1.0]);
}

/// Y = W Xᵀ; W is `[Y rows, width]`, X `[Y columns, width]`.
pub(crate) fn images<T: Real>(y: &mut Block<T>, weight: &[T], x: &Block<T>) {
    let weight = View::matrix(weight, y.rows, x.columns);
    let stride = y.stride;
    multiply(y.data_mut(), stride, weight, x.whole().transposed(), [0.0, 1.0]);
}

/// D += R A; D is `[R rows, A columns]` row-major.
pub(crate) fn add_product<T: Real>(gradient: &mut [T], r: &Block<T>, a: &Block<T>) {
    multiply(gradient, a.columns, r.whole(), a.whole(), [1.0, 1.0]);
}

/// Takes from rows `first .. last` what lies along the rows before them, which are orthonormal; `along` is working memory.
pub(crate) fn project_out<T: Real>(rows: &mut Block<T>, first: usize, last: usize, along: &mut Block<T>) {
    if first == 0 {
        return;
    }
    let (columns, stride) = (rows.columns, rows.stride);
    let (before, block) = rows.data_mut().split_at_mut(first * stride);
    along.shape(last - first, first);
    let before = View { row_stride: stride, ..View::matrix(before, first, columns) };
    let of_block = View { row_stride: stride, ..View::matrix(block, last - first, columns) };
    let along_stride = along.stride;
    multiply(along.data_mut(), along_stride, of_block, before.transposed(), [0.0, 1.0]);
    multiply(block, stride, along.whole(), before, [1.0, -1.0]);
}

/// C = keep C + factor A B; C is row-major with rows `stride` apart. What is not kept is not read.
fn multiply<T: Real>(c: &mut [T], stride: usize, a: View<'_, T>, b: View<'_, T>, [keep, factor]: [f64; 2]) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert_eq!(k, b.rows);
    if m == 0 || n == 0 {
        return;
    }
    assert!(n <= stride && (m - 1) * stride + n <= c.len() && a.last() < a.data.len() && b.last() < b.data.len());
    // SAFETY: the assertion above keeps every index inside the three slices, and c is borrowed mutably, so it overlaps
    // neither a nor b.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            stride as isize,
            keep != 0.0,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            T::of(keep),
            T::of(factor),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_begins_a_line_of_the_cache_and_the_next_is_elsewhere() {
        // beside what else lies in memory
        let mut others = Vec::new();
        for columns in [1, 16, 17, 64, 128, 576] {
            let mut block = Block::<f32>::default();
            block.shape(5, columns);
            let place = |row: usize| block.row(row, 0..columns).as_ptr() as usize;
            for row in 0..5 {
                assert_eq!(place(row) % LINE, 0, "row {row} of {columns} columns");
            }
            assert_eq!((place(1) - place(0)) / LINE % 2, 1, "{columns} columns");
            others.push((block, vec![0_u8; 16 + columns]));
        }
    }
}
