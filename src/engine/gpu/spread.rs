//! How a network's samples are spread over workgroups, and how numbers go to the device and back.

use super::device::{Buffer, Gpu};
use super::kernel::{Kernel, Shape, WORKGROUP};
use super::network::NetworkLayout;
use super::tiles::Tiles;
use crate::engine::Landscape;
use crate::error::{Error, Result};
use crate::model::{Activation, Head, MlpSpec};
use crate::target::Formula;

/// Column quads of a tile: 32 samples.
pub const QUADS: u32 = 8;
/// Bytes of scratch memory, and of gradient slabs, that a kernel takes if more than one workgroup needs them.
const MEMORY: u64 = 96 << 20;

/// How a network's samples are spread over workgroups.
pub(super) struct Spread {
    pub(super) layout: NetworkLayout,
    pub(super) shape: Shape,
    pub(super) tiles: Tiles,
}

/// The shape of a network's kernels. A GPU has as many invocations as it may for each tile: they share sums, which ends sooner.
/// A software driver runs them one after another and pays for every barrier: there are as many as the widest layer has blocks
/// of 4 neurons and 8 columns (by powers of two), so that most sums are in one part. Fewer than 64 are no faster.
pub fn shape_of(spec: &MlpSpec, software: bool) -> Shape {
    let widest = spec.dims().iter().copied().max().unwrap_or(1) as u32;
    let enough = widest.div_ceil(4).next_power_of_two() * (QUADS / 2);
    Shape {
        layers: spec.dims().len() as u32 - 1,
        activation: spec.activation(),
        quads: QUADS,
        workgroup: if software { enough.clamp(64, WORKGROUP) } else { WORKGROUP },
        field: spec.head() == Head::Score,
        tangents: true,
        target: None,
    }
}

/// Column quads of a tile of chains on an analytic target, where one lane in four has work for it: 256 chains.
const TARGET_QUADS: u32 = 64;

/// The shape of a target's kernels.
pub fn shape_of_target(formula: Formula) -> Shape {
    Shape {
        layers: 1,
        activation: Activation::Silu,
        quads: TARGET_QUADS,
        workgroup: WORKGROUP,
        field: false,
        tangents: false,
        target: Some(formula),
    }
}

impl Spread {
    /// Tiles for `samples` samples, and as many workgroups as there are tiles or as fit the memory.
    pub(super) fn new(gpu: &Gpu, spec: &MlpSpec, kernel: &Kernel, samples: usize) -> Result<Self> {
        Self::with_shape(gpu, spec, kernel, shape_of(spec, gpu.summary().software), samples)
    }

    pub(super) fn with_shape(gpu: &Gpu, spec: &MlpSpec, kernel: &Kernel, shape: Shape, samples: usize) -> Result<Self> {
        let layout = NetworkLayout::new(spec, kernel, shape);
        Self::of_layout(gpu, layout, shape, samples, &spec.to_string())
    }

    /// Chains on a landscape.
    pub(super) fn of_chains(gpu: &Gpu, landscape: Landscape<'_>, kernel: &Kernel, chains: usize) -> Result<Self> {
        match landscape {
            Landscape::Network(model) => Self::new(gpu, &model.spec, kernel, chains),
            Landscape::Target(target) => {
                let shape = shape_of_target(target.formula());
                let layout = NetworkLayout::of_target(target.dim(), target.constants().len(), kernel, shape);
                Self::of_layout(gpu, layout, shape, chains, target.name())
            }
        }
    }

    fn of_layout(gpu: &Gpu, layout: NetworkLayout, shape: Shape, samples: usize, what: &str) -> Result<Self> {
        let count = samples.div_ceil(4 * shape.quads as usize) as u32;
        let most = gpu.largest_binding();
        let each = 16 * u64::from(layout.region.max(layout.total));
        let fit = (MEMORY.min(most) / each).clamp(1, gpu.most_workgroups().into()) as u32;
        if each > most {
            return Err(Error::input(format!(
                "one tile of {what} takes {each} bytes of device memory, this adapter binds at most {most}"
            ))
            .hint("narrower layers, or --engine cpu"));
        }
        let workgroups = count.min(fit);
        // more tiles than workgroups would be one round after another
        let tiles = Tiles { count, workgroups, portion: gpu.portion().min(workgroups).max(1) };
        Ok(Self { layout, shape, tiles })
    }

    pub(super) fn scratch(&self, gpu: &Gpu) -> Result<Buffer<[f32; 4]>> {
        gpu.zeros("scratch", (self.tiles.workgroups * self.layout.region) as usize)
    }
}

pub(super) fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|v| *v as f32).collect()
}

pub(super) fn to_f64(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

pub(super) fn quads(values: &[f32]) -> &[[f32; 4]] {
    bytemuck::cast_slice(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_has_no_more_invocations_than_the_widest_layer_takes() {
        let workgroup =
            |dims, software| shape_of(&MlpSpec::parse(dims, Activation::Silu).expect("widths"), software).workgroup;
        let sizes = [("2-5-1", 64), ("2-64-64-1", 64), ("2-65-7-1", 128), ("2-128-1", 128), ("784-8-1", 256)];
        for (dims, enough) in sizes {
            assert_eq!((workgroup(dims, true), workgroup(dims, false)), (enough, WORKGROUP), "{dims}");
        }
    }
}
