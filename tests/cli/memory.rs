//! Machines that have no memory left.

#![cfg(target_os = "linux")]

use ebm_gpu::train::read_progress;

use crate::program::{Folder, Outcome};

/// The chains at the end take more than the machine has: training is saved by then.
#[test]
fn no_memory_left_is_one_sentence_and_loses_nothing() {
    let folder = Folder::new();
    let program = env!("CARGO_BIN_EXE_ebm-gpu");
    let run = "run --engine cpu --quiet --data gauss1d --points 500 --hidden 4 --batch 8 --steps 200 --checkpoint-every 200 \
               --chains 16000000 --chain-steps 1 --out r";
    let mut bash = assert_cmd::Command::new("bash");
    let script = format!("ulimit -v 600000; exec {program} {run}");
    let full = Outcome::of(bash.current_dir(folder.path("")).env("RAYON_NUM_THREADS", "2"), &["-c", &script]);
    assert_eq!((full.code, full.stdout.as_str()), (Some(1), ""), "{full}");
    let [error, hint] = full.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{full}") };
    assert!(error.starts_with("error: this machine has no memory left, ") && hint.starts_with("hint: "), "{full}");
    let saved = read_progress(&folder.path("r/checkpoints/step-00000200.safetensors")).unwrap();
    assert_eq!(saved.expect("a whole file").0.state.step, 200);
}
