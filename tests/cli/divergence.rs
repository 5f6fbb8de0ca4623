//! Runs that go wrong while they run: exit code 1, a sentence with the step, and the last good model.

use ebm_gpu::data::npy::write_npy_f64;
use ebm_gpu::model::read_checkpoint;

use crate::program::{Folder, Outcome};

const RUN: &str = "run --engine cpu --points 50 --hidden 8 --chains 8 --chain-steps 5 --steps 9 --quiet --out r";

/// The learning rate grows until a gradient overflows, after some dozens of steps, of which every fifth has a checkpoint.
const LATE: &str = "run --engine cpu --data gauss1d --points 50 --batch 16 --hidden 8 --chains 0 --steps 80 --quiet --json \
                    --lr 2e8 --warmup 1000 --schedule constant --clip 0 --checkpoint-every 5 --rollback 40";

/// Expects exit code 1, nothing on stdout, and a finite model in the results; returns the model's step.
fn failed(folder: &Folder, outcome: &Outcome) -> u64 {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome}");
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert!(matches!(lines[..], [e, h] if e.starts_with("error: ") && h.starts_with("hint: ")), "{outcome}");
    let (model, metadata) = read_checkpoint(&folder.path("r/model.safetensors")).expect("a model that can be read");
    assert!(model.parameters.iter().all(|p| p.is_finite()));
    assert!(model.parameters.iter().any(|p| *p != 0.0));
    // a run that failed has no summary that could be taken for a result
    assert!(!folder.path("r/run.json").exists());
    metadata["step"].parse().unwrap()
}

#[test]
fn a_loss_that_overflows_names_the_step() {
    let folder = Folder::new();
    let outcome = folder.run(&format!("{RUN} --lr 1e30 --clip 0 --schedule constant"));
    assert_eq!(failed(&folder, &outcome), 1);
    assert!(outcome.stderr.starts_with("error: training diverged at step 2: the loss was "), "{outcome}");
    assert!(outcome.stderr.contains("r/model.safetensors holds the model of step 1\n"), "{outcome}");
    assert!(outcome.stderr.contains("hint: a smaller --lr"), "{outcome}");
    // the log has the steps that were good
    let log = folder.text("r/metrics.jsonl");
    let line: serde_json::Value = serde_json::from_str(&log).unwrap();
    assert_eq!(line["step"], 1, "{log}");
}

#[test]
fn training_goes_back_as_often_as_it_may() {
    let folder = Folder::new();
    let wild = format!("{} --lr 1e12 --clip 0 --schedule constant --json", RUN.replace("--quiet", ""));
    // what was good of nine steps is too wild to go on from: back to the start
    let outcome = folder.done(&format!("{wild} --rollback 40 --checkpoint-every 1"));
    let run = outcome.json();
    let rollbacks = run["rollbacks"].as_array().unwrap();
    assert!((3..40).contains(&rollbacks.len()), "{rollbacks:?}");
    let last = rollbacks.last().unwrap();
    assert_eq!(last["learning_rate"].as_f64().unwrap(), 1e12 * 0.5f64.powi(rollbacks.len() as i32));
    assert_eq!(run["steps"], 9);
    for rollback in rollbacks {
        let sentence =
            format!("training diverged at step {} and went back to step {}", rollback["diverged"], rollback["back_to"]);
        assert!(
            outcome.stderr.contains(&format!("warning: {sentence}")) && run["warnings"].to_string().contains(&sentence)
        );
    }
    // the log is that of the steps that were kept
    let log = folder.text("r/metrics.jsonl");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|l| l["step"].as_u64().unwrap()).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    assert_eq!(lines[8]["learning_rate"], last["learning_rate"]);
    // not more often than it may
    let outcome = folder.run(&format!("{wild} --rollback 2 --force"));
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_eq!(outcome.stderr.matches("went back to step 0").count(), 2, "{outcome}");
    // what it has tried is said, and outlives it
    let error =
        |outcome: &Outcome| outcome.stderr.lines().find(|line| line.starts_with("error: ")).unwrap().to_string();
    let failure: serde_json::Value = serde_json::from_str(&folder.text("r/failed.json")).unwrap();
    let tried: Vec<f64> =
        failure["rollbacks"].as_array().unwrap().iter().map(|r| r["learning_rate"].as_f64().unwrap()).collect();
    assert_eq!(tried, [5e11, 2.5e11]);
    let [a, b] = [0usize, 1].map(|i| &failure["rollbacks"][i]["diverged"]);
    let said =
        format!("training diverged at step 2 after 2 rollbacks (from step {a} to 0, from step {b} to 0): the loss");
    assert!(error(&outcome).starts_with(&format!("error: {said}")), "{outcome}");
    assert_eq!(error(&outcome), format!("error: {}", failure["failure"].as_str().unwrap()));
    assert!(outcome.stderr.contains("--rollback 5,"), "{outcome}");
    // to go on ends there again
    let again = folder.run("run --resume r");
    assert_eq!((again.code, error(&again)), (Some(1), error(&outcome)), "{again}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&folder.text("r/failed.json")).unwrap(), failure);
}

#[test]
fn training_that_goes_bad_late_goes_back_to_its_last_checkpoint() {
    let folder = Folder::new();
    let run = folder.done(&format!("{LATE} --out r")).json();
    let rollbacks = run["rollbacks"].as_array().unwrap();
    let number = |i: usize, key: &str| rollbacks[i][key].as_f64().unwrap();
    let (diverged, back_to) = (number(0, "diverged"), number(0, "back_to"));
    assert!(back_to > 0.0 && back_to == 5.0 * ((diverged - 1.0) / 5.0).floor(), "{rollbacks:?}");
    assert_eq!(number(0, "learning_rate"), 1e8);
    // what lies before every return was done at the first rate, the end at the last
    let kept = (0..rollbacks.len()).map(|i| number(i, "back_to")).fold(f64::INFINITY, f64::min);
    assert!(kept > 0.0, "{rollbacks:?}");
    let log = folder.text("r/metrics.jsonl");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rate = |step: f64| {
        let line = &lines[step as usize - 1];
        assert_eq!(line["step"].as_f64(), Some(step));
        line["learning_rate"].as_f64().unwrap() / step
    };
    let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} is not {b}: {rollbacks:?}");
    near(rate(1.0), 2e8 / 1001.0);
    near(rate(kept), 2e8 / 1001.0);
    near(rate(80.0), number(rollbacks.len() - 1, "learning_rate") / 1001.0);
    assert_eq!(lines.len(), 80);
}

/// When the log of the first checkpoint after a return has grown, while that is half written, when it is there, and when the log
/// of the next has grown.
#[test]
fn a_run_that_is_killed_after_a_rollback_ends_as_one_that_is_not() {
    let folder = Folder::new();
    let whole = folder.done(&format!("{LATE} --out whole")).json();
    let diverged = whole["rollbacks"][0]["diverged"].as_u64().unwrap();
    // config.toml has two such moments, each checkpoint before has three, and the log one whenever training diverges
    let returns = whole["rollbacks"].as_array().unwrap().iter().take_while(|r| r["diverged"] == diverged).count();
    let before = 2 + 3 * ((diverged - 1) / 5) + returns as u64;
    for moment in before + 1..=before + 4 {
        let killed = folder.run(&format!("{LATE} --out r --force --abort-at-write {moment}"));
        assert_eq!((killed.code, killed.stdout.as_str()), (None, ""), "{killed}");
        let tells = |name: &String| {
            let file = folder.path(&format!("r/checkpoints/{name}"));
            name.ends_with(".safetensors") && read_checkpoint(&file).unwrap().1["rollbacks"] != "[]"
        };
        let names = folder.names("r/checkpoints");
        assert_eq!(names.iter().any(tells), moment > before + 2, "{names:?}");
        // what an earlier end has left is none of this one
        folder.write("r/failed.json", "{}");
        let resumed = folder.done("run --quiet --json --resume r").json();
        for key in ["rollbacks", "warnings", "final_loss", "metrics"] {
            assert_eq!(resumed[key], whole[key], "{key} after moment {moment}");
        }
        for name in ["model.safetensors", "metrics.jsonl", "loss.svg"] {
            let [a, b] = ["r", "whole"].map(|run| folder.bytes(&format!("{run}/{name}")));
            assert!(a == b, "{name} after moment {moment}");
        }
        for inside in ["", "/checkpoints"] {
            let [a, b] = ["r", "whole"].map(|run| folder.names(&format!("{run}{inside}")));
            assert_eq!(a, b, "after moment {moment}");
        }
    }
}

/// The largest learning rate that is taken: weights become huge, but what is kept is finite.
#[test]
fn weights_that_overflow_are_not_kept() {
    let folder = Folder::new();
    folder.all_refused("", &[("run --lr 1.1e30", &["lr is 11", "1e30"])]);
    for net in ["8", "8,8,8"] {
        let outcome = folder.run(&format!("{RUN} --lr 1e30 --clip 0 --schedule constant --force --hidden {net}"));
        let step = failed(&folder, &outcome);
        assert!(outcome.stderr.contains(&format!("holds the model of step {step}\n")), "{outcome}");
    }
}

/// Values far beyond f32 (here the spread itself overflows) end in a sentence, whichever step notices.
#[test]
fn data_that_overflows() {
    let folder = Folder::new();
    folder.write("wild.csv", "a,b\n1e308,1\n-1e308,2\n1e307,3\n-1e307,2\n");
    let outcome = folder.run(&format!("{RUN} --data wild.csv"));
    assert!(matches!(outcome.code, Some(1 | 2)) && outcome.stdout.is_empty(), "{outcome}");
    assert!(outcome.stderr.starts_with("error: "), "{outcome}");
}

#[test]
fn chains_that_leave_every_bound() {
    let folder = Folder::new();
    let outcome = folder.run(&format!("{RUN} --step-size 1e300"));
    assert_eq!(failed(&folder, &outcome), 9);
    assert_eq!(
        outcome.stderr,
        "error: 8 of 8 chains left every bound at step 1; the first of them is chain 0, counted from 0\n\
         hint: a smaller --step-size\n"
    );
    assert!(!folder.path("r/samples.npy").exists());
}

/// One of four starts so far out that the slope of a polynomial throws it away: from x to about −0.004 x³, from 1e9 by −4e24 and
/// 3e71 to 1e212, of which f32 holds the first alone. It is named with that very step, between two draws.
#[test]
fn a_chain_that_explodes_is_named() {
    let folder = Folder::new();
    let start = [0.5, 0.5, 0.1, 0.2, 1e9, -1e9, 0.0, 0.0];
    write_npy_f64(&folder.path("start.npy"), &[4, 2], &start).unwrap();
    for (engine, step) in [("cpu", 2), ("gpu", 2), ("reference", 4)] {
        let sample =
            "sample --target himmelblau --chains 4 --steps 100 --thin 5 --step-size 0.001 --start start.npy --quiet";
        let outcome = folder.run(&format!("{sample} --engine {engine} --out {engine}"));
        assert_eq!(outcome.code, Some(1), "{outcome}");
        let said = format!("error: 1 of 4 chains left every bound at step {step}; it is chain 2, counted from 0\n");
        assert!(outcome.stderr.contains(&said), "{outcome}");
    }
}

/// A loss that is not a number is no result.
#[test]
fn a_gradient_that_overflows() {
    use ebm_gpu::data::npy::write_npy_f32;
    use ebm_gpu::model::{Activation, MlpSpec, write_checkpoint};
    let folder = Folder::new();
    let mut model = MlpSpec::parse("2-3-1", Activation::Silu).unwrap().initial(ebm_gpu::random::Seed(0));
    model.parameters.iter_mut().for_each(|p| *p *= 1e30);
    write_checkpoint(&folder.path("m.safetensors"), &model, &[]).unwrap();
    write_npy_f32(&folder.path("x.npy"), &[2, 2], &[1.0, 2.0, 3.0, 4.0]).unwrap();
    let outcome = folder.run("grad --engine cpu --checkpoint m.safetensors --data x.npy --noise x.npy --json --out g");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome}");
    assert!(outcome.stderr.starts_with("error: "), "{outcome}");
    assert!(!folder.path("g").exists());
}
