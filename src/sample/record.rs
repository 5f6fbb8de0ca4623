//! What draws leave: the trace of some chains for diagnostics, and the moments of all.

use super::Moment;
use crate::engine::{Chains, Engine, Landscape};
use crate::error::Result;
use crate::model::Head;
use crate::points::Points;
use crate::sampler::diagnostics::{Coordinate, Diagnostics, diagnose};

/// Chains whose draws are kept for diagnostics; all of them move.
pub const MONITORED: usize = 128;

/// What is kept of draws.
#[derive(Default)]
pub(super) struct Record {
    draws: usize,
    /// `[draws, monitored, dim]`.
    trace: Vec<f64>,
    /// E of these, `[draws, monitored]`; empty for a field.
    energies: Vec<f64>,
    /// Acceptance probabilities of all steps so far.
    accepted: f64,
    pub(super) moments: Vec<Moment>,
}

impl Record {
    /// Takes a draw after `step` steps; positions of all chains stay where they are.
    pub(super) fn take(
        &mut self,
        engine: &dyn Engine,
        landscape: Landscape<'_>,
        chains: &mut dyn Chains,
        step: u64,
    ) -> Result<()> {
        let monitored = chains.first(MONITORED)?;
        let all = chains.moments()?;
        let energies = energies(engine, landscape, &monitored)?;
        let energy = energies.as_ref().map(|e| e.iter().sum::<f64>() / e.len() as f64);
        let before = self.moments.last().map_or(0, |last| last.step);
        let accepted = all.acceptance.map(|mean| mean * step as f64);
        let acceptance = accepted.map(|accepted| (accepted - self.accepted) / (step - before).max(1) as f64);
        self.accepted = accepted.unwrap_or(0.0);
        self.draws += 1;
        self.trace.extend_from_slice(monitored.values());
        self.energies.extend(energies.unwrap_or_default());
        self.moments.push(Moment { step, mean: all.mean, variance: all.variance, energy, acceptance });
        Ok(())
    }

    pub(super) fn diagnostics(&self, dim: usize) -> Result<Option<Diagnostics>> {
        if self.draws == 0 {
            return Ok(None);
        }
        diagnose(&self.trace, [self.draws, self.trace.len() / (self.draws * dim), dim]).map(Some)
    }

    /// What the draws of E are worth.
    pub(super) fn energy(&self) -> Result<Option<Coordinate>> {
        if self.energies.is_empty() {
            return Ok(None);
        }
        let all = diagnose(&self.energies, [self.draws, self.energies.len() / self.draws, 1])?;
        Ok(all.coordinates.first().copied())
    }
}

/// E at points; none for a field.
fn energies(engine: &dyn Engine, landscape: Landscape<'_>, points: &Points) -> Result<Option<Vec<f64>>> {
    match landscape {
        Landscape::Network(model) if model.spec.head() == Head::Score => Ok(None),
        Landscape::Network(model) => engine.energy(model, points).map(Some),
        Landscape::Target(target) => engine.target_energy(target, points).map(|(energies, _)| Some(energies)),
    }
}
