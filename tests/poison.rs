//! NaN, infinities and huge numbers in one sample, chain or weight: its neighbours stay as they are, bit for bit, and what
//! comes of it is right or not finite, which is what a run looks for.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{gpu, network, normal_points, scale};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::{Engine, Given, Landscape, advance_by};
use ebm_gpu::model::{Activation, Model};
use ebm_gpu::objective::{
    Contrastive, Denoising, Discrepancy, FdSsm, NoiseContrastive, Objective, ProbeLaw, Probes, SeparableLaw, Weighting,
};
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::{Hamiltonian, Langevin, Transition};
use ebm_gpu::target::Target;

/// More than a tile, and a sample in the middle of one.
const SAMPLES: usize = 40;
const BAD: usize = 17;
const DIM: usize = 3;
/// Not numbers; then numbers whose squares, or products with weights, are not numbers of f32; and one below the normal ones.
const POISON: [f64; 6] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 3e38, -1e38, 1e-40];

fn engines() -> [Box<dyn Engine>; 2] {
    [Box::new(Cpu::new().expect("threads")), Box::new(gpu())]
}

fn spoilt(points: &Points, row: usize, value: f64) -> Points {
    let mut points = points.clone();
    let dim = points.dim();
    points.values_mut()[row * dim + 1] = f64::from(value as f32);
    points
}

/// `got`, `each` numbers of a sample, against what comes of clean points; of the bad sample against the reference, where
/// rounding errors are of the size of the terms.
fn assert_contained(what: &str, poison: f64, each: usize, terms: f64, [got, clean, reference]: [&[f64]; 3]) {
    let bad = BAD * each..(BAD + 1) * each;
    for (i, (g, w)) in got.iter().zip(clean).enumerate().filter(|(i, _)| !bad.contains(i)) {
        assert!(g.to_bits() == w.to_bits(), "{what}: {poison} in sample {BAD} makes {g} of {w} at {i}");
    }
    let (got, want) = (&got[bad.clone()], &reference[bad]);
    let right = |(g, w): (&f64, &f64)| (g - w).abs() <= 1e-4 * scale(want).max(terms);
    let whole = !poison.is_nan() && got.iter().zip(want).all(right);
    assert!(whole || got.iter().any(|g| !g.is_finite()), "{what}: {poison} passes for {got:?}, not {want:?}");
}

#[test]
fn energies_and_scores_of_a_bad_point_are_its_own() {
    let reference = Reference::new().expect("threads");
    let points = normal_points(SAMPLES, DIM, 91);
    for (engine, activation) in engines().iter().flat_map(|e| Activation::ALL.map(|a| (e, a))) {
        let model = network("3-33-9-1", activation, 92);
        let energies = |e: &dyn Engine, at: &Points| e.energy(&model, at).expect("energy");
        let scores = |e: &dyn Engine, at: &Points| e.score(&model, at).expect("score").values().to_vec();
        for poison in POISON {
            let bad = spoilt(&points, BAD, poison);
            let what = format!("{} {}", engine.name(), activation.name());
            let of = |of: &dyn Fn(&dyn Engine, &Points) -> Vec<f64>| {
                [of(engine.as_ref(), &bad), of(engine.as_ref(), &points), of(&reference, &bad)]
            };
            let [got, clean, want] = of(&energies);
            assert_contained(&format!("{what} energy"), poison, 1, 0.0, [&got, &clean, &want]);
            let [got, clean, want] = of(&scores);
            assert_contained(&format!("{what} score"), poison, DIM, 0.0, [&got, &clean, &want]);
        }
    }
}

#[test]
fn targets_at_a_bad_point_are_its_own() {
    let reference = Reference::new().expect("threads");
    let target = Target::by_name("gaussian", Some(DIM)).expect("target");
    let points = normal_points(SAMPLES, DIM, 93);
    let flat = |engine: &dyn Engine, at: &Points| {
        let (energies, gradients) = engine.target_energy(&target, at).expect("target");
        let rows = energies.iter().zip(gradients.rows());
        rows.flat_map(|(e, row)| [*e].into_iter().chain(row.to_vec())).collect::<Vec<f64>>()
    };
    for (engine, poison) in engines().iter().flat_map(|e| POISON.map(|p| (e, p))) {
        let bad = spoilt(&points, BAD, poison);
        let [got, clean] = [&bad, &points].map(|at| flat(engine.as_ref(), at));
        let want = flat(&reference, &bad);
        assert_contained(&format!("{} target", engine.name()), poison, 1 + DIM, 0.0, [&got, &clean, &want]);
    }
}

/// An objective for each kernel of losses, with the vectors that a sample has.
fn objectives() -> Vec<(Objective, usize)> {
    let noise = SeparableLaw::normal(vec![0.25; DIM], vec![1.75; DIM]).expect("law");
    vec![
        (Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2).expect("sigma")), 1),
        (Objective::Ssm(Probes::new(2, ProbeLaw::Gaussian).expect("probes")), 2),
        (Objective::FdSsm(FdSsm::new(2, 1.0).expect("epsilon")), 2),
        (Objective::Cd(Contrastive::new(1, 0.01, 0.2, 0.0).expect("numbers")), 1),
        (Objective::Ed(Discrepancy::new(1.0, 3, 1.0).expect("numbers")), 3),
        (Objective::Nce(NoiseContrastive::new(3, noise).expect("negatives")), 3),
    ]
}

#[test]
fn losses_of_a_bad_sample_are_its_own_and_its_gradient_is_seen() {
    let reference = Reference::new().expect("threads");
    let model = network("3-33-9-1", Activation::Silu, 94);
    let points = normal_points(SAMPLES, DIM, 95);
    for (engine, (objective, each)) in engines().iter().flat_map(|e| objectives().into_iter().map(move |o| (e, o))) {
        let vectors = normal_points(SAMPLES * each, DIM, 96);
        let losses = |engine: &dyn Engine, points: &Points, vectors: &Points| {
            let v = Some(vectors);
            let given = Given { points, noise: v, sigmas: None, probes: v, negatives: v };
            engine.loss_gradient(&model, &objective, &given).expect("losses")
        };
        let clean = losses(engine.as_ref(), &points, &vectors);
        for poison in POISON {
            for (place, points, vectors) in [
                ("points", &spoilt(&points, BAD, poison), &vectors),
                ("vectors", &points, &spoilt(&vectors, BAD * each, poison)),
            ] {
                let got = losses(engine.as_ref(), points, vectors);
                let want = losses(&reference, points, vectors);
                let what = format!("{} {} {place}", engine.name(), objective.name());
                // finite differences are made of energies, which grow like the point
                let terms = if poison.is_finite() { poison.abs() } else { 0.0 };
                assert_contained(&what, poison, 1, terms, [&got.losses, &clean.losses, &want.losses]);
                let seen = got.gradient.iter().any(|g| !g.is_finite()) || !got.loss().is_finite();
                assert!(!poison.is_nan() || seen, "{what}: {poison} is not seen in loss or gradient");
            }
        }
    }
}

#[test]
fn a_bad_chain_is_alone() {
    let model = network("3-33-9-1", Activation::Silu, 97);
    let target = Target::by_name("gaussian", Some(DIM)).expect("target");
    let start = normal_points(SAMPLES, DIM, 98);
    let langevin: Transition = Langevin::new(0.05, 1.0).expect("sampler").into();
    let hamiltonian: Transition = Hamiltonian::new(0.1, 3, 1.0).expect("sampler").into();
    for (engine, transition) in engines().iter().flat_map(|e| [(e, &langevin), (e, &hamiltonian)]) {
        for landscape in [(&model).into(), Landscape::Target(&target)] {
            let run = |start: &Points| {
                let mut chains = engine.chains(landscape, transition, start, Seed(99)).expect("chains");
                advance_by(chains.as_mut(), 7).expect("steps");
                let (moments, fares) = (chains.moments().expect("moments"), chains.fares().expect("fares"));
                (chains.positions().expect("positions").values().to_vec(), moments, fares)
            };
            let (clean, ..) = run(&start);
            for poison in [f64::NAN, f64::INFINITY] {
                let (got, moments, fares) = run(&spoilt(&start, BAD, poison));
                // f64 would keep an infinity too
                assert_contained(engine.name(), f64::NAN, DIM, 0.0, [&got, &clean, &got]);
                assert!(moments.mean.iter().any(|m| !m.is_finite()), "{}: moments hide {poison}", engine.name());
                let refuses = matches!(transition, Transition::Hamiltonian(_));
                assert!(!refuses || fares.broken == 7, "{}: {} of 7 broken", engine.name(), fares.broken);
            }
        }
    }
}

#[test]
fn a_bad_weight_is_seen_everywhere() {
    let points = normal_points(SAMPLES, DIM, 100);
    for (engine, activation) in engines().iter().flat_map(|e| Activation::ALL.map(|a| (e, a))) {
        let model = network("3-33-9-1", activation, 101);
        let layers = model.spec.layers();
        let places = layers.iter().flat_map(|l| [("weight", l.weight.start), ("bias", l.bias.start)]);
        for (place, at) in places {
            let mut bad = Model { spec: model.spec.clone(), parameters: model.parameters.clone() };
            bad.parameters[at] = f64::NAN;
            let energies = engine.energy(&bad, &points).expect("energy");
            let what = format!("{} {} {place} {at}", engine.name(), activation.name());
            assert!(energies.iter().all(|e| !e.is_finite()), "{what}: {:?}", &energies[..4]);
        }
    }
}
