//! What experiments measure of a trained network.

use super::Setup;
use crate::data::Law;
use crate::data::law::{normal, uniform};
use crate::engine::Given;
use crate::error::Result;
use crate::eval::{CELLS, Divergence, Grid, LawOnGrid};
use crate::model::Model;
use crate::objective::{Denoising, Objective, ProbeLaw, Probes, Weighting};
use crate::points::Points;
use crate::random::{Seed, Stream};

/// `count` points of the law for the seed; training and evaluation take different indices.
pub(super) fn draw(law: &dyn Law, count: usize, seed: u64, index: u32) -> Points {
    law.draw(count, &mut Seed(seed).sequence(Stream::Data, index))
}

/// Standard normal points in f64, independent of what training draws.
pub(super) fn normals(count: usize, dim: usize, seed: u64, index: u32) -> Points {
    let mut rng = Seed(seed).sequence(Stream::Host, index);
    Points::new(dim, (0..count * dim).map(|_| normal(&mut rng)).collect())
}

/// Points uniform in the square [−half, half]².
pub(super) fn uniform_square(count: usize, half: f64, seed: u64) -> Points {
    let mut rng = Seed(seed).sequence(Stream::Start, 0);
    Points::new(2, (0..2 * count).map(|_| half * (2.0 * uniform(&mut rng) - 1.0)).collect())
}

/// x + σz.
pub(super) fn smoothed(points: &Points, noise: &Points, sigma: f64) -> Points {
    let values = points.values().iter().zip(noise.values()).map(|(x, z)| x + sigma * z).collect();
    Points::new(points.dim(), values)
}

/// Each point `times` times, one pass over the points after another.
pub(super) fn repeated(points: &Points, times: usize) -> Points {
    Points::new(points.dim(), points.values().repeat(times))
}

/// An energy network's density over the plane around a law, by quadrature.
pub(super) struct OnGrid<'a> {
    law: &'a dyn Law,
    sigma: f64,
    grid: Grid,
    /// ln q of each cell.
    log_model: Vec<f64>,
}

impl<'a> OnGrid<'a> {
    pub(super) fn new(setup: &Setup<'_>, model: &Model, law: &'a dyn Law, sigma: f64) -> Result<Self> {
        let grid = Grid::around_law(law, sigma, CELLS)?;
        let energies = setup.engine.energy(model, &grid.points())?;
        let log_z = grid.log_normalizer(&energies);
        let log_model = energies.iter().map(|e| -e - log_z).collect();
        Ok(Self { law, sigma, grid, log_model })
    }

    /// KL(p ∗ N(0, σ²I) ‖ q): how far the NLL is above the entropy.
    pub(super) fn kl(&self) -> f64 {
        self.divergence().kl
    }

    /// All that the grid says.
    pub(super) fn divergence(&self) -> Divergence {
        LawOnGrid::new(self.law, self.sigma, &self.grid).compare(&self.log_model)
    }

    /// The mass nearest to each mode; empty for laws without modes.
    pub(super) fn mode_masses(&self) -> Vec<f64> {
        let Some(modes) = self.law.modes() else { return Vec::new() };
        let (points, cell) = (self.grid.points(), self.grid.cell_volume());
        modes.masses(points.rows().zip(&self.log_model).map(|(x, log)| (x, log.exp() * cell)))
    }

    /// The part of that KL that is due to the weights of a mixture's modes: Σ w ln(w / ŵ), ŵ the mass nearest to each
    /// mode. 0 for laws without modes.
    pub(super) fn weights_kl(&self) -> f64 {
        let Some(modes) = self.law.modes() else { return 0.0 };
        modes.weights.iter().zip(&self.mode_masses()).map(|(w, m)| w * (w / m).ln()).sum()
    }
}

/// The mean of ½ σᵃ ‖s(x + σz) + z/σ‖² over the points, each with one z, of a network at one noise level.
pub(super) fn denoising_loss(
    setup: &Setup<'_>,
    model: &Model,
    points: &Points,
    noise: &Points,
    sigma: f64,
    weighting: Weighting,
) -> Result<f64> {
    let objective = Objective::Denoising(Denoising::single(sigma, weighting)?);
    Ok(setup.engine.loss_gradient(model, &objective, &Given::noisy(points, noise))?.loss())
}

/// The least that [`denoising_loss`] can be on average, ½ σᵃ (d/σ² − E‖s_σ‖²), estimated at these noisy points.
pub(super) fn denoising_floor(law: &dyn Law, noisy: &Points, sigma: f64, weighting: Weighting) -> f64 {
    let d = noisy.dim();
    let mut score = vec![0.0; d];
    let mut square = |x: &[f64]| {
        law.score(x, sigma, &mut score);
        score.iter().map(|s| s * s).sum::<f64>()
    };
    let mean = noisy.rows().map(&mut square).sum::<f64>() / noisy.count() as f64;
    0.5 * sigma.powf(weighting.0) * (d as f64 / (sigma * sigma) - mean)
}

/// The mean sliced loss over the points with `probes.count` fresh Gaussian probes each.
pub(super) fn sliced_loss(setup: &Setup<'_>, model: &Model, points: &Points, count: usize, seed: u64) -> Result<f64> {
    let objective = Objective::Ssm(Probes::new(count, ProbeLaw::Gaussian)?);
    let probes = normals(points.count() * count, points.dim(), seed, 40);
    Ok(setup.engine.loss_gradient(model, &objective, &Given::probed(points, &probes))?.loss())
}
