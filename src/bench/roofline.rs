//! What a training step has to do and to move, kernel by kernel, and how long that should take on a GPU of which the data sheet
//! is known.
//!
//! Of each kernel are counted its floating-point operations in products, what its workgroups read from and write to buffers
//! (each once: what a subgroup reads again comes from a cache), and what goes through workgroup memory. A kernel takes as long
//! as the slowest of the three (Williams, Waterman and Patterson 2009, doi:10.1145/1498765.1498785), with as many compute units
//! at work as there are workgroups. What a dispatch costs to start is not in it, nor what a large cache keeps of the buffers.

use crate::engine::gpu::kernel::{Platform, Shape};
use crate::engine::gpu::kernels::ScoreMatching;
use crate::engine::gpu::{shape_of, splits_of};
use crate::model::{Head, MlpSpec};
use crate::objective::{Objective, Program, Proposal};

/// A GPU by its data sheet.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// A part of the adapter's name.
    pub name: &'static str,
    /// Single-precision operations a second, two to a multiply-add.
    pub flops: f64,
    /// Bytes a second from memory.
    pub memory: f64,
    /// Bytes a second from workgroup memory, of all units together.
    pub shared: f64,
    /// Compute units, or streaming multiprocessors.
    pub units: u32,
    /// Where these numbers are from.
    pub source: &'static str,
}

/// The GPUs that are known.
pub const CARDS: &[Card] = &[
    Card {
        name: "RX 7900 XTX",
        flops: 61.4e12,
        memory: 960e9,
        shared: 96.0 * 128.0 * 2.5e9,
        units: 96,
        source: "AMD's product page, where 61.4 TFLOP/s count two instructions a clock; 128 bytes a clock and unit (RDNA architecture white paper) at 2.5 GHz",
    },
    Card {
        name: "RX 6900 XT",
        flops: 23.04e12,
        memory: 512e9,
        shared: 80.0 * 128.0 * 2.25e9,
        units: 80,
        source: "AMD's product page; 128 bytes a clock and unit (RDNA architecture white paper) at 2.25 GHz",
    },
    Card {
        name: "RTX 4090",
        flops: 82.6e12,
        memory: 1008e9,
        shared: 128.0 * 128.0 * 2.52e9,
        units: 128,
        source: "NVIDIA's Ada architecture white paper, appendix A; 32 banks of 4 bytes a clock at 2.52 GHz",
    },
    Card {
        name: "NVIDIA H200",
        flops: 67e12,
        memory: 4800e9,
        shared: 132.0 * 128.0 * 1.98e9,
        units: 132,
        source: "NVIDIA's H200 data sheet (SXM); 32 banks of 4 bytes a clock at 1.98 GHz, the clock that it reports",
    },
];

impl Card {
    /// The card that an adapter's name names.
    pub fn of(adapter: &str) -> Option<&'static Self> {
        // what follows the name makes another card of it: Laptop GPU, D, XTX
        let is_it = |card: &&Self| {
            let rest = adapter.split_once(card.name).map(|(_, rest)| rest.trim_start());
            rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        CARDS.iter().find(is_it)
    }

    /// The seconds that a kernel should take.
    pub fn seconds(&self, work: &KernelWork) -> f64 {
        // each unit has its own arithmetic and workgroup memory; a few can draw all that memory gives
        let busy = (work.workgroups / f64::from(self.units)).min(1.0);
        let inside = (work.flops / self.flops).max(work.shared / self.shared);
        (inside / busy).max(work.memory / self.memory)
    }
}

/// What a kernel does in one training step.
#[derive(Debug, Clone, Copy)]
pub struct KernelWork {
    /// Its name.
    pub kernel: &'static str,
    /// Floating-point operations in products with weights.
    pub flops: f64,
    /// Bytes read from and written to buffers.
    pub memory: f64,
    /// Bytes read from and written to workgroup memory.
    pub shared: f64,
    /// Workgroups of its dispatch.
    pub workgroups: f64,
}

/// The kernels of a training step in their order.
pub fn step_work(spec: &MlpSpec, objective: &Objective, batch: usize) -> Vec<KernelWork> {
    let shape = shape_of(&ScoreMatching::KERNEL, spec, batch, Platform::Gpu);
    let tiles = batch.div_ceil(4 * shape.quads as usize) as f64;
    let weights: f64 = spec.layers().iter().map(|layer| layer.weight.len() as f64).sum();
    let chain_passes = match objective.program(spec.head()) {
        Program::Contrast(contrast) => match contrast.proposal {
            Proposal::Chains(cd, _) => Some((2 * cd.steps) as f64),
            _ => None,
        },
        _ => None,
    };
    let columns = objective.least_columns(spec) as f64 - chain_passes.unwrap_or(0.0);
    let kernel = match objective.program(spec.head()) {
        Program::Difference(_) => "difference_matching",
        Program::Contrast(_) => "contrast",
        Program::Matching(_) => "score_matching",
    };
    let mut all = Vec::new();
    if let Some(passes) = chain_passes {
        let flops = 2.0 * passes * weights * batch as f64;
        let [memory, shared] = sums(spec, |inputs, outputs| pass(shape, inputs, outputs).map(|b| passes * tiles * b));
        all.push(KernelWork { kernel: "negative_chains", flops, memory, shared, workgroups: tiles });
    }
    // of three columns, two are passes and one is a product of columns with columns; each workgroup of a tile whose tangents are
    // split has the passes of the value to itself
    let splits = match objective.program(spec.head()) {
        Program::Matching(terms) if !terms.basis_changes(spec.layers()[0].input, spec.layers()[0].output) => {
            let tangents = terms.tangent_count(spec.dim(), spec.layers()[0].output);
            f64::from(splits_of(tiles as u32, tangents as u32))
        }
        _ => 1.0,
    };
    let passes_of_value = if spec.head() == Head::Energy { 2.0 } else { 1.0 };
    let (passes, products) = (2.0 * columns / 3.0 + (splits - 1.0) * passes_of_value, columns / 3.0);
    let [memory, shared] = sums(spec, |inputs, outputs| {
        let ([a, b], [c, d]) = (pass(shape, inputs, outputs), product(shape, inputs, outputs));
        [tiles * (passes * a + products * c), tiles * (passes * b + products * d)]
    });
    let least = objective.least_multiply_adds(spec) as f64 - chain_passes.unwrap_or(0.0) * weights;
    all.push(KernelWork { kernel, flops: 2.0 * least * batch as f64, memory, shared, workgroups: tiles * splits });
    let slabs = tiles * splits;
    let parameters = spec.parameter_count() as f64;
    let updates = (parameters / 1024.0).ceil();
    let reduce = 4.0 * parameters * (slabs + 1.0);
    all.push(KernelWork {
        kernel: "reduce_gradient",
        flops: slabs * parameters,
        memory: reduce,
        shared: 0.0,
        workgroups: updates,
    });
    // reads the gradient, the parameter and three moments; writes the parameter twice and the moments
    let adam = 40.0 * parameters;
    all.push(KernelWork {
        kernel: "adam_step",
        flops: 15.0 * parameters,
        memory: adam,
        shared: 0.0,
        workgroups: updates,
    });
    all
}

/// The seconds that a step should take on a card.
pub fn expected_seconds(card: &Card, work: &[KernelWork]) -> f64 {
    work.iter().map(|kernel| card.seconds(kernel)).sum()
}

/// The sums over layers of `[memory, shared]` of (inputs, outputs).
fn sums(spec: &MlpSpec, of: impl Fn(f64, f64) -> [f64; 2]) -> [f64; 2] {
    let each = spec.layers().into_iter().map(|layer| of(layer.input as f64, layer.output as f64));
    each.fold([0.0; 2], |sum, bytes| [sum[0] + bytes[0], sum[1] + bytes[1]])
}

/// Bytes of a vec4 for each column quad of a tile.
fn row(shape: Shape) -> f64 {
    16.0 * f64::from(shape.quads)
}

/// `[memory, shared]` of one column of a tile through a layer: weights and columns in, z, φ′ and what goes on out. Columns are
/// staged once and read by each neuron quad; if a workgroup has more invocations than that takes, the parts of the sums, those of
/// at least 16 rows, are exchanged.
fn pass(shape: Shape, inputs: f64, outputs: f64) -> [f64; 2] {
    let quads = (outputs / 4.0).ceil();
    let lanes = (quads as u32).next_power_of_two();
    let parts = (2 * shape.workgroup / shape.quads / lanes).min((inputs / 16.0) as u32);
    let parts = f64::from(1 << parts.max(1).ilog2());
    let exchanged = if parts > 1.0 { 8.0 * parts * quads } else { 0.0 };
    let row = row(shape);
    [4.0 * inputs * outputs + row * (inputs + 3.0 * outputs), row * (inputs + inputs * quads + exchanged)]
}

/// `[memory, shared]` of the gradient of a layer's weights from one column of a tile: columns in, the slab in and out.
fn product(shape: Shape, inputs: f64, outputs: f64) -> [f64; 2] {
    [row(shape) * (inputs + outputs) + 8.0 * inputs * outputs, 0.0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Activation;
    use crate::objective::{Denoising, Weighting};

    #[test]
    fn a_step_of_the_paper_net_is_three_kernels_with_the_least_work() {
        let spec = MlpSpec::parse("2-128-128-1", Activation::Silu).expect("widths");
        let objective = Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2).expect("sigma"));
        let work = step_work(&spec, &objective, 256);
        let names: Vec<_> = work.iter().map(|w| w.kernel).collect();
        assert_eq!(names, ["score_matching", "reduce_gradient", "adam_step"]);
        // 6 columns through 128 · 128 + 128 weights and 5 through 2 · 128, two operations each
        assert_eq!(work[0].flops, 2.0 * 256.0 * f64::from(6 * (128 * 128 + 128) + 5 * 2 * 128));
        // 16 tangents in 2 workgroups, but not where their basis follows the weights
        let workgroups = |net: &str| {
            let spec = MlpSpec::parse(net, Activation::Silu).expect("widths");
            step_work(&spec, &Objective::Esm, 128)[0].workgroups
        };
        assert!(workgroups("16-64-64-1") > workgroups("17-16-64-1"), "{}", workgroups("17-16-64-1"));
        // 32 workgroups of 96 units: three times as slow as if all worked
        let card = &CARDS[0];
        assert!(expected_seconds(card, &work[..1]) >= 3.0 * work[0].flops / card.flops);
        assert!(Card::of("AMD Radeon RX 7900 XTX (RADV NAVI31)").is_some() && Card::of("llvmpipe").is_none());
        assert!(Card::of("NVIDIA GeForce RTX 4090").is_some());
        assert!(Card::of("NVIDIA GeForce RTX 4090 Laptop GPU").is_none());
        assert!(Card::of("NVIDIA H200").is_some() && Card::of("NVIDIA H200 NVL").is_none());
    }
}
