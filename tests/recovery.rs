//! A Gaussian of random covariance is recovered by every objective and head: the trained score against the exact one.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::normal_points;
use ebm_gpu::engine::cpu::Cpu;
use ebm_gpu::engine::{Engine, TrainingPlan, TrainingState};
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec, Model};
use ebm_gpu::objective::{Denoising, FdSsm, Ladder, Objective, ProbeLaw, Probes, Weighting};
use ebm_gpu::optimizer::{Optimizer, Schedule};
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;

/// A symmetric 2 x 2 matrix [[a, b], [b, c]].
#[derive(Clone, Copy)]
struct Symmetric([f64; 3]);

impl Symmetric {
    fn inverse(self) -> Self {
        let [a, b, c] = self.0;
        let det = a * c - b * b;
        Self([c / det, -b / det, a / det])
    }

    fn at(self, i: usize, j: usize) -> f64 {
        self.0[i + j]
    }

    fn times(self, x: &[f64]) -> [f64; 2] {
        let [a, b, c] = self.0;
        [a * x[0] + b * x[1], b * x[0] + c * x[1]]
    }

    fn plus(self, variance: f64) -> Self {
        let [a, b, c] = self.0;
        Self([a + variance, b, c + variance])
    }
}

/// Rows of the data: their covariance is good to √(2 / 20,000), 1 % of itself.
const ROWS: usize = 20_000;

/// A Wishart matrix of three random vectors, scaled to a mean variance of 1, and points A z of that covariance.
fn gaussian(seed: u64, count: usize, draw: u64) -> (Symmetric, Points) {
    let factor = normal_points(3, 2, seed);
    let sum = |i: usize, j: usize| factor.rows().map(|row| row[i] * row[j]).sum::<f64>();
    let scale = (sum(0, 0) + sum(1, 1)) / 2.0;
    let covariance = Symmetric([sum(0, 0), sum(0, 1), sum(1, 1)].map(|x| x / scale));
    let [a, b, c] = covariance.0;
    // the factor of Cholesky
    let (l0, l1) = (a.sqrt(), b / a.sqrt());
    let l2 = (c - l1 * l1).sqrt();
    let z = normal_points(count, 2, draw);
    let x = z.rows().flat_map(|z| [l0 * z[0], l1 * z[0] + l2 * z[1]]).collect();
    (covariance, Points::new(2, x))
}

/// The seed of the covariance.
const COVARIANCE: u64 = 91;
/// Steps of a run at one noise level, and of one whose network has to learn several.
const STEPS: u64 = 1500;
const MANY_STEPS: u64 = 20_000;

/// The trained network at the noise level that the objective aims at.
fn trained(engine: &dyn Engine, objective: &Objective, spec: MlpSpec, data: &Points, seed: u64) -> Model {
    let steps = if objective.name() == "mdsm" { MANY_STEPS } else { STEPS };
    let model = spec.initial(Seed(seed));
    let optimizer = Optimizer { schedule: Schedule::Cosine, ema: 0.99, ..Optimizer::adam(0.01) };
    let plan = TrainingPlan { objective: objective.clone(), batch: 256, optimizer, steps, seed: Seed(seed + 1) };
    let mut training = engine.train(&model, &plan, data, TrainingState::start(&model)).expect("plan");
    let mut done = 0;
    while done < steps {
        done += training.advance(steps).expect("steps").len() as u64;
    }
    let parameters = training.state().expect("state").ema;
    Model { spec, parameters }.at(objective.smoothing())
}

/// How far a score is from −P x, at points x.
struct Distance {
    /// E‖s + P x‖² / E‖P x‖².
    divergence: f64,
    /// The largest entry of the difference between P and the best linear fit to −s, in standard errors of the maximum
    /// likelihood of ROWS rows: √((P_ii P_jj + P_ij²) / ROWS).
    errors: f64,
}

fn distance(precision: Symmetric, points: &Points, score: &Points) -> Distance {
    let (mut off, mut size) = (0.0, 0.0);
    let (mut square, mut cross) = ([0.0; 3], [[0.0; 2]; 2]);
    for (x, s) in points.rows().zip(score.rows()) {
        for ((s, want), row) in s.iter().zip(precision.times(x)).zip(&mut cross) {
            off += (s + want).powi(2);
            size += want * want;
            row.iter_mut().zip(x).for_each(|(sum, x)| *sum -= s * x);
        }
        let products = [x[0] * x[0], x[0] * x[1], x[1] * x[1]];
        square.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
    }
    let inverse = Symmetric(square).inverse();
    let mut errors = 0.0_f64;
    for (i, row) in cross.iter().enumerate() {
        for (j, fit) in inverse.times(row).into_iter().enumerate() {
            let variance = precision.at(i, i) * precision.at(j, j) + precision.at(i, j).powi(2);
            let off = (fit - precision.at(i, j)).abs() / (variance / ROWS as f64).sqrt();
            // a NaN is the worst
            errors = if off.is_nan() { f64::INFINITY } else { errors.max(off) };
        }
    }
    Distance { divergence: off / size, errors }
}

/// Trains on rows of N(0, Σ) and compares the score with that of N(0, Σ + σ² I), at points of that law.
fn recovers(what: &str, objective: &Objective, head: Head, conditioning: Conditioning, most: Distance) {
    let engine = Cpu::new().expect("threads");
    let (covariance, data) = gaussian(COVARIANCE, ROWS, 92);
    let spec = MlpSpec::hidden(2, &[32], Activation::Silu, head, conditioning).expect("widths");
    let model = trained(&engine, objective, spec, &data, 101);
    let sigma = objective.smoothing();
    let (_, mut points) = gaussian(COVARIANCE, 4000, 93);
    let noise = normal_points(4000, 2, 94);
    points.values_mut().iter_mut().zip(noise.values()).for_each(|(x, z)| *x += sigma * z);
    let precision = covariance.plus(sigma * sigma).inverse();
    let got = distance(precision, &points, &engine.score(&model, &points).expect("score"));
    eprintln!("{what}, {} head: divergence {:.5}, {:.2} standard errors", head.name(), got.divergence, got.errors);
    assert!(got.divergence <= most.divergence, "{what}, {} head: divergence {}", head.name(), got.divergence);
    assert!(got.errors <= most.errors, "{what}, {} head: {} standard errors", head.name(), got.errors);
}

fn probes(count: usize, law: ProbeLaw) -> Probes {
    Probes::new(count, law).expect("probes")
}

fn dsm(sigma: f64) -> Objective {
    Objective::Denoising(Denoising::single(sigma, Weighting::SIGMA2).expect("sigma"))
}

fn mdsm(levels: &[f64]) -> Objective {
    let ladder = Ladder::explicit(levels.to_vec()).expect("ladder");
    Objective::Denoising(Denoising { ladder, weighting: Weighting::SIGMA2 })
}

#[test]
fn every_objective_recovers_a_gaussian_from_its_energy() {
    for (what, objective) in [
        ("esm", Objective::Esm),
        ("ssm", Objective::Ssm(probes(1, ProbeLaw::Gaussian))),
        ("ssm of 2 signs", Objective::Ssm(probes(2, ProbeLaw::Rademacher))),
        ("ssm-vr", Objective::SsmVr(probes(1, ProbeLaw::Gaussian))),
        ("ssm-vr on the sphere", Objective::SsmVr(probes(1, ProbeLaw::Sphere))),
        ("fd-ssm", Objective::FdSsm(FdSsm::new(1, 0.1).expect("epsilon"))),
        ("dsm", dsm(0.3)),
    ] {
        // 0.0049 to 0.0075 over three seeds, nearly all of it in the tails, where 32 neurons are no parabola; the linear fit
        // is off by up to 3.2 standard errors
        recovers(what, &objective, Head::Energy, Conditioning::None, Distance { divergence: 0.01, errors: 5.0 });
    }
}

#[test]
fn every_objective_recovers_a_gaussian_as_a_field() {
    for (what, objective) in [
        ("esm", Objective::Esm),
        ("ssm on the sphere", Objective::Ssm(probes(1, ProbeLaw::Sphere))),
        ("ssm-vr of signs", Objective::SsmVr(probes(1, ProbeLaw::Rademacher))),
        ("dsm", dsm(0.3)),
    ] {
        // 0.0005 to 0.0015 over three seeds, the linear fit off by up to 3.9 standard errors: a linear field is within reach of two neurons a coordinate
        recovers(what, &objective, Head::Score, Conditioning::None, Distance { divergence: 0.003, errors: 5.0 });
    }
}

#[test]
fn networks_that_see_the_noise_recover_the_smallest_level() {
    // four levels share the neurons: it takes more steps
    let most = Distance { divergence: 0.01, errors: 5.0 };
    recovers("mdsm, concat", &mdsm(&[1.0, 0.67, 0.45, 0.3]), Head::Energy, Conditioning::Concat, most);
    // one field over σ is right for one level alone, so that levels are close to each other
    let most = Distance { divergence: 0.003, errors: 5.0 };
    recovers("mdsm, scale", &mdsm(&[0.31, 0.3]), Head::Score, Conditioning::Scale, most);
}

#[test]
fn a_scaled_score_is_not_taken_for_the_truth() {
    // what a wrong factor gives, such as that of probes on the unit sphere: the score over d = 2
    let (covariance, points) = gaussian(COVARIANCE, 4000, 93);
    let precision = covariance.inverse();
    for factor in [0.5, 0.9, 1.1, -1.0] {
        let score = points.rows().flat_map(|x| precision.times(x).map(|s| -factor * s)).collect();
        let got = distance(precision, &points, &Points::new(2, score));
        assert!((got.divergence - (1.0 - factor).powi(2)).abs() < 1e-12, "{factor}: {}", got.divergence);
        assert!(got.divergence > 0.0099 && got.errors > 7.0, "{factor}: {} standard errors", got.errors);
    }
}
