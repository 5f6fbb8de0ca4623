//! `--config`: what wins, and what is wrong with a file.

use crate::program::{Folder, TINY};

const TOML: &str = "steps = 5\npoints = 50\nchains = 0\nhidden = [4]\nengine = \"cpu\"\nquiet = true\nout = \"r\"\n";

#[test]
fn a_flag_beside_it_wins() {
    let folder = Folder::new();
    folder.write("c.toml", TOML);
    let run = |args: &str| folder.done(args).json();
    let plain = run("run --config c.toml --json");
    assert_eq!((&plain["steps"], &plain["net"]), (&5.into(), &"2-4-1".into()));
    assert_eq!((&plain["seed"], &plain["out"]), (&0.into(), &"r".into()));
    // before it, after it, and with an equals sign
    for args in ["run --steps 7 --config c.toml --json", "run --config=c.toml --json --steps=7"] {
        let run = run(args);
        assert_eq!(run["steps"], 7, "{args}: {run}");
        assert_eq!(run["engine"], "cpu", "{args}: {run}");
    }
}

/// A list on the command line replaces the file's, it does not come after it.
#[test]
fn a_list_beside_it_wins() {
    let folder = Folder::new();
    folder.write("t.csv", "a,b\n1,2\n3,1\n2,5\n4,4\n");
    folder.write("c.toml", format!("{TOML}data = \"t.csv\"\ncolumns = [\"a\"]\n"));
    let run = folder.done("run --config c.toml --json --hidden 6,5").json();
    assert_eq!(run["net"], "1-6-5-1");
    let run = folder.done("run --config c.toml --json --columns b").json();
    assert_eq!((&run["net"], &run["columns"]), (&"1-4-1".into(), &serde_json::json!(["b"])));
}

/// `--net` and `--hidden` are two ways to say one thing: the one on the command line wins.
#[test]
fn net_beside_hidden_wins() {
    let folder = Folder::new();
    folder.write("c.toml", TOML);
    assert_eq!(folder.done("run --config c.toml --json --net 2-6-1").json()["net"], "2-6-1");
    folder.write("n.toml", TOML.replace("hidden = [4]", "net = \"2-4-1\""));
    assert_eq!(folder.done("run --config n.toml --json --hidden 6").json()["net"], "2-6-1");
}

#[test]
fn false_and_lists() {
    let folder = Folder::new();
    folder.write("t.csv", "a,b,c\n1,2,x\n3,1,y\n2,5,z\n4,4,w\n");
    let lists = "data = \"t.csv\"\ncolumns = [\"b\", \"a\"]\nhidden = [4, 3]\nforce = false\n";
    folder.write("c.toml", TOML.replace("hidden = [4]\n", lists));
    let run = folder.done("run --config c.toml --json").json();
    assert_eq!((&run["net"], &run["columns"]), (&"2-4-3-1".into(), &serde_json::json!(["b", "a"])));
}

#[test]
fn files_that_are_wrong() {
    let folder = Folder::new();
    folder.write("unknown.toml", "steps = 3\nstepz = 4\n");
    folder.write("broken.toml", "steps = 3\nlr = = 3\n");
    folder.write("typed.toml", "steps = \"many\"\n");
    folder.write("table.toml", "[steps]\na = 3\n");
    folder.write("range.toml", "sigma = -1.0\n");
    folder.write("bytes.toml", b"\xff\xfe\x00");
    std::fs::create_dir(folder.path("dir.toml")).unwrap();
    folder.all_refused(
        TINY,
        &[
            ("--config none.toml", &["none.toml"]),
            ("--config dir.toml", &["dir.toml"]),
            ("--config bytes.toml", &["bytes.toml", "UTF-8"]),
            ("--config broken.toml", &["line 2 of broken.toml is not TOML"]),
            ("--config table.toml", &["`steps` in table.toml"]),
            ("--config unknown.toml", &["stepz"]),
            ("--config range.toml", &["sigma is -1"]),
            ("--config", &["--config"]),
        ],
    );
    folder.all_refused("run --config", &[("typed.toml", &["many", "--steps"])]);
}

/// The user wrote a key in a file, not a flag: the sentence names the file.
#[test]
fn a_wrong_key_names_the_file() {
    let folder = Folder::new();
    folder.write("unknown.toml", "stepz = 4\n");
    folder.write("typed.toml", "steps = \"many\"\n");
    folder.all_refused(
        "run --config",
        &[("unknown.toml", &["stepz", "unknown.toml", "steps"]), ("typed.toml", &["many", "typed.toml"])],
    );
}

/// A seed is any 64-bit number, also one that TOML's integers do not hold.
#[test]
fn the_largest_seed_repeats() {
    let folder = Folder::new();
    folder.write("c.toml", TOML);
    folder.done("run --config c.toml --seed 18446744073709551615 --out a");
    let run = folder.done("run --config a/config.toml --quiet --json --out b").json();
    assert_eq!(run["seed"], u64::MAX);
}
