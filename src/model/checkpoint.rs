//! Checkpoints: safetensors files with PyTorch's names, which `torch.nn.Sequential(...).load_state_dict` takes.
//!
//! Layer `l` of the network is module `2 l` of the sequence (activations stand between), so its tensors are
//! `net.{2l}.weight` and `net.{2l}.bias`. The spec is in the string metadata. Tensors whose names begin with `state.` are
//! no part of the network: they are what training needs to go on, see [`crate::train::write_progress`].

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};

use super::{Activation, Conditioning, Head, MlpSpec, Model};
use crate::error::{Error, Result};
use crate::tensors::{STATE, Tensor, encode, numbers};

const FORMAT: &str = "ebm-gpu/1";

/// Writes a model: parameters as F32, the spec in the metadata, and `extra` strings beside it.
///
/// # Errors
/// The file cannot be written.
pub fn write_checkpoint(path: &Path, model: &Model, extra: &[(&str, String)]) -> Result<()> {
    write(path, tensors_of(&model.spec, &model.parameters, Dtype::F32), metadata_of(model, extra))
}

/// Writes a parameter gradient under the parameters' names, as F64 where `double`, else as F32.
///
/// # Errors
/// The file cannot be written.
pub fn write_gradient(path: &Path, spec: &MlpSpec, gradient: &[f64], double: bool) -> Result<()> {
    write(path, tensors_of(spec, gradient, if double { Dtype::F64 } else { Dtype::F32 }), BTreeMap::new())
}

fn write(path: &Path, tensors: Vec<Tensor>, metadata: BTreeMap<String, String>) -> Result<()> {
    crate::files::write_atomically(path, &encode(path, tensors, metadata)?)
}

/// A network's parameters, or what is laid out as they are.
pub(crate) fn tensors_of(spec: &MlpSpec, values: &[f64], dtype: Dtype) -> Vec<Tensor> {
    let layer = |(l, layer): (usize, super::Layer)| {
        let name = |part: &str| format!("net.{}.{part}", 2 * l);
        [
            Tensor::new(name("weight"), vec![layer.output, layer.input], dtype, &values[layer.weight]),
            Tensor::new(name("bias"), vec![layer.output], dtype, &values[layer.bias]),
        ]
    };
    spec.layers().into_iter().enumerate().flat_map(layer).collect()
}

/// The spec as metadata, with `extra` strings beside it.
pub(crate) fn metadata_of(model: &Model, extra: &[(&str, String)]) -> BTreeMap<String, String> {
    let spec = [
        ("format", FORMAT.to_string()),
        ("dims", model.spec.to_string()),
        ("activation", model.spec.activation().name().to_string()),
        ("head", model.spec.head().name().to_string()),
        ("conditioning", model.spec.conditioning().name().to_string()),
    ];
    spec.into_iter().chain(extra.iter().cloned()).map(|(key, text)| (key.to_string(), text)).collect()
}

/// Reads a model: any safetensors file with the spec's metadata and the tensors it names, as F32 or F64.
///
/// # Errors
/// The file is missing, truncated, of another format, or its tensors do not fit its spec.
pub fn read_checkpoint(path: &Path) -> Result<(Model, HashMap<String, String>)> {
    let inside = path.join("model.safetensors");
    let file = if path.is_dir() { &inside } else { path };
    let bytes = std::fs::read(file).map_err(|e| unread(path, file, &e))?;
    decode(file, &bytes)
}

/// Why there is no checkpoint where `path`, a folder or a `file`, says.
fn unread(path: &Path, file: &Path, why: &std::io::Error) -> Error {
    let name = path.display();
    let is_missing = why.kind() == std::io::ErrorKind::NotFound;
    match (is_missing, path.is_dir()) {
        (true, true) if path.join("checkpoints").is_dir() => {
            Error::input(format!("{name} has no model.safetensors: its run is not complete"))
                .hint(format!("`ebm-gpu run --resume {name}` completes it; its files in checkpoints/ are models too"))
        }
        (true, true) => {
            let error = Error::input(format!("{name} has no model.safetensors: no run has been completed there"));
            let mut below = folders_of_models(path, 3);
            if below.is_empty() {
                below = files_of_models(path);
            }
            let named: Vec<_> = below.iter().take(3).map(|folder| folder.display().to_string()).collect();
            let more = if below.len() > 3 { format!(", {} more", below.len() - 3) } else { String::new() };
            if below.is_empty() { error } else { error.hint(format!("below it: {}{more}", named.join(", "))) }
        }
        (true, false) => Error::input(format!("cannot read checkpoint {name}: there is no such file or folder")),
        _ => Error::input(format!("cannot read checkpoint {}: {why}", file.display())),
    }
}

/// The models in a folder of checkpoints, in the order of their names.
fn files_of_models(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|file| file.extension().is_some_and(|e| e == "safetensors")).collect();
    files.sort();
    files
}

/// Folders with a model, some levels below one, in the order of their names.
fn folders_of_models(path: &Path, levels: usize) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    let (with, without): (Vec<_>, Vec<_>) = folders.into_iter().partition(|f| f.join("model.safetensors").is_file());
    let deeper = without.iter().filter(|_| levels > 1).flat_map(|folder| folders_of_models(folder, levels - 1));
    with.into_iter().chain(deeper).collect()
}

/// The model in the bytes of `path`.
pub(crate) fn decode(path: &Path, file: &[u8]) -> Result<(Model, HashMap<String, String>)> {
    let name = path.display();
    let broken = |e: safetensors::SafeTensorError| {
        Error::input(format!("{name} is not a complete safetensors file of {} bytes: {e}", file.len()))
            .hint("checkpoints are written by `ebm-gpu run` as model.safetensors")
    };
    let (_, header) = SafeTensors::read_metadata(file).map_err(broken)?;
    let tensors = SafeTensors::deserialize(file).map_err(broken)?;
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
    let network = tensors.iter().filter(|(name, _)| !name.starts_with(STATE));
    let stored: usize = network.map(|(_, t)| t.shape().iter().product::<usize>()).sum();
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
            let values = numbers(&tensor)
                .ok_or_else(|| Error::input(format!("{key} in {name} is {:?}, not F32 or F64", tensor.dtype())))?;
            parameters[range].copy_from_slice(&values);
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
