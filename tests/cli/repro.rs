//! Experiments from the command line: each runs, thinned out, and its report says what it is; what cannot be run is refused.

use crate::program::Folder;

#[test]
fn every_experiment_runs() {
    let folder = Folder::new();
    let listed = folder.run("repro --list");
    assert_eq!(listed.code, Some(0), "{listed}");
    let names: Vec<&str> = listed.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names.len(), 20, "{listed}");
    let mut named = 0;
    for name in names {
        let outcome =
            folder.run(&format!("repro {name} --engine cpu --seeds 2 --reduce 200 --json --quiet --out {name}"));
        assert_eq!(outcome.code, Some(0), "{name}: {outcome}");
        let report = outcome.json();
        assert_eq!((report["name"].as_str(), report["reduce"].as_u64()), (Some(name), Some(200)));
        let lines = report["lines"].as_array().unwrap();
        let judged: Vec<_> = lines.iter().filter(|line| !line["range"].is_null()).collect();
        assert!(!judged.is_empty(), "{name} judges nothing");
        // integrals that no draw enters are said once
        let exact = |line: &serde_json::Value| line["what"].as_str().unwrap().contains("divergence: the largest");
        for line in lines {
            let want = if name == "ed-myopia" && exact(line) { 1 } else { 2 };
            assert_eq!(line["values"].as_array().unwrap().len(), want, "{name}: {line}");
        }
        // rows keep their names on the page, in a column before the numbers
        let page = folder.text(&format!("{name}/report.html"));
        for table in report["tables"].as_array().unwrap() {
            for row in table["names"].as_array().into_iter().flatten() {
                let cell = format!("<tr><th scope=\"row\">{}</th><td class=\"number\">", row.as_str().unwrap());
                assert!(page.contains(&cell), "{name}: {row} is not on its page");
                named += 1;
            }
        }
        let names = folder.names(name);
        assert!(names.contains(&"report.json".to_string()), "{names:?}");
        assert!(names.iter().any(|n| n.ends_with(".png")), "{name} draws nothing: {names:?}");
    }
    assert!(named > 40, "{named}");
}

#[test]
fn one_part_of_an_experiment_runs() {
    let folder = Folder::new();
    let part =
        "repro gmm-banana-score --data banana --loss dsm --engine cpu --seeds 1 --reduce 500 --quiet --json --out r";
    let report = folder.run(part).json();
    let lines = report["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "{report}");
    assert!(lines[0]["what"].as_str().unwrap().starts_with("banana, dsm"));
}

#[test]
fn score_matching_has_two_names() {
    let folder = Folder::new();
    let part = "repro ed-25g --loss sm --engine cpu --seeds 1 --reduce 2000 --quiet --json --out r";
    let report = folder.run(part).json();
    let lines = report["lines"].as_array().unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|l| l["what"].as_str().unwrap().starts_with("esm:")), "{report}");
}

/// What is written along the axes of a figure's panel, with its place; the title comes last.
fn axes(svg: &str) -> Vec<String> {
    let (_, panel) = svg.split_once("<g class=\"panel\">").unwrap();
    let (panel, _) = panel.split_once("</g>").unwrap();
    let mut texts: Vec<String> = panel.lines().filter(|line| line.starts_with("<text")).map(String::from).collect();
    texts.pop().unwrap();
    texts
}

#[test]
fn returns_have_two_figures_of_one_plane_and_tails_at_both_ends() {
    let folder = Folder::new();
    let report = folder.done("repro returns --engine cpu --seeds 1 --reduce 500 --quiet --json --out r").json();
    let [energy, copula] = ["r/energy.svg", "r/copula.svg"].map(|name| axes(&folder.text(name)));
    assert_eq!(energy, copula);
    // two names, and ticks of both axes
    assert!(energy.len() >= 2 + 2 * 3, "{energy:?}");
    for name in ["S&amp;P 500, %", "NASDAQ, %"] {
        assert!(energy.iter().any(|text| text.contains(name)), "{name} is not in {energy:?}");
    }
    // of 5,030 days, counted by another program
    let tables = report["tables"].as_array().unwrap();
    assert_eq!(tables.len(), 2, "{report}");
    let ends = [
        ("fall below", "both below their 10 %", [373, 156, 23]),
        ("rise above", "both above their 90 %", [362, 176, 30]),
    ];
    for (table, (title, column, days)) in tables.iter().zip(ends) {
        assert!(table["title"].as_str().unwrap().contains(title), "{table}");
        assert!(table["columns"][0].as_str().unwrap().contains(column), "{table}");
        for (share, days) in table["rows"][3].as_array().unwrap().iter().zip(days) {
            assert_eq!(share.as_f64(), Some(f64::from(days) / 5030.0), "{table}");
        }
    }
}

/// Numbers of a reduced experiment say nothing, so they do not make it fail, and every page says so.
#[test]
fn a_reduced_experiment_is_no_verdict() {
    let folder = Folder::new();
    let outcome = folder.done("repro nce-logz --engine cpu --seeds 1 --reduce 2000 --out r");
    assert!(outcome.stdout.contains("FAIL") && outcome.stdout.starts_with("reduced by 2000"), "{outcome}");
    assert!(folder.text("r/report.html").contains("divided by 2000: the numbers mean nothing"));
}

#[test]
fn what_cannot_be_run_is_refused() {
    let folder = Folder::new();
    for (command, says) in [
        ("repro tutorail", "did you mean `tutorial`?"),
        ("repro tutorial --loss esm", "it runs dsm, ssm"),
        ("repro tutorial --data moons", "tutorial has no choice of --data"),
        ("repro tutorial --seeds 0", "seeds is 0, it has to be from 1 to 10000"),
        ("repro tutorial --reduce 0", "reduce is 0, it has to be from 1 to 10000"),
    ] {
        let outcome = folder.run(command);
        assert_eq!(outcome.code, Some(2), "{command}: {outcome}");
        assert!(outcome.stderr.contains(says), "{command}: {outcome}");
    }
    assert!(folder.names(".").is_empty(), "a refused command wrote something");
}
