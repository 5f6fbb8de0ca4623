//! `bench`: how long a training step takes, how many chain steps a second there are, what that is of the machine's peak, and
//! how both grow with the size of what is asked.

mod law;
mod roofline;

pub use law::{Law, affine, power};
pub use roofline::{CARDS, Card, KernelWork, expected_seconds, step_work};

use std::time::Instant;

use crate::engine::{Engine, StepRecord, TrainingPlan, TrainingState, advance_by};
use crate::error::{Error, Result};
use crate::model::MlpSpec;
use crate::objective::Objective;
use crate::optimizer::Optimizer;
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::sampler::Transition;

fn normals(count: usize, dim: usize) -> Points {
    Points::normal::<f32>(count, dim, Seed(5), Stream::Host, 0)
}

fn median(mut values: Vec<f64>) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().ok_or_else(|| Error::failed("nothing was measured"))
}

fn finite(records: &[StepRecord]) -> Result<()> {
    match records.iter().find(|r| !r.is_finite()) {
        Some(bad) => Err(Error::failed(format!("the benchmark's training diverged at step {}", bad.step))),
        None => Ok(()),
    }
}

/// How long a training step takes.
#[derive(Debug, Clone, Copy)]
pub struct StepTime {
    /// The median in milliseconds of wall time.
    pub ms: f64,
    /// The mean in milliseconds by the device's own clock; none where it has none.
    pub device_ms: Option<f64>,
}

/// The median time of a training step in milliseconds (gradient, clipping, Adam), over about `seconds` of wall time.
///
/// # Errors
/// The device failed, or the run diverged.
pub fn train_step_ms(
    engine: &dyn Engine,
    spec: &MlpSpec,
    objective: &Objective,
    batch: usize,
    seconds: f64,
) -> Result<f64> {
    Ok(train_step(engine, spec, objective, batch, seconds)?.ms)
}

/// The same, by the device's clock too.
///
/// # Errors
/// The device failed, or the run diverged.
pub fn train_step(
    engine: &dyn Engine,
    spec: &MlpSpec,
    objective: &Objective,
    batch: usize,
    seconds: f64,
) -> Result<StepTime> {
    let model = spec.initial(Seed(1));
    let optimizer = Optimizer { clip: 1.0, ..Optimizer::adam(1e-3) };
    let plan = TrainingPlan { objective: objective.clone(), batch, optimizer, steps: u64::MAX, seed: Seed(2) };
    let data = normals(batch, spec.dim());
    let mut training = engine.train(&model, &plan, &data, TrainingState::start(&model))?;
    // compilation, and finding the size of submissions
    let warm = Instant::now();
    while warm.elapsed().as_secs_f64() < 0.5 * seconds {
        finite(&training.advance(u64::MAX)?)?;
    }
    let begun = training.state()?.step;
    engine.device_seconds()?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed().as_secs_f64() < seconds || times.len() < 3 {
        let before = Instant::now();
        let records = training.advance(u64::MAX)?;
        finite(&records)?;
        if !records.is_empty() {
            times.push(1e3 * before.elapsed().as_secs_f64() / records.len() as f64);
        }
    }
    let steps = (training.state()?.step - begun) as f64;
    let device_ms = engine.device_seconds()?.map(|seconds| 1e3 * seconds / steps);
    Ok(StepTime { ms: median(times)?, device_ms })
}

/// Chain steps in a second: the median over `rounds` runs of `count` chains for `steps` steps. A step of a transition with
/// L leapfrogs counts as one.
///
/// # Errors
/// The device failed.
pub fn chain_steps_per_second(
    engine: &dyn Engine,
    spec: &MlpSpec,
    transition: &Transition,
    count: usize,
    steps: u64,
    rounds: usize,
) -> Result<f64> {
    let model = spec.initial(Seed(1));
    let start = normals(count, spec.dim());
    let mut chains = engine.chains((&model).into(), transition, &start, Seed(2))?;
    let mut speeds = Vec::new();
    for round in 0..=rounds {
        let before = Instant::now();
        advance_by(chains.as_mut(), steps)?;
        chains.positions()?;
        // the first round pays for compilation
        if round > 0 {
            speeds.push(count as f64 * steps as f64 / before.elapsed().as_secs_f64());
        }
    }
    median(speeds)
}

/// The most memory that this process has had so far, in bytes; none where the system does not say.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?)
}
