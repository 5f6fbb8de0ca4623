//! `sample`: every sampler from the command line, what it leaves, and what is refused.

use ebm_gpu::data::npy::write_npy_f64;

use crate::program::{Folder, TINY, assert_keys, npy, number};

const SMALL: &str = "--engine cpu --chains 60 --steps 40 --quiet --json --out s";

/// A folder with a small model.
fn trained(flags: &str) -> Folder {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --chains 0 {flags} --out m"));
    folder
}

#[test]
fn every_sampler_runs_on_a_target() {
    for (flags, dim, acceptance_is_one) in [
        ("--target banana", 2, true),
        ("--target banana --noise-scale 0.05 --temperature 2", 2, true),
        ("--target gaussian --dim 5 --sampler mala --step-size 0.3", 5, false),
        ("--target funnel --dim 3 --sampler hmc --leapfrogs 4 --mass 1,2,3 --burn-in 20 --adapt 0.8", 3, false),
        ("--target gmm --sampler tempering --temperatures 9,3,1 --swap-every 3 --step-size 0.5", 2, false),
        ("--target gmm-ncsn --ladder 5,2,1 --sampler annealed --denoise", 2, true),
        ("--target u2 --step-size 0.001", 2, true),
        ("--target himmelblau --box -5,5 --wall clamp --step-size 1e-4 --start -1,1", 2, true),
    ] {
        let folder = Folder::new();
        let run = folder.run(&format!("sample {flags} {SMALL}"));
        assert_eq!(run.code, Some(0), "{flags}: {run}");
        let report = run.json();
        assert_keys(
            &report["chains"],
            &["count", "monitored", "steps", "seconds", "chain_steps_per_second", "acceptance"],
        );
        let (shape, values) = npy(&folder.path("s/samples.npy"));
        assert_eq!(shape, [60, dim], "{flags}");
        assert!(values.iter().all(|v| v.is_finite()));
        let acceptance = number(&report["chains"], "acceptance");
        assert_eq!(acceptance == 1.0, acceptance_is_one, "{flags}: {acceptance}");
        // only unadjusted chains that have a law can be asked what a correction would do
        let has_law = acceptance_is_one && !["noise-scale", "u2", "box"].iter().any(|flag| flags.contains(flag));
        assert_eq!(report["chains"]["would_accept"].is_number(), has_law, "{flags}: {report}");
        assert_eq!(report["exchanges"].as_array().unwrap().len(), if flags.contains("tempering") { 2 } else { 0 });
        assert_eq!(report["step_factor"].is_null(), !flags.contains("adapt"), "{flags}");
        assert_eq!(report["coordinates"].as_array().unwrap().len(), dim);
        assert!(number(&report["coordinates"][0], "bulk_ess") > 0.0, "{flags}");
        let names = folder.names("s");
        assert!(names.contains(&"sample.json".into()) && names.contains(&"moments.jsonl".into()), "{names:?}");
        assert!(names.contains(&"samples.png".into()), "{flags}: {names:?}");
        assert!(folder.text("s/samples.svg").contains(": chains (60)<"), "{flags}");
        assert!(folder.text("s/report.html").contains("The last positions of the chains."), "{flags}");
        if let Some(bounds) = flags.contains("himmelblau").then_some(5.0).or(flags.contains("u2").then_some(4.0)) {
            assert!(values.iter().all(|v| v.abs() <= bounds), "{flags}");
        }
    }
}

/// Of all chains, on networks and targets, with their spread over chains.
#[test]
fn the_last_energies_are_those_of_the_samples() {
    let folder = trained("--data moons");
    for (subject, of) in [("--target gaussian", true), ("m", false)] {
        let report = folder.done(&format!("sample {subject} --force {SMALL} --steps 3")).json();
        let last = &report["last_energy"];
        let (shape, values) = npy(&folder.path("s/samples.npy"));
        assert_eq!(shape, [60, 2]);
        let count = shape[0] as f64;
        let [mean, variance] = ["mean", "variance"].map(|name| number(last, name));
        assert!((number(last, "mean_error") - (variance / count).sqrt()).abs() < 1e-9 && variance > 0.0, "{last}");
        if of {
            let energies: Vec<f64> = values.chunks(2).map(|x| 0.5 * (x[0] * x[0] + x[1] * x[1])).collect();
            let want = energies.iter().sum::<f64>() / count;
            let spread = energies.iter().map(|e| (e - want).powi(2)).sum::<f64>() / (count - 1.0);
            assert!((mean - want).abs() < 1e-5 * want && (variance - spread).abs() < 1e-5 * spread, "{last}, {want}");
        }
    }
    folder.done(&format!("{TINY} --chains 0 --head score --out f"));
    assert!(folder.done(&format!("sample f --force {SMALL}")).json()["last_energy"].is_null());
    // steps that throw chains farther each time
    let wild = folder.run("sample --target gaussian --step-size 3 --engine cpu --chains 60 --steps 100 --out w");
    assert!(
        wild.stderr.contains("the mean energy of the chains is ") && wild.stderr.contains("they run away"),
        "{wild}"
    );
}

#[test]
fn steps_that_are_too_large_for_unadjusted_chains_are_told_of() {
    let folder = trained("--data moons --steps 1000 --hidden 32");
    let sampled = |step: &str| {
        let run = folder
            .done(&format!("sample m --step-size {step} --chains 200 --steps 100 --engine cpu --json --force --out s"));
        (number(&run.json()["chains"], "would_accept"), run.stderr.contains("a Metropolis correction would refuse"))
    };
    let ((small, quiet), (large, warned)) = (sampled("0.001"), sampled("1"));
    assert!(small > 0.98 && !quiet && large < 0.9 && warned, "{small} {quiet}, {large} {warned}");
    // the page and the terminal say the same
    assert!(folder.text("s/report.html").contains("what a Metropolis correction would accept"));
    let words = folder.done("sample m --chains 50 --steps 20 --engine cpu --quiet --force --out s");
    assert!(
        words.stdout.contains("; a Metropolis correction would accept ") && !words.stdout.contains("acceptance"),
        "{words}"
    );
    // what the chains' numbers stand beside is what the objective smooths
    assert!(
        words.stdout.contains("smoothed data") && folder.text("s/report.html").contains("smoothed data"),
        "{words}"
    );
}

#[test]
fn a_model_is_sampled_where_its_data_are() {
    let folder = trained("--data moons");
    for flags in ["", "--sampler mala", "--sampler hmc --leapfrogs 3", "--sampler tempering --temperatures 2,1"] {
        let run = folder.run(&format!("sample m/model.safetensors {flags} {SMALL} --force"));
        assert_eq!(run.code, Some(0), "{flags}: {run}");
        assert_eq!(npy(&folder.path("s/samples.npy")).0, [60, 2]);
    }
    // a file's columns are given back in their own units and under their names
    folder.write("t.csv", (0..200).map(|i| format!("{},{}\n", 1000 + i % 17, 50 - i % 13)).collect::<String>());
    folder.done(&format!("{TINY} --chains 0 --data t.csv --out n"));
    let report = folder.run(&format!("sample n/model.safetensors {SMALL} --force")).json();
    assert!((number(&report["coordinates"][0], "mean") - 1008.0).abs() < 40.0, "{report}");
    assert!((number(&report["coordinates"][1], "mean") - 44.0).abs() < 40.0, "{report}");
}

/// A folder stands for the model in it, in the name of the results too.
#[test]
fn results_are_named_after_the_folder_of_the_run() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --chains 0 --out results/mine"));
    for model in ["results/mine", "results/mine/", "results/mine/model.safetensors"] {
        let report =
            folder.done(&format!("sample {model} --engine cpu --chains 9 --steps 5 --quiet --json --force")).json();
        assert_eq!((&report["subject"], &report["out"]), (&"mine".into(), &"results/sample-mine".into()), "{model}");
    }
    assert_eq!(folder.names("results"), ["mine", "sample-mine"]);
}

#[test]
fn a_model_with_levels_is_annealed_unless_said() {
    let folder = trained("--loss mdsm --ladder 2,1,0.5 --conditioning concat");
    let report = folder.run(&format!("sample m/model.safetensors {SMALL}")).json();
    assert_eq!((&report["sampler"], &report["levels"]), (&"annealed".into(), &serde_json::json!([2.0, 1.0, 0.5])));
    assert_eq!(report["chains"]["steps"], 120);
    let at = folder.run(&format!("sample m/model.safetensors --sampler ula --sigma 0.7 {SMALL} --force")).json();
    assert_eq!(at["levels"], serde_json::json!([0.7]));
    let smallest = folder.run(&format!("sample m/model.safetensors --sampler mala {SMALL} --force")).json();
    assert_eq!(smallest["levels"], serde_json::json!([0.5]));
}

#[test]
fn draws_are_the_chains_over_time() {
    let folder = Folder::new();
    folder.done(&format!("sample --target gaussian --sampler mala --thin 10 --draws {SMALL}"));
    let (shape, values) = npy(&folder.path("s/draws.npy"));
    assert_eq!(shape, [4, 60, 2]);
    let (_, last) = npy(&folder.path("s/samples.npy"));
    assert_eq!(values[3 * 120..], last[..], "the last draw is where the chains are");
    assert_eq!(folder.text("s/moments.jsonl").lines().count(), 4);
    // fewer chains are the first of more
    folder.done(
        "sample --target gaussian --sampler mala --engine cpu --chains 7 --steps 40 --quiet --out few --start -1,1",
    );
    folder.done(
        "sample --target gaussian --sampler mala --engine cpu --chains 33 --steps 40 --quiet --out many --start -1,1",
    );
    let (few, many) = (npy(&folder.path("few/samples.npy")).1, npy(&folder.path("many/samples.npy")).1);
    assert_eq!(many[..14], few[..]);
}

/// The lines of a long chain are few: each of them the mean of some draws in a row.
#[test]
fn moments_of_many_draws_are_means_over_windows() {
    let folder = Folder::new();
    let chains = "sample --target gaussian --sampler mala --step-size 0.5 --engine cpu --chains 3 --steps 5001";
    let report = folder.done(&format!("{chains} --thin 1 --draws --quiet --json --out s")).json();
    let (shape, draws) = npy(&folder.path("s/draws.npy"));
    assert_eq!(shape, [5001, 3, 2]);
    let text = folder.text("s/moments.jsonl");
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // 4096 draws are 2048 windows of two; with the next the windows are of four
    assert_eq!(lines.len(), 1251);
    let (mut step, mut energy, mut acceptance) = (0, 0.0, 0.0);
    for (line, window) in lines.iter().zip(draws.chunks(4 * 6)) {
        let count = window.len() / 6;
        step += count;
        assert_eq!(line["step"], step);
        for n in 0..2 {
            let moments = |draw: &[f64]| {
                let mean = draw.iter().skip(n).step_by(2).sum::<f64>() / 3.0;
                [mean, draw.iter().skip(n).step_by(2).map(|x| (x - mean).powi(2)).sum::<f64>() / 3.0]
            };
            let all: Vec<[f64; 2]> = window.chunks(6).map(moments).collect();
            for (k, what) in ["mean", "variance"].into_iter().enumerate() {
                let want = all.iter().map(|moments| moments[k]).sum::<f64>() / count as f64;
                let got = line[what][n].as_f64().unwrap();
                assert!((got - want).abs() < 1e-9, "{what} {n} at step {step}: {got}, {want} of the draws");
            }
        }
        energy += count as f64 * number(line, "energy");
        acceptance += count as f64 * number(line, "acceptance");
    }
    assert_eq!(step, 5001);
    for (sum, key) in [(energy, "energy.mean"), (acceptance, "chains.acceptance")] {
        let want = number(&report, key);
        assert!((sum / 5001.0 - want).abs() < 1e-6, "{key}: {} of the lines, {want}", sum / 5001.0);
    }
}

/// Chains are looked at on their way where they take no draws: this would take ten times as long to its end.
#[test]
fn an_explosion_between_draws_is_told_of_soon() {
    let folder = Folder::new();
    write_npy_f64(&folder.path("start.npy"), &[2, 2], &[0.5, 0.5, 1e9, -1e9]).unwrap();
    let chains = "sample --target himmelblau --engine cpu --chains 2 --step-size 0.001 --steps 100000000";
    let outcome = folder.run(&format!("{chains} --thin 100000000 --start start.npy --quiet --out s"));
    assert_eq!(outcome.code, Some(1), "{outcome}");
    // so soon that there is time to look for the very step
    let said = "1 of 2 chains left every bound at step 2; it is chain 1, counted from 0\n";
    assert!(outcome.stderr.contains(said), "{outcome}");
}

/// The size of a GIF in pixels and how many frames it has. The first one is whole, and each later one changes something.
fn frames(path: &std::path::Path) -> ([u16; 2], usize) {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(std::fs::File::open(path).unwrap()).unwrap();
    let size = [decoder.width(), decoder.height()];
    let mut count = 0;
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        assert!(frame.left + frame.width <= size[0] && frame.top + frame.height <= size[1]);
        let set = frame.buffer.chunks_exact(4).filter(|pixel| pixel[3] > 0).count();
        if count == 0 {
            assert_eq!(set, usize::from(size[0]) * usize::from(size[1]));
        }
        // at the least the number of the step
        assert!(set > 20, "frame {count} changes {set} pixels");
        count += 1;
    }
    (size, count)
}

/// Runs `sample` with and without --trajectories: the chains are the same, and there are pictures of them.
fn draws_paths_of_the_same_chains(folder: &Folder, what: &str, count: usize) {
    folder.done(&format!("sample {what} {SMALL} --force --draws"));
    let (samples, draws) = (folder.bytes("s/samples.npy"), folder.bytes("s/draws.npy"));
    assert!(!folder.names("s").iter().any(|name| name.contains("traj") || name.contains("gif")), "{what}");
    let report = folder.done(&format!("sample {what} {SMALL} --force --draws --trajectories 3")).json();
    assert_eq!(folder.bytes("s/samples.npy"), samples, "{what}");
    assert_eq!(folder.bytes("s/draws.npy"), draws, "{what}");
    let files: Vec<&str> = report["files"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let mut listed = files.clone();
    listed.sort_unstable();
    assert_eq!(listed, folder.names("s"), "{what}");
    assert!(["trajectories.png", "trajectories.svg", "chains.gif"].iter().all(|name| files.contains(name)), "{what}");
    assert_eq!(folder.text("s/trajectories.svg").matches("class=\"path\"").count(), 3, "{what}");
    let ([width, height], found) = frames(&folder.path("s/chains.gif"));
    assert!((500..900).contains(&width) && (500..900).contains(&height), "{what}: {width}x{height}");
    assert_eq!(found, count, "{what}");
}

/// Beyond the walls of a box there is no law to draw.
#[test]
fn the_view_of_a_target_ends_at_its_walls() {
    let folder = Folder::new();
    let chains = "--target u3 --box -2,2 --wall clamp --start -2,2 --step-size 1 --trajectories 3";
    folder.done(&format!("sample {chains} {SMALL}"));
    for name in ["samples", "trajectories"] {
        let svg = folder.text(&format!("s/{name}.svg"));
        let at = |number: &str| {
            let line = svg.lines().find(|line| line.ends_with(&format!(">{number}</text>"))).unwrap();
            line.split('"').nth(1).unwrap().parse::<f64>().unwrap()
        };
        // the numbers below the panel come first, and it is 420 pixels wide
        let apart = at("2.0") - at("−2.0");
        assert!((418.0..420.0).contains(&apart), "{name}: {apart}");
    }
}

#[test]
fn chains_are_drawn_on_their_way_and_do_not_notice() {
    let folder = Folder::new();
    let text = || folder.text("s/trajectories.svg");
    draws_paths_of_the_same_chains(&folder, "--target banana --burn-in 7 --thin 9", 48);
    assert!(text().contains("class=\"heatmap\"") && text().contains("banana: 3 of 60 chains"));
    draws_paths_of_the_same_chains(&folder, "--target gaussian --dim 1 --sampler mala --burn-in 10 --adapt 0.6", 51);
    assert!(text().contains(">step<") && text().contains("end of burn-in"));
    draws_paths_of_the_same_chains(&folder, "--target funnel --dim 3 --sampler hmc --leapfrogs 2", 41);
    assert!(text().contains("x2 (coordinate 2 of 3)") && !text().contains("class=\"heatmap\""));
    let tempering = "--target gmm --sampler tempering --temperatures 9,3,1 --swap-every 3 --step-size 0.5";
    draws_paths_of_the_same_chains(&folder, tempering, 41);
    // 120 steps in 60 pieces of 2
    draws_paths_of_the_same_chains(&folder, "--target gmm-ncsn --ladder 5,2,1 --sampler annealed --denoise", 61);
    assert!(text().contains("at σ = 1 (nats)"));
}

#[test]
fn chains_of_a_model_are_drawn_in_the_units_of_its_data() {
    let folder = trained("--data moons");
    folder.done(&format!("{TINY} --chains 0 --head score --out f"));
    draws_paths_of_the_same_chains(&folder, "f/model.safetensors", 41);
    let svg = folder.text("s/trajectories.svg");
    assert!(svg.contains("class=\"arrows\"") && !svg.contains("class=\"heatmap\""));
    // without an energy to lie over, in a panel of their own
    let svg = folder.text("s/samples.svg");
    assert!(
        svg.matches("class=\"panel\"").count() == 1 && svg.contains("chains (") && !svg.contains("data ("),
        "{svg}"
    );
    folder.write("t.csv", (0..200).map(|i| format!("{}\n", 1000 + i % 17)).collect::<String>());
    for head in ["energy", "score"] {
        folder.done(&format!("{TINY} --chains 0 --data t.csv --head {head} --force --out n"));
        draws_paths_of_the_same_chains(&folder, "n/model.safetensors", 41);
        let svg = folder.text("s/trajectories.svg");
        assert!(svg.contains("class=\"heatmap\""), "{head}: one coordinate always has an energy");
        assert!(svg.contains(">1005</text>") || svg.contains(">1010</text>"), "{head}: {svg}");
        for drawn in ["n/energy.svg", "s/samples.svg"] {
            let svg = folder.text(drawn);
            assert!(svg.contains(">1005</text>") || svg.contains(">1010</text>"), "{head}: {drawn}: {svg}");
        }
    }
}

#[test]
fn what_cannot_be_sampled_is_refused() {
    let folder = trained("--data moons");
    folder.done(&format!("{TINY} --chains 0 --head score --out f"));
    for (command, says) in [
        ("sample", "CHECKPOINT"),
        ("sample --target banan", "did you mean `banana`?"),
        ("sample --target banana --dim 3", "the target banana has 2 coordinates, not 3"),
        ("sample --target banana --sampler nuts", "the samplers are: ula, mala, hmc, annealed, tempering"),
        ("sample --target banana --sampler annealed", "annealed chains need noise levels"),
        ("sample --target banana --ladder 2,1", "smoothed with noise has no closed form"),
        ("sample --target banana --chains 0", "chains is 0"),
        ("sample --target banana --steps 0", "0 steps of each chain"),
        ("sample --target banana --step-size 0", "the step size is 0"),
        ("sample --target banana --step-size nan --sampler hmc", "the step size is NaN"),
        ("sample --target banana --adapt 0.8 --burn-in 10", "ula has no use for --adapt"),
        ("sample --target banana --sampler mala --adapt 0.8", "--adapt without burn-in"),
        ("sample --target banana --sampler hmc --mass 1", "1 masses for 2 coordinates"),
        ("sample --target banana --sampler hmc --leapfrogs 0", "leapfrogs is 0"),
        ("sample --target banana --sampler tempering --temperatures 2,0", "they fall, and end at 1"),
        ("sample --target banana --sampler mala --noise-scale 1", "mala has no use for --noise-scale"),
        ("sample --target banana --mass 1,1", "ula has no use for --mass"),
        ("sample --target banana --sampler mala --leapfrogs 3", "mala has no use for --leapfrogs"),
        ("sample --target banana --sampler hmc --swap-every 3", "hmc has no use for --swap-every"),
        ("sample --target banana --sampler tempering --temperatures 1,2", "they fall, and end at 1"),
        ("sample --target banana --sampler tempering --temperatures 5,2", "they fall, and end at 1"),
        ("sample --target banana --wall clamp", "--wall without a box"),
        ("sample --target banana --thin 0", "thin is 0"),
        ("sample", "there is nothing to sample from"),
        ("sample m/model.safetensors --dim 2", "are for targets"),
        ("sample --target u1 --sampler mala --wall clamp", "spoils the balance"),
        ("sample --target u1 --box 4,-4", "the box runs from 4 to -4"),
        ("sample --target u1 --box 1", "the box has 1 ends"),
        ("sample --target u1 --wall soft", "the walls are: reflect, clamp"),
        ("sample --target u1 --start 3,1", "a box runs from a number to a larger one"),
        ("sample --target u1 --start none.npy", "none.npy"),
        ("sample --target u1 --thin 0", "thin is 0"),
        ("sample --target u1 --draws --steps 5 --thin 9", "there are none in 5 steps"),
        ("sample --target u1 --trajectories 0", "--trajectories 0 draws no path"),
        ("sample --target u1 --trajectories 9 --chains 8", "--trajectories 9: there are 8 chains"),
        ("sample --target u1 --trajectories 1001", "more than 1000 paths hide each other"),
        ("sample --target u1 --sigma 1", "for models that see a noise level"),
        ("sample m/model.safetensors --target u1", "cannot be used with"),
        ("sample m/model.safetensors --sigma 1", "does not see a noise level"),
        ("sample m/model.safetensors --ladder 2,1", "does not see a noise level"),
        ("sample f/model.safetensors --sampler mala", "has no energy"),
        ("sample none.safetensors", "cannot read checkpoint none.safetensors: there is no such file or folder"),
        ("sample f/checkpoints", "f/checkpoints has no model.safetensors: no run has been completed there"),
    ] {
        let outcome = folder.run(&format!("{command} --engine cpu --quiet --out r"));
        assert_eq!(outcome.code, Some(2), "{command}: {outcome}");
        assert!(outcome.stderr.contains(says), "{command}: {outcome}");
        assert!(!folder.path("r").exists(), "{command} left a folder");
    }
}

/// What is known of a law is shown where chains sample that law, and held against them.
#[test]
fn exact_numbers_are_those_of_the_law_that_is_sampled() {
    let folder = Folder::new();
    let common = "--engine cpu --quiet --chains 200 --steps 60 --json --force --out s";
    for (flags, known) in [
        ("--target gaussian --sampler mala --step-size 0.5", true),
        ("--target gaussian --sampler mala --box -1,1", false),
        ("--target gaussian --temperature 2", false),
        ("--target gaussian --noise-scale 0.5", false),
        ("--target u2 --sampler mala", true),
        ("--target u2 --sampler mala --box -100,100", false),
        ("--target gmm --ladder 2,1 --sampler annealed", true),
        ("--target gmm --ladder 2,1 --sampler annealed --denoise", false),
        ("--target gmm --sampler tempering --temperature 2", false),
    ] {
        let report = folder.done(&format!("sample {flags} {common}")).json();
        assert_eq!(!report["coordinates"][0]["exact_variance"].is_null(), known, "{flags}: {report}");
        for mode in report["modes"].as_array().unwrap() {
            assert_eq!(!mode["weight"].is_null(), known, "{flags}");
        }
    }
    let far =
        folder.done(&format!("sample --target gaussian --sampler mala --start 3,4 --step-size 0.001 {common}")).json();
    let warnings = far["warnings"].to_string();
    assert!(warnings.contains("standard errors from the exact one"), "{warnings}");
    let missed = "sample --target banana --sampler hmc --adapt 0.6 --burn-in 1 --step-size 0.01";
    let warnings = folder.done(&format!("{missed} {common}")).json()["warnings"].to_string();
    assert!(warnings.contains("adaptation was to reach 0.6"), "{warnings}");
}
