//! The kernels under judgement. Widths and d are no part of a kernel's text (they lie in a table that it reads; depth only bounds
//! that table), but they and the batch decide how large tiles are. What else changes the text is the activation, the head, and
//! whether score matching has tangents.

use ebm_gpu::engine::gpu::kernel::{Kernel, Passes, Platform, Shape};
use ebm_gpu::engine::gpu::kernels::ALL;
use ebm_gpu::engine::gpu::{shape_of, shape_of_target};
use ebm_gpu::model::{Activation, MlpSpec};
use ebm_gpu::target::Target;

/// A kernel in one shape.
pub(crate) struct Subject {
    pub(crate) label: String,
    pub(crate) kernel: &'static Kernel,
    pub(crate) shape: Shape,
}

impl Subject {
    /// Loops of products that it has: weights times columns, forward and back in one loop, and columns times columns for the
    /// gradient of weights.
    pub(crate) fn products(&self) -> usize {
        match self.kernel.passes {
            _ if self.shape.target.is_some() => 0,
            Passes::None | Passes::Target => 0,
            Passes::Value | Passes::Score | Passes::Chains(_) | Passes::Negatives => 1,
            Passes::Matching | Passes::Difference | Passes::Contrast => 2,
        }
    }
}

/// So many chains that their tiles are as large as can be.
const MANY: usize = 1 << 20;

/// Every kernel on a network with SiLU, both heads and both kinds of score matching; those of products with every other
/// activation, and on tiles of every other size; chains on a target.
pub(crate) fn all() -> Vec<Subject> {
    let spec = |dims, activation| MlpSpec::parse(dims, activation).expect("widths");
    let mut all = Vec::new();
    for kernel in ALL {
        // few chains go in smaller tiles
        let samples = if matches!(kernel.passes, Passes::Chains(_)) { MANY } else { 256 };
        let shape = |activation| shape_of(kernel, &spec("2-128-128-1", activation), samples, Platform::Gpu);
        let plain = shape(Activation::Silu);
        let mut add = |kind: &str, shape: Shape| {
            let label = format!("{}{}{kind}", kernel.name, if kind.is_empty() { "" } else { ", " });
            all.push(Subject { label, kernel, shape });
        };
        match kernel.passes {
            Passes::Matching => {
                add("esm and ssm", plain);
                add("dsm", Shape { tangents: false, ..plain });
                add("esm and ssm, score head", Shape { field: true, ..plain });
                add("dsm, score head", Shape { field: true, tangents: false, ..plain });
            }
            Passes::Score => {
                add("", plain);
                add("score head", Shape { field: true, ..plain });
            }
            Passes::Chains(_) => {
                add("", plain);
                let target = Target::by_name("gmm", None).expect("a target");
                add("on a target", shape_of_target(target.formula()));
            }
            _ => add("", plain),
        }
        if !matches!(kernel.passes, Passes::None | Passes::Target) {
            for activation in Activation::ALL.into_iter().filter(|a| *a != Activation::Silu) {
                add(activation.name(), shape(activation));
            }
            let others = [
                ("2-32-32-1", 1024),
                ("2-64-64-1", 2048),
                ("2-64-64-1", MANY),
                ("2-128-128-1", 256),
                ("2-128-128-1", 8192),
                ("2-256-256-1", 2048),
            ];
            let mut known = vec![plain];
            for (dims, batch) in others {
                let shape = Shape {
                    layers: plain.layers,
                    ..shape_of(kernel, &spec(dims, Activation::Silu), batch, Platform::Gpu)
                };
                if !known.contains(&shape) {
                    known.push(shape);
                    add(&format!("{} samples by {}", 4 * shape.quads, shape.workgroup), shape);
                }
            }
        }
    }
    all
}
