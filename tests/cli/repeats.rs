//! The same run twice: new folders, the same bytes.

use crate::program::{Folder, TINY};

/// The two files that a run is about.
fn products(folder: &Folder, run: &str) -> [Vec<u8>; 2] {
    ["samples.npy", "model.safetensors"].map(|name| folder.bytes(&format!("{run}/{name}")))
}

#[test]
fn a_second_run_leaves_the_first_alone() {
    let folder = Folder::new();
    folder.done(TINY);
    let first = folder.tree("results/dsm-8gaussians");
    assert!(first.len() >= 9);
    let out = folder.done(&format!("{TINY} --seed 1 --json")).json()["out"].clone();
    assert_eq!(out, "results/dsm-8gaussians-2");
    let out = folder.done(&format!("{TINY} --seed 1 --json")).json()["out"].clone();
    assert_eq!(out, "results/dsm-8gaussians-3");
    assert_eq!(folder.names("results"), ["dsm-8gaussians", "dsm-8gaussians-2", "dsm-8gaussians-3"]);
    assert!(folder.tree("results/dsm-8gaussians") == first, "the first run was changed");
}

#[test]
fn force_takes_the_folder_again() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --out r"));
    let before = products(&folder, "r");
    folder.done(&format!("{TINY} --out r --force --seed 1"));
    assert_eq!(folder.names(""), ["r"]);
    let after = products(&folder, "r");
    assert!(after[0] != before[0] && after[1] != before[1], "the old files are still there");
    assert!(folder.text("r/run.json").contains("\"seed\": 1"));
}

/// What an earlier run left must not be taken for this one's.
#[test]
fn force_leaves_nothing_old() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --out r --checkpoint-every 10"));
    folder.write("r/notes.txt", "mine");
    folder.done(&format!("{TINY} --out r --force --chains 0"));
    let names = folder.names("r");
    assert!(!names.iter().any(|n| n.starts_with("samples")), "{names:?}");
    assert_eq!(folder.names("r/checkpoints"), ["step-00000030.safetensors"]);
    assert_eq!(folder.text("r/notes.txt"), "mine", "what no run writes is the user's");
}

#[test]
fn the_same_seed_gives_the_same_samples() {
    let folder = Folder::new();
    for (out, seed) in [("a", 5), ("b", 5), ("c", 6)] {
        folder.done(&format!("{TINY} --out {out} --seed {seed}"));
    }
    for name in ["samples.npy", "metrics.jsonl", "energy.png", "samples.png"] {
        let [a, b, c] = ["a", "b", "c"].map(|run| folder.bytes(&format!("{run}/{name}")));
        assert!(a == b, "{name} differs between two runs of one seed");
        assert!(a != c, "{name} is the same for two seeds");
    }
}

#[test]
fn the_same_seed_gives_the_same_checkpoint() {
    let folder = Folder::new();
    for (out, seed) in [("a", 5), ("b", 5), ("c", 6)] {
        folder.done(&format!("{TINY} --chains 0 --out {out} --seed {seed}"));
    }
    let [a, b, c] = ["a", "b", "c"].map(|run| folder.bytes(&format!("{run}/model.safetensors")));
    assert!(a == b, "model.safetensors differs between two runs of one seed");
    assert!(a != c, "model.safetensors is the same for two seeds");
}

#[test]
fn a_configuration_repeats_its_run() {
    let folder = Folder::new();
    // not one of these is a default
    let first = "--activation tanh --sigma 0.21 --weighting sigma4 --steps 25 --batch 33 --lr 2.5e-4 --warmup 3 \
                 --schedule constant --weight-decay 0.01 --clip 0.7 --ema 0.9 --seed 9 --step-size 0.02 \
                 --temperature 0.8 --data moons --max-submit-ms 50";
    folder.done(&format!("{TINY} {first}"));
    folder.done("run --quiet --config results/dsm-moons/config.toml");
    assert_eq!(folder.names("results"), ["dsm-moons", "dsm-moons-2"]);
    for name in ["config.toml", "samples.npy", "metrics.jsonl", "model.safetensors"] {
        let [a, b] = ["dsm-moons", "dsm-moons-2"].map(|run| folder.bytes(&format!("results/{run}/{name}")));
        assert!(a == b, "{name} differs");
    }
    let config: toml::Table = folder.text("results/dsm-moons-2/config.toml").parse().unwrap();
    assert_eq!((config["lr"].as_float(), config["seed"].as_integer()), (Some(2.5e-4), Some(9)));
    assert_eq!((config["batch"].as_integer(), config["data"].as_str()), (Some(33), Some("moons")));
}
