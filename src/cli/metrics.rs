//! metrics.jsonl: a line for each window of steps, at most some thousands of lines a run.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ebm_gpu::engine::StepRecord;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::eval::Health;
use ebm_gpu::files::{cannot_write, moment, sync_name, write_atomically};
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

/// The log of a run that goes on; nothing if it is gone.
fn read(path: &Path) -> Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|e| Error::input(format!("cannot read {}: {e}", path.display()))),
    }
}

/// The step that a line is about, if the line is whole.
fn step_of(line: &str) -> Option<u64> {
    let values: Value = serde_json::from_str(line.strip_suffix('\n')?).ok()?;
    values["step"].as_u64()
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
    /// Lines of later steps are dropped, and what is no line; a warning if lines of those steps are missing.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(super) fn open(path: &Path, steps: u64, done: u64, pending: Option<&str>) -> Result<(Self, Option<String>)> {
        let cannot = |e: std::io::Error| cannot_write(path, &e);
        let window = (steps / LINES).max(1);
        let lines = (done / window) as usize;
        let there = if lines > 0 { read(path)? } else { Vec::new() };
        let (text, mut last) = (String::from_utf8_lossy(&there), 0);
        let is_next = |line: &&str| {
            let Some(step) = step_of(line).filter(|step| *step > last && step % window == 0 && *step <= done) else {
                return false;
            };
            last = step;
            true
        };
        let whole: Vec<&str> = text.split_inclusive('\n').filter(is_next).collect();
        let missing = lines - whole.len();
        let warning = (missing > 0).then(|| {
            format!(
                "{} has been changed since: {missing} of its {lines} lines are missing, and stay so",
                path.display()
            )
        });
        let pending: Pending = pending.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        if pending.count != done % window {
            let (path, has) = (path.display(), pending.count);
            return Err(Error::input(format!(
                "the last line of {path} is to be about {} steps, the checkpoint knows {has}",
                done % window
            ))
            .hint("begin anew without --resume"));
        }
        let kept = whole.concat();
        if !there.starts_with(kept.as_bytes()) {
            write_atomically(path, kept.as_bytes())?;
        }
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(cannot)?;
        file.set_len(kept.len() as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(cannot)?;
        sync_name(path).map_err(cannot)?;
        let log = Self { path: path.to_path_buf(), file: BufWriter::new(file), window, pending };
        Ok((log, warning))
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
        let flushed = self.file.flush();
        moment();
        let synced = flushed.and_then(|()| self.file.get_ref().sync_data());
        synced.map_err(|e| cannot_write(&self.path, &e))
    }
}
