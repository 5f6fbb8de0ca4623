//! Places that cannot be written, adapters that are not there, and readers that have gone.

use crate::program::{Folder, Outcome, TINY};

#[test]
fn a_file_in_the_way() {
    let folder = Folder::new();
    folder.write("file", "kept");
    folder.all_refused(
        TINY,
        &[
            ("--out file/run", &["cannot make the folder file", "hint: --out DIR"]),
            ("--out file/run --force", &["cannot make the folder file/run", "hint: --out DIR"]),
            ("--out file --force", &["cannot make the folder file", "hint: --out DIR"]),
        ],
    );
    folder.all_refused("", &[("shaders --dump file", &["file"]), ("shaders --dump file/wgsl", &["file/wgsl"])]);
    assert_eq!(folder.text("file"), "kept");
}

/// Permission bits do not stop root, but nobody makes a folder here.
#[cfg(target_os = "linux")]
#[test]
fn a_file_system_that_takes_nothing() {
    let folder = Folder::new();
    folder.all_refused(
        TINY,
        &[
            ("--out /proc/x", &["/proc/x", "hint: --out DIR"]),
            ("--out /proc/x/y --force", &["/proc/x/y", "hint: --out DIR"]),
            ("--out /dev/null/x", &["/dev/null", "hint: --out DIR"]),
        ],
    );
    folder.all_refused("", &[("shaders --dump /proc/x", &["/proc/x"])]);
}

#[test]
fn an_adapter_that_is_not_there() {
    let folder = Folder::new();
    folder.all_refused(
        TINY,
        &[
            ("--engine gpu --adapter no-such-adapter", &["no-such-adapter", "hint: "]),
            ("--engine auto --adapter 4242", &["4242", "hint: "]),
        ],
    );
    folder.all_refused("", &[("check --adapter no-such-adapter", &["no-such-adapter", "hint: "])]);
    folder.all_refused("bench", &[("chains --engine gpu --json --adapter 4242", &["4242", "hint: "])]);
}

/// With another engine there is no adapter to choose: a flag that does nothing is a mistake.
#[test]
fn an_adapter_for_an_engine_without_one() {
    let folder = Folder::new();
    folder.all_refused(TINY, &[("--engine cpu --adapter 0", &["--adapter", "cpu"])]);
}

/// The Vulkan loader is told to find no driver at all.
#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_any_adapter() {
    let folder = Folder::new();
    let bare = |args: &str| {
        let words: Vec<&str> = args.split_whitespace().collect();
        let mut command = folder.command();
        for name in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"] {
            command.env(name, "/nonexistent.json");
        }
        Outcome::of(&mut command, &words)
    };
    let refused = bare(&format!("{TINY} --engine gpu"));
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{refused}");
    assert!(refused.stderr.starts_with("error: there is no Vulkan, Metal or DX12 adapter"), "{refused}");
    assert!(refused.stderr.contains("\nhint: install a Vulkan driver"), "{refused}");
    assert_eq!(folder.names(""), [""; 0], "{refused}");

    let devices = bare("devices --json").json();
    assert_eq!(devices["adapters"].as_array().map(Vec::len), Some(0), "{devices}");
    assert_eq!(devices["auto"]["engine"], "cpu", "{devices}");
    let auto = bare("run --steps 2 --points 50 --chains 0 --hidden 4");
    assert_eq!(auto.code, Some(0), "{auto}");
    assert!(auto.stderr.starts_with("engine cpu: ") && auto.stderr.contains("no Vulkan"), "{auto}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_and_a_closed_pipe() {
    let folder = Folder::new();
    let start = |out: std::process::Stdio| {
        std::process::Command::new(env!("CARGO_BIN_EXE_ebm-gpu"))
            .args(["shaders"])
            .current_dir(folder.path(""))
            .stdout(out)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let full = start(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap().into());
    let full = full.wait_with_output().unwrap();
    let stderr = String::from_utf8(full.stderr).unwrap();
    assert_eq!(full.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("error: cannot print: "), "{stderr}");

    let mut closed = start(std::process::Stdio::piped());
    drop(closed.stdout.take());
    let closed = closed.wait_with_output().unwrap();
    assert_eq!((closed.status.code(), closed.stderr.as_slice()), (Some(0), &b""[..]));
}

/// Words that nobody can read do not end the work, and do not change how it ends.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_for_the_log() {
    let folder = Folder::new();
    for (args, code) in [
        ("run --engine cpu --steps 2 --points 50 --chains 0 --hidden 4 --out done", 0),
        ("run --engine cpu --steps 2 --points 50 --chains 0 --hidden 4 --sigma 5 --lr 1e30 --out diverged", 1),
        ("run --data nowhere.csv", 2),
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let status = std::process::Command::new(env!("CARGO_BIN_EXE_ebm-gpu"))
            .args(args.split_whitespace())
            .current_dir(folder.path(""))
            .stdout(std::process::Stdio::null())
            .stderr(full)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(code), "{args}");
    }
    assert!(folder.path("done/run.json").exists());
}
