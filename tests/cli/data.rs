//! Toy laws, listed and written to files.

use ebm_gpu::data::toy::{self, by_name};
use ebm_gpu::data::{Dataset, Part, read_table};
use ebm_gpu::random::Seed;

use crate::program::{Folder, TINY, npy, number};

#[test]
fn every_law_is_listed() {
    let folder = Folder::new();
    let table = folder.done("data list").stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["name", "dim", "entropy", "mean", "variance"]);
    let names: Vec<&str> = lines[1..].iter().filter_map(|l| l.split_whitespace().next()).collect();
    assert_eq!(names, toy::NAMES);
    let board =
        "checkerboard            2   3.4657  0.00, 0.00    5.33, 5.33    uniform on the dark cells of a 4 x 4 board";
    assert!(lines.contains(&board), "{table}");
    assert!(lines.iter().all(|l| l.chars().count() <= 120 && l.trim_end() == *l), "{table}");

    let json = folder.done("data list --json").json();
    let laws = json["laws"].as_array().unwrap();
    assert_eq!(laws.len(), toy::NAMES.len());
    for entry in laws {
        let law = by_name(entry["name"].as_str().unwrap()).unwrap();
        assert_eq!(entry["dim"], law.dim(), "{entry}");
        assert!((number(entry, "entropy") - law.entropy()).abs() < 1e-12, "{entry}");
        for (key, values) in ["mean", "variance"].into_iter().zip(law.moments().unwrap()) {
            let listed: Vec<f64> = entry[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            assert!(listed.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-12), "{entry}: {values:?}");
            assert_eq!(listed.len(), law.dim());
        }
        assert_eq!(entry["modes"].as_u64(), law.modes().map(|m| m.weights.len() as u64), "{entry}");
        assert_eq!(entry["box"].as_array().unwrap().len(), law.dim(), "{entry}");
        assert!(entry["about"].as_str().unwrap().len() > 10, "{entry}");
    }
    assert_eq!(folder.names(""), [""; 0]);
}

#[test]
fn points_are_those_of_run() {
    let folder = Folder::new();
    for (name, columns) in [("moons", &["x1", "x2"][..]), ("mix1d", &["x1"])] {
        let want = Dataset::load(name, Part::default(), 500, Seed(7)).unwrap().train;
        let said = folder.done(&format!("data make {name} --n 500 --seed 7 --out {name}.npy"));
        let dimensions = if columns.len() == 1 { "1 dimension" } else { "2 dimensions" };
        let text = format!("{name}.npy: 500 points of {name} in {dimensions}\n");
        assert_eq!((said.stdout, said.stderr), (text, String::new()));
        assert_eq!(npy(&folder.path(&format!("{name}.npy"))), (vec![500, columns.len()], want.values().to_vec()));
        // every digit survives text
        let json = folder.done(&format!("data make {name} --n 500 --seed 7 --out {name}.CSV --json")).json();
        assert_eq!((&json["n"], &json["dim"]), (&500.into(), &columns.len().into()));
        let table = read_table(&folder.path(&format!("{name}.CSV")), Part::default()).unwrap();
        assert_eq!((table.names, table.points), (columns.iter().map(ToString::to_string).collect(), want));
    }
    // the first points do not depend on how many there are, but on the seed
    folder.done("data make moons --n 20 --seed 7 --out few.npy");
    assert_eq!(npy(&folder.path("few.npy")).1, npy(&folder.path("moons.npy")).1[..40]);
    folder.done("data make moons --n 20 --seed 8 --out few.npy --force");
    assert_ne!(npy(&folder.path("few.npy")).1, npy(&folder.path("moons.npy")).1[..40]);
    // what was made can be trained on
    let run = folder.done(&format!("{TINY} --data moons.CSV --out r --json")).json();
    assert_eq!((&run["columns"][0], &run["net"]), (&"x1".into(), &"2-8-1".into()));
    assert_eq!(folder.names(""), ["few.npy", "mix1d.CSV", "mix1d.npy", "moons.CSV", "moons.npy", "r"]);
}

#[test]
fn what_cannot_be_made() {
    let folder = Folder::new();
    folder.write("kept.npy", "kept");
    std::fs::create_dir(folder.path("folder.npy")).unwrap();
    folder.all_refused(
        "data make",
        &[
            ("moon --out a.npy", &["no toy law called `moon`", "hint: did you mean `moons`?"]),
            ("moons --out a.txt", &["a.txt has neither of the extensions csv and npy", "hint: "]),
            ("moons --out a", &["a has neither of the extensions csv and npy"]),
            ("moons --out kept.npy", &["kept.npy exists", "hint: --force"]),
            ("moons --out folder.npy --force", &["folder.npy is a directory"]),
            ("moons --out none/a.csv", &["cannot write none/a.csv"]),
            ("moons --n 0 --out a.npy", &["n is 0, it has to be from 1 to 268435456"]),
            ("moons --n 1e5 --out a.npy", &["1e5"]),
            ("moons --seed -1 --out a.npy", &["-1"]),
            ("moons", &["--out <FILE>"]),
            ("--out a.npy", &["<NAME>"]),
        ],
    );
    assert_eq!(folder.text("kept.npy"), "kept");
    folder.all_refused("data", &[("list moons", &["moons"])]);
    folder.done("data make moons --n 3 --out kept.npy --force");
    assert_eq!(npy(&folder.path("kept.npy")).0, [3, 2]);
}
