//! The chains that make the negatives of contrastive divergence on a native engine. Twin: `shaders/negative_chains.wgsl`.

use rayon::prelude::*;

use super::memory::PerThread;
use super::source::{Drawn, Source as _};
use super::weights::{Replicated, Weights};
use super::{Block, Channels, TILE, Tile, draws};
use crate::engine::replay::begin;
use crate::objective::{Contrastive, Replay, SlotOrder};
use crate::points::Points;
use crate::random::Stream;
use crate::real::Real;

/// A chain for each sample of a step.
pub(super) struct NegativeChains<T> {
    cd: Contrastive,
    replay: Option<Replay>,
    /// The replay buffer, `[slots, dim]`.
    slots: Vec<T>,
    /// Where the chains of the last step have ended, `[batch, dim]`.
    ends: Vec<T>,
    memory: PerThread<(Tile<T>, Block<T>)>,
    dim: usize,
}

impl<T: Real> NegativeChains<T> {
    /// Chains that start from the data, or from `kept`.
    pub(super) fn new(
        pool: &rayon::ThreadPool,
        cd: Contrastive,
        replay: Option<(Replay, Points)>,
        batch: usize,
        dim: usize,
    ) -> Self {
        let (replay, kept) = replay.unzip();
        let slots = kept.map_or_else(Vec::new, |kept| kept.values().iter().map(|x| T::of(*x)).collect());
        Self { cd, replay, slots, ends: vec![T::default(); batch * dim], memory: PerThread::new(pool), dim }
    }

    /// Where the chains of the last step have ended, `[batch, dim]`.
    pub(super) fn ends(&self) -> &[T] {
        &self.ends
    }

    /// The replay buffer.
    pub(super) fn kept(&self) -> Option<Points> {
        let values = || self.slots.iter().map(|x| x.f64()).collect();
        self.replay.is_some().then(|| Points::new(self.dim, values()))
    }

    /// Makes the negatives of the step that `source` draws, and writes them back to the slots that they came from.
    pub(super) fn advance(&mut self, weights: &Replicated<T>, source: &Drawn<'_, T>) {
        let (cd, d, slots) = (self.cd, self.dim, &self.slots);
        let replay = self.replay.as_ref();
        let order = replay.map(|replay| SlotOrder::new(source.seed, source.step, replay.slots));
        let tile = |(t, ends): (usize, &mut [T]), (tile, noise): &mut (Tile<T>, Block<T>), weights: &Weights<T>| {
            let (first, samples) = (t * TILE, ends.len() / d);
            tile.shape(&weights.layers, Channels::VALUE, samples);
            noise.shape(d, samples);
            match replay.zip(order) {
                None => source.points(first, samples, &mut tile.forward[0]),
                Some((replay, order)) => {
                    for s in 0..samples {
                        let (sample, slot) = ((first + s) as u32, order.slot(first + s));
                        let mut put = |n: usize, x: T| tile.forward[0].row_mut(n, s..s + 1)[0] = x;
                        if replay.restarts(source.seed, sample, source.step) {
                            begin(&replay.start, source.seed, sample, source.step, put);
                        } else {
                            slots[slot * d..(slot + 1) * d].iter().enumerate().for_each(|(n, x)| put(n, *x));
                        }
                    }
                }
            }
            for k in 0..cd.steps {
                let (index, base) = (first as u32, (k * d.div_ceil(4)) as u32);
                draws::normals(noise, d, 0..samples, source.seed, Stream::Negative, index, source.step, base);
                move_down(weights, cd, tile, noise);
            }
            for (s, row) in ends.chunks_exact_mut(d).enumerate() {
                row.iter_mut().enumerate().for_each(|(n, x)| *x = tile.forward[0].row(n, s..s + 1)[0]);
            }
        };
        let memory = &self.memory;
        self.ends.par_chunks_mut(TILE * d).enumerate().for_each(|part| {
            memory.with(|work| weights.with(|weights| tile(part, work, weights)));
        });
        if let Some(order) = order {
            for (s, end) in self.ends.chunks_exact(d).enumerate() {
                let slot = order.slot(s);
                let place = &mut self.slots[slot * d..(slot + 1) * d];
                // a chain that has left every bound keeps its old place
                if end.iter().all(|x| x.is_finite()) {
                    place.copy_from_slice(end);
                }
            }
        }
    }
}

/// x ← x − η∇E(x) + √(2η) ξ for every chain of a tile.
fn move_down<T: Real>(weights: &Weights<T>, cd: Contrastive, tile: &mut Tile<T>, noise: &Block<T>) {
    weights.score(tile);
    let samples = tile.samples();
    let (step_size, scale) = (T::of(cd.step_size), T::of(cd.noise_scale()));
    for n in 0..noise.rows() {
        let x = tile.forward[0].row_mut(n, 0..samples);
        for ((x, slope), z) in x.iter_mut().zip(tile.adjoint[0].row(n, 0..samples)).zip(noise.row(n, 0..samples)) {
            *x = *x - step_size * *slope + scale * *z;
        }
    }
}
