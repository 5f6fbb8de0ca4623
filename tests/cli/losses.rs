//! A GPU that is lost on the way: the work goes on, once on the same device, then on the processor where that is allowed.

use serde_json::Value;

use crate::program::Folder;

/// A run on a GPU that saves often, with chains at its end.
const RUN: &str = "run --engine gpu --loss dsm --hidden 16 --batch 64 --points 500 --seed 5 --steps 400 --checkpoint-every 10 \
                   --keep 2 --no-check --chains 64 --chain-steps 20";
/// Submissions after which the device is lost: while the run is tried out, before the first checkpoint, and in the middle.
const EARLY: [u64; 3] = [2, 12, 40];

fn summary(folder: &Folder, name: &str) -> Value {
    serde_json::from_str(&folder.text(name)).unwrap()
}

fn warnings(summary: &Value) -> Vec<&str> {
    summary["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_run_that_loses_its_device_ends_as_one_that_does_not() {
    let folder = Folder::new();
    folder.done(&format!("{RUN} --quiet --out whole"));
    for at in EARLY {
        let run = format!("lost-{at}");
        let said = folder.done(&format!("{RUN} --out {run} --lose-device-at {at}")).stderr;
        assert!(said.contains("the device was lost") && said.contains("went on"), "{at}: {said}");
        // the last is lost long after the first checkpoint
        assert!(at < 40 || !said.contains("so the run starts over"), "{at}: {said}");
        for name in ["model.safetensors", "metrics.jsonl", "samples.npy"] {
            let [a, b] = [&run, "whole"].map(|run| folder.bytes(&format!("{run}/{name}")));
            assert!(a == b, "{name} of {run} differs from the whole run's");
        }
        let summary = summary(&folder, &format!("{run}/run.json"));
        assert_eq!(
            warnings(&summary).iter().filter(|w| w.contains("was lost")).count(),
            1,
            "{:?}",
            summary["warnings"]
        );
    }
}

#[test]
fn a_second_loss_ends_the_run_unless_the_processor_may_take_over() {
    let folder = Folder::new();
    folder.done(&format!("{RUN} --quiet --out whole"));
    let twice = format!("{RUN} --lose-device-at 40,30");
    let ended = folder.run(&format!("{twice} --out twice"));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("was lost") && ended.stderr.contains("--fallback cpu"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    // nothing of what was done is lost with it
    folder.done("run --resume twice --quiet");
    for name in ["model.safetensors", "metrics.jsonl", "samples.npy"] {
        assert!(folder.bytes(&format!("twice/{name}")) == folder.bytes(&format!("whole/{name}")), "{name}");
    }
    folder.done(&format!("{twice} --out other --fallback cpu"));
    let summary = summary(&folder, "other/run.json");
    assert_eq!(summary["engine"], "cpu");
    assert_eq!(summary["steps"], 400);
    assert_eq!(warnings(&summary).iter().filter(|w| w.contains("was lost")).count(), 2, "{:?}", summary["warnings"]);
}

/// wgpu panics in a wait where a driver tells of a loss there: that is a loss like any other, and no fault of the program.
#[test]
fn a_loss_that_is_told_by_a_panic_is_a_loss() {
    let folder = Folder::new();
    folder.done(&format!("{RUN} --quiet --out whole"));
    let said = folder.done(&format!("{RUN} --out lost --lose-device-at 40 --panic-when-lost")).stderr;
    assert!(said.contains("the device was lost") && said.contains("went on"), "{said}");
    assert!(!said.contains("fault of the program") && !said.contains("panicked"), "{said}");
    assert!(folder.bytes("lost/model.safetensors") == folder.bytes("whole/model.safetensors"));
}

/// What a device has no memory for is told with both numbers before anything is written.
#[test]
fn memory_that_ends_is_told_with_both_numbers() {
    let folder = Folder::new();
    let sample = "sample --engine gpu --target gaussian --chains 50000 --steps 5 --no-check --quiet";
    for args in [format!("{RUN} --quiet --out r"), format!("{sample} --out s")] {
        let outcome = folder.run(&format!("{args} --most-memory 200000"));
        assert_eq!(outcome.code, Some(1), "{outcome}");
        let [error, hint] = outcome.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{outcome}") };
        assert!(error.contains(" bytes, ") && error.contains(" has no memory for them beside "), "{outcome}");
        assert!(hint.starts_with("hint: fewer rows, chains or parameters"), "{outcome}");
        assert!(folder.names("").is_empty(), "{:?}", folder.names(""));
    }
}

#[test]
fn chains_that_lose_their_device_end_as_if_they_had_not() {
    let folder = Folder::new();
    let sample = "sample --engine gpu --target gmm --chains 256 --steps 4000 --step-size 0.1 --thin 20 --draws --seed 4 --no-check \
                  --save-every 0";
    folder.done(&format!("{sample} --quiet --out whole"));
    for at in [1, 400] {
        let run = format!("lost-{at}");
        let said = folder.done(&format!("{sample} --out {run} --lose-device-at {at}")).stderr;
        assert!(said.contains("the device was lost"), "{at}: {said}");
        // the last is lost long after the first draws were saved
        let after = said.split_once("the chains go on after step ").and_then(|(_, rest)| rest.split_once(' '));
        let step: Option<u64> = after.and_then(|(step, _)| step.parse().ok());
        assert_eq!(step.is_some_and(|step| step > 0), at == 400, "{at}: {said}");
        for name in ["samples.npy", "draws.npy", "moments.jsonl"] {
            assert!(folder.bytes(&format!("{run}/{name}")) == folder.bytes(&format!("whole/{name}")), "{name}");
        }
        let summary = summary(&folder, &format!("{run}/sample.json"));
        assert!(warnings(&summary).iter().any(|w| w.contains("was lost")), "{:?}", summary["warnings"]);
    }
    let said = folder.done(&format!("{sample} --out other --lose-device-at 5,5 --fallback cpu")).stderr;
    assert!(said.contains("native f32"), "{said}");
    assert_eq!(summary(&folder, "other/sample.json")["engine"], "cpu");
}

#[test]
fn a_comparison_goes_on_with_the_run_in_which_its_device_was_lost() {
    let folder = Folder::new();
    let compare = "compare --engine gpu --losses dsm --data gauss1d --seeds 2 --budget 60 --set hidden=8 --set points=300 --set batch=32 \
                   --set checkpoint-every=10";
    folder.done(&format!("{compare} --quiet --out whole"));
    let said = folder.done(&format!("{compare} --out lost --lose-device-at 90")).stderr;
    assert!(said.contains("the device was lost") && !said.contains("starts over"), "{said}");
    let mut told = 0;
    for seed in 0..2 {
        let [a, b] =
            ["whole", "lost"].map(|out| folder.bytes(&format!("{out}/gauss1d/dsm/seed-{seed}/model.safetensors")));
        assert!(a == b, "seed {seed}");
        let run = summary(&folder, &format!("lost/gauss1d/dsm/seed-{seed}/run.json"));
        told += warnings(&run).iter().filter(|w| w.contains("was lost")).count();
    }
    assert_eq!(told, 1, "one run has lost its device");
}

#[test]
fn a_fallback_has_a_name_that_is_known() {
    let folder = Folder::new();
    let refused = folder.run(&format!("{RUN} --fallback tpu"));
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("no fallback called `tpu`"), "{}", refused.stderr);
}
