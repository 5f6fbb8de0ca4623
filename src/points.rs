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

    /// Puts the rows into another order, in place: row `i` becomes what row `order[i]` was.
    ///
    /// # Panics
    /// If `order` is not a permutation of the rows: a mistake of the caller.
    pub fn permute(&mut self, mut order: Vec<usize>) {
        assert!(order.len() == self.count(), "{} places for {} rows", order.len(), self.count());
        let (dim, mut held) = (self.dim, vec![0.0; self.dim]);
        for start in 0..order.len() {
            if order[start] == start {
                continue;
            }
            held.copy_from_slice(self.row(start));
            let mut at = start;
            loop {
                // a place that is filled points to itself
                let from = std::mem::replace(&mut order[at], at);
                if from == start {
                    break;
                }
                self.values.copy_within(from * dim..(from + 1) * dim, at * dim);
                at = from;
            }
            self.values[at * dim..(at + 1) * dim].copy_from_slice(&held);
        }
    }

    /// Cuts off the rows from `at` on and returns them.
    ///
    /// # Panics
    /// If there are fewer than `at` rows: a mistake of the caller.
    pub fn split_off(&mut self, at: usize) -> Self {
        let values = self.values.split_off(at * self.dim);
        self.values.shrink_to_fit();
        Self { dim: self.dim, values }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_permuted_in_place() {
        for order in [vec![2, 0, 1, 3], vec![1, 0, 3, 2], vec![0, 1, 2, 3], vec![3, 2, 0, 1]] {
            let before = Points::new(2, (0..8).map(f64::from).collect());
            let mut points = before.clone();
            points.permute(order.clone());
            let want: Vec<&[f64]> = order.iter().map(|i| before.row(*i)).collect();
            assert_eq!(points.rows().collect::<Vec<_>>(), want, "{order:?}");
        }
        let mut points = Points::new(2, (0..8).map(f64::from).collect());
        assert_eq!(points.split_off(3).values(), [6.0, 7.0]);
        assert_eq!(points.count(), 3);
    }
}
