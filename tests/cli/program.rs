//! What the tests share: a temporary folder, the program run in it, and what a refusal has to look like.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

/// A run that takes well under a second.
pub(crate) const TINY: &str =
    "run --engine cpu --steps 30 --chains 64 --chain-steps 20 --points 500 --hidden 8 --quiet";

/// A folder of its own for a test, removed at the end.
pub(crate) struct Folder {
    root: PathBuf,
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.root));
    }
}

/// Every file (with its bytes) and every folder (with nothing) below a folder.
pub(crate) type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("ebm-gpu-cli-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        std::fs::create_dir(&root).unwrap();
        Self { root }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// The length of a file; 0 if there is none.
    #[cfg(unix)]
    pub(crate) fn length(&self, name: &str) -> u64 {
        std::fs::metadata(self.path(name)).map_or(0, |file| file.len())
    }

    /// What lies below `name`.
    pub(crate) fn tree(&self, name: &str) -> Tree {
        let mut found = Tree::new();
        let mut folders = vec![self.path(name)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
                let path = entry.unwrap().path();
                let bytes = if path.is_dir() { None } else { Some(std::fs::read(&path).unwrap()) };
                if bytes.is_none() {
                    folders.push(path.clone());
                }
                found.insert(path, bytes);
            }
        }
        found
    }

    /// The names of the files and folders in `name`.
    pub(crate) fn names(&self, name: &str) -> Vec<String> {
        let folder = self.path(name);
        let mut names: Vec<String> = std::fs::read_dir(&folder)
            .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The program, started in this folder, stopped after four minutes, with backtraces asked for so that a panic shows.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebm-gpu"));
        command.current_dir(&self.root).env("RUST_BACKTRACE", "1").timeout(Duration::from_secs(240));
        command
    }

    /// Runs the program with these words as its arguments.
    pub(crate) fn run(&self, args: &str) -> Outcome {
        self.run_args(&args.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn run_args(&self, args: &[&str]) -> Outcome {
        Outcome::of(&mut self.command(), args)
    }

    /// The program with 4 GB of memory and ten seconds, for what must not be tried at all.
    #[cfg(target_os = "linux")]
    pub(crate) fn short_of_memory(&self) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 4000000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_ebm-gpu")]);
        command.current_dir(&self.root).env("RUST_BACKTRACE", "0").timeout(Duration::from_secs(10));
        command
    }

    /// Runs the program and expects exit code 0.
    pub(crate) fn done(&self, args: &str) -> Outcome {
        let outcome = self.run(args);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome
    }

    /// Says what is wrong with how the program refuses `args`: exit code 2, nothing on stdout, `error:` and one sentence
    /// with all of `words` on stderr, at most a `hint:` after it, and no file or folder made, changed or lost.
    pub(crate) fn refused(&self, args: &[&str], words: &[&str]) -> Result<(), String> {
        self.refused_by(&mut self.command(), args, words)
    }

    fn refused_by(&self, command: &mut Command, args: &[&str], words: &[&str]) -> Result<(), String> {
        let before = self.tree("");
        let outcome = Outcome::of(command, args);
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        let shape = match lines[..] {
            [error] => error.starts_with("error: "),
            [error, hint] => error.starts_with("error: ") && hint.starts_with("hint: "),
            _ => false,
        };
        let lost = words.iter().find(|w| !outcome.stderr.contains(**w));
        let problem = match () {
            () if outcome.code != Some(2) => format!("exit code {:?}, not 2", outcome.code),
            () if !outcome.stdout.is_empty() => "something on stdout".to_string(),
            () if !shape => "stderr is not one `error:` and at most one `hint:`".to_string(),
            () if outcome.stderr.contains("panicked") => "it panicked".to_string(),
            () if self.tree("") != before => "files were made, changed or lost".to_string(),
            () => match lost {
                Some(word) => format!("stderr lacks `{word}`"),
                None => return Ok(()),
            },
        };
        Err(format!("{problem}\n{outcome}"))
    }

    /// Expects every case, arguments and what stderr has to hold, to be refused; `prefix` stands before each.
    pub(crate) fn all_refused(&self, prefix: &str, cases: &[(&str, &[&str])]) {
        self.all_refused_by(prefix, cases, || self.command());
    }

    pub(crate) fn all_refused_by(&self, prefix: &str, cases: &[(&str, &[&str])], command: impl Fn() -> Command) {
        let problems: Vec<String> = cases
            .iter()
            .filter_map(|(args, words)| {
                let all: Vec<&str> = prefix.split_whitespace().chain(args.split_whitespace()).collect();
                self.refused_by(&mut command(), &all, words).err()
            })
            .collect();
        assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), cases.len(), problems.join("\n"));
    }
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    args: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn of(command: &mut Command, args: &[&str]) -> Self {
        let output = command.args(args).output().unwrap();
        Self {
            args: args.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The one JSON object on stdout, on a line of its own.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self}");
        let value: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}\n{self}"));
        assert!(value.is_object(), "{self}");
        value
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cut = |text: &str| text.chars().take(1500).collect::<String>();
        let (stdout, stderr) = (cut(&self.stdout), cut(&self.stderr));
        write!(f, "$ ebm-gpu {}\nexit {:?}\nstdout: {stdout}\nstderr: {stderr}", self.args, self.code)
    }
}

/// Fails unless all of `keys` (with dots between levels) are in `value`.
pub(crate) fn assert_keys(value: &Value, keys: &[&str]) {
    for key in keys {
        let found = key.split('.').try_fold(value, |at, part| at.get(part));
        assert!(found.is_some(), "there is no {key} in {value}");
    }
}

/// The number at `key` (with dots between levels), which has to be finite.
pub(crate) fn number(value: &Value, key: &str) -> f64 {
    let found = key.split('.').try_fold(value, |at, part| at.get(part)).and_then(Value::as_f64);
    found.filter(|n| n.is_finite()).unwrap_or_else(|| panic!("{key} is not a number in {value}"))
}

/// The shape and values of an .npy file.
pub(crate) fn npy(path: &Path) -> (Vec<usize>, Vec<f64>) {
    ebm_gpu::data::npy::read_npy(path).unwrap()
}

#[test]
fn a_refusal_that_is_none_is_noticed() {
    let folder = Folder::new();
    let says = |args: &str, words: &[&str]| {
        folder
            .refused(&args.split_whitespace().collect::<Vec<_>>(), words)
            .unwrap_err()
            .lines()
            .next()
            .map(String::from)
    };
    assert_eq!(says("shaders", &[]).unwrap(), "exit code Some(0), not 2");
    assert_eq!(says("run --batch 0", &["batch", "17"]).unwrap(), "stderr lacks `17`");
    let noise = "run --engine cpu --points 50 --hidden 4 --chains 0 --steps 2 --quiet --lr 1e30 --clip 0";
    assert_eq!(says(noise, &[]).unwrap(), "exit code Some(1), not 2");
    // the folder of that run is there: a comparison of trees sees it, a change in it, and its loss
    let before = folder.tree("");
    folder.write("results/dsm-8gaussians/config.toml", "steps = 3\n");
    assert_ne!(folder.tree(""), before);
    let before = folder.tree("");
    std::fs::remove_file(folder.path("results/dsm-8gaussians/config.toml")).unwrap();
    assert_ne!(folder.tree(""), before);
}
