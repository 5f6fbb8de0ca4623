//! Where a tile's samples come from: drawn from the data by the seed, or given.

use std::ops::Range;

use super::block::Block;
use super::draws;
use crate::engine::Given;
use crate::model::Conditioning;
use crate::objective::{Denoising, Level, ProbeLaw, SeparableLaw};
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
    /// Sets the negatives of each sample, whose x stands in the first `samples` columns, in the columns behind: the first of
    /// all samples, then the second, up to `count`. `noise` has room for one number of each x.
    fn negatives(&self, first: usize, samples: usize, count: usize, x: &mut Block<T>, noise: &mut Block<T>);
}

/// Where a training step has its negatives from.
#[derive(Clone, Copy)]
pub(super) enum Negatives<'a, T> {
    /// It has none.
    None,
    /// One for each sample, `[batch, dim]`.
    Made(&'a [T]),
    /// x + √t ξ + √t ξⱼ, with this √t.
    Perturbed(f64),
    /// Points of a normal law.
    Law(&'a SeparableLaw),
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
    pub(super) negatives: Negatives<'a, T>,
    /// The standard deviation of noise on the points, which is 0 where denoising adds its own.
    pub(super) data_noise: f64,
}

impl<T: Real> Drawn<'_, T> {
    /// Standard normals for negative `j` of the samples; 0 for what they share.
    fn normals(&self, first: usize, j: usize, columns: Range<usize>, z: &mut Block<T>) {
        let base = (j * self.dim.div_ceil(4)) as u32;
        draws::normals(z, self.dim, columns, self.seed, Stream::Negative, first as u32, self.step, base);
    }
}

/// The words that choose the row and the noise level of a sample.
fn choices(seed: Seed, sample: usize, step: u32) -> [u32; 4] {
    seed.words(Stream::Batch, sample as u32, step, 0)
}

impl<T: Real> Source<T> for Drawn<'_, T> {
    fn points(&self, first: usize, samples: usize, x: &mut Block<T>) {
        let rows = (self.data.len() / self.dim) as u32;
        let (noisy, noise) = (self.data_noise > 0.0, T::of(self.data_noise));
        if noisy {
            draws::normals(x, self.dim, 0..samples, self.seed, Stream::Noise, first as u32, self.step, 0);
        }
        for s in 0..samples {
            let row = pick(choices(self.seed, first + s, self.step)[0], rows) as usize;
            for (n, value) in self.data[row * self.dim..(row + 1) * self.dim].iter().enumerate() {
                let place = &mut x.row_mut(n, s..s + 1)[0];
                *place = if noisy { *value + noise * *place } else { *value };
            }
        }
    }

    fn noise(&self, first: usize, samples: usize, z: &mut Block<T>) {
        draws::normals(z, self.dim, 0..samples, self.seed, Stream::Noise, first as u32, self.step, 0);
    }

    fn level(&self, sample: usize) -> Level {
        if let [only] = self.levels {
            return *only;
        }
        let word = choices(self.seed, sample, self.step)[1];
        self.levels[pick(word, self.levels.len() as u32) as usize]
    }

    fn probe(&self, first: usize, k: usize, columns: Range<usize>, v: &mut Block<T>) {
        let (law, length) = self.probes;
        draws::probes(v, self.dim, columns, law, length, self.seed, first as u32, self.step, k as u32);
    }

    fn negatives(&self, first: usize, samples: usize, count: usize, x: &mut Block<T>, noise: &mut Block<T>) {
        let columns = |j: usize| j * samples..(j + 1) * samples;
        match self.negatives {
            Negatives::None => {}
            Negatives::Made(points) => {
                for n in 0..self.dim {
                    for (s, y) in x.row_mut(n, columns(1)).iter_mut().enumerate() {
                        *y = points[(first + s) * self.dim + n];
                    }
                }
            }
            Negatives::Perturbed(root) => {
                let root = T::of(root);
                noise.shape(self.dim, samples);
                self.normals(first, 0, 0..samples, noise);
                for j in 1..=count {
                    self.normals(first, j, columns(j), x);
                    for n in 0..self.dim {
                        let (points, rest) = x.row_mut(n, 0..(j + 1) * samples).split_at_mut(samples);
                        let moved = &mut rest[(j - 1) * samples..];
                        for ((y, x), shared) in moved.iter_mut().zip(points).zip(noise.row(n, 0..samples)) {
                            *y = (*x + root * *shared) + root * *y;
                        }
                    }
                }
            }
            Negatives::Law(law) => {
                for j in 1..=count {
                    self.normals(first, j, columns(j), x);
                    for (n, (origin, scale)) in law.origin().iter().zip(law.scale()).enumerate() {
                        let (origin, scale) = (T::of(*origin), T::of(*scale));
                        x.row_mut(n, columns(j)).iter_mut().for_each(|y| *y = origin + scale * *y);
                    }
                }
            }
        }
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

    fn negatives(&self, first: usize, samples: usize, count: usize, x: &mut Block<T>, _: &mut Block<T>) {
        if let Some(negatives) = self.given.negatives {
            for j in 0..count {
                super::load(x, (j + 1) * samples..(j + 2) * samples, negatives, first * count + j, count);
            }
        }
    }
}
