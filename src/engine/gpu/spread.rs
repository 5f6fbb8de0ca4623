//! How a network's samples are spread over workgroups, and how numbers go to the device and back.

use super::device::{Buffer, Gpu};
use super::kernel::{Kernel, Passes, Platform, Shape, WORKGROUP};
use super::kernels::LangevinChains;
use super::network::NetworkLayout;
use super::tiles::Tiles;
use crate::engine::Landscape;
use crate::error::{Error, Result};
use crate::model::{Activation, Head, MlpSpec};
use crate::target::Formula;

/// Column quads of a tile on a software driver: 32 samples.
pub const QUADS_OF_SOFTWARE: u32 = 8;
/// Those of a GPU's tiles of points at least.
const LEAST_QUADS: u32 = 8;
/// Column quads of a GPU's tiles.
struct Sizes {
    /// Tiles that keep it busy: with more, they may be larger.
    busy: u32,
    least: u32,
    most: u32,
}
const OF_A_BATCH: Sizes = Sizes { busy: 64, least: 2, most: 8 };
const OF_CHAINS: Sizes = Sizes { busy: 256, least: 4, most: 16 };
/// Workgroups that keep a GPU busy with the tangents of a batch.
const SPLIT_BUSY: u32 = 128;
/// The fewest invocations of a tile's workgroup.
const LEAST_WORKGROUP: u32 = 64;
/// Bytes of scratch memory, and of gradient slabs, that a kernel takes if more than one workgroup needs them.
const MEMORY: u64 = 96 << 20;

/// How a network's samples are spread over workgroups.
pub(super) struct Spread {
    pub(super) layout: NetworkLayout,
    pub(super) shape: Shape,
    pub(super) tiles: Tiles,
}

impl Sizes {
    /// As many as leave enough tiles of so many samples.
    fn quads(&self, samples: usize) -> u32 {
        let fit = u32::try_from(samples / 4).unwrap_or(u32::MAX) / self.busy;
        1 << fit.clamp(self.least, self.most).ilog2()
    }

    /// The fewest samples, `few` at least, whose tiles are as large as those of `samples`.
    fn like(&self, samples: usize, few: usize) -> usize {
        let quads = self.quads(samples);
        let fewest = if quads == self.least { 0 } else { 4 * self.busy * quads };
        few.max(fewest as usize).min(samples)
    }
}

/// The smallest batch of at least `few` samples that goes through the very kernels that `batch` does.
pub fn batch_like(batch: usize, few: usize) -> usize {
    OF_A_BATCH.like(batch, few)
}

/// The fewest chains, `few` at least, that go through the very kernel that so many do.
pub(super) fn chains_like(landscape: Landscape<'_>, chains: usize, few: usize, platform: Platform) -> usize {
    let kernel = &LangevinChains::KERNEL;
    match landscape {
        Landscape::Network(model)
            if shape_of(kernel, &model.spec, few, platform) != shape_of(kernel, &model.spec, chains, platform) =>
        {
            OF_CHAINS.like(chains, few)
        }
        _ => few.min(chains),
    }
}

/// Among how many workgroups the tangents of each of so many tiles are split, on a GPU of its own.
pub fn splits_of(tiles: u32, tangents: u32) -> u32 {
    (SPLIT_BUSY / tiles.max(1)).min(tangents).max(1)
}

/// The shape of a network's kernel for so many samples.
///
/// Points and chains go in tiles with as many invocations as there are blocks of 4 neurons and 8 columns in the widest layer (by
/// powers of two), so that most sums are in one part; fewer than 64 are no faster. On a GPU tiles are as large as that lets them
/// be, but for chains that would be too few: theirs are smaller, with fewer invocations in proportion, which share sums as those
/// of a large tile do, unless weights that do not stay near a unit would go to more of them. How many points there are changes no
/// sum. A batch is other: a GPU works on few tiles at a time, and small ones, of which as many invocations as there may be share
/// the sums, end sooner. A software driver runs invocations one after another and pays for every barrier.
pub fn shape_of(kernel: &Kernel, spec: &MlpSpec, samples: usize, platform: Platform) -> Shape {
    let (lanes, software) = (lanes_of(spec), platform.is_software());
    let [quads, workgroup] = if kernel.passes.of_a_batch() && !software {
        [OF_A_BATCH.quads(samples), WORKGROUP]
    } else {
        let of_gpu = (2 * WORKGROUP / lanes).clamp(LEAST_QUADS, OF_CHAINS.most);
        let quads = if software { QUADS_OF_SOFTWARE } else { of_gpu };
        let workgroup = (lanes * (quads / 2)).clamp(LEAST_WORKGROUP, WORKGROUP);
        let is_cut = matches!(kernel.passes, Passes::Chains(_)) && quads == OF_CHAINS.most;
        let cut = if is_cut { (quads / OF_CHAINS.quads(samples)).min(workgroup / LEAST_WORKGROUP) } else { 1 };
        [quads / cut, workgroup / cut]
    };
    Shape {
        layers: spec.dims().len() as u32 - 1,
        activation: spec.activation(),
        quads,
        workgroup,
        field: spec.head() == Head::Score,
        tangents: true,
        target: None,
        subgroups: platform == Platform::SoftwareSubgroups,
    }
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
        subgroups: false,
    }
}

impl Spread {
    /// Tiles for `samples` samples, and as many workgroups as there are tiles or as fit the memory.
    pub(super) fn new(gpu: &Gpu, spec: &MlpSpec, kernel: &Kernel, samples: usize) -> Result<Self> {
        Self::with_shape(gpu, spec, kernel, shape_of(kernel, spec, samples, gpu.platform()), samples)
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
        let (each, most) = (bytes_of_tile(&layout), gpu.room());
        if each > most {
            return Err(Error::input(format!(
                "one tile of {what} takes {each} bytes of device memory, this adapter binds at most {most}"
            ))
            .hint("narrower layers, or --engine cpu"));
        }
        let count = samples.div_ceil(4 * shape.quads as usize) as u32;
        let tiles = Tiles::new(gpu, count, workgroups_that_fit(gpu, &layout));
        Ok(Self { layout, shape, tiles })
    }

    /// Has the tangents of a tile split among workgroups, where a GPU has more of these than there are tiles, and returns among
    /// how many: each of them then counts as a tile.
    pub(super) fn split(&mut self, gpu: &Gpu, tangents: u32) -> u32 {
        let (tiles, fit) = (self.tiles.count, workgroups_that_fit(gpu, &self.layout));
        let splits = splits_of(tiles, tangents).min(fit / tiles.max(1));
        if gpu.platform() != Platform::Gpu || splits < 2 {
            return 1;
        }
        // each has its scratch and its slab, from one dispatch to the next
        self.tiles = Tiles::new(gpu, tiles * splits, fit);
        splits
    }

    pub(super) fn scratch(&self, gpu: &Gpu) -> Result<Buffer<[f32; 4]>> {
        gpu.zeros("scratch", (self.tiles.workgroups * self.layout.region) as usize)
    }
}

/// Bytes that a workgroup needs of a buffer: of scratch, or of slabs.
fn bytes_of_tile(layout: &NetworkLayout) -> u64 {
    16 * u64::from(layout.region.max(layout.total))
}

fn workgroups_that_fit(gpu: &Gpu, layout: &NetworkLayout) -> u32 {
    (MEMORY.min(gpu.room()) / bytes_of_tile(layout)).clamp(1, gpu.most_workgroups().into()) as u32
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
    use super::super::kernels::{Contrast, DifferenceMatching, NegativeChains, Score, ScoreMatching};
    use super::*;
    use crate::random::Seed;

    fn tile(kernel: &Kernel, dims: &str, samples: usize, software: bool) -> [u32; 2] {
        let spec = MlpSpec::parse(dims, Activation::Silu).expect("widths");
        let shape = shape_of(kernel, &spec, samples, if software { Platform::Software } else { Platform::Gpu });
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
            let both = [true, false].map(|software| tile(&LangevinChains::KERNEL, dims, 1 << 20, software));
            assert_eq!(both, [software, hardware], "{dims}");
            // however many there are
            for points in [1, 1 << 20] {
                let both = [true, false].map(|software| tile(&Score::KERNEL, dims, points, software));
                assert_eq!(both, [software, hardware], "{points} points of {dims}");
            }
        }
    }

    #[test]
    fn few_chains_have_small_tiles_on_a_gpu_with_the_same_sums() {
        let tiles =
            |dims| [1, 8191, 8192, 16_383, 16_384].map(|chains| tile(&LangevinChains::KERNEL, dims, chains, false));
        assert_eq!(tiles("2-128-1"), [[4, 64], [4, 64], [8, 128], [8, 128], [16, 256]]);
        assert_eq!(tiles("2-64-64-1"), [[8, 64], [8, 64], [8, 64], [8, 64], [16, 128]]);
        assert_eq!(tiles("2-32-1"), [[16, 64]; 5]);
        assert_eq!(tiles("2-256-1"), [[8, 256]; 5]);
        let like = |dims, chains, platform| {
            let model = MlpSpec::parse(dims, Activation::Silu).expect("widths").initial(Seed(1));
            chains_like((&model).into(), chains, 96, platform)
        };
        for (chains, fewest) in [(50, 50), (8191, 96), (10_000, 8192), (16_384, 16_384), (1 << 20, 16_384)] {
            assert_eq!(like("2-128-1", chains, Platform::Gpu), fewest, "{chains}");
            let of = |chains| tile(&LangevinChains::KERNEL, "2-128-1", chains, false);
            assert_eq!(of(fewest), of(chains));
        }
        // where tiles are of one size
        assert_eq!(like("2-256-1", 1 << 20, Platform::Gpu), 96);
        assert_eq!(like("2-128-1", 1 << 20, Platform::Software), 96);
    }

    #[test]
    fn few_tiles_have_their_tangents_split() {
        let splits = [(1, 2), (16, 32), (19, 9), (32, 2), (64, 8), (65, 8), (128, 8), (0, 8)];
        let of = splits.map(|(tiles, tangents)| splits_of(tiles, tangents));
        assert_eq!(of, [2, 8, 6, 2, 2, 1, 1, 8]);
    }

    #[test]
    fn small_batches_have_small_tiles_on_a_gpu() {
        let batches = [(1, 2), (256, 2), (1023, 2), (1024, 4), (2047, 4), (2048, 8), (1 << 40, 8)];
        for (batch, hardware) in batches {
            for kernel in [NegativeChains::KERNEL, ScoreMatching::KERNEL, Contrast::KERNEL, DifferenceMatching::KERNEL]
            {
                let both = [true, false].map(|software| tile(&kernel, "2-64-64-1", batch, software));
                assert_eq!(both, [[QUADS_OF_SOFTWARE, 64], [hardware, WORKGROUP]], "{} of {batch}", kernel.name);
                let like = batch_like(batch, 96);
                assert!(like <= batch && like <= 2048, "{like} for {batch}");
                assert_eq!(tile(&kernel, "2-64-64-1", like, false), both[1], "{} of {like} for {batch}", kernel.name);
            }
        }
    }
}
