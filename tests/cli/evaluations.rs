//! `eval`: that its numbers are those of the run, of the rows it says, in the units of the data; and training that is stopped
//! by held-out points.

use ebm_gpu::data::npy::write_npy_f64;
use serde_json::Value;

use crate::program::{Folder, TINY, assert_keys, npy, number};

const QUICK: &str = "--engine cpu --quiet --json --chains 64 --chain-steps 20";

fn close(a: &Value, b: &Value, key: &str, bound: f64) {
    let (a, b) = (number(a, key), number(b, key));
    assert!((a - b).abs() <= bound * b.abs().max(1e-3), "{key}: {a}, not {b}");
}

#[test]
fn numbers_of_a_run_are_found_again() {
    let folder = Folder::new();
    let run = folder.done(&format!("{TINY} --loss dsm --out a --json")).json();
    let eval = folder.done(&format!("eval a {QUICK}")).json();
    for key in
        ["metrics.nll", "metrics.kl", "metrics.kl_data", "metrics.log_density_mse", "metrics.fisher", "metrics.log_z"]
    {
        close(&eval, &run, key, 1e-5);
    }
    assert_eq!(number(&eval, "sigma"), 0.3);
    assert_keys(
        &eval,
        &["metrics.standard_errors.fisher", "metrics.null_intervals.swd", "metrics.p_values.mmd2", "rows"],
    );
    // samples that are given: those of the run give the distances of the run
    let given = folder.done("eval a --engine cpu --quiet --json --samples a/samples.npy").json();
    for key in ["metrics.swd", "metrics.mmd2", "metrics.energy_distance", "metrics.neighbours"] {
        close(&given, &run, key, 1e-4);
    }
    // data for samples: nothing lies outside what chance does
    let law = ebm_gpu::data::Dataset::toy("8gaussians").unwrap();
    let noisy =
        ebm_gpu::points::Points::normal::<f64>(2000, 2, ebm_gpu::random::Seed(9), ebm_gpu::random::Stream::Data, 3);
    let mut points = law.draw(2000, &mut ebm_gpu::random::Seed(8).sequence(ebm_gpu::random::Stream::Data, 9));
    points.values_mut().iter_mut().zip(noisy.values()).for_each(|(x, z)| *x += 0.3 * z);
    write_npy_f64(&folder.path("law.npy"), &[2000, 2], points.values()).unwrap();
    let truth = folder.done("eval a --engine cpu --quiet --json --samples law.npy").json();
    for name in ["swd", "mmd2", "energy_distance", "neighbours"] {
        let p = number(&truth, &format!("metrics.p_values.{name}"));
        assert!(p > 0.01, "{name}: {truth}");
    }
}

#[test]
fn chains_that_have_not_reached_the_model_are_told_of() {
    let folder = Folder::new();
    let run = "run --loss dsm --steps 1500 --batch 128 --net 2-32-32-1 --engine cpu";
    let short = folder.done(&format!("{run} --chains 1000 --chain-steps 1 --json --out a"));
    let said = "standard deviations above that of the model's own law";
    let warnings = |report: &Value| report["warnings"].to_string();
    assert!(short.stderr.contains(said) && warnings(&short.json()).contains(said), "{short}");
    assert!(number(&short.json(), "metrics.chains_energy") > 0.5);
    let eval = |flags: &str| folder.done(&format!("eval a --engine cpu --json --chains 1000 {flags}"));
    let (few, many) = (eval("--chain-steps 1"), eval("--chain-steps 800"));
    assert!(few.stderr.contains(said) && warnings(&few.json()).contains(said), "{few}");
    assert_eq!(many.json()["warnings"], Value::Array(vec![]), "{many}");
    let (sampler, steps) = (&many.json()["chains"]["sampler"], number(&many.json(), "chains.steps"));
    assert!(sampler == "ula" && steps == 800.0 && number(&many.json(), "chains.would_accept") > 0.95, "{many}");
    let biased = eval("--chain-steps 100 --step-size 1");
    assert!(biased.stderr.contains("a Metropolis correction would refuse"), "{biased}");
    let words = folder.done("eval a --engine cpu --quiet --chains 100 --chain-steps 10 --sampler mala");
    assert!(words.stdout.contains("the ends of 100 chains of 10 steps (x <- x"), "{words}");
    assert!(words.stdout.contains(", acceptance 0.9"), "{words}");
}

/// A table of three columns that hang together.
fn table(folder: &Folder, name: &str, rows: usize) {
    let line = |i: usize| {
        let t = i as f64;
        let (a, b) = ((1.7 * t).sin() + 0.3 * (5.1 * t).cos(), (2.3 * t).cos());
        format!("{:.5},{:.5},{:.5}\n", 10.0 + 3.0 * a, a + b, 0.1 * b * b)
    };
    let body: String = (0..rows).map(line).collect();
    folder.write(name, format!("u,v,w\n{body}"));
}

#[test]
fn rows_are_those_that_training_has_not_seen() {
    let folder = Folder::new();
    table(&folder, "t.csv", 200);
    let run = folder.done(&format!("{TINY} --loss ed --data t.csv --columns u,v --out a --json")).json();
    let held = folder.done(&format!("eval a {QUICK} --chains 0")).json();
    assert_eq!(number(&held, "points"), number(&run, "test_points"));
    close(&held, &run, "metrics.nll_data", 1e-5);
    assert!(number(&held, "metrics.standard_errors.nll_data") > 0.0);
    let all = folder.done(&format!("eval a {QUICK} --chains 0 --all")).json();
    assert_eq!((number(&all, "points"), &all["rows"]), (200.0, &Value::from("every row")));
    // another table of the same law, of which training has seen nothing
    table(&folder, "other.csv", 90);
    let other = folder.done(&format!("eval a {QUICK} --chains 0 --data other.csv --columns u,v")).json();
    assert_eq!(number(&other, "points"), 90.0);
    // its columns are found by name, in whatever order they are
    let turned: String = folder
        .text("other.csv")
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{},{},{}\n", cells[1], cells[2], cells[0])
        })
        .collect();
    folder.write("turned.csv", turned);
    let by_name = folder.done(&format!("eval a {QUICK} --chains 0 --data turned.csv")).json();
    assert_eq!(number(&by_name, "metrics.nll_data"), number(&other, "metrics.nll_data"));
    // the file that it was trained on is known under another name, and its rows stay what they were
    for flags in ["--data ./t.csv", "--data t.csv --columns u,v", "--seed 5"] {
        let same = folder.done(&format!("eval a {QUICK} --chains 0 {flags}")).json();
        assert_eq!(number(&same, "metrics.nll_data"), number(&held, "metrics.nll_data"), "{flags}");
    }
    folder.write("strange.csv", folder.text("other.csv").replacen("u,v,w", "x,y,z", 1));
    folder.all_refused(
        "eval a --quiet --engine cpu",
        &[
            ("--data strange.csv", &["3 columns", "2"]),
            ("--data other.csv --columns u,x", &["x"]),
            ("--data nothing.csv", &["nothing.csv"]),
            ("--samples other.csv", &["other.csv"]),
            ("--sigma -1", &["sigma", "-1"]),
            ("--ais 100", &["--ais", "1", "2"]),
            ("--ais 1,100", &["chains", "1"]),
        ],
    );
    write_npy_f64(&folder.path("wide.npy"), &[4, 3], &[0.0; 12]).unwrap();
    folder.all_refused("eval a --quiet --engine cpu", &[("--samples wide.npy", &["[4, 3]", "2"])]);
    // seen from another folder, it is not where it was, and is known again by its name
    std::fs::create_dir(folder.path("moved")).unwrap();
    std::fs::rename(folder.path("t.csv"), folder.path("moved/t.csv")).unwrap();
    folder.all_refused("eval a --quiet --engine cpu", &[("", &["there is no file t.csv", "hint: ", "--data PATH"])]);
    let moved = folder.done(&format!("eval a {QUICK} --chains 0 --data moved/t.csv")).json();
    assert_eq!(number(&moved, "metrics.nll_data"), number(&held, "metrics.nll_data"));
    let rows = format!("{} (moved/t.csv is taken for the file", held["rows"].as_str().unwrap());
    assert!(moved["rows"].as_str().unwrap().starts_with(&rows), "{moved}");
}

#[test]
fn noise_levels_that_training_has_not_seen_are_warned_of() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --loss mdsm --conditioning concat --sigma-max 2 --sigma-min 0.1 --out m"));
    for (sigma, is_new) in [("50", true), ("0.05", true), ("2", false), ("0.1", false), ("0.7", false)] {
        let chains = format!("--engine cpu --json --chains 8 --sigma {sigma}");
        let eval = folder.done(&format!("eval m {chains} --chain-steps 5"));
        let sample = folder.done(&format!("sample m {chains} --steps 5 --out s --force"));
        for told in [eval, sample] {
            let said = format!("has never seen σ = {sigma}");
            let warnings = told.json()["warnings"].to_string();
            // once, before the work
            let times = usize::from(is_new);
            assert_eq!([warnings, told.stderr.clone()].map(|text| text.matches(&said).count()), [times; 2], "{told}");
        }
    }
}

#[test]
fn beyond_the_plane_ln_z_is_annealed() {
    let folder = Folder::new();
    table(&folder, "t.csv", 400);
    folder.done(&format!("{TINY} --loss ed --data t.csv --steps 3000 --out a"));
    let found = folder.done(&format!("eval a {QUICK} --chains 0 --ais 512,200")).json();
    let (nll, error) = (number(&found, "metrics.nll_data"), number(&found, "metrics.standard_errors.log_z"));
    assert!(error > 0.0 && error < 0.3, "{found}");
    // another seed: the same within the errors of both
    let again = folder.done(&format!("eval a {QUICK} --chains 0 --ais 2048,200 --all --seed 5")).json();
    assert!((number(&again, "metrics.log_z") - number(&found, "metrics.log_z")).abs() < 5.0 * error, "{found} {again}");
    assert!(nll.abs() < 20.0, "{nll}");
    let none = folder.done(&format!("eval a {QUICK} --chains 0 --ais 0,0")).json();
    assert!(none["metrics"]["nll"].is_null() && none["metrics"]["note"].is_string(), "{none}");
}

#[test]
fn points_in_another_unit_and_samples_that_are_none() {
    let folder = Folder::new();
    table(&folder, "mine.csv", 200);
    folder.done("run --engine cpu --quiet --data mine.csv --steps 20 --hidden 8 --chains 16 --out mine");
    let text = folder.text("mine.csv");
    let scaled = text.lines().skip(1).map(|line| {
        let cells = line.split(',').map(|cell| (1e4 * cell.parse::<f64>().unwrap()).to_string());
        cells.collect::<Vec<_>>().join(",") + "\n"
    });
    folder.write("scaled.csv", scaled.collect::<String>());
    let eval = "eval mine --engine cpu --chains 0 --ais 0,0";
    let outcome = folder.done(&format!("{eval} --data scaled.csv"));
    assert!(outcome.stderr.contains("in another unit"), "{outcome}");
    assert!(!folder.done(eval).stderr.contains("unit"));
    let samples = [1.0_f32, 2.0, 3.0, f32::NAN, 5.0, 6.0].map(f32::to_le_bytes).concat();
    folder.write("samples.npy", crate::bad_tables::npy_bytes("<f4", "(2, 3)", &samples));
    folder.all_refused(
        "eval mine --engine cpu --ais 0,0 --quiet",
        &[("--samples samples.npy", &["samples.npy: row 1, column 0", "NaN", "hint"])],
    );
}

#[test]
fn training_ends_when_held_out_points_say_so() {
    let folder = Folder::new();
    table(&folder, "t.csv", 60);
    let flags = "run --engine cpu --quiet --json --data t.csv --columns u,v --hidden 64,64 --chains 0 --steps 4000 --lr 0.01 --batch 48";
    let run = folder.done(&format!("{flags} --loss ssm-vr --patience 5 --validate-every 20 --out a")).json();
    assert_eq!(run["validation"]["stopped"], true, "{run}");
    let (best, steps) = (number(&run, "validation.best_step"), number(&run, "steps"));
    assert_eq!(steps, best + 100.0, "{run}");
    let text = folder.text("a/metrics.jsonl");
    let seen: Vec<f64> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|line| line["validation_loss"].as_f64())
        .collect();
    let least = seen.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(number(&run, "validation.best"), least, "{seen:?}");
    // a run to the best step with the same schedule would have the same network: here the checkpoint is that step's
    let metadata = folder.bytes("a/model.safetensors");
    let header = String::from_utf8_lossy(&metadata[8..2000]).into_owned();
    assert!(header.contains(&format!("\"step\":\"{best}\"")), "{header}");
    // the figure shows both losses
    assert!(folder.text("a/loss.svg").contains("held-out points"));
    // without patience it goes to its end
    let plain = folder.done(&format!("{flags} --loss ssm-vr --steps 60 --out b")).json();
    assert!(plain["validation"].is_null());
    assert!(!folder.text("b/loss.svg").contains("held-out points"));
    // a loss that is no measure is replaced
    let cd = folder.done(&format!("{flags} --loss cd --k 2 --steps 60 --patience 50 --out c")).json();
    assert_eq!(
        (cd["validation"]["loss"].as_str(), cd["validation"]["stopped"].as_bool()),
        (Some("ssm-vr"), Some(false))
    );
    assert!(!folder.text("c/loss.svg").contains("held-out points"));
    folder.all_refused(
        flags,
        &[
            ("--loss cd --activation relu --patience 3", &["relu"]),
            ("--patience 3 --validate-every 0", &["validate-every", "0"]),
            ("--patience 3 --validation 0", &["validation"]),
        ],
    );
    let (shape, _) = {
        folder.done(&format!("{flags} --loss ed --steps 40 --patience 3 --chains 9 --out d"));
        npy(&folder.path("d/samples.npy"))
    };
    assert_eq!(shape, [9, 2]);
}
