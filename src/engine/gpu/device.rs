//! The device: everything that talks to wgpu and is not about one kernel.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wgpu::util::DeviceExt as _;

use super::adapters::{self, AdapterSummary};
use super::clock::Clock;
use super::count::{Counters, Counts};
use super::kernel::Shape;
use super::pace::Pace;
use super::patience::within;
use crate::error::{Error, Result};

/// Bytes between the entries of a buffer of parameters: what every device allows as a dynamic offset.
pub(super) const PARAMS_STRIDE: u64 = 256;

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
    /// The largest storage binding that is asked for, in bytes, where the adapter has as much.
    pub most_binding: u64,
    /// Lose the device at this submission, as a driver's fault would: for tests of what comes then.
    pub lose_at: Option<u64>,
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
            most_binding: MOST_BYTES,
            lose_at: None,
            spoil: None,
        }
    }
}

/// A device with its queue, its compiled kernels, and the first thing that went wrong on it.
pub struct Gpu {
    pub(super) device: wgpu::Device,
    queue: wgpu::Queue,
    summary: AdapterSummary,
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

/// A typed array on the device.
pub struct Buffer<T> {
    raw: wgpu::Buffer,
    len: usize,
    element: PhantomData<T>,
}

impl<T> Buffer<T> {
    /// Elements.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The buffer as wgpu knows it.
    pub(super) fn raw(&self) -> &wgpu::Buffer {
        &self.raw
    }
}

impl Buffer<[f32; 4]> {
    /// The same memory, seen as single numbers.
    pub(super) fn scalars(&self) -> Buffer<f32> {
        Buffer { raw: self.raw.clone(), len: 4 * self.len, element: PhantomData }
    }
}

/// What stands behind a buffer of a checked device: small odd numbers, to which nothing can be added without a trace.
const GUARD: &[u8] = &[0x5A; 1024];

/// Values that are sent at once: 4 MiB.
const PIECE: usize = 1 << 20;

const STORAGE: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_SRC).union(wgpu::BufferUsages::COPY_DST);

impl Gpu {
    /// Opens an adapter.
    ///
    /// # Errors
    /// There is no such adapter, or it refuses to open.
    pub fn open(options: &GpuOptions) -> Result<Self> {
        let (summary, adapter) = adapters::choose(options.adapter.as_deref())?;
        let has = adapter.limits();
        let required_limits = wgpu::Limits {
            max_storage_buffer_binding_size: has.max_storage_buffer_binding_size.min(options.most_binding),
            max_buffer_size: has.max_buffer_size.min(MOST_BYTES),
            ..wgpu::Limits::default().or_worse_values_from(&has)
        };
        let required_features = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
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
        let clock = (!required_features.is_empty()).then(|| Clock::new(&device, &queue));
        let (pipelines, counters) = Default::default();
        Ok(Self { device, queue, summary, options: options.clone(), pipelines, counters, clock, fault })
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
        catch_unwind(AssertUnwindSafe(|| self.device.poll(how)))
    }

    fn check_size(&self, what: &str, bytes: u64) -> Result<()> {
        let most = self.largest_binding();
        if bytes <= most {
            return Ok(());
        }
        let name = &self.summary.name;
        Err(Error::input(format!("{what} takes {bytes} bytes, {name} binds at most {most}"))
            .hint("fewer rows, chains or parameters, or --engine cpu"))
    }

    /// A buffer of zeros.
    pub(super) fn zeros<T: bytemuck::Pod>(&self, label: &str, len: usize) -> Result<Buffer<T>> {
        if self.options.checked {
            return self.upload(label, &vec![T::zeroed(); len.max(1)]);
        }
        let size = (len.max(1) * size_of::<T>()) as u64;
        self.check_size(label, size)?;
        let raw = self.create(label, size, STORAGE);
        self.check()?;
        Ok(Buffer { raw, len, element: PhantomData })
    }

    /// A buffer that holds `values`.
    pub(super) fn upload<T: bytemuck::Pod>(&self, label: &str, values: &[T]) -> Result<Buffer<T>> {
        if !self.options.checked {
            return self.upload_as(label, values, STORAGE);
        }
        let guarded = [bytemuck::cast_slice(values), GUARD].concat();
        let Buffer { raw, .. } = self.upload_as::<u8>(label, &guarded, STORAGE)?;
        Ok(Buffer { raw, len: values.len(), element: PhantomData })
    }

    /// A buffer that holds `values` in single precision, sent in pieces: beside them, no more than a piece is in memory.
    pub(super) fn upload_values(&self, label: &str, values: &[f64]) -> Result<Buffer<f32>> {
        let buffer = self.zeros(label, values.len())?;
        for (first, piece) in (0..).step_by(PIECE).zip(values.chunks(PIECE)) {
            let single: Vec<f32> = piece.iter().map(|v| *v as f32).collect();
            self.queue.write_buffer(&buffer.raw, first * size_of::<f32>() as u64, bytemuck::cast_slice(&single));
            // what the queue keeps of a piece is free once it has gone
            self.wait(&self.queue.submit([]))?;
        }
        Ok(Buffer { len: values.len(), ..buffer })
    }

    /// A uniform table that holds `values`.
    pub(super) fn upload_uniform<T: bytemuck::Pod>(&self, label: &str, values: &[T]) -> Result<Buffer<T>> {
        self.upload_as(label, values, wgpu::BufferUsages::UNIFORM)
    }

    fn upload_as<T: bytemuck::Pod>(&self, label: &str, values: &[T], usage: wgpu::BufferUsages) -> Result<Buffer<T>> {
        let contents: &[u8] = bytemuck::cast_slice(values);
        self.check_size(label, contents.len() as u64)?;
        self.count_buffer(contents.len() as u64);
        let raw =
            self.device.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: Some(label), contents, usage });
        self.check()?;
        Ok(Buffer { raw, len: values.len(), element: PhantomData })
    }

    /// Room for the parameters of `len` dispatches.
    pub(super) fn params<P: bytemuck::Pod>(&self, len: usize) -> Result<Buffer<P>> {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let raw = self.create("params", len as u64 * PARAMS_STRIDE, usage);
        self.check()?;
        Ok(Buffer { raw, len, element: PhantomData })
    }

    /// Writes the parameters of the dispatches from index `first` on.
    pub(super) fn write_params<P: bytemuck::Pod>(&self, buffer: &Buffer<P>, first: usize, values: &[P]) {
        let mut bytes = vec![0u8; values.len() * PARAMS_STRIDE as usize];
        for (entry, value) in bytes.chunks_exact_mut(PARAMS_STRIDE as usize).zip(values) {
            entry[..size_of::<P>()].copy_from_slice(bytemuck::bytes_of(value));
        }
        self.queue.write_buffer(&buffer.raw, first as u64 * PARAMS_STRIDE, &bytes);
    }

    /// Replaces what an array holds, behind everything that has been submitted.
    pub(super) fn overwrite<T: bytemuck::Pod>(&self, buffer: &Buffer<T>, values: &[T]) {
        self.overwrite_from(buffer, 0, values);
    }

    /// The same from element `first` on.
    pub(super) fn overwrite_from<T: bytemuck::Pod>(&self, buffer: &Buffer<T>, first: usize, values: &[T]) {
        self.queue.write_buffer(&buffer.raw, (first * size_of::<T>()) as u64, bytemuck::cast_slice(values));
    }

    /// A buffer that the host can map, for what comes back.
    pub(super) fn staging(&self, size: u64) -> wgpu::Buffer {
        self.create("staging", size.max(4), wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST)
    }

    fn create(&self, label: &str, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.count_buffer(size);
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage,
            mapped_at_creation: false,
        })
    }

    fn count_buffer(&self, bytes: u64) {
        self.counters.buffers.add(1);
        self.counters.bytes.add(bytes);
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
                // a queue that is dropped waits for its work without end: this one never is
                std::mem::forget(self.queue.clone());
                self.check().and(Err(Error::lost(format!("{name} did not finish within {seconds} s"))))
            }
            // a device that was lost takes no submission; that it was is told when those that it has are done
            Ok(Err(e)) => {
                drop(self.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(patience) }));
                self.check().and(Err(Error::lost(format!("{name} has lost a submission: {e}"))))
            }
            Err(_) => self.check().and(Err(Error::lost(format!("{name}: the device was lost")))),
        }
    }

    /// The elements that a mapped staging buffer holds from byte 0 on; the buffer is unmapped again.
    pub(super) fn read_staging<T: bytemuck::Pod>(&self, staging: &wgpu::Buffer, len: usize) -> Result<Vec<T>> {
        let bytes = (len * size_of::<T>()) as u64;
        let values = staging
            .get_mapped_range(0..bytes)
            .map(|view| bytemuck::pod_collect_to_vec(&view[..]))
            .map_err(|e| Error::failed(format!("{}: reading back failed: {e}", self.summary.name)))?;
        staging.unmap();
        Ok(values)
    }

    /// The first elements of a buffer: waits for all work before it.
    pub(super) fn download_first<T: bytemuck::Pod>(&self, buffer: &Buffer<T>, len: usize) -> Result<Vec<T>> {
        if len >= buffer.len() {
            return self.download(buffer);
        }
        let size = ((len * size_of::<T>()) as u64).next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT);
        let staging = self.staging(size);
        let submission = self.submit(|encoder| {
            encoder.copy_buffer_to_buffer(&buffer.raw, 0, &staging, 0, size);
            encoder.map_buffer_on_submit(&staging, wgpu::MapMode::Read, .., |_| ());
        });
        self.wait(&submission)?;
        self.read_staging(&staging, len)
    }

    /// The contents of a buffer: waits for all work before it.
    pub(super) fn download<T: bytemuck::Pod>(&self, buffer: &Buffer<T>) -> Result<Vec<T>> {
        let staging = self.staging(buffer.raw.size());
        let submission = self.submit(|encoder| {
            encoder.copy_buffer_to_buffer(&buffer.raw, 0, &staging, 0, buffer.raw.size());
            encoder.map_buffer_on_submit(&staging, wgpu::MapMode::Read, .., |_| ());
        });
        self.wait(&submission)?;
        let bytes: Vec<u8> = self.read_staging(&staging, buffer.raw.size() as usize)?;
        let (values, rest) = bytes.split_at(buffer.len * size_of::<T>());
        if self.options.checked && !rest.ends_with(GUARD) {
            return Err(Error::failed("a kernel wrote past the end of a buffer"));
        }
        Ok(bytemuck::pod_collect_to_vec(values))
    }
}

#[cfg(test)]
mod tests;
