//! Files that are either whole or not there.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// Writes `bytes` beside `path` under a temporary name, syncs, renames and syncs the folder, so that after a crash at any
/// moment the file is the old one or the new one.
///
/// # Errors
/// The folder is missing or cannot be written (wrong input), or the disk is full or fails.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = part_of(path);
    write_synced(&part, bytes).and_then(|()| move_into_place(&part, path)).map_err(|e| {
        // a leftover must not be taken for the file; that it cannot be removed adds nothing to the error
        drop(std::fs::remove_file(&part));
        cannot_write(path, &e)
    })
}

/// Writes a file and puts it on the disk.
fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    file.write_all(half)?;
    moment();
    file.write_all(rest)?;
    file.sync_all()
}

/// Moments until the process is aborted; 0 for never.
static LEFT: AtomicUsize = AtomicUsize::new(0);

/// Aborts the process at the `count`-th moment from now at which a file is half written, has just been renamed or has grown in its
/// place: for tests of what a killed program leaves.
#[doc(hidden)]
pub fn abort_at(count: usize) {
    LEFT.store(count, Ordering::Relaxed);
}

/// One of the moments that [`abort_at`] counts.
#[doc(hidden)]
pub fn moment() {
    if LEFT.load(Ordering::Relaxed) > 0 && LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
        std::process::abort();
    }
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
    moment();
    sync_name(path)
}

/// Puts the name of a file or folder that was just made on the disk, so that it outlives a crash.
///
/// # Errors
/// The folder that it lies in cannot be opened, or the disk fails.
pub fn sync_name(path: &Path) -> std::io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_leaves_what_there_was() {
        let folder = std::env::temp_dir().join(format!("ebm-gpu-files-{}", std::process::id()));
        let [old, new] = ["old", "new"].map(|name| folder.join(name));
        // what is in the way of one temporary name, and of one name
        std::fs::create_dir_all(part_of(&old)).expect("folder");
        std::fs::create_dir_all(&new).expect("folder");
        std::fs::write(&old, "whole").expect("written");
        for path in [&old, &new] {
            let said = write_atomically(path, b"another").expect_err("refused").to_string();
            assert!(said.starts_with(&format!("cannot write {}: ", path.display())), "{said}");
        }
        assert_eq!(std::fs::read(&old).expect("readable"), b"whole");
        let entries = std::fs::read_dir(&folder).expect("folder").map(|entry| entry.expect("entry").file_name());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        assert_eq!(names, ["new", "old", "old.part"], "nothing else is left");
        // once nothing is in the way, it is written
        std::fs::remove_dir(part_of(&old)).expect("removable");
        write_atomically(&old, b"another").expect("written");
        assert_eq!(std::fs::read(&old).expect("readable"), b"another");
        assert!(!part_of(&old).exists());
        std::fs::remove_dir_all(folder).expect("removable");
    }
}
