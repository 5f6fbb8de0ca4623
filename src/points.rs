//! Points in d dimensions: the row-major array that crosses every boundary of the crate.

use crate::random::{Seed, Stream};
use crate::real::Real;

/// `count` points in `dim` dimensions, row-major `[count, dim]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    dim: usize,
    values: Vec<f64>,
}

impl Points {
    /// Points from row-major values.
    ///
    /// # Panics
    /// If `dim` is 0 or does not divide the number of values: a mistake of the caller, not of the input.
    pub fn new(dim: usize, values: Vec<f64>) -> Self {
        assert!(dim > 0 && values.len().is_multiple_of(dim), "{} values do not make rows of {dim}", values.len());
        Self { dim, values }
    }

    /// Standard normal points, drawn in the precision of `T`: point `i` at index `i` of the stream.
    pub fn normal<T: Real>(count: usize, dim: usize, seed: Seed, stream: Stream, step: u32) -> Self {
        let row = |i: u32| {
            let blocks = 0..dim.div_ceil(4) as u32;
            blocks.flat_map(move |b| seed.normals::<T>(stream, i, step, b)).take(dim).map(Real::f64)
        };
        Self::new(dim, (0..count as u32).flat_map(row).collect())
    }

    /// The number of coordinates of a point.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of points.
    pub fn count(&self) -> usize {
        self.values.len() / self.dim
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All values, row-major, to change in place.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// The coordinates of point `i`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.dim..(i + 1) * self.dim]
    }

    /// The columns that hold one value only.
    pub fn constant_columns(&self) -> impl Iterator<Item = usize> {
        let constant = |axis: &usize| self.rows().all(|row| row[*axis] == self.values[*axis]);
        (0..self.dim).filter(constant)
    }

    /// The points, one slice of coordinates each.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.dim)
    }
}
