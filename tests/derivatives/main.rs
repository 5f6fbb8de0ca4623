//! Derivatives of the f64 reference against dual numbers and central differences; f32 against the reference.

#![allow(clippy::expect_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;
mod definitions;

use common::{directions_of_length, network, network_of, normal_points, scale, steep_network, worst};
use definitions::{Batch, line, phi, unit};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::{Engine, Given};
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec, Model};
use ebm_gpu::objective::{
    Contrastive, Denoising, Discrepancy, FdSsm, Ladder, NoiseContrastive, Objective, ProbeLaw, Probes, SeparableLaw,
    Weighting,
};
use ebm_gpu::points::Points;
use num_dual::third_derivative;

/// Small networks with widths that are odd and differ, one with fewer neurons than coordinates.
const NETS: [&str; 5] = ["1-3-1", "2-5-4-1", "3-7-2-1", "5-3-4-1", "2-3-5-3-1"];
const FIELDS: [&str; 4] = ["1-3-1", "2-5-4-2", "5-3-4-5", "2-3-5-3-2"];

fn smooth() -> impl Iterator<Item = Activation> {
    Activation::ALL.into_iter().filter(|a| a.is_smooth())
}

fn reference() -> Reference {
    Reference::new().expect("threads")
}

/// Every objective in `d` dimensions, with its number of probes or negatives.
fn objectives(d: usize) -> Vec<(Objective, usize)> {
    let probes = |k| Probes::new(k, ProbeLaw::Gaussian).expect("probes");
    let levels = || Ladder::explicit(vec![1.5, 0.5, 0.25]).expect("ladder");
    let mut all = vec![
        (Objective::Esm, 1),
        (Objective::Ssm(probes(1)), 1),
        (Objective::Ssm(probes(3)), 3),
        (Objective::SsmVr(probes(1)), 1),
        (Objective::SsmVr(probes(11)), 11),
        (Objective::FdSsm(FdSsm::new(1, 0.1).expect("epsilon")), 1),
        (Objective::FdSsm(FdSsm::new(3, 0.1).expect("epsilon")), 3),
    ];
    let weightings = [Weighting::ONE, Weighting::SIGMA2, Weighting::SIGMA4, Weighting(1.0)];
    all.extend(weightings.map(|weighting| (Objective::Denoising(Denoising { ladder: levels(), weighting }), 1)));
    all.extend(contrasting(d));
    all
}

/// Every form of contrast, with its number of negatives.
fn contrasting(d: usize) -> [(Objective, usize); 6] {
    let ed = |negatives, w| Objective::Ed(Discrepancy::new(1.0, negatives, w).expect("numbers"));
    let cd = |alpha| Objective::Cd(Contrastive::new(1, 0.01, alpha, 0.0).expect("numbers"));
    let noise = SeparableLaw::normal(vec![0.25; d], vec![1.75; d]).expect("law");
    let nce = NoiseContrastive::new(3, noise).expect("negatives");
    [(cd(0.0), 1), (cd(0.3), 1), (ed(1, 1.0), 1), (ed(5, 0.0), 5), (ed(33, 4.0), 33), (Objective::Nce(nce), 3)]
}

/// Every network with every conditioning.
fn kinds() -> impl Iterator<Item = (&'static str, Head, Conditioning)> {
    let nets = NETS.map(|net| (net, Head::Energy)).into_iter().chain(FIELDS.map(|net| (net, Head::Score)));
    nets.flat_map(|(net, head)| Conditioning::ALL.map(|conditioning| (net, head, conditioning)))
}

#[test]
fn losses_and_gradients_agree_with_dual_numbers() {
    let reference = reference();
    let mut cases = 0;
    for (net, head, conditioning) in kinds() {
        for activation in Activation::ALL {
            let model = network_of(net, activation, head, conditioning, 31);
            for (objective, probes) in objectives(model.spec.dim()) {
                if objective.check(&model.spec).is_err() {
                    continue;
                }
                let batch = Batch::new(3, probes, model.spec.dim());
                let got = batch.run(&reference, &model, &objective);
                let [losses, gradient] = batch.dual(&model, &objective);
                let what = format!("{} {net} {} {}", objective.name(), activation.name(), conditioning.name());
                // sums of some hundred products, each good to 1e-16 of itself; by the definition, differences of energies
                // over |v|² lose four digits where a probe is a hundredth long
                let bound = if objective.name() == "fd-ssm" { 2e-10 } else { 1e-12 };
                assert!(
                    worst(&got.losses, &losses, bound, bound * scale(&losses).max(1e-3)) <= 1.0,
                    "losses of {what}"
                );
                let abs = bound * scale(&gradient).max(1e-3);
                assert!(worst(&got.gradient, &gradient, bound, abs) <= 1.0, "gradient of {what}");
                cases += 1;
            }
        }
    }
    // 5 energies: 4 smooth activations x (17 + 4 + 4), 2 others x (12 + 4 + 4); 4 fields: 4 x (9 + 4 + 4), 2 x (4 + 4 + 4)
    assert_eq!(cases, 5 * (4 * 25 + 2 * 20) + 4 * (4 * 17 + 2 * 12));
}

// E = φ(x + b) of a network with one hidden neuron: the loss of ssm with v = 1 is f²/2 - g with f, g, h the first three
// derivatives of φ, and its slope by the bias f g - h.
#[test]
fn activations_have_the_derivatives_of_their_definitions() {
    let (reference, cpu) = (reference(), Cpu::new().expect("threads"));
    let mut at: Vec<f64> = (-96..=96).map(|i| f64::from(i) / 8.0).collect();
    at.extend([1e-3, -1e-3, 40.0, -40.0, 700.0, -700.0]);
    let ssm = Objective::Ssm(Probes::new(1, ProbeLaw::Gaussian).expect("probes"));
    let one = Points::new(1, vec![1.0]);
    for activation in smooth() {
        let spec = MlpSpec::new(vec![1, 1, 1], activation).expect("widths");
        let model = Model { spec, parameters: vec![1.0, 0.25, 1.0, 0.0] };
        let seen = |engine: &dyn Engine, z: f64| {
            let x = Points::new(1, vec![z - 0.25]);
            let energy = engine.energy(&model, &x).expect("energy")[0];
            let slope = -engine.score(&model, &x).expect("score").values()[0];
            let found = engine.loss_gradient(&model, &ssm, &Given::probed(&x, &one)).expect("ssm");
            [energy, slope, found.losses[0], found.gradient[1]]
        };
        let (mut want, mut double, mut single) = (Vec::new(), Vec::new(), Vec::new());
        for z in &at {
            let (e, f, g, h) = third_derivative(|z| phi(activation, z), *z);
            want.extend([e, f, 0.5 * f * f - g, f * g - h]);
            double.extend(seen(&reference, *z));
            single.extend(seen(&cpu, *z));
        }
        eprintln!("{}", activation.name());
        // f64: 1 - tail loses what is below 1e-16, and z (up to 12 where it matters) multiplies that
        assert!(worst(&double, &want, 1e-14, 4e-15) <= 1.0, "{} in f64", activation.name());
        // f32: the same with 6e-8; erf is good to 1.2e-7
        assert!(worst(&single, &want, 1e-6, 2e-6) <= 1.0, "{} in f32", activation.name());
    }
}

/// f′(0) by central differences of fourth order: with h = 2⁻¹² and f of size and scale 1, good to 1e-12.
fn slope(f: impl Fn(f64) -> f64) -> f64 {
    let h = 1.0 / 4096.0;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

fn shifted(points: &Points, direction: &[f64], h: f64) -> Points {
    let values = points.values().chunks(points.dim()).flat_map(|x| x.iter().zip(direction).map(|(x, v)| x + h * v));
    Points::new(points.dim(), values.collect())
}

/// The derivative of f by each parameter, by central differences.
fn parameter_slopes(model: &Model, f: impl Fn(&Model) -> f64) -> Vec<f64> {
    let by = |i: usize| {
        slope(|h| {
            let mut moved = model.clone();
            moved.parameters[i] += h;
            f(&moved)
        })
    };
    (0..model.parameters.len()).map(by).collect()
}

#[test]
fn the_score_is_minus_the_slope_of_the_energy() {
    let reference = reference();
    for (net, activation) in NETS.into_iter().flat_map(|net| smooth().map(move |a| (net, a))) {
        let model = network(net, activation, 32);
        let d = model.spec.dim();
        let points = normal_points(9, d, 24);
        let score = reference.score(&model, &points).expect("score");
        let mut slopes = vec![0.0; score.values().len()];
        for (i, out) in slopes.iter_mut().enumerate() {
            let at = Points::new(d, points.row(i / d).to_vec());
            *out = -slope(|h| reference.energy(&model, &shifted(&at, &unit(d, i % d), h)).expect("energy")[0]);
        }
        assert!(worst(score.values(), &slopes, 0.0, 4e-12) <= 1.0, "{net} {}", activation.name());
    }
}

#[test]
fn gradients_agree_with_central_differences() {
    let reference = reference();
    for (net, head) in [("5-3-4-1", Head::Energy), ("2-5-4-2", Head::Score)] {
        for activation in smooth() {
            let model = network_of(net, activation, head, Conditioning::None, 33);
            for (objective, probes) in objectives(model.spec.dim()) {
                if objective.check(&model.spec).is_err() {
                    continue;
                }
                let batch = Batch::new(2, probes, model.spec.dim());
                let got = batch.run(&reference, &model, &objective).gradient;
                let want = parameter_slopes(&model, |m| batch.run(&reference, m, &objective).loss());
                let what = format!("{} {net} {}", objective.name(), activation.name());
                // fifth derivatives reach some hundred times the gradient's size, times h^4 / 30 = 1e-16; losses of 50 are good to 1e-14
                assert!(worst(&got, &want, 1e-9, 1e-9 * scale(&want).max(1.0)) <= 1.0, "{what}");
            }
        }
    }
}

#[test]
fn sliced_losses_average_to_the_explicit_one() {
    // over the d probes √d e_n the mean of ssm and of ssm-vr is esm, sample by sample
    let reference = reference();
    for (net, head) in [("3-7-2-1", Head::Energy), ("5-3-4-1", Head::Energy), ("5-3-4-5", Head::Score)] {
        let model = network_of(net, Activation::Silu, head, Conditioning::None, 34);
        let d = model.spec.dim();
        let points = normal_points(7, d, 25);
        let axes = (0..7 * d).flat_map(|i| unit(d, i % d)).map(|v| v * (d as f64).sqrt()).collect();
        let axes = Points::new(d, axes);
        let run = |objective: &Objective| {
            reference.loss_gradient(&model, objective, &Given::probed(&points, &axes)).expect("loss")
        };
        let want = run(&Objective::Esm);
        let probes = Probes::new(d, ProbeLaw::Gaussian).expect("probes");
        for objective in [Objective::Ssm(probes), Objective::SsmVr(probes)] {
            let got = run(&objective);
            assert!(worst(&got.losses, &want.losses, 1e-12, 1e-12) <= 1.0, "losses of {} on {net}", objective.name());
            assert!(worst(&got.gradient, &want.gradient, 1e-12, 1e-12) <= 1.0, "gradient of {}", objective.name());
        }
    }
}

#[test]
fn f32_agrees_with_f64() {
    let (reference, cpu) = (reference(), Cpu::new().expect("threads"));
    for (net, head) in [("3-65-33-1", Head::Energy), ("37-20-9-1", Head::Energy), ("3-65-33-3", Head::Score)] {
        for activation in Activation::ALL {
            let model = network_of(net, activation, head, Conditioning::None, 36);
            for (objective, probes) in objectives(model.spec.dim()) {
                if objective.check(&model.spec).is_err() {
                    continue;
                }
                let batch = Batch::new(70, probes, model.spec.dim());
                let (got, want) = (batch.run(&cpu, &model, &objective), batch.run(&reference, &model, &objective));
                let what = format!("{} {net} {}", objective.name(), activation.name());
                // a few units of 6e-8 of the largest term of each sum
                let bound = 4e-6;
                assert!(worst(&got.losses, &want.losses, 0.0, bound * scale(&want.losses)) <= 1.0, "losses, {what}");
                // the weights of data and of negatives, which each sum to 1, cancel
                let terms = if matches!(objective.name(), "cd" | "ed" | "nce") { 1.0 } else { 1e-3 };
                let abs = bound * scale(&want.gradient).max(terms);
                assert!(worst(&got.gradient, &want.gradient, 0.0, abs) <= 1.0, "gradient, {what}");
            }
        }
    }
}

/// Short probes on steep networks: the reference against the three energies themselves, by dual numbers; f32 against it.
#[test]
fn finite_differences_keep_their_digits() {
    let (reference, cpu) = (reference(), Cpu::new().expect("threads"));
    let fd = Objective::FdSsm(FdSsm::new(2, 0.1).expect("epsilon"));
    for (net, activation) in ["1-6-5-1", "2-7-5-1", "5-3-4-1"].into_iter().flat_map(|n| Activation::ALL.map(|a| (n, a)))
    {
        let model = steep_network(net, activation, 39);
        for epsilon in [0.01, 0.1, 1.0] {
            let mut batch = Batch::new(7, 2, model.spec.dim());
            batch.probes = directions_of_length(epsilon, 14, model.spec.dim(), 30);
            eprintln!("{net} {} {epsilon}", activation.name());
            let want = batch.run(&reference, &model, &fd);
            let agree = |losses: &[f64], gradient: &[f64], bound: f64, what: &str| {
                let abs = [&want.losses, &want.gradient].map(|v| bound * scale(v));
                assert!(
                    worst(losses, &want.losses, 0.0, abs[0]) <= 1.0,
                    "losses of {what}, {net} {}",
                    activation.name()
                );
                assert!(
                    worst(gradient, &want.gradient, 0.0, abs[1]) <= 1.0,
                    "gradient, {what}, {net} {}",
                    activation.name()
                );
            };
            let [losses, gradient] = batch.dual(&model, &fd);
            // 1e-16 of energies, over ε²
            agree(&losses, &gradient, 1e-14 / (epsilon * epsilon), "the definition");
            // f32 knows where a kink is to 6e-8 of the terms of z, and that moves the loss by as much over the step
            let bound = if activation.is_smooth() { 2e-6 } else { 2e-6_f64.max(1e-7 / epsilon) };
            let found = batch.run(&cpu, &model, &fd);
            agree(&found.losses, &found.gradient, bound, "f32");
        }
    }
}

/// With short probes, finite differences are sliced score matching with the same directions at length √d; on every engine,
/// since nothing is lost in them.
#[test]
fn shortest_probes_are_sliced_score_matching() {
    let (reference, cpu) = (reference(), Cpu::new().expect("threads"));
    let fd = Objective::FdSsm(FdSsm::new(2, 0.1).expect("epsilon"));
    let ssm = Objective::Ssm(Probes::new(2, ProbeLaw::Sphere).expect("probes"));
    for activation in smooth() {
        let model = steep_network("3-9-6-1", activation, 40);
        let mut batch = Batch::new(7, 2, 3);
        // the fourth derivatives of a steep network are some thousand times the second: times ε²
        for (engine, epsilon, bound) in [(&reference as &dyn Engine, 1e-6, 1e-8), (&cpu, 1e-5, 5e-6)] {
            batch.probes = directions_of_length(3.0_f64.sqrt(), 14, 3, 30);
            let want = batch.run(engine, &model, &ssm);
            batch.probes.values_mut().iter_mut().for_each(|v| *v *= epsilon);
            let got = batch.run(engine, &model, &fd);
            eprintln!("{} {}", engine.name(), activation.name());
            let abs = [&want.losses, &want.gradient].map(|v| bound * scale(v));
            assert!(worst(&got.losses, &want.losses, 0.0, abs[0]) <= 1.0, "losses, {}", activation.name());
            assert!(worst(&got.gradient, &want.gradient, 0.0, abs[1]) <= 1.0, "gradient, {}", activation.name());
        }
    }
}

#[test]
fn a_network_at_one_level_is_the_conditional_one() {
    let reference = reference();
    for conditioning in [Conditioning::Scale, Conditioning::Concat] {
        for (net, head) in [("3-7-2-1", Head::Energy), ("3-7-2-3", Head::Score)] {
            let model = network_of(net, Activation::Tanh, head, conditioning, 38);
            let points = normal_points(5, 3, 29);
            for sigma in [0.1, 2.0] {
                let got = reference.score(&model.at(sigma), &points).expect("score");
                let score = |x: &[f64]| -> Vec<f64> {
                    match head {
                        Head::Energy => (0..3).map(|n| -line(&model, x, &unit(3, n), sigma, 0)[0][1].re).collect(),
                        Head::Score => line(&model, x, &[0.0; 3], sigma, 0).iter().map(|s| s[0].re).collect(),
                    }
                };
                let want: Vec<f64> = points.rows().flat_map(score).collect();
                assert!(worst(got.values(), &want, 1e-12, 1e-12) <= 1.0, "{} {net}", conditioning.name());
            }
            assert!(reference.score(&model, &points).is_err(), "no level, no score");
        }
    }
}

#[test]
fn what_is_not_defined_is_refused() {
    let probes = Probes::new(1, ProbeLaw::Rademacher).expect("probes");
    for activation in [Activation::Relu, Activation::LeakyRelu] {
        for (net, head) in [("2-5-1", Head::Energy), ("2-5-2", Head::Score)] {
            let spec = network_of(net, activation, head, Conditioning::None, 1).spec;
            for objective in [Objective::Esm, Objective::Ssm(probes), Objective::SsmVr(probes)] {
                let error = objective.check(&spec).expect_err("kinks").to_string();
                assert!(error.contains(activation.name()) && error.contains(objective.name()), "{error}");
            }
        }
    }
    let fd = Objective::FdSsm(FdSsm::new(1, 0.1).expect("epsilon"));
    assert!(fd.check(&network_of("2-5-2", Activation::Silu, Head::Score, Conditioning::None, 1).spec).is_err());
    for conditioning in [Conditioning::Scale, Conditioning::Concat] {
        let spec = network_of("2-5-1", Activation::Silu, Head::Energy, conditioning, 1).spec;
        assert!(Objective::Esm.check(&spec).is_err() && fd.check(&spec).is_err());
        assert!(contrasting(2).iter().all(|(objective, _)| objective.check(&spec).is_err()));
    }
    let relu = |net, head| network_of(net, Activation::Relu, head, Conditioning::None, 1).spec;
    for (objective, _) in contrasting(2) {
        let error = objective.check(&relu("2-5-2", Head::Score)).expect_err("no energy").to_string();
        assert!(error.contains(objective.name()) && error.contains("energies"), "{error}");
        objective.check(&relu("2-5-1", Head::Energy)).expect("values alone are differentiated");
    }
    // a law in 2 dimensions for a network of 3
    let nce = &contrasting(2)[5].0;
    assert!(nce.check(&relu("3-5-1", Head::Energy)).expect_err("2 of 3").to_string().contains("in 2 dimensions"));
    assert!(ProbeLaw::by_name("unit-sphere").is_err());
}
