//! Loss and parameter gradient of a batch, tile by tile.

use std::ops::Range;

use rayon::prelude::*;

use super::basis::Basis;
use super::block::Block;
use super::contrast::{Contrasting, most_groups, tile_samples};
use super::difference::Difference;
use super::matching::{Matching, Sums, Work};
use super::memory::PerThread;
use super::source::Source;
use super::vector::vectorized;
use super::weights::Replicated;
use super::{GROUPS, PART, TILE};
use crate::objective::{Objective, Program, Tangents};
use crate::real::Real;

/// A batch in groups of tiles, one for each task.
#[derive(Debug)]
pub(super) struct Batch<T> {
    memory: PerThread<Work<T>>,
    groups: Vec<Group<T>>,
    /// Samples of a tile.
    tile: usize,
    size: usize,
    basis: Basis<T>,
    gradient: Vec<T>,
}

#[derive(Debug)]
struct Group<T> {
    /// Index of the first sample, and the one past the last.
    range: Range<usize>,
    sums: Sums<T>,
    losses: Vec<T>,
}

impl<T: Real> Batch<T> {
    pub(super) fn new(pool: &rayon::ThreadPool, weights: &Replicated<T>, objective: &Objective, size: usize) -> Self {
        let (tile, most) = match objective.program(weights.spec.head()) {
            Program::Contrast(contrast) => (tile_samples(contrast.negatives), most_groups(contrast.negatives)),
            _ => (TILE, GROUPS),
        };
        let tiles = size.div_ceil(tile);
        let groups = tiles.min(most);
        let groups = (0..groups)
            .map(|g| {
                let range = (g * tiles / groups * tile)..((g + 1) * tiles / groups * tile).min(size);
                let gradient = vec![T::default(); weights.parameters().len()];
                let sums = Sums { gradient, tangents: Block::default() };
                Group { losses: vec![T::default(); range.len()], range, sums }
            })
            .collect();
        let gradient = vec![T::default(); weights.parameters().len()];
        Self { memory: PerThread::new(pool), groups, tile, size, basis: Basis::default(), gradient }
    }

    /// Computes the loss of each sample and the gradient of the mean.
    pub(super) fn compute(&mut self, weights: &Replicated<T>, objective: &Objective, source: &dyn Source<T>) {
        let (dim, head, share) = (weights.spec.dim(), weights.spec.head(), 1.0 / self.size as f64);
        match objective.program(head) {
            Program::Difference(fd) => self.each_tile(None, |work, first, losses| {
                weights.with(|weights| {
                    let net = weights.network();
                    Difference { net, probes: fd.probes, dim, share }.tile(work, source, first, losses);
                });
            }),
            Program::Contrast(contrast) => self.each_tile(None, |work, first, losses| {
                weights.with(|weights| {
                    Contrasting { net: weights.network(), contrast, share }.tile(work, source, first, losses);
                });
            }),
            Program::Matching(terms) => {
                let mut basis = std::mem::take(&mut self.basis);
                let shared = match terms.tangents {
                    Tangents::Basis | Tangents::Axes => {
                        weights.with(|weights| basis.compute(weights.network(), terms.tangents == Tangents::Axes));
                        Some(&basis)
                    }
                    _ => None,
                };
                self.each_tile(shared, |work, first, losses| {
                    weights.with(|weights| {
                        let matching = Matching { net: weights.network(), head, terms, dim, share, basis: shared };
                        matching.tile(work, source, first, losses);
                    });
                });
                self.basis = basis;
            }
        }
    }

    /// Computes all tiles, and adds up what their groups add up; the tangents of `basis` are shared by all.
    fn each_tile(&mut self, basis: Option<&Basis<T>>, tile: impl Fn(&mut Work<T>, usize, &mut [T]) + Sync) {
        let (samples, memory) = (self.tile, &self.memory);
        self.groups.par_iter_mut().for_each(|group| {
            group.sums.start(basis);
            memory.with(|work| {
                std::mem::swap(&mut work.sums, &mut group.sums);
                for (t, losses) in group.losses.chunks_mut(samples).enumerate() {
                    tile(work, group.range.start + t * samples, losses);
                }
                std::mem::swap(&mut work.sums, &mut group.sums);
            });
        });
        self.add_up();
        if let Some(basis) = basis {
            for group in &self.groups {
                basis.add_weights(&group.sums.tangents, &mut self.gradient);
            }
        }
    }

    fn add_up(&mut self) {
        let groups = &self.groups;
        self.gradient.par_chunks_mut(PART).enumerate().for_each(|(part, sums)| {
            let range = part * PART..part * PART + sums.len();
            sums.fill(T::default());
            vectorized(
                #[inline(always)]
                || {
                    for group in groups {
                        let own = &group.sums.gradient[range.clone()];
                        sums.iter_mut().zip(own).for_each(|(sum, g)| *sum += *g);
                    }
                },
            );
        });
    }

    /// How many tasks compute it side by side.
    pub(super) fn tasks(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn gradient(&self) -> &[T] {
        &self.gradient
    }

    /// The loss of each sample, in order.
    pub(super) fn losses(&self) -> impl Iterator<Item = T> {
        self.groups.iter().flat_map(|g| g.losses.iter().copied())
    }

    /// Multiply-adds done in products with weights, since the batch was made.
    pub(super) fn work(&self) -> u64 {
        self.memory.sum(|work| work.tile.work)
    }
}
