//! Annealed importance sampling (Neal 2001): ln Z of exp(−E) from chains that go from a law that can be drawn to it.

use crate::data::law::{normal, uniform};
use crate::engine::{Engine, Landscape, advance_by};
use crate::error::{Error, Result};
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::sampler::{Bounds, Hamiltonian, NormalBase, Wall};

/// An estimate of ln Z, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogNormalizer {
    /// ln of the mean weight.
    pub value: f64,
    /// Its standard error, from the spread of the weights.
    pub error: f64,
    /// (Σw)² / Σw² of the weights over their count: far below 1 where few chains carry all of it, and then the error is
    /// not to be trusted either.
    pub effective_share: f64,
}

/// Where chains start.
#[derive(Debug, Clone, PartialEq)]
pub enum Base {
    /// Uniform in a box of equal sides, which they do not leave: Z is the integral over it.
    Box([f64; 2]),
    /// Normal with these means and standard deviations: Z is the integral over all space.
    Normal {
        /// The mean of each coordinate.
        mean: Vec<f64>,
        /// The standard deviation of each coordinate.
        deviation: Vec<f64>,
    },
}

impl Base {
    /// `count` points of the law.
    fn draw(&self, count: usize, dim: usize, seed: Seed) -> Points {
        let mut rng = seed.sequence(Stream::Start, 2);
        let values = (0..count * dim).map(|i| match self {
            Self::Box([low, high]) => low + (high - low) * uniform(&mut rng),
            Self::Normal { mean, deviation } => mean[i % dim] + deviation[i % dim] * normal(&mut rng),
        });
        Points::new(dim, values.collect())
    }

    /// −ln of its density, less a constant, at each point.
    fn energies(&self, points: &Points) -> Vec<f64> {
        match self {
            Self::Box(_) => vec![0.0; points.count()],
            Self::Normal { mean, deviation } => points
                .rows()
                .map(|x| x.iter().zip(mean.iter().zip(deviation)).map(|(x, (m, s))| 0.5 * ((x - m) / s).powi(2)).sum())
                .collect(),
        }
    }

    /// ln of the integral of exp(−`energies`).
    fn log_volume(&self, dim: usize) -> f64 {
        match self {
            Self::Box([low, high]) => dim as f64 * (high - low).ln(),
            Self::Normal { deviation, .. } => deviation.iter().map(|s| s.ln() + 0.5 * std::f64::consts::TAU.ln()).sum(),
        }
    }

    /// `moves` with a step of `step` that leave exp(−βE − (1 − β) `energies`) in place. The step is in units of √T in a box,
    /// and of each deviation from a normal base.
    fn moves_at(&self, moves: &Hamiltonian, step: f64, beta: f64) -> Result<Hamiltonian> {
        let moves = Hamiltonian { step, ..moves.clone() }.at(vec![1.0 / beta], 1)?;
        match self {
            Self::Box([low, high]) => moves.within(Some(Bounds::new(*low, *high, Wall::Reflect)?)),
            Self::Normal { mean, deviation } => {
                let inverse: Vec<f64> = deviation.iter().map(|s| 1.0 / (s * s)).collect();
                let precision = inverse.iter().map(|p| (1.0 - beta) * p).collect();
                let moves = Hamiltonian { step: step * beta.sqrt(), ..moves };
                moves.with_mass(inverse)?.over(NormalBase { mean: mean.clone(), precision })
            }
        }
    }
}

/// The acceptance that the pilot adapts the step of each level to.
const ACCEPTANCE: f64 = 0.65;
/// By how much more the logarithm of the step grows from a level to the next for an acceptance of 1 in place of 0.
const GAIN: f64 = 1.0;
/// Chains of the pilot for each of the run itself, and the fewest.
const PILOT_SHARE: usize = 8;
const FEWEST_PILOTS: usize = 64;

/// `chains` chains see (1 − β) times the base and β E with β from 0 to 1 as the square of `levels` equal steps; at each of
/// them the weight of a chain grows and one transition of `moves` follows. A pilot with an eighth of the chains finds the
/// step of each level, so that the weights of the run itself are unbiased.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnealedImportance {
    /// Chains, 2 or more.
    pub chains: usize,
    /// Levels, 2 or more.
    pub levels: u32,
    /// How they move; its step is that of the first level and the largest.
    pub moves: Hamiltonian,
}

impl AnnealedImportance {
    /// ln ∫ exp(−E), over the box or over all space as the base has it.
    ///
    /// # Errors
    /// Fewer than two levels or chains, the landscape has no energy, or the device failed.
    pub fn log_normalizer(
        &self,
        engine: &dyn Engine,
        landscape: Landscape<'_>,
        base: &Base,
        seed: Seed,
    ) -> Result<LogNormalizer> {
        let (levels, chains) = (self.levels, self.chains);
        if levels < 2 || chains < 2 {
            return Err(Error::input(format!("{levels} levels and {chains} chains: both have to be 2 or more")));
        }
        let pilots = (chains / PILOT_SHARE).max(FEWEST_PILOTS);
        let mut steps = vec![self.moves.step; levels as usize];
        let pilot = Seed(seed.0 ^ 1);
        self.weights(engine, landscape, base, pilots, pilot, |k, acceptance| {
            let grown = (steps[k] * (GAIN * (acceptance - ACCEPTANCE)).exp()).min(self.moves.step);
            steps[k + 1..].fill(grown);
            grown
        })?;
        let weights = self.weights(engine, landscape, base, chains, seed, |k, _| steps[k + 1])?;
        let top = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = weights.iter().map(|w| (w - top).exp()).collect();
        let mean = shares.iter().sum::<f64>() / chains as f64;
        let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (chains - 1) as f64;
        let square = shares.iter().map(|s| s * s).sum::<f64>() / chains as f64;
        Ok(LogNormalizer {
            value: base.log_volume(landscape.dim()) + top + mean.ln(),
            error: (variance / chains as f64).sqrt() / mean,
            effective_share: mean * mean / square,
        })
    }

    /// ln of the weight of each chain. `next_step` takes a level and the acceptance at it, and gives the step of the next.
    fn weights(
        &self,
        engine: &dyn Engine,
        landscape: Landscape<'_>,
        base: &Base,
        chains: usize,
        seed: Seed,
        mut next_step: impl FnMut(usize, f64) -> f64,
    ) -> Result<Vec<f64>> {
        let beta = |k: u32| (f64::from(k) / f64::from(self.levels)).powi(2);
        let start = base.draw(chains, landscape.dim(), seed);
        let mut step = self.moves.step;
        let at = |k: u32, step: f64| base.moves_at(&self.moves, step, beta(k)).map(Into::into);
        let mut columns = engine.chains(landscape, &at(1, step)?, &start, seed)?;
        let mut energies = first_energies(engine, landscape, &start)?;
        let mut base_energies = base.energies(&start);
        let mut weights = vec![0.0; chains];
        for k in 1..=self.levels {
            let grows = beta(k) - beta(k - 1);
            let ends = energies.iter().zip(&base_energies);
            weights.iter_mut().zip(ends).for_each(|(w, (e, b))| *w -= grows * (e - b));
            if k < self.levels {
                columns.change(landscape, &at(k, step)?)?;
                advance_by(columns.as_mut(), 1)?;
                let fares = columns.fares()?;
                energies = fares.energies.unwrap_or_default();
                if matches!(base, Base::Normal { .. }) {
                    base_energies = base.energies(&columns.positions()?);
                }
                let acceptance = fares.acceptance.unwrap_or_default();
                step = next_step(k as usize - 1, acceptance.iter().sum::<f64>() / chains as f64);
            }
        }
        Ok(weights)
    }
}

fn first_energies(engine: &dyn Engine, landscape: Landscape<'_>, start: &Points) -> Result<Vec<f64>> {
    match landscape {
        Landscape::Network(model) => engine.energy(model, start),
        Landscape::Target(target) => Ok(engine.target_energy(target, start)?.0),
    }
}
