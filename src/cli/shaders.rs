//! `shaders`: the WGSL exactly as it is compiled for a network on a GPU, those of a training step for one batch and those of chains
//! for many (software drivers get smaller workgroups, and where their subgroups are known other products).

use std::collections::HashSet;
use std::path::PathBuf;

use naga::valid::Capabilities;

use ebm_gpu::engine::gpu::kernel::{Kernel, Passes, Platform, Shape, TILES};
use ebm_gpu::engine::gpu::kernels::ALL;
use ebm_gpu::engine::gpu::{QUADS_OF_SOFTWARE, shape_of, shape_of_target};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::files::write_atomically;
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec};
use ebm_gpu::target::Formula;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Write one .wgsl file per kernel into this folder; without it, the kernels are listed with their workgroup memory
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,
    /// Write every variant: all activations, energies and scores, with and without tangents, tiles of every size, those for the
    /// subgroups of a software driver, and all analytic targets
    #[arg(long, requires = "dump", conflicts_with_all = ["activation", "head", "batch"])]
    all: bool,
    /// The network to compile for: widths, input first
    #[arg(long, default_value = "2-128-128-1")]
    net: String,
    /// Activation: silu, softplus, tanh, gelu, relu, leaky-relu
    #[arg(long, default_value = "silu")]
    activation: String,
    /// Samples of a training step, which decide how large the tiles of its kernels are; chains have those of 16,384 and more
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// What the network gives: energy or score
    #[arg(long, default_value = "energy")]
    head: String,
}

/// Validates a kernel against what every WebGPU device can do, and subgroups if it is made for them, and counts its workgroup
/// memory in bytes.
fn workgroup_memory(Variant { file: name, source, subgroups, .. }: &Variant) -> Result<u32> {
    let invalid = |text: String| Error::failed(format!("the kernel {name} is not valid WGSL: {text}"));
    let module = naga::front::wgsl::parse_str(source).map_err(|e| invalid(e.emit_to_string(source)))?;
    let capabilities = if *subgroups { Capabilities::SUBGROUP } else { Capabilities::empty() };
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities)
        .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
        .subgroup_operations(naga::valid::SubgroupOperationSet::BALLOT)
        .validate(&module)
        .map_err(|e| invalid(e.emit_to_string(source)))?;
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).map_err(|e| invalid(e.to_string()))?;
    let variables = module.global_variables.iter().map(|(_, v)| v);
    Ok(variables.filter(|v| v.space == naga::AddressSpace::WorkGroup).map(|v| layouter[v.ty].size).sum())
}

/// The first sentence of the kernel's own header, which is the last file of the source.
fn first_sentence(source: &str) -> String {
    let header = source.rsplit("----\n").next().unwrap_or_default();
    let lines = header.lines().map_while(|l| l.strip_prefix("//")).map(str::trim).take_while(|l| !l.is_empty());
    let text = lines.collect::<Vec<_>>().join(" ");
    // a mark that ends a word: the dot of a scalar product stands alone
    let end = text.match_indices(['.', ':']).map(|(i, _)| i).find(|i| !text[..*i].ends_with(' '));
    text[..end.unwrap_or(text.len())].to_string()
}

/// A kernel and its text for one network or target.
struct Variant {
    kernel: &'static Kernel,
    file: String,
    source: String,
    /// Is it made for subgroups of 8 lanes?
    subgroups: bool,
}

/// The kernels for one network, those of training steps for one batch.
fn of_network(spec: &MlpSpec, batch: usize) -> Vec<Variant> {
    let kernels = ALL.iter().filter(|k| spec.head() == Head::Energy || k.passes.has_fields());
    // of chains there are many
    let samples = |k: &Kernel| if matches!(k.passes, Passes::Chains(_)) { usize::MAX } else { batch };
    let of = |kernel| shape_of(kernel, spec, samples(kernel), Platform::Gpu);
    let variant =
        |k: &'static Kernel| Variant { kernel: k, file: k.name.into(), source: k.source(of(k)), subgroups: false };
    kernels.map(variant).collect()
}

/// Every text that can come about for networks of so many layers, but for other tiles with other activations than SiLU, and for
/// analytic targets.
fn all_variants(layers: u32) -> Vec<Variant> {
    let mut variants = Vec::new();
    let mut known = HashSet::new();
    let mut add = |kernel: &'static Kernel, shape: Shape, kind: String| {
        let source = kernel.source(shape);
        if known.insert(source.clone()) {
            let file = format!("{}-{kind}", kernel.name);
            variants.push(Variant { kernel, file, source, subgroups: shape.subgroups });
        }
    };
    for (activation, head) in Activation::ALL.into_iter().flat_map(|a| Head::ALL.map(|h| (a, h))) {
        let field = head == Head::Score;
        for kernel in ALL.iter().filter(|k| k.passes != Passes::Target && (!field || k.passes.has_fields())) {
            for (tangents, [quads, workgroup]) in [false, true].into_iter().flat_map(|t| TILES.map(|tile| (t, tile))) {
                // the size of tiles changes nothing that an activation does
                let first = [quads, workgroup] == TILES[0];
                if !first && activation != Activation::Silu {
                    continue;
                }
                let (target, subgroups) = (None, false);
                let shape = Shape { layers, activation, quads, workgroup, field, tangents, target, subgroups };
                let of_software = quads == QUADS_OF_SOFTWARE && activation == Activation::Silu;
                let suffix = if tangents { "-tangents" } else { "" };
                let size = if first { String::new() } else { format!("-{quads}-{workgroup}") };
                let kind = format!("{}-{}{suffix}{size}", activation.name(), head.name());
                add(kernel, shape, kind.clone());
                if of_software {
                    add(kernel, Shape { subgroups: true, ..shape }, format!("{kind}-subgroups"));
                }
            }
        }
    }
    for formula in Formula::ALL {
        for kernel in ALL.iter().filter(|k| matches!(k.passes, Passes::Target | Passes::Chains(_))) {
            add(kernel, shape_of_target(formula), formula.stem().to_string());
        }
    }
    variants
}

pub(super) fn run(args: &Args) -> Result<()> {
    let (activation, head) = (Activation::by_name(&args.activation)?, Head::by_name(&args.head)?);
    let spec = MlpSpec::parse_conditioned(&args.net, activation, head, Conditioning::None)?;
    if let Some(folder) = &args.dump {
        std::fs::create_dir_all(folder)
            .map_err(|e| Error::input(format!("cannot make the folder {}: {e}", folder.display())))?;
    }
    let variants = if args.all { all_variants(spec.layers().len() as u32) } else { of_network(&spec, args.batch) };
    for variant in variants {
        let memory = workgroup_memory(&variant)?;
        let Variant { kernel, file, source, .. } = variant;
        match &args.dump {
            Some(folder) => {
                let path = folder.join(format!("{file}.wgsl"));
                write_atomically(&path, source.as_bytes())?;
                super::print_line(&path.display().to_string())?;
            }
            None => {
                super::print_line(&format!("{:<19} {memory:>5} B  {}", kernel.name, first_sentence(&source)))?;
            }
        }
    }
    Ok(())
}
