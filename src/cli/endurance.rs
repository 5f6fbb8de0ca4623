//! Work whose device is lost goes on from what it has saved: on the device opened anew, once, and then on the processor if
//! that is allowed.

use std::collections::VecDeque;
use std::time::Duration;

use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result, unknown_name};
use ebm_gpu::files::abort_at;
use serde::Serialize;

use super::engine::{EngineArgs, trusted};
use crate::cli::notice::notice;

/// The flags of commands that save what they do.
#[derive(clap::Args, Serialize, Clone)]
#[serde(rename_all = "kebab-case")]
pub(super) struct EnduranceArgs {
    /// Where to go on from the last checkpoint when a GPU is lost for the second time, or does not open again: cpu, or none
    /// to end there
    #[arg(long, default_value = "none", value_name = "ENGINE")]
    #[serde(skip_serializing_if = "is_none")]
    pub(super) fallback: String,
    /// gpu: trust the device, without comparing its first steps with those in f64, and also where its driver is known to
    /// compute wrongly
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) no_check: bool,
    /// Seconds between saves of what is going on; saves take at most a fiftieth of the time
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) save_every: f64,
    /// Abort at the N-th moment at which a file is half written or just renamed; 0 for never: for tests
    #[arg(long, hide = true, default_value_t = 0, value_name = "N")]
    #[serde(skip)]
    abort_at_write: usize,
    /// Lose the first device at this submission, the second at the next number: for tests
    #[arg(long, hide = true, value_delimiter = ',', value_name = "N,N")]
    #[serde(skip)]
    lose_device_at: Vec<u64>,
    /// Have it told by a panic: for tests
    #[arg(long, hide = true)]
    #[serde(skip)]
    panic_when_lost: bool,
}

/// Whether that is the default, which config.toml need not hold.
fn is_none(fallback: &str) -> bool {
    fallback == "none"
}

/// The same of seconds between saves.
fn is_usual(seconds: &f64) -> bool {
    *seconds == 30.0
}

impl EnduranceArgs {
    /// The time between saves.
    ///
    /// # Errors
    /// It is negative, or longer than any work.
    pub(super) fn interval(&self) -> Result<Duration> {
        let seconds = self.save_every;
        if !(0.0..=1e6).contains(&seconds) {
            return Err(Error::input(format!("save-every is {seconds}, it has to be from 0 to 1e6 seconds")));
        }
        Ok(Duration::from_secs_f64(seconds))
    }
}

/// Time for a driver to come back.
const RESET: Duration = Duration::from_secs(1);

/// What may be opened after a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spare {
    /// The same flags again.
    Again,
    /// The processor.
    Cpu,
}

/// An engine, and those that take its place when its device is lost.
pub(super) struct Enduring<'a> {
    flags: &'a EngineArgs,
    endurance: &'a EnduranceArgs,
    quiet: bool,
    /// None once there is no other left.
    engine: Option<Box<dyn Engine>>,
    opened: usize,
    spares: VecDeque<Spare>,
    losses: Vec<String>,
}

impl<'a> Enduring<'a> {
    /// Opens the engine that the flags say.
    pub(super) fn open(flags: &'a EngineArgs, endurance: &'a EnduranceArgs, quiet: bool) -> Result<Self> {
        endurance.interval()?;
        abort_at(endurance.abort_at_write);
        let fallback = match endurance.fallback.as_str() {
            "none" => None,
            "cpu" => Some(Spare::Cpu),
            other => return Err(unknown_name("fallback", other, &["none", "cpu"])),
        };
        let spares = [Spare::Again].into_iter().chain(fallback).collect();
        let mut enduring = Self { flags, endurance, quiet, engine: None, opened: 0, spares, losses: Vec::new() };
        enduring.engine = Some(enduring.next(flags)?);
        Ok(enduring)
    }

    /// Opens another engine; the tests may have it lost.
    fn next(&mut self, flags: &EngineArgs) -> Result<Box<dyn Engine>> {
        let lose_at = self.endurance.lose_device_at.get(self.opened).copied();
        self.opened += 1;
        let opened = flags.open_until(lose_at, self.endurance.panic_when_lost, self.quiet)?;
        let hint = "update the driver, use --engine cpu, or trust it with --no-check";
        trusted(opened, self.endurance.no_check, self.quiet, hint)
    }

    /// Does work that saves what it has done and goes on from there when it is done again; it is told of the losses that it has
    /// had.
    pub(super) fn during<R>(&mut self, mut work: impl FnMut(&dyn Engine, &[String]) -> Result<R>) -> Result<R> {
        let before = self.losses.len();
        loop {
            let Some(engine) = &self.engine else { return Err(Error::failed("there is no engine left")) };
            match work(engine.as_ref(), &self.losses[before..]) {
                Err(loss) if loss.is_loss() => self.replace(loss)?,
                // of a device that was lost, memory may stay taken
                Err(e) if e.is_memory() && self.losses.len() > before => self.replace(e)?,
                done => return done,
            }
        }
    }

    /// Opens what takes the place of a lost device.
    fn replace(&mut self, loss: Error) -> Result<()> {
        // one that hangs would not let go of its memory: dropping it waits for all its work
        std::mem::forget(self.engine.take());
        while let Some(spare) = self.spares.pop_front() {
            std::thread::sleep(RESET);
            let cpu = EngineArgs { engine: "cpu".to_string(), adapter: None, ..self.flags.clone() };
            let flags = if spare == Spare::Cpu { &cpu } else { self.flags };
            match self.next(flags) {
                // auto takes the processor where there is no GPU any more: that has to be allowed
                Ok(engine) if spare == Spare::Again && engine.name() != "gpu" => {}
                Ok(engine) => {
                    let sentence = format!("{loss}; the work went on from what it had saved, on {}", engine.adapter());
                    if !self.quiet {
                        notice!("warning: {sentence}");
                    }
                    self.losses.push(sentence);
                    self.engine = Some(engine);
                    return Ok(());
                }
                Err(e) if !self.quiet => notice!("warning: after a loss: {e}"),
                Err(_) => {}
            }
        }
        Err(loss.hint(
            "--resume (of compare, the same command) goes on from the last checkpoint, --fallback cpu does so by itself; a smaller \
             --max-submit-ms helps against watchdogs",
        ))
    }
}
