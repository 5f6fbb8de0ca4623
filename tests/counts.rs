//! What training and chains ask of a device, counted: few dispatches, and nothing made or waited for along the way.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{gpu, gpu_of, network, normal_points, portable_gpu};
use ebm_gpu::engine::gpu::kernel::Platform;
use ebm_gpu::engine::gpu::{Counts, GpuOptions};
use ebm_gpu::engine::{Engine, TrainingPlan, TrainingState};
use ebm_gpu::model::Activation;
use ebm_gpu::objective::{Contrastive, Denoising, Discrepancy, FdSsm, Objective, Replay, SeparableLaw, Weighting};
use ebm_gpu::optimizer::Optimizer;
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::{Hamiltonian, Langevin, Transition};

/// Nothing was made between two counts, and nothing was waited for but the ends of submissions.
fn nothing_is_made(what: &str, before: Counts, after: Counts) {
    let made = |c: Counts| (c.buffers, c.bytes, c.pipelines, c.bind_groups);
    assert_eq!(made(before), made(after), "{what}: made (buffers, bytes, pipelines, bind groups) after the first step");
    let (waits, submissions) = (after.waits - before.waits, after.submissions - before.submissions);
    // those of the first step that were in flight
    assert!(waits <= submissions + 2, "{what}: {waits} waits for {submissions} submissions");
}

#[test]
fn a_training_step_is_few_dispatches_and_makes_nothing() {
    let hardware = GpuOptions { platform: Some(Platform::Gpu), ..GpuOptions::default() };
    let engines = [portable_gpu(), gpu_of(hardware)];
    let noise = SeparableLaw::normal(vec![0.0; 2], vec![1.0; 2]).expect("law");
    let cd = Contrastive::new(3, 0.01, 0.0, 0.0).expect("numbers");
    let replay = Replay::new(64, 0.1, noise).expect("replay");
    let dsm = Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2).expect("sigma"));
    let [software, hardware] = &engines;
    for (engine, objective, net, dispatches) in [
        (software, dsm, "2-16-1", 3),
        (software, Objective::FdSsm(FdSsm::new(1, 0.5).expect("epsilon")), "2-16-1", 3),
        (software, Objective::Esm, "2-16-1", 3),
        // the tangents of a tile have several workgroups
        (hardware, Objective::Esm, "2-16-1", 4),
        // the basis of the first weights' rows changes with them
        (software, Objective::Esm, "24-8-1", 4),
        (hardware, Objective::Esm, "24-8-1", 4),
        (software, Objective::Ed(Discrepancy::new(1.0, 2, 1.0).expect("numbers")), "2-16-1", 3),
        (software, Objective::Pcd(cd, replay), "2-16-1", 4),
    ] {
        let what = format!("{} of {net}", objective.name());
        let model = network(net, Activation::Silu, 3);
        let optimizer = Optimizer { clip: 1.0, ..Optimizer::adam(1e-3) };
        let plan = TrainingPlan { objective, batch: 40, optimizer, steps: 1000, seed: Seed(1) };
        let data = normal_points(50, model.spec.dim(), 2);
        let mut training = engine.train(&model, &plan, &data, TrainingState::start(&model)).expect("it trains");
        let mut done = training.advance(1).expect("a step").len();
        // the first step takes a driver that compiles long enough to be cut, and where chains make negatives so may the next
        for tries in (0..4).rev() {
            let (before, until) = (engine.gpu().counts(), done + 11);
            while done < until {
                done += training.advance(until as u64).expect("steps").len();
            }
            let after = engine.gpu().counts();
            nothing_is_made(&what, before, after);
            let taken = after.dispatches - before.dispatches;
            if taken == 11 * dispatches {
                break;
            }
            assert!(
                tries > 0 && taken > 11 * dispatches,
                "{what}: {taken} dispatches of 11 steps, not {dispatches} each"
            );
        }
    }
}

/// What the device cannot bind is refused before there is more on it than the network.
#[test]
fn what_does_not_fit_is_refused_before_it_is_made() {
    let most = 1 << 20;
    let engine = common::gpu_of_bindings(most);
    let model = network("2-16-1", Activation::Silu, 3);
    let data = normal_points(200_000, 2, 4);
    let dsm = Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2).expect("sigma"));
    let ed = Objective::Ed(Discrepancy::new(1.0, 2, 1.0).expect("numbers"));
    let told = |error: String| assert!(error.contains(" bytes") && error.contains(&most.to_string()), "{error}");
    for objective in [dsm, ed] {
        let plan =
            TrainingPlan { objective, batch: 200_000, optimizer: Optimizer::adam(1e-3), steps: 10, seed: Seed(1) };
        told(engine.train(&model, &plan, &data, TrainingState::start(&model)).err().expect("refused").to_string());
    }
    // many chains go in groups, but all replicas of one are in the same
    let wide = network("65536-1-1", Activation::Silu, 3);
    let replicas = vec![5.0, 4.0, 3.0, 2.0, 1.0];
    let tempering = Hamiltonian::new(0.1, 1, 1.0).expect("numbers").at(replicas, 1).expect("temperatures");
    let start = normal_points(5, 65_536, 5);
    told(engine.chains((&wide).into(), &tempering.into(), &start, Seed(1)).err().expect("refused").to_string());
    let made = engine.gpu().counts().bytes;
    assert!(made < 1 << 14, "{made} bytes were made");
}

#[test]
fn many_steps_of_chains_are_one_dispatch_and_make_nothing() {
    let engine = gpu();
    let model = network("2-16-1", Activation::Silu, 3);
    let langevin: Transition = Langevin::new(0.01, 1.0).expect("numbers").into();
    let hamiltonian: Transition = Hamiltonian::new(0.1, 3, 1.0).expect("numbers").into();
    for (what, transition) in [("langevin", langevin), ("hamiltonian", hamiltonian)] {
        let start = normal_points(40, 2, 2);
        let mut chains = engine.chains((&model).into(), &transition, &start, Seed(1)).expect("chains");
        // the size of submissions doubles from one step on
        let mut steps = chains.advance(1).expect("a step");
        let before = engine.gpu().counts();
        let mut most = 0;
        let mut turns = 0;
        while steps < 100 {
            let done = chains.advance(100 - steps).expect("steps");
            (most, turns, steps) = (most.max(done), turns + 1, steps + done);
        }
        let after = engine.gpu().counts();
        assert!(most >= 8, "{what}: at most {most} steps at once");
        assert_eq!(after.dispatches - before.dispatches, turns, "{what}: one dispatch whatever its steps");
        nothing_is_made(what, before, after);
    }
}
