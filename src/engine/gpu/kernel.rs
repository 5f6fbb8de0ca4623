//! Declaring a kernel once: its WGSL files, its typed bindings, its constants.
//!
//! One stem goes through `shaders/x.wgsl`, the module `kernels/x.rs`, the entry point `fn x` and the debug label. What is
//! declared here is checked against the WGSL by reflection, without a GPU (`tests/shaders.rs`).

use std::fmt::Write as _;

use crate::engine::Jet;
use crate::model::Activation;

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
    /// The channels that it carries of each sample; `None` where the shape says it.
    pub jet: Option<Jet>,
    /// The highest derivative of the activation that is kept.
    pub order: u32,
    /// Does it contain the network, and so an activation?
    pub network: bool,
}

/// The constants that shape a kernel for one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Affine layers of the network.
    pub layers: u32,
    /// The activation of the hidden ones.
    pub activation: Activation,
    /// Column quads of a tile: samples / 4.
    pub quads: u32,
    /// Channels of a sample, for kernels that take any.
    pub jet: Jet,
}

/// Invocations of a workgroup: the most that WebGPU guarantees.
pub const WORKGROUP: u32 = 256;

impl Kernel {
    /// The whole WGSL text for a network: constants, library, kernel.
    pub fn source(&self, shape: Shape) -> String {
        let mut text = format!("const WORKGROUP: u32 = {WORKGROUP}u;\nconst LAYERS: u32 = {}u;\n", shape.layers);
        if self.network {
            let jet = self.jet.unwrap_or(shape.jet);
            let (tangents, curved) = (jet.tangents, jet.curved);
            for (name, value) in [
                ("QUADS", shape.quads as usize),
                ("TANGENTS", tangents),
                ("CURVED", curved),
                ("ORDER", self.order as usize),
            ] {
                // writing to a string cannot fail
                let _ = writeln!(text, "const {name}: u32 = {value}u;");
            }
            text += activation_source(shape.activation);
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

/// Declares a kernel and the typed buffers that it takes: see [`kernels`](super::kernels) for examples.
macro_rules! kernel {
    (
        $(#[$doc:meta])*
        pub $Args:ident = $name:ident,
        files: [$($file:literal),+ $(,)?],
        network: $network:expr,
        jet: $jet:expr,
        order: $order:expr,
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
                    network: $network,
                    jet: $jet,
                    order: $order,
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
