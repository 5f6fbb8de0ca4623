//! Loaders and broken files: whatever the bytes, there are data or one typed error, no panic, and no more memory than a file
//! of that size can hold. `MUTATED_FILES=1000000` files of each format take some minutes; 20,000 are the default.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod good;
mod loading;
mod memory;
mod mutation;
mod program;

use ebm_gpu::random::{Seed, Stream};

/// Files of each format unless the environment says.
const FILES: u32 = 20_000;

#[test]
fn broken_files_are_refused_or_read() {
    let files = std::env::var("MUTATED_FILES").map_or(FILES, |n| n.parse().expect("MUTATED_FILES is a number"));
    let folder = loading::folder("mutated");
    for (i, format) in (0..).zip(good::formats(&folder)) {
        let place = folder.join(i.to_string());
        std::fs::create_dir_all(&place).unwrap();
        let path = place.join(format.name);
        std::fs::write(&path, &format.bytes).unwrap();
        loading::load(&path).unwrap_or_else(|e| panic!("{} is whole: {e}", format.name));
        let mut rng = Seed(7).sequence(Stream::Host, i);
        let (mut read, mut refused) = (0, 0);
        for file in 0..files {
            let bytes = mutation::mutated(&format.bytes, &mut rng);
            let outcome = std::panic::catch_unwind(|| loading::is_read(&path, &bytes, format.growth));
            let is_read = outcome.unwrap_or_else(|_| panic!("file {file} of {}", format.name));
            *if is_read { &mut read } else { &mut refused } += 1;
        }
        eprintln!("{}: {read} read, {refused} refused", format.name);
        assert!(read > files / 1000 && refused > files / 20, "{}: {read} read, {refused} refused", format.name);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[ignore = "writes what fuzzing begins from"]
fn seeds() {
    let folder = loading::folder("seeds");
    for format in good::formats(&folder) {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(format.target);
        std::fs::create_dir_all(&corpus).unwrap();
        std::fs::write(corpus.join(format.name), &format.bytes).unwrap();
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
