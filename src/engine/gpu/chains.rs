//! Langevin chains on the device: many steps a dispatch, two submissions in flight.

use std::collections::VecDeque;
use std::time::Instant;

use super::device::{Buffer, Gpu};
use super::kernels::{LangevinChains, LangevinParams};
use super::network::NetworkLayout;
use super::pace::Pace;
use super::pipeline::Bound;
use super::spread::{Spread, quads, to_f32, to_f64};
use crate::engine::Chains;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::Langevin;

/// The most steps of one dispatch.
const MOST_STEPS: u64 = 1 << 16;
/// Submissions in flight, each with its own slot of parameters.
const IN_FLIGHT: usize = 2;

pub(super) struct GpuChains<'a> {
    gpu: &'a Gpu,
    bound: Bound,
    params: Buffer<LangevinParams>,
    chains: Buffer<f32>,
    weights: Buffer<[f32; 4]>,
    layout: NetworkLayout,
    fixed: LangevinParams,
    workgroups: u32,
    dim: usize,
    pace: Pace,
    step: u64,
    turn: usize,
    in_flight: VecDeque<(wgpu::SubmissionIndex, u64, Instant)>,
}

impl<'a> GpuChains<'a> {
    pub(super) fn new(gpu: &'a Gpu, model: &Model, sampler: &Langevin, start: &Points, seed: Seed) -> Result<Self> {
        let spread = Spread::new(gpu, &model.spec, &LangevinChains::KERNEL, start.count())?;
        let params = gpu.params(IN_FLIGHT)?;
        let chains = gpu.upload("chains", &to_f32(start.values()))?;
        let packed = spread.layout.pack_with_transposes(&model.parameters);
        let weights = gpu.upload("weights", quads(&packed))?;
        let bound = LangevinChains {
            params: &params,
            net: &gpu.upload_uniform("net", &spread.layout.table)?,
            weights: &weights,
            scratch: &spread.scratch(gpu)?,
            chains: &chains,
        }
        .bind(gpu, spread.shape)?;
        let [key_low, key_high] = seed.key();
        let fixed = LangevinParams {
            key_low,
            key_high,
            count: start.count() as u32,
            dim: start.dim() as u32,
            tiles: spread.tiles,
            region: spread.layout.region,
            step_size: sampler.step_size as f32,
            noise_scale: sampler.noise_scale() as f32,
            ..Default::default()
        };
        let pace = gpu.pace(MOST_STEPS);
        let (workgroups, dim) = (spread.workgroups, start.dim());
        let in_flight = VecDeque::new();
        let layout = spread.layout;
        Ok(Self {
            gpu,
            bound,
            params,
            chains,
            weights,
            layout,
            fixed,
            workgroups,
            dim,
            pace,
            step: 0,
            turn: 0,
            in_flight,
        })
    }

    fn collect(&mut self) -> Result<()> {
        if let Some((index, steps, start)) = self.in_flight.pop_front() {
            self.gpu.wait(&index)?;
            self.pace.ended(steps, start);
        }
        Ok(())
    }
}

impl Chains for GpuChains<'_> {
    fn advance(&mut self, steps: u64) -> Result<u64> {
        if self.in_flight.len() == IN_FLIGHT {
            self.collect()?;
        }
        let steps = self.pace.size().min(steps);
        let first_step = u32::try_from(self.step + steps).map(|last| last - steps as u32).map_err(|_| {
            Error::input(format!("chains of {} steps are too long, the most is 2^32", self.step + steps))
        })?;
        let params = LangevinParams { first_step, steps: steps as u32, ..self.fixed };
        let turn = self.turn;
        self.gpu.write_params(&self.params, turn, &[params]);
        let start = Instant::now();
        let index = self.gpu.run(|pass| self.bound.dispatch(pass, turn, self.workgroups));
        self.in_flight.push_back((index, steps, start));
        self.turn = (turn + 1) % IN_FLIGHT;
        self.step += steps;
        Ok(steps)
    }

    fn change(&mut self, model: &Model, sampler: &Langevin) -> Result<()> {
        // ordered behind what is in flight
        self.gpu.overwrite(&self.weights, quads(&self.layout.pack_with_transposes(&model.parameters)));
        self.fixed.step_size = sampler.step_size as f32;
        self.fixed.noise_scale = sampler.noise_scale() as f32;
        Ok(())
    }

    fn positions(&mut self) -> Result<Points> {
        while !self.in_flight.is_empty() {
            self.collect()?;
        }
        Ok(Points::new(self.dim, to_f64(&self.gpu.download(&self.chains)?)))
    }
}
