//! Runs that are killed, interrupted or out of space, and gone on with: they end as if they had never stopped.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ebm_gpu::train::read_progress;
use serde_json::Value;

use crate::program::{Folder, Outcome, TINY};

/// A second or so of training in which everything has a state: persistent chains, held-out points, averages, and lines of the
/// log that are about several steps.
const RUN: &str = "run --engine cpu --quiet --loss pcd --k 1 --buffer 300 --batch 32 --hidden 8 --data gauss1d --points 300 --seed 3 \
                   --steps 6100 --patience 1000 --validate-every 70 --checkpoint-every 280 --chains 64 --chain-steps 20";

/// A run of few steps that leaves every kind of file, and removes a checkpoint.
#[cfg(unix)]
const SHORT: &str = "run --engine cpu --quiet --data gauss1d --points 100 --hidden 4 --batch 16 --steps 20 --checkpoint-every 12 \
                     --keep 1 --patience 9 --validate-every 10 --chains 8 --chain-steps 5";

/// A hundred draws of 32,000 bytes in a second or so.
#[cfg(unix)]
const DRAWS: &str = "sample --target u2 --engine cpu --quiet --chains 4000 --burn-in 20 --steps 4000 --thin 40 --draws";

/// The program on its way.
struct Going {
    child: Child,
}

impl Going {
    fn start(folder: &Folder, args: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebm-gpu"));
        command.args(args.split_whitespace()).current_dir(folder.path(""));
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        Self { child: command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap() }
    }

    /// Waits until something holds, or the program has ended.
    fn until(&mut self, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() && self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "it takes too long");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// The exit code and what was said, once it has ended.
    fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (code, said)
    }
}

/// The length of a file; 0 if there is none.
fn length(folder: &Folder, name: &str) -> u64 {
    std::fs::metadata(folder.path(name)).map_or(0, |file| file.len())
}

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
            folder.all_refused(
                "run --quiet",
                &[("--resume r", &["error: nothing was begun in r: ", "hint: ", "--force"])],
            );
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
        // that a network of so few steps reaches beyond its grid is no news
        let is_news = |line: &&str| line.starts_with("warning: ") && !line.contains("outermost fiftieth");
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
    // a checkpoint is a model as well
    folder.done(&format!("sample {} --engine cpu --quiet --chains 9 --steps 5 --out s", whole(24)));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_saved_and_a_second_signal_ends_at_once() {
    let folder = Folder::new();
    folder.done(&format!("{RUN} --out whole"));
    for (signal, out) in [("INT", "a"), ("TERM", "b")] {
        // no checkpoints but those of the signal
        let mut going = Going::start(&folder, &format!("{RUN} --checkpoint-every 0 --out {out}"));
        going.until(|| length(&folder, &format!("{out}/metrics.jsonl")) > 0);
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
    going.signal("INT");
    std::thread::sleep(Duration::from_millis(150));
    assert!(going.child.try_wait().unwrap().is_none(), "the first signal does not end it within a step");
    going.signal("INT");
    assert_eq!(going.end(), (Some(130), String::new()));
    // what has nothing to save ends at once
    let mut going = Going::start(&folder, "repro ed-w --engine cpu --quiet --out w");
    going.until(|| folder.path("w").exists());
    going.signal("INT");
    assert_eq!(going.end(), (Some(130), "interrupted\n".to_string()));
}

/// Runs the program where a file has room for so many KiB: writing more fails as on a full disk. Expects one sentence of the
/// file that had no room.
#[cfg(target_os = "linux")]
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
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_what_was_saved() {
    let folder = Folder::new();
    let run =
        format!("{TINY} --data gauss1d --hidden 1500 --batch 8 --steps 900 --checkpoint-every 100 --keep 9 --out");
    folder.done(&format!("{run} whole"));
    let least = length(&folder, "whole/checkpoints/step-00000100.safetensors");
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
#[cfg(target_os = "linux")]
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
#[cfg(target_os = "linux")]
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

/// Begins [`DRAWS`], and interrupts them after some.
#[cfg(unix)]
fn interrupt_draws(folder: &Folder, out: &str) {
    let mut going = Going::start(folder, &format!("{DRAWS} --out {out}"));
    going.until(|| length(folder, &format!("{out}/draws.npy.part")) > 200_000);
    going.signal("INT");
    let (code, said) = going.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(folder.path(&format!("{out}/state.safetensors")).exists());
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
        assert_same_chains(&folder, out, "whole", &[]);
    }
}

#[test]
fn what_cannot_be_gone_on_with_is_refused() {
    let folder = Folder::new();
    let table = |rows: usize| (0..rows).map(|i| format!("{},{}\n", (1.3 * i as f64).sin(), (0.7 * i as f64).cos()));
    folder.write("x.csv", table(120).collect::<String>());
    folder.done("run --engine cpu --quiet --loss ed --data x.csv --steps 20 --hidden 8 --chains 0 --out r");
    std::fs::remove_file(folder.path("r/run.json")).unwrap();
    folder.all_refused(
        "run --quiet",
        &[
            ("--resume none", &["none/config.toml"]),
            ("--resume r --loss dsm", &["loss is \"ed\" there, \"dsm\" here", "hint: "]),
            ("--resume=r --steps 40", &["steps is 20 there, 40 here"]),
            ("--resume r --seed 1 --batch 7", &["batch is 256 there, 7 here; seed is 0 there, 1 here"]),
            ("--resume r --out s", &["--resume", "--out"]),
            ("--resume r --force", &["--resume", "--force"]),
            ("--keep 0", &["--keep"]),
        ],
    );
    folder.write("x.csv", table(121).collect::<String>());
    folder.all_refused("run --quiet", &[("--resume r", &["x has changed since", "120 rows", "121 rows", "hint: "])]);
    folder.write("x.csv", table(120).map(|line| line.replace("0.9", "0.8")).collect::<String>());
    folder.all_refused("run --quiet", &[("--resume r", &["x has changed since", "checksum"])]);
    // the same numbers in a file of another time are the same data
    folder.write("x.csv", table(120).collect::<String>());
    folder.done("run --quiet --resume r --keep 1 --checkpoint-every 5 --max-submit-ms 50");
}

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
        going.until(|| length(&folder, &format!("{run}/metrics.jsonl")) > 0);
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

#[cfg(unix)]
#[test]
fn interrupted_chains_end_as_those_that_are_not() {
    let folder = Folder::new();
    // a draw has 32,000 bytes
    let chains = "sample --target u2 --sampler tempering --engine cpu --quiet --chains 4000 --burn-in 20 --adapt 0.8 --steps 200 \
                  --thin 5 --draws --trajectories 3";
    folder.done(&format!("{chains} --out whole"));
    let mut going = Going::start(&folder, &format!("{chains} --out r"));
    let draws = || length(&folder, "r/draws.npy.part");
    // at the start, among draws, and among later ones; the last time without a chance to save
    for least in [0, 300_000, 600_000, 900_000] {
        going.until(|| draws() > least);
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

#[cfg(unix)]
#[test]
fn two_programs_do_not_write_into_one_folder() {
    let folder = Folder::new();
    let mut first = Going::start(&folder, &format!("{RUN} --out shared"));
    first.until(|| length(&folder, "shared/config.toml") > 0);
    first.signal("STOP");
    for args in [format!("{RUN} --out shared --force"), "run --resume shared --quiet".to_string()] {
        let refused = folder.run(&args);
        assert_eq!(refused.code, Some(2), "{refused}");
        assert!(refused.stderr.contains("another ebm-gpu is writing into shared"), "{refused}");
    }
    first.signal("CONT");
    assert_eq!(first.end().0, Some(0), "the first is not disturbed");
    // and a killed program leaves no lock behind
    let mut killed = Going::start(&folder, &format!("{RUN} --out shared --force"));
    killed.until(|| length(&folder, "shared/config.toml") > 0);
    killed.signal("KILL");
    killed.end();
    folder.done("run --resume shared --quiet");
}
