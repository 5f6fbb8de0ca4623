//! Chains that are interrupted or killed, or whose state is cut short.

#[cfg(unix)]
use super::{DRAWS, assert_same_chains, interrupt_draws};
#[cfg(unix)]
use crate::going::Going;
use crate::program::{Folder, TINY};

#[cfg(unix)]
#[test]
fn interrupted_chains_end_as_those_that_are_not() {
    let folder = Folder::new();
    // a draw has 32,000 bytes
    let chains = "sample --target u2 --sampler tempering --engine cpu --quiet --chains 4000 --burn-in 20 --adapt 0.8 --steps 200 \
                  --thin 5 --draws --trajectories 3";
    folder.done(&format!("{chains} --out whole"));
    let mut going = Going::start(&folder, &format!("{chains} --out r"));
    let draws = || folder.length("r/draws.npy.part");
    // at the start, among draws, and among later ones; the last time without a chance to save
    for least in [0, 300_000, 600_000, 900_000] {
        // a state may be beyond that already: draws after it are cut off first
        let begun = draws();
        going.until(|| draws() > least.max(begun));
        if least == 900_000 {
            going.child.kill().unwrap();
            assert_eq!(going.end().0, None, "it was not killed on its way");
            break;
        }
        going.signal("INT");
        let (code, said) = going.end();
        assert_eq!(code, Some(130), "{said}");
        assert!(said.starts_with("interrupted after step ") && said.contains("of 220, which is saved in r/"), "{said}");
        assert!(said.ends_with("hint: `ebm-gpu sample --resume r` goes on\n"), "{said}");
        going = Going::start(&folder, "sample --quiet --resume r");
    }
    folder.all_refused("sample --quiet --resume r", &[("--steps 201", &["steps is 200 there, 201 here"])]);
    folder.done("sample --quiet --resume r");
    assert_same_chains(&folder, "r", "whole", &["trajectories.svg", "chains.gif"]);
    let outcome = folder.done("sample --quiet --resume r");
    assert!(outcome.stdout.contains("complete already"), "{outcome}");
}

/// In the middle of every file that is written whole, when it has just got its name, and when draws have grown.
#[cfg(unix)]
#[test]
fn chains_may_be_killed_at_any_moment() {
    let folder = Folder::new();
    let short = "sample --target u2 --sampler mala --engine cpu --quiet --chains 40 --burn-in 5 --steps 60 --thin 10 --draws \
                 --save-every 0";
    folder.done(&format!("{short} --out whole"));
    let mut went_on = 0;
    for moment in 1.. {
        let killed = folder.run(&format!("{short} --out r --force --abort-at-write {moment}"));
        if killed.code.is_some() {
            // it has fewer moments than that
            assert_eq!(killed.code, Some(0), "{killed}");
            assert!(moment > 16 && went_on > 2, "{} moments, {went_on} with a state", moment - 1);
            return;
        }
        if folder.path("r/config.toml").exists() {
            let said = folder.done("sample --resume r").stderr;
            went_on += usize::from(said.contains("the chains go on after step "));
        } else {
            assert_eq!(moment, 1);
            folder.done(&format!("{short} --out r --force"));
        }
        assert_same_chains(&folder, "r", "whole", &[]);
    }
}

/// The one before is taken where it is whole, and it is gone once all is done.
#[cfg(unix)]
#[test]
fn a_state_that_is_spoilt_is_not_the_only_one() {
    let folder = Folder::new();
    folder.done(&format!("{DRAWS} --out whole"));
    interrupt_draws(&folder, "r");
    let whole = folder.bytes("r/state.safetensors");
    let spoil = || {
        // in a file of its own: the two may be names of one
        folder.write("r/whole", folder.bytes("r/state.safetensors"));
        std::fs::rename(folder.path("r/whole"), folder.path("r/state-before.safetensors")).unwrap();
        std::fs::remove_file(folder.path("r/state.safetensors")).unwrap();
        folder.write("r/state.safetensors", "spoilt");
    };
    spoil();
    // it is kept where the next save is cut short, and what a kill between two names has left is in no way
    folder.write("r/state.safetensors.before", "of a killed program");
    for moment in 1..=5 {
        let killed = folder.run(&format!("sample --quiet --resume r --save-every 0 --abort-at-write {moment}"));
        assert_eq!(killed.code, None, "{killed}");
        assert!(folder.bytes("r/state.safetensors") == whole, "after moment {moment}");
        assert!(folder.bytes("r/state.safetensors.left-out") == b"spoilt");
    }
    assert!(folder.bytes("r/state-before.safetensors") == whole, "the one before the save that was cut short");
    spoil();
    let said = folder.done("sample --resume r").stderr;
    let warning = "warning: r/state.safetensors is cut short or changed, so it is left out; it is r/state.safetensors.left-out now\n";
    assert!(said.contains(warning), "{said}");
    assert!(said.contains("the chains go on after step "), "{said}");
    assert_same_chains(&folder, "r", "whole", &[]);
}

#[cfg(unix)]
#[test]
fn chains_whose_state_is_cut_short_start_over() {
    let folder = Folder::new();
    folder.done(&format!("{DRAWS} --out whole"));
    for (out, part) in [("half", 2), ("nothing", usize::MAX)] {
        interrupt_draws(&folder, out);
        let file = format!("{out}/state.safetensors");
        let state = folder.bytes(&file);
        folder.write(&file, &state[..state.len() / part]);
        let outcome = folder.done(&format!("sample --resume {out}"));
        let said = format!("warning: {out} has no whole state to go on from, so the chains start over\n");
        assert!(outcome.stderr.contains(&said), "{outcome}");
        assert!(outcome.stderr.contains(&format!("it is {file}.left-out now")), "{outcome}");
        assert_same_chains(&folder, out, "whole", &[]);
    }
}

/// A model and its file are the positional argument of the configuration.
#[test]
fn chains_on_a_model_are_gone_on_with() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --chains 0 --out m"));
    folder.done("sample m --engine cpu --quiet --chains 9 --steps 5 --out s");
    let samples = folder.bytes("s/samples.npy");
    std::fs::remove_file(folder.path("s/sample.json")).unwrap();
    folder.done("sample --quiet --resume s");
    assert!(folder.bytes("s/samples.npy") == samples);
}
