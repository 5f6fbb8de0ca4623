//! The fastest multiply-adds of the device.

use std::time::{Duration, Instant};

use super::device::Gpu;
use super::kernel::{Shape, WORKGROUP};
use super::kernels::{MultiplyAdd, MultiplyAddParams};
use super::spread::to_f64;
use crate::engine::Peak;
use crate::engine::peak::{FACTOR, START, TERM};
use crate::error::Result;
use crate::model::Activation;

/// Workgroups of the loop: 16 subgroups for each of 4 SIMDs of 512 units, more than any device has.
const WORKGROUPS: u32 = 4096;
/// The most turns of a submission.
const MOST_TURNS: u64 = 1 << 20;

/// The peak of submissions that take as long as those of training do.
pub(super) fn measure(gpu: &Gpu) -> Result<Peak> {
    let params = gpu.params(1)?;
    let means = gpu.zeros("means", WORKGROUPS as usize)?;
    let shape = Shape {
        layers: 1,
        activation: Activation::Silu,
        quads: 2,
        workgroup: WORKGROUP,
        field: false,
        tangents: false,
        target: None,
        subgroups: false,
    };
    let bound = MultiplyAdd { params: &params, means: &means }.bind(gpu, shape)?;
    let run = |turns: u64| -> Result<f64> {
        let fixed =
            MultiplyAddParams { turns: turns as u32, start: START as f32, factor: FACTOR as f32, term: TERM as f32 };
        gpu.write_params(&params, 0, &[fixed]);
        gpu.device_seconds()?;
        let start = Instant::now();
        gpu.wait(&gpu.run(|pass| bound.dispatch(pass, 0, WORKGROUPS)))?;
        let wall = start.elapsed().as_secs_f64();
        Ok(gpu.device_seconds()?.filter(|device| *device > 0.0).unwrap_or(wall))
    };
    // a turn too few would not reach the end of the sequence
    let mut pace = gpu.pace(MOST_TURNS);
    for _ in 0..24 {
        let (turns, start) = (pace.size(), Instant::now());
        run(turns)?;
        pace.ended(turns, start);
        if pace.size() < 2 * turns {
            break;
        }
    }
    let turns = pace.size().max(8);
    let count = f64::from(WORKGROUPS * WORKGROUP) * f64::from(MultiplyAddParams::EACH) * turns as f64;
    Peak::best(Duration::from_millis(200), count, || {
        let seconds = run(turns)?;
        let ends = to_f64(&gpu.download(&means)?);
        Ok((ends.iter().sum::<f64>() / ends.len() as f64, seconds))
    })
}
