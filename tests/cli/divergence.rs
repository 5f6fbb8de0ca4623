//! Runs that go wrong while they run: exit code 1, a sentence with the step, and the last good model.

use ebm_gpu::data::npy::write_npy_f64;
use ebm_gpu::model::read_checkpoint;

use crate::program::{Folder, Outcome};

const RUN: &str = "run --engine cpu --points 50 --hidden 8 --chains 8 --chain-steps 5 --steps 9 --quiet --out r";

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
    assert!(outcome.stderr.contains("error: training diverged at step 2"), "{outcome}");
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
        "error: 8 of 8 chains left every bound between steps 0 and 5; the first of them is chain 0, from 0\n\
         hint: a smaller --step-size\n"
    );
    assert!(!folder.path("r/samples.npy").exists());
}

/// One of four starts so far out that the slope of a polynomial throws it away; it is named at the next draw.
#[test]
fn a_chain_that_explodes_is_named() {
    let folder = Folder::new();
    let start = [0.5, 0.5, 0.1, 0.2, 1e9, -1e9, 0.0, 0.0];
    write_npy_f64(&folder.path("start.npy"), &[4, 2], &start).unwrap();
    for engine in ["cpu", "gpu", "reference"] {
        let sample =
            "sample --target himmelblau --chains 4 --steps 100 --thin 5 --step-size 0.001 --start start.npy --quiet";
        let outcome = folder.run(&format!("{sample} --engine {engine} --out {engine}"));
        assert_eq!(outcome.code, Some(1), "{outcome}");
        let said = "error: 1 of 4 chains left every bound between steps 0 and 5; it is chain 2, from 0\n";
        assert!(outcome.stderr.contains(said), "{outcome}");
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
