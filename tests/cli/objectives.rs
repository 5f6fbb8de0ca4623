//! Every objective with every head and conditioning from the command line, and what is refused.

use crate::program::{Folder, npy, number};

const SMALL: &str =
    "run --engine cpu --steps 20 --chains 64 --chain-steps 5 --points 500 --hidden 8,8 --quiet --json --out r";

fn runs(flags: &str) -> serde_json::Value {
    let folder = Folder::new();
    let outcome = folder.run(&format!("{SMALL} {flags}"));
    assert_eq!(outcome.code, Some(0), "{outcome}");
    for file in
        ["config.toml", "run.json", "metrics.jsonl", "model.safetensors", "samples.npy", "score.png", "loss.png"]
    {
        assert!(folder.path("r").join(file).exists(), "{flags}: no {file}");
    }
    let energy = !flags.contains("--head score");
    assert_eq!(folder.path("r/energy.png").exists(), energy, "{flags}");
    if flags.contains("concat") || flags.contains("pcd") || flags.contains("ed-sigma") {
        // the configuration that was written runs again
        let again = folder.run("run --config r/config.toml --out again --json --quiet");
        assert_eq!(again.code, Some(0), "{again}");
        assert!(
            folder.bytes("r/model.safetensors") == folder.bytes("again/model.safetensors"),
            "{flags}: another model"
        );
    }
    outcome.json()
}

#[test]
fn every_objective_and_head_runs() {
    for (loss, heads) in [
        ("esm", &["energy", "score"][..]),
        ("ssm --probes 2 --probe-law sphere", &["energy", "score"]),
        ("ssm-vr --probe-law gaussian", &["energy", "score"]),
        ("fd-ssm --epsilon 0.2", &["energy"]),
        ("dsm --weighting 1.5", &["energy", "score"]),
        ("mdsm --levels 4 --conditioning scale", &["energy", "score"]),
        ("mdsm --ladder 2,1,0.5 --conditioning concat --denoise", &["energy", "score"]),
        ("mdsm --ladder linear --sampler ula", &["energy"]),
        ("cd --k 3 --alpha 0.01", &["energy"]),
        ("pcd --k 2 --buffer 300 --restart-law normal", &["energy"]),
        ("ed --ed-sigma 0.5 --ed-m 3 --activation relu", &["energy"]),
        ("nce --nu 2", &["energy"]),
    ] {
        for head in heads {
            let run = runs(&format!("--loss {loss} --head {head}"));
            assert_eq!(run["loss"], loss.split(' ').next().unwrap());
            assert_eq!(run["head"], *head);
            assert!(run["conventions"]["langevin"].as_str().unwrap().contains("alpha is 2 step_size"));
            assert!(run["conventions"]["sigma"].as_str().unwrap().contains("standard deviation"));
            let smoothed = loss.contains("dsm");
            assert_eq!(run["sigma"].is_null(), !smoothed, "{loss}");
            assert_eq!(run["metrics"]["kl"].is_null(), *head == "score", "{loss} {head}");
            assert_eq!(run["metrics"]["kl_data"].is_null(), *head == "score", "{loss} {head}");
            assert!(number(&run["metrics"], "fisher") > 0.0);
            match loss {
                l if l.contains("sphere") => {
                    assert_eq!(
                        (&run["conventions"]["probe_law"], &run["conventions"]["probes"]),
                        (&"sphere".into(), &"2".into())
                    );
                }
                l if l.starts_with("dsm") => {
                    assert!(run["conventions"]["denoising_weight"].as_str().unwrap().contains("sigma^1.5"))
                }
                l if l.contains("--ladder 2") => {
                    assert_eq!(run["conventions"]["ladder"], "2, 1, 0.5");
                    assert_eq!(
                        (&run["chains"]["sampler"], number(&run["chains"], "steps")),
                        (&"annealed".into(), 15.0)
                    );
                    assert_eq!(run["chains"]["denoised"], true);
                    // 0.05 of the variance of the smallest level
                    assert_eq!(number(&run["chains"], "step_size"), 0.0125);
                }
                _ => {}
            }
        }
    }
}

/// Objectives that learn by contrast, small enough for a software driver, and what their conventions have to say.
const CONTRASTING: [(&str, &str, &str); 4] = [
    ("cd --k 3 --data-noise 0.1", "negative_chains", "3 steps, eta = 0.01 multiplies grad E; a paper's h is 2 eta"),
    ("pcd --k 3 --buffer 256", "replay", "256 chains, each begins anew with probability 0.05 at a step"),
    ("ed --ed-t 0.25", "ed_sigma", "0.5 (its root, a standard deviation)"),
    ("nce --noise-std 3", "nce_noise", "normal, mean (0.0000, 0.0000), standard deviation (3.0000, 3.0000)"),
];

#[test]
fn contrast_runs_on_every_engine() {
    let adapter = std::env::var("EBM_GPU_TEST_ADAPTER").map_or(String::new(), |name| format!("--adapter {name}"));
    for engine in ["cpu", "reference", &format!("gpu {adapter}")] {
        for (flags, key, says) in CONTRASTING {
            let folder = Folder::new();
            let outcome = folder.run(&format!("{SMALL} --loss {flags} --engine {engine}"));
            assert_eq!(outcome.code, Some(0), "{outcome}");
            let run = outcome.json();
            assert_eq!(run["engine"], engine.split(' ').next().unwrap());
            assert_eq!(run["conventions"][key], says, "{flags}");
            assert_eq!(run["log_z"].is_number(), flags.starts_with("nce"), "{flags}");
            assert_eq!(run["sigma"].is_number(), flags.contains("data-noise"), "{flags}");
            let log = folder.text("r/metrics.jsonl");
            let lines: Vec<serde_json::Value> = log.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            assert_eq!(lines.len(), 20, "{flags}: a line a step");
            for line in &lines {
                number(line, "loss");
                for figure in ["energy_gap", "diversity", "distinct"] {
                    assert_eq!(line[figure].is_number(), key.contains("chains") || key == "replay", "{flags}: {line}");
                }
                let along = line["gradient_along_chain"].as_array().map_or(0, Vec::len);
                assert_eq!(along, if line["diversity"].is_number() { 5 } else { 0 }, "{flags}: {line}");
            }
        }
    }
}

/// Beyond two dimensions annealed chains give the NLL, or a note says why they do not.
#[test]
fn energies_have_a_likelihood_in_any_dimension() {
    let folder = Folder::new();
    let rows: String = (0..400)
        .map(|i| f64::from(i) * 0.7)
        .map(|t| format!("{},{},{}\n", t.sin(), (1.3 * t).cos(), (0.9 * t).sin()))
        .collect();
    folder.write("t.csv", format!("a,b,c\n{rows}"));
    let run = |loss: &str| folder.done(&format!("{SMALL} --force --data t.csv --steps 3000 --loss {loss}")).json();
    // by annealed importance sampling, also of what has learnt its own constant
    for loss in ["nce", "ed"] {
        let found = run(loss);
        let nll = number(&found["metrics"], "nll");
        assert!((2.0..4.0).contains(&nll) && found["metrics"]["kl"].is_null(), "{found}");
        assert!(number(&found["metrics"], "standard_errors.log_z") < 0.1, "{found}");
        // two levels are too few for all chains to carry the same weight, as 50 of 51 would have to
        let few = folder.done("eval r --engine cpu --quiet --json --chains 0 --ais 51,2").json();
        for name in ["nll", "nll_data", "log_z"] {
            assert!(few["metrics"][name].is_null(), "{name} of {few}");
        }
        assert!(few["metrics"]["note"].to_string().contains("left out"), "{few}");
    }
    let field = folder.done(&format!("{SMALL} --force --data t.csv --steps 3 --loss ssm --head score")).json();
    assert!(field["metrics"]["nll"].is_null(), "{field}");
}

/// One noise level is enough for a last step without noise.
#[test]
fn chains_of_one_level_are_denoised() {
    let folder = Folder::new();
    let samples = |flags: &str| {
        let run = folder.done(&format!("{SMALL} --loss dsm --force {flags}")).json();
        assert_eq!(run["chains"]["denoised"], !flags.is_empty(), "{run}");
        npy(&folder.path("r/samples.npy")).1
    };
    let (plain, denoised) = (samples(""), samples("--denoise"));
    assert!(plain.iter().zip(&denoised).all(|(a, b)| a != b), "{plain:?} {denoised:?}");
}

/// What the usual sentences would not show: negatives of wild chains, and chains that are not to follow the model.
#[test]
fn chains_that_are_not_of_the_model_are_told_of() {
    let folder = Folder::new();
    let warned = |flags: &str, said: &str| {
        let outcome =
            folder.done(&format!("run --engine cpu --data moons --hidden 32,32 --chains 256 --force --out r {flags}"));
        let run: serde_json::Value = serde_json::from_str(&folder.text("r/run.json")).unwrap();
        assert_eq!(outcome.stderr.contains(said), run["warnings"].to_string().contains(said), "{outcome}");
        (outcome.stderr.contains(said), outcome, run)
    };
    let wild = "of the Langevin steps that make negatives";
    let (is_warned, outcome, _) = warned("--loss cd --k 10 --steps 300 --eta 1", wild);
    assert!(is_warned && outcome.stdout.contains("told apart from them by this distance, MMD² "), "{outcome}");
    assert!(!warned("--loss cd --k 10 --steps 300", wild).0);
    let short = "--loss dsm --steps 300";
    let (is_warned, _, run) = warned(&format!("{short} --temperature 0.1"), "the chains are at temperature 0.1");
    assert!(is_warned && run["metrics"]["chains_energy"].is_null(), "{run}");
    let (is_warned, _, run) = warned(short, "the chains are at temperature");
    assert!(!is_warned && run["metrics"]["chains_energy"].is_number(), "{run}");
}

#[test]
fn what_is_not_defined_is_refused() {
    let folder = Folder::new();
    let cases: &[(&str, &[&str])] = &[
        ("--loss esm --activation relu", &["esm", "second derivatives", "relu", "hint: silu"]),
        ("--loss ssm --head score --activation leaky-relu", &["ssm", "leaky-relu", "kinks"]),
        ("--loss ssm-vr --probe-law unit-sphere", &["E[v v'] = I/d", "hint: --probe-law sphere"]),
        ("--loss fd-ssm --head score", &["fd-ssm", "energies", "--head score"]),
        ("--loss ssm --conditioning scale", &["scale", "noise levels", "ssm"]),
        ("--loss dsm --sampler annealed", &["annealed", "mdsm", "hint:"]),
        ("--loss esm --denoise", &["--denoise", "noise level", "esm"]),
        ("--loss mdsm --levels 1", &["1 levels", "from 2"]),
        ("--loss mdsm --ladder 0.5", &["0.5", "one level"]),
        ("--loss mdsm --ladder 1,1", &["the level 1 twice"]),
        ("--loss mdsm --ladder geometri", &["`geometri`", "geometric"]),
        ("--loss mdsm --sigma-max 0.1 --sigma-min 0.2", &["0.1", "above the smallest, 0.2"]),
        ("--loss ssm --probes 0", &["0 probes", "from 1"]),
        ("--loss fd-ssm --epsilon 0", &["epsilon is 0"]),
        ("--loss cd --head score", &["cd compares energies", "--head score", "hint: --head energy"]),
        ("--loss nce --conditioning concat", &["concat", "noise levels", "nce"]),
        ("--loss cd --k 0", &["k is 0", "from 1"]),
        ("--loss pcd --eta 0", &["eta is 0"]),
        ("--loss pcd --buffer 100", &["100 chains for a batch of 256", "hint: a larger --buffer"]),
        ("--loss pcd --restart 2", &["restart probability is 2", "from 0 to 1"]),
        ("--loss pcd --restart-law box", &["`box`", "uniform, normal"]),
        ("--loss ed --ed-t 0", &["t is 0", "hint: --ed-t is a variance"]),
        ("--loss ed --ed-t 1 --ed-sigma 1", &["--ed-t", "--ed-sigma", "cannot be used with"]),
        ("--loss ed --ed-m 5000", &["M is 5000", "4096"]),
        ("--loss ed --ed-w -1", &["w is -1"]),
        ("--loss nce --nu 0", &["nu is 0"]),
        ("--loss nce --noise-std 0", &["standard deviation 0"]),
        ("--loss sssm", &["`sssm`", "did you mean `ssm`?"]),
        ("--head scores", &["`scores`", "did you mean `score`?"]),
    ];
    for (flags, words) in cases {
        let args: Vec<&str> = SMALL.split_whitespace().chain(flags.split_whitespace()).collect();
        if let Err(problem) = folder.refused(&args, words) {
            panic!("{flags}: {problem}");
        }
        assert!(!folder.path("r").exists(), "{flags} wrote something");
    }
}

#[test]
fn scales_of_the_data_are_warned_of() {
    let warned = |flags: &str, words: &str| {
        let run = runs(flags);
        let all = run["warnings"].to_string();
        assert!(all.contains(words), "{flags}: {all}");
    };
    warned("--loss mdsm --sigma-max 1", "less than a third of the data's diameter");
    warned("--loss mdsm --levels 3", "does not see the noise level");
    warned("--loss ed --ed-w 0 --ed-m 1", "which has no minimum");
    warned("--loss ed --ed-w 0.5", "too steep");
    warned("--loss ed --ed-w 4", "too flat");
    warned("--loss cd --k 2 --alpha 0.3", "flattens the energy");
}

#[test]
fn flags_of_other_objectives_are_warned_of() {
    let folder = Folder::new();
    let small = "--hidden 4 --batch 4 --steps 2 --chains 0 --engine cpu --force --out o";
    let told = |args: &str, words: &[&str]| {
        let outcome = folder.done(args);
        assert_eq!(outcome.stderr.matches("warning: --").count(), words.len(), "{args}: {}", outcome.stderr);
        words.iter().for_each(|w| assert!(outcome.stderr.contains(w), "{args}: {}", outcome.stderr));
    };
    told(
        &format!("run --loss cd --k 2 --sigma 0.2 --nu 3 {small}"),
        &["--sigma is for dsm: cd does not use it", "--nu is for nce: cd does not use it"],
    );
    told(&format!("run --loss mdsm --conditioning concat --levels 3 --weighting one {small}"), &[]);
    // a record of a run holds the defaults of all
    told(
        "run --config o/config.toml --loss dsm --chains 0 --force --out p",
        &["--levels is for mdsm: dsm does not use it"],
    );
    told(&format!("run --loss cd --sigma 0.2 --quiet {small}"), &[]);
    told(
        "bench train --loss esm --k 3 --net 2-4-1 --batch 4 --seconds 0.01",
        &["--k is for cd, pcd: esm does not use it"],
    );
}

#[test]
fn bench_takes_every_objective() {
    let folder = Folder::new();
    for (flags, columns) in [
        ("--loss esm", 12),
        ("--loss ssm --probes 2", 12),
        ("--loss fd-ssm", 9),
        ("--loss dsm", 6),
        ("--loss mdsm --conditioning concat", 6),
        ("--loss ssm-vr --net 2-8-2 --head score", 6),
        ("--loss cd --k 5", 16),
        ("--loss ed --ed-m 2", 9),
        ("--loss nce --nu 3", 12),
    ] {
        let net = if flags.contains("--net") { "" } else { "--net 2-8-1" };
        let outcome = folder.run(&format!("bench train --engine cpu --batch 8 --seconds 0.02 --json {net} {flags}"));
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert_eq!(outcome.json()["columns"], columns, "{flags}");
    }
}
