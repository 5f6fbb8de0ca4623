//! Files that are either whole or not there.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes `bytes` beside `path` under a temporary name, syncs, renames and syncs the folder, so that after a crash at any
/// moment the file is the old one or the new one.
///
/// # Errors
/// The folder is missing or cannot be written (wrong input), or the disk is full or fails.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = part_of(path);
    std::fs::File::create(&part)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| move_into_place(&part, path))
        .map_err(|e| {
            // a leftover must not be taken for the file; that it cannot be removed adds nothing to the error
            drop(std::fs::remove_file(&part));
            cannot_write(path, &e)
        })
}

/// The temporary name beside `path`.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// Renames a synced temporary file and syncs the folder, so that the new name outlives a crash.
pub(crate) fn move_into_place(part: &Path, path: &Path) -> std::io::Result<()> {
    std::fs::rename(part, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // only Unix opens folders
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// That `path` cannot be written: the user's matter where the place is wrong, a failure where the disk is.
pub fn cannot_write(path: &Path, why: &std::io::Error) -> Error {
    let message = format!("cannot write {}: {why}", path.display());
    match why.kind() {
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem => Error::input(message),
        _ => Error::failed(message),
    }
}
