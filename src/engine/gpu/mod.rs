//! The `gpu` engine: the WGSL kernels, on any Vulkan, Metal or DX12 adapter.
//!
//! A workgroup carries a tile of samples through the whole network, so a training step is three dispatches (loss and
//! gradient; sum and norm; Adam) and a dispatch of chains runs many steps. Data, parameters, optimizer state and chains
//! live on the device; batches and noise are drawn there.

pub mod adapters;
mod chains;
mod device;
pub mod kernel;
pub mod kernels;
mod network;
mod pace;
mod training;

pub use device::{Bound, Buffer, Gpu, GpuOptions};
pub use network::LayerEntry;

use super::{Chains, Engine, Jet, JetGradient, LossGradient, Training, TrainingPlan, TrainingState};
use crate::error::{Error, Result};
use crate::model::{MlpSpec, Model};
use crate::objective::{Dsm, Objective};
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::Langevin;
use kernel::{Kernel, Shape};
use kernels::{
    DsmGradient, DsmParams, Energy, EnergyParams, JetGradientKernel, JetParams, ReduceGradient, ReduceParams, Score,
    ScoreParams,
};
use network::NetworkLayout;

/// Column quads of a tile: 32 samples.
pub const QUADS: u32 = 8;
/// Points evaluated in one submission.
const PIECE: usize = 1 << 16;
/// Bytes of scratch memory, and of gradient slabs, that a kernel may take.
const MEMORY: u64 = 96 << 20;

/// The WGSL kernels on one adapter.
pub struct GpuEngine {
    gpu: Gpu,
}

/// How a network's samples are spread over workgroups.
struct Spread {
    layout: NetworkLayout,
    shape: Shape,
    tiles: u32,
    workgroups: u32,
}

/// The shape of a network's kernels.
pub fn shape_of(spec: &MlpSpec) -> Shape {
    Shape { layers: spec.dims().len() as u32 - 1, activation: spec.activation(), quads: QUADS, jet: Jet::VALUE }
}

impl Spread {
    /// Tiles for `samples` samples, and as many workgroups as there are tiles or as fit the memory.
    fn new(gpu: &Gpu, spec: &MlpSpec, kernel: &Kernel, samples: usize) -> Result<Self> {
        Self::with_shape(gpu, spec, kernel, shape_of(spec), samples)
    }

    fn with_shape(gpu: &Gpu, spec: &MlpSpec, kernel: &Kernel, shape: Shape, samples: usize) -> Result<Self> {
        let layout = NetworkLayout::new(spec, kernel, shape);
        let tiles = samples.div_ceil(4 * QUADS as usize) as u32;
        let memory = MEMORY.min(gpu.largest_binding());
        let each = 16 * u64::from(layout.region.max(layout.packed));
        let fit = memory / each;
        if fit == 0 {
            return Err(Error::input(format!(
                "one tile of a {spec} network takes {each} bytes of device memory, {memory} are there for all"
            ))
            .hint("narrower layers, or --engine cpu"));
        }
        Ok(Self { layout, shape, tiles, workgroups: tiles.min(fit as u32) })
    }

    fn scratch(&self, gpu: &Gpu) -> Result<Buffer<[f32; 4]>> {
        gpu.zeros("scratch", (self.workgroups * self.layout.region) as usize)
    }
}

/// Evaluates points some at a time, so that no submission is long.
fn in_pieces(points: &Points, evaluate: impl Fn(&Points) -> Result<Vec<f64>>) -> Result<Vec<f64>> {
    let mut all = Vec::with_capacity(points.values().len());
    for some in points.values().chunks(PIECE * points.dim()) {
        all.extend(evaluate(&Points::new(points.dim(), some.to_vec()))?);
    }
    Ok(all)
}

fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|v| *v as f32).collect()
}

fn to_f64(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

fn quads(values: &[f32]) -> &[[f32; 4]] {
    bytemuck::cast_slice(values)
}

/// What a DSM dispatch over `count` samples is told; the places of use fill in the rest.
fn dsm_params(spread: &Spread, dsm: &Dsm, batch: usize, dim: usize) -> DsmParams {
    DsmParams {
        batch: batch as u32,
        dim: dim as u32,
        tiles: spread.tiles,
        region: spread.layout.region,
        slab: spread.layout.packed,
        noise: spread.layout.noise,
        sigma: dsm.sigma as f32,
        half_weight: (0.5 * dsm.weight()) as f32,
        pull: (-dsm.weight() * dsm.sigma / batch as f64) as f32,
        ..Default::default()
    }
}

impl GpuEngine {
    /// Opens an adapter: see [`Gpu::open`].
    ///
    /// # Errors
    /// There is no such adapter, or it refuses to open.
    pub fn open(options: &GpuOptions) -> Result<Self> {
        Ok(Self { gpu: Gpu::open(options)? })
    }

    /// E at points of one submission.
    fn energies(&self, model: &Model, points: &Points) -> Result<Vec<f64>> {
        let gpu = &self.gpu;
        let spread = Spread::new(gpu, &model.spec, &Energy::KERNEL, points.count())?;
        let params = gpu.params(1)?;
        let energies = gpu.zeros("energies", points.count())?;
        let bound = Energy {
            params: &params,
            net: &gpu.upload_uniform("net", &spread.layout.table)?,
            points: &gpu.upload("points", &to_f32(points.values()))?,
            weights: &gpu.upload("weights", quads(&spread.layout.pack_with_transposes(&model.parameters)))?,
            scratch: &spread.scratch(gpu)?,
            energies: &energies,
        }
        .bind(gpu, spread.shape)?;
        let (count, dim) = (points.count() as u32, points.dim() as u32);
        gpu.write_params(&params, 0, &[EnergyParams { count, dim, tiles: spread.tiles, region: spread.layout.region }]);
        gpu.run(|pass| bound.dispatch(pass, 0, spread.workgroups));
        Ok(to_f64(&gpu.download(&energies)?))
    }

    /// s at points of one submission, row-major.
    fn scores(&self, model: &Model, points: &Points) -> Result<Vec<f64>> {
        let gpu = &self.gpu;
        let spread = Spread::new(gpu, &model.spec, &Score::KERNEL, points.count())?;
        let params = gpu.params(1)?;
        let scores = gpu.zeros("scores", points.values().len())?;
        let bound = Score {
            params: &params,
            net: &gpu.upload_uniform("net", &spread.layout.table)?,
            points: &gpu.upload("points", &to_f32(points.values()))?,
            weights: &gpu.upload("weights", quads(&spread.layout.pack_with_transposes(&model.parameters)))?,
            scratch: &spread.scratch(gpu)?,
            scores: &scores,
        }
        .bind(gpu, spread.shape)?;
        let (count, dim) = (points.count() as u32, points.dim() as u32);
        gpu.write_params(&params, 0, &[ScoreParams { count, dim, tiles: spread.tiles, region: spread.layout.region }]);
        gpu.run(|pass| bound.dispatch(pass, 0, spread.workgroups));
        Ok(to_f64(&gpu.download(&scores)?))
    }

    /// The sum of the workgroups' slabs, as parameters.
    fn reduced(&self, spread: &Spread, slabs: &Buffer<[f32; 4]>) -> Result<Vec<f64>> {
        let (gpu, size) = (&self.gpu, spread.layout.packed);
        let workgroups = size.div_ceil(kernel::WORKGROUP);
        let params = gpu.params(1)?;
        let gradient = gpu.zeros("gradient", size as usize)?;
        let squares = gpu.zeros("squares", workgroups as usize)?;
        let reduce = ReduceGradient { params: &params, slabs, gradient: &gradient, squares: &squares };
        let reduce = reduce.bind(gpu, spread.shape)?;
        gpu.write_params(&params, 0, &[ReduceParams { size, slab_count: spread.workgroups, ..Default::default() }]);
        gpu.run(|pass| reduce.dispatch(pass, 0, workgroups));
        Ok(spread.layout.unpack(bytemuck::cast_slice(&gpu.download(&gradient)?)))
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
        in_pieces(points, |some| self.energies(model, some))
    }

    fn score(&self, model: &Model, points: &Points) -> Result<Points> {
        let scores = in_pieces(points, |some| self.scores(model, some))?;
        Ok(Points::new(points.dim(), scores))
    }

    fn loss_gradient(
        &self,
        model: &Model,
        objective: &Objective,
        points: &Points,
        noise: &Points,
    ) -> Result<LossGradient> {
        let Objective::Dsm(dsm) = objective;
        let gpu = &self.gpu;
        let spread = Spread::new(gpu, &model.spec, &DsmGradient::KERNEL, points.count())?;
        let packed = spread.layout.packed as usize;
        let params = gpu.params(1)?;
        let losses = gpu.zeros("losses", points.count())?;
        let slabs = gpu.zeros("slabs", spread.workgroups as usize * packed)?;
        let bound = DsmGradient {
            params: &params,
            net: &gpu.upload_uniform("net", &spread.layout.table)?,
            data: &gpu.upload("data", &to_f32(points.values()))?,
            given_noise: &gpu.upload("noise", &to_f32(noise.values()))?,
            weights: &gpu.upload("weights", quads(&spread.layout.pack_with_transposes(&model.parameters)))?,
            scratch: &spread.scratch(gpu)?,
            slabs: &slabs,
            losses: &losses,
        }
        .bind(gpu, spread.shape)?;
        let given = DsmParams { given: 1, ..dsm_params(&spread, dsm, points.count(), points.dim()) };
        gpu.write_params(&params, 0, &[given]);
        gpu.run(|pass| bound.dispatch(pass, 0, spread.workgroups));
        let gradient = self.reduced(&spread, &slabs)?;
        Ok(LossGradient { losses: to_f64(&gpu.download(&losses)?), gradient })
    }

    fn jet_gradient(
        &self,
        model: &Model,
        jet: Jet,
        points: &Points,
        tangents: &Points,
        weights: &[f64],
    ) -> Result<JetGradient> {
        let gpu = &self.gpu;
        let shape = Shape { jet, ..shape_of(&model.spec) };
        let spread = Spread::with_shape(gpu, &model.spec, &JetGradientKernel::KERNEL, shape, points.count())?;
        let packed = spread.layout.packed as usize;
        let params = gpu.params(1)?;
        let values = gpu.zeros("values", weights.len())?;
        let slabs = gpu.zeros("slabs", spread.workgroups as usize * packed)?;
        let bound = JetGradientKernel {
            params: &params,
            net: &gpu.upload_uniform("net", &spread.layout.table)?,
            points: &gpu.upload("points", &to_f32(points.values()))?,
            tangents: &gpu.upload("tangents", &to_f32(if jet.tangents > 0 { tangents.values() } else { &[0.0] }))?,
            value_weights: &gpu.upload("value weights", &to_f32(weights))?,
            weights: &gpu.upload("weights", quads(&spread.layout.pack_with_transposes(&model.parameters)))?,
            scratch: &spread.scratch(gpu)?,
            slabs: &slabs,
            values: &values,
        }
        .bind(gpu, spread.shape)?;
        let (count, dim) = (points.count() as u32, points.dim() as u32);
        let (tiles, region, slab) = (spread.tiles, spread.layout.region, spread.layout.packed);
        gpu.write_params(&params, 0, &[JetParams { count, dim, tiles, region, slab, ..Default::default() }]);
        gpu.run(|pass| bound.dispatch(pass, 0, spread.workgroups));
        let gradient = self.reduced(&spread, &slabs)?;
        Ok(JetGradient { values: to_f64(&gpu.download(&values)?), gradient })
    }

    fn train<'a>(
        &'a self,
        model: &Model,
        plan: &TrainingPlan,
        data: &Points,
        state: TrainingState,
    ) -> Result<Box<dyn Training + 'a>> {
        Ok(Box::new(training::GpuTraining::new(&self.gpu, &model.spec, plan, data, &state)?))
    }

    fn chains<'a>(
        &'a self,
        model: &Model,
        sampler: &Langevin,
        start: &Points,
        seed: Seed,
    ) -> Result<Box<dyn Chains + 'a>> {
        Ok(Box::new(chains::GpuChains::new(&self.gpu, model, sampler, start, seed)?))
    }
}
