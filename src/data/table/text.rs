//! Lines of text cells as numbers: the delimiter, the header, and errors by line and column.

use super::columns::choose;
use super::{Part, read_bytes};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::path::Path;

/// What separates the cells of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Byte(u8),
    WhiteSpace,
}

/// The names of the chosen columns, how many they are, and their values, row-major.
pub(super) fn read(path: &Path, extension: &str, part: Part<'_>) -> Result<(Vec<String>, usize, Vec<f64>)> {
    let bytes = read_bytes(path)?;
    let text = decode(path, &bytes)?;
    let filled = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    // Lines are counted from 1, the skipped ones included, so that an editor finds them.
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| filled(line)).peekable();
    let Some(&(first_number, first)) = lines.peek() else {
        return Err(Error::input(format!("{} holds only empty lines and comments", path.display())));
    };
    let delimiter = match extension {
        "csv" => Delimiter::Byte(b','),
        "tsv" => Delimiter::Byte(b'\t'),
        _ => guess(first),
    };
    let head = cells(path, first_number, first, delimiter)?;
    let width = head.len();
    let names: Vec<String> = if head.iter().all(|cell| cell.parse::<f64>().is_ok()) {
        (0..width).map(|i| i.to_string()).collect()
    } else {
        lines.next();
        (0..).zip(&head).map(|(i, cell)| if cell.is_empty() { format!("{i}") } else { cell.to_string() }).collect()
    };
    if lines.peek().is_none() {
        return Err(Error::input(format!("{} holds a header and no rows", path.display())));
    }
    let chosen = choose(path, &names, part)?;
    let mut values = Vec::new();
    for (number, line) in lines {
        let row = cells(path, number, line, delimiter)?;
        if row.len() != width {
            let (count, path) = (row.len(), path.display());
            let message = format!("{path}, line {number} has {count} cells, line {first_number} has {width}");
            return Err(Error::input(message));
        }
        for place in &chosen {
            let value = number_in(&row[*place]).map_err(|why| {
                let message = format!("{}, line {number}, column `{}`: {why}", path.display(), names[*place]);
                advise(Error::input(message), &names, &row, part.columns)
            })?;
            values.push(value);
        }
    }
    Ok((chosen.iter().map(|i| names[*i].clone()).collect(), chosen.len(), values))
}

/// The file as text without a byte order mark.
fn decode<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str> {
    let text = std::str::from_utf8(bytes).map_err(|why| {
        let line = 1 + bytes[..why.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        Error::input(format!("{}, line {line} is not UTF-8 text", path.display()))
            .hint("save the file as UTF-8, and a NumPy array as .npy")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The delimiter of a `.txt` file, by its first row.
fn guess(line: &str) -> Delimiter {
    let found = [b'\t', b',', b';'].into_iter().find(|b| line.as_bytes().contains(b));
    found.map_or(Delimiter::WhiteSpace, Delimiter::Byte)
}

/// The trimmed cells of a line; a quoted cell must close on its line.
fn cells<'a>(path: &Path, number: usize, line: &'a str, delimiter: Delimiter) -> Result<Vec<Cow<'a, str>>> {
    match delimiter {
        Delimiter::WhiteSpace => Ok(line.split_whitespace().map(Cow::Borrowed).collect()),
        Delimiter::Byte(byte) if !line.contains('"') => {
            Ok(line.split(char::from(byte)).map(|cell| Cow::Borrowed(cell.trim())).collect())
        }
        Delimiter::Byte(byte) => {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .delimiter(byte)
                .trim(csv::Trim::All)
                .from_reader(line.as_bytes());
            let record = reader.records().next().and_then(std::result::Result::ok);
            let open = || Error::input(format!("{}, line {number}: a quoted cell cannot be read", path.display()));
            let record = record.ok_or_else(open)?;
            Ok(record.iter().map(|cell| Cow::Owned(cell.to_owned())).collect())
        }
    }
}

/// The finite number in a cell, or what is in it instead.
fn number_in(cell: &str) -> std::result::Result<f64, String> {
    let shown: String = cell.chars().take(40).collect();
    match cell.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(format!("`{shown}` is not a finite number")),
        Err(_) if cell.is_empty() => Err("the cell is empty".to_owned()),
        Err(_) => Err(format!("`{shown}` is not a number")),
    }
}

/// Names the numeric columns if the user chose none and some of them hold text.
fn advise(error: Error, names: &[String], row: &[Cow<'_, str>], columns: Option<&[String]>) -> Error {
    let numeric = names.iter().zip(row).filter(|(_, cell)| number_in(cell).is_ok()).map(|(name, _)| name.as_str());
    let numeric: Vec<&str> = numeric.take(20).collect();
    if columns.is_some() || numeric.is_empty() {
        return error;
    }
    error.hint(format!("columns with numbers on this line: {}", numeric.join(",")))
}
