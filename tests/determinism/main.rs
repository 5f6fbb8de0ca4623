//! The same numbers whatever the cut of the work: chains, threads, calls, submissions, resumption; and ten stored steps.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod broken;
mod chains;
#[path = "../common/mod.rs"]
mod common;
mod resumption;
mod stored;
mod submissions;
mod threads;

use common::{gpu, network};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::gpu::GpuEngine;
use ebm_gpu::engine::{Engine, StepRecord, TrainingPlan, TrainingState};
use ebm_gpu::model::{Activation, Model};
use ebm_gpu::objective::{
    Contrastive, Denoising, Discrepancy, NoiseContrastive, Objective, Replay, SeparableLaw, Weighting,
};
use ebm_gpu::optimizer::{Optimizer, Schedule};
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;

/// One device for all tests of this program, since drivers take seconds to compile a kernel.
static GPU: std::sync::LazyLock<GpuEngine> = std::sync::LazyLock::new(gpu);

fn cpu() -> Cpu {
    Cpu::new().expect("threads")
}

fn reference() -> Reference {
    Reference::new().expect("threads")
}

/// Twice as large weights again: scores of size 1.
fn model() -> Model {
    let mut model = network("2-7-5-1", Activation::Silu, 61);
    model.parameters.iter_mut().for_each(|p| *p *= 2.0);
    model
}

fn plan(batch: usize, steps: u64) -> TrainingPlan {
    TrainingPlan {
        objective: Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2).expect("sigma")),
        batch,
        optimizer: Optimizer {
            schedule: Schedule::Cosine,
            warmup: 2,
            weight_decay: 0.01,
            clip: 0.3,
            ema: 0.9,
            ..Optimizer::adam(0.03)
        },
        steps,
        seed: Seed(62),
    }
}

/// Trains from `state`, asking for at most `piece` further steps at a time.
fn train(
    engine: &dyn Engine,
    plan: &TrainingPlan,
    data: &Points,
    state: TrainingState,
    until: u64,
    piece: u64,
) -> (Vec<StepRecord>, TrainingState) {
    train_model(engine, &model(), plan, data, state, until, piece)
}

/// The same of any network.
fn train_model(
    engine: &dyn Engine,
    model: &Model,
    plan: &TrainingPlan,
    data: &Points,
    state: TrainingState,
    until: u64,
    piece: u64,
) -> (Vec<StepRecord>, TrainingState) {
    let first = state.step;
    let mut training = engine.train(model, plan, data, state).expect("plan");
    let mut records: Vec<StepRecord> = Vec::new();
    loop {
        let done = first + records.len() as u64;
        let halted = records.last().is_some_and(|r| !r.is_finite());
        if done >= until || halted {
            break;
        }
        records.extend(training.advance(until.min(done + piece)).expect("steps"));
    }
    let again = training.advance(until).expect("steps");
    assert!(again.is_empty(), "nothing was left to do, but {again:?} came");
    let state = training.state().expect("state");
    assert!(records.iter().map(|r| r.step).eq(first + 1..first + 1 + records.len() as u64), "records out of order");
    (records, state)
}

fn start() -> TrainingState {
    TrainingState::start(&model())
}

/// Every way of making negatives.
fn contrasting() -> [Objective; 4] {
    let chains = |noise| Contrastive::new(4, 0.05, 0.1, noise).expect("numbers");
    let law = SeparableLaw::isotropic(2, 1.5).expect("law");
    let replay = Replay::new(90, 0.2, law.clone()).expect("replay");
    [
        Objective::Cd(chains(0.1)),
        Objective::Pcd(chains(0.0), replay),
        Objective::Ed(Discrepancy::new(0.5, 5, 1.0).expect("numbers")),
        Objective::Nce(NoiseContrastive::new(3, law).expect("negatives")),
    ]
}
