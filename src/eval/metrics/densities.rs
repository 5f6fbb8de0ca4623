//! The metrics that need ln Z: by a grid in one and two dimensions, beyond by annealed importance sampling.

use super::super::{AnnealedImportance, Base, Estimate, Grid, LawOnGrid, cells};
use super::{Evaluation, Metrics, POINTS};
use crate::data::{Dataset, Standardizer};
use crate::error::Result;
use crate::points::Points;
use crate::sampler::Hamiltonian;

/// How much wider than the box of the data the box is in which the mass outside of a file's data is looked for.
const SURROUNDINGS: f64 = 3.0;
/// The most by which ln Z of either half of the cells may differ, in nats; beyond, cells are too wide for the model. Well below the
/// standard error of the NLL of some thousand points.
const LOG_Z_ERROR: f64 = 0.01;
/// The most of the model's mass that the cell around a point of the data may hold: where it holds more, the cells are wider than
/// what is in them, whether the halves agree or not. A normal law has 0.4 in a cell as wide as its standard deviation.
const CELL_MASS: f64 = 0.5;
/// How far the mass of a law on the grid may be from 1 before numbers computed there are withheld.
const MASS_ERROR: f64 = 1e-3;
/// The least share of its chains that annealed importance sampling may rest on before its numbers are withheld.
const LEAST_SHARE: f64 = 0.05;
/// And the number of them that has to be passed.
pub const FEWEST_CHAINS: usize = 50;
/// Leapfrogs of a transition of annealed importance sampling.
const LEAPFROGS: u32 = 5;

impl Evaluation<'_> {
    /// Everything that needs ln Z.
    pub(super) fn densities(&self, target: &Points, metrics: &mut Metrics) -> Result<()> {
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
        if !(found.effective_share > LEAST_SHARE && carrying > FEWEST_CHAINS as f64) {
            // no standard error tells of what none of the chains has seen
            metrics.note = Some(format!(
                "ln Z and the NLL are left out: they would rest on {carrying:.1} of {chains} annealed chains; `ebm-gpu eval` with \
                 --ais CHAINS,LEVELS takes more, and of levels above all"
            ));
            return Ok(());
        }
        if self.aim.normalized {
            metrics.note(format!(
                "the objective has learnt the normalising constant but for ln Z = {:.4}, which the NLL is corrected by",
                found.value
            ));
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
        if let Some(note) = self.unresolved(&grid, &energies)? {
            metrics.note(note);
            return Ok(());
        }
        let Some(law) = &self.data.law else {
            let Integral { log_z, outside, rim } = self.with_surroundings(&grid, log_z)?;
            (metrics.log_z, metrics.outside_mass) = (Some(log_z), Some(outside));
            metrics.note_rim(rim);
            self.chains_energy(&grid, &energies, metrics)?;
            if sigma > 0.0 && grid.widest_cell() > 0.5 * sigma {
                metrics.note(format!(
                    "cells of {:.2e} are too wide for sigma = {sigma}: the NLL is left out",
                    grid.widest_cell()
                ));
                return Ok(());
            }
            return self.held_out(target, Estimate { value: log_z, error: 0.0 }, metrics);
        };
        metrics.log_z = Some(log_z);
        let log_model: Vec<f64> = energies.iter().map(|e| -e - log_z).collect();
        let rim = grid.rim_mass(&log_model);
        metrics.note_rim(rim);
        self.chains_energy(&grid, &energies, metrics)?;
        let both = [sigma, 0.0];
        for &smoothing in &both[usize::from(sigma == 0.0)..] {
            let on_grid = LawOnGrid::new(law.as_ref(), smoothing, &grid);
            if on_grid.mass_error.abs() > MASS_ERROR {
                metrics.note(format!(
                    "the grid of {} cells misses {:.1} % of the law's mass: NLL and KL are left out",
                    grid.shape(),
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

    /// How the mean energy of the chains compares with that of the model itself, of both within the grid.
    fn chains_energy(&self, grid: &Grid, energies: &[f64], metrics: &mut Metrics) -> Result<()> {
        let Some(chains) = self.chains.filter(|chains| chains.values().iter().all(|x| x.is_finite())) else {
            return Ok(());
        };
        let inside: Vec<f64> = chains.rows().filter(|x| grid.holds(x)).flatten().copied().collect();
        let inside = Points::new(chains.dim(), inside);
        if 2 * inside.count() < chains.count() {
            metrics.note(format!(
                "{} of {} samples are within the grid's box, so their energy is not held against that of the model",
                inside.count(),
                chains.count()
            ));
            return Ok(());
        }
        let [mean, variance] = grid.energy_moments(energies);
        let found = Estimate::mean(&self.engine.energy(self.model, &inside)?);
        let deviation = variance.sqrt();
        metrics.chains_energy = Some((found.value - mean) / deviation).filter(|excess| excess.is_finite());
        if metrics.chains_energy.is_some() {
            // of few chains the spread says little, and that of the model is known
            let error = (found.error / deviation).max((inside.count() as f64).sqrt().recip());
            metrics.standard_errors.insert("chains_energy", error);
        }
        Ok(())
    }

    /// Why ln Z of the grid is not to be had, if its cells are too wide for the model.
    fn unresolved(&self, grid: &Grid, energies: &[f64]) -> Result<Option<String>> {
        let note = |why: String| {
            let widest = grid.widest_cell();
            format!("cells of {widest:.2e} are too wide for the model: {why}; ln Z and what needs it are left out")
        };
        let [dark, light] = grid.log_normalizers_by_halves(energies);
        let agree = (dark - light).abs() <= LOG_Z_ERROR;
        // nor does what is NaN
        if !agree {
            return Ok(Some(note(format!("ln Z is {dark:.3} by every other cell, and {light:.3} by the rest"))));
        }
        let log_z = grid.log_normalizer(energies);
        let test = &self.data.test;
        let some = Points::new(test.dim(), test.values()[..POINTS.min(test.count()) * test.dim()].to_vec());
        if some.count() == 0 {
            return Ok(None);
        }
        let least = self.engine.energy(self.model, &some)?.into_iter().fold(f64::INFINITY, f64::min);
        let mass = (grid.cell_volume().ln() - least - log_z).exp();
        Ok((mass > CELL_MASS).then(|| {
            note(format!("one around a point of the data would hold {:.0} % of its mass", 100.0 * mass.min(1.0)))
        }))
    }

    /// ln Z with the mass that lies around the grid, in a box [`SURROUNDINGS`] times as wide.
    fn with_surroundings(&self, grid: &Grid, log_z: f64) -> Result<Integral> {
        let wide = |(low, high): (&f64, &f64)| {
            let (middle, half) = (0.5 * (low + high), 0.5 * SURROUNDINGS * (high - low));
            [middle - half, middle + half]
        };
        let wider: Vec<[f64; 2]> = grid.lows.iter().zip(&grid.highs).map(wide).collect();
        let around = Grid::covering(&wider, cells(self.data.dim()))?;
        let points = around.points();
        let inside = |x: &[f64]| x.iter().zip(grid.lows.iter().zip(&grid.highs)).all(|(x, (l, h))| l < x && x < h);
        let mut energies = self.engine.energy(self.model, &points)?;
        energies.iter_mut().zip(points.rows()).for_each(|(e, x)| *e = if inside(x) { f64::INFINITY } else { *e });
        let outside = around.log_normalizer(&energies);
        let top = log_z.max(outside);
        let all = top + ((log_z - top).exp() + (outside - top).exp()).ln();
        let log_model: Vec<f64> = energies.iter().map(|e| -e - all).collect();
        Ok(Integral { log_z: all, outside: (outside - all).exp(), rim: around.rim_mass(&log_model) })
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
}

/// What the grid of a file and its surroundings say.
struct Integral {
    log_z: f64,
    /// The share of the mass that lies in the surroundings.
    outside: f64,
    /// The share of it in their rim.
    rim: f64,
}

/// A grid that holds the law or the data with room around, for the mass that a model puts elsewhere.
fn grid_for(data: &Dataset, sigma: f64) -> Result<Grid> {
    let cells = cells(data.dim());
    if let Some(law) = &data.law {
        return Grid::around_law(law.as_ref(), sigma, cells);
    }
    let around = |axis: usize| {
        let column = data.train.rows().chain(data.test.rows()).map(|row| row[axis]);
        let [low, high] = column.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)]);
        let room = 4.0 * sigma + 0.1 * (high - low + 8.0 * sigma);
        [low - room, high + room]
    };
    Grid::covering(&(0..data.dim()).map(around).collect::<Vec<_>>(), cells)
}
