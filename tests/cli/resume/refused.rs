//! What is not gone on with: other flags, other data, and a folder into which another program is writing.

#[cfg(unix)]
use super::RUN;
#[cfg(unix)]
use crate::going::Going;
use crate::program::Folder;

#[test]
fn what_cannot_be_gone_on_with_is_refused() {
    let folder = Folder::new();
    let table = |rows: usize| (0..rows).map(|i| format!("{},{}\n", (1.3 * i as f64).sin(), (0.7 * i as f64).cos()));
    folder.write("x.csv", table(120).collect::<String>());
    folder.done("run --engine cpu --quiet --loss ed --data x.csv --steps 20 --hidden 8 --chains 0 --out r");
    std::fs::remove_file(folder.path("r/run.json")).unwrap();
    folder.all_refused(
        "run --quiet",
        &[
            ("--resume none", &["nothing was begun in none", "no such folder"]),
            ("--resume r --loss dsm", &["loss is \"ed\" there, \"dsm\" here", "hint: "]),
            ("--resume=r --steps 40", &["steps is 20 there, 40 here"]),
            ("--resume r --seed 1 --batch 7", &["batch is 256 there, 7 here; seed is 0 there, 1 here"]),
            ("--resume r --out s", &["--resume", "--out"]),
            ("--resume r --force", &["--resume", "--force"]),
            ("--keep 0", &["--keep"]),
        ],
    );
    folder.write("x.csv", table(121).collect::<String>());
    folder.all_refused(
        "run --quiet",
        &[("--resume r", &["error: x.csv has changed since", "120 rows", "121 rows", "hint: "])],
    );
    folder.write("x.csv", table(120).map(|line| line.replace("0.9", "0.8")).collect::<String>());
    folder.all_refused("run --quiet", &[("--resume r", &["error: x.csv has changed since", "checksum"])]);
    // the same numbers in a file of another time are the same data
    folder.write("x.csv", table(120).collect::<String>());
    folder.done("run --quiet --resume r --keep 1 --checkpoint-every 5 --max-submit-ms 50");
}

#[cfg(unix)]
#[test]
fn two_programs_do_not_write_into_one_folder() {
    let folder = Folder::new();
    let mut first = Going::start(&folder, &format!("{RUN} --out shared"));
    first.until(|| folder.length("shared/config.toml") > 0);
    first.signal("STOP");
    for args in [format!("{RUN} --out shared --force"), "run --resume shared --quiet".to_string()] {
        let refused = folder.run(&args);
        assert_eq!(refused.code, Some(2), "{refused}");
        assert!(refused.stderr.contains("another ebm-gpu is writing into shared"), "{refused}");
    }
    first.signal("CONT");
    assert_eq!(first.end().0, Some(0), "the first is not disturbed");
    // and a killed program leaves no lock behind (in a folder of its own: `shared` has a config.toml from the start)
    let mut killed = Going::start(&folder, &format!("{RUN} --out left"));
    killed.until(|| folder.length("left/config.toml") > 0);
    killed.signal("KILL");
    killed.end();
    folder.done("run --resume left --quiet");
}
