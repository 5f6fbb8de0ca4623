//! The rows of the data on the device: all of them, or, where they are more than a binding holds, those that the next batches
//! take, which the host picks by the same random numbers.

use super::device::{Buffer, Gpu};
use crate::error::Result;
use crate::points::Points;
use crate::random::{Seed, Stream, pick};

/// Bytes that are sent for one submission, where one step needs no more.
const MOST_BYTES: u64 = 32 << 20;

/// Where batches have their rows from.
pub(super) enum Rows {
    /// The data are on the device, as many rows as this, and samples draw theirs there.
    Resident(u32),
    /// The device has room for two submissions of so many steps.
    Sent {
        /// All data, `[rows, dim]`.
        values: Vec<f32>,
        dim: usize,
        batch: usize,
        steps: u64,
    },
}

impl Rows {
    /// The data on the device, or room for some of them.
    pub(super) fn new(gpu: &Gpu, data: &Points, batch: usize) -> Result<(Self, Buffer<f32>)> {
        let (all, limit) = ((size_of::<f32>() * data.values().len()) as u64, gpu.largest_binding());
        let of_step = (size_of::<f32>() * batch * data.dim()) as u64;
        let steps = (limit / 4).min(MOST_BYTES.max(of_step)) / of_step;
        // a quarter for each of two halves leaves room for guards; where no batch fits, data are refused for their size
        if all <= limit || steps == 0 {
            return Ok((Self::Resident(data.count() as u32), gpu.upload_values("data", data.values())?));
        }
        let values = data.values().iter().map(|v| *v as f32).collect();
        let room = gpu.zeros("rows of batches", 2 * steps as usize * batch * data.dim())?;
        Ok((Self::Sent { values, dim: data.dim(), batch, steps }, room))
    }

    /// The most steps of a submission.
    pub(super) fn most_steps(&self) -> u64 {
        match self {
            Self::Resident(_) => u64::MAX,
            Self::Sent { steps, .. } => *steps,
        }
    }

    /// Sends the rows of `count` steps from `step` on, if they have to be sent, to one of the two halves of the room; returns
    /// for a step, from 0, what its arguments call `rows`.
    pub(super) fn send(
        &self,
        gpu: &Gpu,
        room: &Buffer<f32>,
        half: usize,
        seed: Seed,
        step: u64,
        count: u64,
    ) -> impl Fn(u64) -> u32 + use<> {
        let (first, each) = match self {
            Self::Resident(rows) => (*rows, 0),
            Self::Sent { values, dim, batch, steps } => {
                let rows = (values.len() / dim) as u32;
                let first = half * *steps as usize * batch;
                let sent: Vec<f32> = (step..step + count)
                    .flat_map(|step| (0..*batch as u32).map(move |sample| (step as u32, sample)))
                    .flat_map(|(step, sample)| {
                        let row = pick(seed.words(Stream::Batch, sample, step, 0)[0], rows) as usize;
                        &values[row * dim..][..*dim]
                    })
                    .copied()
                    .collect();
                gpu.overwrite_from(room, first * dim, &sent);
                (first as u32, *batch as u32)
            }
        };
        move |i| first + i as u32 * each
    }
}
