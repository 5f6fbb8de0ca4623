//! Every objective with every head and conditioning from the command line, and what is refused.

use crate::program::{Folder, number};

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
    if flags.contains("concat") {
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
    warned("--loss fd-ssm --epsilon 0.001", "drowns in rounding errors");
    warned("--loss mdsm --sigma-max 1", "less than a third of the data's diameter");
    warned("--loss mdsm --levels 3", "does not see the noise level");
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
    ] {
        let net = if flags.contains("--net") { "" } else { "--net 2-8-1" };
        let outcome = folder.run(&format!("bench train --engine cpu --batch 8 --seconds 0.02 --json {net} {flags}"));
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert_eq!(outcome.json()["columns"], columns, "{flags}");
    }
}
