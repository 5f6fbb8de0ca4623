//! Unadjusted chains: one dispatch a submission.

use super::{Ground, IN_FLIGHT, MOST_PIECES, spec_of, walls};
use crate::engine::Landscape;
use crate::engine::gpu::device::{Buffer, Gpu};
use crate::engine::gpu::kernels::{LangevinChains, LangevinParams};
use crate::engine::gpu::pipeline::Bound;
use crate::engine::gpu::spread::{Spread, quads};
use crate::engine::gpu::tiles::{Run, Tiles};
use crate::error::Result;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::Langevin;

pub(super) struct LangevinMoves {
    bound: Bound,
    params: Buffer<LangevinParams>,
    fixed: LangevinParams,
    pub(super) tiles: Tiles,
}

impl LangevinMoves {
    pub(super) fn new(
        gpu: &Gpu,
        landscape: Landscape<'_>,
        langevin: &Langevin,
        start: &Points,
        seed: Seed,
        first_column: u32,
        chains: &Buffer<f32>,
    ) -> Result<(Self, Ground)> {
        let spread = Spread::of_chains(gpu, landscape, &LangevinChains::KERNEL, start.count())?;
        let params = gpu.params(IN_FLIGHT * MOST_PIECES)?;
        let packed = spread.layout.pack_landscape(landscape);
        let weights = gpu.upload("weights", quads(&packed))?;
        let bound = LangevinChains {
            params: &params,
            net: &gpu.upload_uniform("net", &spread.layout.table)?,
            weights: &weights,
            scratch: &spread.scratch(gpu)?,
            chains,
        }
        .bind(gpu, spread.shape)?;
        let [key_low, key_high] = seed.key();
        let fixed = LangevinParams {
            key_low,
            key_high,
            count: start.count() as u32,
            first_column,
            dim: start.dim() as u32,
            groups: spread.tiles.workgroups,
            region: spread.layout.region,
            ..Default::default()
        };
        let mut moves = Self { bound, params, fixed, tiles: spread.tiles };
        moves.change(langevin);
        Ok((moves, Ground { weights, layout: spread.layout, shape: spread.shape, spec: spec_of(landscape) }))
    }

    pub(super) fn change(&mut self, langevin: &Langevin) {
        let (wall, low, high) = walls(langevin.bounds);
        let (step_size, noise_scale) = (langevin.step_size as f32, langevin.noise_scale() as f32);
        self.fixed = LangevinParams { step_size, noise_scale, wall, low, high, ..self.fixed };
    }

    /// Submits `steps` steps of the chains of some tiles.
    pub(super) fn submit(&self, gpu: &Gpu, slot: usize, first: u64, steps: u64, run: Run) -> wgpu::SubmissionIndex {
        let (first_step, steps) = (first as u32, steps as u32);
        let params = LangevinParams { first_step, steps, first_tile: run.first, end_tile: run.end, ..self.fixed };
        gpu.write_params(&self.params, slot, &[params]);
        gpu.run(|pass| self.bound.dispatch(pass, slot, run.workgroups))
    }
}
