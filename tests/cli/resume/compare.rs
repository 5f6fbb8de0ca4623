//! Comparisons that are killed or interrupted in one of their runs.

#[cfg(unix)]
use super::assert_same;
#[cfg(unix)]
use crate::going::Going;
use crate::program::Folder;

#[test]
fn a_comparison_takes_up_the_run_that_was_interrupted() {
    let folder = Folder::new();
    let flags = "compare --engine cpu --quiet --losses ed --data gauss1d --seeds 1 --budget 30 --hidden 8 --chains 32 \
                 --set points=400 --set checkpoint-every=20 --out c";
    folder.done(flags);
    let cell = "c/gauss1d/ed/seed-0";
    let left =
        ["model.safetensors", "metrics.jsonl", "samples.npy"].map(|name| folder.bytes(&format!("{cell}/{name}")));
    let early = format!("{cell}/checkpoints/step-00000020.safetensors");
    let written = std::fs::metadata(folder.path(&early)).unwrap().modified().unwrap();
    for name in ["run.json", "model.safetensors", "checkpoints/step-00000030.safetensors"] {
        std::fs::remove_file(folder.path(&format!("{cell}/{name}"))).unwrap();
    }
    folder.done(flags);
    assert_eq!(std::fs::metadata(folder.path(&early)).unwrap().modified().unwrap(), written, "it began anew");
    assert!(
        ["model.safetensors", "metrics.jsonl", "samples.npy"].map(|n| folder.bytes(&format!("{cell}/{n}"))) == left
    );
    // which is not what --resume is for
    for command in ["run", "sample"] {
        let words = ["c is the folder of a comparison", "hint: the same `ebm-gpu compare` command again goes on"];
        folder.all_refused(command, &[("--quiet --resume c", &words[..])]);
    }
}

/// Killed in its first run and in its second; what SIGINT does is tested in comparisons.rs.
#[cfg(unix)]
#[test]
fn a_comparison_that_is_killed_goes_on() {
    let folder = Folder::new();
    let flags = "compare --engine cpu --quiet --losses ed --data gauss1d --seeds 2 --budget 6000 --hidden 8 --chains 32 \
                 --set points=400 --set batch=32 --set checkpoint-every=200";
    folder.done(&format!("{flags} --out whole"));
    let again = format!("{flags} --out c");
    for seed in 0..2 {
        let run = format!("c/gauss1d/ed/seed-{seed}");
        let mut going = Going::start(&folder, &again);
        going.until(|| folder.length(&format!("{run}/metrics.jsonl")) > 0);
        going.signal("KILL");
        assert_eq!(going.end(), (None, String::new()));
        assert!(!folder.path(&format!("{run}/run.json")).exists(), "{run} was complete");
    }
    folder.done(&again);
    for seed in 0..2 {
        let [run, whole] = ["c", "whole"].map(|root| format!("{root}/gauss1d/ed/seed-{seed}"));
        assert_same(&folder, &run, &whole);
    }
    assert_eq!(folder.names("c"), folder.names("whole"));
    assert_eq!(folder.names("c/gauss1d/ed"), ["seed-0", "seed-1"]);
}

/// What an interrupted run has saved is not replaced by another run, unless that is said.
#[test]
fn another_comparison_does_not_take_the_place_of_an_interrupted_one() {
    let folder = Folder::new();
    let flags = "compare --engine cpu --quiet --losses ed --data gauss1d --seeds 1 --budget 30 --chains 32 --set points=400 \
                 --set checkpoint-every=20 --out c";
    folder.done(&format!("{flags} --hidden 8"));
    let cell = "c/gauss1d/ed/seed-0";
    std::fs::remove_file(folder.path(&format!("{cell}/run.json"))).unwrap();
    let before = folder.tree("c");
    let refused = folder.run(&format!("{flags} --hidden 9"));
    assert_eq!(refused.code, Some(2), "{refused}");
    assert!(refused.stderr.contains("holds another run: hidden is") && refused.stderr.contains("--force"), "{refused}");
    assert!(folder.tree("c") == before);
    folder.done(&format!("{flags} --hidden 9 --force"));
}

/// At every third of the moments at which a file is written.
#[cfg(unix)]
#[test]
fn a_comparison_may_be_killed_at_any_moment() {
    let folder = Folder::new();
    let flags = "compare --engine cpu --quiet --losses ed --data gauss1d --seeds 1 --budget 20 --hidden 4 --chains 8 --set points=100 \
                 --set batch=16 --set checkpoint-every=12 --set chain-steps=5 --save-every 1000";
    folder.done(&format!("{flags} --out whole"));
    let names = folder.names("whole");
    for moment in (1..).step_by(3) {
        let killed = folder.run(&format!("{flags} --out c --abort-at-write {moment}"));
        if killed.code.is_some() {
            assert_eq!(killed.code, Some(0), "{killed}");
            assert!(moment > 24, "only {} moments", moment - 1);
            return;
        }
        folder.done(&format!("{flags} --out c"));
        assert_same(&folder, "c/gauss1d/ed/seed-0", "whole/gauss1d/ed/seed-0");
        assert_eq!(folder.names("c"), names, "after moment {moment}");
        std::fs::remove_dir_all(folder.path("c")).unwrap();
    }
}
