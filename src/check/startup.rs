//! What a run is about to do, a little of it, before it does it: a driver that computes wrongly is not trusted with hours.

use super::worst;
use crate::engine::cpu::Reference;
use crate::engine::{Engine, Landscape, TrainingPlan, TrainingState, advance_by};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::Transition;

/// The most samples, rows of the data and chains: a few tiles.
const SAMPLES: usize = 96;
const ROWS: usize = 512;
/// Steps of the chains.
const CHAIN_STEPS: u64 = 3;
/// Far above rounding, also after the sixty Langevin steps of contrastive divergence, and far below what a wrong driver does.
const BOUND: f64 = 1e-3;
/// Gradients of contrast are differences of terms of about 1, moments a tenth of them: smaller ones are compared with this.
const LEAST: f64 = 1e-2;

/// Takes the first step of a training run, with fewer samples, on `engine` and in f64.
///
/// # Errors
/// The engine gives something else than the reference, or the device failed.
pub fn training(engine: &dyn Engine, model: &Model, plan: &TrainingPlan, data: &Points) -> Result<()> {
    let rows = data.count().min(ROWS) * data.dim();
    let data = Points::new(data.dim(), data.values()[..rows].to_vec());
    // without warm-up, so that the step's size is not 0
    let mut plan = TrainingPlan { batch: plan.batch.min(SAMPLES), steps: 1, ..plan.clone() };
    plan.optimizer.warmup = 0;
    let step = |engine: &dyn Engine| -> Result<(Vec<f64>, Vec<f64>)> {
        let mut training = engine.train(model, &plan, &data, TrainingState::start(model))?;
        let mut losses = Vec::new();
        while losses.is_empty() {
            losses.extend(training.advance(1)?.iter().map(|r| r.loss));
        }
        Ok((losses, training.state()?.first_moment))
    };
    let (want, expected) = step(&Reference::new()?)?;
    if !want.iter().chain(&expected).all(|v| v.is_finite()) {
        // the run itself will say where it diverges
        return Ok(());
    }
    let (got, moments) = step(engine)?;
    verdict(engine, &format!("the loss of {}", plan.objective.name()), &got, &want)?;
    verdict(engine, &format!("the gradient of {}", plan.objective.name()), &moments, &expected)
}

/// Moves the first chains a few steps on `engine` and in f64.
///
/// # Errors
/// As [`training`].
pub fn chains(
    engine: &dyn Engine,
    landscape: Landscape<'_>,
    transition: &Transition,
    start: &Points,
    seed: Seed,
) -> Result<()> {
    let columns = match transition {
        Transition::Hamiltonian(hamiltonian) => hamiltonian.replicas(),
        Transition::Langevin(_) => 1,
    };
    let kept = (start.count() / columns).min(SAMPLES) * columns * start.dim();
    let start = Points::new(start.dim(), start.values()[..kept].to_vec());
    let moved = |engine: &dyn Engine| -> Result<Points> {
        let mut chains = engine.chains(landscape, transition, &start, seed)?;
        advance_by(chains.as_mut(), CHAIN_STEPS)?;
        chains.positions()
    };
    let (want, got) = (moved(&Reference::new()?)?, moved(engine)?);
    if !want.values().iter().all(|v| v.is_finite()) {
        return Ok(());
    }
    verdict(engine, "the positions of chains", got.values(), want.values())
}

fn verdict(engine: &dyn Engine, what: &str, got: &[f64], want: &[f64]) -> Result<()> {
    let worst = worst(got, want, LEAST);
    if worst <= BOUND {
        return Ok(());
    }
    Err(Error::failed(format!(
        "{} computes wrongly: {what} differs from that in f64 by {worst:.1e} of its size, {BOUND:.0e} at most is rounding",
        engine.adapter()
    ))
    .hint("`ebm-gpu check` says which kernels are wrong; update the driver, or use --engine cpu"))
}
