//! Annealed importance sampling (Neal 2001): ln Z of exp(−E) from chains that go from a law that can be drawn to it.

use crate::engine::{Engine, Landscape, advance_by};
use crate::error::{Error, Result};
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::sampler::{Bounds, Hamiltonian, Wall};

/// An estimate of ln Z, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogNormalizer {
    /// ln of the mean weight.
    pub value: f64,
    /// Its standard error, from the spread of the weights.
    pub error: f64,
}

/// ln ∫ exp(−E) over the box, by `chains` chains that start uniform in it and see β E with β from 0 to 1 as the square of
/// equal steps: at each of `levels` of them the weight grows by −Δβ E and one transition of `moves` follows at T = 1/β.
///
/// # Errors
/// Fewer than two levels, the landscape has no energy, or the device failed.
pub fn ais_in_box(
    engine: &dyn Engine,
    landscape: Landscape<'_>,
    [low, high]: [f64; 2],
    chains: usize,
    levels: u32,
    moves: &Hamiltonian,
    seed: Seed,
) -> Result<LogNormalizer> {
    if levels < 2 || chains < 2 {
        return Err(Error::input(format!("{levels} levels and {chains} chains: both have to be 2 or more")));
    }
    let d = landscape.dim();
    let mut rng = seed.sequence(Stream::Start, 2);
    let place = |_| low + (high - low) * crate::data::law::uniform(&mut rng);
    let start = Points::new(d, (0..chains * d).map(place).collect());
    let walls = Some(Bounds::new(low, high, Wall::Reflect)?);
    let beta = |k: u32| (f64::from(k) / f64::from(levels)).powi(2);
    let at = |k: u32| moves.clone().within(walls)?.at(vec![1.0 / beta(k)], 1).map(Into::into);
    let mut columns = engine.chains(landscape, &at(1)?, &start, seed)?;
    let mut energies = first_energies(engine, landscape, &start)?;
    let mut weights = vec![0.0; chains];
    for k in 1..=levels {
        let grows = beta(k) - beta(k - 1);
        weights.iter_mut().zip(&energies).for_each(|(w, e)| *w -= grows * e);
        if k < levels {
            columns.change(landscape, &at(k)?)?;
            advance_by(columns.as_mut(), 1)?;
            energies = columns.fares()?.energies.unwrap_or_default();
        }
    }
    let top = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = weights.iter().map(|w| (w - top).exp()).collect();
    let mean = shares.iter().sum::<f64>() / chains as f64;
    let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (chains - 1) as f64;
    let volume = d as f64 * (high - low).ln();
    Ok(LogNormalizer { value: volume + top + mean.ln(), error: (variance / chains as f64).sqrt() / mean })
}

fn first_energies(engine: &dyn Engine, landscape: Landscape<'_>, start: &Points) -> Result<Vec<f64>> {
    match landscape {
        Landscape::Network(model) => engine.energy(model, start),
        Landscape::Target(target) => {
            let mut gradient = vec![0.0; target.dim()];
            Ok(start.rows().map(|x| target.energy::<f64>(x, &mut gradient)).collect())
        }
    }
}
