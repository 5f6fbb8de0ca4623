//! All metrics of a trained model: what an engine computes, put against the law or the held-out points.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    AnnealedImportance, Base, Estimate, Grid, LawOnGrid, Statistic, compare, fisher, log_density_mse, mode_tv,
    mode_tv_null,
};
use crate::data::{Dataset, Law, Standardizer};
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{Head, Model};
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::sampler::Hamiltonian;

/// Cells of the grid along each axis.
const CELLS: usize = 600;
/// How much wider than the box of the data the box is in which the mass outside of a file's data is looked for.
const SURROUNDINGS: f64 = 3.0;
/// Points for metrics that are averages over the law.
const POINTS: usize = 5000;

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
    /// Mass of q farther than 5 standard deviations from the support of the law aimed at; of a file, outside a box around its
    /// points with a tenth of their range to spare on each side.
    pub outside_mass: Option<f64>,
    /// Squared maximum mean discrepancy between chains and held-out points of the law aimed at, unbiased.
    pub mmd2: Option<f64>,
    /// Sliced Wasserstein-2 distance between the same.
    pub swd: Option<f64>,
    /// Energy distance between the same, unbiased.
    pub energy_distance: Option<f64>,
    /// The share of the 5 nearest neighbours of chains and held-out points that are of the point's own kind.
    pub neighbours: Option<f64>,
    /// ln Z of exp(−E) in the units of the network: by the grid, or by annealed importance sampling.
    pub log_z: Option<f64>,
    /// Standard errors of the metrics above that are averages over points or chains.
    pub standard_errors: BTreeMap<&'static str, f64>,
    /// Where 95 of 100 values of a metric lie for a sample of the law itself in place of the chains.
    pub null_intervals: BTreeMap<&'static str, [f64; 2]>,
    /// How likely it is that a sample of the law itself gives as large a value.
    pub p_values: BTreeMap<&'static str, f64>,
    /// Why a density-based number is missing, or what to think of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How far the mass of a law on the grid may be from 1 before numbers computed there are withheld.
const MASS_ERROR: f64 = 0.02;
/// The least share of its chains that annealed importance sampling may rest on before a note says so.
const LEAST_SHARE: f64 = 0.05;
/// And the least number of them.
const FEWEST_CHAINS: f64 = 50.0;

/// What an objective makes of the data's law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The model approaches the law smoothed by this standard deviation.
    pub sigma: f64,
    /// −E is a normalised log-density as it is.
    pub normalized: bool,
}

/// What is evaluated, and how.
pub struct Evaluation<'a> {
    /// Where the arithmetic is done.
    pub engine: &'a dyn Engine,
    /// A network without conditioning: see [`Model::at`].
    pub model: &'a Model,
    /// What it is put against.
    pub data: &'a Dataset,
    /// What its objective aimed at.
    pub aim: Target,
    /// Positions of its chains, in the network's units.
    pub chains: Option<&'a Points>,
    /// Mean and standard deviation of the points that the model was trained on, in the network's units, where annealed chains
    /// start; those of `data` if they are not known.
    pub spread: Option<[Vec<f64>; 2]>,
    /// Chains and levels of annealed importance sampling, where no grid gives ln Z; none to leave it out.
    pub annealing: Option<(usize, u32)>,
    /// The seed of everything that is drawn.
    pub seed: Seed,
}

impl Evaluation<'_> {
    /// All metrics that are defined.
    ///
    /// # Errors
    /// The device failed.
    pub fn run(&self) -> Result<Metrics> {
        let mut metrics = Metrics::default();
        let target = self.data.smoothed_test(self.aim.sigma, self.seed);
        if self.model.spec.head() == Head::Energy {
            self.densities(&target, &mut metrics)?;
        } else {
            metrics.note = Some(
                "a score field has no energy: NLL, KL and the other numbers of densities are left out".to_string(),
            );
        }
        if let Some(law) = &self.data.law {
            self.against_law(law.as_ref(), &target, &mut metrics)?;
        }
        let finite = |chains: &&Points| chains.values().iter().all(|v| v.is_finite());
        if self.chains.is_some_and(|chains| !finite(&chains)) {
            metrics.note = Some("some samples are not finite: there are no distances between samples".to_string());
        }
        if let Some(chains) = self.chains.filter(finite) {
            let transform = &self.data.transform;
            metrics.two_samples(&transform.undo(chains), &transform.undo(&target), self.seed);
        }
        Ok(metrics)
    }

    /// Everything that needs ln Z.
    fn densities(&self, target: &Points, metrics: &mut Metrics) -> Result<()> {
        if self.data.dim() <= 2 {
            return self.on_grid(target, metrics);
        }
        if self.aim.normalized && self.annealing.is_none() {
            metrics.note = Some(format!(
                "the NLL is by the constant that the objective has learnt: in {} dimensions no grid checks that exp(-E) sums to 1",
                self.data.dim()
            ));
            return self.held_out(target, Estimate { value: 0.0, error: 0.0 }, metrics);
        }
        let Some((chains, levels)) = self.annealing else {
            metrics.note = Some(format!(
                "a grid in {} dimensions is out of reach, so there is no NLL: annealed importance sampling estimates ln Z (--ais), and --loss nce learns it",
                self.data.dim()
            ));
            return Ok(());
        };
        let [mean, deviation] = self.spread.clone().unwrap_or_else(|| {
            let fitted = Standardizer::fit(&self.data.train);
            [fitted.mean, fitted.scale]
        });
        let wide = deviation.iter().map(|s| s.hypot(self.aim.sigma));
        let base = Base::Normal { mean, deviation: wide.collect() };
        // what normal laws of so many coordinates stand (Neal 2011, section 5.4.4)
        let moves = Hamiltonian::new((self.data.dim() as f64).powf(-0.25), LEAPFROGS, 1.0)?;
        let annealing = AnnealedImportance { chains, levels, moves };
        let found = annealing.log_normalizer(self.engine, self.model.into(), &base, self.seed)?;
        let carrying = found.effective_share * chains as f64;
        if !(found.effective_share > LEAST_SHARE && carrying > FEWEST_CHAINS) {
            metrics.note = Some(format!(
                "ln Z and the NLL are not to be trusted, nor are their errors: they rest on {carrying:.1} of {chains} annealed chains; \
                 `ebm-gpu eval` with --ais CHAINS,LEVELS takes more, and of levels above all"
            ));
        }
        if self.aim.normalized {
            metrics.note.get_or_insert_with(|| {
                "exp(-E) is normalised as far as the objective has learnt it: ln Z would be 0, and NLL is by the ln Z that is found"
                    .to_string()
            });
        }
        metrics.log_z = Some(found.value);
        metrics.standard_errors.insert("log_z", found.error);
        self.held_out(target, Estimate { value: found.value, error: found.error }, metrics)
    }

    /// ln Z and the divergences from a known law by the grid, or the NLL of held-out points.
    fn on_grid(&self, target: &Points, metrics: &mut Metrics) -> Result<()> {
        let sigma = self.aim.sigma;
        let grid = grid_for(self.data, sigma)?;
        let energies = self.engine.energy(self.model, &grid.points())?;
        let log_z = grid.log_normalizer(&energies);
        metrics.log_z = Some(log_z);
        let Some(law) = &self.data.law else {
            let (log_z, outside) = self.with_surroundings(&grid, log_z)?;
            (metrics.log_z, metrics.outside_mass) = (Some(log_z), Some(outside));
            if sigma > 0.0 && grid.widest_cell() > 0.5 * sigma {
                metrics.note = Some(format!(
                    "cells of {:.2e} are too wide for sigma = {sigma}: the NLL is left out",
                    grid.widest_cell()
                ));
                return Ok(());
            }
            return self.held_out(target, Estimate { value: log_z, error: 0.0 }, metrics);
        };
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
        Ok(())
    }

    /// ln Z with the mass that lies around the grid, in a box [`SURROUNDINGS`] times as wide, and its share.
    fn with_surroundings(&self, grid: &Grid, log_z: f64) -> Result<(f64, f64)> {
        let wide = |(low, high): (&f64, &f64)| {
            let (middle, half) = (0.5 * (low + high), 0.5 * SURROUNDINGS * (high - low));
            [middle - half, middle + half]
        };
        let wider: Vec<[f64; 2]> = grid.lows.iter().zip(&grid.highs).map(wide).collect();
        let around = Grid::covering(&wider, CELLS)?;
        let points = around.points();
        let inside = |x: &[f64]| x.iter().zip(grid.lows.iter().zip(&grid.highs)).all(|(x, (l, h))| l < x && x < h);
        let mut energies = self.engine.energy(self.model, &points)?;
        energies.iter_mut().zip(points.rows()).for_each(|(e, x)| *e = if inside(x) { f64::INFINITY } else { *e });
        let outside = around.log_normalizer(&energies);
        let top = log_z.max(outside);
        let all = top + ((log_z - top).exp() + (outside - top).exp()).ln();
        Ok((all, (outside - all).exp()))
    }

    /// The NLL of held-out points.
    fn held_out(&self, target: &Points, log_z: Estimate, metrics: &mut Metrics) -> Result<()> {
        let nll = |points: &Points| -> Result<Estimate> {
            let energies = self.engine.energy(self.model, points)?;
            let stretches = self.data.transform.log_stretches(points);
            let mean = Estimate::mean(&energies.iter().zip(stretches).map(|(e, s)| e - s).collect::<Vec<_>>());
            Ok(Estimate { value: mean.value + log_z.value, error: mean.error.hypot(log_z.error) })
        };
        let (aimed, own) = (nll(target)?, nll(&self.data.test)?);
        (metrics.nll, metrics.nll_data) = (Some(aimed.value), Some(own.value));
        metrics.standard_errors.extend([("nll", aimed.error), ("nll_data", own.error)]);
        Ok(())
    }

    /// What needs the law's density or score at points.
    fn against_law(&self, law: &dyn Law, target: &Points, metrics: &mut Metrics) -> Result<()> {
        let sigma = self.aim.sigma;
        let some = POINTS.min(target.count());
        let points = Points::new(target.dim(), target.values()[..some * target.dim()].to_vec());
        if self.model.spec.head() == Head::Energy {
            let found = log_density_mse(law, sigma, &points, &self.engine.energy(self.model, &points)?);
            metrics.log_density_mse = Some(found.value);
            metrics.standard_errors.insert("log_density_mse", found.error);
        }
        let found = fisher(law, sigma, &points, &self.engine.score(self.model, &points)?);
        metrics.fisher = Some(found.value);
        metrics.standard_errors.insert("fisher", found.error);
        if let (Some(modes), Some(chains)) = (law.modes(), self.chains) {
            metrics.mode_tv = Some(mode_tv(&modes, chains));
            let null = mode_tv_null(&modes, chains.count(), &mut self.seed.sequence(Stream::Host, 3));
            metrics.null_intervals.insert("mode_tv", null);
        }
        Ok(())
    }
}

/// Leapfrogs of a transition of annealed importance sampling.
const LEAPFROGS: u32 = 5;

impl Metrics {
    /// The metrics by name, in the order in which a person reads them.
    pub fn named(&self) -> [(&'static str, Option<f64>); 13] {
        [
            ("nll", self.nll),
            ("kl", self.kl),
            ("nll_data", self.nll_data),
            ("kl_data", self.kl_data),
            ("log_z", self.log_z),
            ("outside_mass", self.outside_mass),
            ("log_density_mse", self.log_density_mse),
            ("fisher", self.fisher),
            ("mode_tv", self.mode_tv),
            ("swd", self.swd),
            ("mmd2", self.mmd2),
            ("energy_distance", self.energy_distance),
            ("neighbours", self.neighbours),
        ]
    }

    /// The statistics of two samples in the data's units.
    fn two_samples(&mut self, chains: &Points, target: &Points, seed: Seed) {
        let Some(found) = compare(chains, target, seed) else { return };
        let named = [
            ("swd", &mut self.swd, found.swd),
            ("mmd2", &mut self.mmd2, found.mmd2),
            ("energy_distance", &mut self.energy_distance, found.energy_distance),
            ("neighbours", &mut self.neighbours, found.neighbours),
        ];
        for (name, place, Statistic { value, null, p_value }) in named {
            *place = Some(value);
            self.null_intervals.insert(name, null);
            self.p_values.insert(name, p_value);
        }
    }
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
