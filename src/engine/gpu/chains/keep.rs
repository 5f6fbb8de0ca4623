//! Draws of the first chains, kept on the device until they are diagnosed there.

use super::Ground;
use crate::engine::gpu::device::{Buffer, Gpu};
use crate::engine::gpu::diagnose::{diagnose, fits};
use crate::engine::gpu::kernel::WORKGROUP;
use crate::engine::gpu::kernels::{Energy, EnergyParams, RecordDraws, RecordParams, TargetEnergy, TargetParams};
use crate::engine::gpu::pipeline::Bound;
use crate::engine::gpu::spread::{Spread, to_f64};
use crate::engine::{Room, Worth, another_number, another_state};
use crate::error::Result;
use crate::model::MlpSpec;
use crate::sampler::diagnostics::Diagnostics;

pub(super) struct Keeper {
    room: Room,
    /// Draws so far.
    count: usize,
    /// `[width][chains][draws]`, E in front of the coordinates.
    kept: Buffer<f32>,
    bound: Bound,
    params: Buffer<RecordParams>,
    fixed: RecordParams,
    /// What finds E where chains do not have it, and its workgroups.
    energy: Option<(Bound, u32)>,
    has_energy: bool,
}

impl Keeper {
    /// Makes room for draws of the first chains, which have `dim` coordinates and `replicas` columns.
    pub(super) fn new(
        gpu: &Gpu,
        ground: &Ground,
        chains: &Buffer<f32>,
        states: Option<&Buffer<[f32; 4]>>,
        [dim, replicas]: [usize; 2],
        room: Room,
    ) -> Result<Self> {
        let kept = gpu.zeros("kept draws", room.width * room.chains * room.draws)?;
        fits(gpu, room)?;
        let own = gpu.zeros("energies", room.chains)?;
        // of the two vec4 of a column, E is the first number
        let [stride, offset] = if states.is_some() { [8 * replicas, 8 * (replicas - 1)] } else { [1, 0] };
        let energy = match (states, &ground.spec) {
            (None, Some(spec)) if ground.has_energy() => Some(of_network(gpu, ground, spec, chains, &own)?),
            (None, None) => Some(of_target(gpu, ground, dim, chains, &own)?),
            _ => None,
        };
        let params = gpu.params(1)?;
        let energies = states.map_or(own, Buffer::scalars);
        let bound = RecordDraws { params: &params, chains, energies: &energies, kept: &kept };
        let bound = bound.bind(gpu, ground.shape)?;
        let fixed = RecordParams {
            count: room.chains as u32,
            replicas: replicas as u32,
            dim: dim as u32,
            width: room.width as u32,
            draws: room.draws as u32,
            draw: 0,
            energy_stride: stride as u32,
            energy_offset: offset as u32,
        };
        Ok(Self { room, count: 0, kept, bound, params, fixed, energy, has_energy: ground.has_energy() })
    }

    /// Keeps a draw, behind everything that has been submitted; nothing waits.
    pub(super) fn keep(&mut self, gpu: &Gpu) -> Result<()> {
        if self.count == self.room.draws {
            return Err(another_number());
        }
        gpu.write_params(&self.params, 0, &[RecordParams { draw: self.count as u32, ..self.fixed }]);
        self.count += 1;
        let numbers = self.fixed.width * self.fixed.count;
        gpu.run(|pass| {
            if let Some((energy, workgroups)) = &self.energy {
                energy.dispatch(pass, 0, *workgroups);
            }
            self.bound.dispatch(pass, 0, numbers.div_ceil(WORKGROUP).min(gpu.most_workgroups()));
        });
        Ok(())
    }

    /// The number of draws so far and their numbers, as [`ChainState`](crate::engine::ChainState) has them.
    pub(super) fn save(&self, gpu: &Gpu) -> Result<(usize, Vec<f64>)> {
        let Room { draws, chains, width } = self.room;
        let series = to_f64(&gpu.download(&self.kept)?);
        let of_draw = |t: usize| (0..chains).flat_map(move |c| (0..width).map(move |n| (n * chains + c) * draws + t));
        Ok((self.count, (0..self.count).flat_map(of_draw).map(|at| series[at]).collect()))
    }

    /// Takes up what was saved with the same room.
    pub(super) fn restore(&mut self, gpu: &Gpu, count: usize, numbers: &[f64]) -> Result<()> {
        let Room { draws, chains, width } = self.room;
        if count > draws || numbers.len() != count * chains * width {
            return Err(another_state());
        }
        let mut series = vec![0.0f32; width * chains * draws];
        for (i, number) in numbers.iter().enumerate() {
            let (t, c, n) = (i / (chains * width), i / width % chains, i % width);
            series[(n * chains + c) * draws + t] = *number as f32;
        }
        gpu.overwrite(&self.kept, &series);
        self.count = count;
        Ok(())
    }

    pub(super) fn worth(&self, gpu: &Gpu) -> Result<Worth> {
        let Room { draws, chains, .. } = self.room;
        if self.count != draws {
            return Err(another_number());
        }
        let coordinates = diagnose(gpu, &self.kept, self.room)?;
        let energies = if self.has_energy { gpu.download_first(&self.kept, chains * draws)? } else { Vec::new() };
        let mean =
            |i: usize| energies.iter().skip(i).step_by(draws).map(|e| f64::from(*e)).sum::<f64>() / chains as f64;
        let over_time = (0..draws.min(energies.len())).map(mean).collect();
        Ok(Worth::new(Diagnostics { draws, chains, coordinates }, over_time))
    }
}

/// E of the first chains on a network, whose columns are the chains.
fn of_network(
    gpu: &Gpu,
    ground: &Ground,
    spec: &MlpSpec,
    chains: &Buffer<f32>,
    energies: &Buffer<f32>,
) -> Result<(Bound, u32)> {
    let spread = Spread::new(gpu, spec, &Energy::KERNEL, energies.len())?;
    let params = gpu.params(1)?;
    let bound = Energy {
        params: &params,
        net: &gpu.upload_uniform("net", &spread.layout.table)?,
        points: chains,
        weights: &ground.weights,
        scratch: &spread.scratch(gpu)?,
        energies,
    }
    .bind(gpu, spread.shape)?;
    let (count, dim) = (energies.len() as u32, spec.dim() as u32);
    gpu.write_params(
        &params,
        0,
        &[EnergyParams { count, dim, tiles: spread.tiles.count, region: spread.layout.region }],
    );
    Ok((bound, spread.tiles.workgroups))
}

/// The same on a target.
fn of_target(
    gpu: &Gpu,
    ground: &Ground,
    dim: usize,
    chains: &Buffer<f32>,
    energies: &Buffer<f32>,
) -> Result<(Bound, u32)> {
    let params = gpu.params(1)?;
    let gradients = gpu.zeros("gradients", energies.len() * dim)?;
    let constants = ground.weights.scalars();
    let bound =
        TargetEnergy { params: &params, points: chains, constants: &constants, energies, gradients: &gradients }
            .bind(gpu, ground.shape)?;
    let count = energies.len() as u32;
    gpu.write_params(&params, 0, &[TargetParams { count, dim: dim as u32, ..Default::default() }]);
    Ok((bound, count.div_ceil(4 * WORKGROUP)))
}
