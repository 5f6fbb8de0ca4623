//! Loaders and broken files: whatever the bytes, there are data or one typed error, no panic, and no more memory than a file
//! of that size can hold. `MUTATED_FILES=1000000` files of each format take some minutes; 20,000 are the default.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod good;
mod memory;
mod mutation;

use std::path::{Path, PathBuf};

use ebm_gpu::data::images::read_images;
use ebm_gpu::data::table::{Part, read_table};
use ebm_gpu::data::{Dataset, Transform};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::model::read_checkpoint;
use ebm_gpu::random::{Seed, Stream};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// What any load may hold beside what it reads: buffers of readers, tables of a decoder.
const SPARE: usize = 4 << 20;
/// Files of each format unless the environment says.
const FILES: u32 = 20_000;

fn load(path: &Path) -> Result<()> {
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

/// A folder in memory where there is one.
fn folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    base.join(format!("ebm-gpu-mutated-{}", std::process::id()))
}

#[test]
fn broken_files_are_refused_or_read() {
    let files = std::env::var("MUTATED_FILES").map_or(FILES, |n| n.parse().expect("MUTATED_FILES is a number"));
    let folder = folder();
    std::fs::create_dir_all(&folder).unwrap();
    for (i, format) in (0..).zip(good::formats(&folder)) {
        let place = folder.join(i.to_string());
        std::fs::create_dir_all(&place).unwrap();
        let path = place.join(format.name);
        std::fs::write(&path, &format.bytes).unwrap();
        load(&path).unwrap_or_else(|e| panic!("{} is whole: {e}", format.name));
        let mut rng = Seed(7).sequence(Stream::Host, i);
        let (mut read, mut refused) = (0, 0);
        for file in 0..files {
            let bytes = mutation::mutated(&format.bytes, &mut rng);
            std::fs::write(&path, &bytes).unwrap();
            let bound = SPARE + format.growth * bytes.len();
            let (outcome, held) = memory::most_held(|| load(&path));
            assert!(held <= bound, "file {file} of {}: {held} bytes held, {bound} are enough", format.name);
            match outcome {
                Ok(()) => read += 1,
                Err(error) => {
                    assert_is_said_well(&error, format.name);
                    refused += 1;
                }
            }
        }
        println!("{}: {read} read, {refused} refused", format.name);
        assert!(read > files / 1000 && refused > files / 20, "{}: {read} read, {refused} refused", format.name);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
