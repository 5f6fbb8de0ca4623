//! Tables of numbers from CSV, TSV, TXT, NPY, NPZ and IDX files and folders of images; every mistake is named with what is
//! wrong where.

use super::images::{self, ImageShape};
use super::{idx, npz};
use crate::error::{Error, Result};
use crate::points::Points;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

mod array;
mod columns;
mod text;

/// Named columns of numbers, at least two rows, every value finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name of each column: from the header, or its zero-based place in the file.
    pub names: Vec<String>,
    /// The values, one point per row.
    pub points: Points,
    /// What a row is, if it is an image.
    pub image: Option<ImageShape>,
    /// The step between the values of a format of images, which lie in `[0, 1]`.
    pub level: Option<f64>,
    /// Rows of the file; more than these where some lack a value and are left out.
    pub rows_read: usize,
}

/// What is wanted of a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part<'a> {
    /// Columns by name or zero-based place; all if not given.
    pub columns: Option<&'a [String]>,
    /// Columns of these that are left out.
    pub drop: Option<&'a [String]>,
    /// Whether the first row of a text table has names, even if they are numbers.
    pub header: bool,
    /// Whether rows that lack a chosen value are left out, not refused.
    pub drop_missing: bool,
    /// The array of an NPZ archive; the only one if not given.
    pub array: Option<&'a str>,
    /// Height and width, if the rows of a table are images.
    pub image: Option<[usize; 2]>,
}

/// How a file is read.
enum Format {
    /// By the extension: csv, tsv or txt.
    Text(String),
    Npy,
    Npz,
    Idx,
    Images,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Ok(Self::Images);
        }
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        let unpacked = name.strip_suffix(".gz").unwrap_or(&name);
        if unpacked.ends_with(".idx") || unpacked.ends_with("-ubyte") {
            return Ok(Self::Idx);
        }
        let extension = |name: &str| name.rsplit_once('.').map(|(_, extension)| extension.to_owned());
        match (extension(unpacked).as_deref(), extension(&name).as_deref()) {
            (Some(text @ ("csv" | "tsv" | "txt")), _) => Ok(Self::Text(text.to_owned())),
            (_, Some("npy")) => Ok(Self::Npy),
            (_, Some("npz")) => Ok(Self::Npz),
            _ => {
                let known = "csv, tsv, txt, npy, npz, idx, and .gz of text and idx";
                let message = format!("{} has none of the extensions {known}", path.display());
                Err(Error::input(message).hint("the extension says how the file is read: rename it"))
            }
        }
    }
}

/// Reads the wanted part of `path`.
///
/// The extension decides the format:
/// - `.csv` (commas, or semicolons where the first row has those and no comma but in numbers), `.tsv` (tabs), `.txt` (tabs,
///   commas, semicolons or white space, whichever the first row has), also packed as `.gz`. Between semicolons, numbers may
///   have a decimal comma. A first row that is not all numbers, or that is said to be one, is the header; without one the
///   columns are called "0", "1", ... Empty lines and lines that start with `#` are skipped. Columns that are not chosen may
///   hold text.
/// - `.npy`, and an array of an `.npz`: shape `[n, d]` or `[n]`.
/// - `.idx` or a name that ends with `-ubyte` (MNIST's format), also packed as `.gz`: each item is a row, bytes divided by
///   255.
/// - a folder: its PNG files in the order of their names, each a row `[height, width, channels]` in `[0, 1]`.
///
/// A column is chosen, or dropped, by its name or by its zero-based place.
///
/// # Errors
/// One sentence with the line, the column and both numbers: an unreadable or empty file, rows of different lengths, a
/// chosen cell that is not a finite number, fewer than two rows, an unknown or repeated column, a row that is no image of the
/// size that is asked for, and a constant column (in IDX files and images, whose margins are constant, only if all are).
pub fn read_table(path: &Path, part: Part<'_>) -> Result<Table> {
    let format = Format::of(path)?;
    if let (Some(array), false) = (part.array, matches!(format, Format::Npz)) {
        let message = format!("array `{array}` is wanted of {}, which is no .npz archive", path.display());
        return Err(Error::input(message).hint("leave --array out"));
    }
    if part.header && !matches!(format, Format::Text(_)) {
        let message = format!("a header is wanted of {}, which is no .csv, .tsv or .txt file", path.display());
        return Err(Error::input(message).hint("leave --header out"));
    }
    let images = part.image.is_some() || matches!(format, Format::Idx | Format::Images);
    let (mut own, mut level) = (None, None);
    let (names, dim, mut values) = match format {
        Format::Text(extension) => text::read(path, &extension, part)?,
        Format::Npy => {
            let (file, length) = open(path)?;
            array::read(path, &path.display(), BufReader::new(file), length, part)?
        }
        Format::Npz => {
            let (name, bytes) = npz::array_bytes(path, part.array)?;
            let name = format!("array `{name}` of {}", path.display());
            array::read(path, &name, &bytes[..], bytes.len() as u64, part)?
        }
        Format::Idx => {
            let raw = idx::Raw::read(path)?;
            let (shape, width) = (&raw.shape, raw.shape.iter().skip(1).product());
            own = shape.get(1).zip(shape.get(2)).and_then(|(height, side)| ImageShape::of(*height, *side, width));
            level = raw.is_bytes().then_some(1.0 / 255.0);
            let mut rows = array::Rows::new(path, shape[0], width, part)?;
            raw.pieces(|values| rows.take(values))?;
            rows.taken()
        }
        Format::Images => {
            let images::Images { shape, level: step, values } = images::read_images(path)?;
            (own, level) = (Some(shape), Some(step));
            array::Rows::new(path, values.len() / shape.values(), shape.values(), part)?.of(values)?
        }
    };
    let rows_read = values.len() / dim;
    if part.drop_missing {
        leave_out_missing(&mut values, dim);
    }
    let left_out = rows_read - values.len() / dim;
    if left_out > 0 && values.len() < 2 * dim {
        let message = format!(
            "a value is missing in {left_out} of {rows_read} rows of {}, at least 2 whole ones are needed",
            path.display()
        );
        return Err(Error::input(message).hint("--drop leaves out columns with many gaps"));
    }
    if values.len() < 2 * dim {
        return Err(too_few(path, values.len() / dim));
    }
    let points = Points::new(dim, values);
    check_varied(path, &names, &points, images)?;
    Ok(Table { image: shape(path, part.image, own, dim)?, names, points, level, rows_read })
}

/// Leaves out the rows of `dim` values that hold NaN.
fn leave_out_missing(values: &mut Vec<f64>, dim: usize) {
    let mut kept = 0;
    for row in (0..values.len()).step_by(dim) {
        if !values[row..row + dim].iter().any(|v| v.is_nan()) {
            values.copy_within(row..row + dim, kept);
            kept += dim;
        }
    }
    values.truncate(kept);
}

/// What a row of `dim` values is: of the size that is asked for, or as the file says if all its columns were taken.
fn shape(path: &Path, asked: Option<[usize; 2]>, own: Option<ImageShape>, dim: usize) -> Result<Option<ImageShape>> {
    let Some([height, width]) = asked else { return Ok(own.filter(|shape| shape.values() == dim)) };
    match ImageShape::of(height, width, dim) {
        Some(shape) => Ok(Some(shape)),
        None => {
            let (path, pixels) = (path.display(), height.saturating_mul(width));
            Err(Error::input(format!(
                "{path} has {dim} columns, an image of {height} x {width} has {pixels} or, in colour, three times as many"
            ))
            .hint("--drop leaves a label out"))
        }
    }
}

fn too_few(path: &Path, rows: usize) -> Error {
    let rows = if rows == 0 { "no row" } else { "one row" };
    Error::input(format!("{} holds {rows} of numbers, at least 2 are needed", path.display()))
}

/// The names of the chosen columns, how many they are, and their values, row-major.
type Taken = (Vec<String>, usize, Vec<f64>);

/// A file and its length, or why there is none.
pub(super) fn open(path: &Path) -> Result<(File, u64)> {
    if path.is_dir() {
        return Err(Error::input(format!("{} is a directory, not a file", path.display())));
    }
    let file = File::open(path).map_err(|why| cannot_read(path, &why))?;
    match file.metadata().map_err(|why| cannot_read(path, &why))?.len() {
        0 => Err(Error::input(format!("{} is empty", path.display()))),
        length => Ok((file, length)),
    }
}

pub(super) fn cannot_read(path: &Path, why: &std::io::Error) -> Error {
    match why.kind() {
        std::io::ErrorKind::NotFound => Error::input(format!("there is no file {}", path.display())),
        _ => Error::input(format!("cannot read {}: {why}", path.display())),
    }
}

/// Refuses a column that holds one value only: it has no density, and no scale to standardise by. Images always have
/// some: there all columns have to.
fn check_varied(path: &Path, names: &[String], points: &Points, images: bool) -> Result<()> {
    let path = path.display();
    let mut constant = points.constant_columns().peekable();
    let Some(&axis) = constant.peek() else { return Ok(()) };
    if images && constant.count() < points.dim() {
        return Ok(());
    }
    let count = points.count();
    if images {
        return Err(Error::input(format!("all {count} rows of {path} are equal: they have no density")));
    }
    let (name, first) = (&names[axis], points.row(0)[axis]);
    let message = format!("column `{name}` of {path} is {first} in all {count} rows: it has no density");
    Err(Error::input(message).hint("leave it out with --drop; pixels may be constant: --image HxW"))
}

#[cfg(test)]
mod tests;
