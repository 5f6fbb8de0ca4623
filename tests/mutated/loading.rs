//! What loaders may do with a file, whatever its bytes.

use std::path::{Path, PathBuf};

use ebm_gpu::data::images::read_images;
use ebm_gpu::data::table::{Part, read_table};
use ebm_gpu::data::{Dataset, Transform};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::model::read_checkpoint;
use ebm_gpu::random::Seed;

use crate::memory;

/// What any load may hold beside what it reads: buffers of readers, tables of a decoder.
const SPARE: usize = 4 << 20;
/// How many bytes a byte of a file may become, by compression and by conversion to numbers of 64 bits:
/// deflate makes at most 1032 bytes of one, and a byte becomes a number of 8, held twice while it is taken apart.
pub(crate) const DEFLATED: usize = 1032 * 8 * 2;
/// `1,` is a number; text and values of a row, of the table and of its parts are held together.
pub(crate) const TEXT: usize = 64;

pub(crate) fn load(path: &Path) -> Result<()> {
    let name = path.display().to_string();
    if name.ends_with(".safetensors") {
        let (model, metadata) = read_checkpoint(path)?;
        assert!(model.parameters.iter().all(|p| p.is_finite()));
        return Transform::from_metadata(&metadata, model.spec.dim(), path).map(|_| ());
    }
    if name.ends_with(".png") {
        return read_images(path.parent().unwrap()).map(|_| ());
    }
    let table = read_table(path, Part::default())?;
    assert!(table.points.values().iter().all(|v| v.is_finite()) && table.points.count() > 0, "{name}");
    Dataset::load(&name, Part::default(), 0, Seed(0)).map(|_| ())
}

/// A plain sentence about the file, of a size to be read.
fn assert_is_said_well(error: &Error, name: &str) {
    let text = error.to_string();
    assert_eq!(error.exit_code(), 2, "{name}: {text}");
    assert!(!text.contains('\n') && text.len() < 600 && text.len() > 10, "{name}: {text}");
}

/// Loads `bytes` from `path`: there are data (true) or one typed error (false), and no more memory than `growth` times the
/// bytes.
pub(crate) fn is_read(path: &Path, bytes: &[u8], growth: usize) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    std::fs::write(path, bytes).unwrap();
    let bound = SPARE + growth * bytes.len();
    let (outcome, held) = memory::most_held(|| load(path));
    assert!(held <= bound, "{name}: {held} bytes held, {bound} are enough");
    outcome.map_err(|error| assert_is_said_well(&error, name)).is_ok()
}

/// A folder in memory where there is one.
pub(crate) fn folder(name: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let folder = base.join(format!("ebm-gpu-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
