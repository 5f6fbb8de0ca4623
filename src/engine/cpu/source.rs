//! Where a tile's samples come from: drawn from the data by the seed, or given.

use std::ops::Range;

use super::block::Block;
use super::draws;
use crate::engine::Given;
use crate::model::Conditioning;
use crate::objective::{Denoising, Level, ProbeLaw};
use crate::random::{Seed, Stream, pick};
use crate::real::Real;

/// The samples of a batch, some at a time: those from `first` on go to the columns of a block, coordinate by row.
pub(super) trait Source<T>: Sync {
    /// Sets x in the first `samples` columns.
    fn points(&self, first: usize, samples: usize, x: &mut Block<T>);
    /// Sets z of denoising.
    fn noise(&self, first: usize, samples: usize, z: &mut Block<T>);
    /// The noise level of a sample.
    fn level(&self, sample: usize) -> Level;
    /// Sets probe `k` of each sample in these columns.
    fn probe(&self, first: usize, k: usize, columns: Range<usize>, v: &mut Block<T>);
}

/// The batch of a training step.
pub(super) struct Drawn<'a, T> {
    pub(super) seed: Seed,
    pub(super) step: u32,
    /// `[rows, dim]`.
    pub(super) data: &'a [T],
    pub(super) dim: usize,
    pub(super) levels: &'a [Level],
    /// The law of probes, and the length that finite differences give them.
    pub(super) probes: (ProbeLaw, Option<f64>),
}

/// The words that choose the row and the noise level of a sample.
fn choices(seed: Seed, sample: usize, step: u32) -> [u32; 4] {
    seed.words(Stream::Batch, sample as u32, step, 0)
}

impl<T: Real> Source<T> for Drawn<'_, T> {
    fn points(&self, first: usize, samples: usize, x: &mut Block<T>) {
        let rows = (self.data.len() / self.dim) as u32;
        for s in 0..samples {
            let row = pick(choices(self.seed, first + s, self.step)[0], rows) as usize;
            for (n, value) in self.data[row * self.dim..(row + 1) * self.dim].iter().enumerate() {
                x.row_mut(n, s..s + 1)[0] = *value;
            }
        }
    }

    fn noise(&self, first: usize, samples: usize, z: &mut Block<T>) {
        draws::normals(z, self.dim, 0..samples, self.seed, Stream::Noise, first as u32, self.step, 0);
    }

    fn level(&self, sample: usize) -> Level {
        let word = choices(self.seed, sample, self.step)[1];
        self.levels[pick(word, self.levels.len() as u32) as usize]
    }

    fn probe(&self, first: usize, k: usize, columns: Range<usize>, v: &mut Block<T>) {
        let (law, length) = self.probes;
        draws::probes(v, self.dim, columns, law, length, self.seed, first as u32, self.step, k as u32);
    }
}

/// A batch that a caller gives.
pub(super) struct FromGiven<'a> {
    pub(super) given: Given<'a>,
    pub(super) denoising: Option<&'a Denoising>,
    pub(super) conditioning: Conditioning,
}

impl<T: Real> Source<T> for FromGiven<'_> {
    fn points(&self, first: usize, samples: usize, x: &mut Block<T>) {
        super::load(x, 0..samples, self.given.points, first, 1);
    }

    fn noise(&self, first: usize, samples: usize, z: &mut Block<T>) {
        if let Some(noise) = self.given.noise {
            super::load(z, 0..samples, noise, first, 1);
        }
    }

    fn level(&self, sample: usize) -> Level {
        let quiet = Level { sigma: 1.0, reach: 1.0, weight: 0.0 };
        self.denoising.map_or(quiet, |denoising| {
            let sigma = self.given.sigmas.map_or(denoising.ladder.smallest(), |sigmas| sigmas[sample]);
            denoising.level(sigma, self.conditioning)
        })
    }

    fn probe(&self, first: usize, k: usize, columns: Range<usize>, v: &mut Block<T>) {
        if let Some(probes) = self.given.probes {
            let each = probes.count() / self.given.points.count();
            super::load(v, columns, probes, first * each + k, each);
        }
    }
}
