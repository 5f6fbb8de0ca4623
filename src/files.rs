//! Files that are either whole or not there.

use std::path::Path;

use crate::error::{Error, Result};

/// Writes `bytes` beside `path` under a temporary name, syncs, and renames, so that no reader sees half a file.
///
/// # Errors
/// The folder is missing or cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write as _;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    std::fs::File::create(&part)
        .and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()))
        .and_then(|()| std::fs::rename(&part, path))
        .map_err(|e| {
            // a leftover must not be taken for the file; that it cannot be removed adds nothing to the error
            drop(std::fs::remove_file(&part));
            Error::input(format!("cannot write {}: {e}", path.display()))
        })
}
