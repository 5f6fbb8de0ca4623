//! What is told of all chains at each draw.

use super::Moment;
use super::windows::Windows;
use crate::engine::{Chains, Worth};
use crate::error::Result;

/// What draws have left.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    /// Acceptance probabilities of all steps so far.
    pub(super) accepted: f64,
    /// Of each draw the means and the variances of all chains, and their acceptance since the draw before, if there is one.
    pub(super) told: Windows,
}

impl Record {
    /// Takes a draw, `thin` steps after the one before; positions of all chains stay where they are. Whether all of them are
    /// finite.
    pub(super) fn take(&mut self, chains: &mut dyn Chains, thin: u64) -> Result<bool> {
        chains.keep()?;
        let all = chains.moments()?;
        let step = thin * (self.told.draws() + 1);
        let accepted = all.acceptance.map(|mean| mean * step as f64);
        let acceptance = accepted.map(|accepted| (accepted - self.accepted) / thin as f64);
        self.accepted = accepted.unwrap_or(0.0);
        self.told.add(all.mean.into_iter().chain(all.variance).chain(acceptance).collect());
        Ok(all.broken == 0)
    }

    /// The moments over time of draws that were taken every `thin` steps, with the energies that were kept on the way.
    pub(super) fn moments(&self, thin: u64, worth: Option<&Worth>) -> Vec<Moment> {
        let energies = worth.map_or(&[][..], |w| &w.energies);
        let mean = |energies: &[f64]| energies.iter().sum::<f64>() / energies.len() as f64;
        let mut energies = energies.chunks(self.told.width() as usize).map(mean);
        let moment = |(draw, numbers): (u64, Vec<f64>)| {
            // means and variances are as many: an odd number of numbers has an acceptance at its end
            let (mean, rest) = numbers.split_at(numbers.len() / 2);
            let (variance, acceptance) = rest.split_at(mean.len());
            Moment {
                step: thin * draw,
                mean: mean.to_vec(),
                variance: variance.to_vec(),
                energy: energies.next(),
                acceptance: acceptance.first().copied(),
            }
        };
        self.told.means().map(moment).collect()
    }
}
