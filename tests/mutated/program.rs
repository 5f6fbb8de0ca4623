//! Broken files that only the program reads: flags, the log of a run that goes on, and what runs of a comparison have left.
//! Whatever the bytes, the program ends with its results or with one sentence.

use std::path::{Path, PathBuf};
use std::process::Command;

use ebm_gpu::random::{Seed, Stream};

use crate::{loading, mutation};

/// Files of flags; each is refused within milliseconds.
const FLAGS: u32 = 300;
/// Logs and summaries; a run or the rest of one may follow on each.
const LOGS: u32 = 12;
const SUMMARIES: u32 = 6;

/// A little training on points of a file, without chains.
const RUN: &str = "run --engine cpu --quiet --data d.csv --steps 40 --hidden 4 --chains 0 --out r";
/// A comparison of one run.
const COMPARE: &str = "compare --engine cpu --quiet --losses dsm --data gauss1d --seeds 1 --budget 5 --hidden 4 \
                       --chains 32 --set points=200 --out c";

/// A folder with a file of points.
fn folder(name: &str) -> PathBuf {
    let folder = loading::folder(name);
    let row = |i: i32| format!("{},{}\n", (1.3 * f64::from(i)).sin(), (0.7 * f64::from(i)).cos());
    std::fs::write(folder.join("d.csv"), (0..60).map(row).collect::<String>()).unwrap();
    folder
}

/// What the program says on stderr, and its exit code.
fn run(folder: &Path, args: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebm-gpu"));
    let output = command.current_dir(folder).args(args.split_whitespace()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Fails unless it ended well, or with one sentence about something that the user can change; whether it ended well.
fn ended_well(what: &str, (code, said): (Option<i32>, String)) -> bool {
    assert!(!said.contains("panicked"), "{what}: {said}");
    let errors = said.lines().filter(|line| line.starts_with("error: ")).count();
    let others = said.lines().filter(|line| !["error: ", "hint: ", "warning: "].iter().any(|s| line.starts_with(s)));
    match code {
        Some(0) => assert_eq!(errors, 0, "{what}: {said}"),
        Some(2) => assert!(errors == 1 && others.count() == 0 && said.len() < 1200, "{what}: {said}"),
        _ => panic!("{what}: exit code {code:?}, {said}"),
    }
    code == Some(0)
}

/// Every file of a folder with its bytes, below it.
fn kept(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(kept(&path));
        } else {
            files.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    files
}

#[test]
fn broken_flags_are_refused_or_read() {
    let folder = folder("flags");
    assert_eq!(run(&folder, RUN).0, Some(0));
    let good = std::fs::read(folder.join("r/config.toml")).unwrap();
    let mut rng = Seed(8).sequence(Stream::Host, 0);
    let mut read = 0;
    let random = (0..FLAGS).map(|_| mutation::mutated(&good, &mut rng));
    for (file, bytes) in std::iter::once(good.clone()).chain(random).enumerate() {
        std::fs::write(folder.join("c.toml"), bytes).unwrap();
        // a wrong flag beside the file's: nothing is trained
        let (code, said) = run(&folder, "run --config c.toml --activation slu");
        read += u32::from(said.contains("`slu`"));
        assert!(!ended_well(&format!("file {file} of flags"), (code, said)), "file {file} of flags hides a flag");
    }
    assert!(read > 0 && read < FLAGS / 2, "{read} of {FLAGS} and a whole one are read");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What is no line of a log is left out of it, and nothing is refused for it.
#[test]
fn broken_logs_are_gone_on_with() {
    let folder = folder("logs");
    assert_eq!(run(&folder, RUN).0, Some(0));
    std::fs::remove_file(folder.join("r/run.json")).unwrap();
    let (files, log) = (kept(&folder), folder.join("r/metrics.jsonl"));
    let good = std::fs::read(&log).unwrap();
    let cut = good.iter().position(|byte| *byte == b':').unwrap();
    let unreadable = [&good[..cut], b"\xFF", &good[cut..]].concat();
    let garbled = [&b"["[..], &good[1..]].concat();
    let mut rng = Seed(9).sequence(Stream::Host, 0);
    let random = (0..LOGS).map(|_| mutation::mutated(&good, &mut rng));
    for (file, bytes) in [unreadable, garbled, good.clone()].into_iter().chain(random).enumerate() {
        files.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
        std::fs::write(&log, bytes).unwrap();
        assert!(ended_well(&format!("log {file}"), run(&folder, "run --quiet --resume r")), "log {file}");
        let _ = std::fs::remove_file(folder.join("r/run.json"));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A summary that cannot be read is that of a run that has not ended.
#[test]
fn broken_summaries_are_refused_or_read() {
    let folder = folder("summaries");
    assert_eq!(run(&folder, COMPARE).0, Some(0));
    let (files, summary) = (kept(&folder), folder.join("c/gauss1d/dsm/seed-0/run.json"));
    let good = std::fs::read(&summary).unwrap();
    let mut rng = Seed(10).sequence(Stream::Host, 0);
    for file in 0..SUMMARIES {
        let name = ["run.json", "failed.json"][file as usize % 2];
        files.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
        std::fs::remove_file(&summary).unwrap();
        std::fs::write(summary.with_file_name(name), mutation::mutated(&good, &mut rng)).unwrap();
        ended_well(&format!("{name} {file}"), run(&folder, COMPARE));
        let _ = std::fs::remove_file(summary.with_file_name("failed.json"));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
