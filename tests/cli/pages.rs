//! report.html of every command that writes one: its parts, foreign names in it, and that it needs nothing but itself.

use crate::markup::{assert_self_contained, parsed, texts};
use crate::program::{Folder, TINY};

#[test]
fn a_run_says_everything() {
    let folder = Folder::new();
    let run = folder.done(&format!("{TINY} --out r --activation relu --json")).json();
    let html = folder.text("r/report.html");
    let page = parsed(&html);
    assert_self_contained(&page);
    assert_eq!(texts(&page, "h1"), ["Denoising score matching on 8gaussians"]);
    let headings = ["Metrics", "Figures", "Training", "Chains", "Configuration", "Conventions", "Environment"];
    assert_eq!(texts(&page, "h2"), headings);
    assert_eq!(texts(&page, "figcaption").len(), 4);
    assert_eq!(page.descendants().filter(|n| n.has_tag_name("img")).count(), 4);
    // a row for each metric, with its meaning, its unit and its value
    let rows = texts(&page, "tr");
    let kl = format!("{:.3}", run["metrics"]["kl"].as_f64().unwrap());
    let row = rows.iter().find(|row| row.starts_with("klKL(p ‖ q) from the law aimed at")).expect("a row for kl");
    assert!(row.contains(&kl[..4]) && row.ends_with("nats"), "{row}");
    assert_eq!(rows.len(), 15, "{rows:?}");
    // averages have a standard error, distances what they would be by chance
    let row = |name: &str| rows.iter().find(|row| row.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
    assert!(row("fisher½").contains(" ± ") && !row("kl_data").contains(" ± "), "{rows:?}");
    assert!(row("swdsliced").contains(" to ") && row("swdsliced").contains("p-value 0."), "{rows:?}");
    // every flag that config.toml holds, but those of other objectives
    let others =
        "alpha buffer data-noise ed-m ed-w epsilon eta levels nu probe-law probes restart restart-law sigma-min";
    let names = texts(&page, "dt");
    let config: toml::Table = folder.text("r/config.toml").parse().unwrap();
    for flag in config.keys() {
        let is_of_others = flag == "ladder" || others.split(' ').any(|other| other == flag);
        assert_eq!(names.contains(&format!("--{flag}")), !is_of_others, "--{flag}: {names:?}");
    }
    for convention in run["conventions"].as_object().unwrap().values() {
        assert!(texts(&page, "dd").iter().any(|text| text == convention.as_str().unwrap()), "{convention}");
    }
    for name in
        ["version", "engine", "adapter", "threads of the machine", "system", "whole run", "chain steps a second"]
    {
        assert!(names.iter().any(|n| n == name), "{name} is not in {names:?}");
    }
    let warning = run["warnings"][0].as_str().unwrap();
    assert!(texts(&page, "p").iter().any(|text| text == warning), "{warning}");
}

#[test]
fn an_evaluation_has_a_page_beside_its_numbers() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --out r --data 3clusters"));
    let eval = folder.done("eval r --chains 64 --chain-steps 5 --engine cpu --out e --json").json();
    assert_eq!(eval["out"], "e");
    let written: serde_json::Value = serde_json::from_str(&folder.text("e/eval.json")).unwrap();
    assert_eq!(written, eval);
    let html = folder.text("e/report.html");
    let page = parsed(&html);
    assert_self_contained(&page);
    assert_eq!(texts(&page, "h2"), ["Metrics", "Modes", "Figures", "Environment"]);
    assert_eq!(texts(&page, "figcaption").len(), 3);
    let rows = texts(&page, "tr");
    let kl = format!("{:.3}", eval["metrics"]["kl"].as_f64().unwrap());
    assert!(rows.iter().any(|row| row.starts_with("klKL(p") && row.contains(&kl[..4])), "{rows:?}");
    assert_eq!(rows.iter().filter(|row| row.starts_with('(')).count(), 3, "{rows:?}");
    // the model is not removed for a page
    let model = folder.bytes("r/model.safetensors");
    folder.all_refused(
        "eval r --quiet --chains 0 --force",
        &[("--out r", &["r holds r/model.safetensors", "--force would remove it"])],
    );
    folder.all_refused(
        "eval r/model.safetensors --quiet --chains 0 --force",
        &[("--out ./r", &["--force would remove it"])],
    );
    let last = "eval r/checkpoints/step-00000030.safetensors --quiet --chains 0 --force";
    folder.all_refused(last, &[("--out r", &["holds r/checkpoints", "--force would remove it"])]);
    folder.all_refused("eval r --quiet --force --samples r/samples.npy", &[("--out r", &["--force would remove it"])]);
    folder.all_refused("sample r --quiet --force --engine cpu", &[("--out r", &["--force would remove it"])]);
    assert_eq!(folder.bytes("r/model.safetensors"), model);
}

#[test]
fn what_is_not_there_is_not_shown() {
    let folder = Folder::new();
    folder.done(&format!("{TINY} --out r --chains 0 --loss ssm-vr --head score"));
    let html = folder.text("r/report.html");
    let page = parsed(&html);
    assert_eq!(texts(&page, "figcaption").len(), 2, "a score and a loss");
    assert!(texts(&page, "p").contains(&"None were run.".to_string()));
    let flags = texts(&page, "dt");
    let has = |flag: &str| flags.iter().any(|name| name == flag);
    assert!(has("--probes") && has("--lr") && !has("--eta") && !has("--ed-m"), "flags of other objectives: {flags:?}");
    let row = texts(&page, "tr").into_iter().find(|row| row.starts_with("nll−E")).unwrap();
    assert!(row.ends_with('–'), "{row}");
}

#[test]
fn names_of_files_and_columns_stay_text() {
    let folder = Folder::new();
    let rows: String = (0..40).map(|i| format!("{},{}\n", i % 7, i % 5)).collect();
    folder.write("a<b>&\"c'.csv", format!("\"<script>x</script>\",\"p&q\"\n{rows}"));
    let mut args: Vec<&str> = TINY.split_whitespace().collect();
    args.extend(["--out", "r", "--data", "a<b>&\"c'.csv"]);
    let outcome = folder.run_args(&args);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let html = folder.text("r/report.html");
    let page = parsed(&html);
    assert_self_contained(&page);
    assert_eq!(texts(&page, "h1"), ["Denoising score matching on a<b>&\"c'.csv"]);
    assert!(texts(&page, "dd").contains(&"<script>x</script>, p&q".to_string()), "{:?}", texts(&page, "dd"));
}

#[test]
fn chains_on_a_target_have_a_page() {
    let folder = Folder::new();
    let flags =
        "--target gmm --sampler tempering --step-size 0.5 --engine cpu --chains 60 --steps 40 --quiet --json --out s";
    let run = folder.done(&format!("sample {flags}")).json();
    assert!(run["files"].as_array().unwrap().iter().any(|name| name == "report.html"), "{run}");
    let html = folder.text("s/report.html");
    let page = parsed(&html);
    assert_self_contained(&page);
    assert_eq!(texts(&page, "h1"), ["gmm by tempering"]);
    assert_eq!(texts(&page, "h2"), ["Figures", "Coordinates", "Modes", "Chains", "Environment"]);
    let modes = run["modes"].as_array().unwrap().len();
    // a head and both coordinates, a head and the modes; the energy where it was watched
    let rows = texts(&page, "tr").len();
    assert_eq!(rows, 3 + usize::from(!run["last_energy"].is_null()) + 1 + modes);
    for warning in run["warnings"].as_array().unwrap() {
        assert!(texts(&page, "p").iter().any(|text| text == warning.as_str().unwrap()), "{warning}");
    }
}

#[test]
fn an_experiment_has_a_page_with_its_verdicts() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("r")).unwrap();
    folder.write("r/old.svg", "");
    let past = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    std::fs::File::options().append(true).open(folder.path("r/old.svg")).unwrap().set_modified(past).unwrap();
    let outcome = folder.run("repro u3 --engine cpu --seeds 2 --reduce 200 --json --quiet --out r --force");
    assert!(matches!(outcome.code, Some(0 | 1)), "{outcome}");
    let report = outcome.json();
    let html = folder.text("r/report.html");
    let page = parsed(&html);
    assert_self_contained(&page);
    let lines = report["lines"].as_array().unwrap();
    let verdicts = texts(&page, "span").into_iter().filter(|text| text.ends_with(" pass") || text.ends_with(" fail"));
    let judged: Vec<&str> = lines
        .iter()
        .filter(|line| !line["range"].is_null())
        .map(|line| if line["pass"] == true { "✓ pass" } else { "✗ fail" })
        .collect();
    assert_eq!(verdicts.collect::<Vec<_>>(), judged);
    assert!(texts(&page, "p").iter().any(|text| text.contains("divided by 200")));
    assert!(!texts(&page, "figcaption").is_empty() && !texts(&page, "figcaption").contains(&"old".to_string()));
}
