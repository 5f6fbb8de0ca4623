//! Moments over all chains, of which only sums leave the device.

use crate::engine::Part;
use crate::engine::gpu::device::{Buffer, Gpu};
use crate::engine::gpu::kernel::{Shape, WORKGROUP};
use crate::engine::gpu::kernels::{ChainMoments, MomentParams};
use crate::engine::gpu::pipeline::Bound;
use crate::error::Result;

/// The most workgroups: what the host merges.
const MOST_PARTS: u32 = 256;

pub(super) struct MomentPass {
    bound: Bound,
    parts: Buffer<[f32; 4]>,
    workgroups: u32,
}

impl MomentPass {
    /// Binds the kernel to `count` chains of `replicas` columns each; without states they accept everything.
    pub(super) fn new(
        gpu: &Gpu,
        shape: Shape,
        chains: &Buffer<f32>,
        states: Option<&Buffer<[f32; 4]>>,
        [count, replicas, dim]: [usize; 3],
    ) -> Result<Self> {
        let workgroups = (count as u32).div_ceil(WORKGROUP).min(MOST_PARTS);
        let accepting = u32::from(states.is_some());
        let parts = gpu.zeros("parts", workgroups as usize * (dim + accepting as usize))?;
        let params = gpu.params(1)?;
        let nothing = gpu.zeros("states", 1)?;
        let states = states.unwrap_or(&nothing);
        let bound = ChainMoments { params: &params, chains, states, parts: &parts }.bind(gpu, shape)?;
        let arguments = MomentParams { count: count as u32, replicas: replicas as u32, dim: dim as u32, accepting };
        gpu.write_params(&params, 0, &[arguments]);
        Ok(Self { bound, parts, workgroups })
    }

    /// A part of each coordinate's moments now, and of the sums of acceptance probabilities; waits for the device.
    pub(super) fn take(&self, gpu: &Gpu) -> Result<Vec<Part>> {
        gpu.run(|pass| self.bound.dispatch(pass, 0, self.workgroups));
        let parts = gpu.download(&self.parts)?;
        let width = parts.len() / self.workgroups as usize;
        let of = |n: usize| {
            let mine = parts.iter().skip(n).step_by(width).map(|part| part.map(f64::from));
            mine.map(|[count, mean, squares, broken]| Part { count, mean, squares, broken })
                .fold(Part::default(), Part::merge)
        };
        Ok((0..width).map(of).collect())
    }
}
