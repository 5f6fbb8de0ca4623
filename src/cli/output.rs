//! The folder of a run: where it lies and what is written into it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use ebm_gpu::error::{Error, Result};
use ebm_gpu::files::{sync_name, write_atomically};
use serde::Serialize;

use super::metrics;
use super::notice::notice;
use super::sample::PASSING;

/// What a run writes: `--force` removes what an earlier run has left of it.
const OUTPUTS: &[&str] = &[
    "config.toml",
    "run.json",
    "eval.json",
    FAILED,
    "report.html",
    metrics::FILE,
    "model.safetensors",
    "samples.npy",
    "draws.npy",
    "sample.json",
    "moments.jsonl",
    "checkpoints",
    "energy.png",
    "energy.svg",
    "samples.png",
    "samples.svg",
    "score.png",
    "score.svg",
    "loss.png",
    "loss.svg",
    "trajectories.png",
    "trajectories.svg",
    "chains.gif",
];

/// What a run that has diverged for good leaves in place of its summary.
pub(super) const FAILED: &str = "failed.json";
/// What is there only until draws are complete.
const DRAWS: &str = "draws.npy.part";

/// Refuses to remove what is read.
fn spares(wanted: &Path, inputs: &[&Path]) -> Result<()> {
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    let Some(folder) = place(wanted) else { return Ok(()) };
    for input in inputs {
        let file = if input.is_dir() { input.join("model.safetensors") } else { input.to_path_buf() };
        let inside = place(&file).and_then(|file| file.strip_prefix(&folder).ok().map(Path::to_path_buf));
        let first = inside.as_ref().and_then(|path| path.components().next());
        if first.is_some_and(|name| OUTPUTS.iter().any(|output| name.as_os_str() == *output)) {
            let (folder, file) = (wanted.display(), file.display());
            return Err(Error::input(format!("{folder} holds {file}: --force would remove it"))
                .hint("another --out, such as a folder inside it"));
        }
    }
    Ok(())
}

/// A folder that this run owns.
pub(super) struct Folder {
    path: PathBuf,
    /// Held for as long as something is written.
    _lock: Option<File>,
}

/// Takes a folder for this process alone, where the system can: two programs that write into one would mix their results. The
/// system takes the lock back when the process ends, however it ends.
pub(super) fn lock(path: &Path) -> Result<Option<File>> {
    // other systems open no folders, or have no locks on network drives: then there is none
    let Ok(folder) = File::open(path) else { return Ok(None) };
    match folder.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(Error::input(format!("another ebm-gpu is writing into {}", path.display()))
                .hint("wait until it has ended"))
        }
        locked => Ok(locked.is_ok().then_some(folder)),
    }
}

/// Removes the checkpoints of a folder, and the folder if nothing else is in it.
fn remove_checkpoints(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().contains(".safetensors")) {
            std::fs::remove_file(path)?;
        }
    }
    match std::fs::remove_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
        removed => removed,
    }
}

impl Folder {
    /// Makes the folder `wanted`; if it exists, the next free of `wanted-2`, `wanted-3`, ..., unless `force`, which removes what
    /// an earlier run has left in it, but none of the `inputs` (a folder stands for the model in it). Another name is told, unless
    /// `quiet`.
    pub(super) fn create(wanted: &Path, force: bool, inputs: &[&Path], quiet: bool) -> Result<Self> {
        let cannot = |path: &Path, e: &std::io::Error| {
            Error::input(format!("cannot make the folder {}: {e}", path.display()))
                .hint("--out DIR puts the results elsewhere")
        };
        if force {
            spares(wanted, inputs)?;
            std::fs::create_dir_all(wanted).map_err(|e| cannot(wanted, &e))?;
            let lock = lock(wanted)?;
            for name in OUTPUTS.iter().chain(PASSING).chain([&DRAWS]) {
                let old = wanted.join(name);
                let removed = if old.is_dir() { remove_checkpoints(&old) } else { std::fs::remove_file(&old) };
                match removed {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(cannot(&old, &e)),
                    _ => {}
                }
            }
            return Ok(Self { path: wanted.to_path_buf(), _lock: lock });
        }
        if let Some(parent) = wanted.parent() {
            std::fs::create_dir_all(parent).map_err(|e| cannot(parent, &e))?;
        }
        let mut path = wanted.to_path_buf();
        for number in 2u32.. {
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    // a parent that cannot be opened is no reason to write nothing
                    drop(sync_name(&path));
                    break;
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => {
                    let mut name = wanted.as_os_str().to_owned();
                    name.push(format!("-{number}"));
                    path = PathBuf::from(name);
                }
                Err(e) => return Err(cannot(&path, &e)),
            }
        }
        let lock = lock(&path)?;
        if path != wanted && !quiet {
            notice!("{} is there, so this goes to {}: --force replaces it", wanted.display(), path.display());
        }
        Ok(Self { path, _lock: lock })
    }

    /// The folder of a run that was begun, to go on in.
    ///
    /// # Errors
    /// Another process is writing into it.
    pub(super) fn of_run(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_path_buf(), _lock: lock(path)? })
    }

    /// A file or figure stem in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What a run has written, with the files that it is about to write.
    pub(super) fn files(&self, next: &[&str]) -> Vec<&'static str> {
        OUTPUTS.iter().copied().filter(|name| next.contains(name) || self.file(name).exists()).collect()
    }

    /// The stems of the figures that were written since a moment, in the order of their names: with `--force`, others may lie
    /// there.
    pub(super) fn figures_since(&self, start: std::time::SystemTime) -> Result<Vec<String>> {
        let cannot = |e: std::io::Error| Error::failed(format!("cannot list {}: {e}", self.path.display()));
        let mut stems = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_new = entry.metadata().and_then(|m| m.modified()).map_err(cannot)? >= start;
            stems.extend(name.strip_suffix(".svg").filter(|_| is_new).map(ToString::to_string));
        }
        stems.sort();
        Ok(stems)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A folder inside.
    pub(super) fn subfolder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::create_dir_all(&path)
            .map_err(|e| Error::input(format!("cannot make the folder {}: {e}", path.display())))?;
        // it is there, and what lies in it is synced by name
        drop(sync_name(&path));
        Ok(path)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        write_atomically(&self.file(name), text.as_bytes())
    }

    pub(super) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|e| Error::failed(format!("cannot write {name} as JSON: {e}")))?;
        self.write(name, &(text + "\n"))
    }
}
