//! What a Metropolis correction would make of unadjusted chains.

use crate::engine::{Engine, Landscape};
use crate::error::Result;
use crate::model::Head;
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::sampler::Langevin;

/// The most chains that are asked: the mean of so many probabilities is within 0.01.
const CHAINS: usize = 4096;

/// The mean probability by which a Metropolis correction (mala) would accept the next step of chains at `positions`. The law of
/// chains whose steps it would all accept is exp(−E/T); the more it would refuse, the further from that they are. None
/// where there is no energy, no temperature, noise of another size, or a wall.
///
/// # Errors
/// The device failed.
pub fn would_accept(
    engine: &dyn Engine,
    landscape: Landscape<'_>,
    langevin: &Langevin,
    positions: &Points,
    seed: Seed,
) -> Result<Option<f64>> {
    let Langevin { step_size, temperature, noise, bounds } = *langevin;
    let has_energy = !matches!(landscape, Landscape::Network(model) if model.spec.head() == Head::Score);
    if !has_energy || temperature == 0.0 || noise.is_some() || bounds.is_some() {
        return Ok(None);
    }
    let (d, count) = (positions.dim(), positions.count().min(CHAINS));
    let from = Points::new(d, positions.values()[..count * d].to_vec());
    let (energies, scores) = evaluate(engine, landscape, &from)?;
    let mut to = Points::normal::<f64>(count, d, seed, Stream::Host, 5);
    for ((y, x), s) in to.values_mut().iter_mut().zip(from.values()).zip(scores.values()) {
        *y = x + step_size * s + langevin.noise_scale() * *y;
    }
    let (new_energies, new_scores) = evaluate(engine, landscape, &to)?;
    // |x' − x − ηs(x)|²: the exponent of the density of a step is this over −4ηT
    let miss = |to: &[f64], from: &[f64], s: &[f64]| -> f64 {
        to.iter().zip(from).zip(s).map(|((to, from), s)| (to - from - step_size * s).powi(2)).sum()
    };
    let accepted = |i: usize| {
        let (x, y) = (from.row(i), to.row(i));
        let there_and_back = miss(x, y, new_scores.row(i)) - miss(y, x, scores.row(i));
        let log_ratio = -(new_energies[i] - energies[i]) - there_and_back / (4.0 * step_size);
        // a proposal without an energy is refused
        if log_ratio.is_nan() { 0.0 } else { (log_ratio / temperature).exp().min(1.0) }
    };
    Ok(Some((0..count).map(accepted).sum::<f64>() / count as f64))
}

/// E and −∇E at each point.
fn evaluate(engine: &dyn Engine, landscape: Landscape<'_>, points: &Points) -> Result<(Vec<f64>, Points)> {
    match landscape {
        Landscape::Network(model) => Ok((engine.energy(model, points)?, engine.score(model, points)?)),
        Landscape::Target(target) => {
            let mut scores = Points::new(points.dim(), vec![0.0; points.values().len()]);
            let each = points.rows().zip(scores.values_mut().chunks_exact_mut(points.dim()));
            let energies = each.map(|(x, gradient)| target.energy::<f64>(x, gradient)).collect();
            scores.values_mut().iter_mut().for_each(|g| *g = -*g);
            Ok((energies, scores))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::Reference;
    use crate::error::Result;
    use crate::sampler::Hamiltonian;
    use crate::target::Target;

    /// Mala's own acceptance from the same places is the same number, up to the errors of both means.
    #[test]
    fn it_is_what_mala_accepts() -> Result<()> {
        let engine = Reference::new()?;
        let target = Target::by_name("gaussian", Some(3))?;
        let start = Points::normal::<f64>(4096, 3, Seed(1), Stream::Start, 0);
        let mut all = Vec::new();
        for (step, temperature) in [(0.05, 1.0), (0.5, 0.6), (0.5, 1.0), (1.5, 1.0)] {
            let langevin = Langevin::new(step, temperature)?;
            let found = would_accept(&engine, (&target).into(), &langevin, &start, Seed(2))?.unwrap_or(f64::NAN);
            let mala = Hamiltonian::langevin(step, temperature)?.into();
            let mut chains = engine.chains((&target).into(), &mala, &start, Seed(3))?;
            chains.advance(1)?;
            let want = chains.fares()?.acceptance.map_or(f64::NAN, |all| all.iter().sum::<f64>() / all.len() as f64);
            assert!((found - want).abs() < 0.02, "step {step}, T {temperature}: {found}, mala {want}");
            all.push(found);
        }
        assert!(all[0] > 0.97 && all[3] < 0.7 && all.is_sorted_by(|a, b| a > b), "{all:?} prove little");
        Ok(())
    }

    #[test]
    fn there_is_none_without_a_law() -> Result<()> {
        let engine = Reference::new()?;
        let target = Target::by_name("gaussian", Some(1))?;
        let start = Points::new(1, vec![0.0, 1.0]);
        for langevin in [Langevin::new(0.1, 0.0)?, Langevin::new(0.1, 1.0)?.with_noise(0.3)?] {
            assert_eq!(would_accept(&engine, (&target).into(), &langevin, &start, Seed(1))?, None);
        }
        Ok(())
    }
}
