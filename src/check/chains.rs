//! Chains, on networks and on analytic targets, with everything they report.

use super::{CHAINS, Case, normals};
use crate::engine::{Chains, Engine, Fares, Landscape, Moments, Worth, advance_by};
use crate::error::Result;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::{Adaptation, Bounds, Hamiltonian, Langevin, Transition, Wall};

/// Steps of chains, and of those whose own steps adapt: these differ after a while, as a step's logarithm adds up the errors
/// of acceptance probabilities.
const STEPS: u64 = 20;
const ADAPTING: u64 = 4;
const ADAPTED: f64 = 5e-5;

/// How chains are moved, the kernels that do it, steps and bound.
fn transitions(accepting: bool) -> Result<Vec<(&'static str, Transition, u64, f64)>> {
    let mut all = vec![("langevin_chains", Langevin::new(0.01, 1.0)?.into(), STEPS, CHAINS)];
    if accepting {
        let mirrors = Bounds::new(-2.0, 2.5, Wall::Reflect)?;
        let hmc = Hamiltonian::new(0.1, 3, 0.8)?.within(Some(mirrors))?;
        let adapting = Hamiltonian { adaptation: Some(Adaptation { target: 0.7 }), ..hmc.clone() };
        let tempered = Hamiltonian::langevin(0.01, 1.0)?.at(vec![4.0, 2.0, 1.0], 3)?;
        all.push(("hamiltonian_chains", hmc.into(), STEPS, CHAINS));
        all.push(("hamiltonian_chains (adapting)", adapting.into(), ADAPTING, ADAPTED));
        all.push(("exchange_replicas", tempered.into(), STEPS, CHAINS));
    }
    Ok(all)
}

/// Moves chains on a landscape in every way it allows.
pub(super) fn check(case: &mut Case<'_>, landscape: Landscape<'_>, accepting: bool, count: usize) -> Result<()> {
    // replicas come in threes
    let start = normals(count / 3 * 3, landscape.dim(), 1);
    for (kernel, transition, steps, bound) in transitions(accepting)? {
        let (want, all, worth, expected) = moved(case.reference, landscape, &transition, &start, steps)?;
        let (got, seen, kept, fares) = moved(case.engine, landscape, &transition, &start, steps)?;
        case.find(kernel, got.values(), want.values(), bound);
        case.find(&format!("chain_moments ({kernel})"), &numbers(&seen), &numbers(&all), bound);
        case.find(&format!("record_draws ({kernel})"), &kept_numbers(&kept), &kept_numbers(&worth), bound);
        let Some(expected) = reported(&expected) else { continue };
        case.find(&format!("{kernel}: report"), &reported(&fares).unwrap_or_default(), &expected, bound);
    }
    Ok(())
}

fn numbers(moments: &Moments) -> Vec<f64> {
    [&moments.mean[..], &moments.variance, moments.acceptance.as_slice(), &[moments.broken as f64]].concat()
}

/// Of two draws.
fn kept_numbers(worth: &Worth) -> Vec<f64> {
    let coordinates = worth.diagnostics.coordinates.iter().chain(&worth.energy);
    worth.energies.iter().copied().chain(coordinates.flat_map(|c| [c.mean, c.standard_deviation])).collect()
}

/// The numbers of a report, none without any.
fn reported(fares: &Fares) -> Option<Vec<f64>> {
    let each = [&fares.acceptance, &fares.energies, &fares.factors].map(|v| v.as_deref());
    let [Some(acceptance), Some(energies), Some(factors)] = each else { return None };
    Some([acceptance, energies, factors, &fares.exchanges, &[fares.broken as f64]].concat())
}

fn moved(
    engine: &dyn Engine,
    landscape: Landscape<'_>,
    transition: &Transition,
    start: &Points,
    steps: u64,
) -> Result<(Points, Moments, Worth, Fares)> {
    let mut chains: Box<dyn Chains + '_> = engine.chains(landscape, transition, start, Seed(4))?;
    chains.watch(2)?;
    for some in [steps / 2, steps - steps / 2] {
        advance_by(chains.as_mut(), some)?;
        chains.keep()?;
    }
    Ok((chains.positions()?, chains.moments()?, chains.worth()?, chains.fares()?))
}
