//! The rows of an array as a table whose columns are numbered, taken in as their values come.

use std::fmt::Display;
use std::io::Read;
use std::path::Path;

use super::columns::choose;
use super::{Part, Taken};
use crate::data::npy::{Incoming, Problem};
use crate::error::{Error, Result};

/// The chosen columns of the rows so far.
pub(super) struct Rows<'a> {
    path: &'a Path,
    names: Vec<String>,
    chosen: Vec<usize>,
    kept: Vec<f64>,
    /// The row that is under way, if some of its columns are left out or in another order.
    row: Vec<f64>,
    /// Values that have come.
    come: usize,
    /// Whether values may be missing, which NaN stands for.
    gaps: bool,
}

impl<'a> Rows<'a> {
    /// Room for `count` rows of `dim` values each, of which a part is wanted.
    pub(super) fn new(path: &'a Path, count: usize, dim: usize, part: Part<'_>) -> Result<Self> {
        // Without a row, nothing bounds the number of columns that the file declares.
        if count == 0 || dim == 0 {
            return Err(super::too_few(path, 0));
        }
        let names: Vec<String> = (0..dim).map(|i| i.to_string()).collect();
        let chosen = choose(path, &names, part)?;
        Ok(Self { path, names, chosen, kept: Vec::new(), row: Vec::new(), come: 0, gaps: part.drop_missing })
    }

    fn whole(&self) -> bool {
        self.chosen.len() == self.names.len() && self.chosen.is_sorted()
    }

    /// Takes the next values, row-major.
    pub(super) fn take(&mut self, mut values: &[f64]) -> Result<()> {
        let (dim, first) = (self.names.len(), self.come);
        let wanted = |i: &usize| self.chosen.contains(&((first + i) % dim));
        if let Some(bad) = (0..values.len()).filter(|i| !self.may_be(values[*i])).find(wanted) {
            return Err(self.infinite((first + bad) / dim, (first + bad) % dim, values[bad]));
        }
        self.come += values.len();
        if self.whole() {
            self.kept.extend_from_slice(values);
            return Ok(());
        }
        while !values.is_empty() {
            let (next, rest) = values.split_at(values.len().min(dim - self.row.len()));
            self.row.extend_from_slice(next);
            values = rest;
            if self.row.len() == dim {
                self.kept.extend(self.chosen.iter().map(|place| self.row[*place]));
                self.row.clear();
            }
        }
        Ok(())
    }

    /// Takes all values of `count` rows, column after column.
    fn take_columns(&mut self, count: usize, array: Incoming<impl Read>) -> std::result::Result<(), Problem> {
        let width = self.chosen.len();
        self.kept = vec![0.0; count * width];
        let mut at = 0;
        array.read(|values| {
            for value in values {
                let (row, column) = (at % count, at / count);
                at += 1;
                let Some(place) = self.chosen.iter().position(|c| *c == column) else { continue };
                if !self.may_be(*value) {
                    return Err(self.infinite(row, column, *value));
                }
                self.kept[row * width + place] = *value;
            }
            Ok(())
        })
    }

    /// All values at once.
    pub(super) fn of(mut self, values: Vec<f64>) -> Result<Taken> {
        if self.whole() {
            self.kept = values;
        } else {
            self.take(&values)?;
        }
        Ok(self.taken())
    }

    fn may_be(&self, value: f64) -> bool {
        value.is_finite() || self.gaps && value.is_nan()
    }

    fn infinite(&self, row: usize, column: usize, value: f64) -> Error {
        let path = self.path.display();
        let error = Error::input(format!("{path}, row {row}, column {column}: {value} is not a finite number"));
        if value.is_nan() { error.hint("--drop-missing leaves out such rows, --drop a column") } else { error }
    }

    /// The names of the chosen columns, how many they are, and their values.
    pub(super) fn taken(self) -> Taken {
        let names = self.chosen.iter().map(|i| self.names[*i].clone()).collect();
        (names, self.chosen.len(), self.kept)
    }
}

/// The wanted part of an array `[n, d]` or `[n]` called `name`, of `length` bytes.
pub(super) fn read(path: &Path, name: &dyn Display, source: impl Read, length: u64, part: Part<'_>) -> Result<Taken> {
    let array = Incoming::open(source, length).map_err(|why| why.of(name))?;
    let (count, dim) = match array.shape[..] {
        [count] => (count, 1),
        [count, dim] if dim > 0 => (count, dim),
        _ => {
            let message = format!("{} holds an array of shape {:?}, not [n, d] or [n]", path.display(), array.shape);
            return Err(Error::input(message).hint("in Python, array.reshape(len(array), -1) makes rows of it"));
        }
    };
    let mut rows = Rows::new(path, count, dim, part)?;
    let done = if array.fortran { rows.take_columns(count, array) } else { array.read(|values| rows.take(values)) };
    done.map_err(|why| why.of(name))?;
    Ok(rows.taken())
}
