//! The rows of an array as a table whose columns are numbered.

use super::Part;
use super::columns::choose;
use crate::error::{Error, Result};
use std::path::Path;

/// The number of columns of an array `[n, d]` or `[n]`.
pub(super) fn width(path: &Path, shape: &[usize]) -> Result<usize> {
    match shape {
        [_] => Ok(1),
        [_, dim] if *dim > 0 => Ok(*dim),
        _ => {
            let message = format!("{} holds an array of shape {shape:?}, not [n, d] or [n]", path.display());
            Err(Error::input(message).hint("in Python, array.reshape(len(array), -1) makes rows of it"))
        }
    }
}

/// The names of the chosen columns, how many they are, and their values; `dim` is the length of a row.
pub(super) fn chosen(
    path: &Path,
    dim: usize,
    values: &[f64],
    part: Part<'_>,
) -> Result<(Vec<String>, usize, Vec<f64>)> {
    // Without a row, nothing bounds the number of columns that the file declares.
    if values.is_empty() {
        return Err(super::too_few(path, 0));
    }
    let names: Vec<String> = (0..dim).map(|i| i.to_string()).collect();
    let chosen = choose(path, &names, part)?;
    let mut kept = Vec::with_capacity(values.len() / dim * chosen.len());
    for (row, cells) in values.chunks_exact(dim).enumerate() {
        for place in &chosen {
            if !cells[*place].is_finite() {
                let value = cells[*place];
                let message = format!("{}, row {row}, column {place}: {value} is not a finite number", path.display());
                return Err(Error::input(message));
            }
            kept.push(cells[*place]);
        }
    }
    Ok((chosen.iter().map(|i| names[*i].clone()).collect(), chosen.len(), kept))
}
