//! The native engines: one generic code, in f32 on all cores (`cpu`) and in f64 (`reference`).
//!
//! Work is cut into tiles of a fixed number of samples and tiles into at most 16 groups, whatever the number of
//! threads; a group is one task, and what groups add up is summed in their order. So a result does not depend on how
//! many threads there are.

mod awake;
mod basis;
mod block;
mod chains;
mod contrast;
mod difference;
mod draws;
mod gradient;
mod hamiltonian;
mod kept;
mod landscape;
mod matching;
mod memory;
mod negatives;
mod peak;
mod product;
mod source;
mod tile;
mod training;
mod vector;
mod weights;

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

use super::{
    Chains, Engine, Given, Landscape, LossGradient, Peak, Training, TrainingPlan, TrainingState, check_chains,
    check_target, level_free, needs_energy,
};
use crate::error::{Error, Result};
use crate::model::{Head, Model};
use crate::objective::{Objective, Program};
use crate::points::Points;
use crate::random::Seed;
use crate::real::Real;
use crate::sampler::Transition;
use crate::sampler::diagnostics::{Diagnostics, diagnose};
use crate::target::Target;
use awake::Threads;
use block::Block;
use gradient::Batch;
use source::FromGiven;
use tile::{Channels, Tile};
use weights::{Replicated, Weights};

/// Samples of a tile when gradients are computed.
const TILE: usize = 64;
/// Samples of a tile when points are evaluated or chains advance.
const WIDE_TILE: usize = 128;
/// The most groups that a batch is cut into.
const GROUPS: usize = 16;
/// Parameters that one task updates: enough to be worth it, few enough that those of a small network go to two threads.
const PART: usize = 1024;

/// A native engine over the float type `T`.
pub struct Native<T> {
    threads: Threads,
    real: PhantomData<T>,
}

/// f32 on all cores.
pub type Cpu = Native<f32>;
/// f64, the reference of every other engine.
pub type Reference = Native<f64>;

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
        let threads =
            Threads::start(threads).map_err(|e| Error::failed(format!("cannot start {threads} threads: {e}")))?;
        Ok(Self { threads, real: PhantomData })
    }

    /// Runs `work` on each tile of points, with the tile's input set to them; collects what it returns, in order.
    fn map_tiles<R: Send>(
        &self,
        weights: &Weights<T>,
        points: &Points,
        work: impl Fn(&mut Tile<T>) -> Vec<R> + Sync,
    ) -> Vec<R> {
        let count = points.count();
        self.threads.install(|| {
            (0..count.div_ceil(WIDE_TILE))
                .into_par_iter()
                .map_init(Tile::default, |tile, t| {
                    let first = t * WIDE_TILE;
                    let samples = WIDE_TILE.min(count - first);
                    tile.shape(&weights.layers, Channels::VALUE, samples);
                    load(&mut tile.forward[0], 0..samples, points, first, 1);
                    work(tile)
                })
                .flatten_iter()
                .collect()
        })
    }
}

/// Sets columns of a block to points: column `s` of them gets row `first + s · stride`.
fn load<T: Real>(block: &mut Block<T>, columns: Range<usize>, points: &Points, first: usize, stride: usize) {
    for n in 0..points.dim() {
        for (s, x) in block.row_mut(n, columns.clone()).iter_mut().enumerate() {
            *x = T::of(points.row(first + s * stride)[n]);
        }
    }
}

impl<T: Real + peak::Burn> Engine for Native<T> {
    fn name(&self) -> &'static str {
        if size_of::<T>() == 4 { "cpu" } else { "reference" }
    }

    fn adapter(&self) -> String {
        let bits = 8 * size_of::<T>();
        format!("native f{bits} code on {} threads", self.threads.current_num_threads())
    }

    /// The vectors of the processor, and not its threads.
    fn arithmetic(&self) -> String {
        format!("native f{} code in vectors of {} bits", 8 * size_of::<T>(), vector::bits())
    }

    fn energy(&self, model: &Model, points: &Points) -> Result<Vec<f64>> {
        needs_energy(model)?;
        let weights = Weights::<T>::new(level_free(model)?);
        let last = weights.layers.len() - 1;
        Ok(self.map_tiles(&weights, points, |tile| {
            tile.forward_values(weights.network(), 0..1, 0);
            tile.pre[last].row(0, 0..tile.samples()).iter().map(|e| e.f64()).collect()
        }))
    }

    fn score(&self, model: &Model, points: &Points) -> Result<Points> {
        let weights = Weights::<T>::new(level_free(model)?);
        let d = points.dim();
        let values = self.map_tiles(&weights, points, |tile| {
            weights.score(tile);
            let (scores, sign) = match weights.spec.head() {
                Head::Energy => (&tile.adjoint[0], -1.0),
                Head::Score => (&tile.pre[weights.layers.len() - 1], 1.0),
            };
            (0..tile.samples()).flat_map(|s| (0..d).map(move |n| sign * scores.row(n, s..s + 1)[0].f64())).collect()
        });
        Ok(Points::new(d, values))
    }

    fn target_energy(&self, target: &Target, points: &Points) -> Result<(Vec<f64>, Points)> {
        check_target(target, points)?;
        let d = target.dim();
        let each = |i: usize| {
            let x: Vec<T> = points.row(i).iter().map(|x| T::of(*x)).collect();
            let mut gradient = vec![T::default(); d];
            let energy = target.energy(&x, &mut gradient).f64();
            (energy, gradient.into_iter().map(Real::f64).collect::<Vec<f64>>())
        };
        let (energies, gradients): (Vec<f64>, Vec<Vec<f64>>) =
            self.threads.install(|| (0..points.count()).into_par_iter().map(each).unzip());
        Ok((energies, Points::new(d, gradients.concat())))
    }

    fn loss_gradient(&self, model: &Model, objective: &Objective, given: &Given<'_>) -> Result<LossGradient> {
        given.check(objective, &model.spec)?;
        let weights = Replicated::<T>::new(&self.threads, &model.spec, &model.parameters);
        let mut batch = Batch::new(&self.threads, &weights, objective, given.points.count());
        let denoising = match objective.program(model.spec.head()) {
            Program::Matching(terms) => terms.denoising,
            Program::Difference(_) | Program::Contrast(_) => None,
        };
        let source = FromGiven { given: *given, denoising, conditioning: model.spec.conditioning() };
        self.threads.install(|| batch.compute(&weights, objective, &source));
        let gradient = batch.gradient().iter().map(|g| g.f64()).collect();
        let losses = batch.losses().map(Real::f64).collect();
        Ok(LossGradient { losses, gradient, multiply_adds: Some(batch.work()) })
    }

    fn train<'a>(
        &'a self,
        model: &Model,
        plan: &TrainingPlan,
        data: &Points,
        state: TrainingState,
    ) -> Result<Box<dyn Training + 'a>> {
        plan.check(&model.spec)?;
        Ok(Box::new(training::NativeTraining::<T>::new(&self.threads, model, plan, data, state)?))
    }

    fn chains<'a>(
        &'a self,
        landscape: Landscape<'_>,
        transition: &Transition,
        start: &Points,
        seed: Seed,
    ) -> Result<Box<dyn Chains + 'a>> {
        check_chains(landscape, transition, start)?;
        Ok(Box::new(chains::NativeChains::<T>::new(&self.threads, landscape, transition, start, seed)?))
    }

    fn diagnose(&self, draws: &[f64], shape: [usize; 3]) -> Result<Diagnostics> {
        self.threads.install(|| diagnose(draws, shape))
    }

    fn peak(&self) -> Result<Peak> {
        peak::measure::<T>(&self.threads)
    }
}
