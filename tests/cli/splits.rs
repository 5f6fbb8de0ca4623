//! Which rows and columns of a file are trained on, and which are kept.

use crate::program::{Folder, TINY};

/// 200 rows of two columns and a label that is text.
fn labelled() -> String {
    let row = |i: usize| format!("{},{},{}\n", i * i % 97, i * 31 % 89, ["oak", "elm"][i % 2]);
    "x,y,tree\n".to_string() + &(0..200).map(row).collect::<String>()
}

#[test]
fn shares_of_the_rows_are_kept() {
    let folder = Folder::new();
    folder.write("t.csv", labelled());
    let counts = |args: &str| {
        let run = folder.done(&format!("{TINY} --data t.csv --drop tree --json {args}")).json();
        ["train_points", "validation_points", "test_points"].map(|key| run[key].as_u64().unwrap())
    };
    assert_eq!(counts("--out a"), [160, 20, 20]);
    assert_eq!(counts("--validation 0.25 --test 0.125 --out b"), [125, 50, 25]);
    assert_eq!(counts("--validation 0 --out c"), [180, 0, 20]);
    // the shares are part of what a run can be repeated from
    folder.done("run --config b/config.toml --quiet --out again");
    assert!(folder.bytes("again/samples.npy") == folder.bytes("b/samples.npy"));
    assert!(folder.bytes("a/samples.npy") != folder.bytes("c/samples.npy"), "other rows make another model");
    let toy = folder.done(&format!("{TINY} --json --out toy")).json();
    assert_eq!((&toy["train_points"], &toy["validation_points"]), (&500.into(), &10_000.into()));
}

#[test]
fn labels_are_dropped() {
    let folder = Folder::new();
    folder.write("t.csv", labelled());
    let samples = |args: &str| {
        let out = args.replace([' ', ','], "");
        let run = folder.done(&format!("{TINY} --data t.csv --json --out r{out} {args}")).json();
        assert_eq!(run["columns"], serde_json::json!(["x", "y"]), "{args}");
        folder.bytes(&format!("r{out}/samples.npy"))
    };
    let want = samples("--columns x,y");
    assert!(samples("--drop tree") == want && samples("--drop 2") == want);
    folder.done("run --config r--droptree/config.toml --quiet --out again");
    assert!(folder.bytes("again/samples.npy") == want);
}

#[test]
fn shares_and_columns_that_are_none() {
    let folder = Folder::new();
    folder.write("t.csv", labelled());
    folder.all_refused(
        &format!("{TINY} --data t.csv --drop tree"),
        &[
            ("--validation -0.1", &["validation is -0.1", "from 0 to below 1"]),
            ("--validation 1", &["validation is 1,"]),
            ("--validation nan", &["validation is NaN"]),
            ("--validation oak", &["`oak`", "--validation"]),
            ("--test 0", &["test is 0,", "hint", "have not seen"]),
            ("--test 1.5", &["test is 1.5"]),
            ("--test 0.5 --validation 0.5", &["leave none for training", "hint: smaller"]),
        ],
    );
    folder.all_refused(
        &format!("{TINY} --data t.csv"),
        &[
            ("--drop tre", &["`tre`", "did you mean `tree`?"]),
            ("--drop 3", &["no column 3", "it has 3"]),
            ("--drop tree,2", &["`tree`", "twice"]),
            ("--drop x,y,tree", &["all columns of t.csv are dropped"]),
            ("--columns x,y --drop tree", &["column `tree` of t.csv is dropped, but was not chosen"]),
            ("--drop x", &["column `tree`", "`oak` is not a number"]),
        ],
    );
    folder.all_refused(
        TINY,
        &[
            ("--drop x1", &["--drop goes with a file", "8gaussians"]),
            ("--test 0.2", &["--test goes with a file", "drawn anew"]),
            ("--validation 0.2", &["--validation goes with a file"]),
        ],
    );
    folder.write("two.csv", "1,2\n3,5\n");
    folder.done(&format!("{TINY} --data two.csv --batch 4"));
    folder.all_refused(
        &format!("{TINY} --data two.csv"),
        &[("--validation 0.5", &["1 rows for validation and 1 for testing of 2 leave none for training"])],
    );
}

/// Fewer than ten points for testing or validation are warned of.
#[test]
fn few_points_judge_badly() {
    let folder = Folder::new();
    let flags = "run --engine cpu --steps 5 --hidden 4 --batch 4 --chains 0 --data t.csv --force --out r --json";
    let told = |rows: usize, shares: &str| {
        folder.write("t.csv", (0..rows).map(|i| format!("{},{}\n", i * i % 97, i * 31 % 89)).collect::<String>());
        let outcome = folder.done(&format!("{flags} {shares}"));
        let said = outcome.stderr.lines().find_map(|line| line.strip_prefix("warning: testing has ")).map(String::from);
        assert_eq!(said.is_some(), outcome.json()["warnings"].to_string().contains("testing has"), "{outcome}");
        said.map(|said| said.split(':').next().unwrap().to_string())
    };
    assert_eq!(told(5, "").as_deref(), Some("1 of 5 points and validation 0"));
    assert_eq!(told(99, "").as_deref(), Some("9 of 99 points and validation 9"));
    assert_eq!(told(99, "--test 0.2").as_deref(), Some("19 of 99 points and validation 9"));
    assert_eq!(told(99, "--test 0.2 --validation 0"), None);
    assert_eq!(told(100, ""), None);
}
