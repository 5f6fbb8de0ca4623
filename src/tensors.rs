//! Tensors and strings as safetensors files, of which equal ones have equal bytes.

mod sealed;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::{Dtype, tensor::TensorView};

use crate::error::{Error, Result};
pub(crate) use sealed::{Sealed, write_sealed};

/// The names of tensors that are no part of the network begin with this.
pub(crate) const STATE: &str = "state.";

/// A tensor of a file.
pub(crate) struct Tensor {
    name: String,
    shape: Vec<usize>,
    dtype: Dtype,
    bytes: Vec<u8>,
}

impl Tensor {
    /// Row-major numbers in a given precision.
    pub(crate) fn new(name: String, shape: Vec<usize>, dtype: Dtype, values: &[f64]) -> Self {
        let bytes = match dtype {
            Dtype::F64 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            _ => values.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect(),
        };
        Self { name, shape, dtype, bytes }
    }

    /// The same in the least precision that keeps every bit.
    pub(crate) fn exact(name: &str, shape: Vec<usize>, values: &[f64]) -> Self {
        let fits = values.iter().all(|v| f64::from(*v as f32).to_bits() == v.to_bits());
        Self::new(format!("{STATE}{name}"), shape, if fits { Dtype::F32 } else { Dtype::F64 }, values)
    }
}

/// The bytes of the file that is to be `path`.
pub(crate) fn encode(path: &Path, tensors: Vec<Tensor>, metadata: BTreeMap<String, String>) -> Result<Vec<u8>> {
    let cannot = |e: &dyn std::fmt::Display| Error::input(format!("cannot write {}: {e}", path.display()));
    let views: Vec<_> = tensors
        .iter()
        .map(|t| Ok((t.name.as_str(), TensorView::new(t.dtype, t.shape.clone(), &t.bytes)?)))
        .collect::<std::result::Result<_, safetensors::SafeTensorError>>()
        .map_err(|e| cannot(&e))?;
    let file = safetensors::serialize(views, None).map_err(|e| cannot(&e))?;
    with_metadata(&file, metadata).ok_or_else(|| cannot(&"its header is broken"))
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

/// The values of an F32 or F64 tensor; `None` for another type.
pub(crate) fn numbers(tensor: &TensorView<'_>) -> Option<Vec<f64>> {
    match tensor.dtype() {
        Dtype::F32 => Some(tensor.data().as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()),
        Dtype::F64 => Some(tensor.data().as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()),
        _ => None,
    }
}

/// The finite numbers, as many as `count` says if it does, that the metadata of the checkpoint `path` hold as `[1.0, 2.0]`.
///
/// # Errors
/// What stands there is something else.
pub fn metadata_list(
    metadata: &HashMap<String, String>,
    key: &str,
    count: Option<usize>,
    path: &Path,
) -> Result<Option<Vec<f64>>> {
    let Some(text) = metadata.get(key) else { return Ok(None) };
    let numbers = text.trim_matches(['[', ']']).split(',');
    let values: Option<Vec<f64>> = numbers.map(|s| s.trim().parse().ok().filter(|v: &f64| v.is_finite())).collect();
    match values {
        Some(values) if count.is_none_or(|count| values.len() == count) => Ok(Some(values)),
        _ => {
            let (path, shown) = (path.display(), text.chars().take(60).collect::<String>());
            let count = count.map_or(String::new(), |count| format!("{count} "));
            Err(Error::input(format!("{path}: its {key} are no {count}numbers: {shown}")))
        }
    }
}
