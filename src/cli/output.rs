//! The folder of a run: where it lies and what is written into it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ebm_gpu::engine::StepRecord;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::eval::Health;
use ebm_gpu::files::write_atomically;
use serde::Serialize;

/// What a run writes: `--force` removes what an earlier run has left of it.
const OUTPUTS: &[&str] = &[
    "config.toml",
    "run.json",
    "eval.json",
    "failed.json",
    "report.html",
    "metrics.jsonl",
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

/// A folder that this run owns.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder `wanted`; if it exists, the next free of `wanted-2`, `wanted-3`, ..., unless `force`.
    pub(super) fn create(wanted: &Path, force: bool) -> Result<Self> {
        let cannot = |path: &Path, e: &std::io::Error| {
            Error::input(format!("cannot make the folder {}: {e}", path.display()))
                .hint("--out DIR puts the results elsewhere")
        };
        if force {
            std::fs::create_dir_all(wanted).map_err(|e| cannot(wanted, &e))?;
            for name in OUTPUTS {
                let old = wanted.join(name);
                let removed = if old.is_dir() { std::fs::remove_dir_all(&old) } else { std::fs::remove_file(&old) };
                match removed {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(cannot(&old, &e)),
                    _ => {}
                }
            }
            return Ok(Self { path: wanted.to_path_buf() });
        }
        if let Some(parent) = wanted.parent() {
            std::fs::create_dir_all(parent).map_err(|e| cannot(parent, &e))?;
        }
        let mut path = wanted.to_path_buf();
        for number in 2u32.. {
            match std::fs::create_dir(&path) {
                Ok(()) => break,
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => {
                    let mut name = wanted.as_os_str().to_owned();
                    name.push(format!("-{number}"));
                    path = PathBuf::from(name);
                }
                Err(e) => return Err(cannot(&path, &e)),
            }
        }
        Ok(Self { path })
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

/// metrics.jsonl: a line for each window of steps, at most some thousands of lines a run.
pub(super) struct MetricsLog {
    path: PathBuf,
    file: std::io::BufWriter<std::fs::File>,
    window: u64,
    pending: Vec<StepRecord>,
    health: Option<Health>,
    validation: Option<f64>,
}

#[derive(Serialize)]
struct Line {
    step: u64,
    loss: f64,
    gradient_norm: f64,
    learning_rate: f64,
    /// The loss on held-out points at a step of the line, where they are watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_loss: Option<f64>,
    #[serde(flatten)]
    health: Option<Health>,
}

impl MetricsLog {
    pub(super) fn create(folder: &Folder, steps: u64) -> Result<Self> {
        let path = folder.file("metrics.jsonl");
        let file =
            std::fs::File::create(&path).map_err(|e| Error::input(format!("cannot write {}: {e}", path.display())))?;
        let file = std::io::BufWriter::new(file);
        Ok(Self { path, file, window: (steps / 2000).max(1), pending: Vec::new(), health: None, validation: None })
    }

    /// Takes in records; `rate` is the learning rate of a step.
    pub(super) fn add(&mut self, records: &[StepRecord], rate: impl Fn(u64) -> f64) -> Result<()> {
        for record in records {
            // a full window waits for what is still said of its last step
            if self.pending.len() as u64 >= self.window {
                self.flush(&rate)?;
            }
            self.pending.push(*record);
        }
        Ok(())
    }

    /// Puts what chains are like into the line of the last record.
    pub(super) fn health(&mut self, health: &Health) {
        self.health = Some(*health);
    }

    /// Puts the loss on held-out points into the line of the last record.
    pub(super) fn validation(&mut self, loss: f64) {
        self.validation = Some(loss);
    }

    fn flush(&mut self, rate: &impl Fn(u64) -> f64) -> Result<()> {
        let count = self.pending.len() as f64;
        let mean = |f: fn(&StepRecord) -> f64| self.pending.iter().map(f).sum::<f64>() / count;
        let Some(last) = self.pending.last() else { return Ok(()) };
        let line = Line {
            step: last.step,
            loss: mean(|r| r.loss),
            gradient_norm: mean(|r| r.gradient_norm),
            learning_rate: rate(last.step),
            validation_loss: self.validation.take(),
            health: self.health.take(),
        };
        serde_json::to_writer(&mut self.file, &line)
            .map_err(std::io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"))
            .map_err(|e| Error::failed(format!("cannot write {}: {e}", self.path.display())))?;
        self.pending.clear();
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn finish(mut self, rate: impl Fn(u64) -> f64) -> Result<()> {
        self.flush(&rate)?;
        self.file.flush().map_err(|e| Error::failed(format!("cannot write {}: {e}", self.path.display())))
    }
}
