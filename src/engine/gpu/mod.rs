//! The `gpu` engine: the WGSL kernels, on any Vulkan, Metal or DX12 adapter.
//!
//! A workgroup carries a tile of samples through the whole network, so a training step is three dispatches (loss and
//! gradient; sum and norm; Adam), four where chains make negatives, the basis of explicit score matching changes or the tangents
//! of a tile are split among workgroups, and a dispatch of chains runs many steps. Data,
//! parameters, optimizer state and chains live on the device; batches and noise are drawn there. Of data that are more than
//! a binding holds, the rows of batches are sent ahead of them (`rows`).

pub mod adapters;
mod buffers;
mod chains;
mod clock;
mod contrast;
mod count;
mod device;
mod diagnose;
mod evaluate;
mod gradient;
pub mod kernel;
pub mod kernels;
mod loss;
mod network;
mod pace;
mod patience;
mod peak;
mod pipeline;
mod rows;
mod spread;
mod tiles;
mod training;

pub use buffers::Buffer;
pub use count::Counts;
pub use device::{Gpu, GpuOptions};
pub use network::LayerEntry;
pub use patience::{has_given_up, is_contained};
pub use pipeline::Bound;
pub use spread::{QUADS_OF_SOFTWARE, batch_like, shape_of, shape_of_target, splits_of};

use super::{
    Chains, Engine, Given, Landscape, LossGradient, Peak, Training, TrainingPlan, TrainingState, check_chains,
    check_target, level_free, needs_energy,
};
use crate::error::Result;
use crate::model::Model;
use crate::objective::Objective;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::Transition;
use crate::sampler::diagnostics::Diagnostics;
use crate::target::Target;

/// The WGSL kernels on one adapter.
pub struct GpuEngine {
    gpu: Gpu,
}

impl GpuEngine {
    /// Opens an adapter: see [`Gpu::open`].
    ///
    /// # Errors
    /// There is no such adapter, or it refuses to open.
    pub fn open(options: &GpuOptions) -> Result<Self> {
        Ok(Self { gpu: Gpu::open(options)? })
    }

    /// The device.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }
}

impl Engine for GpuEngine {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn adapter(&self) -> String {
        let a = self.gpu.summary();
        format!("{} ({}, {})", a.name, a.backend, a.driver)
    }

    fn energy(&self, model: &Model, points: &Points) -> Result<Vec<f64>> {
        needs_energy(model)?;
        let model = level_free(model)?;
        evaluate::in_pieces(&self.gpu, points, |some| evaluate::energies(&self.gpu, model, some))
    }

    fn score(&self, model: &Model, points: &Points) -> Result<Points> {
        let model = level_free(model)?;
        let scores = evaluate::in_pieces(&self.gpu, points, |some| evaluate::scores(&self.gpu, model, some))?;
        Ok(Points::new(points.dim(), scores))
    }

    fn target_energy(&self, target: &Target, points: &Points) -> Result<(Vec<f64>, Points)> {
        check_target(target, points)?;
        evaluate::target_energies(&self.gpu, target, points)
    }

    fn loss_gradient(&self, model: &Model, objective: &Objective, given: &Given<'_>) -> Result<LossGradient> {
        given.check(objective, &model.spec)?;
        gradient::loss_gradient(&self.gpu, model, objective, given)
    }

    fn train<'a>(
        &'a self,
        model: &Model,
        plan: &TrainingPlan,
        data: &Points,
        state: TrainingState,
    ) -> Result<Box<dyn Training + 'a>> {
        plan.check(&model.spec)?;
        Ok(Box::new(training::GpuTraining::new(&self.gpu, &model.spec, plan, data, &state)?))
    }

    fn chains<'a>(
        &'a self,
        landscape: Landscape<'_>,
        transition: &Transition,
        start: &Points,
        seed: Seed,
    ) -> Result<Box<dyn Chains + 'a>> {
        check_chains(landscape, transition, start)?;
        chains::chains(&self.gpu, landscape, transition, start, seed)
    }

    fn chains_like(&self, landscape: Landscape<'_>, chains: usize, few: usize) -> usize {
        spread::chains_like(landscape, chains, few, self.gpu.platform())
    }

    fn diagnose(&self, draws: &[f64], shape: [usize; 3]) -> Result<Diagnostics> {
        diagnose::given(&self.gpu, draws, shape)
    }

    fn peak(&self) -> Result<Peak> {
        peak::measure(&self.gpu)
    }

    fn device_seconds(&self) -> Result<Option<f64>> {
        self.gpu.device_seconds()
    }
}
