//! Langevin chains against the exact law of the unadjusted algorithm, which is not exp(−E/T).

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{LIMIT, distance, gpu, network, normal_points, scale, skewed, worst};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::{Engine, Fares, advance_by};
use ebm_gpu::error::Result;
use ebm_gpu::model::{Activation, Model};
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;
use ebm_gpu::sample::{Frames, Listen, Sampled, SamplingPlan, SamplingState, Stage, read_sampling, write_sampling};
use ebm_gpu::sampler::{Hamiltonian, Langevin, Transition};

/// Chains, not a multiple of any tile.
const CHAINS: usize = 30_001;
/// Enough to forget the start: the transition settles to 1e-10 in about as many, so that 1e-8 of the start is left.
const STEPS: u64 = 100;
/// Large, so that the bias is seen.
const STEP_SIZE: f64 = 0.25;

/// The law of the chain x ← x − drift E′(x) + √variance ξ: a mixture of normals of this variance.
struct Law {
    means: Vec<f64>,
    weights: Vec<f64>,
    variance: f64,
    /// Transitions until nothing changed by 1e-10.
    iterations: u64,
}

impl Law {
    /// Iterates the transition on a grid until it stands still. The grid is more than four times finer than a step's noise, where
    /// the trapezoidal rule is exact to rounding; what lies outside it is below 1e-9.
    fn stationary(model: &Model, drift: f64, variance: f64) -> Self {
        let spacing = 0.08;
        let grid: Vec<f64> = (0..376).map(|i| -20.0 + spacing * f64::from(i)).collect();
        let score = Reference::new().expect("threads").score(model, &Points::new(1, grid.clone())).expect("score");
        let means: Vec<f64> = grid.iter().zip(score.values()).map(|(x, s)| x + drift * s).collect();
        let density = |x: f64, mean: f64| (-(x - mean).powi(2) / (2.0 * variance)).exp();
        let rows: Vec<Vec<f64>> = grid.iter().map(|x| means.iter().map(|m| density(*x, *m)).collect()).collect();
        let mut weights = vec![1.0 / grid.len() as f64; grid.len()];
        for iterations in 1..2000 {
            let mut next: Vec<f64> =
                rows.iter().map(|row| row.iter().zip(&weights).map(|(r, w)| r * w).sum()).collect();
            let total: f64 = next.iter().sum();
            next.iter_mut().for_each(|w| *w /= total);
            let change: f64 = next.iter().zip(&weights).map(|(a, b)| (a - b).abs()).sum();
            weights = next;
            if change < 1e-10 {
                return Self { means, weights, variance, iterations };
            }
        }
        panic!("the transition does not settle");
    }

    fn below(&self, x: f64) -> f64 {
        let scale = (2.0 * self.variance).sqrt();
        self.means.iter().zip(&self.weights).map(|(m, w)| 0.5 * w * libm::erfc((m - x) / scale)).sum()
    }

    fn distance(&self, samples: &Points) -> f64 {
        distance(samples.values().iter().copied(), |x| self.below(x))
    }
}

fn run(engine: &dyn Engine, model: &Model, sampler: &Langevin, start: &Points, steps: u64) -> Points {
    let mut chains = engine.chains(model.into(), &(*sampler).into(), start, Seed(51)).expect("chains");
    advance_by(chains.as_mut(), steps).expect("steps");
    chains.positions().expect("positions")
}

fn follows_its_law(engine: &dyn Engine) {
    let model = skewed();
    let start = normal_points(CHAINS, 1, 52);
    for temperature in [1.0, 0.5] {
        let sampler = Langevin::new(STEP_SIZE, temperature).expect("sampler");
        let samples = run(engine, &model, &sampler, &start, STEPS);
        let variance = 2.0 * STEP_SIZE * temperature;
        let law = Law::stationary(&model, STEP_SIZE, variance);
        assert!(law.iterations < STEPS + STEPS / 4, "{} transitions to settle", law.iterations);
        let distance = law.distance(&samples);
        eprintln!("{} at T = {temperature}: {distance:.3} of {LIMIT}", engine.name());
        assert!(distance <= LIMIT, "{} at T = {temperature}: distance {distance}", engine.name());
        // what other conventions would give is seen at this size
        for (what, drift, variance) in [
            ("noise of variance eta T", STEP_SIZE, variance / 2.0),
            ("half the drift", STEP_SIZE / 2.0, variance),
            ("half the step", STEP_SIZE / 2.0, variance / 2.0),
            ("T in the drift", STEP_SIZE / 2.0 / temperature, 2.0 * STEP_SIZE),
        ] {
            let distance = Law::stationary(&model, drift, variance).distance(&samples);
            eprintln!("    {what}: {distance:.3}");
            assert!(distance > 1.5 * LIMIT, "{what} is not told apart: distance {distance}");
        }
    }
}

#[test]
fn chains_of_the_cpu_engine_follow_their_exact_law() {
    follows_its_law(&Cpu::new().expect("threads"));
}

#[test]
fn chains_of_the_gpu_engine_follow_their_exact_law() {
    follows_its_law(&gpu());
}

#[test]
fn the_test_energy_is_not_symmetric() {
    let law = Law::stationary(&skewed(), STEP_SIZE, 2.0 * STEP_SIZE);
    let mean: f64 = law.means.iter().zip(&law.weights).map(|(m, w)| m * w).sum();
    let moment = |k: i32| law.means.iter().zip(&law.weights).map(|(m, w)| w * (m - mean).powi(k)).sum::<f64>();
    let skewness = moment(3) / moment(2).powf(1.5);
    assert!(skewness < -0.5, "mean {mean}, skewness {skewness}");
}

#[test]
fn chains_are_those_of_the_reference() {
    let (reference, cpu, gpu) = (Reference::new().expect("threads"), Cpu::new().expect("threads"), gpu());
    let sampler = Langevin::new(0.05, 0.7).expect("sampler");
    // 6 coordinates are two blocks of random numbers, 70 chains three tiles of the gpu engine
    for (net, chains) in [("1-16-1", 5), ("6-19-1", 70)] {
        let model = network(net, Activation::Softplus, 53);
        let start = normal_points(chains, model.spec.dim(), 54);
        let want = run(&reference, &model, &sampler, &start, 20);
        for engine in [&cpu as &dyn Engine, &gpu] {
            let got = run(engine, &model, &sampler, &start, 20);
            // each step adds rounding of a few 6e-8 and noise good to 1.2e-6 times its scale of 0.26
            let abs = 1e-6 * scale(want.values());
            assert!(worst(got.values(), want.values(), 0.0, abs) <= 1.0, "{} {net}", engine.name());
        }
    }
}

#[test]
fn one_step_is_the_formula() {
    use ebm_gpu::random::Stream;
    let reference = Reference::new().expect("threads");
    let model = network("6-19-1", Activation::Softplus, 55);
    let start = normal_points(3, 6, 56);
    let sampler = Langevin::new(0.3, 0.4).expect("sampler");
    let score = reference.score(&model, &start).expect("score");
    let xi = (0..3).flat_map(|i| {
        let z = [0, 1].map(|block| Seed(51).normals::<f64>(Stream::Chain, i, 0, block)).concat();
        z.into_iter().take(6)
    });
    let want: Vec<f64> = (start.values().iter().zip(score.values()).zip(xi))
        .map(|((x, s), z)| x + 0.3 * s + (2.0 * 0.3 * 0.4_f64).sqrt() * z)
        .collect();
    let got = run(&reference, &model, &sampler, &start, 1);
    assert!(worst(got.values(), &want, 1e-14, 1e-15) <= 1.0);
}

/// Keeps all that a run shows.
#[derive(Default)]
struct Witness {
    frames: Vec<(u64, Points)>,
    draws: Vec<Points>,
    /// Where the run stood at each opportunity, if that is wanted.
    states: Option<Vec<SamplingState>>,
}

impl Listen for Witness {
    fn steps(&mut self, _: u64) {}

    fn wants_draws(&self) -> bool {
        true
    }

    fn draw(&mut self, positions: &Points) -> Result<()> {
        self.draws.push(positions.clone());
        Ok(())
    }

    fn frame(&mut self, step: u64, positions: &Points) -> Result<()> {
        self.frames.push((step, positions.clone()));
        Ok(())
    }

    fn wants_state(&self) -> bool {
        self.states.is_some()
    }

    fn state(&mut self, state: &SamplingState) -> Result<()> {
        self.states.iter_mut().for_each(|states| states.push(state.clone()));
        Ok(())
    }
}

/// Frames come when they are asked for, show the first chains at the last temperature, and change nothing.
#[test]
fn frames_show_the_chains_as_they_are() {
    let model = network("3-9-1", Activation::Softplus, 57);
    let (chains, seen) = (37, 5);
    let mala = Hamiltonian::langevin(0.1, 1.0).expect("sampler");
    let tempered = mala.clone().at(vec![4.0, 2.0, 1.0], 3).expect("ladder");
    let langevin = Langevin::new(0.1, 1.0).expect("sampler");
    for (transition, replicas) in [(Transition::from(langevin), 1), (mala.into(), 1), (tempered.into(), 3)] {
        let start = normal_points(chains * replicas, 3, 58);
        for engine in [&Cpu::new().expect("threads") as &dyn Engine, &gpu()] {
            let run = |frames: Frames| {
                let stage = Stage { landscape: (&model).into(), transition: transition.clone(), steps: 20 };
                let stages = vec![stage];
                let adapt = None;
                let plan = SamplingPlan { stages, burn_in: 6, adapt, thin: 5, denoise: None, frames, seed: Seed(59) };
                let mut witness = Witness::default();
                let sampled = plan.run(engine, &start, &mut witness).expect("chains");
                (sampled.positions, sampled.fares, witness)
            };
            let steps = vec![0, 1, 6, 11, 13, 26];
            let (plain, plain_fares, unseen) = run(Frames::default());
            let (positions, fares, witness) = run(Frames { chains: seen, steps: steps.clone() });
            assert_eq!(positions, plain, "{}", engine.name());
            assert_eq!((fares.energies, fares.exchanges), (plain_fares.energies, plain_fares.exchanges));
            if let (Some(got), Some(want)) = (fares.acceptance, plain_fares.acceptance) {
                // sums of up to 20 in f32, in another order
                assert!(worst(&got, &want, 0.0, 2e-6) <= 1.0, "{}", engine.name());
            }
            assert_eq!(witness.draws, unseen.draws);
            assert!(unseen.frames.is_empty());
            assert_eq!(witness.frames.iter().map(|f| f.0).collect::<Vec<_>>(), steps);
            let first = |points: &Points, every: usize| {
                let rows = points.rows().skip(every - 1).step_by(every).take(seen);
                Points::new(3, rows.flatten().copied().collect())
            };
            assert_eq!(witness.frames[0].1, first(&start, replicas));
            // 5 steps after burn-in is the first draw
            assert_eq!(witness.frames[3].1, first(&witness.draws[0], 1));
            assert_eq!(witness.frames[5].1, first(&plain, 1));
        }
    }
}

/// Chains that are taken up from any of their states, through a file, end where they would have ended, and have shown the same.
#[test]
fn chains_go_on_from_where_they_were_left() {
    let folder = std::env::temp_dir().join(format!("ebm-gpu-sampling-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let path = folder.join("state.safetensors");
    let model = network("3-9-1", Activation::Softplus, 57);
    let mala = Hamiltonian::langevin(0.1, 1.0).expect("sampler");
    let tempered = mala.clone().at(vec![4.0, 2.0, 1.0], 3).expect("ladder");
    let [wide, narrow] = [0.1, 0.05].map(|step| Transition::from(Langevin::new(step, 1.0).expect("sampler")));
    let cases =
        [(vec![wide, narrow], None, 1), (vec![mala.into()], Some(0.6), 1), (vec![tempered.into()], Some(0.7), 3)];
    let engines = [&Cpu::new().expect("threads") as &dyn Engine, &Reference::new().expect("threads"), &gpu()];
    for (transitions, adapt, replicas) in &cases {
        let start = normal_points(37 * replicas, 3, 58);
        for engine in engines {
            let name = format!("{} {:?}", engine.name(), transitions[0]);
            let stage = |transition: &Transition| Stage {
                landscape: (&model).into(),
                transition: transition.clone(),
                steps: 17,
            };
            let plan = SamplingPlan {
                stages: transitions.iter().map(stage).collect(),
                burn_in: 6,
                adapt: *adapt,
                thin: 5,
                denoise: None,
                frames: Frames { chains: 4, steps: vec![0, 3, 6, 11, 13, 20] },
                seed: Seed(59),
            };
            let mut whole = Witness { states: Some(Vec::new()), ..Default::default() };
            let want = plan.run(engine, &start, &mut whole).expect("chains");
            let states = whole.states.take().expect("wanted");
            assert!(states.len() > 6, "{name}: {}", states.len());
            for state in &states {
                let step = state.chains.step;
                let table = Points::new(2, vec![0.5, 1.0, -0.0, f64::MAX]);
                write_sampling(&path, state, &[("table", table.clone())], &[]).expect("written");
                let (state, tables, _) = read_sampling(&path, &["table", "none"]).expect("readable").expect("whole");
                assert_eq!(tables, [Some(table), None]);
                let mut witness = Witness::default();
                let draws = state.draws();
                let got = plan.resume(engine, &start, Some(state), &mut witness).expect("chains");
                assert!(got.positions == want.positions, "{name} from step {step}");
                assert!(
                    got.fares.energies == want.fares.energies && got.fares.factors == want.fares.factors,
                    "{name} {step}"
                );
                assert!(got.fares.exchanges == want.fares.exchanges, "{name} {step}: exchanges");
                assert!(witness.draws == whole.draws[draws..], "{name} {step}: draws");
                let later: Vec<_> = whole.frames.iter().filter(|(of, _)| *of > step).cloned().collect();
                assert!(witness.frames == later, "{name} {step}: frames");
                let told = |sampled: &Sampled| {
                    let all = sampled.moments.iter().map(|m| (m.step, &m.mean, &m.variance, m.acceptance, m.energy));
                    // as text, since a NaN is no NaN's equal
                    format!("{:?}", (all.collect::<Vec<_>>(), &sampled.diagnostics, sampled.energy, sampled.steps))
                };
                assert_eq!(told(&got), told(&want), "{name} {step}");
            }
        }
    }
    std::fs::remove_dir_all(folder).expect("removable");
}

/// A state is the same on every engine: chains that are taken up on another one end where they would have, up to rounding.
#[test]
fn chains_go_on_on_another_engine() {
    let model = network("3-9-1", Activation::Softplus, 57);
    let mala = Hamiltonian::langevin(0.1, 1.0).expect("sampler");
    let tempered = mala.clone().at(vec![4.0, 2.0, 1.0], 3).expect("ladder");
    let ula = Langevin::new(0.1, 1.0).expect("sampler");
    let (cpu, gpu) = (Cpu::new().expect("threads"), gpu());
    // bindings that hold 8192 columns of a state: what the first group knows of exchanges is not all
    let groups = common::gpu_of_bindings(8192 * 32);
    let engines: [&dyn Engine; 3] = [&cpu, &gpu, &groups];
    for (transition, replicas) in [(Transition::from(ula), 1), (mala.into(), 1), (tempered.into(), 3)] {
        let start = normal_points(2801 * replicas, 3, 58);
        let stages = vec![Stage { landscape: (&model).into(), transition, steps: 100 }];
        let frames = Frames::default();
        let plan = SamplingPlan { stages, burn_in: 6, adapt: None, thin: 5, denoise: None, frames, seed: Seed(59) };
        let runs = engines.map(|engine| {
            let mut witness = Witness { states: Some(Vec::new()), ..Default::default() };
            let sampled = plan.run(engine, &start, &mut witness).expect("chains");
            (sampled, witness.states.take().expect("wanted"))
        });
        for (from, (_, states)) in runs.iter().enumerate() {
            for (to, (want, _)) in runs.iter().enumerate() {
                let state = states.iter().find(|state| state.chains.step > 55).expect("a state of the second half");
                let mut witness = Witness::default();
                let got = plan.resume(engines[to], &start, Some(state.clone()), &mut witness).expect("chains");
                let what = format!("{replicas} replicas, from engine {from} to {to}");
                let near = |got: &[f64], want: &[f64]| {
                    assert!(worst(got, want, 1e-3, 1e-3) <= 1.0, "{what}: {} apart", worst(got, want, 0.0, 1.0));
                };
                near(got.positions.values(), want.positions.values());
                let fared = |sampled: &Sampled| {
                    let Fares { acceptance, energies, factors, .. } = &sampled.fares;
                    [acceptance, energies, factors].into_iter().flatten().flatten().copied().collect::<Vec<_>>()
                };
                near(&fared(&got), &fared(want));
                near(&got.fares.exchanges, &want.fares.exchanges);
                let of = |sampled: &Sampled| {
                    let all = sampled.diagnostics.as_ref().expect("diagnosed");
                    all.coordinates.iter().flat_map(|c| [c.mean, c.bulk_ess / 100.0, c.r_hat]).collect::<Vec<_>>()
                };
                near(&of(&got), &of(want));
            }
        }
    }
}

/// What is told of all chains at a draw is what their positions say; energies are those of the first 128.
#[test]
fn moments_over_time_are_those_of_the_draws() {
    let model = network("2-9-1", Activation::Softplus, 60);
    let (cpu, gpu) = (Cpu::new().expect("threads"), gpu());
    let tempered = Hamiltonian::langevin(8.0, 1.0).expect("sampler").at(vec![4.0, 1.0], 3).expect("ladder");
    let langevin = Langevin::new(0.1, 1.0).expect("sampler");
    for (transition, replicas) in [(Transition::from(langevin), 1), (tempered.into(), 2)] {
        let start = normal_points(150 * replicas, 2, 61);
        for engine in [&cpu as &dyn Engine, &gpu] {
            let stages = vec![Stage { landscape: (&model).into(), transition: transition.clone(), steps: 120 }];
            let frames = Frames::default();
            let plan = SamplingPlan { stages, burn_in: 6, adapt: None, thin: 5, denoise: None, frames, seed: Seed(62) };
            let mut witness = Witness::default();
            let sampled = plan.run(engine, &start, &mut witness).expect("chains");
            assert_eq!((sampled.moments.len(), witness.draws.len()), (24, 24));
            let mut monitored = Vec::new();
            for (moment, draw) in sampled.moments.iter().zip(&witness.draws) {
                for n in 0..2 {
                    let mean = draw.rows().map(|x| x[n]).sum::<f64>() / 150.0;
                    let variance = draw.rows().map(|x| (x[n] - mean).powi(2)).sum::<f64>() / 150.0;
                    let got = [moment.mean[n], moment.variance[n]];
                    assert!(worst(&got, &[mean, variance], 1e-6, 1e-6) <= 1.0, "{} {got:?}", engine.name());
                }
                let some = Points::new(2, draw.values()[..2 * 128].to_vec());
                let energies = engine.energy(&model, &some).expect("energies");
                let mean = energies.iter().sum::<f64>() / 128.0;
                assert!((moment.energy.expect("an energy") - mean).abs() < 1e-6 * mean.abs().max(1.0));
                monitored.extend(energies);
            }
            let told = sampled.energy.expect("energies");
            let mean = monitored.iter().sum::<f64>() / monitored.len() as f64;
            assert!((told.mean - mean).abs() < 1e-6 * mean.abs().max(1.0) && told.r_hat > 0.9);
            let accepted: Option<Vec<f64>> = sampled.moments.iter().map(|m| m.acceptance).collect();
            assert_eq!(accepted.is_some(), replicas == 2);
            if let Some(accepted) = accepted {
                let mean = accepted.iter().sum::<f64>() / 24.0;
                let told = sampled.acceptance().unwrap_or(f64::NAN);
                assert!((mean - told).abs() < 1e-5, "{mean} and {told}");
                assert!(accepted.iter().any(|a| (a - mean).abs() > 1e-3), "acceptance changes over time");
            }
        }
    }
}
