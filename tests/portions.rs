//! Steps that are too long for one submission go in portions of their tiles: the same numbers, within the time that was asked
//! for.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{gpu_of, network, normal_points};
use ebm_gpu::engine::gpu::kernel::Platform;
use ebm_gpu::engine::gpu::{Counts, GpuEngine, GpuOptions};
use ebm_gpu::engine::{ChainState, Engine, StepRecord, TrainingPlan, TrainingState, advance_by};
use ebm_gpu::model::Activation;
use ebm_gpu::objective::{Contrastive, Denoising, Discrepancy, FdSsm, Objective, Replay, SeparableLaw, Weighting};
use ebm_gpu::optimizer::Optimizer;
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::{Hamiltonian, Langevin, Transition};
use ebm_gpu::target::Target;

/// Seven tiles among three workgroups; at most so many milliseconds and at least so many tiles in a submission.
fn engine(max_submit_ms: f64, fewest: u32) -> GpuEngine {
    gpu_of(GpuOptions { max_submit_ms, fewest_tiles: Some(fewest), most_workgroups: 3, ..Default::default() })
}

const SAMPLES: usize = 200;
const TILES: u64 = 7;

/// What `done` gives: in as many portions as there are tiles, with submissions as short as can be; in portions of all
/// workgroups, of which there are three; and with all time. Each with the submissions that it took.
fn thrice<T>(done: impl Fn(&GpuEngine) -> T) -> [(T, u64); 3] {
    [(0.1, 1), (0.1, 1000), (500.0, 1)].map(|(max_submit_ms, fewest)| {
        let engine = engine(max_submit_ms, fewest);
        let result = done(&engine);
        let Counts { submissions, .. } = engine.gpu().counts();
        (result, submissions)
    })
}

/// What is cut is in at least so many submissions a step, `dispatches` for each of its tiles or of its portions; where there is
/// time, no step is but the first.
fn counted(what: &str, steps: u64, tiles: u64, dispatches: u64, [tile_by_tile, by_portions, whole]: [u64; 3]) {
    // what is read back at the end, and the first two steps, of which nothing is known yet
    let beside = 8;
    assert!(tile_by_tile >= (steps - 2) * tiles * dispatches, "{what}: {tile_by_tile} submissions tile by tile");
    assert!(
        by_portions >= (steps - 2) * tiles.div_ceil(3) * dispatches,
        "{what}: {by_portions} submissions by portions"
    );
    assert!(whole <= steps + tiles * dispatches + beside, "{what}: {whole} submissions where there is time");
}

fn trained(
    engine: &GpuEngine,
    objective: &Objective,
    net: &str,
    batch: usize,
    steps: u64,
) -> (Vec<StepRecord>, TrainingState, Option<Points>) {
    let model = network(net, Activation::Silu, 3);
    let optimizer = Optimizer { clip: 1.0, ..Optimizer::adam(1e-2) };
    let plan = TrainingPlan { objective: objective.clone(), batch, optimizer, steps, seed: Seed(1) };
    let data = normal_points(50, model.spec.dim(), 2);
    let mut training = engine.train(&model, &plan, &data, TrainingState::start(&model)).expect("it trains");
    let mut records = Vec::new();
    while (records.len() as u64) < steps {
        records.extend(training.advance(steps).expect("steps"));
    }
    assert!(records.iter().all(|r| r.is_finite()), "{records:?}");
    let state = training.state().expect("state");
    (records, state, training.negatives().expect("negatives"))
}

#[test]
fn training_in_portions_is_training() {
    let law = SeparableLaw::normal(vec![0.0; 2], vec![1.0; 2]).expect("law");
    let cd = |steps| Contrastive::new(steps, 0.01, 0.0, 0.0).expect("numbers");
    let dsm = Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2).expect("sigma"));
    let steps = 8;
    // a tile of negatives ends with each of its k steps; the last has a single tile
    for (objective, net, batch, dispatches) in [
        (dsm, "2-16-1", SAMPLES, 1),
        (Objective::FdSsm(FdSsm::new(1, 0.5).expect("epsilon")), "2-16-1", SAMPLES, 1),
        // whose basis is computed anew before the first portion
        (Objective::Esm, "24-8-1", SAMPLES, 1),
        (Objective::Ed(Discrepancy::new(1.0, 2, 1.0).expect("numbers")), "2-16-1", SAMPLES, 1),
        (Objective::Cd(cd(4)), "2-16-1", SAMPLES, 1 + 4),
        (Objective::Pcd(cd(4), Replay::new(300, 0.1, law).expect("replay")), "2-16-1", SAMPLES, 1 + 4),
        (Objective::Cd(cd(30)), "2-16-1", 20, 1 + 30),
    ] {
        let name = objective.name();
        let [(tiles, a), (portions, b), (all, c)] = thrice(|engine| trained(engine, &objective, net, batch, steps));
        counted(name, steps, if batch == SAMPLES { TILES } else { 1 }, dispatches, [a, b, c]);
        assert!(tiles == all && portions == all, "{name}: records, state or negatives");
    }
}

/// Each tile has a workgroup for each of its tangents, and those end before what they made is added up.
#[test]
fn split_tangents_in_portions_are_training() {
    let [some, all] = [0.1, 500.0].map(|max_submit_ms| {
        let options = GpuOptions { platform: Some(Platform::Gpu), ..GpuOptions::default() };
        let engine = gpu_of(GpuOptions { max_submit_ms, fewest_tiles: Some(30), ..options });
        let (records, state, _) = trained(&engine, &Objective::Esm, "4-16-1", SAMPLES, 12);
        ((records, state), engine.gpu().counts().submissions)
    });
    // 25 tiles of 8 samples, 100 workgroups: four portions a step once it is known to be long, which end within a tile; a busy
    // machine may cut the steps of the other engine too
    assert!(some.1 >= (12 - 2) * 4, "{} submissions, {} where there is time", some.1, all.1);
    assert!(some.0 == all.0);
}

fn moved(engine: &GpuEngine, transition: &Transition, count: usize, steps: u64) -> ChainState {
    let start = normal_points(count, 2, 5);
    let target = Target::by_name("gmm", None).expect("target");
    let mut chains = engine.chains((&target).into(), transition, &start, Seed(1)).expect("chains");
    advance_by(chains.as_mut(), steps).expect("steps");
    chains.state().expect("state")
}

#[test]
fn chains_in_portions_are_chains() {
    let langevin: Transition = Langevin::new(0.01, 1.0).expect("numbers").into();
    let hmc = Hamiltonian::new(0.1, 3, 1.0).expect("numbers");
    let steps = 8;
    // a tile of chains on a target has 256 of them; the exchanges of tempering come behind the last portion of a step
    let tempering = Hamiltonian { temperatures: vec![4.0, 2.0, 1.0], swap_every: 2, ..hmc.clone() };
    for (what, transition, count) in
        [("ula", langevin, 1700), ("hmc", hmc.into(), 1700), ("tempering", tempering.into(), 1701)]
    {
        let [(tiles, a), (portions, b), (all, c)] = thrice(|engine| moved(engine, &transition, count, steps));
        counted(what, steps, TILES, 1, [a, b, c]);
        for some in [tiles, portions] {
            assert!(some.positions == all.positions, "{what}: positions");
            assert_eq!((some.step, &some.exchanges), (all.step, &all.exchanges), "{what}: exchanges");
            assert!(some.standings == all.standings, "{what}: how chains stand");
        }
    }
}

/// More steps than are summed at a time: at once, and a fifth of them a report.
#[test]
fn acceptances_of_many_steps_are_all_counted() {
    let engine = engine(100.0, 1);
    let transition = Transition::from(Hamiltonian::new(1.2, 1, 1.0).expect("numbers"));
    let target = Target::by_name("gaussian", None).expect("a target");
    let start = normal_points(40, 2, 6);
    let chains = || engine.chains((&target).into(), &transition, &start, Seed(2)).expect("chains");
    let mut at_once = chains();
    advance_by(at_once.as_mut(), 10_000).expect("steps");
    let moments = at_once.moments().expect("moments").acceptance.expect("an acceptance");
    let all = at_once.fares().expect("fares").acceptance.expect("acceptances");
    let mut in_parts = chains();
    let mut sums = vec![0.0; all.len()];
    for _ in 0..5 {
        advance_by(in_parts.as_mut(), 2000).expect("steps");
        let some = in_parts.fares().expect("fares").acceptance.expect("acceptances");
        sums.iter_mut().zip(some).for_each(|(sum, some)| *sum += some / 5.0);
    }
    for (i, (all, sum)) in all.iter().zip(&sums).enumerate() {
        assert!((all - sum).abs() < 1e-6 && *all > 0.5 && *all < 0.99, "chain {i}: {all}, in parts {sum}");
    }
    let mean = sums.iter().sum::<f64>() / sums.len() as f64;
    assert!((moments - mean).abs() < 1e-6, "{moments}, {mean}");
}
