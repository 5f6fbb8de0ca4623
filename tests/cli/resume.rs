//! Runs that are killed, interrupted or out of space, and gone on with: they end as if they had never stopped.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Folder, Outcome, TINY};

/// A second or so of training in which everything has a state: persistent chains, held-out points, averages, and lines of the
/// log that are about several steps.
const RUN: &str = "run --engine cpu --quiet --loss pcd --k 1 --buffer 300 --batch 32 --hidden 8 --data gauss1d --points 300 --seed 3 \
                   --steps 6100 --patience 1000 --validate-every 70 --checkpoint-every 280 --chains 64 --chain-steps 20";

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

/// Files of at most 64 KiB: writing more fails as on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_what_was_saved() {
    let folder = Folder::new();
    let run = format!("{TINY} --data gauss1d --steps 900 --checkpoint-every 50 --out");
    folder.done(&format!("{run} whole"));
    let program = env!("CARGO_BIN_EXE_ebm-gpu");
    let script = format!("trap '' XFSZ; ulimit -f 64; exec {program} {run} r");
    let mut bash = assert_cmd::Command::new("bash");
    let full = Outcome::of(bash.current_dir(folder.path("")), &["-c", &script]);
    assert_eq!((full.code, full.stdout.as_str()), (Some(1), ""), "{full}");
    assert_eq!(full.stderr.lines().count(), 1, "{full}");
    assert!(full.stderr.starts_with("error: cannot write r/") && full.stderr.contains("too large"), "{full}");
    assert_eq!(folder.names("r/checkpoints").len(), 3);
    folder.done("run --quiet --resume r");
    assert_same(&folder, "r", "whole");
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
    for name in ["samples.npy", "draws.npy", "moments.jsonl", "trajectories.svg", "chains.gif"] {
        let [a, b] = ["r", "whole"].map(|run| folder.bytes(&format!("{run}/{name}")));
        assert!(a == b, "{name}");
    }
    assert_eq!(summary(&folder, "r/sample.json"), summary(&folder, "whole/sample.json"));
    assert_eq!(folder.names("r"), folder.names("whole"));
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
