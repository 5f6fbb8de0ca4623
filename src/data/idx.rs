//! IDX arrays, the format of MNIST (LeCun, Cortes and Burges 1998), plain or packed by gzip.
//!
//! Two zero bytes, a type, the number of dimensions, a big-endian u32 for each, and the values, big-endian, last axis fastest.
//! Read by own code: idx_parser, the crate for it, is under the GPL and cannot be used here.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::table::{cannot_read, open};
use crate::error::{Error, Result};

/// The values of an IDX file.
#[derive(Debug, Clone, PartialEq)]
pub struct Idx {
    /// The sides, the number of items first.
    pub shape: Vec<usize>,
    /// Whether the values were bytes, and are divided by 255.
    pub bytes: bool,
    /// Row-major.
    pub values: Vec<f64>,
}

/// The shape and the row-major values; bytes are divided by 255. A name that ends with `.gz` says that the file is packed.
///
/// # Errors
/// If the file cannot be read or unpacked, is not IDX, or does not have the size that its shape declares.
pub fn read_idx(path: &Path) -> Result<Idx> {
    let raw = Raw::read(path)?;
    let mut values = Vec::with_capacity(raw.data.len() / raw.size);
    raw.pieces(|some| {
        values.extend_from_slice(some);
        Ok(())
    })?;
    Ok(Idx { bytes: raw.is_bytes(), shape: raw.shape, values })
}

/// Values of a piece.
const PIECE: usize = 1 << 16;

/// The same as it lies in the file.
pub(super) struct Raw {
    pub(super) shape: Vec<usize>,
    code: u8,
    size: usize,
    decode: Decode,
    data: Vec<u8>,
}

impl Raw {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let (file, _) = open(path)?;
        let mut file = BufReader::new(file);
        let start = file.fill_buf().map_err(|why| cannot_read(path, &why))?;
        let looks_packed = start.starts_with(&[0x1f, 0x8b]);
        let packed = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
        let parsed = if packed { parse(MultiGzDecoder::new(file)) } else { parse(file) };
        parsed.map_err(|why| {
            let error = Error::input(format!("{} is not a readable IDX file: {why}", path.display()));
            if looks_packed && !packed {
                error.hint("it is packed by gzip: its name has to end with .gz")
            } else {
                error
            }
        })
    }

    /// Whether the values were bytes.
    pub(super) fn is_bytes(&self) -> bool {
        self.code == 0x08
    }

    /// Hands on all values, some at a time.
    pub(super) fn pieces(&self, mut take: impl FnMut(&[f64]) -> Result<()>) -> Result<()> {
        let mut values = Vec::with_capacity(PIECE);
        self.data.chunks(PIECE * self.size).try_for_each(|piece| {
            values.clear();
            values.extend(piece.chunks_exact(self.size).map(self.decode));
            take(&values)
        })
    }
}

/// More dimensions than that are not a table's.
const MOST_AXES: u8 = 8;

type Decode = fn(&[u8]) -> f64;

/// The size of a value of the type `code`, and what its bytes say.
fn decoder(code: u8) -> Option<(usize, Decode)> {
    Some(match code {
        0x08 => (1, |b| f64::from(b[0]) / 255.0),
        0x09 => (1, |b| f64::from(b[0].cast_signed())),
        0x0B => (2, |b| f64::from(i16::from_be_bytes([b[0], b[1]]))),
        0x0C => (4, |b| f64::from(i32::from_be_bytes([b[0], b[1], b[2], b[3]]))),
        0x0D => (4, |b| f64::from(f32::from_be_bytes([b[0], b[1], b[2], b[3]]))),
        0x0E => (8, |b| f64::from_be_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])),
        _ => return None,
    })
}

fn parse(mut source: impl Read) -> std::result::Result<Raw, String> {
    let mut head = [0; 4];
    let mut fill = |bytes: &mut [u8]| {
        source.read_exact(bytes).map_err(|why| match why.kind() {
            std::io::ErrorKind::UnexpectedEof => "it ends within its header".to_owned(),
            _ => why.to_string(),
        })
    };
    fill(&mut head)?;
    let [0, 0, code, axes] = head else {
        return Err(format!("it starts with the bytes {} and {}, not with 0 and 0", head[0], head[1]));
    };
    if axes > MOST_AXES {
        return Err(format!("it names {axes} dimensions, the most is {MOST_AXES}"));
    }
    let (size, decode) = decoder(code).ok_or_else(|| format!("{code:#04x} is no type of values"))?;
    let mut shape = Vec::new();
    for _ in 0..axes {
        let mut side = [0; 4];
        fill(&mut side)?;
        shape.push(u32::from_be_bytes(side) as usize);
    }
    if shape.is_empty() {
        return Err("it holds no rows, only a number".to_owned());
    }
    // a side of 0 does not excuse the others: what multiplies them without it must not overflow
    let others = shape.iter().try_fold(size, |n, side| n.checked_mul(*side.max(&1)));
    let bytes = others.map(|n| if shape.contains(&0) { 0 } else { n });
    // One byte more than declared tells that there are too many; memory grows with what is really there.
    let limit = bytes.map_or(u64::MAX, |n| n as u64 + 1);
    let mut data = Vec::new();
    source.take(limit).read_to_end(&mut data).map_err(|why| why.to_string())?;
    if bytes != Some(data.len()) {
        let more = if bytes.is_some_and(|n| n < data.len()) { "at least " } else { "" };
        return Err(format!("shape {shape:?} of {size}-byte values does not fit {more}{} bytes of data", data.len()));
    }
    Ok(Raw { shape, code, size, decode, data })
}
