//! The gpu and cpu engines against the f64 reference, at sizes that do not fit the tiles.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{
    directions_of_length, gpu, gpu_of, network, network_of, normal_points, portable_gpu, scale, steep_network, worst,
};
use ebm_gpu::check::Extent;
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::gpu::GpuOptions;
use ebm_gpu::engine::gpu::kernel::Platform;
use ebm_gpu::engine::{Engine, Given, StepRecord, TrainingPlan, TrainingState};
use ebm_gpu::model::{Activation, Conditioning, Head, Model};
use ebm_gpu::objective::{
    Contrastive, Denoising, Discrepancy, FdSsm, Ladder, NoiseContrastive, Objective, ProbeLaw, Probes, Replay,
    SeparableLaw, Weighting,
};
use ebm_gpu::optimizer::Optimizer;
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::Langevin;

/// Networks at the edges of tiles and padding: (widths, samples).
const SHAPES: &[(&str, usize)] = &[
    ("1-1-1", 1),
    ("2-7-1", 31),
    ("3-64-64-1", 32),
    ("2-100-100-100-1", 33),
    ("32-128-7-1", 129),
    ("2-256-1", 65),
    ("3-513-64-1", 40),
    ("3-33-20-34-21-1", 35),
    ("784-64-100-1", 37),
    ("2-64-64-64-64-64-1", 50),
    ("2-128-128-1", 1001),
];

fn agree(engine: &dyn Engine, model: &Model, samples: usize) {
    let reference = Reference::new().expect("threads");
    let d = model.spec.dim();
    let points = normal_points(samples, d, 11);
    let noise = normal_points(samples, d, 12);
    let net = &model.spec;
    let activation = net.activation().name();
    eprintln!("{} {net} {activation} x {samples}", engine.name());

    let want = reference.energy(model, &points).expect("reference");
    let got = engine.energy(model, &points).expect("energy");
    // f32 sums of up to 784 terms: a few units of 6e-8, times the size of the terms
    assert!(worst(&got, &want, 1e-5, 2e-6 * scale(&want).max(1.0)) <= 1.0, "energy of {net} {activation}");

    let want = reference.score(model, &points).expect("reference");
    let got = engine.score(model, &points).expect("score");
    // sums of terms of both signs: judged by the largest entry; the worst of all engines and sizes uses a sixth
    let abs = 1e-5 * scale(want.values());
    assert!(worst(got.values(), want.values(), 1e-5, abs) <= 1.0, "score of {net} {activation}");

    let objective = Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2).expect("sigma"));
    let want = reference.loss_gradient(model, &objective, &Given::noisy(&points, &noise)).expect("reference");
    let got = engine.loss_gradient(model, &objective, &Given::noisy(&points, &noise)).expect("dsm");
    assert!(worst(&got.losses, &want.losses, 1e-5, 1e-5) <= 1.0, "losses of {net} {activation}");
    let abs = 1e-5 * scale(&want.gradient);
    assert!(worst(&got.gradient, &want.gradient, 1e-5, abs) <= 1.0, "gradient of {net} {activation}");
}

/// Every objective in `d` dimensions with draws that are given: two or three tangents, one to 33 negatives.
fn objectives(d: usize) -> Vec<(Objective, usize)> {
    let probes = |k| Probes::new(k, ProbeLaw::Gaussian).expect("probes");
    let ladder = Ladder::explicit(vec![1.5, 0.5, 0.25]).expect("ladder");
    let ed = |negatives, w| (Objective::Ed(Discrepancy::new(1.0, negatives, w).expect("numbers")), negatives);
    let noise = SeparableLaw::normal(vec![0.25; d], vec![1.75; d]).expect("law");
    let nce = |nu| (Objective::Nce(NoiseContrastive::new(nu, noise.clone()).expect("negatives")), nu);
    vec![
        (Objective::Cd(Contrastive::new(1, 0.01, 0.2, 0.0).expect("numbers")), 1),
        ed(1, 1.0),
        ed(3, 0.0),
        ed(5, 0.5),
        ed(33, 4.0),
        nce(1),
        nce(5),
        (Objective::Esm, 1),
        (Objective::Ssm(probes(3)), 3),
        (Objective::SsmVr(probes(2)), 2),
        (Objective::FdSsm(FdSsm::new(2, 1.0).expect("epsilon")), 2),
        (Objective::Denoising(Denoising { ladder, weighting: Weighting(1.0) }), 1),
    ]
}

/// Losses and gradient of every objective that is defined for the network.
fn objectives_agree(engine: &dyn Engine, model: &Model, samples: usize) {
    agree_on(engine, model, samples, objectives(model.spec.dim()));
}

fn agree_on(engine: &dyn Engine, model: &Model, samples: usize, objectives: Vec<(Objective, usize)>) {
    let reference = Reference::new().expect("threads");
    let (spec, d) = (&model.spec, model.spec.dim());
    let [points, noise] = [21, 22].map(|seed| normal_points(samples, d, seed));
    let sigmas: Vec<f64> = (0..samples).map(|i| [1.5, 0.5, 0.25][i % 3]).collect();
    for (objective, each) in objectives {
        if objective.check(spec).is_err() {
            continue;
        }
        let probes = normal_points(samples * each, d, 23);
        let (sigmas, vectors) = (Some(&sigmas[..]), Some(&probes));
        let given = Given { points: &points, noise: Some(&noise), sigmas, probes: vectors, negatives: vectors };
        let want = reference.loss_gradient(model, &objective, &given).expect("reference");
        let got = engine.loss_gradient(model, &objective, &given).expect("loss");
        let what =
            format!("{} {spec} {} {} x {samples}", objective.name(), spec.head().name(), spec.conditioning().name());
        eprintln!("{} {what}", engine.name());
        // sums of terms of both signs, judged by the largest
        let bound = 5e-6;
        // of contrast, the weights of data and of negatives, which each sum to 1, cancel
        let terms = if matches!(objective.name(), "cd" | "ed" | "nce") { 1.0 } else { 1e-3 };
        let abs = [&want.losses, &want.gradient].map(|v| bound * scale(v).max(terms));
        assert!(worst(&got.losses, &want.losses, 0.0, abs[0]) <= 1.0, "losses of {what}");
        assert!(worst(&got.gradient, &want.gradient, 0.0, abs[1]) <= 1.0, "gradient of {what}");
    }
}

/// Networks at the edges of tiles, with fewer neurons than coordinates, of both heads: (widths, head, samples).
const KINDS: &[(&str, Head, usize)] = &[
    ("2-7-1", Head::Energy, 5),
    ("3-65-33-1", Head::Energy, 40),
    ("37-20-9-1", Head::Energy, 33),
    ("1-9-1", Head::Energy, 1),
    ("3-65-33-3", Head::Score, 40),
    ("37-20-9-37", Head::Score, 33),
];

fn all_objectives_agree(engine: &dyn Engine) {
    for (net, head, samples) in KINDS {
        for conditioning in Conditioning::ALL {
            objectives_agree(engine, &network_of(net, Activation::Silu, *head, conditioning, 8), *samples);
        }
    }
}

#[test]
fn cpu_objectives_agree_with_the_reference() {
    all_objectives_agree(&Cpu::new().expect("threads"));
}

#[test]
fn gpu_objectives_agree_with_the_reference() {
    all_objectives_agree(&gpu());
}

#[test]
fn portable_objectives_agree_with_the_reference() {
    all_objectives_agree(&portable_gpu());
}

/// Finite differences over short and long probes on steep networks, whose energies are nearly equal in f32.
fn finite_differences_agree(engine: &dyn Engine) {
    let reference = Reference::new().expect("threads");
    let kinds = Activation::ALL.map(|activation| ("3-65-33-1", activation, 40));
    let others =
        [("37-20-9-1", Activation::Silu, 33), ("1-9-1", Activation::Gelu, 1), ("2-7-66-5-1", Activation::Tanh, 5)];
    for (net, activation, samples) in kinds.into_iter().chain(others) {
        let model = steep_network(net, activation, 15);
        let d = model.spec.dim();
        let points = normal_points(samples, d, 26);
        for (epsilon, probes) in [(0.01, 1), (0.1, 2), (1.0, 3)] {
            let fd = Objective::FdSsm(FdSsm::new(probes, epsilon).expect("epsilon"));
            let v = directions_of_length(epsilon, samples * probes, d, 27);
            let want = reference.loss_gradient(&model, &fd, &Given::probed(&points, &v)).expect("reference");
            let got = engine.loss_gradient(&model, &fd, &Given::probed(&points, &v)).expect("loss");
            let what = format!("{net} {} x {samples}, epsilon {epsilon}", activation.name());
            eprintln!("{} {what}", engine.name());
            // f32 knows where a kink is to 6e-8 of the terms of z, and that moves the loss by as much over the step
            let bound = if activation.is_smooth() { 5e-6 } else { 5e-6_f64.max(5e-7 / epsilon) };
            let abs = [&want.losses, &want.gradient].map(|v| bound * scale(v));
            assert!(worst(&got.losses, &want.losses, 0.0, abs[0]) <= 1.0, "losses of {what}");
            assert!(worst(&got.gradient, &want.gradient, 0.0, abs[1]) <= 1.0, "gradient of {what}");
        }
    }
}

#[test]
fn cpu_finite_differences_agree_with_the_reference() {
    finite_differences_agree(&Cpu::new().expect("threads"));
}

#[test]
fn gpu_finite_differences_agree_with_the_reference() {
    finite_differences_agree(&gpu());
}

#[test]
fn portable_finite_differences_agree_with_the_reference() {
    finite_differences_agree(&portable_gpu());
}

/// Ten steps with everything drawn by the engine.
fn trained(engine: &dyn Engine, model: &Model, objective: &Objective) -> (TrainingState, Vec<StepRecord>) {
    let optimizer = Optimizer {
        // large against rounding errors, so that a gradient near 0 does not become a step of either sign
        epsilon: 0.1,
        ema: 0.9,
        ..Optimizer::adam(1e-3)
    };
    let plan = TrainingPlan { objective: objective.clone(), batch: 37, optimizer, steps: 10, seed: Seed(3) };
    let data = normal_points(100, model.spec.dim(), 31);
    let mut training = engine.train(model, &plan, &data, TrainingState::start(model)).expect("training");
    let mut records = Vec::new();
    while records.len() < 10 {
        records.extend(training.advance(10).expect("steps"));
    }
    (training.state().expect("state"), records)
}

/// Probes of every law, noise levels and a basis that changes with the weights, drawn alike by all engines.
fn training_agrees(engine: &dyn Engine) {
    let reference = Reference::new().expect("threads");
    let probes = |k, law| Probes::new(k, law).expect("probes");
    let ladder = Ladder::geometric(2.0, 0.1, 7).expect("ladder");
    let mdsm = Objective::Denoising(Denoising { ladder, weighting: Weighting::SIGMA2 });
    let none = Conditioning::None;
    let chains = |noise| Contrastive::new(5, 0.02, 0.1, noise).expect("numbers");
    let normal = SeparableLaw::normal(vec![0.5; 5], vec![1.5; 5]).expect("law");
    let uniform = SeparableLaw::around(&normal_points(100, 5, 31)).expect("box");
    let pcd = |slots, restart, start: &SeparableLaw| {
        Objective::Pcd(chains(0.0), Replay::new(slots, restart, start.clone()).expect("replay"))
    };
    for (net, head, conditioning, objective) in [
        ("5-33-9-1", Head::Energy, none, Objective::Ssm(probes(3, ProbeLaw::Gaussian))),
        ("5-33-9-1", Head::Energy, none, Objective::SsmVr(probes(2, ProbeLaw::Rademacher))),
        ("5-33-9-5", Head::Score, none, Objective::Ssm(probes(1, ProbeLaw::Sphere))),
        ("5-33-9-1", Head::Energy, none, Objective::FdSsm(FdSsm::new(2, 0.5).expect("epsilon"))),
        ("37-20-9-1", Head::Energy, none, Objective::Esm),
        ("5-33-9-1", Head::Energy, Conditioning::Concat, mdsm.clone()),
        ("5-33-9-5", Head::Score, Conditioning::Scale, mdsm),
        ("5-33-9-1", Head::Energy, none, Objective::Cd(chains(0.0))),
        ("5-33-9-1", Head::Energy, none, Objective::Cd(chains(0.3))),
        ("5-33-9-1", Head::Energy, none, pcd(37, 0.2, &uniform)),
        ("5-33-9-1", Head::Energy, none, pcd(90, 0.2, &normal)),
        ("5-33-9-1", Head::Energy, none, Objective::Ed(Discrepancy::new(0.5, 3, 1.0).expect("numbers"))),
        ("5-33-9-1", Head::Energy, none, Objective::Nce(NoiseContrastive::new(3, normal.clone()).expect("negatives"))),
    ] {
        let model = network_of(net, Activation::Softplus, head, conditioning, 12);
        eprintln!("{} trains {} on {net}", engine.name(), objective.name());
        let (got, records) = trained(engine, &model, &objective);
        let (want, expected) = trained(&reference, &model, &objective);
        // the loss is a mean of terms of both signs, the norm a sum of squares
        for (what, of, rel) in
            [("loss", (|r| r.loss) as fn(&StepRecord) -> f64, 1e-4), ("norm", |r| r.gradient_norm, 1e-4)]
        {
            let [got, want] = [&records, &expected].map(|records| records.iter().map(of).collect::<Vec<_>>());
            assert!(worst(&got, &want, rel, rel * scale(&want)) <= 1.0, "{what} of {}", objective.name());
        }
        // the moments are means of gradients: a draw that differed would be off by their own size
        let abs = 2e-5 * scale(&want.first_moment);
        assert!(worst(&got.first_moment, &want.first_moment, 0.0, abs) <= 1.0, "{} moments", objective.name());
        assert!(worst(&got.parameters, &want.parameters, 0.0, 1e-6) <= 1.0, "{} parameters", objective.name());
        assert_eq!(got.replay.is_some(), objective.name() == "pcd");
        if let Some((got, want)) = got.replay.zip(want.replay) {
            // places of size 3, moved some 50 times
            assert!(worst(got.values(), want.values(), 0.0, 1e-5) <= 1.0, "replay buffer");
        }
    }
}

#[test]
fn cpu_training_agrees_with_the_reference() {
    training_agrees(&Cpu::new().expect("threads"));
}

#[test]
fn gpu_training_agrees_with_the_reference() {
    training_agrees(&gpu());
}

/// Annealed chains change the network and the step on the way.
#[test]
fn chains_go_on_with_another_network() {
    let reference = Reference::new().expect("threads");
    let model = network_of("3-20-9-3", Activation::Silu, Head::Score, Conditioning::Concat, 13);
    let start = normal_points(70, 3, 33);
    let run = |engine: &dyn Engine| {
        let step = |eta| Langevin::new(eta, 1.0).expect("sampler");
        let mut chains = engine.chains((&model.at(2.0)).into(), &step(0.05).into(), &start, Seed(14)).expect("chains");
        for (sigma, eta) in [(2.0, 0.05), (0.5, 0.02), (0.1, 0.001)] {
            chains.change((&model.at(sigma)).into(), &step(eta).into()).expect("change");
            let mut left = 6;
            while left > 0 {
                left -= chains.advance(left).expect("steps");
            }
        }
        chains.positions().expect("positions")
    };
    let want = run(&reference);
    for engine in [&Cpu::new().expect("threads") as &dyn Engine, &gpu()] {
        let got = run(engine);
        assert!(worst(got.values(), want.values(), 1e-5, 1e-5) <= 1.0, "{}", engine.name());
    }
}

#[test]
fn cpu_agrees_with_the_reference() {
    let cpu = Cpu::new().expect("threads");
    for (net, samples) in SHAPES {
        agree(&cpu, &network(net, Activation::Silu, 5), *samples);
    }
    for activation in Activation::ALL {
        agree(&cpu, &network("3-65-33-1", activation, 6), 70);
    }
}

/// Networks of all shapes and activations, on one tile and many.
fn networks_agree(engine: &dyn Engine) {
    for (net, samples) in SHAPES {
        agree(engine, &network(net, Activation::Silu, 5), *samples);
    }
    for activation in Activation::ALL {
        agree(engine, &network("3-65-33-1", activation, 6), 70);
    }
}

#[test]
fn portable_kernels_agree_with_the_reference() {
    networks_agree(&portable_gpu());
}

#[test]
fn gpu_agrees_with_the_reference() {
    networks_agree(&gpu());
}

#[test]
fn workgroups_that_take_many_tiles_agree() {
    for workgroups in [1, 2] {
        let few = common::gpu_of_workgroups(workgroups);
        let model = network("3-65-33-1", Activation::Silu, 9);
        agree(&few, &model, 165);
        objectives_agree(&few, &model, 100);

        let start = normal_points(165, 3, 24);
        let moved = |engine: &dyn Engine| {
            let sampler = Langevin::new(0.05, 1.0).expect("sampler");
            let mut chains = engine.chains((&model).into(), &sampler.into(), &start, Seed(25)).expect("chains");
            let mut left = 7;
            while left > 0 {
                left -= chains.advance(left).expect("steps");
            }
            chains.positions().expect("positions")
        };
        assert!(moved(&few) == moved(&gpu()), "chains do not depend on the number of workgroups");
    }
}

/// Tiles of 8 and of 16 samples and large ones of chains, which a software driver does not have of itself.
#[test]
fn tiles_of_a_gpu_agree_with_the_reference() {
    let engine = gpu_of(GpuOptions { platform: Some(Platform::Gpu), ..GpuOptions::default() });
    let mut findings = Vec::new();
    let good = ebm_gpu::check::check(&engine, Extent::Quick, &mut |f| findings.push(f.clone())).expect("check");
    assert!(good && findings.len() > 20, "{findings:#?}");
    agree(&engine, &network("3-130-33-1", Activation::Silu, 8), 1030);
    objectives_agree(&engine, &network("3-65-33-1", Activation::Silu, 8), 1030);
}

/// Few tiles of many tangents, which have several workgroups each on a GPU: one for each tangent, and of 19 tiles 6, which do not
/// have as many tangents each.
#[test]
fn split_tangents_agree_with_the_reference() {
    let engine = gpu_of(GpuOptions { platform: Some(Platform::Gpu), ..GpuOptions::default() });
    let probes = |count| Probes::new(count, ProbeLaw::Gaussian).expect("probes");
    for (net, head) in [("9-33-10-1", Head::Energy), ("9-33-10-9", Head::Score)] {
        let model = network_of(net, Activation::Silu, head, Conditioning::None, 8);
        let objectives = vec![(Objective::Esm, 1), (Objective::Ssm(probes(5)), 5), (Objective::SsmVr(probes(4)), 4)];
        agree_on(&engine, &model, 13, objectives);
        agree_on(&engine, &model, 150, vec![(Objective::Esm, 1)]);
    }
}

#[test]
fn gpu_passes_its_own_check() {
    let mut findings = Vec::new();
    let good = ebm_gpu::check::check(&gpu(), Extent::All, &mut |f| findings.push(f.clone())).expect("check");
    let wrong: Vec<_> = findings.iter().filter(|f| !f.holds()).collect();
    assert!(good && wrong.is_empty(), "{wrong:#?}");
    // a case of every kernel
    for kernel in ebm_gpu::engine::gpu::kernels::ALL {
        let named = |f: &ebm_gpu::check::Finding| {
            f.kernel.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == kernel.name)
        };
        assert!(findings.iter().any(named), "check does not cover {}", kernel.name);
    }
}
