//! Lines of text cells as numbers: the delimiter, the header, and errors by line and column. One line at a time is in memory.

use super::columns::choose;
use super::{Part, Taken, cannot_read, open};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// What separates the cells of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Byte(u8),
    WhiteSpace,
}

/// The names of the chosen columns, how many they are, and their values, row-major; NaN where one is missing and may be. A name
/// that ends with `.gz` says that the file is packed.
pub(super) fn read(path: &Path, extension: &str, part: Part<'_>) -> Result<Taken> {
    let (file, packed) = (open(path)?.0, path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")));
    let file: Box<dyn BufRead> =
        if packed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(BufReader::new(file)) };
    let mut lines = Lines { path, file, line: Vec::new(), number: 0 };
    let Some((first_number, first)) = lines.next()? else {
        return Err(Error::input(format!("{} holds only empty lines and comments", path.display())));
    };
    let first = first.to_owned();
    let delimiter = match extension {
        "csv" if has_semicolons(&first) => Delimiter::Byte(b';'),
        "csv" => Delimiter::Byte(b','),
        "tsv" => Delimiter::Byte(b'\t'),
        _ => guess(&first),
    };
    let head = cells(path, first_number, &first, delimiter)?;
    let width = head.len();
    // a value may be missing in the first row as in any other
    let is_number = |cell: &str| parse(cell, delimiter).is_some();
    let is_value = |cell: &str| is_number(cell) || stands_for_nothing(cell);
    let headless = !part.header && head.iter().any(|cell| is_number(cell)) && head.iter().all(|cell| is_value(cell));
    let names: Vec<String> = if headless {
        (0..width).map(|i| i.to_string()).collect()
    } else {
        (0..).zip(&head).map(|(i, cell)| if cell.is_empty() { format!("{i}") } else { cell.to_string() }).collect()
    };
    // a file without rows is told before a column that is not there
    let mut rows =
        Reader { path, part, delimiter, names, first_number, chosen: Vec::new(), values: Vec::new(), marks: [None; 2] };
    let mut next = if headless { Some((first_number, first.as_str())) } else { lines.next()? };
    if next.is_none() {
        return Err(Error::input(format!("{} holds a header and no rows", path.display())));
    }
    rows.chosen = choose(path, &rows.names, part)?;
    while let Some((number, line)) = next {
        rows.take(number, line)?;
        next = lines.next()?;
    }
    let names = rows.chosen.iter().map(|i| rows.names[*i].clone()).collect();
    Ok((names, rows.chosen.len(), rows.values))
}

/// The lines of a file that are neither empty nor comments.
struct Lines<'a> {
    path: &'a Path,
    file: Box<dyn BufRead>,
    line: Vec<u8>,
    /// Lines so far, the skipped ones included, so that an editor finds them.
    number: usize,
}

impl Lines<'_> {
    /// The next line without its end, and its number counted from 1.
    fn next(&mut self) -> Result<Option<(usize, &str)>> {
        loop {
            self.line.clear();
            let read = self.file.read_until(b'\n', &mut self.line).map_err(|why| cannot_read(self.path, &why))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.number == 1 && self.line.starts_with("\u{feff}".as_bytes()) {
                self.line.drain(..3);
            }
            let ends = [&b"\r\n"[..], b"\n"];
            let end = ends.into_iter().find(|end| self.line.ends_with(end)).map_or(0, <[u8]>::len);
            self.line.truncate(self.line.len() - end);
            let skipped = self.line.trim_ascii().is_empty() || is_comment(&self.line);
            if std::str::from_utf8(&self.line).is_err() {
                return Err(Error::input(format!("{}, line {} is not UTF-8 text", self.path.display(), self.number))
                    .hint("save the file as UTF-8, and a NumPy array as .npy"));
            }
            if !skipped {
                break;
            }
        }
        Ok(std::str::from_utf8(&self.line).ok().map(|line| (self.number, line)))
    }
}

/// Whether a line is a comment, and does not begin with a code that is written so.
fn is_comment(line: &[u8]) -> bool {
    let code = line.split(|b| matches!(b, b',' | b';' | b'\t' | b' ')).next().unwrap_or_default();
    line.starts_with(b"#") && !std::str::from_utf8(code).is_ok_and(|code| code.len() > 1 && stands_for_nothing(code))
}

/// The values so far.
struct Reader<'a> {
    path: &'a Path,
    part: Part<'a>,
    delimiter: Delimiter,
    names: Vec<String>,
    first_number: usize,
    chosen: Vec<usize>,
    values: Vec<f64>,
    /// Between semicolons: the first lines with a decimal comma and with a point.
    marks: [Option<usize>; 2],
}

impl Reader<'_> {
    fn take(&mut self, number: usize, line: &str) -> Result<()> {
        let row = cells(self.path, number, line, self.delimiter)?;
        let width = self.names.len();
        if row.len() != width {
            let (count, path) = (row.len(), self.path.display());
            let cells = if count == 1 { "cell" } else { "cells" };
            let message = format!("{path}, line {number} has {count} {cells}, line {} has {width}", self.first_number);
            let error = Error::input(message);
            return Err(match row.iter().find_map(|cell| other_separator(cell)) {
                Some(hint) => error.hint(hint),
                // as decimal commas make it
                None if self.delimiter == Delimiter::Byte(b',') && count == 2 * width => error.hint(WRITTEN),
                None => error,
            });
        }
        for place in &self.chosen {
            let cell = &row[*place];
            let value = match number_in(cell, self.delimiter) {
                Err(_) if self.part.drop_missing && stands_for_nothing(cell) => f64::NAN,
                found => found.map_err(|why| self.no_number(number, *place, &row, &why))?,
            };
            self.values.push(value);
        }
        self.one_mark(number, &row)
    }

    /// Refuses points beside decimal commas: they may stand between thousands.
    fn one_mark(&mut self, number: usize, row: &[Cow<'_, str>]) -> Result<()> {
        if self.delimiter != Delimiter::Byte(b';') {
            return Ok(());
        }
        for (mark, first) in [',', '.'].into_iter().zip(&mut self.marks) {
            let has_mark = |place: &usize| row[*place].contains(mark) && parse(&row[*place], self.delimiter).is_some();
            *first = first.or_else(|| self.chosen.iter().any(has_mark).then_some(number));
        }
        let [Some(comma), Some(point)] = self.marks else { return Ok(()) };
        let path = self.path.display();
        Err(Error::input(format!("{path} has a decimal comma in line {comma} and a point in line {point}"))
            .hint("write all numbers one way, without marks between thousands"))
    }

    /// That a cell is no number, and what may be done about it: the row mended, the separators, or other columns chosen.
    fn no_number(&self, number: usize, place: usize, row: &[Cow<'_, str>], why: &str) -> Error {
        let (path, name, cell) = (self.path.display(), &self.names[place], &row[place]);
        let error = Error::input(format!("{path}, line {number}, column `{name}`: {why}"));
        if parse(cell, self.delimiter).is_some_and(f64::is_infinite) {
            return error.hint(format!("mend line {number} or leave it out; --drop leaves a whole column out"));
        }
        if stands_for_nothing(cell) {
            return error.hint(format!(
                "a value is missing: mend line {number}, or --drop-missing leaves out such rows and --drop a column"
            ));
        }
        if let Some(hint) = other_separator(cell) {
            return error.hint(hint);
        }
        let with_numbers = self.names.iter().zip(row).filter(|(_, cell)| number_in(cell, self.delimiter).is_ok());
        let numeric: Vec<&str> = with_numbers.map(|(name, _)| name.as_str()).take(20).collect();
        if self.part.columns.is_some() || numeric.is_empty() {
            return error;
        }
        error.hint(format!("--columns {} takes those with numbers on this line", numeric.join(",")))
    }
}

/// The delimiter of a `.txt` file, by its first row.
fn guess(line: &str) -> Delimiter {
    match [b'\t', b',', b';'].into_iter().find(|b| line.as_bytes().contains(b)) {
        Some(b',') if has_semicolons(line) => Delimiter::Byte(b';'),
        found => found.map_or(Delimiter::WhiteSpace, Delimiter::Byte),
    }
}

/// Whether cells are separated by semicolons, as where numbers have decimal commas: no comma stands beside them but in numbers.
fn has_semicolons(line: &str) -> bool {
    let is_number = |cell: &str| parse(cell.trim(), Delimiter::Byte(b';')).is_some();
    line.contains(';') && (!line.contains(',') || line.split(';').all(is_number))
}

/// The number that a cell is; between semicolons it may have a decimal comma.
fn parse(cell: &str, delimiter: Delimiter) -> Option<f64> {
    let plain = cell.parse().ok();
    let is_comma_decimal =
        || delimiter == Delimiter::Byte(b';') && cell.matches(',').count() == 1 && !cell.contains('.');
    plain.or_else(|| if is_comma_decimal() { cell.replace(',', ".").parse().ok() } else { None })
}

/// The trimmed cells of a line; a quoted cell must close on its line.
fn cells<'a>(path: &Path, number: usize, line: &'a str, delimiter: Delimiter) -> Result<Vec<Cow<'a, str>>> {
    match delimiter {
        Delimiter::WhiteSpace => Ok(line.split_whitespace().map(Cow::Borrowed).collect()),
        Delimiter::Byte(byte) if !line.contains('"') => {
            Ok(line.split(char::from(byte)).map(|cell| Cow::Borrowed(cell.trim())).collect())
        }
        Delimiter::Byte(byte) => {
            // one delimiter more: an open cell would take it in, where a closed one is followed by an empty cell
            let longer = line.as_bytes().chain(std::slice::from_ref(&byte));
            let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(byte).from_reader(longer);
            let record = reader.records().next().and_then(std::result::Result::ok);
            let mut row: Vec<Cow<'a, str>> =
                record.iter().flatten().map(|cell| Cow::Owned(cell.trim().to_owned())).collect();
            let last = record.as_ref().and_then(|record| record.iter().next_back());
            if last != Some("") {
                return Err(Error::input(format!("{}, line {number}: a quoted cell does not end", path.display()))
                    .hint("it ends on its line, and a quote inside of it is written twice"));
            }
            row.pop();
            Ok(row)
        }
    }
}

/// Whether a cell is empty, or holds what programs write for a missing value.
fn stands_for_nothing(cell: &str) -> bool {
    const CODES: &[&str] = &["na", "n/a", "null", "none", "missing", "-", ".", "?", "1.#ind", "-1.#ind", "1.#qnan"];
    let is_nan = cell.parse::<f64>().is_ok_and(f64::is_nan);
    cell.is_empty() || is_nan || CODES.contains(&cell.to_ascii_lowercase().trim_matches(['<', '>', '#']))
}

/// The finite number in a cell, or what is in it instead.
fn number_in(cell: &str, delimiter: Delimiter) -> std::result::Result<f64, String> {
    let shown = || cell.chars().take(40).collect::<String>();
    match parse(cell, delimiter) {
        Some(value) if value.is_finite() => Ok(value),
        Some(_) => Err(format!("`{}` is not a finite number", shown())),
        None if cell.is_empty() => Err("the cell is empty".to_owned()),
        None => Err(format!("`{}` is not a number", shown())),
    }
}

/// How numbers are written.
const WRITTEN: &str = "cells are separated by commas in .csv, where numbers have a decimal point, or by semicolons, where they may \
                       have a decimal comma, and by tabs in .tsv";

/// Advice where what separates numbers in other files stands beside a number within a cell.
fn other_separator(cell: &str) -> Option<String> {
    let is_number = |piece: &str| piece.trim().replace(',', ".").parse::<f64>().is_ok();
    let separators = [(';', "`;`"), ('\t', "a tab"), (',', "a comma")];
    let found = |(mark, _): &(char, &str)| cell.contains(*mark) && cell.split(*mark).any(is_number);
    separators.into_iter().find(found).map(|(_, name)| format!("found {name} beside a number: {WRITTEN}"))
}
