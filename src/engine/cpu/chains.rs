//! Langevin chains on a native engine. Twin: `shaders/langevin_chains.wgsl`.

use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::{Block, Channels, Tile, WIDE_TILE, Weights, draws};
use crate::engine::Chains;
use crate::error::Result;
use crate::model::{Head, Model};
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::real::Real;
use crate::sampler::Langevin;

/// How long one call of `advance` works.
const CALL: Duration = Duration::from_millis(60);
/// Tiles are filled up to a multiple of this: products of fewer columns add in another order, and a chain must not depend
/// on how many others there are.
const COLUMNS: usize = 16;

pub(super) struct NativeChains<'a, T> {
    pool: &'a rayon::ThreadPool,
    weights: Weights<T>,
    sampler: Langevin,
    seed: Seed,
    /// Chains, filled up with copies of the last: those of a tile after one another, each tile `[dim, chains of the tile]`.
    positions: Vec<T>,
    count: usize,
    step: u64,
    /// How many steps `advance` does between looks at the clock.
    stride: u64,
}

impl<'a, T: Real> NativeChains<'a, T> {
    pub(super) fn new(
        pool: &'a rayon::ThreadPool,
        model: &Model,
        sampler: Langevin,
        start: &Points,
        seed: Seed,
    ) -> Self {
        let d = start.dim();
        let count = start.count();
        let last = start.values()[(count - 1) * d..].iter().copied();
        let fill = count.next_multiple_of(COLUMNS) - count;
        let all: Vec<f64> = start.values().iter().copied().chain(last.cycle().take(fill * d)).collect();
        let mut positions = Vec::with_capacity(all.len());
        for tile in all.chunks(WIDE_TILE * d) {
            positions.extend((0..d).flat_map(|n| tile.chunks_exact(d).map(move |row| T::of(row[n]))));
        }
        Self { pool, weights: Weights::new(model), sampler, seed, positions, count, step: 0, stride: 1 }
    }

    fn run(&mut self, steps: u64) {
        let (d, sampler, seed, first) = (self.weights.spec.dim(), self.sampler, self.seed, self.step);
        let weights = &self.weights;
        self.positions.par_chunks_mut(WIDE_TILE * d).enumerate().for_each_init(
            || (Tile::default(), Block::default()),
            |(tile, noise), (t, x)| {
                let samples = x.len() / d;
                tile.shape(&weights.layers, Channels::VALUE, samples);
                noise.shape(d, samples);
                for n in 0..d {
                    tile.forward[0].row_mut(n, 0..samples).copy_from_slice(&x[n * samples..(n + 1) * samples]);
                }
                for step in first..first + steps {
                    let index = (t * WIDE_TILE) as u32;
                    draws::normals(noise, d, 0..samples, seed, Stream::Chain, index, step as u32, 0);
                    langevin_step(weights, sampler, tile, noise);
                }
                for n in 0..d {
                    x[n * samples..(n + 1) * samples].copy_from_slice(tile.forward[0].row(n, 0..samples));
                }
            },
        );
        self.step += steps;
    }
}

/// x ← x + η s(x) + √(2 η T) ξ for every chain of a tile.
fn langevin_step<T: Real>(weights: &Weights<T>, sampler: Langevin, tile: &mut Tile<T>, noise: &Block<T>) {
    weights.score(tile);
    let samples = tile.samples();
    let (scores, sign) = match weights.spec.head() {
        Head::Energy => (&tile.adjoint[0], -1.0),
        Head::Score => (&tile.pre[weights.layers.len() - 1], 1.0),
    };
    let (step_size, scale) = (T::of(sign * sampler.step_size), T::of(sampler.noise_scale()));
    for n in 0..noise.rows() {
        let x = tile.forward[0].row_mut(n, 0..samples);
        for ((x, s), z) in x.iter_mut().zip(scores.row(n, 0..samples)).zip(noise.row(n, 0..samples)) {
            *x = *x + step_size * *s + scale * *z;
        }
    }
}

impl<T: Real> Chains for NativeChains<'_, T> {
    fn advance(&mut self, steps: u64) -> Result<u64> {
        let pool = self.pool;
        pool.install(|| {
            let start = Instant::now();
            let mut done = 0;
            while done < steps && start.elapsed() < CALL {
                let some = self.stride.min(steps - done);
                let before = Instant::now();
                self.run(some);
                done += some;
                if before.elapsed() < CALL / 4 {
                    self.stride *= 2;
                }
            }
            Ok(done)
        })
    }

    fn change(&mut self, model: &Model, sampler: &Langevin) -> Result<()> {
        self.weights = Weights::new(model);
        self.sampler = *sampler;
        Ok(())
    }

    fn positions(&mut self) -> Result<Points> {
        let d = self.weights.spec.dim();
        let mut values = Vec::with_capacity(self.positions.len());
        for tile in self.positions.chunks(WIDE_TILE * d) {
            let samples = tile.len() / d;
            values.extend((0..samples).flat_map(|s| (0..d).map(move |n| tile[n * samples + s].f64())));
        }
        values.truncate(self.count * d);
        Ok(Points::new(d, values))
    }
}
