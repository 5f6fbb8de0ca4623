//! Checkpoints: safetensors files with PyTorch's names, which `torch.nn.Sequential(...).load_state_dict` takes.
//!
//! Layer `l` of the network is module `2 l` of the sequence (activations stand between), so its tensors are
//! `net.{2l}.weight` and `net.{2l}.bias`. The spec is in the string metadata.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{Activation, Conditioning, Head, MlpSpec, Model};
use crate::error::{Error, Result};

const FORMAT: &str = "ebm-gpu/1";

/// Writes a model: parameters as F32, the spec in the metadata, and `extra` strings beside it.
///
/// # Errors
/// The file cannot be written.
pub fn write_checkpoint(path: &Path, model: &Model, extra: &[(&str, String)]) -> Result<()> {
    let mut metadata = BTreeMap::from([
        ("format".to_string(), FORMAT.to_string()),
        ("dims".to_string(), model.spec.to_string()),
        ("activation".to_string(), model.spec.activation().name().to_string()),
        ("head".to_string(), model.spec.head().name().to_string()),
        ("conditioning".to_string(), model.spec.conditioning().name().to_string()),
    ]);
    metadata.extend(extra.iter().map(|(k, v)| ((*k).to_string(), v.clone())));
    write_tensors(path, &model.spec, &model.parameters, Dtype::F32, metadata)
}

/// Writes a parameter gradient under the parameters' names, as F64 where `double`, else as F32.
///
/// # Errors
/// The file cannot be written.
pub fn write_gradient(path: &Path, spec: &MlpSpec, gradient: &[f64], double: bool) -> Result<()> {
    write_tensors(path, spec, gradient, if double { Dtype::F64 } else { Dtype::F32 }, BTreeMap::new())
}

fn write_tensors(
    path: &Path,
    spec: &MlpSpec,
    values: &[f64],
    dtype: Dtype,
    metadata: BTreeMap<String, String>,
) -> Result<()> {
    let bytes = |range: std::ops::Range<usize>| -> Vec<u8> {
        match dtype {
            Dtype::F64 => values[range].iter().flat_map(|v| v.to_le_bytes()).collect(),
            _ => values[range].iter().flat_map(|v| (*v as f32).to_le_bytes()).collect(),
        }
    };
    let cannot = |e: &dyn std::fmt::Display| Error::input(format!("cannot write {}: {e}", path.display()));
    let mut tensors = Vec::new();
    for (l, layer) in spec.layers().into_iter().enumerate() {
        tensors.push((format!("net.{}.weight", 2 * l), vec![layer.output, layer.input], bytes(layer.weight)));
        tensors.push((format!("net.{}.bias", 2 * l), vec![layer.output], bytes(layer.bias)));
    }
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, shape, data)| Ok((name.as_str(), TensorView::new(dtype, shape.clone(), data)?)))
        .collect::<std::result::Result<_, safetensors::SafeTensorError>>()
        .map_err(|e| cannot(&e))?;
    let file = safetensors::serialize(views, None).map_err(|e| cannot(&e))?;
    let file = with_metadata(&file, metadata).ok_or_else(|| cannot(&"its header is broken"))?;
    crate::files::write_atomically(path, &file)
}

/// A safetensors file with metadata, in sorted order: the crate's own order differs from run to run, and equal runs
/// should give equal files. The header is JSON behind its length, padded with spaces to a multiple of 8 bytes.
fn with_metadata(file: &[u8], metadata: BTreeMap<String, String>) -> Option<Vec<u8>> {
    let length = usize::try_from(u64::from_le_bytes(*file.first_chunk()?)).ok()?;
    let (header, data) = file.get(8..)?.split_at_checked(length)?;
    let rest = std::str::from_utf8(header).ok()?.trim_end().strip_prefix('{')?;
    let metadata = serde_json::to_string(&metadata).ok()?;
    let mut header = format!("{{\"__metadata__\":{metadata},{rest}");
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    Some([&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat())
}

/// Reads a model: any safetensors file with the spec's metadata and the tensors it names, as F32 or F64.
///
/// # Errors
/// The file is missing, truncated, of another format, or its tensors do not fit its spec.
pub fn read_checkpoint(path: &Path) -> Result<(Model, HashMap<String, String>)> {
    let inside = path.join("model.safetensors");
    let path = if path.is_dir() { &inside } else { path };
    let name = path.display();
    let file = std::fs::read(path).map_err(|e| Error::input(format!("cannot read checkpoint {name}: {e}")))?;
    let broken = |e: safetensors::SafeTensorError| {
        Error::input(format!("{name} is not a complete safetensors file of {} bytes: {e}", file.len()))
            .hint("checkpoints are written by `ebm-gpu run` as model.safetensors")
    };
    let (_, header) = SafeTensors::read_metadata(&file).map_err(broken)?;
    let tensors = SafeTensors::deserialize(&file).map_err(broken)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let text = |key: &str| {
        metadata.get(key).map(String::as_str).ok_or_else(|| {
            Error::input(format!("{name} has no `{key}` in its metadata"))
                .hint("a checkpoint needs format, dims, activation, head and conditioning")
        })
    };
    expect_text(path, "format", text("format")?, FORMAT)?;
    let first = tensors.tensor("net.0.weight").ok().and_then(|t| t.shape().get(1).copied());
    let spec = spec_of(text("dims")?, text("activation")?, text("head")?, text("conditioning")?, first)
        .map_err(|e| e.of(name.to_string()))?;
    let stored: usize = tensors.tensors().iter().map(|(_, t)| t.shape().iter().product::<usize>()).sum();
    if stored != spec.parameter_count() {
        let want = spec.parameter_count();
        return Err(Error::input(format!("{name} holds {stored} numbers, a {spec} network has {want} parameters")));
    }
    let mut parameters = vec![0.0; stored];
    for (l, layer) in spec.layers().into_iter().enumerate() {
        for (suffix, shape, range) in
            [("weight", vec![layer.output, layer.input], layer.weight), ("bias", vec![layer.output], layer.bias)]
        {
            let key = format!("net.{}.{suffix}", 2 * l);
            let tensor = tensors.tensor(&key).map_err(|_| Error::input(format!("{name} has no tensor {key}")))?;
            if tensor.shape() != shape {
                let has = tensor.shape();
                return Err(Error::input(format!(
                    "{key} in {name} has shape {has:?}, a {spec} network needs {shape:?}"
                )));
            }
            read_values(&tensor, &mut parameters[range])
                .ok_or_else(|| Error::input(format!("{key} in {name} is {:?}, not F32 or F64", tensor.dtype())))?;
        }
    }
    if let Some(i) = parameters.iter().position(|p| !p.is_finite()) {
        return Err(Error::input(format!("parameter {i} in {name} is {}", parameters[i])));
    }
    Ok((Model { spec, parameters }, metadata))
}

/// The spec that the metadata names. `dims` begins with the dimension of the points; files in which it begins with the
/// width of the first layer (`first`), which counts ln σ, are read as well.
fn spec_of(dims: &str, activation: &str, head: &str, conditioning: &str, first: Option<usize>) -> Result<MlpSpec> {
    let activation = Activation::by_name(activation)?;
    let (head, conditioning) = (Head::by_name(head)?, Conditioning::by_name(conditioning)?);
    let counts_level =
        |columns: &usize| conditioning == Conditioning::Concat && dims.starts_with(&format!("{columns}-"));
    match first.filter(counts_level).zip(dims.split_once('-')) {
        Some((columns @ 2.., (_, rest))) => {
            MlpSpec::parse_conditioned(&format!("{}-{rest}", columns - 1), activation, head, conditioning)
        }
        _ => MlpSpec::parse_conditioned(dims, activation, head, conditioning),
    }
}

fn expect_text(path: &Path, key: &str, has: &str, want: &str) -> Result<()> {
    if has == want {
        return Ok(());
    }
    Err(Error::input(format!("{} has {key} `{has}`, this program reads `{want}`", path.display())))
}

/// The values of an F32 or F64 tensor; `None` for another type.
fn read_values(tensor: &TensorView<'_>, out: &mut [f64]) -> Option<()> {
    match tensor.dtype() {
        Dtype::F32 => {
            for (o, b) in out.iter_mut().zip(tensor.data().as_chunks::<4>().0) {
                *o = f64::from(f32::from_le_bytes(*b));
            }
        }
        Dtype::F64 => {
            for (o, b) in out.iter_mut().zip(tensor.data().as_chunks::<8>().0) {
                *o = f64::from_le_bytes(*b);
            }
        }
        _ => return None,
    }
    Some(())
}
