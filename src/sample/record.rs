//! What draws leave: the trace of some chains for diagnostics, and the moments of all.

use super::Moment;
use crate::error::Result;
use crate::points::Points;
use crate::sampler::diagnostics::{Diagnostics, diagnose};

/// Chains whose draws are kept for diagnostics; all of them move.
const MONITORED: usize = 128;

/// What is kept of draws.
#[derive(Default)]
pub(super) struct Record {
    draws: usize,
    /// `[draws, monitored, dim]`.
    trace: Vec<f64>,
    pub(super) moments: Vec<Moment>,
}

impl Record {
    pub(super) fn take(&mut self, step: u64, positions: &Points) {
        let (count, dim) = (positions.count() as f64, positions.dim());
        self.draws += 1;
        self.trace.extend_from_slice(&positions.values()[..MONITORED.min(positions.count()) * dim]);
        let mean: Vec<f64> = (0..dim).map(|n| positions.rows().map(|x| x[n]).sum::<f64>() / count).collect();
        let spread = |n: usize| positions.rows().map(|x| (x[n] - mean[n]).powi(2)).sum::<f64>() / count;
        let variance = (0..dim).map(spread).collect();
        self.moments.push(Moment { step, mean, variance });
    }

    pub(super) fn diagnostics(&self, dim: usize) -> Result<Option<Diagnostics>> {
        if self.draws == 0 {
            return Ok(None);
        }
        diagnose(&self.trace, [self.draws, self.trace.len() / (self.draws * dim), dim]).map(Some)
    }
}
