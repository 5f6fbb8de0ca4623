//! The device: opening it, what goes wrong on it, and submitting work and waiting for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::adapters::{self, AdapterSummary};
pub(super) use super::buffers::Buffer;
use super::clock::Clock;
use super::count::{Counters, Counts};
use super::kernel::{Platform, Shape};
use super::pace::Pace;
use super::patience::{contained, give_up, within};
use crate::error::{Error, Result};

/// The largest buffer that is asked for where the adapter has more than WebGPU guarantees.
const MOST_BYTES: u64 = 1 << 30;

/// Tiles that a software driver and a GPU work on at a time.
const SOFTWARE_TILES: u32 = 16;
const HARDWARE_TILES: u32 = 256;

/// How long the host waits for a submission before it calls the device lost.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which adapter is opened, and how.
#[derive(Debug, Clone)]
pub struct GpuOptions {
    /// Its index, or a part of its name; the best one if not given.
    pub adapter: Option<String>,
    /// Bound every loop and index in the shaders, and put guard bands behind the buffers: slower, for tests and for finding
    /// faults.
    pub checked: bool,
    /// The most that a submission should take, in milliseconds: below what any watchdog allows. From 0.1 to 500.
    pub max_submit_ms: f64,
    /// The most workgroups of a dispatch over tiles; each takes further tiles in turn.
    pub most_workgroups: u32,
    /// The fewest tiles of a submission where a step is too long for one; what suits the device if not given.
    pub fewest_tiles: Option<u32>,
    /// Give kernels the shape that suits this, whatever the device is: for tests.
    pub platform: Option<Platform>,
    /// The largest storage binding that is asked for, in bytes, where the adapter has as much.
    pub most_binding: u64,
    /// Lose the device at this submission, as a driver's fault would: for tests of what comes then.
    pub lose_at: Option<u64>,
    /// Have the library panic in waits for a device that `lose_at` has lost, as it does where a driver tells of the loss there.
    pub panic_when_lost: bool,
    /// Refuse to make more than so many bytes of buffers, as a device whose memory ends there: for tests.
    pub most_memory: Option<u64>,
    /// Take the driver for this one: for tests of what is known against drivers.
    pub driver: Option<String>,
    /// Have the kernel of this name compute wrongly, as a driver's fault would: for tests of what comes then.
    pub spoil: Option<String>,
}

impl Default for GpuOptions {
    fn default() -> Self {
        // what WebGPU guarantees for one dimension
        Self {
            adapter: None,
            checked: false,
            max_submit_ms: 100.0,
            most_workgroups: 65_535,
            fewest_tiles: None,
            platform: None,
            most_binding: MOST_BYTES,
            lose_at: None,
            panic_when_lost: false,
            most_memory: None,
            driver: None,
            spoil: None,
        }
    }
}

/// A device with its queue, its compiled kernels, and the first thing that went wrong on it.
pub struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    summary: AdapterSummary,
    platform: Platform,
    pub(super) options: GpuOptions,
    pub(super) pipelines: Mutex<HashMap<(&'static str, Shape), wgpu::ComputePipeline>>,
    pub(super) counters: Arc<Counters>,
    /// Where the adapter has timestamp queries.
    clock: Option<Clock>,
    fault: Arc<Mutex<Fault>>,
}

/// What has gone wrong on a device.
#[derive(Default)]
struct Fault {
    /// The first thing that was said.
    text: Option<String>,
    /// Whether the device is lost, which may be told after errors that come of it.
    lost: Option<String>,
}

impl Gpu {
    /// Opens an adapter.
    ///
    /// # Errors
    /// There is no such adapter, or it refuses to open.
    pub fn open(options: &GpuOptions) -> Result<Self> {
        let (mut summary, adapter) = adapters::choose(options.adapter.as_deref())?;
        if let Some(driver) = &options.driver {
            summary.driver.clone_from(driver);
        }
        let has = adapter.limits();
        let required_limits = wgpu::Limits {
            max_storage_buffer_binding_size: has.max_storage_buffer_binding_size.min(options.most_binding),
            max_buffer_size: has.max_buffer_size.min(MOST_BYTES),
            ..wgpu::Limits::default().or_worse_values_from(&has)
        };
        let platform = options.platform.unwrap_or_else(|| adapters::platform(&summary, &adapter));
        let subgroups =
            if platform == Platform::SoftwareSubgroups { wgpu::Features::SUBGROUP } else { wgpu::Features::empty() };
        let timestamps = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let required_features = timestamps | subgroups;
        let descriptor = wgpu::DeviceDescriptor { required_limits, required_features, ..Default::default() };
        let opened = within(PATIENCE, &format!("opening {}", summary.name), move || {
            pollster::block_on(adapter.request_device(&descriptor))
        })?;
        let (device, queue) = opened.map_err(|e| Error::failed(format!("{} does not open: {e}", summary.name)))?;
        let fault = Arc::new(Mutex::new(Fault::default()));
        let [errors, losses] = [Arc::clone(&fault), Arc::clone(&fault)];
        device.on_uncaptured_error(Arc::new(move |e| {
            errors.lock().unwrap_or_else(PoisonError::into_inner).text.get_or_insert(e.to_string());
        }));
        device.set_device_lost_callback(move |reason, text| {
            let why = if text.is_empty() { format!("{reason:?}") } else { text };
            let text = format!("the device was lost: {why}");
            losses.lock().unwrap_or_else(PoisonError::into_inner).lost.get_or_insert(text);
        });
        let clock = (!timestamps.is_empty()).then(|| Clock::new(&device, &queue));
        let (pipelines, counters) = Default::default();
        Ok(Self { device, queue, summary, platform, options: options.clone(), pipelines, counters, clock, fault })
    }

    /// What has been made on the device and asked of it so far.
    pub fn counts(&self) -> Counts {
        self.counters.now()
    }

    /// Seconds that compute passes took since this was called last, by the device's own clock, after waiting for them; none
    /// where the adapter has no timestamp queries, or after more than 2,048 passes.
    ///
    /// # Errors
    /// The device failed.
    pub fn device_seconds(&self) -> Result<Option<f64>> {
        self.clock.as_ref().map_or(Ok(None), |clock| clock.read(self))
    }

    /// The adapter.
    pub fn summary(&self) -> &AdapterSummary {
        &self.summary
    }

    /// Sizes for submissions of at most `most` units of work.
    pub(super) fn pace(&self, most: u64) -> Pace {
        Pace::new(most, self.options.max_submit_ms)
    }

    /// The most workgroups of a dispatch over tiles.
    pub(super) fn most_workgroups(&self) -> u32 {
        self.options.most_workgroups.clamp(1, 65_535)
    }

    /// What kernels are shaped for.
    pub(super) fn platform(&self) -> Platform {
        self.platform
    }

    /// The fewest tiles of a submission: about what the device works on at a time.
    pub(super) fn portion(&self) -> u32 {
        let fits = if self.summary.software { SOFTWARE_TILES } else { HARDWARE_TILES };
        self.options.fewest_tiles.unwrap_or(fits).max(1)
    }

    /// The largest storage binding in bytes.
    pub(super) fn largest_binding(&self) -> u64 {
        self.device.limits().max_storage_buffer_binding_size
    }

    /// An error if anything has gone wrong on the device so far.
    pub(super) fn check(&self) -> Result<()> {
        if self.fault.lock().unwrap_or_else(PoisonError::into_inner).text.is_some() {
            // it may come of a loss that is still to be told
            drop(self.poll(wgpu::PollType::Poll));
        }
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let error = match (&fault.lost, &fault.text) {
            (None, None) => return Ok(()),
            (Some(text), _) => Error::lost(format!("{}: {text}", self.summary.name)),
            (None, Some(text)) => Error::failed(format!("{}: {text}", self.summary.name)),
        };
        Err(error.hint("a smaller --max-submit-ms helps against watchdogs; --engine cpu needs no driver"))
    }

    /// wgpu panics in poll when the device is lost: that must not end the program.
    fn poll(&self, how: wgpu::PollType) -> std::thread::Result<std::result::Result<wgpu::PollStatus, wgpu::PollError>> {
        contained(|| {
            let is_lost = self.options.lose_at.is_some_and(|at| at <= self.counters.now().submissions);
            assert!(!(is_lost && self.options.panic_when_lost), "as wgpu does");
            self.device.poll(how)
        })
    }

    /// Records and submits work; nothing waits.
    pub(super) fn submit(&self, record: impl FnOnce(&mut wgpu::CommandEncoder)) -> wgpu::SubmissionIndex {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        record(&mut encoder);
        self.counters.submissions.add(1);
        if self.options.lose_at == Some(self.counters.now().submissions) {
            self.device.destroy();
        }
        self.queue.submit([encoder.finish()])
    }

    /// Submits dispatches in one compute pass; nothing waits.
    pub(super) fn run(&self, record: impl FnOnce(&mut wgpu::ComputePass<'_>)) -> wgpu::SubmissionIndex {
        self.submit(|encoder| record(&mut self.pass(encoder)))
    }

    /// A compute pass that the device's clock takes the time of.
    pub(super) fn pass<'e>(&self, encoder: &'e mut wgpu::CommandEncoder) -> wgpu::ComputePass<'e> {
        let timestamp_writes = self.clock.as_ref().and_then(Clock::next);
        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes })
    }

    /// Waits until a submission has finished.
    pub(super) fn wait(&self, submission: &wgpu::SubmissionIndex) -> Result<()> {
        self.wait_for(submission, PATIENCE)
    }

    fn wait_for(&self, submission: &wgpu::SubmissionIndex, patience: Duration) -> Result<()> {
        self.counters.waits.add(1);
        let poll = wgpu::PollType::Wait { submission_index: Some(submission.clone()), timeout: Some(patience) };
        let (name, seconds) = (&self.summary.name, patience.as_secs_f64());
        match self.poll(poll) {
            Ok(Ok(_)) => self.check(),
            Ok(Err(wgpu::PollError::Timeout)) => {
                self.abandon();
                self.check().and(Err(Error::lost(format!("{name} did not finish within {seconds} s"))))
            }
            // a device that was lost takes no submission; that it was is told when those that it has are done
            Ok(Err(e)) => {
                let all = wgpu::PollType::Wait { submission_index: None, timeout: Some(patience) };
                if matches!(self.poll(all), Ok(Err(wgpu::PollError::Timeout))) {
                    self.abandon();
                }
                self.check().and(Err(Error::lost(format!("{name} has lost a submission: {e}"))))
            }
            Err(_) => self.check().and(Err(Error::lost(format!("{name}: the device was lost")))),
        }
    }

    /// Waits no longer: a queue that is dropped waits for its work without end, so this one never is.
    fn abandon(&self) {
        std::mem::forget(self.queue.clone());
        give_up();
    }
}

#[cfg(test)]
mod tests;
