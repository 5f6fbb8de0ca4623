//! The native engines: one generic code, in f32 on all cores (`cpu`) and in f64 (`reference`).
//!
//! Work is cut into tiles of a fixed number of samples and tiles into at most 16 groups, whatever the number of
//! threads; a group is one task, and what groups add up is summed in their order. So a result does not depend on how
//! many threads there are.

mod block;
mod chains;
mod draws;
mod gradient;
mod tile;
mod training;

use std::marker::PhantomData;

use rayon::prelude::*;

use super::{Chains, Engine, Jet, JetGradient, LossGradient, Training, TrainingPlan, TrainingState};
use crate::error::{Error, Result};
use crate::model::{Layer, MlpSpec, Model};
use crate::objective::Objective;
use crate::points::Points;
use crate::random::Seed;
use crate::real::Real;
use crate::sampler::Langevin;
use block::Block;
use gradient::Batch;
use tile::{Network, Tile, vectorized};

/// Samples of a tile when gradients are computed.
const TILE: usize = 64;
/// Samples of a tile when points are evaluated or chains advance.
const WIDE_TILE: usize = 128;
/// The most groups that a batch is cut into.
const GROUPS: usize = 16;

/// A native engine over the float type `T`.
pub struct Native<T> {
    pool: rayon::ThreadPool,
    real: PhantomData<T>,
}

/// f32 on all cores.
pub type Cpu = Native<f32>;
/// f64, the reference of every other engine.
pub type Reference = Native<f64>;

/// A network's layers and parameters in the engine's own float type.
#[derive(Debug, Clone)]
struct Weights<T> {
    spec: MlpSpec,
    layers: Vec<Layer>,
    parameters: Vec<T>,
}

impl<T: Real> Weights<T> {
    fn new(model: &Model) -> Self {
        let parameters = model.parameters.iter().map(|p| T::of(*p)).collect();
        Self { spec: model.spec.clone(), layers: model.spec.layers(), parameters }
    }

    fn network(&self) -> Network<'_, T> {
        Network { layers: &self.layers, activation: self.spec.activation(), parameters: &self.parameters }
    }
}

impl<T: Real> Native<T> {
    /// An engine on all cores (or on `RAYON_NUM_THREADS` of them).
    ///
    /// # Errors
    /// The threads cannot be started.
    pub fn new() -> Result<Self> {
        Self::with_threads(0)
    }

    /// An engine on this many threads; 0 for all cores.
    ///
    /// # Errors
    /// The threads cannot be started.
    pub fn with_threads(threads: usize) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|e| Error::failed(format!("cannot start {threads} threads: {e}")))?;
        Ok(Self { pool, real: PhantomData })
    }

    /// Runs `work` on each tile of points, with the tile's input set to them; collects what it returns, in order.
    fn map_tiles<R: Send>(
        &self,
        model: &Model,
        points: &Points,
        work: impl Fn(Network<'_, T>, &mut Tile<T>) -> Vec<R> + Sync,
    ) -> Vec<R> {
        let weights = Weights::<T>::new(model);
        let d = points.dim();
        self.pool.install(|| {
            points
                .values()
                .par_chunks(WIDE_TILE * d)
                .map_init(Tile::default, |tile, rows| {
                    tile.shape(&weights.layers, Jet::VALUE, rows.len() / d);
                    load(&mut tile.forward[0], rows, d);
                    work(weights.network(), tile)
                })
                .flatten_iter()
                .collect()
        })
    }
}

/// Sets a block's first columns to points: row-major `[samples, dim]` becomes `[dim, samples]`.
fn load<T: Real>(block: &mut Block<T>, rows: &[f64], dim: usize) {
    let samples = rows.len() / dim;
    for n in 0..dim {
        for (x, row) in block.row_mut(n, 0..samples).iter_mut().zip(rows.chunks_exact(dim)) {
            *x = T::of(row[n]);
        }
    }
}

/// One pass forward and one back: leaves ∇E in the tile's input adjoint.
fn gradient_by_input<T: Real>(net: Network<'_, T>, tile: &mut Tile<T>, order: usize, channel: usize) {
    let columns = tile.columns(channel..channel + 1);
    tile.forward(net, 0..1, order);
    let last = net.layers.len() - 1;
    tile.outgoing[last].row_mut(0, columns).fill(T::of(1.0));
    tile.reverse(net, channel..channel + 1, true);
}

impl<T: Real> Engine for Native<T> {
    fn name(&self) -> &'static str {
        if size_of::<T>() == 4 { "cpu" } else { "reference" }
    }

    fn adapter(&self) -> String {
        let bits = 8 * size_of::<T>();
        format!("native f{bits} code on {} threads", self.pool.current_num_threads())
    }

    fn energy(&self, model: &Model, points: &Points) -> Result<Vec<f64>> {
        Ok(self.map_tiles(model, points, |net, tile| {
            tile.forward(net, 0..1, 0);
            let columns = tile.columns(0..1);
            tile.pre[net.layers.len() - 1].row(0, columns).iter().map(|e| e.f64()).collect()
        }))
    }

    fn score(&self, model: &Model, points: &Points) -> Result<Points> {
        let d = points.dim();
        let values = self.map_tiles(model, points, |net, tile| {
            gradient_by_input(net, tile, 1, 0);
            let columns = tile.columns(0..1);
            let gradient = &tile.adjoint[0];
            columns.flat_map(|s| (0..d).map(move |n| -gradient.row(n, s..s + 1)[0].f64())).collect()
        });
        Ok(Points::new(d, values))
    }

    fn loss_gradient(
        &self,
        model: &Model,
        objective: &Objective,
        points: &Points,
        noise: &Points,
    ) -> Result<LossGradient> {
        let weights = Weights::<T>::new(model);
        let mut batch = Batch::new(&weights, points.count());
        self.pool.install(|| {
            batch.compute(weights.network(), objective, &|tile, first, count, z: &mut Block<T>| {
                let rows = first * points.dim()..(first + count) * points.dim();
                load(&mut tile.forward[0], &points.values()[rows.clone()], points.dim());
                load(z, &noise.values()[rows], points.dim());
            });
        });
        let gradient = batch.gradient().iter().map(|g| g.f64()).collect();
        Ok(LossGradient { losses: batch.losses().map(Real::f64).collect(), gradient })
    }

    fn jet_gradient(
        &self,
        model: &Model,
        jet: Jet,
        points: &Points,
        tangents: &Points,
        weights: &[f64],
    ) -> Result<JetGradient> {
        let net = Weights::<T>::new(model);
        let (count, d, channels) = (points.count(), points.dim(), jet.channels());
        let mut tile = Tile::default();
        tile.shape(&net.layers, jet, count);
        let input = &mut tile.forward[0];
        for n in 0..d {
            input.row_mut(n, 0..count * channels).fill(T::default());
            for s in 0..count {
                input.row_mut(n, s..s + 1)[0] = T::of(points.row(s)[n]);
                for k in 0..jet.tangents {
                    let at = (k + 1) * count + s;
                    input.row_mut(n, at..at + 1)[0] = T::of(tangents.row(s * jet.tangents + k)[n]);
                }
            }
        }
        tile.forward(net.network(), 0..channels, 3);
        let last = net.layers.len() - 1;
        let mut values = vec![0.0; count * channels];
        for s in 0..count {
            for c in 0..channels {
                let at = c * count + s;
                values[s * channels + c] = tile.pre[last].row(0, at..at + 1)[0].f64();
                tile.outgoing[last].row_mut(0, at..at + 1)[0] = T::of(weights[s * channels + c]);
            }
        }
        tile.reverse(net.network(), 0..channels, false);
        let mut gradient = vec![T::default(); net.parameters.len()];
        tile.add_gradient(net.network(), &mut gradient);
        Ok(JetGradient { values, gradient: gradient.into_iter().map(Real::f64).collect() })
    }

    fn train<'a>(
        &'a self,
        model: &Model,
        plan: &TrainingPlan,
        data: &Points,
        state: TrainingState,
    ) -> Result<Box<dyn Training + 'a>> {
        Ok(Box::new(training::NativeTraining::<T>::new(&self.pool, model, plan, data, state)))
    }

    fn chains<'a>(
        &'a self,
        model: &Model,
        sampler: &Langevin,
        start: &Points,
        seed: Seed,
    ) -> Result<Box<dyn Chains + 'a>> {
        Ok(Box::new(chains::NativeChains::<T>::new(&self.pool, model, *sampler, start, seed)))
    }
}
