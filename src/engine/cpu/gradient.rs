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
use super::{GROUPS, Network, TILE, Weights};
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
    pub(super) fn new(pool: &rayon::ThreadPool, weights: &Weights<T>, objective: &Objective, size: usize) -> Self {
        let (tile, most) = match objective.program(weights.spec.head()) {
            Program::Contrast(contrast) => (tile_samples(contrast.negatives), most_groups(contrast.negatives)),
            _ => (TILE, GROUPS),
        };
        let tiles = size.div_ceil(tile);
        let groups = tiles.min(most);
        let groups = (0..groups)
            .map(|g| {
                let range = (g * tiles / groups * tile)..((g + 1) * tiles / groups * tile).min(size);
                let gradient = vec![T::default(); weights.parameters.len()];
                let sums = Sums { gradient, tangents: Block::default() };
                Group { losses: vec![T::default(); range.len()], range, sums }
            })
            .collect();
        let gradient = vec![T::default(); weights.parameters.len()];
        Self { memory: PerThread::new(pool), groups, tile, size, basis: Basis::default(), gradient }
    }

    /// Computes the loss of each sample and the gradient of the mean.
    pub(super) fn compute(&mut self, weights: &Weights<T>, objective: &Objective, source: &dyn Source<T>) {
        let net = weights.network();
        let (dim, share) = (weights.spec.dim(), 1.0 / self.size as f64);
        match objective.program(weights.spec.head()) {
            Program::Difference(fd) => {
                let difference = Difference { net, probes: fd.probes, dim, share };
                let start = |sums: &mut Sums<T>| sums.gradient.fill(T::default());
                self.each_tile(start, |work, first, losses| difference.tile(work, source, first, losses));
                self.add_up();
            }
            Program::Contrast(contrast) => {
                let contrasting = Contrasting { net, contrast, share };
                let start = |sums: &mut Sums<T>| sums.gradient.fill(T::default());
                self.each_tile(start, |work, first, losses| contrasting.tile(work, source, first, losses));
                self.add_up();
            }
            Program::Matching(terms) => {
                let shared = matches!(terms.tangents, Tangents::Basis | Tangents::Axes);
                let mut basis = std::mem::take(&mut self.basis);
                if shared {
                    basis.compute(net, terms.tangents == Tangents::Axes);
                }
                let head = weights.spec.head();
                let matching = Matching { net, head, terms, dim, share, basis: shared.then_some(&basis) };
                let start = |sums: &mut Sums<T>| matching.start(sums);
                self.each_tile(start, |work, first, losses| matching.tile(work, source, first, losses));
                self.add_up();
                if shared {
                    self.add_shared(net, &basis);
                }
                self.basis = basis;
            }
        }
    }

    fn each_tile(&mut self, start: impl Fn(&mut Sums<T>) + Sync, tile: impl Fn(&mut Work<T>, usize, &mut [T]) + Sync) {
        let (samples, memory) = (self.tile, &self.memory);
        self.groups.par_iter_mut().for_each(|group| {
            start(&mut group.sums);
            memory.with(|work| {
                std::mem::swap(&mut work.sums, &mut group.sums);
                for (t, losses) in group.losses.chunks_mut(samples).enumerate() {
                    tile(work, group.range.start + t * samples, losses);
                }
                std::mem::swap(&mut work.sums, &mut group.sums);
            });
        });
    }

    fn add_up(&mut self) {
        let (gradient, groups) = (&mut self.gradient, &self.groups);
        gradient.fill(T::default());
        vectorized(
            #[inline(always)]
            || {
                for group in groups {
                    gradient.iter_mut().zip(&group.sums.gradient).for_each(|(sum, g)| *sum += *g);
                }
            },
        );
    }

    fn add_shared(&mut self, net: Network<'_, T>, basis: &Basis<T>) {
        for group in &self.groups {
            basis.add_weights(&group.sums.tangents, &mut self.gradient[net.layers[0].weight.clone()]);
        }
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
