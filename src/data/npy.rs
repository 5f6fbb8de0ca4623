//! The NPY array format (NumPy enhancement proposal 1), both ways.
//!
//! The header is parsed here, in the small part of its grammar that NumPy writes for plain arrays, so that nothing that a file
//! declares is multiplied or allocated before it is known to fit the file. The crate npyz 0.9 does both: it allocates as many bytes
//! as a header says it has, up to 4 GB, and multiplies the sides of a shape without a look at overflow.

use super::table::open;
use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::points::Points;
use std::io::{BufReader, Read};
use std::path::Path;

mod read;
pub(super) use read::{Incoming, Problem};

const MAGIC: &[u8] = b"\x93NUMPY";

/// The shape and the row-major values of an array file of floats (f4, f8) or integers (i1 to i8, u1 to u8), of either
/// byte order. Fortran order is turned into row-major order.
///
/// # Errors
/// If the file cannot be read, is not NPY, holds another type, or does not have the size that its shape declares.
pub fn read_npy(path: &Path) -> Result<(Vec<usize>, Vec<f64>)> {
    let (file, length) = open(path)?;
    parse(BufReader::new(file), length).map_err(|why| why.of(&path.display()))
}

/// Writes `values` in row-major order as little-endian f4.
///
/// # Errors
/// If the shape does not hold that many values or the file cannot be written.
pub fn write_npy_f32(path: &Path, shape: &[usize], values: &[f32]) -> Result<()> {
    write(path, "<f4", shape, values.len(), values.iter().flat_map(|v| v.to_le_bytes()))
}

/// Writes what the network gives in single precision, brought to the data's units: as f8 where these are not its own, since
/// f4 may have no digits for a small spread about a large mean.
///
/// # Errors
/// As [`write_npy_f32`].
pub fn write_npy_samples(path: &Path, points: &Points, own_units: bool) -> Result<()> {
    let shape = [points.count(), points.dim()];
    if !own_units {
        return write_npy_f64(path, &shape, points.values());
    }
    let single: Vec<f32> = points.values().iter().map(|v| *v as f32).collect();
    write_npy_f32(path, &shape, &single)
}

/// Writes `values` in row-major order as little-endian f8.
///
/// # Errors
/// As [`write_npy_f32`].
pub fn write_npy_f64(path: &Path, shape: &[usize], values: &[f64]) -> Result<()> {
    write(path, "<f8", shape, values.len(), values.iter().flat_map(|v| v.to_le_bytes()))
}

fn write(path: &Path, descr: &str, shape: &[usize], count: usize, data: impl Iterator<Item = u8>) -> Result<()> {
    let held = shape.iter().try_fold(1usize, |n, side| n.checked_mul(*side));
    if held != Some(count) {
        let message = format!("{}: {count} values do not fill an array of shape {shape:?}", path.display());
        return Err(Error::failed(message));
    }
    let mut bytes = head(path, descr, shape)?;
    bytes.extend(data);
    write_atomically(path, &bytes)
}

/// All that comes before the data of an array in row-major order.
pub(super) fn head(path: &Path, descr: &str, shape: &[usize]) -> Result<Vec<u8>> {
    let sides: String = shape.iter().map(|side| format!("{side}, ")).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", sides.trim_end());
    // The format asks that the data start at a multiple of 64: ten bytes come before the header, a newline after.
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len())
        .map_err(|_| Error::failed(format!("{}: {} dimensions are too many", path.display(), shape.len())))?;
    Ok([MAGIC, &[1, 0], &length.to_le_bytes(), header.as_bytes()].concat())
}

/// The shape and the row-major values of an array that takes `length` bytes.
fn parse(source: impl Read, length: u64) -> std::result::Result<(Vec<usize>, Vec<f64>), Problem> {
    let array = Incoming::open(source, length)?;
    let (shape, fortran) = (array.shape.clone(), array.fortran);
    let mut values = Vec::with_capacity(array.count());
    array.read(|some| {
        values.extend_from_slice(some);
        Ok(())
    })?;
    Ok(if fortran { (shape.clone(), row_major(&shape, &values)) } else { (shape, values) })
}

/// Reorders values whose first axis runs fastest so that the last one does.
fn row_major(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let mut place = vec![0; shape.len()];
    let mut ordered = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        let offset = shape.iter().zip(&place).rev().fold(0, |offset, (side, at)| offset * side + at);
        ordered.push(values[offset]);
        for (at, side) in place.iter_mut().zip(shape).rev() {
            *at += 1;
            if *at < *side {
                break;
            }
            *at = 0;
        }
    }
    ordered
}

#[cfg(test)]
mod tests;
