//! The same numbers whatever the cut of the work: chains, threads, calls, submissions, resumption; and ten stored steps.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{gpu, network, network_of, normal_points, scale, worst};
use ebm_gpu::engine::cpu::{Cpu, Native, Reference};
use ebm_gpu::engine::gpu::GpuEngine;
use ebm_gpu::engine::{Engine, StepRecord, TrainingPlan, TrainingState, advance_by};
use ebm_gpu::error::Result;
use ebm_gpu::eval::{Health, Validation};
use ebm_gpu::model::{Activation, Conditioning, Head, Model};
use ebm_gpu::objective::{
    Contrastive, Denoising, Discrepancy, FdSsm, Ladder, NoiseContrastive, Objective, ProbeLaw, Probes, Replay,
    SeparableLaw, Weighting,
};
use ebm_gpu::optimizer::{Optimizer, Schedule};
use ebm_gpu::points::Points;
use ebm_gpu::random::{Seed, Stream, pick};
use ebm_gpu::sampler::{Adaptation, Bounds, Hamiltonian, Langevin, Transition, Wall};
use ebm_gpu::train::{
    EarlyStopping, Pauses, Progress, Watch, read_progress, train as train_to_the_end, write_progress,
};

/// One device for all tests of this file, since drivers take seconds to compile a kernel.
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

fn move_chains(engine: &dyn Engine, model: &Model, count: usize, pieces: &[u64]) -> Points {
    let d = model.spec.dim();
    let start = Points::new(d, normal_points(300, d, 63).values()[..d * count].to_vec());
    let sampler = Langevin::new(0.1, 0.8).expect("sampler");
    let mut chains = engine.chains(model.into(), &sampler.into(), &start, Seed(64)).expect("chains");
    for piece in pieces {
        let mut left = *piece;
        while left > 0 {
            left -= chains.advance(left).expect("steps");
        }
    }
    chains.positions().expect("positions")
}

fn chain_by_chain(engine: &dyn Engine, model: &Model) {
    let all = move_chains(engine, model, 300, &[25]);
    assert!(all.row(0) != all.row(1), "chains draw noise of their own");
    // one chain alone, one more than a tile, and tiles that are not full
    for count in [1, 2, 31, 32, 33, 128, 129, 257] {
        let some = move_chains(engine, model, count, &[25]);
        let first = some.rows().zip(all.rows()).position(|(a, b)| a != b);
        assert_eq!(first, None, "{} {}: the first chain that differs among {count}", engine.name(), model.spec);
    }
    assert!(move_chains(engine, model, 300, &[1, 2, 9, 13]) == all, "{} in pieces", engine.name());
}

#[test]
fn a_chain_does_not_depend_on_the_others_or_on_pieces() {
    for net in ["2-7-5-1", "2-64-64-1", "5-33-100-1"] {
        let model = network(net, Activation::Silu, 61);
        chain_by_chain(&reference(), &model);
        chain_by_chain(&cpu(), &model);
    }
    chain_by_chain(&*GPU, &model());
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let data = normal_points(50, 2, 65);
    // 1500 samples are 24 tiles in 16 groups
    let plan = plan(1500, 20);
    let [one, three] = [1, 3].map(|threads| Native::<f32>::with_threads(threads).expect("threads"));
    let results = [&one, &three].map(|engine| train(engine, &plan, &data, start(), 20, 20));
    assert!(results[0] == results[1], "training");
    assert!(move_chains(&one, &model(), 300, &[25]) == move_chains(&three, &model(), 300, &[25]), "chains");
}

/// Objectives that match scores, each with a network of every kind that it is for.
fn matching() -> Vec<(Objective, Model)> {
    let probes = Probes::new(2, ProbeLaw::Rademacher).expect("probes");
    let ladder = Ladder::geometric(1.0, 0.1, 5).expect("ladder");
    let mdsm = Objective::Denoising(Denoising { ladder, weighting: Weighting::SIGMA2 });
    let of = |net, head, conditioning| network_of(net, Activation::Silu, head, conditioning, 61);
    let energy = |net| of(net, Head::Energy, Conditioning::None);
    let field = |net| of(net, Head::Score, Conditioning::None);
    vec![
        // along the axes, and along a basis of the first weights
        (Objective::Esm, energy("6-7-5-1")),
        (Objective::Esm, energy("6-4-5-1")),
        (Objective::Esm, field("6-7-5-6")),
        (Objective::Ssm(probes), energy("6-7-5-1")),
        (Objective::Ssm(probes), field("6-7-5-6")),
        (Objective::SsmVr(probes), energy("6-7-5-1")),
        (Objective::SsmVr(probes), field("6-7-5-6")),
        (Objective::FdSsm(FdSsm::new(2, 0.1).expect("epsilon")), energy("6-7-5-1")),
        (mdsm.clone(), of("6-7-5-1", Head::Energy, Conditioning::Concat)),
        (mdsm, of("6-7-5-6", Head::Score, Conditioning::Scale)),
    ]
}

#[test]
fn the_number_of_threads_changes_no_matching() {
    let data = normal_points(50, 6, 92);
    let [one, three] = [1, 3].map(|threads| Native::<f32>::with_threads(threads).expect("threads"));
    for (objective, model) in matching() {
        // some tiles, and a last one that is not full
        let plan = TrainingPlan { objective, ..plan(700, 8) };
        let start = TrainingState::start(&model);
        let results = [&one, &three].map(|engine| train_model(engine, &model, &plan, &data, start.clone(), 8, 8));
        let what = format!("{} {} {}", plan.objective.name(), model.spec.head().name(), model.spec);
        assert!(results[0].1.parameters != start.parameters, "{what} did train");
        assert!(results[0] == results[1], "{what}");
    }
}

/// Chains that accept or refuse: plain, adapting in a box, and at several temperatures.
#[test]
fn the_number_of_threads_changes_no_hamiltonian_chains() {
    let plain = Hamiltonian::new(0.3, 3, 0.8).expect("sampler");
    let bounds = Some(Bounds::new(-2.0, 2.0, Wall::Reflect).expect("box"));
    let adapting = Hamiltonian { adaptation: Some(Adaptation { target: 0.8 }), ..plain.clone() };
    let boxed = adapting.within(bounds).expect("mirrors");
    let tempered = plain.clone().at(vec![3.0, 1.5, 0.8], 2).expect("temperatures");
    let start = normal_points(300, 2, 93);
    let [one, three] = [1, 3].map(|threads| Native::<f32>::with_threads(threads).expect("threads"));
    for transition in [plain, boxed, tempered].map(Transition::from) {
        let results = [&one, &three].map(|engine| {
            let landscape = model();
            let mut chains = engine.chains((&landscape).into(), &transition, &start, Seed(94)).expect("chains");
            advance_by(chains.as_mut(), 20).expect("steps");
            (chains.moments().expect("moments"), chains.fares().expect("fares"), chains.state().expect("state"))
        });
        let accepted = results[0].1.acceptance.as_ref().is_some_and(|all| all.iter().sum::<f64>() > 0.0);
        assert!(accepted, "{transition:?} moves");
        assert!(results[0] == results[1], "{transition:?}");
    }
}

#[test]
fn pieces_and_resumption_change_nothing() {
    let data = normal_points(50, 2, 66);
    let plan = plan(70, 40);
    for engine in [&reference() as &dyn Engine, &cpu(), &*GPU] {
        let name = engine.name();
        let (records, state) = train(engine, &plan, &data, start(), 40, 40);
        assert_eq!((records.len(), state.step), (40, 40), "{name}");
        assert!(state.parameters != start().parameters && state.ema != state.parameters, "{name} did train");
        for piece in [1, 3, 7] {
            let (more, again) = train(engine, &plan, &data, start(), 40, piece);
            assert!(more == records && again == state, "{name} differs in pieces of {piece}");
        }
        let (_, half) = train(engine, &plan, &data, start(), 17, 40);
        let (rest, resumed) = train(engine, &plan, &data, half, 40, 40);
        assert!(rest == records[17..] && resumed == state, "{name} differs when resumed");
    }
}

#[test]
fn the_size_of_submissions_changes_nothing() {
    let data = normal_points(50, 2, 67);
    // more steps than a ring of 512 slots holds twice over
    let results = [500.0, 0.5]
        .map(|max_submit_ms| train(&common::gpu_with(max_submit_ms), &plan(5, 1100), &data, start(), 1100, 1100));
    assert!(results[0] == results[1]);
    assert_eq!(results[0].1.step, 1100);
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

#[test]
fn pieces_and_resumption_change_no_negatives() {
    let data = normal_points(50, 2, 70);
    for objective in contrasting() {
        let plan = TrainingPlan { objective, ..plan(70, 12) };
        for engine in [&reference() as &dyn Engine, &cpu(), &*GPU] {
            let name = format!("{} {}", engine.name(), plan.objective.name());
            let (records, state) = train(engine, &plan, &data, start(), 12, 12);
            assert!(state.parameters != start().parameters, "{name} did train");
            assert_eq!(state.replay.is_some(), plan.objective.name() == "pcd");
            let (more, again) = train(engine, &plan, &data, start(), 12, 5);
            assert!(more == records && again == state, "{name} differs in pieces of 5");
            let (_, half) = train(engine, &plan, &data, start(), 7, 12);
            let (rest, resumed) = train(engine, &plan, &data, half, 12, 12);
            assert!(rest == records[7..] && resumed == state, "{name} differs when resumed");
        }
    }
}

#[test]
fn data_beyond_a_binding_are_sent_batch_by_batch() {
    // 1.6 MB of data, in bindings of 1 MiB of which each half has room for 128 steps
    let data = normal_points(200_000, 2, 91);
    let small = common::gpu_of_bindings(1 << 20);
    let [cd, pcd, ed, _] = contrasting();
    for (objective, batch, steps) in [(plan(1, 1).objective, 256, 600), (cd, 256, 20), (pcd, 64, 20), (ed, 256, 20)] {
        let plan = TrainingPlan { objective, ..plan(batch, steps) };
        let want = train(&*GPU, &plan, &data, start(), steps, steps);
        let got = train(&small, &plan, &data, start(), steps, steps);
        assert!(got == want, "{}", plan.objective.name());
    }
    // where not even a batch fits, both numbers are told
    let plan = plan(200_000, 3);
    let error = small.train(&model(), &plan, &data, start()).err().expect("refused").to_string();
    // with the guard band of a checked device
    assert!(error.contains("data takes 1601024 bytes") && error.contains("at most 1048576"), "{error}");
}

/// Wants a checkpoint some calls after the last, and keeps them all.
#[derive(Default)]
struct Saving {
    steps: Vec<StepRecord>,
    looks: Vec<(u64, f64)>,
    checkpoints: Vec<Progress>,
    calls: std::cell::Cell<u32>,
}

impl Watch for Saving {
    fn steps(&mut self, records: &[StepRecord]) -> Result<()> {
        self.steps.extend_from_slice(records);
        Ok(())
    }

    fn checkpoint(&mut self, progress: &Progress, _: &Model) -> Result<()> {
        let told = self.steps.last().map_or(0, |record| record.step);
        assert!(told == 0 || told == progress.history.steps(), "step {told} of {} was told", progress.history.steps());
        assert!(self.steps.windows(2).all(|two| two[0].step + 1 == two[1].step), "steps were not told");
        self.checkpoints.push(progress.clone());
        self.calls.set(0);
        Ok(())
    }

    fn validated(&mut self, step: u64, loss: f64) -> Result<()> {
        self.looks.push((step, loss));
        Ok(())
    }

    fn health(&mut self, _: &Health) -> Result<()> {
        Ok(())
    }

    fn wants_checkpoint(&self) -> bool {
        self.calls.set(self.calls.get() + 1);
        self.calls.get() > 2
    }
}

/// Early stopping, replay buffers and all, at whatever step and through a file.
#[test]
fn a_run_goes_on_from_any_checkpoint() {
    let folder = std::env::temp_dir().join(format!("ebm-gpu-determinism-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let path = folder.join("p.safetensors");
    let data = normal_points(50, 2, 73);
    let [_, pcd, _, _] = contrasting();
    for objective in [pcd, plan(1, 1).objective] {
        let validation =
            Validation::new(&objective, &model().spec, &normal_points(9, 2, 74), Seed(75)).expect("points");
        // a learning rate that soon makes nothing better
        let plan = TrainingPlan {
            objective,
            optimizer: Optimizer { learning_rate: 0.3, ..plan(8, 90).optimizer },
            ..plan(8, 90)
        };
        let stopping = Some(EarlyStopping { validation: &validation, every: 4, patience: 5 });
        for engine in [&reference() as &dyn Engine, &cpu(), &*GPU] {
            let name = format!("{} {}", engine.name(), plan.objective.name());
            let go = |progress: Progress, checkpoints: u64, watch: &mut Saving| {
                let pauses = Pauses { checkpoints, stopping };
                train_to_the_end(engine, &model(), &plan, &data, progress, pauses, watch).expect("steps")
            };
            let mut whole = Saving::default();
            let want = go(Progress::start(&model()), 13, &mut whole);
            assert!(want.progress.state.step < 90, "{name}: patience ends it");
            assert!(
                want.best().is_some_and(|best| best.step > 0 && best.step + 20 == want.progress.state.step),
                "{name}"
            );
            assert!(whole.checkpoints.len() > 3, "{name}: {}", whole.checkpoints.len());
            let end = whole.checkpoints.last().expect("the end").state.step;
            assert_eq!(end, want.progress.state.step, "{name}: the end is saved");
            for checkpoint in whole.checkpoints {
                let step = checkpoint.state.step;
                write_progress(&path, &model(), &checkpoint, &[]).expect("written");
                let (read, _, _) = read_progress(&path).expect("readable").expect("whole");
                assert!(read == checkpoint, "{name} {step}");
                let mut rest = Saving::default();
                let got = go(read, 0, &mut rest);
                assert!(
                    got.model == want.model && got.progress.state == want.progress.state,
                    "{name} from step {step}"
                );
                assert!(got.progress.history == want.progress.history, "{name} {step}");
                assert!(got.progress.looks == want.progress.looks, "{name} {step}");
                let later: Vec<_> = whole.looks.iter().copied().filter(|(of, _)| *of > step).collect();
                assert_eq!(rest.looks, later, "{name} {step}");
                assert!(got.progress.seconds > checkpoint.seconds || step == end, "{name} {step}");
            }
        }
    }
    std::fs::remove_dir_all(folder).expect("removable");
}

#[test]
fn threads_and_submissions_change_no_negatives() {
    let data = normal_points(50, 2, 71);
    let [one, three] = [1, 3].map(|threads| Native::<f32>::with_threads(threads).expect("threads"));
    for objective in contrasting() {
        let plan = TrainingPlan { objective, ..plan(77, 15) };
        let results = [&one, &three].map(|engine| train(engine, &plan, &data, start(), 15, 15));
        assert!(results[0] == results[1], "threads, {}", plan.objective.name());
    }
    let [.., pcd, _, _] = contrasting();
    let plan = TrainingPlan { objective: pcd, ..plan(33, 40) };
    let results =
        [500.0, 0.5].map(|max_submit_ms| train(&common::gpu_with(max_submit_ms), &plan, &data, start(), 40, 40));
    assert!(results[0] == results[1], "submissions");
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
    for objective in contrasting() {
        let plan = TrainingPlan { objective, ..plan(batch, steps) };
        for engine in [&cpu() as &dyn Engine, &*GPU] {
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

/// Loss and gradient norm of ten steps of the reference. After a change that is meant to change them, run
/// `cargo test --release --test determinism ten_steps -- --nocapture` and take what it prints.
const TEN_STEPS: [[f64; 2]; 10] = [
    [1.097_282_417_450_592_2, 0.396_749_139_775_553_7],
    [1.115_177_919_663_942_9, 0.487_524_720_768_166_33],
    [1.053_232_230_672_921_6, 0.331_397_010_682_494_16],
    [1.114_298_346_801_370_5, 0.226_333_387_336_747_65],
    [1.001_885_544_779_62, 0.277_841_820_649_145_7],
    [1.054_767_021_484_905_2, 0.232_860_062_328_243_4],
    [0.887_049_433_663_367, 0.171_971_010_127_557_97],
    [1.221_384_577_708_413_8, 0.267_869_215_483_897_75],
    [1.406_779_205_828_233, 0.326_665_836_064_548_35],
    [0.870_941_754_687_119_4, 0.245_521_000_056_963_7],
];

#[test]
fn ten_steps_are_the_stored_ones_on_every_engine() {
    let data = normal_points(50, 2, 68);
    let plan = plan(40, 10);
    let (records, want_state) = train(&reference(), &plan, &data, start(), 10, 10);
    records.iter().for_each(|r| println!("    [{:?}, {:?}],", r.loss, r.gradient_norm));
    let flat = |records: &[StepRecord]| records.iter().flat_map(|r| [r.loss, r.gradient_norm]).collect::<Vec<_>>();
    // libraries of elementary functions and products differ in the last place
    assert!(worst(&flat(&records), TEN_STEPS.as_flattened(), 1e-9, 0.0) <= 1.0, "reference");
    for engine in [&cpu() as &dyn Engine, &*GPU] {
        let (records, state) = train(engine, &plan, &data, start(), 10, 10);
        // sums of 40 samples in f32 from normals good to 1.2e-6
        assert!(worst(&flat(&records), TEN_STEPS.as_flattened(), 2e-6, 0.0) <= 1.0, "{}", engine.name());
        for (got, want) in [
            (&state.parameters, &want_state.parameters),
            (&state.ema, &want_state.ema),
            (&state.first_moment, &want_state.first_moment),
            (&state.second_moment, &want_state.second_moment),
        ] {
            // m / sqrt(v) of the smallest gradients keeps their relative error
            assert!(worst(got, want, 0.0, 1e-5 * scale(want)) <= 1.0, "state of {}", engine.name());
        }
    }
}

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
