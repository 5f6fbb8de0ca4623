//! The gpu and cpu engines against the f64 reference, at sizes that do not fit the tiles.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{gpu, network, normal_points, scale, worst};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::{Engine, Jet};
use ebm_gpu::model::{Activation, Model};
use ebm_gpu::objective::{Dsm, Objective, Weighting};
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

    let objective = Objective::Dsm(Dsm::new(0.3, Weighting::Sigma2).expect("sigma"));
    let want = reference.loss_gradient(model, &objective, &points, &noise).expect("reference");
    let got = engine.loss_gradient(model, &objective, &points, &noise).expect("dsm");
    assert!(worst(&got.losses, &want.losses, 1e-5, 1e-5) <= 1.0, "losses of {net} {activation}");
    let abs = 1e-5 * scale(&want.gradient);
    assert!(worst(&got.gradient, &want.gradient, 1e-5, abs) <= 1.0, "gradient of {net} {activation}");
}

/// Tangents with and without curvature, in one sweep: values and the gradient of their weighted sum.
fn jets_agree(engine: &dyn Engine, net: &str, samples: usize, jet: Jet) {
    let reference = Reference::new().expect("threads");
    let model = network(net, Activation::Silu, 8);
    let d = model.spec.dim();
    let points = normal_points(samples, d, 21);
    let tangents = normal_points(samples * jet.tangents.max(1), d, 22);
    let weights = normal_points(samples, jet.channels(), 23);
    eprintln!("{} jet of {net} x {samples}: {jet:?}", engine.name());
    let want = reference.jet_gradient(&model, jet, &points, &tangents, weights.values()).expect("reference");
    let got = engine.jet_gradient(&model, jet, &points, &tangents, weights.values()).expect("jet");
    assert!(worst(&got.values, &want.values, 1e-5, 5e-6 * scale(&want.values)) <= 1.0, "values of {net} {jet:?}");
    let abs = 5e-6 * scale(&want.gradient);
    assert!(worst(&got.gradient, &want.gradient, 1e-5, abs) <= 1.0, "gradient of {net} {jet:?}");
}

const JETS: &[(&str, usize, Jet)] = &[
    ("2-7-1", 5, Jet { tangents: 1, curved: 1 }),
    ("3-65-33-1", 40, Jet { tangents: 2, curved: 0 }),
    ("3-65-33-1", 40, Jet { tangents: 4, curved: 3 }),
    ("37-130-20-1", 33, Jet { tangents: 9, curved: 9 }),
];

#[test]
fn cpu_jets_agree_with_the_reference() {
    let cpu = Cpu::new().expect("threads");
    JETS.iter().for_each(|(net, samples, jet)| jets_agree(&cpu, net, *samples, *jet));
}

#[test]
fn gpu_jets_agree_with_the_reference() {
    let gpu = gpu();
    JETS.iter().for_each(|(net, samples, jet)| jets_agree(&gpu, net, *samples, *jet));
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

#[test]
fn gpu_agrees_with_the_reference() {
    let gpu = gpu();
    for (net, samples) in SHAPES {
        agree(&gpu, &network(net, Activation::Silu, 5), *samples);
    }
    for activation in Activation::ALL {
        agree(&gpu, &network("3-65-33-1", activation, 6), 70);
    }
}

#[test]
fn workgroups_that_take_many_tiles_agree() {
    for workgroups in [1, 2] {
        let few = common::gpu_of_workgroups(workgroups);
        let model = network("3-65-33-1", Activation::Silu, 9);
        agree(&few, &model, 165);
        jets_agree(&few, "3-65-33-1", 100, Jet { tangents: 4, curved: 3 });

        let start = normal_points(165, 3, 24);
        let moved = |engine: &dyn Engine| {
            let sampler = Langevin::new(0.05, 1.0).expect("sampler");
            let mut chains = engine.chains(&model, &sampler, &start, Seed(25)).expect("chains");
            let mut left = 7;
            while left > 0 {
                left -= chains.advance(left).expect("steps");
            }
            chains.positions().expect("positions")
        };
        assert!(moved(&few) == moved(&gpu()), "chains do not depend on the number of workgroups");
    }
}

#[test]
fn gpu_passes_its_own_check() {
    let mut findings = Vec::new();
    let good = ebm_gpu::check::check(&gpu(), &mut |f| findings.push(f.clone())).expect("check");
    let wrong: Vec<_> = findings.iter().filter(|f| !f.holds()).collect();
    assert!(good && wrong.is_empty(), "{wrong:#?}");
    // a case of every kernel
    for kernel in ebm_gpu::engine::gpu::kernels::ALL {
        assert!(findings.iter().any(|f| f.kernel.contains(kernel.name)), "check does not cover {}", kernel.name);
    }
}
