//! An orthonormal basis V of the row space of the first weights W₁: all directions in which a network depends on x.
//!
//! Derivatives along directions orthogonal to the rows of W₁ are 0, so min(d, width) tangents give exact traces and norms.
//! All samples of a step share them: the first layer makes W₁V of them once, and what their adjoints Q add to the gradient of
//! W₁ is (Σ Q) Vᵀ. Twin: `shaders/orthonormal_basis.wgsl`.

use super::block::{Block, add_product, images, project_out};
use super::tile::Network;
use super::vector::vectorized;
use crate::real::Real;

/// V as rows, and what the first layer makes of them.
#[derive(Debug, Default)]
pub(super) struct Basis<T> {
    /// Vᵀ, `[tangents, dim]`.
    pub(super) rows: Block<T>,
    /// W₁V, `[width, tangents]`.
    pub(super) images: Block<T>,
}

impl<T: Real> Basis<T> {
    /// Computes the basis of a network's current weights: the axes where `dim` is at most the width of the first layer, or
    /// where `axes` asks for them.
    pub(super) fn compute(&mut self, net: Network<'_, T>, axes: bool) {
        let layer = &net.layers[0];
        let (d, width) = (layer.input, layer.output);
        let axes = axes || d <= width;
        let count = if axes { d } else { width };
        let weight = &net.parameters[layer.weight.clone()];
        self.rows.shape(count, d);
        self.rows.clear();
        if axes {
            (0..d).for_each(|n| self.rows.row_mut(n, n..n + 1)[0] = T::of(1.0));
        } else {
            (0..width).for_each(|k| self.rows.row_mut(k, 0..d).copy_from_slice(&weight[k * d..(k + 1) * d]));
            orthonormalize(&mut self.rows, d);
        }
        self.images.shape(width, count);
        images(&mut self.images, weight, &self.rows);
    }

    /// Adds (Σ Q) Vᵀ to the gradient of the first weights, with which a gradient begins; `sums` is `[width, tangents]`.
    pub(super) fn add_weights(&self, sums: &Block<T>, gradient: &mut [T]) {
        add_product(gradient, sums, &self.rows);
    }
}

/// Rows that are made orthogonal to all before them by one product.
const ROWS: usize = 16;

/// Gram and Schmidt by blocks of rows, each block twice, which leaves them orthogonal to rounding errors. A row that depends
/// on those before it becomes 0.
fn orthonormalize<T: Real>(rows: &mut Block<T>, d: usize) {
    let dependent = T::of(64.0 * T::EPSILON);
    let mut along = Block::default();
    for first in (0..rows.rows()).step_by(ROWS) {
        let last = rows.rows().min(first + ROWS);
        for _ in 0..2 {
            let lengths: Vec<T> = (first..last).map(|k| length(rows.row(k, 0..d))).collect();
            project_out(rows, first, last, &mut along);
            for k in first..last {
                for j in first..k {
                    let (base, row) = rows.two_rows(j, k);
                    let along = dot(base, row);
                    row.iter_mut().zip(base).for_each(|(x, b)| *x = *x - along * *b);
                }
                let row = rows.row_mut(k, 0..d);
                let left = length(row);
                let factor = if left > dependent * lengths[k - first] { T::of(1.0) / left } else { T::default() };
                row.iter_mut().for_each(|x| *x = factor * *x);
            }
        }
    }
}

fn length<T: Real>(row: &[T]) -> T {
    dot(row, row).sqrt()
}

/// A dot product in 16 sums, so that it vectorises.
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    const LANES: usize = 16;
    let mut sums = [T::default(); LANES];
    vectorized(
        #[inline(always)]
        || {
            let (left, right) = (a.as_chunks::<LANES>().0, b.as_chunks::<LANES>().0);
            for i in 0..left.len() {
                for lane in 0..LANES {
                    sums[lane] += left[i][lane] * right[i][lane];
                }
            }
        },
    );
    let rest = a.as_chunks::<LANES>().1.iter().zip(b.as_chunks::<LANES>().1).map(|(a, b)| *a * *b);
    sums.into_iter().sum::<T>() + rest.sum::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Seed, Stream};

    /// Rows of two blocks and a part of a third, the last but one a sum of two others.
    #[test]
    fn rows_become_orthonormal_and_keep_their_span() {
        let (count, d) = (2 * ROWS + 5, 2 * ROWS + 9);
        let dependent = count - 2;
        let mut given = Block::<f64>::default();
        given.shape(count, d);
        for k in 0..count {
            for n in 0..d {
                given.row_mut(k, n..n + 1)[0] = Seed(3).normals(Stream::Host, k as u32, n as u32, 0)[0];
            }
        }
        let sum: Vec<f64> = given.row(0, 0..d).iter().zip(given.row(ROWS + 1, 0..d)).map(|(a, b)| a + b).collect();
        given.row_mut(dependent, 0..d).copy_from_slice(&sum);
        let mut rows = Block::default();
        rows.shape(count, d);
        (0..count).for_each(|k| rows.row_mut(k, 0..d).copy_from_slice(given.row(k, 0..d)));
        orthonormalize(&mut rows, d);
        for j in 0..count {
            for k in 0..count {
                let want = f64::from(u8::from(j == k && j != dependent));
                let got = dot(rows.row(j, 0..d), rows.row(k, 0..d));
                assert!((got - want).abs() < 1e-14, "rows {j} and {k}: {got}");
            }
            // what a row of the given has along the basis is all of it
            let row = given.row(j, 0..d);
            let along: f64 = (0..count).map(|k| dot(row, rows.row(k, 0..d)).powi(2)).sum();
            assert!((along / dot(row, row) - 1.0).abs() < 1e-13, "row {j}");
        }
    }
}
