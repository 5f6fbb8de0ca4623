//! Distances between two samples: sliced Wasserstein and maximum mean discrepancy.

use crate::data::law::normal;
use crate::points::Points;
use rand::Rng;

/// The most rows of a sample that [`mmd2_unbiased`] looks at: its cost is quadratic.
const MMD_ROWS: usize = 2000;

/// The most rows of each sample that the bandwidth is taken from.
const BANDWIDTH_ROWS: usize = 250;

/// The sliced 2-Wasserstein distance: the root of the mean, over `projections` random directions, of the squared
/// W₂ between the projected samples, in the units of the points.
///
/// In one dimension W₂ is the distance of the quantile functions, which is exact for equal and for unequal counts.
/// For two samples of n points of one law it does not vanish but falls like n^(-1/2): compare with the value for two
/// samples of the data. NaN if a sample is empty, a value is not finite, or there are no projections.
///
/// # Panics
/// If the samples differ in dimension: a mistake of the caller.
pub fn sliced_wasserstein2(a: &Points, b: &Points, projections: usize, rng: &mut dyn Rng) -> f64 {
    check_dims(a, b);
    let squared = |_| {
        let mut direction: Vec<f64> = (0..a.dim()).map(|_| normal(rng)).collect();
        let length = direction.iter().map(|v| v * v).sum::<f64>().sqrt();
        direction.iter_mut().for_each(|v| *v /= length);
        squared_quantile_distance(&project(a, &direction), &project(b, &direction))
    };
    ((0..projections).map(squared).sum::<f64>() / projections as f64).sqrt()
}

fn check_dims(a: &Points, b: &Points) {
    let (left, right) = (a.dim(), b.dim());
    assert!(left == right, "points of {left} and of {right} dimensions cannot be compared");
}

/// The sorted coordinates of the points along a direction.
fn project(points: &Points, direction: &[f64]) -> Vec<f64> {
    let along = |x: &[f64]| x.iter().zip(direction).map(|(v, d)| v * d).sum();
    let mut values: Vec<f64> = points.rows().map(along).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// ∫₀¹ (F⁻¹ - G⁻¹)² for two sorted samples: both quantile functions are steps, walked in parallel.
fn squared_quantile_distance(a: &[f64], b: &[f64]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return f64::NAN;
    }
    // Levels are counted in units of 1 / (a.len() b.len()), where every step ends on an integer.
    let (step_a, step_b) = (b.len() as u64, a.len() as u64);
    let (mut i, mut j, mut level, mut sum) = (0, 0, 0u64, 0.0);
    while i < a.len() && j < b.len() {
        let (end_a, end_b) = ((i as u64 + 1) * step_a, (j as u64 + 1) * step_b);
        let end = end_a.min(end_b);
        sum += (a[i] - b[j]).powi(2) * (end - level) as f64;
        level = end;
        i += usize::from(end == end_a);
        j += usize::from(end == end_b);
    }
    sum / (step_a as f64 * step_b as f64)
}

/// The unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, lemma 6) with the kernel
/// exp(-‖x - y‖² / 2h²), h the median distance between points of the pooled samples.
///
/// It is a U-statistic: 0 on average when both samples have one law, and then negative half the time. At most 2000
/// evenly spaced rows of each sample are used, and 250 of each for the median. NaN if a sample has fewer than two
/// rows or a value is not finite; 0 if all points coincide.
///
/// # Panics
/// If the samples differ in dimension: a mistake of the caller.
pub fn mmd2_unbiased(a: &Points, b: &Points) -> f64 {
    check_dims(a, b);
    let (rows_a, rows_b) = (thinned(a, MMD_ROWS), thinned(b, MMD_ROWS));
    let pooled = [thinned(a, BANDWIDTH_ROWS), thinned(b, BANDWIDTH_ROWS)].concat();
    let mut distances: Vec<f64> = pairs(&pooled).map(|(x, y)| squared_distance(x, y)).collect();
    let finite = a.values().iter().chain(b.values()).all(|v| v.is_finite());
    if rows_a.len() < 2 || rows_b.len() < 2 || !finite {
        return f64::NAN;
    }
    let middle = distances.len() / 2;
    let (_, median, _) = distances.select_nth_unstable_by(middle, f64::total_cmp);
    // More than half of the points coincide: any positive width separates the rest.
    let width = if *median > 0.0 { *median } else { f64::MIN_POSITIVE };
    let kernel = |x: &[f64], y: &[f64]| (-0.5 * squared_distance(x, y) / width).exp();
    let within = |rows: &[&[f64]]| {
        let count = rows.len() as f64;
        2.0 * pairs(rows).map(|(x, y)| kernel(x, y)).sum::<f64>() / (count * (count - 1.0))
    };
    let across: f64 = rows_a.iter().flat_map(|x| rows_b.iter().map(move |y| (x, y))).map(|(x, y)| kernel(x, y)).sum();
    within(&rows_a) + within(&rows_b) - 2.0 * across / (rows_a.len() as f64 * rows_b.len() as f64)
}

fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum()
}

/// At most `limit` rows, evenly spaced.
fn thinned(points: &Points, limit: usize) -> Vec<&[f64]> {
    let kept = points.count().min(limit);
    (0..kept).map(|i| points.row(i * points.count() / kept)).collect()
}

/// Every unordered pair of different rows.
fn pairs<'a>(rows: &'a [&'a [f64]]) -> impl Iterator<Item = (&'a [f64], &'a [f64])> {
    rows.iter().enumerate().flat_map(move |(i, x)| rows[i + 1..].iter().map(move |y| (*x, *y)))
}
