//! The sliced Wasserstein distance of two samples, for any labels of their pool.

use rand::Rng;
use rayon::prelude::*;

use super::relabel::Labels;
use super::{Statistic, check_dims};
use crate::data::law::normal;
use crate::points::Points;

/// A pool of two samples projected on random directions.
pub(in crate::eval) struct Projections {
    /// For each direction, the points in ascending order: index in the pool and coordinate.
    sorted: Vec<Vec<(u32, f64)>>,
}

impl Projections {
    /// Projects the points of `a`, then those of `b`.
    ///
    /// # Panics
    /// If the samples differ in dimension: a mistake of the caller.
    pub(in crate::eval) fn new(a: &Points, b: &Points, directions: usize, rng: &mut dyn Rng) -> Self {
        check_dims(a, b);
        let mut direction = || -> Vec<f64> {
            let along: Vec<f64> = (0..a.dim()).map(|_| normal(rng)).collect();
            let length = along.iter().map(|v| v * v).sum::<f64>().sqrt();
            along.into_iter().map(|v| v / length).collect()
        };
        let directions: Vec<_> = (0..directions).map(|_| direction()).collect();
        let sorted = |along: &Vec<f64>| {
            let on = |x: &[f64]| x.iter().zip(along).map(|(v, d)| v * d).sum::<f64>();
            let mut values: Vec<(u32, f64)> = (0..).zip(a.rows().chain(b.rows()).map(on)).collect();
            values.sort_unstable_by(|x, y| x.1.total_cmp(&y.1));
            values
        };
        Self { sorted: directions.par_iter().map(sorted).collect() }
    }

    /// The root of the mean squared W₂ over directions, with those of relabelled pools.
    pub(super) fn statistic(&self, labels: &Labels) -> Statistic {
        let each = |labelling: usize| {
            let in_first: Vec<bool> = (0..labels.points()).map(|i| labels.of(i)[labelling] > 0.5).collect();
            self.distance(&in_first)
        };
        let mut values: Vec<f64> = (0..labels.count()).into_par_iter().map(each).collect();
        Statistic::against(values.remove(0), values)
    }

    /// The distance between the points that are in the first sample and the others.
    pub(in crate::eval) fn distance(&self, in_first: &[bool]) -> f64 {
        let first = in_first.iter().filter(|f| **f).count();
        let counts = [first, in_first.len() - first];
        let sum: f64 = self.sorted.iter().map(|sorted| squared_quantile_distance(sorted, in_first, counts)).sum();
        (sum / self.sorted.len() as f64).sqrt()
    }
}

/// ∫₀¹ (F⁻¹ − G⁻¹)² of the two samples in an ordered pool: both quantile functions are steps, walked in parallel.
fn squared_quantile_distance(sorted: &[(u32, f64)], in_first: &[bool], counts: [usize; 2]) -> f64 {
    if counts.contains(&0) {
        return f64::NAN;
    }
    // levels are counted in units of 1 / (counts[0] counts[1]), where every step ends on an integer
    let height = [counts[1] as u64, counts[0] as u64];
    let of = |first: bool| sorted.iter().filter(move |(i, _)| in_first[*i as usize] == first).map(|(_, v)| *v);
    let (mut steps, mut others) = (of(true), of(false));
    let (mut x, mut y) = (steps.next(), others.next());
    let (mut end_x, mut end_y, mut level, mut sum) = (height[0], height[1], 0u64, 0.0);
    while let (Some(a), Some(b)) = (x, y) {
        let end = end_x.min(end_y);
        sum += (a - b).powi(2) * (end - level) as f64;
        level = end;
        if end == end_x {
            (x, end_x) = (steps.next(), end_x + height[0]);
        }
        if end == end_y {
            (y, end_y) = (others.next(), end_y + height[1]);
        }
    }
    sum / (height[0] as f64 * height[1] as f64)
}
