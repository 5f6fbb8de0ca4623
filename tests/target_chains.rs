//! Chains on analytic targets: the engines agree, every target's law stays what it is, and exchanges between temperatures
//! restore the weights of modes that single chains cannot.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{distance, gpu, normal_below, normal_points, scale, worst};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::{Engine, Fares, advance_by};
use ebm_gpu::points::Points;
use ebm_gpu::random::{Seed, Stream, pick};
use ebm_gpu::sampler::{Adaptation, Bounds, Hamiltonian, Langevin, Transition, Wall};
use ebm_gpu::target::{NAMES, Target};

const SEED: Seed = Seed(91);
/// A distance exceeds this once in 100,000 seeds, 2 exp(−2 · 2.471²) = 1e-5: with two
/// marginals of fourteen targets on two engines, a false alarm comes once in some 1800.
const LIMIT: f64 = 2.471;

fn run(engine: &dyn Engine, target: &Target, transition: &Transition, start: &Points, steps: u64) -> (Points, Fares) {
    let mut chains = engine.chains(target.into(), transition, start, SEED).expect("chains");
    advance_by(chains.as_mut(), steps).expect("steps");
    (chains.positions().expect("positions"), chains.fares().expect("fares"))
}

fn mirrors(target: &Target) -> Option<Bounds> {
    target.bounds().map(|[low, high]| Bounds::new(low, high, Wall::Reflect).expect("box"))
}

fn hmc(target: &Target, step: f64, leapfrogs: u32) -> Hamiltonian {
    Hamiltonian::new(step, leapfrogs, 1.0).and_then(|h| h.within(mirrors(target))).expect("sampler")
}

#[test]
fn chains_are_those_of_the_reference() {
    let (reference, cpu, gpu) = (Reference::new().expect("threads"), Cpu::new().expect("threads"), gpu());
    for name in NAMES {
        for dim in [None, Some(5)] {
            let Ok(target) = Target::by_name(name, dim) else { continue };
            let count = 261;
            let mut start = normal_points(count, target.dim(), 92);
            start.values_mut().iter_mut().for_each(|x| *x = f64::from((0.8 * *x) as f32));
            let langevin = Langevin { bounds: mirrors(&target), ..Langevin::new(1e-3, 1.0).expect("sampler") };
            let transitions: [Transition; 2] = [langevin.into(), hmc(&target, 0.02, 3).into()];
            for transition in &transitions {
                let (want, expected) = run(&reference, &target, transition, &start, 8);
                for engine in [&cpu as &dyn Engine, &gpu] {
                    let (got, fares) = run(engine, &target, transition, &start, 8);
                    let what = format!("{} {name} in {} coordinates", engine.name(), target.dim());
                    // rounding of 6e-8 in energies of up to some hundreds, and of slopes of that size times the step
                    let abs = 2e-5 * scale(want.values()).max(1.0);
                    assert!(worst(got.values(), want.values(), 0.0, abs) <= 1.0, "{what}");
                    if let (Some(got), Some(want)) = (&fares.acceptance, &expected.acceptance) {
                        let energies = expected.energies.as_ref().map_or(1.0, |e| scale(e).max(1.0));
                        assert!(worst(got, want, 0.0, 4e-6 * energies) <= 1.0, "{what}: acceptance");
                    }
                }
            }
        }
    }
}

/// Cells of a grid along an axis.
const CELLS: usize = 1600;

/// A law in the plane on a fine grid: what is drawn from it has errors of the square of a cell over the law's width.
struct OnGrid {
    low: [f64; 2],
    width: [f64; 2],
    /// The mass of all cells up to this one, the last coordinate fastest.
    below: Vec<f64>,
    /// The mass up to each edge of the cells of an axis.
    marginals: [Vec<f64>; 2],
}

impl OnGrid {
    fn new(target: &Target, extent: [[f64; 2]; 2]) -> Self {
        let low = [extent[0][0], extent[1][0]];
        let width = [0, 1].map(|n: usize| (extent[n][1] - extent[n][0]) / CELLS as f64);
        let mut g = [0.0; 2];
        let at = |i: usize, j: usize| [low[0] + (i as f64 + 0.5) * width[0], low[1] + (j as f64 + 0.5) * width[1]];
        let energies: Vec<f64> =
            (0..CELLS * CELLS).map(|c| target.energy::<f64>(&at(c / CELLS, c % CELLS), &mut g)).collect();
        let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
        let mass: Vec<f64> = energies.iter().map(|e| (least - e).exp()).collect();
        let all: f64 = mass.iter().sum();
        let running = |values: Vec<f64>| {
            let mut sum = 0.0;
            let rest = values.into_iter().map(|v| {
                sum += v / all;
                sum
            });
            std::iter::once(0.0).chain(rest).collect::<Vec<_>>()
        };
        let rows = (0..CELLS).map(|i| mass[i * CELLS..(i + 1) * CELLS].iter().sum()).collect();
        let columns = (0..CELLS).map(|j| (0..CELLS).map(|i| mass[i * CELLS + j]).sum()).collect();
        let marginals = [running(rows), running(columns)];
        Self { low, width, below: running(mass), marginals }
    }

    fn draw(&self, count: usize) -> Points {
        let mut values = Vec::new();
        for i in 0..count as u32 {
            let words = SEED.words(Stream::Start, i, 0, 0);
            let uniform = |word: u32| (f64::from(word) + 0.5) / 4_294_967_296.0;
            let place = uniform(words[0]) + (uniform(words[3]) - 0.5) / 4_294_967_296.0;
            let cell = self.below.partition_point(|b| *b < place).clamp(1, CELLS * CELLS) - 1;
            values.push(self.low[0] + ((cell / CELLS) as f64 + uniform(words[1])) * self.width[0]);
            values.push(self.low[1] + ((cell % CELLS) as f64 + uniform(words[2])) * self.width[1]);
        }
        Points::new(2, values)
    }

    fn share_below(&self, n: usize, x: f64) -> f64 {
        let place = ((x - self.low[n]) / self.width[n]).clamp(0.0, CELLS as f64);
        let i = (place as usize).min(CELLS - 1);
        let edges = &self.marginals[n];
        edges[i] + (edges[i + 1] - edges[i]) * (place - i as f64)
    }
}

/// A box that holds all of a law's mass but some 1e-8.
fn extent(name: &str) -> [[f64; 2]; 2] {
    match name {
        "gmm" => [[-6.0, 16.0]; 2],
        "gmm-ncsn" => [[-11.0, 11.0]; 2],
        "banana" => [[-6.0, 6.0], [-18.0, 6.5]],
        "double-well" => [[-2.6, 2.6]; 2],
        "rosenbrock" => [[-16.0, 18.0], [-2.0, 330.0]],
        "rastrigin" => [[-5.12, 5.12]; 2],
        "ackley" => [[-32.768, 32.768]; 2],
        "himmelblau" => [[-6.0, 6.0]; 2],
        _ => [[-4.0, 4.0]; 2],
    }
}

/// Chains that start in the law are in it after any number of steps, whether they mix or not. The step is adapted first, so
/// that a good share is refused.
fn leaves_every_law_in_place(engine: &dyn Engine, count: usize, steps: u64) {
    for name in NAMES {
        let target = match *name {
            "gaussian" => Target::gaussian(vec![1.0, -2.0], vec![2.0, 1.2, 1.2, 1.0]).expect("covariance"),
            name => Target::by_name(name, Some(2)).expect("target"),
        };
        let z = normal_points(count, 2, 93);
        let exact = |transform: &dyn Fn(&[f64]) -> [f64; 2]| Points::new(2, z.rows().flat_map(transform).collect());
        let grid = (!matches!(*name, "gaussian" | "funnel")).then(|| OnGrid::new(&target, extent(name)));
        let start = match *name {
            // Cholesky of the covariance
            "gaussian" => exact(&|z| {
                let a = 2.0_f64.sqrt();
                let b = 1.2 / a;
                [1.0 + a * z[0], -2.0 + b * z[0] + (1.0 - b * b).sqrt() * z[1]]
            }),
            "funnel" => exact(&|z| [3.0 * z[0], (1.5 * z[0]).exp() * z[1]]),
            _ => grid.as_ref().expect("grid").draw(count),
        };
        let few = Points::new(2, start.values()[..2 * 400].to_vec());
        let plain = hmc(&target, 0.1, 3);
        let adapting = Hamiltonian { adaptation: Some(Adaptation { target: 0.7 }), ..plain.clone() };
        let mut factors =
            run(&Cpu::new().expect("threads"), &target, &adapting.into(), &few, 150).1.factors.expect("f");
        factors.sort_by(f64::total_cmp);
        let h = Hamiltonian { step: plain.step * factors[200], ..plain };
        let (samples, fares) = run(engine, &target, &h.into(), &start, steps);
        let acceptance = fares.acceptance.expect("acceptance");
        let mean = acceptance.iter().sum::<f64>() / acceptance.len() as f64;
        assert!((0.3..0.99).contains(&mean), "{name}: acceptance {mean} proves little");
        let moved = samples.values().iter().zip(start.values()).filter(|(a, b)| a != b).count();
        assert!(moved > count, "{name}: chains stood still");
        for n in 0..2 {
            let coordinate = samples.rows().map(|x| match (*name, n) {
                ("gaussian", 0) => (x[0] - 1.0) / 2.0_f64.sqrt(),
                ("gaussian", _) => x[1] + 2.0,
                ("funnel", 0) => x[0] / 3.0,
                ("funnel", _) => x[1] / (0.5 * x[0]).exp(),
                _ => x[n],
            });
            let found = match &grid {
                Some(grid) => distance(coordinate, |x| grid.share_below(n, x)),
                None => distance(coordinate, normal_below),
            };
            eprintln!("{} {name} x{}: {found:.3} of {LIMIT}, acceptance {mean:.3}", engine.name(), n + 1);
            assert!(found <= LIMIT, "{} {name} x{}: distance {found}", engine.name(), n + 1);
        }
    }
}

#[test]
fn the_cpu_engine_leaves_every_law_in_place() {
    leaves_every_law_in_place(&Cpu::new().expect("threads"), 30_000, 30);
}

#[test]
fn the_gpu_engine_leaves_every_law_in_place() {
    leaves_every_law_in_place(&gpu(), 5_000, 12);
}

/// Chains in two modes 14 standard deviations apart stay where they started; exchanges with hotter chains move the weight.
fn tempering_restores_weights(engine: &dyn Engine, count: usize) {
    let target = Target::by_name("gmm", None).expect("target");
    let ladder = vec![30.0, 15.0, 5.0, 2.0, 1.0];
    let replicas = ladder.len();
    let tempered = hmc(&target, 0.6, 6).at(ladder, 2).expect("ladder");
    let uniform = |columns: usize| {
        let place = |i: u32| f64::from(pick(SEED.words(Stream::Start, i, 0, 0)[0], 20_000)) / 1e3 - 5.0;
        Points::new(2, (0..2 * columns as u32).map(place).collect())
    };
    let share = |samples: &Points, skip: usize, every: usize| {
        let cold = samples.rows().skip(skip).step_by(every);
        cold.filter(|x| x[0] + x[1] > 10.0).count() as f64 / count as f64
    };
    let (alone, _) = run(engine, &target, &hmc(&target, 0.6, 6).into(), &uniform(count), 150);
    let (together, fares) = run(engine, &target, &tempered.into(), &uniform(count * replicas), 150);
    let error = (0.8 * 0.2 / count as f64).sqrt();
    let (without, with) = (share(&alone, 0, 1), share(&together, replicas - 1, replicas));
    assert!((without - 0.5).abs() < 0.05 + 5.0 * error, "single chains: {without}");
    assert!((with - 0.8).abs() < 5.0 * error, "exchanges: {with}, not 0.8 to {}", 5.0 * error);
    assert!(fares.exchanges.iter().all(|e| (0.1..0.95).contains(e)), "{:?}", fares.exchanges);
}

#[test]
fn exchanges_of_the_cpu_engine_restore_the_weights_of_modes() {
    tempering_restores_weights(&Cpu::new().expect("threads"), 4000);
}

#[test]
fn exchanges_of_the_gpu_engine_restore_the_weights_of_modes() {
    tempering_restores_weights(&gpu(), 400);
}

/// On N(0, 1) the stationary variance of the unadjusted chain is 1/(1 − η/2); with noise of √η, as one published program has
/// it, half of that.
#[test]
fn the_unadjusted_chain_has_its_biased_variance() {
    let target = Target::by_name("gaussian", Some(1)).expect("target");
    let (count, cpu) = (40_000, Cpu::new().expect("threads"));
    let start = normal_points(count, 1, 97);
    for (eta, noise, want) in [(0.5, None, 1.0 / 0.75), (1.2, None, 2.5), (0.1, Some(0.1_f64.sqrt()), 0.5 / 0.95)] {
        let langevin = Langevin::new(eta, 1.0).expect("sampler");
        let langevin = noise.map_or(Ok(langevin), |noise| langevin.with_noise(noise)).expect("noise");
        let (points, _) = run(&cpu, &target, &langevin.into(), &start, 120);
        let variance = points.values().iter().map(|x| x * x).sum::<f64>() / count as f64;
        // five standard errors of a variance of normal numbers
        let bound = 5.0 * want * (2.0 / count as f64).sqrt();
        assert!((variance - want).abs() < bound, "eta {eta}: {variance}, want {want} to {bound}");
    }
}

/// Acceptance and moments of MALA on the banana at η = 0.05 (a paper's h is 2η).
#[test]
fn mala_on_the_banana_accepts_what_is_known() {
    let target = Target::by_name("banana", None).expect("target");
    let (count, cpu) = (20_000, Cpu::new().expect("threads"));
    let start = normal_points(count, 2, 98);
    let mala: Transition = Hamiltonian::langevin(0.05, 1.0).expect("sampler").into();
    let (points, fares) = run(&cpu, &target, &mala, &start, 800);
    let acceptance = fares.acceptance.expect("acceptance").iter().sum::<f64>() / count as f64;
    assert!((acceptance - 0.986).abs() < 0.005, "acceptance {acceptance}");
    let mean = |f: &dyn Fn(&[f64]) -> f64| points.rows().map(f).sum::<f64>() / count as f64;
    let [x, y] = [mean(&|x| x[0]), mean(&|x| x[1])];
    let [u, v] = [mean(&|p| (p[0] - x).powi(2)), mean(&|p| (p[1] - y).powi(2))];
    // five standard errors of 20,000 draws; the fourth moment of x2 is 15
    assert!(x.abs() < 0.036 && y.abs() < 0.044, "means {x} {y}");
    assert!((u - 1.0).abs() < 0.05 && (v - 1.5).abs() < 0.13, "variances {u} {v}");
}
