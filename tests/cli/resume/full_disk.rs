//! Training and chains for which the disk has no room.

#![cfg(target_os = "linux")]

use ebm_gpu::train::read_progress;

use super::{DRAWS, assert_same, assert_same_chains, interrupt_draws};
use crate::program::{Folder, Outcome, TINY};

/// Runs the program where a file has room for so many KiB: writing more fails as on a full disk. Expects one sentence of the
/// file that had no room.
fn fills_the_disk(folder: &Folder, kib: u64, args: &str, file: &str) {
    let program = env!("CARGO_BIN_EXE_ebm-gpu");
    let script = format!("trap '' XFSZ; ulimit -f {kib}; exec {program} {args}");
    let mut bash = assert_cmd::Command::new("bash");
    let full = Outcome::of(bash.current_dir(folder.path("")), &["-c", &script]);
    assert_eq!((full.code, full.stdout.as_str()), (Some(1), ""), "{full}");
    assert_eq!(full.stderr.lines().count(), 1, "{full}");
    assert!(full.stderr.starts_with(&format!("error: cannot write {file}")), "{full}");
    assert!(full.stderr.contains("too large"), "{full}");
}

/// A checkpoint of a wide network is the first file without room, for it has the history of the loss, 8 bytes a step: one of
/// 200 steps has room, one of 400 has none.
#[test]
fn a_full_disk_leaves_what_was_saved() {
    let folder = Folder::new();
    let run =
        format!("{TINY} --data gauss1d --hidden 1500 --batch 8 --steps 900 --checkpoint-every 100 --keep 9 --out");
    folder.done(&format!("{run} whole"));
    let least = folder.length("whole/checkpoints/step-00000100.safetensors");
    fills_the_disk(&folder, least / 1024 + 2, &format!("{run} r"), "r/checkpoints/step-00000");
    let names = folder.names("r/checkpoints");
    assert!((2..=3).contains(&names.len()), "{names:?}");
    for (name, step) in names.iter().zip([100, 200, 300]) {
        assert_eq!(*name, format!("step-{step:08}.safetensors"));
        let saved = read_progress(&folder.path(&format!("r/checkpoints/{name}"))).unwrap();
        assert_eq!(saved.expect("a whole file").0.state.step, step);
    }
    folder.done("run --quiet --resume r");
    assert_same(&folder, "r", "whole");
}

/// The log is written in its place.
#[test]
fn a_log_that_fills_the_disk_leaves_what_was_saved() {
    let folder = Folder::new();
    let run = format!("{TINY} --data gauss1d --steps 900 --checkpoint-every 50 --out");
    folder.done(&format!("{run} whole"));
    fills_the_disk(&folder, 64, &format!("{run} r"), "r/metrics.jsonl");
    assert_eq!(folder.names("r/checkpoints").len(), 3);
    folder.done("run --quiet --resume r");
    assert_same(&folder, "r", "whole");
}

/// Chains of which nothing was saved, and chains that were interrupted before.
#[test]
fn draws_that_fill_the_disk_leave_what_was_saved() {
    let folder = Folder::new();
    folder.done(&format!("{DRAWS} --out whole"));
    fills_the_disk(&folder, 64, &format!("{DRAWS} --out a"), "a/draws.npy");
    assert_eq!(folder.names("a"), ["config.toml"]);
    interrupt_draws(&folder, "b");
    let state = folder.bytes("b/state.safetensors");
    fills_the_disk(&folder, 64, "sample --quiet --resume b", "b/draws.npy");
    assert!(folder.bytes("b/state.safetensors") == state);
    for run in ["a", "b"] {
        folder.done(&format!("sample --quiet --resume {run}"));
        assert_same_chains(&folder, run, "whole", &[]);
    }
}
