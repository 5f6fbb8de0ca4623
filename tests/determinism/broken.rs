//! A run that breaks stays at its last good step.

use ebm_gpu::engine::{Engine, StepRecord, TrainingPlan, TrainingState};
use ebm_gpu::objective::{Contrastive, Objective, Replay, SeparableLaw};
use ebm_gpu::random::{Stream, pick};

use crate::common::{self, normal_points};
use crate::{GPU, contrasting, cpu, plan, start, train};

#[test]
fn a_run_that_breaks_stays_at_its_last_good_step() {
    let (rows, batch, steps) = (50, 4, 60);
    let plan = plan(batch, steps);
    let spoilt = 17;
    let drawn = |step: u64| {
        (0..batch).any(|s| pick(plan.seed.words(Stream::Batch, s as u32, step as u32, 0)[0], rows) == spoilt)
    };
    let good = (1..=steps).find(|step| drawn(*step)).expect("the row is drawn") - 1;
    assert!(good > 3, "some steps go well");
    let data = normal_points(rows as usize, 2, 69);
    for bad in [f64::from(f32::MAX), f64::NAN] {
        let mut broken = data.clone();
        broken.values_mut()[2 * spoilt as usize..][..2].fill(bad);
        for engine in [&cpu() as &dyn Engine, &*GPU] {
            let what = format!("{} with a row of {bad}", engine.name());
            let (records, state) = train(engine, &plan, &broken, start(), steps, steps);
            assert_eq!(records.len() as u64, good + 1, "{what}: the broken step is the last that is reported");
            assert!(records[..good as usize].iter().all(StepRecord::is_finite), "{what}");
            assert!(!records[good as usize].is_finite(), "{what}");
            let (_, want) = train(engine, &plan, &data, start(), good, good);
            assert!(state.parameters.iter().chain(&state.ema).all(|p| p.is_finite()), "{what}");
            assert!(state == want, "{what}");
        }
    }
}

#[test]
fn a_broken_run_by_contrast_stays_at_its_last_good_step() {
    let (rows, batch, steps) = (50, 4, 60);
    let spoilt = 17;
    let drawn = |step: u64| {
        (0..batch)
            .any(|s| pick(plan(batch, steps).seed.words(Stream::Batch, s as u32, step as u32, 0)[0], rows) == spoilt)
    };
    let good = (1..=steps).find(|step| drawn(*step)).expect("the row is drawn") - 1;
    let data = normal_points(rows as usize, 2, 72);
    let mut broken = data.clone();
    broken.values_mut()[2 * spoilt as usize..][..2].fill(f64::NAN);
    // each step of the chains a submission of its own
    let cut = common::gpu_with(0.1);
    for objective in contrasting() {
        let plan = TrainingPlan { objective, ..plan(batch, steps) };
        for engine in [&cpu() as &dyn Engine, &*GPU, &cut] {
            let what = format!("{} {}", engine.name(), plan.objective.name());
            let (records, state) = train(engine, &plan, &broken, start(), steps, steps);
            assert_eq!(records.len() as u64, good + 1, "{what}: the broken step is the last that is reported");
            let (_, want) = train(engine, &plan, &data, start(), good, good);
            assert!(state.parameters == want.parameters && state.ema == want.ema, "{what}");
            // persistent chains have made the move of the broken step, and no more
            let (_, next) = train(engine, &plan, &data, start(), good + 1, good + 1);
            assert!(state.replay == next.replay, "{what}: replay buffer");
        }
    }
}

/// All coordinates of it: where only some were left, a chain would go on from a place that it has never been at.
#[test]
fn a_chain_that_has_left_every_bound_keeps_its_place_in_the_buffer() {
    let (slots, lost) = (40_usize, 23_usize);
    let chains = Contrastive::new(2, 0.05, 0.1, 0.0).expect("numbers");
    let replay = Replay::new(slots, 0.0, SeparableLaw::isotropic(2, 1.0).expect("law")).expect("replay");
    let plan = TrainingPlan { objective: Objective::Pcd(chains, replay), ..plan(slots, 1) };
    let data = normal_points(50, 2, 74);
    let mut before = normal_points(slots, 2, 75);
    before.values_mut()[2 * lost] = f64::from(f32::MAX);
    for engine in [&cpu() as &dyn Engine, &*GPU] {
        let state = TrainingState { replay: Some(before.clone()), ..start() };
        let (_, state) = train(engine, &plan, &data, state, 1, 1);
        let after = state.replay.expect("buffer");
        for slot in 0..slots {
            let same = after.row(slot) == before.row(slot);
            assert_eq!(same, slot == lost, "{}: slot {slot} holds {:?}", engine.name(), after.row(slot));
        }
    }
}
