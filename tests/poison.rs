//! NaN, infinities and huge numbers in one sample, chain or weight: its neighbours stay as they are, bit for bit, and what
//! comes of it is right or not finite, which is what a run looks for.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use std::sync::LazyLock;

use common::{gpu, network, network_of, normal_points, portable_gpu, scale};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::gpu::GpuEngine;
use ebm_gpu::engine::{Engine, Fares, Given, Landscape, LossGradient, Moments, advance_by};
use ebm_gpu::model::{Activation, Conditioning, Head, Model};
use ebm_gpu::objective::{
    Contrastive, Denoising, Discrepancy, FdSsm, NoiseContrastive, Objective, ProbeLaw, Probes, SeparableLaw, Weighting,
};
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::{Bounds, Hamiltonian, Langevin, Transition, Wall};
use ebm_gpu::target::{NAMES, Target};

/// One of each for all tests of this file, since drivers take seconds to compile a kernel.
static GPU: LazyLock<GpuEngine> = LazyLock::new(gpu);
static PORTABLE: LazyLock<GpuEngine> = LazyLock::new(portable_gpu);
static CPU: LazyLock<Cpu> = LazyLock::new(|| Cpu::new().expect("threads"));
static REFERENCE: LazyLock<Reference> = LazyLock::new(|| Reference::new().expect("threads"));

/// More than a tile, and a sample in the middle of one.
const SAMPLES: usize = 40;
const BAD: usize = 17;
const DIM: usize = 3;
/// Not numbers; then numbers whose squares, or products with weights, are not numbers of f32; and one below the normal ones.
const POISON: [f64; 6] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 3e38, -1e38, 1e-40];
/// Numbers of a weight that f32 holds and its products may not.
const HUGE: [f64; 4] = [f64::INFINITY, f64::NEG_INFINITY, 3e38, -1e30];

fn engines() -> [&'static dyn Engine; 3] {
    [&*CPU, &*GPU, &*PORTABLE]
}

fn spoilt(points: &Points, row: usize, value: f64) -> Points {
    spoilt_at(points, row, 1, value)
}

fn spoilt_at(points: &Points, row: usize, coordinate: usize, value: f64) -> Points {
    let mut points = points.clone();
    let dim = points.dim();
    points.values_mut()[row * dim + coordinate] = f64::from(value as f32);
    points
}

/// The network with another number in one place.
fn with_weight(model: &Model, at: usize, value: f64) -> Model {
    let mut bad = model.clone();
    bad.parameters[at] = value;
    bad
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
    let points = normal_points(SAMPLES, DIM, 91);
    for (engine, activation) in engines().into_iter().flat_map(|e| Activation::ALL.map(|a| (e, a))) {
        let model = network("3-33-9-1", activation, 92);
        let energies = |e: &dyn Engine, at: &Points| e.energy(&model, at).expect("energy");
        let scores = |e: &dyn Engine, at: &Points| e.score(&model, at).expect("score").values().to_vec();
        for poison in POISON {
            let bad = spoilt(&points, BAD, poison);
            let what = format!("{} {}", engine.name(), activation.name());
            let of = |of: &dyn Fn(&dyn Engine, &Points) -> Vec<f64>| {
                [of(engine, &bad), of(engine, &points), of(&*REFERENCE, &bad)]
            };
            let [got, clean, want] = of(&energies);
            assert_contained(&format!("{what} energy"), poison, 1, 0.0, [&got, &clean, &want]);
            let [got, clean, want] = of(&scores);
            assert_contained(&format!("{what} score"), poison, DIM, 0.0, [&got, &clean, &want]);
        }
    }
}

/// Networks that give scores have kernels of their own; one activation is enough on the device.
#[test]
fn fields_at_a_bad_point_are_its_own() {
    let points = normal_points(SAMPLES, DIM, 102);
    let on_cpu = Activation::ALL.map(|activation| (&*CPU as &dyn Engine, activation));
    for (engine, activation) in on_cpu.into_iter().chain([(&*GPU as &dyn Engine, Activation::Silu)]) {
        let model = network_of("3-33-9-3", activation, Head::Score, Conditioning::None, 103);
        let scores = |e: &dyn Engine, at: &Points| e.score(&model, at).expect("score").values().to_vec();
        let clean = scores(engine, &points);
        for poison in POISON {
            let bad = spoilt(&points, BAD, poison);
            let what = format!("{} {} field", engine.name(), activation.name());
            let (got, want) = (scores(engine, &bad), scores(&*REFERENCE, &bad));
            assert_contained(&what, poison, DIM, 0.0, [&got, &clean, &want]);
        }
    }
}

/// Targets that the device computes too: the usual one, one that clamps, and one that chooses and takes off whole turns.
const ON_GPU: [&str; 3] = ["gaussian", "funnel", "u4"];

#[test]
fn targets_at_a_bad_point_are_its_own() {
    let on_cpu = NAMES.iter().map(|name| (&*CPU as &dyn Engine, *name));
    for (engine, name) in on_cpu.chain(ON_GPU.map(|name| (&*GPU as &dyn Engine, name))) {
        let dim = if ["gaussian", "funnel"].contains(&name) { DIM } else { 2 };
        let target = Target::by_name(name, Some(dim)).expect("target");
        let points = normal_points(SAMPLES, dim, 93);
        let flat = |engine: &dyn Engine, at: &Points| {
            let (energies, gradients) = engine.target_energy(&target, at).expect("target");
            let rows = energies.iter().zip(gradients.rows());
            rows.flat_map(|(e, row)| [*e].into_iter().chain(row.to_vec())).collect::<Vec<f64>>()
        };
        let clean = flat(engine, &points);
        for (coordinate, poison) in [0, 1].iter().flat_map(|n| POISON.map(|p| (*n, p))) {
            let bad = spoilt_at(&points, BAD, coordinate, poison);
            let (got, want) = (flat(engine, &bad), flat(&*REFERENCE, &bad));
            let what = format!("{} {name} coordinate {coordinate}", engine.name());
            assert_contained(&what, poison, 1 + dim, 0.0, [&got, &clean, &want]);
        }
    }
}

/// An objective and a network that it is for, with the vectors that a sample has.
struct Case {
    objective: Objective,
    model: Model,
    each: usize,
    /// Whether the device computes it too.
    on_gpu: bool,
}

/// Wider points than the first layer: explicit score matching then makes an orthonormal basis of its weights.
fn narrow() -> Model {
    network("9-4-3-1", Activation::Silu, 104)
}

/// On the device an objective for each kernel of losses.
fn cases() -> Vec<Case> {
    let noise = SeparableLaw::normal(vec![0.25; DIM], vec![1.75; DIM]).expect("law");
    let model = network("3-33-9-1", Activation::Silu, 94);
    let field = network_of("3-33-9-3", Activation::Silu, Head::Score, Conditioning::None, 105);
    let dsm = Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2).expect("sigma"));
    let probes = Probes::new(2, ProbeLaw::Gaussian).expect("probes");
    let case = |objective, model: &Model, each, on_gpu| Case { objective, model: model.clone(), each, on_gpu };
    vec![
        case(dsm.clone(), &model, 1, true),
        case(Objective::Ssm(probes), &model, 2, true),
        case(Objective::FdSsm(FdSsm::new(2, 1.0).expect("epsilon")), &model, 2, true),
        case(Objective::Cd(Contrastive::new(1, 0.01, 0.2, 0.0).expect("numbers")), &model, 1, true),
        case(Objective::Ed(Discrepancy::new(1.0, 3, 1.0).expect("numbers")), &model, 3, true),
        case(Objective::Nce(NoiseContrastive::new(3, noise).expect("negatives")), &model, 3, true),
        case(Objective::Esm, &narrow(), 0, true),
        case(Objective::Esm, &model, 0, false),
        case(Objective::SsmVr(probes), &model, 2, false),
        case(dsm, &field, 1, true),
        case(Objective::Ssm(probes), &field, 2, false),
        case(Objective::Esm, &field, 0, false),
    ]
}

/// Losses of points with as many vectors as the objective takes.
fn losses(engine: &dyn Engine, case: &Case, points: &Points, vectors: &Points) -> LossGradient {
    let v = Some(vectors);
    let given = Given { points, noise: v, sigmas: None, probes: v, negatives: v };
    engine.loss_gradient(&case.model, &case.objective, &given).expect("losses")
}

/// Whether loss or gradient tell that something is not finite.
fn is_seen(got: &LossGradient) -> bool {
    got.gradient.iter().any(|g| !g.is_finite()) || !got.loss().is_finite()
}

#[test]
fn losses_of_a_bad_sample_are_its_own_and_its_gradient_is_seen() {
    let cases = cases();
    let on = |engine: &'static dyn Engine| cases.iter().map(move |case| (engine, case));
    for (engine, case) in on(&*CPU).chain(on(&*GPU).filter(|(_, case)| case.on_gpu)) {
        let dim = case.model.spec.dim();
        let points = normal_points(SAMPLES, dim, 95);
        let vectors = normal_points(SAMPLES * case.each.max(1), dim, 96);
        let clean = losses(engine, case, &points, &vectors);
        for poison in POISON {
            let in_points = ("points", spoilt(&points, BAD, poison), vectors.clone());
            let in_vectors = ("vectors", points.clone(), spoilt(&vectors, BAD * case.each, poison));
            for (place, points, vectors) in [in_points].into_iter().chain((case.each > 0).then_some(in_vectors)) {
                let got = losses(engine, case, &points, &vectors);
                let want = losses(&*REFERENCE, case, &points, &vectors);
                let head = case.model.spec.head().name();
                let what = format!("{} {} {head} {place}", engine.name(), case.objective.name());
                // finite differences are made of energies, which grow like the point
                let terms = if poison.is_finite() { poison.abs() } else { 0.0 };
                assert_contained(&what, poison, 1, terms, [&got.losses, &clean.losses, &want.losses]);
                assert!(!poison.is_nan() || is_seen(&got), "{what}: {poison} is not seen in loss or gradient");
            }
        }
    }
}

/// A basis of rows that are NaN, or so long that their squares are infinite, is none: the loss must not be that of another.
#[test]
fn a_basis_of_bad_weights_is_seen() {
    let model = narrow();
    let points = normal_points(SAMPLES, 9, 106);
    let start = model.spec.layers()[0].weight.start;
    for (engine, poison) in engines().into_iter().flat_map(|e| [f64::NAN, 1e20, 1e30, -3e38].map(|p| (e, p))) {
        let value = f64::from(poison as f32);
        let case = Case { objective: Objective::Esm, model: with_weight(&model, start, value), each: 0, on_gpu: true };
        let got = losses(engine, &case, &points, &points);
        let want = losses(&*REFERENCE, &case, &points, &points);
        let right = |(g, w): (&f64, &f64)| (g - w).abs() <= 1e-3 * w.abs();
        let whole = got.losses.iter().zip(&want.losses).all(right);
        assert!(whole || is_seen(&got), "{}: {poison} passes for {:?}", engine.name(), &got.losses[..4]);
    }
}

/// No walls, and every kind that the chains can have.
fn transitions() -> [Transition; 5] {
    let walls = |wall| Some(Bounds::new(-6.0, 6.0, wall).expect("box"));
    let langevin = Langevin::new(0.05, 1.0).expect("sampler");
    let hamiltonian = Hamiltonian::new(0.1, 3, 1.0).expect("sampler");
    let mirrored = hamiltonian.clone().within(walls(Wall::Reflect)).expect("mirrors");
    [
        langevin.into(),
        Langevin { bounds: walls(Wall::Reflect), ..langevin }.into(),
        Langevin { bounds: walls(Wall::Clamp), ..langevin }.into(),
        hamiltonian.into(),
        mirrored.into(),
    ]
}

/// Where chains are after seven steps, and how they have fared.
fn seven_steps(
    engine: &dyn Engine,
    landscape: Landscape<'_>,
    transition: &Transition,
    start: &Points,
) -> (Points, Moments, Fares) {
    let mut chains = engine.chains(landscape, transition, start, Seed(99)).expect("chains");
    advance_by(chains.as_mut(), 7).expect("steps");
    let (moments, fares) = (chains.moments().expect("moments"), chains.fares().expect("fares"));
    (chains.positions().expect("positions"), moments, fares)
}

#[test]
fn a_bad_chain_is_alone() {
    let model = network("3-33-9-1", Activation::Silu, 97);
    let target = Target::by_name("gaussian", Some(DIM)).expect("target");
    let start = normal_points(SAMPLES, DIM, 98);
    for (engine, transition) in engines().into_iter().flat_map(|e| transitions().map(|t| (e, t))) {
        for landscape in [(&model).into(), Landscape::Target(&target)] {
            let (clean, ..) = seven_steps(engine, landscape, &transition, &start);
            for poison in [f64::NAN, f64::INFINITY] {
                let (got, moments, fares) = seven_steps(engine, landscape, &transition, &spoilt(&start, BAD, poison));
                let what = format!("{} {transition:?}", engine.name());
                // f64 would keep an infinity too
                assert_contained(&what, f64::NAN, DIM, 0.0, [got.values(), clean.values(), got.values()]);
                assert!(moments.mean.iter().any(|m| !m.is_finite()), "{what}: moments hide {poison}");
                let broken = got.values().iter().filter(|v| !v.is_finite()).count();
                assert_eq!(moments.broken, broken as u64, "{what}: coordinates that are not finite");
                let refuses = matches!(transition, Transition::Hamiltonian(_));
                assert!(!refuses || fares.broken == 7, "{what}: {} of 7 broken", fares.broken);
            }
        }
    }
}

/// What has left a box by far is at its wall, or has no place at all.
#[test]
fn a_huge_chain_in_a_box_is_right_or_seen() {
    let target = Target::by_name("gaussian", Some(DIM)).expect("target");
    let start = normal_points(SAMPLES, DIM, 107);
    let [_, mirrored, clamped, ..] = transitions();
    for (engine, transition) in engines().into_iter().flat_map(|e| [(e, &mirrored), (e, &clamped)]) {
        let at = |engine: &dyn Engine, start: &Points| {
            seven_steps(engine, Landscape::Target(&target), transition, start).0.values().to_vec()
        };
        let clean = at(engine, &start);
        for poison in [3e38, -1e38, 1e21] {
            let bad = spoilt(&start, BAD, poison);
            let what = format!("{} {transition:?} {poison}", engine.name());
            // two mirrors that agree on a place agree by rounding errors
            let kind = if std::ptr::eq(transition, &mirrored) { f64::NAN } else { poison };
            assert_contained(&what, kind, DIM, 0.0, [&at(engine, &bad), &clean, &at(&*REFERENCE, &bad)]);
        }
    }
}

/// Infinities that cancel inside a box: its walls must not make a place of the NaN.
#[test]
fn a_box_hides_no_chain_that_breaks_inside() {
    let target = Target::by_name("himmelblau", None).expect("target");
    let mut start = normal_points(SAMPLES, 2, 108);
    start.values_mut()[2 * BAD..][..2].copy_from_slice(&[-1e20, 1e20].map(|x: f64| f64::from(x as f32)));
    for (engine, wall) in engines().into_iter().flat_map(|e| [Wall::Reflect, Wall::Clamp].map(|w| (e, w))) {
        let bounds = Some(Bounds::new(-1e21, 1e21, wall).expect("box"));
        let transition: Transition = Langevin { bounds, ..Langevin::new(0.001, 1.0).expect("sampler") }.into();
        let (got, ..) = seven_steps(engine, Landscape::Target(&target), &transition, &start);
        let what = format!("{} {wall:?}: {:?}", engine.name(), got.row(BAD));
        assert!(got.row(BAD).iter().all(|x| !x.is_finite()), "{what}");
        let others = got.rows().enumerate().filter(|(chain, _)| *chain != BAD);
        assert!(others.flat_map(|(_, x)| x).all(|x| x.is_finite()), "{what}");
    }
}

/// Exchanges between temperatures move a bad replica, and its energy with it, within its own chain.
#[test]
fn a_bad_replica_stays_in_its_chain() {
    let model = network("3-33-9-1", Activation::Silu, 97);
    let start = normal_points(2 * SAMPLES, DIM, 109);
    let plain = Hamiltonian::new(0.1, 3, 1.0).expect("sampler");
    let tempered: Transition = plain.at(vec![2.0, 1.0], 1).expect("temperatures").into();
    for engine in engines() {
        let (clean, _, fares) = seven_steps(engine, (&model).into(), &tempered, &start);
        assert!(fares.exchanges[0] > 0.0, "{}: replicas change places", engine.name());
        for (replica, poison) in [0, 1].iter().flat_map(|r| [f64::NAN, f64::INFINITY].map(|p| (*r, p))) {
            let bad = spoilt(&start, 2 * BAD + replica, poison);
            let (got, _, fares) = seven_steps(engine, (&model).into(), &tempered, &bad);
            let what = format!("{} replica {replica}", engine.name());
            assert_contained(&what, f64::NAN, 2 * DIM, 0.0, [got.values(), clean.values(), got.values()]);
            let energies = fares.energies.expect("energies");
            let broken: Vec<bool> = got.rows().map(|x| x.iter().any(|x| !x.is_finite())).collect();
            let columns: Vec<usize> = (0..broken.len()).filter(|column| broken[*column]).collect();
            assert_eq!(columns.len(), 1, "{what}: {poison} in {columns:?}");
            let energy: Vec<bool> = energies.iter().map(|e| !e.is_finite()).collect();
            assert!(energy == broken, "{what}: {poison} has left its energy behind");
            // an energy that is no number decides nothing
            assert!(!energies[columns[0]].is_nan() || columns[0] == 2 * BAD + replica, "{what}: {poison} has moved");
        }
    }
}

/// Draws of a bad chain are counted, not ranked; those that are kept of the others are as they were.
#[test]
fn draws_of_a_bad_chain_are_counted() {
    const DRAWS: usize = 8;
    let model = network("3-33-9-1", Activation::Silu, 97);
    let start = normal_points(SAMPLES, DIM, 110);
    let [langevin, _, _, hamiltonian, _] = transitions();
    for (engine, (transition, poison)) in
        engines().into_iter().flat_map(|e| [(&langevin, f64::NAN), (&hamiltonian, f64::INFINITY)].map(|c| (e, c)))
    {
        let drawn = |start: &Points| {
            let mut chains = engine.chains((&model).into(), transition, start, Seed(111)).expect("chains");
            chains.watch(DRAWS).expect("room");
            for _ in 0..DRAWS {
                advance_by(chains.as_mut(), 1).expect("a step");
                chains.keep().expect("a draw");
            }
            (chains.state().expect("state").kept, chains.worth().expect("worth"))
        };
        let ((clean, _), (kept, worth)) = (drawn(&start), drawn(&spoilt(&start, BAD, poison)));
        let what = format!("{} {poison}", engine.name());
        let changed = kept.iter().zip(&clean).filter(|(k, c)| k.to_bits() != c.to_bits()).count();
        assert!(changed <= DRAWS * (DIM + 1), "{what}: {changed} numbers have changed");
        let broken = |n: usize| worth.diagnostics.coordinates[n].not_finite;
        assert_eq!(broken(1), DRAWS, "{what}: draws that are not finite");
        let energy = worth.energy.expect("energies");
        assert_eq!(energy.not_finite, DRAWS, "{what}: energies that are not finite");
        assert!(worth.energies.iter().all(|e| !e.is_finite()), "{what}: {:?}", worth.energies);
        for coordinate in [&worth.diagnostics.coordinates[1], &energy] {
            assert!(coordinate.mean.is_nan() && coordinate.r_hat.is_nan(), "{what}: {coordinate:?}");
        }
    }
}

/// Fails unless each sample has right numbers, or one that is not finite.
fn assert_sound(what: &str, each: usize, got: &[f64], want: &[f64]) {
    for (i, (got, want)) in got.chunks(each).zip(want.chunks(each)).enumerate() {
        // where a unit is near 0 few of its digits are left
        let right = |(g, w): (&f64, &f64)| (g - w).abs() <= 1e-2 * scale(want);
        let whole = got.iter().zip(want).all(right);
        assert!(whole || got.iter().any(|g| !g.is_finite()), "{what}: {got:?} of sample {i}, not {want:?}");
    }
}

#[test]
fn a_bad_weight_is_seen_everywhere() {
    let points = normal_points(SAMPLES, DIM, 100);
    for (engine, activation) in engines().into_iter().flat_map(|e| Activation::ALL.map(|a| (e, a))) {
        let model = network("3-33-9-1", activation, 101);
        let layers = model.spec.layers();
        let places = layers.iter().flat_map(|l| [("weight", l.weight.start), ("bias", l.bias.start)]);
        for (place, at) in places {
            let what = format!("{} {} {place} {at}", engine.name(), activation.name());
            let energies = engine.energy(&with_weight(&model, at, f64::NAN), &points).expect("energy");
            assert!(energies.iter().all(|e| !e.is_finite()), "{what}: {:?}", &energies[..4]);
            for poison in HUGE {
                let bad = with_weight(&model, at, f64::from(poison as f32));
                // where an infinity leads to: f64 holds what comes of this
                let limit = with_weight(&model, at, f64::from(poison as f32).clamp(-1e300, 1e300));
                let [got, want] = [(engine, &bad), (&*REFERENCE as &dyn Engine, &limit)]
                    .map(|(engine, model)| engine.energy(model, &points).expect("energy"));
                assert_sound(&format!("{what} energy {poison}"), 1, &got, &want);
                let [got, want] = [(engine, &bad), (&*REFERENCE as &dyn Engine, &limit)]
                    .map(|(engine, model)| engine.score(model, &points).expect("score").values().to_vec());
                assert_sound(&format!("{what} score {poison}"), DIM, &got, &want);
            }
        }
    }
}
