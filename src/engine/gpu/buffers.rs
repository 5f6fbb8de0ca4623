//! Arrays on the device: how they are made, and how numbers come to them and back.

use std::marker::PhantomData;

use super::device::Gpu;
use crate::error::{Error, Result};

/// Bytes between the entries of a buffer of parameters: what every device allows as a dynamic offset.
pub(super) const PARAMS_STRIDE: u64 = 256;

/// What stands behind a buffer of a checked device: small odd numbers, to which nothing can be added without a trace.
const GUARD: &[u8] = &[0x5A; 1024];

/// Values that are sent at once: 4 MiB.
const PIECE: usize = 1 << 20;

const STORAGE: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_SRC).union(wgpu::BufferUsages::COPY_DST);

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

impl Gpu {
    fn check_size(&self, what: &str, bytes: u64) -> Result<()> {
        let most = self.largest_binding();
        if bytes <= most {
            return Ok(());
        }
        let name = &self.summary().name;
        Err(Error::input(format!("{what} takes {bytes} bytes, {name} binds at most {most}"))
            .hint("fewer rows, chains or parameters, or --engine cpu"))
    }

    /// Bytes that a buffer holds at most.
    pub(super) fn room(&self) -> u64 {
        let guard = if self.options.checked { GUARD.len() as u64 } else { 0 };
        self.largest_binding().saturating_sub(guard)
    }

    /// A buffer of zeros.
    pub(super) fn zeros<T: bytemuck::Pod>(&self, label: &str, len: usize) -> Result<Buffer<T>> {
        if self.options.checked {
            return self.upload(label, &vec![T::zeroed(); len.max(1)]);
        }
        let size = (len.max(1) * size_of::<T>()) as u64;
        self.check_size(label, size)?;
        let raw = self.create(label, size, STORAGE)?;
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
        let size = (contents.len().max(1) as u64).next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT);
        let raw =
            self.create_of(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: true })?;
        self.check()?;
        let mut mapped = raw
            .get_mapped_range_mut(..)
            .map_err(|e| Error::failed(format!("{}: sending {label} failed: {e}", self.summary().name)))?;
        mapped.slice(..contents.len()).copy_from_slice(contents);
        drop(mapped);
        raw.unmap();
        Ok(Buffer { raw, len: values.len(), element: PhantomData })
    }

    /// Room for the parameters of `len` dispatches.
    pub(super) fn params<P: bytemuck::Pod>(&self, len: usize) -> Result<Buffer<P>> {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let raw = self.create("params", len as u64 * PARAMS_STRIDE, usage)?;
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
    pub(super) fn staging(&self, size: u64) -> Result<wgpu::Buffer> {
        self.create("staging", size.max(4), wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST)
    }

    /// A buffer that holds nothing yet.
    pub(super) fn create(&self, label: &str, size: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        self.create_of(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
    }

    /// A buffer, where the device has memory for it; what else is wrong with it is told by the next look at the device.
    fn create_of(&self, descriptor: &wgpu::BufferDescriptor<'_>) -> Result<wgpu::Buffer> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let raw = self.device.create_buffer(descriptor);
        let (size, made) = (descriptor.size, self.counters.now().bytes);
        let is_beyond = self.options.most_memory.is_some_and(|most| made + size > most);
        if pollster::block_on(scope.pop()).is_some() || is_beyond {
            let (what, name) = (descriptor.label.unwrap_or("a buffer"), &self.summary().name);
            let given = self.device.generate_allocator_report().map_or(0, |report| report.total_allocated_bytes);
            return Err(Error::memory(format!(
                "{what} takes {size} bytes, {name} has no memory for them beside {given} bytes that are in use here"
            ))
            .hint("fewer rows, chains or parameters, or --engine cpu"));
        }
        self.counters.buffers.add(1);
        self.counters.bytes.add(size);
        Ok(raw)
    }

    /// The elements that a mapped staging buffer holds from byte 0 on; the buffer is unmapped again.
    pub(super) fn read_staging<T: bytemuck::Pod>(&self, staging: &wgpu::Buffer, len: usize) -> Result<Vec<T>> {
        let bytes = (len * size_of::<T>()) as u64;
        let values = staging
            .get_mapped_range(0..bytes)
            .map(|view| bytemuck::pod_collect_to_vec(&view[..]))
            .map_err(|e| Error::failed(format!("{}: reading back failed: {e}", self.summary().name)))?;
        staging.unmap();
        Ok(values)
    }

    /// The first elements of a buffer: waits for all work before it.
    pub(super) fn download_first<T: bytemuck::Pod>(&self, buffer: &Buffer<T>, len: usize) -> Result<Vec<T>> {
        if len >= buffer.len() {
            return self.download(buffer);
        }
        let size = ((len * size_of::<T>()) as u64).next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT);
        let staging = self.staging(size)?;
        let submission = self.submit(|encoder| {
            encoder.copy_buffer_to_buffer(&buffer.raw, 0, &staging, 0, size);
            encoder.map_buffer_on_submit(&staging, wgpu::MapMode::Read, .., |_| ());
        });
        self.wait(&submission)?;
        self.read_staging(&staging, len)
    }

    /// The contents of a buffer: waits for all work before it.
    pub(super) fn download<T: bytemuck::Pod>(&self, buffer: &Buffer<T>) -> Result<Vec<T>> {
        let staging = self.staging(buffer.raw.size())?;
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
