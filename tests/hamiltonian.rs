//! Chains that accept or reject: the textbook's formula, the exact law, agreement of the engines.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{LIMIT, distance, gpu, gpu_with, network, network_of, normal_points, scale, skewed, worst};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::{Chains, Engine, Fares, advance_by};
use ebm_gpu::model::{Activation, Conditioning, Head, Model};
use ebm_gpu::points::Points;
use ebm_gpu::random::{Seed, Stream, uniform};
use ebm_gpu::sampler::{Adaptation, Bounds, Hamiltonian, Langevin, Transition, Wall};

const SEED: Seed = Seed(71);

fn chains<'a>(engine: &'a dyn Engine, model: &Model, h: &Hamiltonian, start: &Points) -> Box<dyn Chains + 'a> {
    engine.chains(model.into(), &h.clone().into(), start, SEED).expect("chains")
}

fn run(engine: &dyn Engine, model: &Model, h: &Hamiltonian, start: &Points, steps: u64) -> (Points, Fares) {
    let mut chains = chains(engine, model, h, start);
    advance_by(chains.as_mut(), steps).expect("steps");
    (chains.positions().expect("positions"), chains.fares().expect("fares"))
}

/// Roberts and Tweedie's formula with the densities of both proposals, which the kernels do not use.
#[test]
fn one_step_is_the_metropolis_adjusted_langevin_algorithm() {
    let reference = Reference::new().expect("threads");
    let model = network("6-19-1", Activation::Softplus, 72);
    let (count, d, eta, temperature) = (40, 6, 8.0_f64, 0.6_f64);
    let mut start = normal_points(count, d, 73);
    start.values_mut().iter_mut().for_each(|x| *x *= 3.0);
    let energy = |x: &Points| reference.energy(&model, x).expect("energy");
    let score = |x: &Points| reference.score(&model, x).expect("score");
    let s = score(&start);
    let noise = |i: usize, n: usize| SEED.normals::<f64>(Stream::Chain, i as u32, 0, n as u32 / 4)[n % 4];
    let scale = (2.0 * eta * temperature).sqrt();
    let proposal = (0..count * d).map(|j| start.values()[j] + eta * s.values()[j] + scale * noise(j / d, j % d));
    let proposal = Points::new(d, proposal.collect());
    let (e0, e1, s1) = (energy(&start), energy(&proposal), score(&proposal));
    // −ln q(to | from), but for what both directions share
    let cost = |to: &[f64], from: &[f64], s: &[f64]| {
        (0..d).map(|n| (to[n] - from[n] - eta * s[n]).powi(2)).sum::<f64>() / (4.0 * eta * temperature)
    };
    let (mut want, mut refused) = (Vec::new(), 0);
    for i in 0..count {
        let (x, y) = (start.row(i), proposal.row(i));
        let log_ratio = (e0[i] - e1[i]) / temperature + cost(y, x, s.row(i)) - cost(x, y, s1.row(i));
        let u: f64 = uniform(SEED.words(Stream::Accept, i as u32, 0, 0)[0]);
        refused += usize::from(u >= log_ratio.exp());
        want.extend_from_slice(if u < log_ratio.exp() { y } else { x });
    }
    assert!((4..count - 4).contains(&refused), "{refused} refused: the test sees one branch only");
    let h = Hamiltonian::langevin(eta, temperature).expect("sampler");
    let (got, fares) = run(&reference, &model, &h, &start, 1);
    assert!(worst(got.values(), &want, 1e-13, 1e-13) <= 1.0);
    let energies = fares.energies.expect("energies");
    assert!(worst(&energies, &energy(&got), 1e-13, 1e-13) <= 1.0);
}

/// The share of exp(−E/T) below x, between two walls or where it has vanished, by the trapezoidal rule.
struct Exact {
    grid: Vec<f64>,
    below: Vec<f64>,
}

impl Exact {
    fn new(model: &Model, temperature: f64, [low, high]: [f64; 2]) -> Self {
        let cells = 20_000;
        let grid: Vec<f64> = (0..=cells).map(|i| low + (high - low) * f64::from(i) / f64::from(cells)).collect();
        let energies = Reference::new().expect("threads").energy(model, &Points::new(1, grid.clone())).expect("E");
        let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
        let density: Vec<f64> = energies.iter().map(|e| ((least - e) / temperature).exp()).collect();
        let mut below = vec![0.0];
        let mut sum = 0.0;
        for pair in density.windows(2) {
            sum += 0.5 * (pair[0] + pair[1]);
            below.push(sum);
        }
        below.iter_mut().for_each(|b| *b /= sum);
        Self { grid, below }
    }

    fn at(&self, x: f64) -> f64 {
        let (low, high) = (self.grid[0], self.grid[self.grid.len() - 1]);
        let place = ((x - low) / (high - low)).clamp(0.0, 1.0) * (self.grid.len() - 1) as f64;
        let i = (place as usize).min(self.grid.len() - 2);
        self.below[i] + (self.below[i + 1] - self.below[i]) * (place - i as f64)
    }
}

/// MALA and HMC, at two temperatures, with a mass, and between mirrors, with steps so long that a share is refused. The
/// unadjusted chain of the same step is told apart from the law, and so is a wrong temperature.
fn follows_the_exact_law(engine: &dyn Engine, count: usize) {
    let model = skewed();
    let start = normal_points(count, 1, 74);
    let mirrors = Bounds::new(-1.5, 2.0, Wall::Reflect).expect("box");
    let mala = |t| Hamiltonian::langevin(0.8, t).expect("sampler");
    let hmc = Hamiltonian::new(0.9, 3, 1.0).expect("sampler");
    for (what, h, steps, range) in [
        ("mala", mala(1.0), 120, [-30.0, 30.0]),
        ("mala at T = 0.5", mala(0.5), 120, [-30.0, 30.0]),
        ("hmc", hmc.clone(), 60, [-30.0, 30.0]),
        ("hmc with a mass", hmc.clone().with_mass(vec![1.7]).expect("mass"), 60, [-30.0, 30.0]),
        ("hmc between mirrors", hmc.within(Some(mirrors)).expect("box"), 60, [-1.5, 2.0]),
    ] {
        let inside = Points::new(1, start.values().iter().map(|x| x.clamp(range[0], range[1])).collect());
        let (samples, fares) = run(engine, &model, &h, &inside, steps);
        let acceptance = fares.acceptance.expect("acceptance");
        let mean = acceptance.iter().sum::<f64>() / acceptance.len() as f64;
        assert!((0.3..0.97).contains(&mean), "{what}: acceptance {mean} proves little");
        assert_eq!(fares.broken, 0);
        let exact = Exact::new(&model, h.temperatures[0], range);
        let found = distance(samples.values().iter().copied(), |x| exact.at(x));
        eprintln!("{} {what}: {found:.3} of {LIMIT}, acceptance {mean:.3}", engine.name());
        assert!(found <= LIMIT, "{} {what}: distance {found}", engine.name());
        if range[0] < -2.0 {
            let colder = Exact::new(&model, 0.6 * h.temperatures[0], range);
            let found = distance(samples.values().iter().copied(), |x| colder.at(x));
            assert!(found > 1.5 * LIMIT, "{what}: T is not told apart: {found}");
        }
    }
    let langevin = Langevin::new(0.8, 1.0).expect("sampler");
    let mut chains = engine.chains((&model).into(), &langevin.into(), &start, SEED).expect("chains");
    advance_by(chains.as_mut(), 120).expect("steps");
    let samples = chains.positions().expect("positions");
    let exact = Exact::new(&model, 1.0, [-30.0, 30.0]);
    let found = distance(samples.values().iter().copied(), |x| exact.at(x));
    assert!(found > 1.5 * LIMIT, "the unadjusted chain is not told apart: {found}");
}

#[test]
fn chains_of_the_cpu_engine_follow_the_exact_law() {
    follows_the_exact_law(&Cpu::new().expect("threads"), 40_001);
}

#[test]
fn chains_of_the_gpu_engine_follow_the_exact_law() {
    follows_the_exact_law(&gpu(), 3_001);
}

/// Plain, with mass and mirrors, adapting, and with replicas; sizes that fit no tile.
fn cases(d: usize) -> Vec<(&'static str, Hamiltonian)> {
    let hmc = Hamiltonian::new(0.3, 3, 0.8).expect("sampler");
    let mass = (0..d).map(|n| 0.5 + 0.4 * n as f64).collect();
    let mirrors = Bounds::new(-1.0, 1.2, Wall::Reflect).expect("box");
    let adaptive = Hamiltonian { adaptation: Some(Adaptation { target: 0.7 }), ..hmc.clone() };
    let tempered = Hamiltonian::langevin(0.1, 1.0).expect("sampler").at(vec![4.0, 2.0, 1.0], 3).expect("ladder");
    vec![
        ("mala", Hamiltonian::langevin(0.2, 1.0).expect("sampler")),
        ("mass and mirrors", hmc.with_mass(mass).expect("mass").within(Some(mirrors)).expect("box")),
        ("adapting", adaptive),
        ("tempered", tempered),
    ]
}

#[test]
fn chains_are_those_of_the_reference() {
    let (reference, cpu, gpu) = (Reference::new().expect("threads"), Cpu::new().expect("threads"), gpu());
    for (net, count) in [("1-16-1", 6), ("6-19-13-1", 69), ("37-24-1", 33)] {
        let model = network(net, Activation::Silu, 75);
        let d = model.spec.dim();
        let start = normal_points(count, d, 76);
        for (what, h) in cases(d) {
            let (want, expected) = run(&reference, &model, &h, &start, 10);
            for engine in [&cpu as &dyn Engine, &gpu] {
                let (got, fares) = run(engine, &model, &h, &start, 10);
                let at = format!("{} {what} {net}", engine.name());
                // ten steps of up to three leapfrogs, each with rounding of some 6e-8 and noise good to 1.2e-6 of its scale
                // adaptation adds up some ten times the error of an acceptance in the logarithm of the step
                let bound = if what == "adapting" { 2e-4 } else { 2e-5 };
                let abs = bound * scale(want.values());
                assert!(worst(got.values(), want.values(), 0.0, abs) <= 1.0, "{at}");
                let pairs = [
                    (&fares.acceptance, &expected.acceptance, "acceptance"),
                    (&fares.factors, &expected.factors, "factors"),
                    (&fares.energies, &expected.energies, "energies"),
                ];
                for (got, want, of) in pairs {
                    let (got, want) = (got.as_ref().expect("a value"), want.as_ref().expect("a value"));
                    assert!(worst(got, want, 0.0, bound * scale(want).max(1.0)) <= 1.0, "{at}: {of}");
                }
                assert_eq!(fares.exchanges, expected.exchanges, "{at}");
                assert_eq!(fares.exchanges.is_empty(), what != "tempered");
            }
        }
    }
}

/// Of every coldest replica, on more chains than a workgroup or a tile has, and for chains without states.
#[test]
fn moments_are_those_of_all_chains() {
    let model = network("3-17-1", Activation::Softplus, 86);
    let (cpu, gpu, few) = (Cpu::new().expect("threads"), gpu(), common::gpu_of_workgroups(1));
    let start = normal_points(3 * 700, 3, 87);
    let langevin = ("ula", Transition::from(Langevin::new(0.1, 1.0).expect("sampler")), 1);
    let accepting = cases(3).into_iter().map(|(what, h)| (what, Transition::from(h.clone()), h.replicas()));
    for (what, transition, replicas) in accepting.chain([langevin]) {
        for engine in [&cpu as &dyn Engine, &gpu, &few] {
            let mut chains = engine.chains((&model).into(), &transition, &start, SEED).expect("chains");
            advance_by(chains.as_mut(), 7).expect("steps");
            let (moments, all) = (chains.moments().expect("moments"), chains.positions().expect("positions"));
            let cold: Vec<&[f64]> = all.rows().skip(replicas - 1).step_by(replicas).collect();
            assert_eq!(chains.first(5).expect("points").values(), cold[..5].concat(), "{what}");
            assert_eq!(chains.first(1 << 20).expect("points").values(), cold.concat(), "{what}");
            let mean = |f: &dyn Fn(&[f64]) -> f64| cold.iter().map(|x| f(x)).sum::<f64>() / cold.len() as f64;
            let means: Vec<f64> = (0..3).map(|n| mean(&|x| x[n])).collect();
            let variances: Vec<f64> = (0..3).map(|n| mean(&|x| (x[n] - means[n]).powi(2))).collect();
            let acceptance = chains.fares().expect("fares").acceptance;
            let of_cold = |a: Vec<f64>| {
                let cold: Vec<f64> = a.into_iter().skip(replicas - 1).step_by(replicas).collect();
                cold.iter().sum::<f64>() / cold.len() as f64
            };
            let want = [means, variances, acceptance.map(of_cold).into_iter().collect()].concat();
            let got = [moments.mean, moments.variance, moments.acceptance.into_iter().collect()].concat();
            // sums of 700 numbers in f32, in parts
            assert!(worst(&got, &want, 1e-6, 1e-6) <= 1.0, "{} {what}: {got:?}, {want:?}", engine.name());
        }
    }
}

/// The mean of |ΔH| of a trajectory of fixed length goes with ε², and with it the share that is refused.
#[test]
fn the_energy_error_goes_with_the_square_of_the_step() {
    let model = skewed();
    let cpu = Cpu::new().expect("threads");
    let start = normal_points(20_000, 1, 77);
    let refused = |step: f64, leapfrogs: u32| {
        let h = Hamiltonian::new(step, leapfrogs, 1.0).expect("sampler");
        let mut chains = chains(&cpu, &model, &h, &start);
        advance_by(chains.as_mut(), 60).expect("settled");
        chains.fares().expect("a report of the start");
        advance_by(chains.as_mut(), 40).expect("steps");
        let acceptance = chains.fares().expect("fares").acceptance.expect("acceptance");
        let mean = 1.0 - acceptance.iter().sum::<f64>() / acceptance.len() as f64;
        let variance = acceptance.iter().map(|a| (1.0 - a - mean).powi(2)).sum::<f64>() / acceptance.len() as f64;
        (mean, (variance / acceptance.len() as f64).sqrt())
    };
    let ((coarse, coarse_error), (fine, fine_error)) = (refused(0.2, 4), refused(0.1, 8));
    let ratio = coarse / fine;
    // five standard errors, and the next power of ε, which changes the ratio by O(ε²)
    let bound = 5.0 * ratio * (coarse_error / coarse).hypot(fine_error / fine) + 0.2;
    assert!((ratio - 4.0).abs() < bound, "{coarse} over {fine} is {ratio}, not 4 to {bound}");
}

#[test]
fn adaptation_finds_the_acceptance_that_is_asked_for() {
    let model = skewed();
    let cpu = Cpu::new().expect("threads");
    let start = normal_points(2_000, 1, 78);
    for (step, target) in [(0.001, 0.8), (30.0, 0.6)] {
        let plain = Hamiltonian::new(step, 2, 1.0).expect("sampler");
        let adapting = Hamiltonian { adaptation: Some(Adaptation { target }), ..plain.clone() };
        let mut chains = chains(&cpu, &model, &adapting, &start);
        advance_by(chains.as_mut(), 600).expect("adaptation");
        chains.change((&model).into(), &plain.into()).expect("the end of adaptation");
        chains.fares().expect("a report of the adaptation");
        advance_by(chains.as_mut(), 400).expect("steps");
        let fares = chains.fares().expect("fares");
        let acceptance = fares.acceptance.expect("acceptance");
        let mean = acceptance.iter().sum::<f64>() / acceptance.len() as f64;
        // 600 steps leave each chain a factor that is off at random, by some percent
        assert!((mean - target).abs() < 0.05, "from a step of {step}: {mean} for {target}");
        let again = chains_after(&cpu, &model, &adapting, &start, 600);
        let few = Points::new(1, start.values()[..5].to_vec());
        let alone = chains_after(&cpu, &model, &adapting, &few, 600);
        assert_eq!(again[..5], alone[..], "a chain's factor depends on the others");
    }
}

fn chains_after(engine: &dyn Engine, model: &Model, h: &Hamiltonian, start: &Points, steps: u64) -> Vec<f64> {
    run(engine, model, h, start, steps).1.factors.expect("factors")
}

#[test]
fn chains_depend_neither_on_their_number_nor_on_submissions() {
    let model = network("3-17-1", Activation::Softplus, 79);
    let many = normal_points(141, 3, 80);
    let few = Points::new(3, many.values()[..9 * 3].to_vec());
    let (cpu, whole, cut) = (Cpu::new().expect("threads"), gpu(), gpu_with(1.0));
    for (what, h) in cases(3) {
        for engine in [&cpu as &dyn Engine, &whole] {
            let (all, some) = (run(engine, &model, &h, &many, 13).0, run(engine, &model, &h, &few, 13).0);
            assert_eq!(all.values()[..27], *some.values(), "{} {what}", engine.name());
        }
        let (at_once, fares) = run(&whole, &model, &h, &many, 13);
        let mut pieces = chains(&cut, &model, &h, &many);
        for steps in [1, 4, 2, 6] {
            advance_by(pieces.as_mut(), steps).expect("steps");
        }
        assert_eq!(pieces.positions().expect("positions"), at_once, "{what}");
        assert_eq!(pieces.fares().expect("fares").exchanges, fares.exchanges, "{what}");
    }
}

#[test]
fn what_has_no_energy_or_no_balance_is_refused() {
    let cpu = Cpu::new().expect("threads");
    let field = network_of("2-8-2", Activation::Silu, Head::Score, Conditioning::None, 81);
    let mala: Transition = Hamiltonian::langevin(0.1, 1.0).expect("sampler").into();
    let start = normal_points(4, 2, 82);
    let says = |result: Result<Box<dyn Chains + '_>, ebm_gpu::error::Error>| match result {
        Ok(_) => panic!("not refused"),
        Err(e) => e.to_string(),
    };
    assert!(says(cpu.chains((&field).into(), &mala, &start, SEED)).contains("has no energy"));
    let model = network("2-8-1", Activation::Silu, 83);
    let tempered = Hamiltonian::langevin(0.1, 1.0).expect("sampler").at(vec![2.0, 1.5, 1.0], 5).expect("ladder");
    let uneven = says(cpu.chains((&model).into(), &tempered.into(), &start, SEED));
    assert!(uneven.contains("4 starting points for chains of 3 replicas"), "{uneven}");
    let masses = Hamiltonian::new(0.1, 1, 1.0).and_then(|h| h.with_mass(vec![1.0; 3])).expect("sampler");
    assert!(says(cpu.chains((&model).into(), &masses.into(), &start, SEED)).contains("3 masses for 2 coordinates"));
    let clamp = Bounds::new(-1.0, 1.0, Wall::Clamp).expect("box");
    assert!(Hamiltonian::new(0.1, 1, 1.0).and_then(|h| h.within(Some(clamp))).is_err());
    for (step, leapfrogs, temperature) in [(0.0, 1, 1.0), (0.1, 0, 1.0), (0.1, 1, 0.0), (f64::NAN, 1, 1.0)] {
        assert!(Hamiltonian::new(step, leapfrogs, temperature).is_err());
    }
    let mut chains = cpu.chains((&model).into(), &mala, &start, SEED).expect("chains");
    let langevin = Langevin::new(0.1, 1.0).expect("sampler").into();
    assert!(chains.change((&model).into(), &langevin).is_err());
}

/// The engine looks at the clock ever less often while steps are quick: many calls for one step each must not mislead it.
#[test]
fn a_thousand_short_calls_are_a_long_one() {
    let model = network("1-4-1", Activation::Softplus, 84);
    let cpu = Cpu::new().expect("threads");
    let h = Hamiltonian::langevin(0.1, 1.0).expect("sampler");
    let start = normal_points(3, 1, 85);
    let mut chains = chains(&cpu, &model, &h, &start);
    for _ in 0..1000 {
        advance_by(chains.as_mut(), 1).expect("a step");
    }
    assert_eq!(chains.positions().expect("positions"), run(&cpu, &model, &h, &start, 1000).0);
}
