//! Training that is killed or interrupted, or whose checkpoints are cut short or changed.

use std::time::Instant;

use serde_json::Value;

use super::{RUN, assert_same};
use crate::going::Going;
use crate::program::{Folder, TINY};

/// A run of few steps that leaves every kind of file, and removes a checkpoint.
#[cfg(unix)]
const SHORT: &str = "run --engine cpu --quiet --data gauss1d --points 100 --hidden 4 --batch 16 --steps 20 --checkpoint-every 12 \
                     --keep 1 --patience 9 --validate-every 10 --chains 8 --chain-steps 5";

#[test]
fn a_run_that_is_killed_again_and_again_ends_as_one_that_is_not() {
    let folder = Folder::new();
    let start = Instant::now();
    folder.done(&format!("{RUN} --out whole"));
    let whole = start.elapsed();
    let mut killed = 0;
    for share in [0.1, 0.27, 0.05, 0.33, 0.2] {
        let args = if killed == 0 { format!("{RUN} --out r") } else { "run --quiet --resume r".to_string() };
        let mut going = Going::start(&folder, &args);
        going.until(|| folder.path("r/metrics.jsonl").exists());
        std::thread::sleep(whole.mul_f64(share));
        going.child.kill().unwrap();
        killed += usize::from(going.end().0.is_none());
        assert!(killed > 0, "the first was not killed on its way");
    }
    folder.done("run --quiet --resume r");
    assert_same(&folder, "r", "whole");
    let names = folder.names("r/checkpoints");
    assert_eq!(names.iter().filter(|n| n.starts_with("step-")).count(), 3, "{names:?}");
    let best = &serde_json::from_str::<Value>(&folder.text("r/run.json")).unwrap()["validation"]["best_step"];
    let (_, metadata) = ebm_gpu::model::read_checkpoint(&folder.path("r/checkpoints/best.safetensors")).unwrap();
    assert_eq!(metadata["step"], best.to_string());
    // and now there is nothing to do
    let before = folder.tree("r");
    let outcome = folder.done("run --quiet --resume r");
    assert!(outcome.stdout.contains("complete already"), "{outcome}");
    assert_eq!(folder.done("run --quiet --json --resume r").json()["steps"], 6100);
    assert!(folder.tree("r") == before);
}

/// In the middle of every file that is written whole, and when it has just got its name.
#[cfg(unix)]
#[test]
fn a_run_may_be_killed_at_any_moment() {
    let folder = Folder::new();
    folder.done(&format!("{SHORT} --out whole"));
    for moment in 1.. {
        let killed = folder.run(&format!("{SHORT} --out r --force --abort-at-write {moment}"));
        if killed.code.is_some() {
            // it has fewer moments than that
            assert_eq!(killed.code, Some(0), "{killed}");
            assert!(moment > 24, "only {} moments", moment - 1);
            return;
        }
        if folder.path("r/config.toml").exists() {
            folder.done("run --quiet --resume r");
        } else {
            assert_eq!(moment, 1);
            folder
                .all_refused("run --quiet", &[("--resume r", &["error: nothing was begun in r: ", "hint: ", "--out"])]);
            folder.done(&format!("{SHORT} --out r --force"));
        }
        assert_same(&folder, "r", "whole");
        for inside in ["", "/checkpoints"] {
            let [a, b] = ["r", "whole"].map(|run| folder.names(&format!("{run}{inside}")));
            assert_eq!(a, b, "after moment {moment}");
        }
        let [a, b] = ["r", "whole"].map(|run| folder.bytes(&format!("{run}/checkpoints/best.safetensors")));
        assert!(a == b, "the best network after moment {moment}");
    }
}

/// On a device the state has gone through its buffers, and submissions are in flight when the program is killed.
#[test]
fn a_run_on_a_device_that_is_killed_ends_as_one_that_is_not() {
    let folder = Folder::new();
    let adapter = std::env::var("EBM_GPU_TEST_ADAPTER").map_or(String::new(), |name| format!("--adapter {name}"));
    let run = format!(
        "run --engine gpu {adapter} --quiet --loss pcd --k 1 --buffer 40 --batch 16 --hidden 4 --data gauss1d --points 50 --steps 400 \
         --checkpoint-every 50 --chains 16 --chain-steps 5"
    );
    folder.done(&format!("{run} --out whole"));
    let mut going = Going::start(&folder, &format!("{run} --out r"));
    going.until(|| folder.path("r/checkpoints/step-00000100.safetensors").exists());
    going.child.kill().unwrap();
    assert_eq!(going.end().0, None, "it was not killed on its way");
    assert!(!folder.path("r/model.safetensors").exists());
    folder.done("run --quiet --resume r");
    assert_same(&folder, "r", "whole");
}

/// Where a GPU is gone, or come, a run goes on elsewhere; that is told, since the last digits are others.
#[test]
fn a_run_goes_on_on_another_engine_and_says_so() {
    let folder = Folder::new();
    let short =
        "run --quiet --data gauss1d --points 100 --hidden 4 --batch 16 --steps 40 --checkpoint-every 30 --chains 0";
    let adapter = std::env::var("EBM_GPU_TEST_ADAPTER").unwrap_or("0".to_string());
    for (from, to) in
        [(format!("--engine gpu --adapter {adapter} --no-check"), "cpu"), ("--engine cpu".into(), "reference")]
    {
        folder.done(&format!("{short} {from} --out r --force"));
        std::fs::remove_file(folder.path("r/run.json")).unwrap();
        std::fs::remove_file(folder.path("r/checkpoints/step-00000040.safetensors")).unwrap();
        let run = folder.done(&format!("run --quiet --json --resume r --engine {to}")).json();
        assert_eq!((&run["engine"], &run["steps"]), (&to.into(), &40.into()), "{run}");
        let warnings = run["warnings"].to_string();
        assert!(warnings.contains("was written on") && warnings.contains("the last digits"), "{warnings}");
    }
}

#[test]
fn checkpoints_that_are_not_whole_are_left_out() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --data gauss1d --checkpoint-every 12 --out r"));
    let whole = |step: u32| format!("r/checkpoints/step-{step:08}.safetensors");
    let files = ["model.safetensors", "metrics.jsonl", "samples.npy"];
    let left = files.map(|name| folder.bytes(&format!("r/{name}")));
    let spoil = |step: u32, change: fn(&mut Vec<u8>)| {
        let mut bytes = folder.bytes(&whole(step));
        change(&mut bytes);
        folder.write(&whole(step), bytes);
    };
    let resumed = |warnings: &[&str]| {
        std::fs::remove_file(folder.path("r/run.json")).unwrap();
        let outcome = folder.done("run --resume r");
        // that a network of so few steps reaches beyond its grid, and chains of so few not to it, is no news
        let usual = ["outermost fiftieth", "above that of the model's own law"];
        let is_news = |line: &&str| line.starts_with("warning: ") && !usual.iter().any(|words| line.contains(words));
        let said: Vec<&str> = outcome.stderr.lines().filter(is_news).collect();
        assert!(said.len() == warnings.len() && said.iter().zip(warnings).all(|(s, w)| s.contains(w)), "{outcome}");
        assert!(files.map(|name| folder.bytes(&format!("r/{name}"))) == left, "{outcome}");
    };
    resumed(&[]);
    spoil(30, |bytes| bytes.truncate(bytes.len() / 2));
    resumed(&["step-00000030.safetensors is cut short or changed"]);
    spoil(30, |bytes| bytes.truncate(7));
    spoil(24, |bytes| *bytes.last_mut().unwrap() ^= 1);
    resumed(&["step-00000030", "step-00000024"]);
    [12, 24, 30].iter().for_each(|step| spoil(*step, |bytes| bytes[20] ^= 1));
    resumed(&[
        "step-00000030",
        "step-00000024",
        "step-00000012",
        "no checkpoint to go on from, so the run starts over",
    ]);
    // nothing that cannot be read is thrown away
    let aside: Vec<String> = folder.names("r/checkpoints").into_iter().filter(|n| n.ends_with(".left-out")).collect();
    assert_eq!(aside, [12, 24, 30].map(|step| format!("step-{step:08}.safetensors.left-out")));
    // a checkpoint is a model as well
    folder.done(&format!("sample {} --engine cpu --quiet --chains 9 --steps 5 --out s", whole(24)));
}

/// Lines that the log has lost are told of, and cost nothing else.
#[test]
fn a_log_that_has_lost_lines_is_gone_on_with() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --data gauss1d --checkpoint-every 12 --out r"));
    let [model, log] = ["model.safetensors", "metrics.jsonl"].map(|name| folder.bytes(&format!("r/{name}")));
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 30);
    let resumed = |there: &[u8], warning: &str| {
        folder.write("r/metrics.jsonl", there);
        for name in ["run.json", "checkpoints/step-00000030.safetensors"] {
            std::fs::remove_file(folder.path(&format!("r/{name}"))).unwrap();
        }
        let said = folder.done("run --resume r").stderr;
        assert_eq!(said.matches("lines are missing").count(), usize::from(!warning.is_empty()), "{said}");
        assert!(said.contains(warning) && folder.bytes("r/model.safetensors") == model, "{said}");
        folder.bytes("r/metrics.jsonl")
    };
    assert!(resumed(&log, "") == log);
    // one that is gone, one that is no text, and what was left of that the next time
    let mut holes = lines.clone();
    holes[17] = b"{\"step\":\xff}\n";
    holes.remove(4);
    let left = resumed(&holes.concat(), "r/metrics.jsonl has been changed since: 2 of its 24 lines are missing");
    let mut sound = lines.clone();
    sound.remove(17);
    sound.remove(4);
    assert!(left == sound.concat());
    assert!(resumed(&left, "2 of its 24 lines are missing") == left);
    assert!(resumed(b"", "24 of its 24 lines are missing") == lines[24..].concat());
}

/// Checkpoints that cannot be listed are not taken for none.
#[test]
fn a_folder_that_cannot_be_listed_is_no_empty_one() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --data gauss1d --checkpoint-every 12 --out r"));
    std::fs::remove_file(folder.path("r/run.json")).unwrap();
    std::fs::rename(folder.path("r/checkpoints"), folder.path("kept")).unwrap();
    folder.write("r/checkpoints", "");
    let before = folder.tree("r");
    let refused = folder.run("run --quiet --resume r");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.starts_with("error: cannot list the folder r/checkpoints"), "{refused}");
    assert!(folder.tree("r") == before);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_saved_and_a_second_signal_ends_at_once() {
    let folder = Folder::new();
    folder.done(&format!("{RUN} --out whole"));
    for (signal, out) in [("INT", "a"), ("TERM", "b")] {
        // no checkpoints but those of the signal
        let mut going = Going::start(&folder, &format!("{RUN} --checkpoint-every 0 --out {out}"));
        going.until(|| folder.length(&format!("{out}/metrics.jsonl")) > 0);
        // as `timeout` does it, to the program and to its group
        going.signal(signal);
        going.signal(signal);
        let (code, said) = going.end();
        assert_eq!(code, Some(130), "{said}");
        let checkpoints = folder.names(&format!("{out}/checkpoints"));
        let step = checkpoints.last().unwrap().trim_start_matches("step-").trim_end_matches(".safetensors");
        let step: u64 = step.parse().unwrap();
        assert!((1..6100).contains(&step), "{checkpoints:?}");
        assert_eq!(
            said,
            format!(
                "interrupted after step {step} of 6100, which is saved in {out}/checkpoints\n\
                 hint: `ebm-gpu run --resume {out}` goes on\n"
            )
        );
        folder.done(&format!("run --quiet --resume {out}"));
        assert_same(&folder, out, "whole");
    }
    // a step of seconds, in which the first signal has to wait
    let slow = "run --engine cpu --quiet --loss ssm --batch 400000 --hidden 256,256 --points 100 --steps 9 --out slow";
    let mut going = Going::start(&folder, slow);
    going.until(|| folder.path("slow/metrics.jsonl").exists());
    // from there to the first step is no time
    std::thread::sleep(std::time::Duration::from_millis(150));
    going.signal("INT");
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert!(going.child.try_wait().unwrap().is_none(), "the first signal does not end it within a step");
    going.signal("INT");
    assert_eq!(going.end(), (Some(130), String::new()));
    // what has nothing to save ends at once
    let mut going = Going::start(&folder, "repro ed-w --engine cpu --quiet --out w");
    going.until(|| folder.path("w").exists());
    going.signal("INT");
    assert_eq!(going.end(), (Some(130), "interrupted\n".to_string()));
}
