//! Files as data: formats, dimensions, and the units of what comes out.

use ebm_gpu::data::npy::{write_npy_f32, write_npy_f64};
use serde_json::Value;

use crate::program::{Folder, TINY, npy, number};
use crate::results::assert_picture;

/// 200 rows of three columns on very different scales, the third a function of the first two and a wave.
fn rows() -> Vec<[f64; 3]> {
    (0..200)
        .map(|i| {
            let t = f64::from(i);
            let (a, b) = ((0.7 * t).sin() + 0.3 * (0.13 * t).cos(), (1.9 * t).sin());
            [500.0 + 40.0 * a, 1e-3 * b, -7.0 + a * b + 0.2 * (0.31 * t).sin()]
        })
        .collect()
}

/// A file of the first `d` columns.
fn text(d: usize, delimiter: &str, header: &str) -> String {
    let lines = rows().into_iter().map(|row| row[..d].iter().map(f64::to_string).collect::<Vec<_>>().join(delimiter));
    header.to_string() + &lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Mean and standard deviation of each column.
fn moments(values: &[f64], d: usize) -> Vec<(f64, f64)> {
    let n = (values.len() / d) as f64;
    (0..d)
        .map(|axis| {
            let column = || values.iter().skip(axis).step_by(d);
            let mean = column().sum::<f64>() / n;
            (mean, (column().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
        })
        .collect()
}

/// Fails unless the samples have about the mean and spread of the data, in its own units.
fn assert_same_units(samples: &[f64], data: &[f64], d: usize) {
    for (axis, (got, want)) in moments(samples, d).iter().zip(moments(data, d)).enumerate() {
        assert!((0.5..2.0).contains(&(got.1 / want.1)), "column {axis}: spread {}, the data's is {}", got.1, want.1);
        assert!((got.0 - want.0).abs() < want.1, "column {axis}: mean {}, the data's is {}", got.0, want.0);
    }
}

#[test]
fn one_column() {
    let folder = Folder::new();
    folder.write("t.csv", text(1, ",", "price\n"));
    let run = folder.done(&format!("{TINY} --data t.csv --out r --json")).json();
    assert_eq!((&run["net"], &run["columns"][0]), (&"1-8-1".into(), &"price".into()));
    assert_eq!((&run["train_points"], &run["test_points"]), (&160.into(), &20.into()));
    number(&run, "metrics.nll");
    assert_eq!(run["metrics"]["kl"], Value::Null, "the law of a file is not known");
    let (shape, samples) = npy(&folder.path("r/samples.npy"));
    assert_eq!(shape, [64, 1]);
    assert_same_units(&samples, &rows().iter().map(|r| r[0]).collect::<Vec<_>>(), 1);
    for name in ["energy.png", "samples.png", "loss.png"] {
        assert_picture(&folder, &format!("r/{name}"));
    }
    assert!(!folder.path("r/score.png").exists(), "a field of arrows needs two dimensions");
}

#[test]
fn three_columns() {
    let folder = Folder::new();
    folder.write("t.csv", text(3, ",", ""));
    let run = folder.done(&format!("{TINY} --hidden 16 --steps 3000 --data t.csv --out r --json")).json();
    assert_eq!(run["net"], "3-8-16-1");
    for key in ["kl", "kl_data", "log_density_mse", "fisher", "mode_tv", "outside_mass"] {
        assert_eq!(run["metrics"][key], Value::Null, "{key}");
    }
    // ln Z by annealed importance sampling
    for key in ["nll", "nll_data", "log_z", "standard_errors.log_z", "mmd2", "swd"] {
        number(&run, &format!("metrics.{key}"));
    }
    let (shape, samples) = npy(&folder.path("r/samples.npy"));
    assert_eq!(shape, [64, 3]);
    assert_same_units(&samples, rows().as_flattened(), 3);
    assert_picture(&folder, "r/samples.png");
    assert!(!folder.path("r/energy.png").exists() && !folder.path("r/score.png").exists());
}

/// The same numbers from every format make the same run.
#[test]
fn every_format() {
    let folder = Folder::new();
    folder.write("t.csv", text(3, ",", "x,y,z\n"));
    folder.write("t.tsv", text(3, "\t", "x\ty\tz\n"));
    folder.write("t.txt", text(3, "  ", ""));
    let values: Vec<f64> = rows().into_flattened();
    write_npy_f64(&folder.path("t.npy"), &[200, 3], &values).unwrap();
    let run = |file: &str, columns: &str| {
        let out = format!("{}-{}", file.replace('.', "-"), columns.replace(',', ""));
        folder.done(&format!("{TINY} --data {file} --columns {columns} --out {out}"));
        folder.bytes(&format!("{out}/samples.npy"))
    };
    let csv = run("t.csv", "z,x");
    for (file, columns) in [("t.csv", "2,0"), ("t.tsv", "z,x"), ("t.tsv", "2,x"), ("t.txt", "2,0"), ("t.npy", "2,0")] {
        assert!(run(file, columns) == csv, "{file} --columns {columns} gives other samples than t.csv --columns z,x");
    }
    assert!(run("t.csv", "x,z") != csv, "the order of the columns means nothing");
    let single: Vec<f32> = values.iter().map(|v| *v as f32).collect();
    write_npy_f32(&folder.path("single.npy"), &[600], &single).unwrap();
    let one = folder.done(&format!("{TINY} --data single.npy --out single --json")).json();
    assert_eq!(one["net"], "1-8-1", "[n] is n points of one coordinate");
}

/// Years as names: rows of numbers unless it is said, to every command that reads them.
#[test]
fn a_header_of_numbers() {
    let folder = Folder::new();
    folder.write("t.csv", text(2, ",", "2019,2020\n"));
    let counts = |args: &str| {
        let run = folder.done(&format!("{TINY} --data t.csv --json {args}")).json();
        (run["columns"].clone(), number(&run, "train_points"))
    };
    assert_eq!(counts("--out a"), (serde_json::json!(["0", "1"]), 161.0));
    assert_eq!(counts("--header --out b"), (serde_json::json!(["2019", "2020"]), 160.0));
    assert_eq!(counts("--header --columns 2020 --out c"), (serde_json::json!(["2020"]), 160.0));
    // it is part of what a run is repeated, gone on with and judged by
    folder.done("run --config b/config.toml --quiet --out again");
    assert!(folder.bytes("again/samples.npy") == folder.bytes("b/samples.npy"));
    std::fs::remove_file(folder.path("b/run.json")).unwrap();
    folder.done("run --quiet --resume b");
    folder.all_refused("run --quiet --resume a", &[("--header", &["header is not set there, true here"])]);
    let points = |args: &str| {
        number(&folder.done(&format!("eval b --engine cpu --quiet --json --chains 0 {args}")).json(), "points")
    };
    folder.write("new.csv", text(2, ",", "2019,2020\n"));
    assert_eq!([points(""), points("--data new.csv --header")], [20.0, 200.0]);
    let compare = "compare --engine cpu --quiet --losses dsm --data t.csv --seeds 1 --budget 5 --hidden 4 --chains 0";
    folder.done(&format!("{compare} --set t:header=true --out d"));
    assert!(folder.text("d/t/dsm/seed-0/config.toml").contains("header = true"));
    assert!(folder.text("d/report.html").contains("<dt>--header</dt>"));
    write_npy_f64(&folder.path("t.npy"), &[2, 1], &[1.0, 2.0]).unwrap();
    folder.all_refused(
        TINY,
        &[
            ("--header --data moons", &["--header goes with a file, `moons` is a toy law", "hint: leave --header out"]),
            ("--header --data t.npy", &["t.npy, which is no .csv, .tsv or .txt file", "hint: leave --header out"]),
        ],
    );
}

/// What is left out is told, and is so for all that follows the run.
#[test]
fn rows_with_gaps() {
    let folder = Folder::new();
    let row = |i: usize| match i % 20 {
        3 => format!("NA;{i}\n"),
        _ => format!("{};{i}\n", (i as f64).sin()).replace('.', ","),
    };
    folder.write("t.csv", format!("a;b\n{}", (0..200).map(row).collect::<String>()));
    folder.all_refused(TINY, &[("--data t.csv", &["line 5, column `a`: `NA` is not a number", "--drop-missing"])]);
    let run = folder.done(&format!("{TINY} --data t.csv --drop-missing --json --out r")).json();
    assert_eq!(number(&run, "train_points"), 152.0);
    assert!(run["warnings"].to_string().contains("10 of 200 rows lack a value and are left out"), "{run}");
    let compare = "compare --engine cpu --losses dsm --data t.csv --seeds 1 --budget 5 --hidden 4 --chains 0 --out c";
    let said = folder.done(&format!("{compare} --set drop-missing=true")).stderr;
    assert!(said.contains("warning: t: 10 of 200 rows lack a value and are left out\n"), "{said}");
    let eval = "eval r --engine cpu --json --chains 0";
    let judged = folder.done(eval);
    assert_eq!(number(&judged.json(), "points"), 19.0);
    assert!(judged.stderr.contains("warning: 10 of 200 rows lack a value"), "{judged}");
    assert!(folder.done(&format!("{eval} --all")).stderr.contains("warning: 10 of 200 rows lack a value"));
    folder.write("new.csv", "a;b\n1;2\n;3\n4;5\n6;7\n");
    folder.all_refused(eval, &[("--data new.csv", &["line 3, column `a`: the cell is empty", "--drop-missing"])]);
    let judged = folder.done(&format!("{eval} --data new.csv --drop-missing"));
    assert_eq!(number(&judged.json(), "points"), 3.0);
    assert!(judged.stderr.contains("warning: 1 of 4 rows lack a value"), "{judged}");
    // of another number of rows, others are chosen for testing
    let rows: String = (0..220).map(row).collect();
    folder.write("t.csv", format!("a;b\n{rows}"));
    let judged = folder.done(eval).json();
    assert_eq!(number(&judged, "points"), 209.0);
    assert_eq!(judged["rows"], "every row: t.csv has 209 now, it had 190 when the model was trained on it");
    // and of as many in another order, too
    let rows: String = (0..200).rev().map(row).collect();
    folder.write("t.csv", format!("a;b\n{rows}"));
    let judged = folder.done(eval).json();
    assert_eq!(number(&judged, "points"), 190.0);
    let order = "every row: t.csv has other numbers or another order than when the model was trained on it";
    assert_eq!(judged["rows"], order);
    folder.all_refused(TINY, &[("--drop-missing --data moons", &["--drop-missing goes with a file"])]);
}

/// pandas writes the number of each row in front of it, under no name.
#[test]
fn a_column_that_counts_rows_is_warned_of() {
    let folder = Folder::new();
    let rows = |from: usize| (0..40).map(|i| format!("{},{},{}\n", from + i, i * i % 7, i % 5)).collect::<String>();
    let warned = |args: &str| {
        let run = folder.done(&format!("{TINY} --data t.csv --json --force --out r {args}")).json();
        run["warnings"]
            .to_string()
            .contains("`0` only counts the rows and is modelled as a coordinate: --drop 0 leaves")
    };
    folder.write("t.csv", format!(",a,b\n{}", rows(0)));
    assert!(warned("") && !warned("--drop 0"));
    folder.write("t.csv", rows(7));
    assert!(warned("") && !warned("--columns 0"), "alone it may be what is meant");
    // also where rows are left out
    let row =
        |i: usize| if i == 2 || i == 13 { format!("{i},NA,1\n") } else { format!("{i},{},{}\n", i * i % 7, i % 5) };
    let gaps = (0..40).map(row).collect::<String>();
    folder.write("t.csv", &gaps);
    assert!(warned("--drop-missing"));
    folder.write("t.csv", gaps.replacen("\n30,", "\n33,", 1));
    assert!(!warned("--drop-missing"), "a number comes twice");
    folder.write("t.csv", gaps.replacen("\n39,", "\n40,", 1));
    assert!(!warned("--drop-missing"), "more than are left out");
    folder.write("t.csv", format!("{}46,1,1\n", rows(7)));
    assert!(!warned(""), "a number comes twice");
}

#[test]
fn labels_and_codes_for_missing_values_are_warned_of() {
    let folder = Folder::new();
    let write = |missing: &str| {
        let row = |i: usize| {
            let a = if i == 71 { missing.to_string() } else { format!("{}", 40.0 + (i as f64).sin()) };
            format!("{a},{},{}\n", i % 3, (1.3 * i as f64).cos())
        };
        folder.write("t.csv", format!("age,label,c\n{}", (0..150).map(row).collect::<String>()));
    };
    let warnings = |args: &str| {
        let run = folder.done(&format!("{TINY} --data t.csv --json --force --out r {args}")).json();
        run["warnings"].to_string()
    };
    let [label, code] = ["`label` holds 3 different values only", "`age` holds -999, "];
    write("-999");
    let told = warnings("");
    assert!(told.contains(label) && told.contains(code) && !told.contains("`c`"), "{told}");
    let told = warnings("--drop label");
    assert!(!told.contains("`label`") && told.contains(code), "{told}");
    write("42");
    let told = warnings("--columns age,c");
    assert!(!told.contains("holds"), "{told}");
    let told = warnings("--columns label");
    assert!(told.contains("--dequantise"), "{told}");
    let told = warnings("--columns label --dequantise=1");
    assert!(!told.contains("holds"), "{told}");
}

/// White space around the names on the command line is none of theirs.
#[test]
fn names_with_white_space_around_them() {
    let folder = Folder::new();
    folder.write("t.csv", text(3, ",", "x,y ,  z\n"));
    for (flags, want) in [(["--columns", "z, y"], ["z", "y"]), (["--drop", " y "], ["x", "z"])] {
        let args = TINY.split_whitespace().chain(["--json", "--force", "--out", "r", "--data", "t.csv"]).chain(flags);
        let outcome = folder.run_args(&args.collect::<Vec<_>>());
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert_eq!(outcome.json()["columns"], serde_json::json!(want));
    }
}

#[test]
fn returns_come_back_in_percent() {
    let folder = Folder::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/data/sp500_nasdaq.csv");
    let args: Vec<&str> =
        TINY.split_whitespace().chain(["--json", "--columns", "sp500,nasdaq", "--data", file]).collect();
    let outcome = folder.run_args(&args);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let run = outcome.json();
    assert_eq!(run["columns"], serde_json::json!(["sp500", "nasdaq"]));
    assert_eq!(run["out"], "results/dsm-sp500_nasdaq");
    number(&run, "metrics.nll");
    let data: Vec<f64> = std::fs::read_to_string(file)
        .unwrap()
        .lines()
        .skip(1)
        .flat_map(|line| line.split(',').skip(1).map(|cell| cell.parse::<f64>().unwrap()).collect::<Vec<_>>())
        .collect();
    assert_same_units(&npy(&folder.path("results/dsm-sp500_nasdaq/samples.npy")).1, &data, 2);
    for name in ["energy.png", "samples.png", "score.png", "loss.png"] {
        assert_picture(&folder, &format!("results/dsm-sp500_nasdaq/{name}"));
    }
    assert!(run["data"].as_str().unwrap().ends_with("sp500_nasdaq.csv"));
}
