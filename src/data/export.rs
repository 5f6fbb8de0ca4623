//! Points written to a file that [`read_table`](super::read_table) reads back exactly.

use std::path::Path;

use super::npy::write_npy_f64;
use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::points::Points;

/// How points are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A header and a line for each point, every number with as many digits as it needs.
    Csv,
    /// An array `[n, d]` of f8.
    Npy,
}

impl ExportFormat {
    /// The format that the extension of `path` asks for.
    ///
    /// # Errors
    /// If it is neither csv nor npy.
    pub fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|e| e.to_str()).map(str::to_lowercase).as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("npy") => Ok(Self::Npy),
            _ => Err(Error::input(format!("{} has neither of the extensions csv and npy", path.display()))
                .hint("the extension says how the file is written")),
        }
    }

    /// Writes `points` with these names of their coordinates (which NPY has no place for).
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(self, path: &Path, columns: &[String], points: &Points) -> Result<()> {
        if self == Self::Npy {
            return write_npy_f64(path, &[points.count(), points.dim()], points.values());
        }
        let cannot = |why: &dyn std::fmt::Display| Error::failed(format!("cannot write {}: {why}", path.display()));
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(columns).map_err(|e| cannot(&e))?;
        for row in points.rows() {
            writer.write_record(row.iter().map(f64::to_string)).map_err(|e| cannot(&e))?;
        }
        write_atomically(path, &writer.into_inner().map_err(|e| cannot(&e))?)
    }
}
