//! What the fuzz targets share: bytes become a file in memory, which is loaded as `tests/mutated` loads it.

#![allow(clippy::unwrap_used)]

#[path = "../mutated/loading.rs"]
mod loading;
#[path = "../mutated/memory.rs"]
mod memory;

use std::path::PathBuf;
use std::sync::LazyLock;

/// How many bytes a byte of text, or of an array, may become.
pub const TEXT: usize = loading::TEXT;
/// How many bytes a byte of a compressed file may become.
pub const DEFLATED: usize = loading::DEFLATED;

/// Loads `bytes` as a file of each ending.
pub fn load(bytes: &[u8], endings: &[&str], growth: usize) {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| loading::folder("fuzzed"));
    for ending in endings {
        loading::is_read(&FOLDER.join(format!("fuzzed.{ending}")), bytes, growth);
    }
}
