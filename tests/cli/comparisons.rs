//! `compare`: its tables, that it goes on where it was interrupted, and what it refuses.

use std::time::SystemTime;

use crate::program::{Folder, number};
use crate::results::assert_picture;

const QUICK: &str = "compare --engine cpu --quiet --losses dsm,ed --data moons,gauss1d --seeds 2 --budget 30 --hidden 8 --chains 32 \
                     --set points=400 --set dsm:sigma=0.2";

fn changed(folder: &Folder, name: &str) -> SystemTime {
    std::fs::metadata(folder.path(name)).unwrap().modified().unwrap()
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
    assert!(page.contains("<th scope=\"row\">--sigma</th><td>0.2</td><td>0.3</td>"), "{page}");
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
    let without_time = |csv: &str| -> Vec<String> {
        csv.lines().map(|line| line.rsplitn(3, ',').last().unwrap().to_string()).collect()
    };
    assert_eq!(without_time(&again), without_time(&csv));
    folder.all_refused(
        QUICK,
        &[
            ("--budget 31", &["moons/dsm/seed-0", "steps is 30 there, 31 here"]),
            ("--batch 7", &["batch is 256 there, 7 here", "--force"]),
        ],
    );
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
    folder.done(flags);
    folder.done(flags);
    let failed = "c/x/dsm/seed-0/failed.json";
    let current = folder.text(failed);
    folder.write(failed, current.replace(env!("CARGO_PKG_VERSION"), "0.0.0"));
    folder.all_refused(flags, &[("", &["another version of the program", "--force"])]);
    folder.write(failed, current);
    folder.done(flags);
    folder.write("x.csv", table(130));
    folder.all_refused(flags, &[("", &["other data", "--force"])]);
    folder.done(&format!("{flags} --force"));
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
        ],
    );
}
