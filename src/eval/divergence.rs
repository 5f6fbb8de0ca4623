//! How far a model is from a known law: by quadrature on a grid, at samples, and by the weights of the modes.

use super::grid::{Grid, cells, log_sum_exp};
use crate::data::law::{Law, Modes, uniform};
use crate::error::Result;
use crate::points::Points;
use rand::Rng;

/// Simulated values of a statistic under the law itself.
const NULL_DRAWS: usize = 199;

/// A law, smoothed by noise `sigma`, evaluated once on a grid; models are then compared with it cheaply.
#[derive(Debug, Clone)]
pub struct LawOnGrid {
    /// ln p at the grid's points in nats, renormalised so that the grid's mass is 1.
    pub log_density: Vec<f64>,
    /// Whether each grid point is [outside](Law::outside) the support.
    pub outside: Vec<bool>,
    /// The mass of the law on the grid before renormalisation, less 1: how well the grid resolves and covers it.
    pub mass_error: f64,
    /// -∫ p ln p in nats.
    pub entropy: f64,
    cell_volume: f64,
}

/// What separates a model density q from the law p, integrals over the grid, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergence {
    /// -∫ p ln q.
    pub nll: f64,
    /// -∫ p ln p.
    pub entropy: f64,
    /// KL(p ‖ q) = nll - entropy.
    pub kl: f64,
    /// The mass of q at the grid points farther than 5 standard deviations from the support of p.
    pub outside_mass: f64,
}

impl LawOnGrid {
    /// Evaluates `law` at every point of `grid`, on all processors.
    pub fn new(law: &dyn Law, sigma: f64, grid: &Grid) -> Self {
        let points = grid.points();
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let share = points.count().div_ceil(workers).max(1) * points.dim();
        let mut log_density = Vec::with_capacity(points.count());
        let mut outside = Vec::with_capacity(points.count());
        std::thread::scope(|scope| {
            let evaluate = |rows: &[f64]| -> (Vec<f64>, Vec<bool>) {
                let each = |row: &[f64]| (law.log_density(row, sigma), law.outside(row, sigma));
                rows.chunks_exact(points.dim()).map(each).unzip()
            };
            let running: Vec<_> =
                points.values().chunks(share).map(|rows| scope.spawn(move || evaluate(rows))).collect();
            for part in running {
                // A panic of a law is a mistake in the law: let it go on where the caller sees it.
                let (logs, flags) = part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                log_density.extend(logs);
                outside.extend(flags);
            }
        });
        let cell_volume = grid.cell_volume();
        let log_mass = log_sum_exp(log_density.iter().copied()) + cell_volume.ln();
        log_density.iter_mut().for_each(|log| *log -= log_mass);
        let entropy = cross_entropy(&log_density, &log_density, cell_volume);
        Self { log_density, outside, mass_error: log_mass.exp_m1(), entropy, cell_volume }
    }

    /// The divergence of the model with log-density `log_model` (nats, normalised) at the grid's points.
    ///
    /// # Panics
    /// If there is not one value per grid point: a mistake of the caller.
    pub fn compare(&self, log_model: &[f64]) -> Divergence {
        let (cells, given) = (self.log_density.len(), log_model.len());
        assert!(cells == given, "{given} log-densities for a grid of {cells} cells");
        let nll = cross_entropy(&self.log_density, log_model, self.cell_volume);
        let far = self.outside.iter().zip(log_model).filter(|(outside, _)| **outside);
        let outside_mass = far.map(|(_, log)| log.exp()).sum::<f64>() * self.cell_volume;
        Divergence { nll, entropy: self.entropy, kl: nll - self.entropy, outside_mass }
    }
}

/// -∫ p ln q, where a cell without p counts nothing whatever q is.
fn cross_entropy(log_p: &[f64], log_q: &[f64], cell_volume: f64) -> f64 {
    let terms = log_p.iter().zip(log_q).map(|(p, q)| (p.exp(), q)).filter(|(p, _)| *p != 0.0);
    -terms.map(|(p, q)| p * q).sum::<f64>() * cell_volume
}

/// A mean over independent points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

impl Estimate {
    /// The mean of independent values; its error is infinite for a single one.
    pub fn mean(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let value = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|v| (v - value).powi(2)).sum();
        let error = if values.len() > 1 { (squares / (count - 1.0) / count).sqrt() } else { f64::INFINITY };
        Self { value, error }
    }
}

/// The Fisher divergence ½ E‖s_model - s‖² over `points` of the law smoothed by `sigma`, per point, units 1/length².
///
/// # Panics
/// If `model_scores` has not the shape of `points`: a mistake of the caller.
pub fn fisher(law: &dyn Law, sigma: f64, points: &Points, model_scores: &Points) -> Estimate {
    let (given, needed) = (model_scores.values().len(), points.values().len());
    assert!(given == needed, "{given} score values for {needed} coordinates");
    let mut score = vec![0.0; points.dim()];
    let half_square = |(point, model): (&[f64], &[f64])| {
        law.score(point, sigma, &mut score);
        0.5 * score.iter().zip(model).map(|(s, m)| (m - s).powi(2)).sum::<f64>()
    };
    Estimate::mean(&points.rows().zip(model_scores.rows()).map(half_square).collect::<Vec<_>>())
}

/// The mean of (ln p - ln q)² over `points` drawn from the law smoothed by `sigma`, with q = exp(-E) / Z.
///
/// Z is estimated from the same points by importance sampling, Z = mean exp(-E) / p, as in the published code of
/// energy discrepancy (Schröder et al. 2023, arXiv 2307.06431). It cannot see mass where p has no points: put
/// [`Divergence::outside_mass`] beside it. The standard error has that of ln Z in it, to first order.
///
/// # Panics
/// If there is not one energy per point: a mistake of the caller.
pub fn log_density_mse(law: &dyn Law, sigma: f64, points: &Points, energies: &[f64]) -> Estimate {
    let (given, count) = (energies.len(), points.count());
    assert!(given == count, "{given} energies for {count} points");
    let mut log_ratio: Vec<f64> = points.rows().zip(energies).map(|(x, e)| -e - law.log_density(x, sigma)).collect();
    let log_z = log_sum_exp(log_ratio.iter().copied()) - (count as f64).ln();
    log_ratio.iter_mut().for_each(|r| *r -= log_z);
    let mean = log_ratio.iter().sum::<f64>() / count as f64;
    // what a point adds to the mean of the squares, and through ln Z, whose parts exp(r) - 1 sum to 0
    Estimate::mean(&log_ratio.iter().map(|r| r * r - 2.0 * mean * r.exp_m1()).collect::<Vec<_>>())
}

/// The modes of the law smoothed by `sigma`, weighed by the mass that lies nearest to each of them; none if it has no modes.
///
/// That is the share of its samples which [`mode_tv`] gives to the mode: the weight of the component where modes hardly touch,
/// another where they overlap. By the midpoint rule over as many cells as models are normalised on.
///
/// # Errors
/// The law has more than two coordinates.
pub fn modes_by_nearest(law: &dyn Law, sigma: f64) -> Result<Option<Modes>> {
    let Some(Modes { centers, .. }) = law.modes() else { return Ok(None) };
    let grid = Grid::around_law(law, sigma, cells(law.dim()))?;
    let (points, on_grid) = (grid.points(), LawOnGrid::new(law, sigma, &grid));
    let masses = on_grid.log_density.iter().map(|log| log.exp() * grid.cell_volume());
    let modes = Modes { weights: vec![0.0; centers.count()], centers };
    let weights = modes.masses(points.rows().zip(masses));
    Ok(Some(Modes { weights, ..modes }))
}

/// The total variation ½ Σ |w - ŵ| between the weights of the modes and the shares of `samples` nearest to each.
///
/// Samples that are not finite belong to no mode and count as lost mass. 1 if there are no samples.
pub fn mode_tv(modes: &Modes, samples: &Points) -> f64 {
    variation(&modes.weights, &modes.masses(samples.rows().map(|x| (x, 1.0))), samples.count())
}

/// Where 95 of 100 values of [`mode_tv`] lie for `count` independent samples of a law with these weights by
/// [nearest](modes_by_nearest) modes, and how likely it is that one is as large as `value`.
pub fn mode_tv_null(modes: &Modes, count: usize, value: f64, rng: &mut dyn Rng) -> ([f64; 2], f64) {
    let ends: Vec<f64> = modes.weights.iter().scan(0.0, |sum, w| Some((*sum += w, *sum).1)).collect();
    let mut values: Vec<f64> = (0..NULL_DRAWS)
        .map(|_| {
            let mut counts = vec![0.0; ends.len()];
            for _ in 0..count {
                let u = uniform(rng);
                counts[ends.partition_point(|end| *end < u).min(ends.len() - 1)] += 1.0;
            }
            variation(&modes.weights, &counts, count)
        })
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    // shares are added up in another order than in `value`
    let as_large = values.iter().filter(|null| **null >= value - 1e-12).count();
    (super::two_sample::central(&values), (1 + as_large) as f64 / (1 + NULL_DRAWS) as f64)
}

/// ½ Σ |w − c / count|, what is missing in `counts` included.
fn variation(weights: &[f64], counts: &[f64], count: usize) -> f64 {
    let count = count.max(1) as f64;
    let kept = counts.iter().sum::<f64>() / count;
    let apart: f64 = weights.iter().zip(counts).map(|(w, c)| (w - c / count).abs()).sum();
    0.5 * (apart + (1.0 - kept))
}
