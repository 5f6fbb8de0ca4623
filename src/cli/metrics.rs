//! metrics.jsonl: a line for each window of steps, at most some thousands of lines a run.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ebm_gpu::engine::StepRecord;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::eval::Health;
use ebm_gpu::files::cannot_write;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The name of the file.
pub(super) const FILE: &str = "metrics.jsonl";
/// What a line calls the loss on held-out points.
const HELD_OUT: &str = "validation_loss";
/// About so many lines are written.
const LINES: u64 = 2000;

/// The losses on held-out points that a finished log tells of, by step.
///
/// # Errors
/// The file cannot be read.
pub(super) fn held_out(path: &Path) -> Result<Vec<(f64, f64)>> {
    told(path, HELD_OUT)
}

/// The training losses that a finished log tells of, by step.
///
/// # Errors
/// The file cannot be read.
pub(super) fn losses(path: &Path) -> Result<Vec<(f64, f64)>> {
    told(path, "loss")
}

/// A number by step, from the lines that have it.
fn told(path: &Path, name: &str) -> Result<Vec<(f64, f64)>> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::failed(format!("cannot read {}, just written: {e}", path.display())))?;
    let look = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        Some((line["step"].as_f64()?, line[name].as_f64()?))
    };
    Ok(text.lines().filter_map(look).collect())
}

/// The log of a run that goes on.
fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| {
        Error::input(format!("cannot read {}: {e}", path.display()))
            .hint("this run cannot go on without its log: begin anew without --resume")
    })
}

/// Whether a line is whole, and about the window that ends with `step`.
fn is_about(line: &str, step: u64) -> bool {
    let values: Option<Value> = line.strip_suffix('\n').and_then(|line| serde_json::from_str(line).ok());
    values.is_some_and(|values| values["step"] == step)
}

/// The file and the window that is not full yet.
pub(super) struct MetricsLog {
    path: PathBuf,
    file: BufWriter<File>,
    window: u64,
    pending: Pending,
}

/// The window that is not full yet.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Pending {
    /// Its last step, and how many it has.
    step: u64,
    count: u64,
    /// Sums over its steps.
    loss: f64,
    gradient_norm: f64,
    /// What was said of one of them.
    said: Map<String, Value>,
}

#[derive(Serialize)]
struct Line<'a> {
    step: u64,
    loss: f64,
    gradient_norm: f64,
    learning_rate: f64,
    /// What was said of a step of the line: the loss on held-out points where they are watched, what chains are like.
    #[serde(flatten)]
    said: &'a Map<String, Value>,
}

impl MetricsLog {
    /// The log of a run of so many steps that has done the first of them, with its last window as [`MetricsLog::saved`] gave it.
    /// Lines of later steps are dropped.
    ///
    /// # Errors
    /// The file cannot be read or written, or lacks lines of those steps.
    pub(super) fn open(path: &Path, steps: u64, done: u64, pending: Option<&str>) -> Result<Self> {
        let cannot = |e: std::io::Error| cannot_write(path, &e);
        let window = (steps / LINES).max(1);
        let lines = (done / window) as usize;
        let text = if lines > 0 { read(path)? } else { String::new() };
        let numbered = text.split_inclusive('\n').take(lines).zip(1u64..);
        let whole: Vec<&str> =
            numbered.take_while(|(line, number)| is_about(line, number * window)).map(|(line, _)| line).collect();
        if whole.len() < lines {
            let (path, has) = (path.display(), whole.len());
            return Err(Error::input(format!("{path} has {has} whole lines, the first {done} steps have {lines}"))
                .hint("the file has been changed since, so this run cannot go on: begin anew without --resume"));
        }
        let pending: Pending = pending.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        if pending.count != done % window {
            let (path, has) = (path.display(), pending.count);
            return Err(Error::input(format!(
                "the last line of {path} is to be about {} steps, the checkpoint knows {has}",
                done % window
            ))
            .hint("begin anew without --resume"));
        }
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(cannot)?;
        file.set_len(whole.concat().len() as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(cannot)?;
        Ok(Self { path: path.to_path_buf(), file: BufWriter::new(file), window, pending })
    }

    /// Takes in records; `rate` is the learning rate of a step.
    pub(super) fn add(&mut self, records: &[StepRecord], rate: impl Fn(u64) -> f64) -> Result<()> {
        for record in records {
            // a full window waits for what is still said of its last step
            if self.pending.count >= self.window {
                self.flush(&rate)?;
            }
            let pending = &mut self.pending;
            (pending.step, pending.count) = (record.step, pending.count + 1);
            pending.loss += record.loss;
            pending.gradient_norm += record.gradient_norm;
        }
        Ok(())
    }

    /// Puts what chains are like into the line of the last record.
    pub(super) fn health(&mut self, health: &Health) {
        if let Ok(Value::Object(all)) = serde_json::to_value(health) {
            self.pending.said.extend(all);
        }
    }

    /// Puts the loss on held-out points into the line of the last record.
    pub(super) fn validation(&mut self, loss: f64) {
        self.pending.said.insert(HELD_OUT.to_string(), loss.into());
    }

    fn flush(&mut self, rate: &impl Fn(u64) -> f64) -> Result<()> {
        let Pending { step, count, loss, gradient_norm, said } = std::mem::take(&mut self.pending);
        if count == 0 {
            return Ok(());
        }
        let line = Line {
            step,
            loss: loss / count as f64,
            gradient_norm: gradient_norm / count as f64,
            learning_rate: rate(step),
            said: &said,
        };
        serde_json::to_writer(&mut self.file, &line)
            .map_err(std::io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"))
            .map_err(|e| cannot_write(&self.path, &e))
    }

    /// Puts all full windows on the disk and returns the one that is not full, as text; nothing more may be said of the steps
    /// so far.
    pub(super) fn saved(&mut self, rate: impl Fn(u64) -> f64) -> Result<String> {
        if self.pending.count >= self.window {
            self.flush(&rate)?;
        }
        self.synced()?;
        serde_json::to_string(&self.pending).map_err(|e| Error::failed(format!("cannot write the window as JSON: {e}")))
    }

    /// Writes what is left.
    pub(super) fn finish(mut self, rate: impl Fn(u64) -> f64) -> Result<()> {
        self.flush(&rate)?;
        self.synced()
    }

    fn synced(&mut self) -> Result<()> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_data());
        synced.map_err(|e| cannot_write(&self.path, &e))
    }
}
