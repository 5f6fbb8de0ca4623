//! Runs that are killed, interrupted or out of space, and gone on with: they end as if they had never stopped.

mod compare;
mod full_disk;
mod refused;
mod run;
mod sample;

use serde_json::Value;

#[cfg(unix)]
use crate::going::Going;
use crate::program::Folder;

/// A second or so of training in which everything has a state: persistent chains, held-out points, averages, and lines of the
/// log that are about several steps.
const RUN: &str = "run --engine cpu --quiet --loss pcd --k 1 --buffer 300 --batch 32 --hidden 8 --data gauss1d --points 300 --seed 3 \
                   --steps 6100 --patience 1000 --validate-every 70 --checkpoint-every 280 --chains 64 --chain-steps 20";

/// A hundred draws of 32,000 bytes in a second or so.
#[cfg(unix)]
const DRAWS: &str = "sample --target u2 --engine cpu --quiet --chains 4000 --burn-in 20 --steps 4000 --thin 40 --draws";

/// run.json or sample.json without what a second run has otherwise: times and the folder.
fn summary(folder: &Folder, name: &str) -> Value {
    let mut all: Value = serde_json::from_str(&folder.text(name)).unwrap();
    for key in ["train_seconds", "steps_per_second", "total_seconds", "out"] {
        all.as_object_mut().unwrap().remove(key);
    }
    for key in ["seconds", "chain_steps_per_second"] {
        all["chains"].as_object_mut().map(|chains| chains.remove(key));
    }
    all
}

/// Fails unless two runs have left the same.
fn assert_same(folder: &Folder, run: &str, whole: &str) {
    for name in ["model.safetensors", "metrics.jsonl", "loss.svg", "samples.npy"] {
        let [a, b] = [run, whole].map(|run| folder.bytes(&format!("{run}/{name}")));
        assert!(a == b, "{name} of {run} differs from that of {whole}");
    }
    let [a, b] = [run, whole].map(|run| summary(folder, &format!("{run}/run.json")));
    assert_eq!(a, b, "run.json");
}

/// Fails unless chains have left the same twice.
#[cfg(unix)]
fn assert_same_chains(folder: &Folder, chains: &str, whole: &str, more: &[&str]) {
    for name in ["samples.npy", "draws.npy", "moments.jsonl"].iter().chain(more) {
        let [a, b] = [chains, whole].map(|run| folder.bytes(&format!("{run}/{name}")));
        assert!(a == b, "{name} of {chains} differs from that of {whole}");
    }
    let [a, b] = [chains, whole].map(|run| summary(folder, &format!("{run}/sample.json")));
    assert_eq!(a, b, "sample.json");
    assert_eq!(folder.names(chains), folder.names(whole));
}

/// Begins [`DRAWS`], and interrupts them after some.
#[cfg(unix)]
fn interrupt_draws(folder: &Folder, out: &str) {
    let mut going = Going::start(folder, &format!("{DRAWS} --out {out}"));
    going.until(|| folder.length(&format!("{out}/draws.npy.part")) > 200_000);
    going.signal("INT");
    let (code, said) = going.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(folder.path(&format!("{out}/state.safetensors")).exists());
}
