//! Declaring a kernel once: its WGSL files, its typed bindings, its constants.
//!
//! One stem goes through `shaders/x.wgsl`, the module `kernels/x.rs`, the entry point `fn x` and the debug label. What is
//! declared here is checked against the WGSL by reflection, without a GPU (`tests/shaders.rs`).

use std::fmt::Write as _;

use crate::model::Activation;
use crate::target::Formula;

/// What stands at one index of `@group(0)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// `var<uniform>`; bound with a dynamic offset.
    Uniform,
    /// `var<storage, read>`.
    Read,
    /// `var<storage, read_write>`.
    Write,
}

/// A binding as Rust declares it.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The variable's name.
    pub name: &'static str,
    /// What it is.
    pub kind: BindingKind,
    /// Bytes of a uniform struct or of one element of an array.
    pub size: usize,
    /// Name and byte offset of each field; empty for a scalar or vector.
    pub fields: &'static [(&'static str, usize)],
}

/// A type that crosses to the device, with the layout that the WGSL must have.
pub trait Layout: bytemuck::Pod {
    /// Name and byte offset of each field; empty for a scalar or vector.
    const FIELDS: &'static [(&'static str, usize)] = &[];
}
impl Layout for f32 {}
impl Layout for u32 {}
impl Layout for [f32; 4] {}

/// Declares a struct that is also declared, field for field, in the WGSL.
macro_rules! device_struct {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        pub struct $name { $($(#[$field_doc])* pub $field: $ty),+ }

        impl $crate::engine::gpu::kernel::Layout for $name {
            const FIELDS: &'static [(&'static str, usize)] =
                &[$((stringify!($field), std::mem::offset_of!($name, $field))),+];
        }
        const _: () = assert!(size_of::<$name>().is_multiple_of(16));
    };
}
pub(crate) use device_struct;

/// Everything about a kernel that is known without a device.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// The stem: file, entry point, label.
    pub name: &'static str,
    /// The library files that it needs, and its own at the end.
    pub files: &'static [&'static str],
    /// `@group(0)`, in order of index.
    pub bindings: &'static [Binding],
    /// What it carries through the network.
    pub passes: Passes,
}

/// What a kernel carries through the network, which decides its channels and the derivatives that it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// Nothing: it does not contain the network.
    None,
    /// Nothing: it contains an analytic target.
    Target,
    /// Values forward.
    Value,
    /// The score: values forward, and back for an energy.
    Score,
    /// Chains on a network (what the score needs) or on an analytic target, and so many more blocks of the input's shape: where
    /// a step of a chain started and how it goes on.
    Chains(u32),
    /// The score, along the chains that make the negatives of a batch.
    Negatives,
    /// All terms of score matching.
    Matching,
    /// A value, and the odd and the even part of a pair about it, forward and back.
    Difference,
    /// Two values of a sample forward and back.
    Contrast,
}

impl Passes {
    /// Is the kernel made for fields of scores too?
    pub fn has_fields(self) -> bool {
        matches!(self, Self::None | Self::Target | Self::Score | Self::Chains(_) | Self::Matching)
    }

    /// Is it a kernel of training steps, which carries the samples of a batch?
    pub(super) fn of_a_batch(self) -> bool {
        matches!(self, Self::Negatives | Self::Matching | Self::Difference | Self::Contrast)
    }

    /// Blocks of the input's shape that it needs beside those of the passes.
    pub(super) fn spare_blocks(self) -> u32 {
        match self {
            Self::None | Self::Target | Self::Value | Self::Score | Self::Negatives => 0,
            // z, or v, or what the negatives of a sample share
            Self::Matching | Self::Difference | Self::Contrast => 1,
            Self::Chains(blocks) => blocks,
        }
    }
}

/// The channels of a sample, and the highest derivative of the activation that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// Values.
    pub values: u32,
    /// 1 if there is a second-order channel.
    pub second: u32,
    /// 1 if there are tangents.
    pub tangents: u32,
    /// From 0 to 3.
    pub order: u32,
    /// 1 if the values are one and the parts of a pair about it.
    pub parts: u32,
}

impl Channels {
    /// The number of columns of a sample.
    pub fn count(self) -> u32 {
        self.values + self.second + self.tangents
    }
}

/// The constants that shape a kernel for one network or target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Affine layers of the network.
    pub layers: u32,
    /// The activation of the hidden ones.
    pub activation: Activation,
    /// Column quads of a tile: samples / 4.
    pub quads: u32,
    /// Invocations of a workgroup that carries a tile: with `quads` one of [`TILES`].
    pub workgroup: u32,
    /// Does the network give a field of scores instead of an energy?
    pub field: bool,
    /// Does score matching have tangents?
    pub tangents: bool,
    /// The analytic energy of kernels that have one instead of the network.
    pub target: Option<Formula>,
    /// Do the lanes of a subgroup, of which there are 8, load for each other?
    pub subgroups: bool,
}

/// What kernels are shaped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// A GPU of its own, which may have more units than a small batch has tiles.
    Gpu,
    /// One within a processor, of few units.
    IntegratedGpu,
    /// A program on the processor that plays a GPU.
    Software,
    /// One with subgroups of 8 lanes, of which consecutive invocations are the lanes.
    SoftwareSubgroups,
}

impl Platform {
    /// Do invocations run one after another?
    pub(super) fn is_software(self) -> bool {
        matches!(self, Self::Software | Self::SoftwareSubgroups)
    }
}

/// The most invocations of a workgroup that WebGPU guarantees: what kernels without a network have.
pub const WORKGROUP: u32 = 256;
/// The tiles that kernels with a network can have: column quads, and invocations of the workgroup that carries one.
pub const TILES: [[u32; 2]; 9] =
    [[8, WORKGROUP], [8, 128], [8, 64], [4, WORKGROUP], [4, 64], [2, WORKGROUP], [16, WORKGROUP], [16, 128], [16, 64]];

impl Kernel {
    /// The channels of a sample for a network; `None` for a kernel without the network.
    pub fn channels(&self, shape: Shape) -> Option<Channels> {
        let only = |values, order| Some(Channels { values, second: 0, tangents: 0, order, parts: 0 });
        match self.passes {
            Passes::None | Passes::Target => None,
            Passes::Chains(_) if shape.target.is_some() => only(1, 0),
            Passes::Value => only(1, 0),
            Passes::Score | Passes::Chains(_) | Passes::Negatives => only(1, u32::from(!shape.field)),
            Passes::Difference => Some(Channels { values: 3, second: 0, tangents: 0, order: 1, parts: 1 }),
            Passes::Contrast => only(2, 1),
            Passes::Matching => {
                let (second, tangents) = (u32::from(!shape.field), u32::from(shape.tangents));
                Some(Channels { values: 1, second, tangents, order: 1 + second + tangents, parts: 0 })
            }
        }
    }

    /// The shape with what does not change the kernel's text made equal, so that it is compiled once.
    pub(super) fn shape_that_matters(&self, shape: Shape) -> Shape {
        let bare = Shape { activation: Activation::Silu, field: false, tangents: false, subgroups: false, ..shape };
        match self.passes {
            Passes::None => Shape { target: None, quads: 0, workgroup: WORKGROUP, ..bare },
            Passes::Target => Shape { quads: 0, workgroup: WORKGROUP, ..bare },
            Passes::Chains(_) if shape.target.is_some() => bare,
            Passes::Matching => Shape { target: None, ..shape },
            _ => Shape { tangents: false, target: None, ..shape },
        }
    }

    /// The whole WGSL text for a network or target: constants, library, kernel.
    pub fn source(&self, shape: Shape) -> String {
        let shape = self.shape_that_matters(shape);
        let (workgroup, layers) = (shape.workgroup, shape.layers);
        let mut text = format!("const WORKGROUP: u32 = {workgroup}u;\nconst LAYERS: u32 = {layers}u;\n");
        if let Some(channels) = self.channels(shape) {
            for (name, value) in [
                ("QUADS", shape.quads),
                // parts of a pair take many registers
                ("OWNED", if channels.parts > 0 { 1 } else { 2 }),
                ("VALUES", channels.values),
                ("SECOND", channels.second),
                ("TANGENTS", channels.tangents),
                ("ORDER", channels.order),
                ("FIELD", u32::from(shape.field)),
            ] {
                // writing to a string cannot fail
                let _ = writeln!(text, "const {name}: u32 = {value}u;");
            }
        }
        text += &self.energy_source(shape);
        for file in self.product_source(shape) {
            text += file;
        }
        for file in self.files {
            text += file;
        }
        text
    }
}

/// The text of one file in `shaders/`, under a line that names it.
macro_rules! shader {
    ($file:literal) => {
        concat!("\n// ---- ", $file, " ----\n", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $file)))
    };
}

/// How layers and, for a gradient, columns are multiplied.
const PRODUCTS: [&str; 2] = [shader!("lib/product.wgsl"), shader!("lib/outer.wgsl")];
const PRODUCTS_OF_SUBGROUPS: [&str; 2] = [shader!("lib/product_subgroups.wgsl"), shader!("lib/outer_subgroups.wgsl")];

/// What chains need of a network, and of an analytic target.
const NETWORK: [&str; 3] = [shader!("lib/sweep.wgsl"), shader!("lib/jet.wgsl"), shader!("lib/landscape_network.wgsl")];
const TARGET: [&str; 2] = [shader!("lib/target.wgsl"), shader!("lib/landscape_target.wgsl")];

impl Kernel {
    /// The products of a network: none, those of layers, or those of a gradient too.
    fn product_source(&self, shape: Shape) -> &'static [&'static str] {
        let all = if shape.subgroups { &PRODUCTS_OF_SUBGROUPS } else { &PRODUCTS };
        match self.passes {
            Passes::None | Passes::Target => &[],
            Passes::Chains(_) if shape.target.is_some() => &[],
            Passes::Value | Passes::Score | Passes::Chains(_) | Passes::Negatives => &all[..1],
            Passes::Matching | Passes::Difference | Passes::Contrast => all,
        }
    }

    /// The network's activation, or the analytic target, with what goes with it.
    fn energy_source(&self, shape: Shape) -> String {
        let target =
            |formula: Formula| format!("\n// ---- lib/target_{}.wgsl ----\n{}", formula.stem(), formula.wgsl());
        match (self.passes, shape.target) {
            (Passes::None, _) => String::new(),
            (Passes::Target, formula) => target(formula.unwrap_or(Formula::Gaussian)),
            (Passes::Difference, _) => {
                activation_source(shape.activation).to_string() + SPLIT + split_source(shape.activation)
            }
            (Passes::Chains(_), Some(formula)) => target(formula) + &TARGET.concat(),
            (Passes::Chains(_), None) => activation_source(shape.activation).to_string() + &NETWORK.concat(),
            _ => activation_source(shape.activation).to_string(),
        }
    }
}

fn activation_source(activation: Activation) -> &'static str {
    match activation {
        Activation::Silu => shader!("lib/activation_silu.wgsl"),
        Activation::Softplus => shader!("lib/activation_softplus.wgsl"),
        Activation::Tanh => shader!("lib/activation_tanh.wgsl"),
        Activation::Gelu => shader!("lib/activation_gelu.wgsl"),
        Activation::Relu => shader!("lib/activation_relu.wgsl"),
        Activation::LeakyRelu => shader!("lib/activation_leaky_relu.wgsl"),
    }
}

/// What activations do to a value and the parts of a pair about it.
const SPLIT: &str = shader!("lib/split.wgsl");

fn split_source(activation: Activation) -> &'static str {
    match activation {
        Activation::Silu => shader!("lib/split_silu.wgsl"),
        Activation::Softplus => shader!("lib/split_softplus.wgsl"),
        Activation::Tanh => shader!("lib/split_tanh.wgsl"),
        Activation::Gelu => shader!("lib/split_gelu.wgsl"),
        Activation::Relu | Activation::LeakyRelu => shader!("lib/split_piecewise.wgsl"),
    }
}

/// Declares a kernel and the typed buffers that it takes: see [`kernels`](super::kernels) for examples.
macro_rules! kernel {
    (
        $(#[$doc:meta])*
        pub $Args:ident = $name:ident,
        files: [$($file:literal),+ $(,)?],
        passes: $passes:ident $(($blocks:literal))?,
        bindings: { $($kind:ident $field:ident: $ty:ty),+ $(,)? } $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $Args<'a> {
            $(#[doc = concat!("`", stringify!($field), "` of the WGSL.")]
            pub $field: &'a $crate::engine::gpu::device::Buffer<$ty>),+
        }

        impl $Args<'_> {
            /// The kernel, apart from its buffers.
            pub const KERNEL: $crate::engine::gpu::kernel::Kernel =
                $crate::engine::gpu::kernel::Kernel {
                    name: stringify!($name),
                    files: &[$($crate::engine::gpu::kernel::shader!($file)),+],
                    bindings: &[$($crate::engine::gpu::kernel::Binding {
                        name: stringify!($field),
                        kind: $crate::engine::gpu::kernel::BindingKind::$kind,
                        size: size_of::<$ty>(),
                        fields: <$ty as $crate::engine::gpu::kernel::Layout>::FIELDS,
                    }),+],
                    passes: $crate::engine::gpu::kernel::Passes::$passes $(($blocks))?,
                };

            /// Compiles the kernel for `shape` and binds the buffers to it.
            ///
            /// # Errors
            /// The driver refuses the kernel.
            pub fn bind(
                &self,
                gpu: &$crate::engine::gpu::device::Gpu,
                shape: $crate::engine::gpu::kernel::Shape,
            ) -> $crate::error::Result<$crate::engine::gpu::Bound> {
                gpu.bind(&Self::KERNEL, shape, &[$(self.$field.raw()),+])
            }
        }
    };
}
pub(crate) use {kernel, shader};
