//! The device's own clock: how long compute passes took, where the adapter has timestamp queries.

use std::sync::{Mutex, PoisonError};

use super::device::Gpu;
use crate::error::Result;

/// The most passes that are told apart between two readings: what WebGPU lets a query set hold, two queries each.
const MOST_PASSES: u32 = wgpu::QUERY_SET_MAX_QUERIES / 2;

/// Timestamps at the beginning and at the end of each pass.
pub(super) struct Clock {
    queries: wgpu::QuerySet,
    ticks: wgpu::Buffer,
    /// Nanoseconds of a tick.
    period: f64,
    /// Passes since the last reading.
    passes: Mutex<u32>,
}

impl Clock {
    /// A clock for a device that was opened with timestamp queries.
    pub(super) fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let queries = device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("clock"),
            ty: wgpu::QueryType::Timestamp,
            count: 2 * MOST_PASSES,
        });
        let ticks = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("ticks"),
            size: u64::from(2 * MOST_PASSES) * size_of::<u64>() as u64,
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        Self { queries, ticks, period: f64::from(queue.get_timestamp_period()), passes: Mutex::default() }
    }

    /// Where the next pass writes its two timestamps; nowhere once there is no room.
    pub(super) fn next(&self) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        let first = 2 * *passes;
        *passes = (*passes + 1).min(MOST_PASSES + 1);
        (first < 2 * MOST_PASSES).then_some(wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        })
    }

    /// Seconds that the passes since the last reading took, all together; none if there were too many to tell.
    pub(super) fn read(&self, gpu: &Gpu) -> Result<Option<f64>> {
        let passes = std::mem::take(&mut *self.passes.lock().unwrap_or_else(PoisonError::into_inner));
        if passes > MOST_PASSES {
            return Ok(None);
        }
        if passes == 0 {
            return Ok(Some(0.0));
        }
        let size = u64::from(2 * passes) * size_of::<u64>() as u64;
        let staging = gpu.staging(size)?;
        let submission = gpu.submit(|encoder| {
            encoder.resolve_query_set(&self.queries, 0..2 * passes, &self.ticks, 0);
            encoder.copy_buffer_to_buffer(&self.ticks, 0, &staging, 0, size);
            encoder.map_buffer_on_submit(&staging, wgpu::MapMode::Read, .., |_| ());
        });
        gpu.wait(&submission)?;
        let ticks: Vec<u64> = gpu.read_staging(&staging, 2 * passes as usize)?;
        let took = ticks.chunks_exact(2).map(|pass| pass[1].saturating_sub(pass[0])).sum::<u64>();
        Ok(Some(1e-9 * self.period * took as f64))
    }
}
