//! `compare`: its tables, that it goes on where it was interrupted, and what it refuses.

use std::time::SystemTime;

use ebm_gpu::report::{meaning, short};

#[cfg(unix)]
use crate::going::Going;
use crate::markup::{assert_self_contained, parsed, texts};
use crate::program::{Folder, number};
use crate::results::assert_picture;

const QUICK: &str = "compare --engine cpu --quiet --losses dsm,ed --data moons,gauss1d --seeds 2 --budget 30 --hidden 8 --chains 32 \
                     --set points=400 --set dsm:sigma=0.2";

fn changed(folder: &Folder, name: &str) -> SystemTime {
    std::fs::metadata(folder.path(name)).unwrap().modified().unwrap()
}

/// compare.csv without what a second run has otherwise: the times of training, which are the last but one.
fn without_time(csv: &str) -> Vec<String> {
    csv.lines().map(|line| line.rsplitn(3, ',').last().unwrap().to_string()).collect()
}

/// Fails unless compare.md has a heading and, for a metric that has a best, the medians of compare.csv.
fn assert_markdown(markdown: &str, csv: &str) {
    let heading =
        "# dsm, ed on moons, gauss1d\n\n2 runs of each, 30 steps of training; hidden=8, chains=32, points=400, ";
    assert!(markdown.starts_with(heading), "{markdown:.300}");
    let table = markdown.split("### ").find(|part| part.starts_with("kl_data\n")).expect("a table of kl_data");
    assert!(table.contains("\n| data | dsm | ed |\n| --- | --- | --- |\n"), "{table}");
    let seeds = |data: &str, loss: &str| -> Vec<f64> {
        let lines = csv.lines().filter(|line| line.starts_with(&format!("{data},{loss},")));
        lines.map(|line| line.split(',').nth(4).unwrap().parse().unwrap()).collect()
    };
    let median = |values: &[f64]| 0.5 * (values[0] + values[1]);
    let cell = |own: &[f64], other: &[f64]| {
        let (low, high) = (own[0].min(own[1]), own[0].max(own[1]));
        let text = format!("{} ({} to {})", short(median(own), 4), short(low, 4), short(high, 4));
        // a seed that reaches the best median
        if low <= median(own).min(median(other)) { format!("**{text}**") } else { text }
    };
    for data in ["moons", "gauss1d"] {
        let (dsm, ed) = (seeds(data, "dsm"), seeds(data, "ed"));
        let line = format!("\n| {data} | {} | {} |\n", cell(&dsm, &ed), cell(&ed, &dsm));
        assert!(table.contains(&line), "{line} is not in {table}");
    }
}

/// Fails unless report.html says what each metric is and where it was computed, and leads to the page of every run.
fn assert_page(folder: &Folder, root: &str, csv: &str) {
    let html = folder.text(&format!("{root}/report.html"));
    let page = parsed(&html);
    assert_self_contained(&page);
    let (headings, paragraphs) = (texts(&page, "h2"), texts(&page, "p"));
    let names: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let metrics = &names[4..names.len() - 1];
    assert!(metrics.contains(&"log_density_mse") && metrics.contains(&"train_seconds"), "{metrics:?}");
    for name in metrics.iter().chain(&["Models", "Environment"]) {
        assert!(headings.iter().any(|heading| heading == name), "{name} is not among {headings:?}");
    }
    for metric in metrics {
        let is = meaning(metric).map_or("seconds of training", |meaning| meaning.is);
        assert!(paragraphs.iter().any(|text| text.contains(is)), "{metric} has no meaning");
    }
    let links: Vec<&str> = page.descendants().filter_map(|node| node.attribute("href")).collect();
    assert_eq!(links.len(), csv.lines().count() - 1, "{links:?}");
    for link in links {
        assert!(folder.path(root).join(link).is_file(), "{link} leads nowhere");
    }
}

#[test]
fn a_comparison_is_a_table_a_figure_and_a_page() {
    let folder = Folder::new();
    let outcome = folder.done(QUICK);
    assert!(outcome.stdout.contains("| data | dsm | ed |"), "{outcome}");
    let root = "results/compare";
    let csv = folder.text(&format!("{root}/compare.csv"));
    assert_eq!(csv.lines().count(), 1 + 8, "{csv}");
    assert!(csv.starts_with("data,loss,seed,steps,kl_data,nll_data"), "{csv}");
    assert_markdown(&folder.text(&format!("{root}/compare.md")), &csv);
    assert_page(&folder, root, &csv);
    // the numbers are those of the runs
    let run: serde_json::Value =
        serde_json::from_str(&folder.text(&format!("{root}/moons/ed/seed-1/run.json"))).unwrap();
    let line = csv.lines().find(|line| line.starts_with("moons,ed,1,")).unwrap();
    assert_eq!(line.split(',').nth(4).unwrap().parse::<f64>().unwrap(), number(&run, "metrics.kl_data"));
    assert!(folder.text(&format!("{root}/moons/dsm/seed-0/config.toml")).contains("sigma = 0.2"));
    assert!(folder.text(&format!("{root}/moons/ed/seed-0/config.toml")).contains("sigma = 0.3"));
    for name in ["models", "kl_data"] {
        assert_picture(&folder, &format!("{root}/{name}.png"));
    }
    let page = folder.text(&format!("{root}/report.html"));
    assert!(page.contains("moons/dsm/seed-0/report.html") && page.contains("<td"), "{page:.600}");
    // what every run was run with, and how its loss went
    for heading in ["Training", "Configuration"] {
        assert!(page.contains(&format!("<h2>{heading}</h2>")), "{heading}");
    }
    for flag in ["--lr", "--batch", "--steps", "--schedule"] {
        assert!(page.contains(&format!("<dt>{flag}</dt>")), "{flag} is not among what all have in common");
    }
    assert!(page.contains("<th scope=\"row\">--sigma</th><td>0.2</td><td>–</td>"), "{page}");
    assert!(!page.contains("<dt>--seed</dt>") && !page.contains("--loss</"));
    assert!(page.contains(run["objective"].as_str().unwrap().split('<').next().unwrap()), "{run}");
    for loss in ["dsm", "ed"] {
        assert_picture(&folder, &format!("{root}/loss-{loss}.png"));
        let svg = folder.text(&format!("{root}/loss-{loss}.svg"));
        assert_eq!(svg.matches("class=\"curve\"").count(), 2, "a line for each data set");
        assert!(svg.contains("moons") && svg.contains("gauss1d"));
        assert!(page.contains(&format!("<figcaption>{loss}.</figcaption>")));
    }
    // dsm aims at another law than ed: their distances have no best
    let tables: Vec<&str> = page.split("<h2>").collect();
    let best = |name: &str| tables.iter().find(|t| t.starts_with(name)).unwrap().contains("class=\"best\"");
    assert!(best("kl_data<") && !best("swd<") && !best("fisher<"));
    // what is there stays, what is missing is run
    let kept = changed(&folder, &format!("{root}/moons/ed/seed-1/run.json"));
    std::fs::remove_file(folder.path(&format!("{root}/gauss1d/dsm/seed-0/run.json"))).unwrap();
    folder.done(QUICK);
    assert_eq!(changed(&folder, &format!("{root}/moons/ed/seed-1/run.json")), kept);
    let again = folder.text(&format!("{root}/compare.csv"));
    assert_eq!(without_time(&again), without_time(&csv));
    // who names the whole folder is told what is in it
    let (gauss, moons) = (format!("below it: {root}/gauss1d/dsm/seed-0, "), format!("{root}/moons/dsm/seed-0"));
    for (command, words) in [
        (format!("eval {root} --engine cpu"), [gauss.as_str(), ", 5 more"]),
        (format!("eval {root}/moons/dsm --engine cpu"), ["below it: ", &moons]),
        ("run --data moons,rings".into(), ["one is trained on at a time", "`ebm-gpu compare --data moons,rings`"]),
    ] {
        folder.all_refused(&command, &[("", &words)]);
    }
    folder.all_refused(
        QUICK,
        &[
            ("--budget 31", &["moons/dsm/seed-0", "steps is 30 there, 31 here"]),
            ("--batch 7", &["batch is 256 there, 7 here", "--force"]),
        ],
    );
}

#[test]
fn models_are_panels_under_their_names() {
    let folder = Folder::new();
    folder.done(
        "compare --engine cpu --quiet --losses dsm,ed --data moons,rings --seeds 1 --budget 30 --net 2-8-1 --chains 32 \
         --set points=400 --out c",
    );
    let svg = folder.text("c/models.svg");
    assert_eq!(svg.matches("class=\"panel\"").count(), 2 * (2 + 1), "rows x (data and losses)");
    let names = ["data", "dsm", "ed", "moons", "rings"];
    let mut said = texts(&parsed(&svg), "text");
    said.retain(|text| names.contains(&text.as_str()));
    assert_eq!(said, names, "columns from the left, then rows from the top");
    // what may be negative has no logarithm, so that each data set has an axis of its own
    let is_shared = |metric: &str| {
        let svg = folder.text(&format!("c/{metric}.svg"));
        let numbers = |panel: &str| {
            let axis = panel.split("</g>").next().unwrap().lines().filter(|line| line.contains("\"middle\""));
            axis.map(|line| line.split(['<', '>']).nth(2).unwrap().to_string()).collect::<Vec<_>>()
        };
        let panels: Vec<_> = svg.split("<g class=\"panel\">").skip(1).map(numbers).collect();
        assert!(panels.len() == 2 && panels[0].len() > 1, "{metric}: {panels:?}");
        panels[0] == panels[1]
    };
    assert!(is_shared("swd") && !is_shared("mmd2") && !is_shared("energy_distance"));
    for run in ["moons/dsm", "moons/ed", "rings/dsm", "rings/ed"] {
        let config = folder.text(&format!("c/{run}/seed-0/config.toml"));
        assert!(config.contains("net = \"2-8-1\"\n") && !config.contains("hidden"), "{config}");
    }
}

#[test]
fn models_that_are_no_panels_are_named() {
    let folder = Folder::new();
    let outcome = folder.done(
        "compare --engine cpu --losses ed --data gauss1d --seeds 1 --budget 20 --hidden 8 --chains 16 --set points=400 --out c",
    );
    let sentence =
        "Panels of models are for data of two coordinates: gauss1d has 1. The pages of the runs show the others.";
    assert!(outcome.stderr.lines().any(|line| line == sentence), "{outcome}");
    assert!(texts(&parsed(&folder.text("c/report.html")), "p").contains(&sentence.to_string()));
    assert!(!folder.path("c/models.svg").exists());
}

#[cfg(unix)]
#[test]
fn an_interrupted_comparison_goes_on() {
    let folder = Folder::new();
    let flags = "compare --engine cpu --quiet --losses ed --data gauss1d --seeds 2 --budget 20000 --hidden 8 --batch 32 --chains 32 \
                 --set points=400 --out";
    folder.done(&format!("{flags} whole"));
    let again = format!("{flags} c");
    // in the first run, and after its end: between the two or in the second
    for file in ["metrics.jsonl", "run.json"] {
        let mut going = Going::start(&folder, &again);
        going.until(|| folder.length(&format!("c/gauss1d/ed/seed-0/{file}")) > 0);
        going.signal("INT");
        let (code, said) = going.end();
        assert_eq!(code, Some(130), "{said}");
        assert!(said.starts_with("interrupted"), "{said}");
        assert!(said.ends_with("\nhint: the same command again goes on\n"), "{said}");
        assert!(!folder.path("c/compare.csv").exists());
    }
    folder.done(&again);
    for name in ["seed-0/model.safetensors", "seed-0/samples.npy", "seed-1/model.safetensors", "seed-1/samples.npy"] {
        let [a, b] = ["c", "whole"].map(|root| folder.bytes(&format!("{root}/gauss1d/ed/{name}")));
        assert!(a == b, "{name}");
    }
    let [a, b] = ["c", "whole"].map(|root| folder.text(&format!("{root}/compare.csv")));
    assert_eq!(without_time(&a), without_time(&b));
}

#[test]
fn a_run_that_diverges_is_told_and_not_repeated() {
    let folder = Folder::new();
    let flags = "compare --engine cpu --quiet --losses dsm,ed --data moons --seeds 1 --budget 30 --hidden 8 --chains 0 \
                 --set points=400 --set dsm:lr=1e30 --set clip=0 --out c";
    let outcome = folder.done(flags);
    assert!(outcome.stdout.contains("1 failed"), "{outcome}");
    assert!(folder.text("c/compare.csv").contains("diverged"));
    assert!(folder.text("c/report.html").contains("diverged"));
    let kept = changed(&folder, "c/moons/dsm/seed-0/failed.json");
    let json = folder.done(&format!("{flags} --json")).json();
    assert_eq!(changed(&folder, "c/moons/dsm/seed-0/failed.json"), kept);
    assert!(json["runs"][0]["failure"].is_string() && json["runs"][1]["failure"].is_null(), "{json}");
}

#[test]
fn seconds_become_the_same_steps_again() {
    let folder = Folder::new();
    let flags = "compare --engine cpu --quiet --losses dsm --data moons --seeds 1 --budget 0.05s --hidden 8 --chains 0 \
                 --set points=400 --out c --json";
    let steps = |json: serde_json::Value| number(&json["runs"][0], "steps");
    let first = steps(folder.done(flags).json());
    assert!(first >= 1.0);
    assert_eq!(steps(folder.done(flags).json()), first);
}

#[test]
fn a_file_that_has_changed_is_noticed() {
    let folder = Folder::new();
    let table = |rows: usize| {
        (0..rows).map(|i| format!("{},{}\n", (1.3 * i as f64).sin(), (0.7 * i as f64).cos())).collect::<String>()
    };
    folder.write("x.csv", table(120));
    let flags =
        "compare --engine cpu --quiet --losses ed --data x.csv --seeds 1 --budget 20 --hidden 8 --chains 0 --out c";
    folder.done(flags);
    folder.done(flags);
    folder.write("x.csv", table(130));
    folder.all_refused(flags, &[("", &["other data", "--force"])]);
    folder.done(&format!("{flags} --force"));
}

#[test]
fn a_run_that_diverged_on_another_file_is_another() {
    let folder = Folder::new();
    let table = |rows: usize| {
        (0..rows).map(|i| format!("{},{}\n", (1.3 * i as f64).sin(), (0.7 * i as f64).cos())).collect::<String>()
    };
    folder.write("x.csv", table(120));
    let flags = "compare --engine cpu --quiet --losses dsm --data x.csv --seeds 1 --budget 20 --hidden 8 --chains 0 \
                 --set lr=1e30 --set clip=0 --out c";
    let fails = |flags: &str, words: &str| {
        let outcome = folder.run(flags);
        assert!(outcome.code == Some(1) && outcome.stderr.contains(words), "{outcome}");
        assert!(outcome.stdout.contains("diverged") && folder.path("c/report.html").exists(), "{outcome}");
    };
    fails(flags, "error: every run has failed, the first as ");
    fails(&flags.replace("--quiet", ""), "run 1 of 1: dsm on x, seed 0: failed: training diverged at step ");
    let failed = "c/x/dsm/seed-0/failed.json";
    let current = folder.text(failed);
    folder.write(failed, current.replace(env!("CARGO_PKG_VERSION"), "0.0.0"));
    folder.all_refused(flags, &[("", &["another version of the program", "--force"])]);
    folder.write(failed, current);
    fails(flags, "every run has failed");
    folder.write("x.csv", table(130));
    folder.all_refused(flags, &[("", &["other data", "--force"])]);
    fails(&format!("{flags} --force"), "every run has failed");
}

#[test]
fn a_flag_can_be_for_one_data_set() {
    let folder = Folder::new();
    let rows: String = (0..60).map(|i| format!("{i},{},x\n", i * i % 7)).collect();
    folder.write("mine.csv", "a,b,label\n".to_string() + &rows);
    let outcome = folder.done(
        "compare --engine cpu --losses ed,nce --data moons,mine.csv --seeds 1 --budget 20 --hidden 8 --chains 16 \
         --set moons:points=400 --set mine:drop=label --set ed:lr=2e-3",
    );
    let config = |run: &str| folder.text(&format!("results/compare/{run}/seed-0/config.toml"));
    assert!(config("mine/nce").contains("drop = [\"label\"]") && !config("moons/nce").contains("drop"));
    assert!(config("moons/ed").contains("points = 400") && config("mine/ed").contains("lr = 0.002"));
    // where no bar is drawn, every run has its line
    assert!(outcome.stderr.contains("run 4 of 4: nce on mine, seed 0: done"), "{outcome}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = Folder::new();
    folder.all_refused(
        "compare --engine cpu --quiet --seeds 1",
        &[
            ("--losses dsm,nothing", &["nothing"]),
            ("--losses dsm,dsm", &["dsm", "twice"]),
            ("--data moons,moons", &["moons", "twice"]),
            ("--data nowhere.csv", &["nowhere.csv"]),
            ("--seeds 0", &["seeds", "0"]),
            ("--budget soon", &["soon"]),
            ("--budget -3s", &["-3s"]),
            ("--losses esm --set activation=relu", &["relu"]),
            ("--set seed=4", &["seed"]),
            ("--set ed:sigma=1 --losses dsm", &["ed is neither an objective nor a data set", "dsm and"]),
            ("--set ed:lr=1e-3 --losses dsm,ed --data moons,ed.csv", &["ed is an objective and a data set", "rename"]),
            ("--set dsm:nonsense=1 --losses dsm", &["nonsense"]),
            (
                "--set dsm:sigm=0.1 --losses dsm",
                &["--set dsm:sigm=0.1: `run` has no flag --sigm", "hint: did you mean `sigma`?"],
            ),
            ("--set batc=9", &["`run` has no flag --batc", "did you mean `batch`?"]),
            ("--set header=true --losses dsm --data moons", &["--header goes with a file"]),
        ],
    );
}
