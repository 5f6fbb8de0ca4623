//! An orthonormal basis V of the row space of the first weights W₁: all directions in which a network depends on x.
//!
//! Derivatives along directions orthogonal to the rows of W₁ are 0, so min(d, width) tangents give exact traces and norms.
//! All samples of a step share them: the first layer makes W₁V of them once, and what their adjoints Q add to the gradient of
//! W₁ is (Σ Q) Vᵀ. Twin: `shaders/orthonormal_basis.wgsl`.

use super::block::{Block, add_product, images};
use super::tile::{Network, vectorized};
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

    /// Adds (Σ Q) Vᵀ to the gradient of the first weights; `sums` is `[width, tangents]`.
    pub(super) fn add_weights(&self, sums: &Block<T>, gradient: &mut [T]) {
        add_product(gradient, sums, &self.rows);
    }
}

/// Gram and Schmidt, each row against those before it twice, which leaves them orthogonal to rounding errors. A row that
/// depends on those before it becomes 0.
fn orthonormalize<T: Real>(rows: &mut Block<T>, d: usize) {
    let dependent = T::of(64.0 * T::EPSILON);
    for k in 0..rows.rows() {
        let before = rows.row(k, 0..d);
        let length = dot(before, before).sqrt();
        for _ in 0..2 {
            for j in 0..k {
                let (base, row) = rows.two_rows(j, k);
                let along = dot(base, row);
                row.iter_mut().zip(base).for_each(|(x, b)| *x = *x - along * *b);
            }
        }
        let row = rows.row_mut(k, 0..d);
        let left = dot(row, row).sqrt();
        let factor = if left > dependent * length { T::of(1.0) / left } else { T::default() };
        row.iter_mut().for_each(|x| *x = factor * *x);
    }
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
