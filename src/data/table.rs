//! Reading the numeric columns of a CSV, TSV, TXT or NPY file, with an error that says what is wrong where.

use super::npy::read_npy;
use crate::error::{Error, Result, nearest};
use crate::points::Points;
use std::fs;
use std::path::Path;

mod text;

/// Named columns of numbers, at least two rows, every value finite and no column constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name of each column: from the header, or its zero-based place in the file.
    pub names: Vec<String>,
    /// The values, one point per row.
    pub points: Points,
}

/// Reads the chosen columns of `path`, or all of them.
///
/// The extension decides the format: `.csv` (commas), `.tsv` (tabs), `.txt` (tabs, commas, semicolons or white space,
/// whichever the first row has) or `.npy` (shape `[n, d]` or `[n]`). A first row that is not all numbers is the
/// header; without one the columns are called "0", "1", ... Empty lines and lines that start with `#` are skipped. A
/// column is chosen by its name or by its zero-based place; columns that are not chosen may hold text.
///
/// # Errors
/// One sentence with the line, the column and both numbers: an unreadable or empty file, rows of different lengths, a
/// chosen cell that is not a finite number, fewer than two rows, an unknown or repeated column, a constant column.
pub fn read_table(path: &Path, columns: Option<&[String]>) -> Result<Table> {
    if path.is_dir() {
        return Err(Error::input(format!("{} is a directory, not a file", path.display())));
    }
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_lowercase();
    let (names, dim, values) = match extension.as_str() {
        "csv" | "tsv" | "txt" => text::read(path, &extension, columns)?,
        "npy" => read_array(path, columns)?,
        _ => {
            let message = format!("{} has none of the extensions csv, tsv, txt and npy", path.display());
            return Err(Error::input(message).hint("the extension says how the file is read: rename it"));
        }
    };
    let rows = values.len() / dim;
    if rows < 2 {
        let rows = if rows == 0 { "no row".to_owned() } else { "one row".to_owned() };
        return Err(Error::input(format!("{} holds {rows} of numbers, at least 2 are needed", path.display())));
    }
    let points = Points::new(dim, values);
    check_varied(path, &names, &points)?;
    Ok(Table { names, points })
}

/// The bytes of a file, or why there are none.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        return Err(Error::input(format!("{} is a directory, not a file", path.display())));
    }
    let bytes = fs::read(path).map_err(|why| match why.kind() {
        std::io::ErrorKind::NotFound => Error::input(format!("there is no file {}", path.display())),
        _ => Error::input(format!("cannot read {}: {why}", path.display())),
    })?;
    if bytes.is_empty() {
        return Err(Error::input(format!("{} is empty", path.display())));
    }
    Ok(bytes)
}

/// The places of the chosen columns among `names`, all of them if none were chosen by name.
fn choose(path: &Path, names: &[String], columns: Option<&[String]>) -> Result<Vec<usize>> {
    let Some(columns) = columns else {
        return Ok((0..names.len()).collect());
    };
    if columns.is_empty() {
        return Err(Error::input(format!("no column of {} was chosen", path.display())));
    }
    let mut chosen: Vec<usize> = Vec::with_capacity(columns.len());
    for column in columns {
        let place = find(path, names, column)?;
        if chosen.contains(&place) {
            return Err(Error::input(format!("column `{}` of {} was chosen twice", names[place], path.display())));
        }
        chosen.push(place);
    }
    Ok(chosen)
}

/// The place of the column called `column`, or numbered so.
fn find(path: &Path, names: &[String], column: &str) -> Result<usize> {
    let named: Vec<usize> = (0..names.len()).filter(|i| names[*i] == column).collect();
    match (named.as_slice(), column.parse::<usize>()) {
        ([place], _) => Ok(*place),
        ([first, second, ..], _) => {
            let message = format!("columns {first} and {second} of {} are both called `{column}`", path.display());
            Err(Error::input(message).hint("choose by number, counted from 0"))
        }
        ([], Ok(place)) if place < names.len() => Ok(place),
        ([], parsed) => {
            let (count, all) = (names.len(), listing(names));
            let message = match parsed {
                Ok(_) => format!("there is no column {column} in {}: it has {count}, counted from 0", path.display()),
                Err(_) => format!("there is no column `{column}` in {}", path.display()),
            };
            Err(Error::input(message).hint(match nearest(column, names.iter().map(String::as_str)) {
                Some(name) => format!("did you mean `{name}`? The columns are: {all}"),
                None => format!("the columns are: {all}"),
            }))
        }
    }
}

/// The names for a hint, cut after twenty.
fn listing(names: &[String]) -> String {
    let shown = names.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 20 { format!("{shown}, ... ({} in all)", names.len()) } else { shown }
}

/// The chosen columns of an NPY array.
fn read_array(path: &Path, columns: Option<&[String]>) -> Result<(Vec<String>, usize, Vec<f64>)> {
    let (shape, values) = read_npy(path)?;
    let dim = match shape.as_slice() {
        [_] => 1,
        [_, dim] if *dim > 0 => *dim,
        _ => {
            let message = format!("{} holds an array of shape {shape:?}, not [n, d] or [n]", path.display());
            return Err(Error::input(message).hint("in Python, array.reshape(len(array), -1) makes rows of it"));
        }
    };
    let names: Vec<String> = (0..dim).map(|i| i.to_string()).collect();
    let chosen = choose(path, &names, columns)?;
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

/// Refuses a column that holds one value only: it has no density, and no scale to standardise by.
fn check_varied(path: &Path, names: &[String], points: &Points) -> Result<()> {
    for (axis, name) in names.iter().enumerate() {
        let first = points.row(0)[axis];
        if points.rows().all(|row| row[axis] == first) {
            let message = format!(
                "column `{name}` of {} is {first} in all {} rows: it has no density",
                path.display(),
                points.count()
            );
            return Err(Error::input(message).hint("leave it out by choosing the other columns"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
