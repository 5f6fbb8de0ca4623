//! How a network's samples are spread over workgroups, and how numbers go to the device and back.

use super::device::{Buffer, Gpu};
use super::kernel::{Kernel, Shape, WORKGROUP};
use super::network::NetworkLayout;
use super::tiles::Tiles;
use crate::engine::Landscape;
use crate::error::{Error, Result};
use crate::model::{Activation, Head, MlpSpec};
use crate::target::Formula;

/// Column quads of a tile on a software driver: 32 samples.
const QUADS: u32 = 8;
/// Those of the smallest tile, and of the largest of a batch.
const BATCH_QUADS: [u32; 2] = [2, 8];
/// The most column quads of a tile of chains.
const CHAIN_QUADS: u32 = 16;
/// Tiles of a batch that keep a GPU busy: with more, a tile may be larger.
const BUSY: u32 = 64;
/// Bytes of scratch memory, and of gradient slabs, that a kernel takes if more than one workgroup needs them.
const MEMORY: u64 = 96 << 20;

/// How a network's samples are spread over workgroups.
pub(super) struct Spread {
    pub(super) layout: NetworkLayout,
    pub(super) shape: Shape,
    pub(super) tiles: Tiles,
}

/// The shape of a network's kernel for so many samples.
///
/// Points and chains go in tiles with as many invocations as there are blocks of 4 neurons and 8 columns in the widest layer (by
/// powers of two), so that most sums are in one part; fewer than 64 are no faster. On a GPU tiles are as large as that lets them
/// be. How many points there are changes nothing, so that neither do sums. A batch is other: a GPU works on few tiles at a time,
/// and small ones, of which as many invocations as there may be share the sums, end sooner. A software driver runs invocations one
/// after another and pays for every barrier.
pub fn shape_of(kernel: &Kernel, spec: &MlpSpec, samples: usize, software: bool) -> Shape {
    let lanes = lanes_of(spec);
    let [quads, workgroup] = if kernel.passes.of_a_batch() && !software {
        [batch_quads(samples), WORKGROUP]
    } else {
        let quads = if software { QUADS } else { (2 * WORKGROUP / lanes).clamp(QUADS, CHAIN_QUADS) };
        [quads, (lanes * (quads / 2)).clamp(64, WORKGROUP)]
    };
    Shape {
        layers: spec.dims().len() as u32 - 1,
        activation: spec.activation(),
        quads,
        workgroup,
        field: spec.head() == Head::Score,
        tangents: true,
        target: None,
    }
}

/// Column quads of a batch's tiles on a GPU.
fn batch_quads(batch: usize) -> u32 {
    let [least, most] = BATCH_QUADS;
    let busy = u32::try_from(batch / 4).unwrap_or(u32::MAX) / BUSY;
    1 << busy.clamp(least, most).ilog2()
}

/// The smallest batch of at least `few` samples that goes through the very kernels that `batch` does.
pub fn batch_like(batch: usize, few: usize) -> usize {
    let quads = batch_quads(batch);
    let least = if quads == BATCH_QUADS[0] { 0 } else { 4 * BUSY * quads };
    few.max(least as usize).min(batch)
}

/// Neuron quads of the widest layer, by powers of two.
fn lanes_of(spec: &MlpSpec) -> u32 {
    let widest = spec.dims().iter().copied().max().unwrap_or(1) as u32;
    widest.div_ceil(4).next_power_of_two()
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
        Self::with_shape(gpu, spec, kernel, shape_of(kernel, spec, samples, gpu.is_shaped_for_software()), samples)
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
        let most = gpu.room();
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
    use super::super::kernel::TILES;
    use super::super::kernels::{Contrast, DifferenceMatching, LangevinChains, NegativeChains, ScoreMatching};
    use super::*;

    fn tile(kernel: &Kernel, dims: &str, samples: usize, software: bool) -> [u32; 2] {
        let spec = MlpSpec::parse(dims, Activation::Silu).expect("widths");
        let shape = shape_of(kernel, &spec, samples, software);
        let tile = [shape.quads, shape.workgroup];
        assert!(TILES.contains(&tile), "{} of {dims} x {samples}: {tile:?}", kernel.name);
        tile
    }

    #[test]
    fn tiles_have_as_many_invocations_as_the_widest_layer_takes() {
        let sizes = [
            ("2-1-1", [8, 64], [16, 64]),
            ("2-64-64-1", [8, 64], [16, 128]),
            ("2-65-7-1", [8, 128], [16, 256]),
            ("2-128-1", [8, 128], [16, 256]),
            ("784-8-1", [8, 256], [8, 256]),
        ];
        for (dims, software, hardware) in sizes {
            // however many there are
            for chains in [1, 1 << 20] {
                let both = [true, false].map(|software| tile(&LangevinChains::KERNEL, dims, chains, software));
                assert_eq!(both, [software, hardware], "{dims}");
            }
        }
    }

    #[test]
    fn small_batches_have_small_tiles_on_a_gpu() {
        let batches = [(1, 2), (256, 2), (1023, 2), (1024, 4), (2047, 4), (2048, 8), (1 << 40, 8)];
        for (batch, hardware) in batches {
            for kernel in [NegativeChains::KERNEL, ScoreMatching::KERNEL, Contrast::KERNEL, DifferenceMatching::KERNEL]
            {
                let both = [true, false].map(|software| tile(&kernel, "2-64-64-1", batch, software));
                assert_eq!(both, [[QUADS, 64], [hardware, WORKGROUP]], "{} of {batch}", kernel.name);
                let like = batch_like(batch, 96);
                assert!(like <= batch && like <= 2048, "{like} for {batch}");
                assert_eq!(tile(&kernel, "2-64-64-1", like, false), both[1], "{} of {like} for {batch}", kernel.name);
            }
        }
    }
}
