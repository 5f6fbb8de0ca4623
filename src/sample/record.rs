//! What is told of all chains at each draw.

use super::Moment;
use crate::engine::{Chains, Worth};
use crate::error::Result;

/// What draws have left.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    /// Acceptance probabilities of all steps so far.
    pub(super) accepted: f64,
    /// All chains at each draw, their energies aside.
    pub(super) moments: Vec<Moment>,
}

impl Record {
    /// Takes a draw after `step` steps; positions of all chains stay where they are. False if their means and variances are
    /// not all finite.
    pub(super) fn take(&mut self, chains: &mut dyn Chains, step: u64) -> Result<bool> {
        chains.keep()?;
        let all = chains.moments()?;
        let before = self.moments.last().map_or(0, |last| last.step);
        let accepted = all.acceptance.map(|mean| mean * step as f64);
        let acceptance = accepted.map(|accepted| (accepted - self.accepted) / (step - before).max(1) as f64);
        self.accepted = accepted.unwrap_or(0.0);
        let is_finite = all.mean.iter().chain(&all.variance).all(|v| v.is_finite());
        self.moments.push(Moment { step, mean: all.mean, variance: all.variance, energy: None, acceptance });
        Ok(is_finite)
    }

    /// The moments over time, with the energies that were kept on the way.
    pub(super) fn moments(self, worth: Option<&Worth>) -> Vec<Moment> {
        let mut moments = self.moments;
        let energies = worth.map_or(&[][..], |w| &w.energies);
        moments.iter_mut().zip(energies).for_each(|(moment, energy)| moment.energy = Some(*energy));
        moments
    }
}
