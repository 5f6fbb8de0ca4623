//! All metrics of a trained model: what an engine computes, put against the law or the held-out points.

use serde::Serialize;

use super::{Grid, LawOnGrid, fisher, log_density_mse, mmd2_unbiased, mode_tv, sliced_wasserstein2};
use crate::data::{Dataset, Law};
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{Head, Model};
use crate::points::Points;
use crate::random::{Seed, Stream};

/// Cells of the grid along each axis.
const CELLS: usize = 600;
/// Points for metrics that are averages over the law.
const POINTS: usize = 5000;
/// Directions of the sliced Wasserstein distance.
const DIRECTIONS: usize = 200;

/// How good a model is. Densities are in the original units, nats; `None` where a number is not defined.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Metrics {
    /// Mean −ln q over the law that the objective aims at (for dsm: the data's law smoothed by σ).
    pub nll: Option<f64>,
    /// KL divergence of q from that law.
    pub kl: Option<f64>,
    /// Mean −ln q over the data's own law.
    pub nll_data: Option<f64>,
    /// KL divergence of q from the data's own law.
    pub kl_data: Option<f64>,
    /// Mean squared error of ln q at points of the law aimed at, with Z from those points.
    pub log_density_mse: Option<f64>,
    /// ½ E‖s_θ − s‖² over the law aimed at.
    pub fisher: Option<f64>,
    /// Total variation between the weights of the modes and the shares of the chains in them.
    pub mode_tv: Option<f64>,
    /// Mass of q farther than 5 standard deviations from the support of the law aimed at.
    pub outside_mass: Option<f64>,
    /// Squared maximum mean discrepancy between chains and held-out points of the law aimed at, unbiased.
    pub mmd2: Option<f64>,
    /// Sliced Wasserstein-2 distance between the same.
    pub swd: Option<f64>,
    /// Why a density-based number is missing, where the grid is too coarse for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How far the mass of a law on the grid may be from 1 before numbers computed there are withheld.
const MASS_ERROR: f64 = 0.02;

/// What an objective makes of the data's law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The model approaches the law smoothed by this standard deviation.
    pub sigma: f64,
    /// −E is a normalised log-density as it is.
    pub normalized: bool,
}

/// Evaluates `model`, trained on `data` with an objective that aims at `aim`, and the positions of its chains (in the
/// network's units).
///
/// # Errors
/// The device failed.
pub fn evaluate(
    engine: &dyn Engine,
    model: &Model,
    data: &Dataset,
    aim: Target,
    chains: Option<&Points>,
    seed: Seed,
) -> Result<Metrics> {
    let sigma = aim.sigma;
    let target = data.smoothed_test(sigma, seed);
    let mut metrics = Metrics::default();
    let has_energy = model.spec.head() == Head::Energy;
    if !has_energy {
        metrics.note =
            Some("a score field has no energy: NLL, KL and the other numbers of densities are left out".to_string());
    } else if data.dim() <= 2 {
        let grid = grid_for(data, sigma)?;
        let energies = engine.energy(model, &grid.points())?;
        let log_z = grid.log_normalizer(&energies);
        match &data.law {
            Some(law) => {
                let log_model: Vec<f64> = energies.iter().map(|e| -e - log_z).collect();
                let both = [sigma, 0.0];
                for &smoothing in &both[usize::from(sigma == 0.0)..] {
                    let on_grid = LawOnGrid::new(law.as_ref(), smoothing, &grid);
                    if on_grid.mass_error.abs() > MASS_ERROR {
                        metrics.note = Some(format!(
                            "the grid of {CELLS} x {CELLS} cells misses {:.1} % of the law's mass: NLL and KL are left out",
                            100.0 * on_grid.mass_error.abs()
                        ));
                        continue;
                    }
                    let found = on_grid.compare(&log_model);
                    if smoothing == sigma {
                        (metrics.nll, metrics.kl) = (Some(found.nll), Some(found.kl));
                        metrics.outside_mass = Some(found.outside_mass);
                    }
                    if smoothing == 0.0 {
                        (metrics.nll_data, metrics.kl_data) = (Some(found.nll), Some(found.kl));
                    }
                }
            }
            None if sigma > 0.0 && grid.widest_cell() > 0.5 * sigma => {
                metrics.note = Some(format!(
                    "cells of {:.2e} are too wide for sigma = {sigma}: the NLL is left out",
                    grid.widest_cell()
                ));
            }
            None => {
                let mean = |points: &Points| -> Result<f64> {
                    let energies = engine.energy(model, points)?;
                    Ok((energies.iter().sum::<f64>() - stretches(data, points)) / energies.len() as f64 + log_z)
                };
                metrics.nll = Some(mean(&target)?);
                metrics.nll_data = Some(mean(&data.test)?);
            }
        }
    } else if aim.normalized {
        let energies = engine.energy(model, &target)?;
        metrics.nll = Some((energies.iter().sum::<f64>() - stretches(data, &target)) / energies.len() as f64);
        metrics.nll_data = metrics.nll;
        metrics.note = Some(format!(
            "the NLL is by the constant that the objective has learnt: in {} dimensions no grid checks that exp(-E) sums to 1",
            data.dim()
        ));
    } else {
        metrics.note = Some(format!(
            "a grid in {} dimensions is out of reach, so there is no NLL: --loss nce learns the constant that it needs",
            data.dim()
        ));
    }
    if let Some(law) = &data.law {
        against_law(engine, model, law.as_ref(), sigma, &target, &mut metrics)?;
        if let (Some(modes), Some(chains)) = (law.modes(), chains) {
            metrics.mode_tv = Some(mode_tv(&modes, chains));
        }
    }
    if let Some(chains) = chains.filter(|c| c.values().iter().all(|v| v.is_finite())) {
        let (chains, target) = (data.transform.undo(chains), data.transform.undo(&target));
        let mut directions = seed.sequence(Stream::Host, 2);
        metrics.mmd2 = Some(mmd2_unbiased(&chains, &target));
        metrics.swd = Some(sliced_wasserstein2(&chains, &target, DIRECTIONS, &mut directions));
    }
    Ok(metrics)
}

/// The sum of ln |det ∂z/∂x| over points in the network's units: what their log-density in the data's units has beside.
fn stretches(data: &Dataset, points: &Points) -> f64 {
    data.transform.log_stretches(points).iter().sum()
}

fn against_law(
    engine: &dyn Engine,
    model: &Model,
    law: &dyn Law,
    sigma: f64,
    target: &Points,
    metrics: &mut Metrics,
) -> Result<()> {
    let some = POINTS.min(target.count());
    let points = Points::new(target.dim(), target.values()[..some * target.dim()].to_vec());
    if model.spec.head() == Head::Energy {
        metrics.log_density_mse = Some(log_density_mse(law, sigma, &points, &engine.energy(model, &points)?));
    }
    metrics.fisher = Some(fisher(law, sigma, &points, &engine.score(model, &points)?));
    Ok(())
}

/// A grid that holds the law or the data with room around, for the mass that a model puts elsewhere.
fn grid_for(data: &Dataset, sigma: f64) -> Result<Grid> {
    let extent = match &data.law {
        Some(law) => law.extent(sigma),
        None => (0..data.dim())
            .map(|axis| {
                let column = data.train.rows().chain(data.test.rows()).map(|row| row[axis]);
                let [low, high] =
                    column.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)]);
                [low - 4.0 * sigma, high + 4.0 * sigma]
            })
            .collect(),
    };
    let wider: Vec<_> =
        extent.into_iter().map(|[low, high]| [low, high].map(|x| x + 0.2 * (x - 0.5 * (low + high)))).collect();
    Grid::covering(&wider, CELLS)
}
