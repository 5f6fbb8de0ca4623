//! Draws of the first chains, kept until they are diagnosed. Twins: `shaders/record_draws.wgsl` and what sums such draws up.

use crate::engine::{Room, Worth, another_number};
use crate::error::Result;
use crate::points::Points;
use crate::real::Real;
use crate::sampler::diagnostics::diagnose;

/// Draws `[draws, chains, width]`, E in front of the coordinates.
pub(super) struct Kept<T> {
    room: Room,
    has_energy: bool,
    numbers: Vec<T>,
}

impl<T: Real> Kept<T> {
    pub(super) fn new(draws: usize, chains: usize, dim: usize, has_energy: bool) -> Result<Self> {
        let room = Room::new(draws, chains, dim + usize::from(has_energy))?;
        Ok(Self { room, has_energy, numbers: Vec::with_capacity(room.draws * room.chains * room.width) })
    }

    /// Chains whose draws are kept.
    pub(super) fn chains(&self) -> usize {
        self.room.chains
    }

    pub(super) fn draws(&self) -> usize {
        self.numbers.len() / (self.room.chains * self.room.width)
    }

    pub(super) fn push(&mut self, positions: &Points, energies: &[T]) -> Result<()> {
        if self.draws() == self.room.draws {
            return Err(another_number());
        }
        for (chain, x) in positions.rows().enumerate() {
            self.numbers.extend(energies.get(chain));
            self.numbers.extend(x.iter().map(|x| T::of(*x)));
        }
        Ok(())
    }

    /// All numbers of the draws so far.
    pub(super) fn numbers(&self) -> Vec<f64> {
        self.numbers.iter().map(|x| x.f64()).collect()
    }

    /// Takes up such numbers; none if they are not whole draws that there is room for.
    pub(super) fn restore(&mut self, numbers: &[f64]) -> Option<()> {
        let Room { draws, chains, width } = self.room;
        let fits = numbers.len().is_multiple_of(chains * width) && numbers.len() <= draws * chains * width;
        self.numbers = numbers.iter().map(|x| T::of(*x)).collect();
        fits.then_some(())
    }

    pub(super) fn worth(&self) -> Result<Worth> {
        let Room { draws, chains, width } = self.room;
        if self.draws() != draws {
            return Err(another_number());
        }
        let all = diagnose(&self.numbers, [draws, chains, width])?;
        let mean = |draw: &[T]| draw.iter().step_by(width).map(|e| e.f64()).sum::<f64>() / chains as f64;
        let with_energy = self.numbers.chunks(chains * width).take(if self.has_energy { draws } else { 0 });
        Ok(Worth::new(all, with_energy.map(mean).collect()))
    }
}
