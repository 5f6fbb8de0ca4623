//! What loaders may do with a file, whatever its bytes.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use ebm_gpu::data::images::read_images;
use ebm_gpu::data::npy::read_npy;
use ebm_gpu::data::table::{Part, read_table};
use ebm_gpu::data::{Dataset, Transform};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::model::read_checkpoint;
use ebm_gpu::random::Seed;
use ebm_gpu::sample::read_sampling;
use ebm_gpu::train::read_progress;

use crate::memory;

/// What any load may hold beside what it reads: buffers of readers, tables of a decoder.
const SPARE: usize = 4 << 20;
/// How many bytes a byte of a file may become, by compression and by conversion to numbers of 64 bits:
/// deflate makes at most 1032 bytes of one, and a byte becomes a number of 8, held twice while it is taken apart.
pub(crate) const DEFLATED: usize = 1032 * 8 * 2;
/// `1,` is a number; text and values of a row, of the table and of its parts are held together.
pub(crate) const TEXT: usize = 64;

/// Where runs and chains stand: files under a checksum.
pub(crate) const PROGRESS: &str = "progress.safetensors";
pub(crate) const CHAINS: &str = "chains.safetensors";
/// An array as it is, of any shape and numbers: points to start from, covariances, samples to judge.
pub(crate) const ARRAY: &str = "array.npy";
/// The table of a listener that the latter has.
pub(crate) const TABLE: &str = "table";

pub(crate) fn load(path: &Path) -> Result<()> {
    let name = path.display().to_string();
    let cut = || Error::input(format!("{name} is cut short"));
    if name.ends_with(PROGRESS) {
        let (progress, spec, _) = read_progress(path)?.ok_or_else(cut)?;
        let count = spec.initial(Seed(0)).parameters.len();
        let state = &progress.state;
        for values in [&state.parameters, &state.ema, &state.first_moment, &state.second_moment] {
            assert_eq!(values.len(), count, "{name}");
        }
        return Ok(());
    }
    if name.ends_with(CHAINS) {
        return read_sampling(path, &[TABLE])?.map(|_| ()).ok_or_else(cut);
    }
    if name.ends_with(".safetensors") {
        let (model, metadata) = read_checkpoint(path)?;
        assert!(model.parameters.iter().all(|p| p.is_finite()));
        return Transform::from_metadata(&metadata, model.spec.dim(), path).map(|_| ());
    }
    if name.ends_with(ARRAY) {
        let (shape, values) = read_npy(path)?;
        assert_eq!(shape.iter().product::<usize>(), values.len(), "{name}: {shape:?}");
        return Ok(());
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

/// Gives changed bytes the checksum of what they have become, or every change would be found by that alone.
fn seal_again(bytes: &mut [u8]) {
    const MARK: &[u8] = b"\"checksum\":\"";
    let Some(at) = bytes.windows(MARK.len()).position(|window| window == MARK) else { return };
    let start = at + MARK.len();
    if let Some(place) = bytes.get_mut(start..start + 8) {
        place.fill(b'0');
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        bytes[start..start + 8].copy_from_slice(format!("{:08x}", crc.sum()).as_bytes());
    }
}

/// How many bytes are in a packed file, up to where it is broken.
fn unpacked(bytes: &[u8]) -> usize {
    let (mut decoder, mut piece, mut all) = (flate2::read::MultiGzDecoder::new(bytes), [0; 4096], 0);
    while let Ok(count @ 1..) = decoder.read(&mut piece) {
        all += count;
    }
    all
}

/// Loads `bytes` from `path`: there are data (true) or one typed error (false), and no more memory than `growth` times the
/// bytes.
pub(crate) fn is_read(path: &Path, bytes: &[u8], growth: usize) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut bytes = bytes.to_vec();
    if [PROGRESS, CHAINS].iter().any(|end| name.ends_with(end)) {
        seal_again(&mut bytes);
    }
    std::fs::write(path, &bytes).unwrap();
    // packed text may become what the text in it may
    let size = if name.ends_with(".csv.gz") { bytes.len() + unpacked(&bytes) } else { bytes.len() };
    let bound = SPARE + growth * size;
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
