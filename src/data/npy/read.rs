//! Reading: the header, then values in pieces, so that no more of a file than a piece of it is in memory, of every type that
//! becomes a number; a crate for the format would want a type for each, and shapes that are known to be right.

use std::io::Read;

use super::MAGIC;
use crate::error::{Error, Result};

/// Bytes of a piece: a multiple of every size of a value.
const PIECE: usize = 1 << 18;

#[derive(Debug)]
pub(in crate::data) enum Problem {
    Type(String),
    Other(String),
    /// What the receiver of the values says.
    Refused(Error),
}

impl Problem {
    /// The error for the array called `name`.
    pub(in crate::data) fn of(self, name: &dyn std::fmt::Display) -> Error {
        match self {
            Self::Type(descr) => Error::input(format!("{name} holds values of type {descr}"))
                .hint("f4, f8 and integers can be read; in Python, convert with array.astype('float32')"),
            Self::Other(why) => Error::input(format!("{name} is not a readable NPY file: {why}")),
            Self::Refused(error) => error,
        }
    }
}

fn other(why: impl Into<String>) -> Problem {
    Problem::Other(why.into())
}

type Decode = fn([u8; 8]) -> f64;

/// An array whose values are still to come.
pub(in crate::data) struct Incoming<R> {
    source: R,
    pub(in crate::data) shape: Vec<usize>,
    /// Whether the first axis runs fastest.
    pub(in crate::data) fortran: bool,
    size: usize,
    big: bool,
    decode: Decode,
}

impl<R: Read> Incoming<R> {
    /// Reads the header of an array that takes `length` bytes with it, which its shape has to fit.
    pub(in crate::data) fn open(mut source: R, length: u64) -> std::result::Result<Self, Problem> {
        let header =
            header(&mut source, length)?.ok_or_else(|| other(format!("its {length} bytes hold no whole header")))?;
        let data = length - header.before;
        let header = std::str::from_utf8(&header.text).map_err(|_| other("its header is not text"))?;
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
        if count.and_then(|n| n.checked_mul(size)).map(|n| n as u64) != Some(data) {
            return Err(other(format!("shape {shape:?} of {size}-byte values does not fit {data} bytes of data")));
        }
        let fortran = fortran && shape.len() > 1;
        Ok(Self { source, shape, fortran, size, big, decode })
    }

    /// How many values there are.
    pub(in crate::data) fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Hands on all values in the order of the file, some at a time.
    pub(in crate::data) fn read(
        mut self,
        mut take: impl FnMut(&[f64]) -> Result<()>,
    ) -> std::result::Result<(), Problem> {
        let (mut left, mut bytes, mut values) = (self.count() * self.size, vec![0; PIECE], Vec::new());
        while left > 0 {
            let piece = &mut bytes[..left.min(PIECE)];
            self.source.read_exact(piece).map_err(|why| other(why.to_string()))?;
            let value = |item: &[u8]| {
                // Padded on the right to eight bytes, little-endian.
                let mut padded = [0; 8];
                padded[..self.size].copy_from_slice(item);
                if self.big {
                    padded[..self.size].reverse();
                }
                (self.decode)(padded)
            };
            values.clear();
            values.extend(piece.chunks_exact(self.size).map(value));
            take(&values).map_err(Problem::Refused)?;
            left -= piece.len();
        }
        Ok(())
    }
}

struct Header {
    text: Vec<u8>,
    /// Bytes up to the data.
    before: u64,
}

/// The header; `None` if the bytes end before it does, or it is of an unknown version.
fn header(source: &mut impl Read, length: u64) -> std::result::Result<Option<Header>, Problem> {
    let mut left = length;
    let mut take = |count: u64| -> std::result::Result<Option<Vec<u8>>, Problem> {
        if count > left {
            return Ok(None);
        }
        left -= count;
        let mut bytes = vec![0; count as usize];
        source.read_exact(&mut bytes).map_err(|why| other(why.to_string()))?;
        Ok(Some(bytes))
    };
    let Some(start) = take(8)? else { return Ok(None) };
    let Some(version) = start.strip_prefix(MAGIC) else {
        return Err(other("it does not begin with NumPy's magic bytes"));
    };
    let wide = match version[0] {
        1 => 2,
        2 | 3 => 4,
        _ => return Ok(None),
    };
    let Some(count) = take(wide)? else { return Ok(None) };
    let count = count.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
    Ok(take(count)?.map(|text| Header { text, before: 8 + wide + count }))
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
