//! The NPY array format (NumPy enhancement proposal 1), both ways.
//!
//! The header is parsed here, in the small part of its grammar that NumPy writes for plain arrays, so that no
//! declared shape is multiplied or allocated before it is known to fit the file.

use crate::error::{Error, Result};
use crate::files::write_atomically;
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The shape and the row-major values of an array file of floats (f4, f8) or integers (i1 to i8, u1 to u8), of either
/// byte order. Fortran order is turned into row-major order.
///
/// # Errors
/// If the file cannot be read, is not NPY, holds another type, or does not have the size that its shape declares.
pub fn read_npy(path: &Path) -> Result<(Vec<usize>, Vec<f64>)> {
    from_bytes(&super::table::read_bytes(path)?, &path.display())
}

/// The same from the bytes of such a file, called `name` in errors.
pub(super) fn from_bytes(bytes: &[u8], name: &dyn std::fmt::Display) -> Result<(Vec<usize>, Vec<f64>)> {
    parse(bytes).map_err(|why| match why {
        Problem::Type(descr) => Error::input(format!("{name} holds values of type {descr}"))
            .hint("floats and integers can be read; in Python, convert with array.astype('float32')"),
        Problem::Other(why) => Error::input(format!("{name} is not a readable NPY file: {why}")),
    })
}

/// Writes `values` in row-major order as little-endian f4.
///
/// # Errors
/// If the shape does not hold that many values or the file cannot be written.
pub fn write_npy_f32(path: &Path, shape: &[usize], values: &[f32]) -> Result<()> {
    write(path, "<f4", shape, values.len(), values.iter().flat_map(|v| v.to_le_bytes()))
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

#[derive(Debug)]
enum Problem {
    Type(String),
    Other(String),
}

fn other(why: impl Into<String>) -> Problem {
    Problem::Other(why.into())
}

fn parse(bytes: &[u8]) -> std::result::Result<(Vec<usize>, Vec<f64>), Problem> {
    let (header, data) =
        split(bytes).ok_or_else(|| other(format!("its {} bytes hold no whole header", bytes.len())))?;
    let header = std::str::from_utf8(header).map_err(|_| other("its header is not text"))?;
    let missing = |key: &str| other(format!("its header has no valid `{key}`"));
    let descr = entry(header, "descr").ok_or_else(|| missing("descr"))?;
    let fortran = match entry(header, "fortran_order").ok_or_else(|| missing("fortran_order"))? {
        order if order.starts_with("True") => true,
        order if order.starts_with("False") => false,
        _ => return Err(missing("fortran_order")),
    };
    let shape = entry(header, "shape").and_then(sides).ok_or_else(|| missing("shape"))?;
    let (size, big, decode) = decoder(descr)?;
    let count = shape.iter().try_fold(1usize, |n, side| n.checked_mul(*side));
    if count.and_then(|n| n.checked_mul(size)) != Some(data.len()) {
        return Err(other(format!("shape {shape:?} of {size}-byte values does not fit {} bytes of data", data.len())));
    }
    let value = |item: &[u8]| {
        // Padded on the right to eight bytes, little-endian.
        let mut padded = [0; 8];
        padded[..size].copy_from_slice(item);
        if big {
            padded[..size].reverse();
        }
        decode(padded)
    };
    let values: Vec<f64> = data.chunks_exact(size).map(value).collect();
    Ok(if fortran && shape.len() > 1 { (shape.clone(), row_major(&shape, &values)) } else { (shape, values) })
}

/// The header text and the data after it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?, rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// What follows `'key':` in the header.
fn entry<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    let after = quoted.iter().find_map(|q| header.split_once(q.as_str()))?.1;
    after.trim_start().strip_prefix(':').map(str::trim_start)
}

/// The sides in a tuple such as `(3, 4)`, `(3,)` or `()`.
fn sides(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    inside.split(',').map(str::trim).filter(|side| !side.is_empty()).map(|side| side.parse().ok()).collect()
}

type Decode = fn([u8; 8]) -> f64;

/// The size of a value, whether it is big-endian, and how its little-endian bytes become an f64.
fn decoder(descr: &str) -> std::result::Result<(usize, bool, Decode), Problem> {
    let quote = descr.chars().next().filter(|c| *c == '\'' || *c == '"');
    let name = quote.and_then(|q| descr[1..].split_once(q)).map(|(name, _)| name);
    // A structured type is a list and has no quote in front.
    let name = name.ok_or_else(|| Problem::Type("structure".to_owned()))?;
    let decode: (usize, Decode) = match name.trim_start_matches(['<', '>', '|', '=']) {
        "f4" => (4, |b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
        "f8" => (8, f64::from_le_bytes),
        "i1" => (1, |b| f64::from(b[0].cast_signed())),
        "i2" => (2, |b| f64::from(i16::from_le_bytes([b[0], b[1]]))),
        "i4" => (4, |b| f64::from(i32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
        "i8" => (8, |b| i64::from_le_bytes(b) as f64),
        "u1" => (1, |b| f64::from(b[0])),
        "u2" => (2, |b| u64::from_le_bytes(b) as f64),
        "u4" => (4, |b| u64::from_le_bytes(b) as f64),
        "u8" => (8, |b| u64::from_le_bytes(b) as f64),
        _ => return Err(Problem::Type(format!("`{name}`"))),
    };
    Ok((decode.0, name.starts_with('>'), decode.1))
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
