//! Draws of some chains that are kept while these run, and what they are worth at the end.

use crate::error::{Error, Result};
use crate::sampler::diagnostics::{Coordinate, Diagnostics};

/// Chains whose draws are kept at most; all of them move.
pub const MONITORED: usize = 128;
/// Numbers that are kept at most: in f32 the largest binding that every WebGPU device allows.
const MOST_NUMBERS: usize = 1 << 25;
/// Draws of one coordinate, of all chains: five times as many have to be a binding as well.
pub(super) const MOST_DRAWS: usize = 1 << 22;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) draws: usize,
    pub(super) chains: usize,
    /// Numbers of a draw: E, where there is one, and the coordinates.
    pub(super) width: usize,
}

impl Room {
    /// Room for so many draws of [`MONITORED`] of the chains, or of fewer where that is too much.
    pub(super) fn new(draws: usize, chains: usize, width: usize) -> Result<Self> {
        let fit = (MOST_NUMBERS / draws.max(1) / width).min(MOST_DRAWS / draws.max(1));
        if draws == 0 || fit == 0 {
            return Err(Error::input(format!(
                "{draws} draws of {width} numbers: from 1 to {} can be kept of a chain",
                MOST_DRAWS.min(MOST_NUMBERS / width)
            ))
            .hint("a larger --thin"));
        }
        Ok(Self { draws, chains: chains.min(MONITORED).min(fit), width })
    }
}

/// What draws of chains are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Worth {
    /// Of the coordinates.
    pub diagnostics: Diagnostics,
    /// Of E; none for a field.
    pub energy: Option<Coordinate>,
    /// The mean of E over the chains at each draw; empty for a field.
    pub energies: Vec<f64>,
}

impl Worth {
    /// From the diagnostics of all numbers of a draw, of which the first is E if there are energies.
    pub(super) fn new(mut all: Diagnostics, energies: Vec<f64>) -> Self {
        let energy = (!energies.is_empty()).then(|| all.coordinates.remove(0));
        Self { diagnostics: all, energy, energies }
    }
}
