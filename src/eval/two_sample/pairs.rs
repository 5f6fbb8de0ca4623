//! Statistics that are sums over pairs of points, for all labels of a pool in one pass over the pairs.
//!
//! With u the indicator of the first sample (n points of N), K a symmetric function of pairs with K(x, x) left out and
//! r = K1, the three sums that a labelling needs are A = uᵀKu, C = uᵀr − A and B = 1ᵀr − A − 2C: pairs within the first,
//! across, and within the second.

use rayon::prelude::*;

use super::Statistic;
use super::relabel::Labels;

/// The most rows of each sample that the bandwidth is taken from.
const BANDWIDTH_ROWS: usize = 250;
/// Nearest neighbours of each point.
const NEIGHBOURS: usize = 5;
/// Rows that one thread takes at a time.
const BLOCK: usize = 64;

/// The sums of each labelling.
pub(in crate::eval) struct PairSums {
    counts: [f64; 2],
    /// Within the first, across, within the second; of the Gaussian kernel.
    kernel: Vec<[f64; 3]>,
    /// The same of the distance.
    distance: Vec<[f64; 3]>,
    /// The share of neighbours with the point's own label.
    alike: Vec<f64>,
}

impl PairSums {
    /// Takes all pairs of the pooled rows.
    pub(super) fn new(a: &[&[f64]], b: &[&[f64]], labels: &Labels) -> Self {
        let pool: Vec<&[f64]> = a.iter().chain(b).copied().collect();
        let width = squared_bandwidth(a, b);
        let zeros = vec![[0.0; 2]; labels.count()];
        let zero = || Sums { inside: zeros.clone(), rows: zeros.clone(), ..Sums::default() };
        // blocks of rows in a fixed order, so that rounding does not depend on the threads
        let block = |first: usize| {
            let rows = first..(first + BLOCK).min(pool.len());
            rows.fold(zero(), |sums, i| sums.add(&pool, i, width, labels))
        };
        let firsts: Vec<usize> = (0..pool.len()).step_by(BLOCK).collect();
        let blocks: Vec<Sums> = firsts.into_par_iter().map(block).collect();
        let sums = blocks.into_iter().fold(zero(), Sums::join);
        let counts = [labels.first as f64, labels.second as f64];
        let parts = |which: usize| -> Vec<[f64; 3]> {
            let each = sums.inside.iter().zip(&sums.rows);
            each.map(|(inside, rows)| {
                let across = rows[which] - inside[which];
                [inside[which], across, sums.all[which] - inside[which] - 2.0 * across]
            })
            .collect()
        };
        let neighbours = neighbour_lists(sums.neighbours, pool.len());
        let alike = (0..labels.count()).map(|l| share_alike(&neighbours, |point| labels.of(point)[l])).collect();
        Self { counts, kernel: parts(0), distance: parts(1), alike }
    }

    /// The unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, lemma 6) with the kernel
    /// exp(−‖x − y‖² / 2h²), h the median distance between points of the pool.
    pub(super) fn mmd2(&self) -> Statistic {
        self.statistic(&self.kernel, 1.0)
    }

    /// The unbiased estimate of 2 E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖ (Székely and Rizzo 2013), which is 0 for equal laws
    /// alone.
    pub(super) fn energy_distance(&self) -> Statistic {
        self.statistic(&self.distance, -1.0)
    }

    /// The share of nearest neighbours that come from the point's own sample (Schilling 1986; Henze 1988).
    pub(super) fn neighbours(&self) -> Statistic {
        Statistic::against(self.alike[0], self.alike[1..].to_vec())
    }

    /// Means within each sample less twice that across, times `sign`.
    fn statistic(&self, sums: &[[f64; 3]], sign: f64) -> Statistic {
        let [n, m] = self.counts;
        let value = |[a, c, b]: &[f64; 3]| sign * (a / (n * (n - 1.0)) + b / (m * (m - 1.0)) - 2.0 * c / (n * m));
        Statistic::against(value(&sums[0]), sums[1..].iter().map(value).collect())
    }
}

/// Sums over the pairs of some rows; of the kernel and of the distance.
#[derive(Default)]
struct Sums {
    /// uᵀKu of each labelling.
    inside: Vec<[f64; 2]>,
    /// uᵀr of each labelling.
    rows: Vec<[f64; 2]>,
    /// 1ᵀr.
    all: [f64; 2],
    /// The nearest neighbours of each row.
    neighbours: Vec<(usize, Vec<u32>)>,
}

impl Sums {
    /// Adds the pairs of row `i`.
    fn add(mut self, pool: &[&[f64]], i: usize, width: f64, labels: &Labels) -> Self {
        let squares: Vec<f64> = pool.iter().map(|x| squared_distance(pool[i], x)).collect();
        let mut products = vec![[0.0; 2]; labels.count()];
        let mut row = [0.0; 2];
        // with the widest vectors that the processor has
        pulp::Arch::new().dispatch(|| {
            for (j, square) in squares.iter().enumerate().filter(|(j, _)| *j != i) {
                let values = [(-0.5 * square / width).exp(), square.sqrt()];
                row = [row[0] + values[0], row[1] + values[1]];
                for (product, u) in products.iter_mut().zip(labels.of(j)) {
                    *product = [product[0] + values[0] * u, product[1] + values[1] * u];
                }
            }
        });
        for ((inside, rows), (product, u)) in
            self.inside.iter_mut().zip(&mut self.rows).zip(products.iter().zip(labels.of(i)))
        {
            for which in 0..2 {
                inside[which] += u * product[which];
                rows[which] += u * row[which];
            }
        }
        self.all[0] += row[0];
        self.all[1] += row[1];
        self.neighbours.push((i, nearest(&squares, i)));
        self
    }

    fn join(mut self, other: Self) -> Self {
        let add = |to: &mut Vec<[f64; 2]>, from: &[[f64; 2]]| {
            to.iter_mut().zip(from).for_each(|(t, f)| (t[0], t[1]) = (t[0] + f[0], t[1] + f[1]));
        };
        add(&mut self.inside, &other.inside);
        add(&mut self.rows, &other.rows);
        self.all = [self.all[0] + other.all[0], self.all[1] + other.all[1]];
        self.neighbours.extend(other.neighbours);
        self
    }
}

fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum()
}

/// The square of the median distance between different points of the two samples.
fn squared_bandwidth(a: &[&[f64]], b: &[&[f64]]) -> f64 {
    let some = |rows: &[&[f64]]| -> Vec<Vec<f64>> {
        let kept = rows.len().min(BANDWIDTH_ROWS);
        (0..kept).map(|i| rows[i * rows.len() / kept].to_vec()).collect()
    };
    let pool = [some(a), some(b)].concat();
    let pairs = (0..pool.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
    let mut distances: Vec<f64> = pairs.map(|(i, j)| squared_distance(&pool[i], &pool[j])).collect();
    let middle = distances.len() / 2;
    let (_, median, _) = distances.select_nth_unstable_by(middle, f64::total_cmp);
    // where more than half of the points coincide any positive width separates the rest
    if *median > 0.0 { *median } else { f64::MIN_POSITIVE }
}

/// The points nearest to point `i`. Equal distances are ordered by a fixed scramble of the index, which does not know the
/// samples.
fn nearest(squares: &[f64], i: usize) -> Vec<u32> {
    let scrambled = |j: u32| j.wrapping_mul(0x9e37_79b1).rotate_left(15).wrapping_mul(0x85eb_ca77);
    let mut others: Vec<(f64, u32)> =
        (0..).zip(squares).filter(|(j, _)| *j as usize != i).map(|(j, s)| (*s, j)).collect();
    let kept = NEIGHBOURS.min(others.len());
    let order = |x: &(f64, u32), y: &(f64, u32)| x.0.total_cmp(&y.0).then(scrambled(x.1).cmp(&scrambled(y.1)));
    if kept < others.len() {
        others.select_nth_unstable_by(kept, order);
    }
    others[..kept].iter().map(|(_, j)| *j).collect()
}

fn neighbour_lists(found: Vec<(usize, Vec<u32>)>, points: usize) -> Vec<Vec<u32>> {
    let mut lists = vec![Vec::new(); points];
    found.into_iter().for_each(|(i, list)| lists[i] = list);
    lists
}

fn share_alike(neighbours: &[Vec<u32>], label: impl Fn(usize) -> f64) -> f64 {
    let pairs = neighbours.iter().enumerate().flat_map(|(i, list)| list.iter().map(move |j| (i, *j as usize)));
    let (alike, all) =
        pairs.fold((0.0, 0.0), |(alike, all), (i, j)| (alike + f64::from(label(i) == label(j)), all + 1.0));
    alike / all
}
