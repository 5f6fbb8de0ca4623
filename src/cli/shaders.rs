//! `shaders`: the WGSL exactly as it is compiled for a network.

use std::path::PathBuf;

use ebm_gpu::engine::gpu::kernels::ALL;
use ebm_gpu::engine::gpu::shape_of;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::files::write_atomically;
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Write one .wgsl file per kernel into this folder; without it, the kernels are listed with their workgroup memory
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,
    /// The network to compile for: widths, input first
    #[arg(long, default_value = "2-128-128-1")]
    net: String,
    /// Activation: silu, softplus, tanh, gelu, relu, leaky-relu
    #[arg(long, default_value = "silu")]
    activation: String,
    /// What the network gives: energy or score
    #[arg(long, default_value = "energy")]
    head: String,
}

/// Validates a kernel against what every WebGPU device can do, and counts its workgroup memory in bytes.
fn workgroup_memory(name: &str, source: &str) -> Result<u32> {
    let invalid = |text: String| Error::failed(format!("the kernel {name} is not valid WGSL: {text}"));
    let module = naga::front::wgsl::parse_str(source).map_err(|e| invalid(e.emit_to_string(source)))?;
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty())
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

pub(super) fn run(args: &Args) -> Result<()> {
    let (activation, head) = (Activation::by_name(&args.activation)?, Head::by_name(&args.head)?);
    let spec = MlpSpec::parse_conditioned(&args.net, activation, head, Conditioning::None)?;
    let shape = shape_of(&spec);
    if let Some(folder) = &args.dump {
        std::fs::create_dir_all(folder)
            .map_err(|e| Error::input(format!("cannot make the folder {}: {e}", folder.display())))?;
    }
    for kernel in ALL.iter().filter(|k| head == Head::Energy || k.passes.has_fields()) {
        let source = kernel.source(shape);
        let memory = workgroup_memory(kernel.name, &source)?;
        match &args.dump {
            Some(folder) => {
                let path = folder.join(format!("{}.wgsl", kernel.name));
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
