//! What a run prints and the files that it leaves.

use ebm_gpu::model::read_checkpoint;
use serde_json::Value;

use crate::program::{Folder, TINY, assert_keys, npy, number};

/// Keys that scripts rely on.
const KEYS: &[&str] = &[
    "engine",
    "adapter",
    "data",
    "loss",
    "net",
    "seed",
    "steps",
    "train_seconds",
    "steps_per_second",
    "final_loss",
    "metrics.nll",
    "metrics.kl",
    "metrics.log_density_mse",
    "metrics.fisher",
    "metrics.mode_tv",
    "metrics.outside_mass",
    "metrics.mmd2",
    "metrics.swd",
    "metrics.nll_data",
    "metrics.kl_data",
    "chains.count",
    "chains.steps",
    "chains.seconds",
    "chains.chain_steps_per_second",
    "chains.acceptance",
    "out",
];

/// Fails unless the file is a picture of a sensible size in more than a few colours.
pub(crate) fn assert_picture(folder: &Folder, name: &str) {
    let picture = image::open(folder.path(name)).unwrap_or_else(|e| panic!("{name}: {e}")).to_rgb8();
    let (width, height) = picture.dimensions();
    assert!((300..4000).contains(&width) && (200..4000).contains(&height), "{name} is {width} x {height}");
    let colours: std::collections::HashSet<_> = picture.pixels().collect();
    assert!(colours.len() >= 20, "{name} has {} colours", colours.len());
}

#[test]
fn one_json_object_and_every_file() {
    let folder = Folder::new();
    let outcome = folder.done(&format!("{TINY} --json"));
    assert_eq!(outcome.stderr, "", "--quiet");
    let run = outcome.json();
    assert_keys(&run, KEYS);
    let text = |key: &str| run[key].as_str().unwrap_or_else(|| panic!("{key} in {run}"));
    assert_eq!((text("engine"), text("data"), text("loss"), text("net")), ("cpu", "8gaussians", "dsm", "2-8-1"));
    assert_eq!((&run["seed"], &run["steps"]), (&Value::from(0), &Value::from(30)));
    assert_eq!((&run["chains"]["count"], &run["chains"]["steps"]), (&Value::from(64), &Value::from(20)));
    assert_eq!(text("out"), "results/dsm-8gaussians");
    // the law of 8gaussians is known: every metric is defined
    for key in KEYS.iter().filter(|k| k.starts_with("metrics.") || k.starts_with("chains.") || k.contains("second")) {
        number(&run, key);
    }
    for key in ["train_seconds", "steps_per_second", "final_loss", "chains.seconds", "metrics.nll", "metrics.kl"] {
        assert!(number(&run, key) > 0.0, "{key} in {run}");
    }
    assert_eq!(run, serde_json::from_str::<Value>(&folder.text("results/dsm-8gaussians/run.json")).unwrap());

    let names = folder.names("results/dsm-8gaussians");
    for name in ["config.toml", "run.json", "metrics.jsonl", "model.safetensors", "samples.npy"] {
        assert!(names.iter().any(|n| n == name), "there is no {name} in {names:?}");
    }
    assert!(!names.iter().any(|n| n.ends_with(".part")), "{names:?}");
    for name in ["energy.png", "samples.png", "score.png", "loss.png"] {
        assert_picture(&folder, &format!("results/dsm-8gaussians/{name}"));
    }
    let (shape, samples) = npy(&folder.path("results/dsm-8gaussians/samples.npy"));
    assert_eq!(shape, [64, 2]);
    assert!(samples.iter().all(|v| v.is_finite() && v.abs() < 30.0));
    assert!(samples.windows(2).any(|w| w[0] != w[1]));
}

#[test]
fn the_log_has_a_line_for_each_step() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --chains 0 --out r --warmup 4"));
    let log = folder.text("r/metrics.jsonl");
    let lines: Vec<Value> =
        log.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{l}: {e}"))).collect();
    let steps: Vec<f64> = lines.iter().map(|l| number(l, "step")).collect();
    assert_eq!(steps, (1..=30).map(f64::from).collect::<Vec<_>>());
    for line in &lines {
        assert!(number(line, "loss") > 0.0 && number(line, "gradient_norm") > 0.0, "{line}");
        assert!((0.0..=1e-3).contains(&number(line, "learning_rate")), "{line}");
    }
    // four steps of warm-up towards 1e-3: a fifth, two fifths, ...; then half a cosine down
    assert!((number(&lines[0], "learning_rate") - 2e-4).abs() < 1e-12);
    assert!(number(&lines[29], "learning_rate") < 1e-5);
}

#[test]
fn the_summary_for_a_person() {
    let folder = Folder::new();
    let loud = TINY.replace(" --quiet", "");
    let outcome = folder.done(&format!("{loud} --out r"));
    let starts: Vec<&str> = outcome.stdout.lines().filter_map(|l| l.split_whitespace().next()).collect();
    assert_eq!(starts, ["trained", "chains", "model", "model", "samples", "told", "results"], "{outcome}");
    assert!(outcome.stdout.contains("trained   30 steps in "), "{outcome}");
    assert!(outcome.stdout.contains("chains    64 of 20 steps in "), "{outcome}");
    assert!(outcome.stdout.contains("\nresults   r  ("), "{outcome}");
    assert!(outcome.stderr.starts_with("engine cpu: "), "{outcome}");
    // kinks in the energy are worth a warning, and a place in the record
    let outcome = folder.done(&format!("{loud} --chains 0 --activation relu --out kinks --json"));
    assert!(outcome.stderr.contains("\nwarning: relu "), "{outcome}");
    assert!(outcome.json()["warnings"][0].as_str().unwrap().starts_with("relu "), "{outcome}");
}

#[test]
fn no_chains() {
    let folder = Folder::new();
    let run = folder.done(&format!("{TINY} --chains 0 --out r --json")).json();
    assert_eq!(run["chains"], Value::Null);
    assert_eq!(run["metrics"]["mmd2"], Value::Null);
    number(&run, "metrics.nll");
    let names = folder.names("r");
    assert!(!names.iter().any(|n| n.starts_with("samples")), "{names:?}");
    assert_picture(&folder, "r/energy.png");
}

#[test]
fn checkpoints_on_the_way() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --chains 0 --out r --checkpoint-every 12"));
    let names = folder.names("r/checkpoints");
    assert_eq!(names, ["step-00000012.safetensors", "step-00000024.safetensors", "step-00000030.safetensors"]);
    let read = |name: &str| read_checkpoint(&folder.path(name)).unwrap();
    let models: Vec<_> = names.iter().map(|n| read(&format!("r/checkpoints/{n}"))).collect();
    assert_eq!(models.iter().map(|(_, m)| m["step"].as_str()).collect::<Vec<_>>(), ["12", "24", "30"]);
    assert_ne!(models[0].0.parameters, models[1].0.parameters);
    let (last, metadata) = read("r/model.safetensors");
    assert_eq!((last.parameters, metadata["step"].as_str()), (models[2].0.parameters.clone(), "30"));
    // looking on the way changes nothing
    folder.done(&format!("{TINY} --chains 0 --out plain"));
    assert_eq!(read("plain/model.safetensors").0.parameters, models[2].0.parameters);
    // a run in its place leaves what is not of runs
    folder.write("r/checkpoints/notes.txt", "mine");
    folder.done(&format!("{TINY} --chains 0 --out r --force"));
    assert_eq!(folder.names("r/checkpoints"), ["notes.txt", "step-00000030.safetensors"]);
}
