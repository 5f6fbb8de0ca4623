//! A network on the device: padded weights in both orders, and where the blocks of a tile lie in scratch memory.
//!
//! All widths are padded to 4. The packed parameters are, for each layer, W as [4 output][input] vec4 and the bias as
//! [output] vec4; the transposes of all W, [4 input][output] vec4, follow behind. Padding is zero and stays zero.

use crate::engine::Landscape;
use crate::engine::gpu::kernel::{Channels, Kernel, Shape, device_struct};
use crate::model::{Layer, MlpSpec};

device_struct! {
    /// An entry of the table `net`: `shaders/lib/layer.wgsl` says what each field means.
    pub struct LayerEntry {
        /// Width in, in vec4.
        input: u32,
        /// Width out, in vec4.
        output: u32,
        /// Neurons in.
        inputs: u32,
        /// Neurons out.
        outputs: u32,
        /// W and bias.
        weight: u32,
        /// Wᵀ.
        transposed: u32,
        /// What enters the layer.
        forward: u32,
        /// Its adjoint.
        adjoint: u32,
        /// z.
        pre: u32,
        /// The derivatives of φ at z.
        derivative: u32,
        /// The adjoint of z.
        outgoing: u32,
        /// S and C, sums over tangents, or what probes add to the adjoint of the value.
        sums: u32,
    }
}

/// The layout of a network for one kernel.
#[derive(Debug, Clone)]
pub(super) struct NetworkLayout {
    pub(super) table: Vec<LayerEntry>,
    layers: Vec<Layer>,
    /// vec4 of the packed parameters, without the transposes.
    pub(super) packed: u32,
    /// vec4 of parameters and transposes together.
    pub(super) total: u32,
    /// vec4 of scratch for one tile.
    pub(super) region: u32,
    /// Where the kernel's spare blocks of the input's shape lie in the region.
    pub(super) spare: u32,
}

impl NetworkLayout {
    /// Lays out `spec` for the channels and derivatives that `kernel` keeps.
    pub(super) fn new(spec: &MlpSpec, kernel: &Kernel, shape: Shape) -> Self {
        let layers = spec.layers();
        let none = Channels { values: 0, second: 0, tangents: 0, order: 0, parts: 0 };
        let (channels, quads) = (kernel.channels(shape).unwrap_or(none), shape.quads);
        let mut table = Vec::with_capacity(layers.len());
        let mut packed = 0;
        let mut region = 0;
        let mut take = |size: u32| {
            region += size;
            region - size
        };
        for (l, layer) in layers.iter().enumerate() {
            let (inputs, outputs) = (layer.input as u32, layer.output as u32);
            let (input, output) = (inputs.div_ceil(4), outputs.div_ceil(4));
            let columns = channels.count() * quads * 4;
            let keeps_pre =
                channels.count() > channels.values || channels.parts > 0 || (shape.field && l + 1 == layers.len());
            let alone = channels.count() == channels.values && channels.parts == 0;
            let derivative = take(channels.order * channels.values * quads * 4 * output);
            table.push(LayerEntry {
                input,
                output,
                inputs,
                outputs,
                weight: packed,
                transposed: 0,
                forward: take(columns * input),
                // of values alone, nothing but the input's is asked for
                adjoint: if l == 0 || !alone { take(columns * input) } else { 0 },
                pre: if keeps_pre { take(columns * output) } else { 0 },
                derivative,
                // where each number takes the place of the one derivative that it is made with
                outgoing: if alone && channels.order == 1 { derivative } else { take(columns * output) },
                sums: take((channels.tangents * 2 + channels.parts) * quads * 4 * output),
            });
            packed += 4 * output * input + output;
        }
        let spare = take(kernel.passes.spare_blocks() * quads * 4 * table[0].input);
        let mut total = packed;
        for entry in &mut table {
            entry.transposed = total;
            total += 4 * entry.input * entry.output;
        }
        Self { table, layers, packed, total, region, spare }
    }

    /// The layout of chains on an analytic target: x and ∇E where the first layer of a network has them.
    pub(super) fn of_target(dim: usize, constants: usize, kernel: &Kernel, shape: Shape) -> Self {
        let (inputs, input) = (dim as u32, dim.div_ceil(4) as u32);
        let block = shape.quads * 4 * input;
        let table = vec![LayerEntry { input, inputs, forward: 0, adjoint: block, ..Default::default() }];
        let spare = 2 * block;
        let region = spare + kernel.passes.spare_blocks() * block;
        Self { table, layers: Vec::new(), packed: 0, total: constants.div_ceil(4).max(1) as u32, region, spare }
    }

    /// What `weights` holds of a landscape: a network's parameters and transposes, or a target's constants.
    pub(super) fn pack_landscape(&self, landscape: Landscape<'_>) -> Vec<f32> {
        match landscape {
            Landscape::Network(model) => self.pack_with_transposes(&model.parameters),
            Landscape::Target(target) => {
                let mut constants = target.constants();
                constants.resize(4 * self.total as usize, 0.0);
                constants
            }
        }
    }

    /// Parameters in the device's order, padded, without the transposes.
    pub(super) fn pack(&self, parameters: &[f64]) -> Vec<f32> {
        let mut packed = vec![0.0; 4 * self.packed as usize];
        self.visit(|at, i, _| packed[at] = parameters[i] as f32);
        packed
    }

    /// Packed parameters, and the transposes behind them.
    pub(super) fn pack_with_transposes(&self, parameters: &[f64]) -> Vec<f32> {
        let mut packed = self.pack(parameters);
        packed.resize(4 * self.total as usize, 0.0);
        self.visit(|_, i, transposed| {
            if let Some(at) = transposed {
                packed[at] = parameters[i] as f32;
            }
        });
        packed
    }

    /// The inverse of [`NetworkLayout::pack`].
    pub(super) fn unpack(&self, packed: &[f32]) -> Vec<f64> {
        let count = self.layers.last().map_or(0, |l| l.bias.end);
        let mut parameters = vec![0.0; count];
        self.visit(|at, i, _| parameters[i] = f64::from(packed[at]));
        parameters
    }

    /// Calls `f(place in packed, parameter, place of its transpose)` for each parameter.
    fn visit(&self, mut f: impl FnMut(usize, usize, Option<usize>)) {
        for (layer, entry) in self.layers.iter().zip(&self.table) {
            let (input, output) = (4 * entry.input as usize, 4 * entry.output as usize);
            let (weight, transposed) = (4 * entry.weight as usize, 4 * entry.transposed as usize);
            for o in 0..layer.output {
                for i in 0..layer.input {
                    let parameter = layer.weight.start + o * layer.input + i;
                    f(weight + o * input + i, parameter, Some(transposed + i * output + o));
                }
                f(weight + output * input + o, layer.bias.start + o, None);
            }
        }
    }
}
