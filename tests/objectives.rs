//! Objectives against what is known of them in closed form: means and variances at the truth, weightings, the work they
//! take, and what their parts accept and refuse.
//!
//! The truth is E = ½ xᵀHx with H = diag(1, 4) and x ~ N(0, H⁻¹). With q = vᵀHv, v·s is normal with variance q given v, so
//! ssm is q (½ξ² − 1) with ξ ~ N(0, 1): mean −½ E q, variance ¾ E q² − ¼ (E q)². ½‖s‖² is ½ξ₁² + 2ξ₂²: mean 2½, variance
//! 8½; ssm-vr is that minus q, of variance 8½ + Var q. E q = 5 for every law with E[v vᵀ] = I, and E q² is 59 for normal
//! probes, 25 for signs, 29½ on the sphere of radius √2. On the unit sphere q is half as large.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{normal_points, worst};
use ebm_gpu::engine::cpu::Reference;
use ebm_gpu::engine::{Engine, Given, TrainingPlan, TrainingState};
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec, Model};
use ebm_gpu::objective::{
    Denoising, Discrepancy, FdSsm, Ladder, MOST_PROBES, NoiseContrastive, Objective, ProbeLaw, Probes, SeparableLaw,
    Weighting,
};
use ebm_gpu::optimizer::Optimizer;
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;

/// Samples of a test of means: 5 standard errors are 1 % of a standard deviation.
const SAMPLES: usize = 250_000;
/// The diagonal of H.
const STIFFNESS: [f64; 2] = [1.0, 4.0];

fn reference() -> Reference {
    Reference::new().expect("threads")
}

fn probes(count: usize, law: ProbeLaw) -> Probes {
    Probes::new(count, law).expect("probes")
}

fn dsm(sigma: f64, weighting: Weighting) -> Objective {
    Objective::Denoising(Denoising::single(sigma, weighting).expect("sigma"))
}

/// How far the inputs of [`quadratic`]'s neurons are scaled down.
const SMALL: f64 = 1e-3;

/// ½ Σ hₙ xₙ² by an MLP: softplus(δx) + softplus(−δx) = 2 ln 2 + δ²x²/4 − δ⁴x⁴/96 + …, times 2h/δ². With δ = 1e-3 the score is
/// off by δ²x²/12 of itself, 2e-6 at |x| = 5; energies, which start from 4 h ln 2 / δ² = 1e7, are rounded to 2e-9.
fn quadratic(stiffness: [f64; 2]) -> Model {
    let spec = MlpSpec::new(vec![2, 4, 1], Activation::Softplus).expect("widths");
    let weight = [[SMALL, 0.0], [-SMALL, 0.0], [0.0, SMALL], [0.0, -SMALL]].concat();
    let out = stiffness.iter().flat_map(|h| [2.0 * h / SMALL.powi(2); 2]);
    Model { spec, parameters: weight.into_iter().chain([0.0; 4]).chain(out).chain([0.0]).collect() }
}

/// Draws of N(0, H⁻¹).
fn truth(count: usize, seed: u64) -> Points {
    let mut points = normal_points(count, 2, seed);
    points.values_mut().iter_mut().skip(1).step_by(2).for_each(|x| *x /= STIFFNESS[1].sqrt());
    points
}

/// Directions of a law, or, without one, on the sphere of this radius.
fn directions(count: usize, law: ProbeLaw, radius: f64, seed: u64) -> Points {
    let mut v = normal_points(count, 2, seed);
    for row in v.values_mut().chunks_exact_mut(2) {
        let length = row[0].hypot(row[1]);
        match law {
            ProbeLaw::Gaussian => {}
            ProbeLaw::Rademacher => row.iter_mut().for_each(|v| *v = v.signum()),
            ProbeLaw::Sphere => row.iter_mut().for_each(|v| *v *= radius / length),
        }
    }
    v
}

/// Mean and standard deviation of losses, each with its standard error.
fn moments(losses: &[f64]) -> [[f64; 2]; 2] {
    let n = losses.len() as f64;
    let mean = losses.iter().sum::<f64>() / n;
    let central = |k: i32| losses.iter().map(|l| (l - mean).powi(k)).sum::<f64>() / n;
    let sd = central(2).sqrt();
    [[mean, sd / n.sqrt()], [sd, ((central(4) - sd.powi(4)) / n).sqrt() / (2.0 * sd)]]
}

/// Five standard errors, once in two million seeds.
fn has_moments(what: &str, losses: &[f64], mean: f64, variance: f64) {
    let [got_mean, got_sd] = moments(losses);
    for (name, [got, error], want) in [("mean", got_mean, mean), ("sd", got_sd, variance.sqrt())] {
        let off = (got - want) / error;
        eprintln!("{what}: {name} {got:.4}, want {want:.4}, {off:+.2} standard errors of {error:.4}");
        assert!(off.abs() <= 5.0, "{what}: {name} {got}, want {want}, standard error {error}");
    }
}

/// E q², E q = 5.
fn second_moment(law: ProbeLaw) -> f64 {
    match law {
        ProbeLaw::Gaussian => 59.0,
        ProbeLaw::Rademacher => 25.0,
        ProbeLaw::Sphere => 29.5,
    }
}

const LAWS: [ProbeLaw; 3] = ProbeLaw::ALL;
const EPSILON: f64 = 0.125;

fn ssm_variance(law: ProbeLaw) -> f64 {
    0.75 * second_moment(law) - 6.25
}

fn vr_variance(law: ProbeLaw) -> f64 {
    8.5 + second_moment(law) - 25.0
}

#[test]
fn losses_at_the_truth_are_the_closed_forms_sample_by_sample() {
    let (reference, model, [a, b]) = (reference(), quadratic(STIFFNESS), STIFFNESS);
    let (points, v) = (truth(500, 71), directions(500, ProbeLaw::Gaussian, 0.0, 72));
    let short = directions(500, ProbeLaw::Sphere, EPSILON, 73);
    let each = |objective: &Objective, given: &Given<'_>, want: &dyn Fn(&[f64], &[f64]) -> f64, bound: f64| {
        let got = reference.loss_gradient(&model, objective, given).expect("loss").losses;
        let along = given.probes.unwrap_or(&v);
        let want: Vec<f64> = points.rows().zip(along.rows()).map(|(x, v)| want(x, v)).collect();
        eprintln!("{}", objective.name());
        // the score is good to 2e-6 of itself, and its square to twice that
        assert!(worst(&got, &want, 1e-5, bound) <= 1.0, "{}", objective.name());
    };
    let square = |x: &[f64]| 0.5 * ((a * x[0]).powi(2) + (b * x[1]).powi(2));
    let slope = |x: &[f64], v: &[f64]| a * v[0] * x[0] + b * v[1] * x[1];
    let bend = |v: &[f64]| a * v[0] * v[0] + b * v[1] * v[1];
    let one = probes(1, ProbeLaw::Gaussian);
    each(&Objective::Esm, &Given::points(&points), &|x, _| square(x) - a - b, 1e-5);
    let probed = Given::probed(&points, &v);
    each(&Objective::Ssm(one), &probed, &|x, v| 0.5 * slope(x, v).powi(2) - bend(v), 1e-5);
    each(&Objective::SsmVr(one), &probed, &|x, v| square(x) - bend(v), 1e-5);
    // four energies rounded to 2e-9, times d/ε² = 128; the quadratic has no further terms
    let fd = Objective::FdSsm(FdSsm::new(1, EPSILON).expect("epsilon"));
    let scale = 2.0 / EPSILON.powi(2);
    let want = |x: &[f64], v: &[f64]| scale * (0.5 * slope(x, v).powi(2) - bend(v));
    each(&fd, &Given::probed(&points, &short), &want, 1e-5);
}

#[test]
fn means_and_variances_at_the_truth_are_known() {
    let (reference, model, points) = (reference(), quadratic(STIFFNESS), truth(SAMPLES, 74));
    let losses = |objective: &Objective, v: Option<&Points>| {
        let given = Given { probes: v, ..Given::points(&points) };
        reference.loss_gradient(&model, objective, &given).expect("loss").losses
    };
    has_moments("esm", &losses(&Objective::Esm, None), -2.5, 8.5);
    for law in LAWS {
        let (v, one, name) = (directions(SAMPLES, law, 2.0_f64.sqrt(), 75), probes(1, law), law.name());
        has_moments(&format!("ssm {name}"), &losses(&Objective::Ssm(one), Some(&v)), -2.5, ssm_variance(law));
        has_moments(&format!("ssm-vr {name}"), &losses(&Objective::SsmVr(one), Some(&v)), -2.5, vr_variance(law));
    }
    let short = directions(SAMPLES, ProbeLaw::Sphere, EPSILON, 75);
    let fd = Objective::FdSsm(FdSsm::new(1, EPSILON).expect("epsilon"));
    has_moments("fd-ssm", &losses(&fd, Some(&short)), -2.5, ssm_variance(ProbeLaw::Sphere));
    // the trap: on the unit sphere ssm is halved, and ssm-vr has another minimum
    let unit = directions(SAMPLES, ProbeLaw::Sphere, 1.0, 75);
    let one = probes(1, ProbeLaw::Sphere);
    has_moments("ssm unit sphere", &losses(&Objective::Ssm(one), Some(&unit)), -1.25, 3.96875);
    has_moments("ssm-vr unit sphere", &losses(&Objective::SsmVr(one), Some(&unit)), 0.0, 9.625);
}

/// The loss of c times the truth is a parabola in c; its vertex is what training finds: the truth for probes with
/// E[v vᵀ] = I, half of it for the unit sphere in two dimensions.
#[test]
fn probes_on_the_unit_sphere_learn_half_the_score() {
    let (reference, points) = (reference(), truth(SAMPLES, 80));
    let one = probes(1, ProbeLaw::Sphere);
    for (radius, want) in [(1.0, 0.5), (2.0_f64.sqrt(), 1.0)] {
        let v = directions(SAMPLES, ProbeLaw::Sphere, radius, 81);
        let loss = |c: f64| {
            let model = quadratic(STIFFNESS.map(|h| c * h));
            reference.loss_gradient(&model, &Objective::SsmVr(one), &Given::probed(&points, &v)).expect("loss").loss()
        };
        let (half, full) = (loss(0.5), loss(1.0));
        // A c² + B c
        let a = 2.0 * (full - 2.0 * half);
        let vertex = (a - full) / (2.0 * a);
        eprintln!("radius {radius}: {vertex} of the score");
        assert!((vertex - want).abs() < 0.02, "radius {radius}: {vertex} of the score, want {want}");
    }
}

#[test]
fn more_probes_average() {
    // the part of the variance that comes from the probes is divided by K
    let (reference, model, count) = (reference(), quadratic(STIFFNESS), SAMPLES / 4);
    let (points, v) = (truth(count, 76), directions(4 * count, ProbeLaw::Gaussian, 0.0, 77));
    let four = probes(4, ProbeLaw::Gaussian);
    let given = Given::probed(&points, &v);
    let losses = |objective| reference.loss_gradient(&model, &objective, &given).expect("loss").losses;
    has_moments("ssm-vr, 4 probes", &losses(Objective::SsmVr(four)), -2.5, 8.5 + 34.0 / 4.0);
    // two probes of a sample share x: E over x of (v·s)²(w·s)² is q_v q_w + 2 (vᵀHw)², so their covariance is
    // ½ E (vᵀHw)² = ½ tr H² = 17/2
    has_moments("ssm, 4 probes", &losses(Objective::Ssm(four)), -2.5, 38.0 / 4.0 + 0.75 * 8.5);
}

#[test]
fn the_floor_of_denoising_is_known() {
    // at the smoothed truth, of precisions h = 1 / (1/H + σ²), the mean is ½ (d/σ² − tr h)
    let (reference, points) = (reference(), truth(SAMPLES, 78));
    let noise = normal_points(SAMPLES, 2, 79);
    for (sigma, floor) in [(0.1, 97.582), (0.5, 2.6), (1.0, 0.35)] {
        let smoothed = STIFFNESS.map(|h| 1.0 / (1.0 / h + sigma * sigma));
        let model = quadratic(smoothed);
        let given = Given::noisy(&points, &noise);
        let losses = reference.loss_gradient(&model, &dsm(sigma, Weighting::ONE), &given).expect("loss").losses;
        let want = 0.5 * (2.0 / (sigma * sigma) - smoothed.iter().sum::<f64>());
        assert!((want - floor).abs() < 5e-4, "{want} is the stored {floor}");
        // the residual z/σ − h x̃ is normal with variances uₙ = 1/σ² − hₙ, so the loss is ½ Σ uₙ ξₙ²
        let variance = 0.5 * smoothed.iter().map(|h| (1.0 / (sigma * sigma) - h).powi(2)).sum::<f64>();
        has_moments(&format!("dsm, sigma {sigma}"), &losses, want, variance);
    }
}

/// The mean loss of each step of a run that moves nothing, over `batch` samples that the engine draws.
fn drawn(model: &Model, objective: Objective, batch: usize, steps: u64) -> Vec<f64> {
    let optimizer = Optimizer::adam(0.0);
    let reference = reference();
    let plan = TrainingPlan { objective, batch, optimizer, steps, seed: Seed(81) };
    // drawing with replacement from 100,000 rows shifts means by sd / 316, where their standard error is sd / 179
    let data = truth(100_000, 80);
    let mut training = reference.train(model, &plan, &data, TrainingState::start(model)).expect("plan");
    let mut records = Vec::new();
    while (records.len() as u64) < steps {
        records.extend(training.advance(steps).expect("steps"));
    }
    assert!(training.state().expect("state").parameters == model.parameters, "nothing moved");
    records.iter().map(|r| r.loss).collect()
}

#[test]
fn engines_draw_probes_of_the_law() {
    // means of 8 samples: the variance of a step's loss is an eighth of a sample's, so that each law is told from the others
    let (model, batch, steps) = (quadratic(STIFFNESS), 8, 4000);
    let check = |what: &str, objective: Objective, variance: f64| {
        has_moments(what, &drawn(&model, objective, batch, steps), -2.5, variance / batch as f64);
    };
    for law in LAWS {
        check(&format!("drawn ssm {}", law.name()), Objective::Ssm(probes(1, law)), ssm_variance(law));
        check(&format!("drawn ssm-vr {}", law.name()), Objective::SsmVr(probes(1, law)), vr_variance(law));
        // probes of a sample are independent
        let variance = 8.5 + (second_moment(law) - 25.0) / 3.0;
        check(&format!("drawn ssm-vr {}, 3 probes", law.name()), Objective::SsmVr(probes(3, law)), variance);
    }
    let fd = Objective::FdSsm(FdSsm::new(1, EPSILON).expect("epsilon"));
    check("drawn fd-ssm", fd, ssm_variance(ProbeLaw::Sphere));
}

#[test]
fn engines_draw_noise_levels_uniformly() {
    // E ½‖σs + z‖² = ½ [d − 2σ² tr H + σ² Σ hₙ² (1/hₙ + σ²)] = ½ [2 − 5σ² + 17σ⁴] at the model that is the truth of σ = 0
    let levels = [1.0, 0.5, 0.25, 0.125];
    let mean = |sigma: f64| 0.5 * (2.0 - 5.0 * sigma.powi(2) + 17.0 * sigma.powi(4));
    // each coordinate of the residual is normal with variance uₙ = 1 − σ² hₙ + σ⁴ hₙ²
    let second = |sigma: f64| {
        let u = STIFFNESS.map(|h| 1.0 - sigma.powi(2) * h + sigma.powi(4) * h * h);
        mean(sigma).powi(2) + 0.5 * u.iter().map(|u| u * u).sum::<f64>()
    };
    let average = |f: &dyn Fn(f64) -> f64| levels.iter().map(|s| f(*s)).sum::<f64>() / levels.len() as f64;
    let ladder = Ladder::explicit(levels.to_vec()).expect("ladder");
    let objective = Objective::Denoising(Denoising { ladder, weighting: Weighting::SIGMA2 });
    let want = average(&mean);
    let variance = average(&second) - want * want;
    let batch = 8;
    has_moments("drawn mdsm", &drawn(&quadratic(STIFFNESS), objective, batch, 4000), want, variance / batch as f64);
}

fn network_of(net: &str, head: Head, conditioning: Conditioning) -> Model {
    MlpSpec::parse_conditioned(net, Activation::Silu, head, conditioning).expect("widths").initial(Seed(82))
}

#[test]
fn weightings_differ_by_powers_of_sigma_sample_by_sample() {
    let (reference, count) = (reference(), 70);
    let (points, noise) = (normal_points(count, 3, 83), normal_points(count, 3, 84));
    let sigmas: Vec<f64> = (0..count).map(|i| 0.05 * 1.06_f64.powi(i as i32)).collect();
    for (net, head) in [("3-7-2-1", Head::Energy), ("3-7-2-3", Head::Score)] {
        for conditioning in Conditioning::ALL {
            let model = network_of(net, head, conditioning);
            let given = Given { sigmas: Some(&sigmas), ..Given::noisy(&points, &noise) };
            let losses = |weighting| {
                let ladder = Ladder::geometric(3.0, 0.05, 5).expect("ladder");
                let objective = Objective::Denoising(Denoising { ladder, weighting });
                reference.loss_gradient(&model, &objective, &given).expect("loss").losses
            };
            let one = losses(Weighting::ONE);
            for (weighting, power) in
                [(Weighting::SIGMA2, 2.0), (Weighting::SIGMA4, 4.0), (Weighting(1.0), 1.0), (Weighting(-3.5), -3.5)]
            {
                let want: Vec<f64> = one.iter().zip(&sigmas).map(|(l, s)| l * s.powf(power)).collect();
                // powers of σ are rounded once or twice
                assert!(worst(&losses(weighting), &want, 2e-15, 0.0) <= 1.0, "{weighting:?} {net} {conditioning:?}");
            }
        }
    }
}

/// Columns of a sample that each layer beyond the first multiplies with its weights, from what one more layer costs, and
/// the multiply-adds of a sample with the shallow network.
fn columns(d: usize, width: usize, head: Head, objective: &Objective, probes: usize) -> (usize, usize) {
    let (reference, batch) = (reference(), 5);
    let out = if head == Head::Energy { 1 } else { d };
    let [points, noise] = [85, 86].map(|seed| normal_points(batch, d, seed));
    let v = normal_points(batch * probes, d, 87);
    let given = Given { probes: Some(&v), negatives: Some(&v), ..Given::noisy(&points, &noise) };
    let work = |net: String| {
        let model = network_of(&net, head, Conditioning::None);
        let done = reference.loss_gradient(&model, objective, &given).expect("loss").multiply_adds.expect("counted");
        done as usize / batch
    };
    let [shallow, deep] = [work(format!("{d}-{width}-24-{out}")), work(format!("{d}-{width}-24-24-{out}"))];
    assert_eq!((deep - shallow) % (24 * 24), 0, "whole columns");
    (((deep - shallow) / (24 * 24)), shallow)
}

#[test]
fn no_objective_does_more_than_the_least_work() {
    let (ssm, vr) =
        (|k| Objective::Ssm(probes(k, ProbeLaw::Sphere)), |k| Objective::SsmVr(probes(k, ProbeLaw::Sphere)));
    let fd = |k| Objective::FdSsm(FdSsm::new(k, 0.1).expect("epsilon"));
    let ed = |m| Objective::Ed(Discrepancy::new(1.0, m, 1.0).expect("numbers"));
    let noise = SeparableLaw::isotropic(8, 2.0).expect("law");
    let nce = |nu| Objective::Nce(NoiseContrastive::new(nu, noise.clone()).expect("negatives"));
    let (energy, score, width) = (Head::Energy, Head::Score, 16);
    // columns there and back and into the gradient: K tangents, a value and the second order; or K tangents and a value
    for (objective, d, head, probes, want) in [
        (Objective::Esm, 2, energy, 1, 3 * (2 + 2)),
        (Objective::Esm, 8, energy, 1, 3 * (8 + 2)),
        // as many tangents as neurons, however many coordinates
        (Objective::Esm, 32, energy, 1, 3 * (16 + 2)),
        (Objective::Esm, 100, energy, 1, 3 * (16 + 2)),
        (ssm(1), 8, energy, 1, 3 * (1 + 2)),
        (ssm(11), 8, energy, 11, 3 * (11 + 2)),
        (vr(1), 8, energy, 1, 3 * (1 + 2)),
        (vr(3), 8, energy, 3, 3 * (3 + 2)),
        (dsm(0.3, Weighting::SIGMA2), 8, energy, 1, 3 * 2),
        (fd(1), 8, energy, 1, 3 * 3),
        (fd(2), 8, energy, 2, 3 * 5),
        (ed(1), 8, energy, 1, 3 * 2),
        (ed(4), 8, energy, 4, 3 * 5),
        // more columns than a tile of many samples has
        (ed(700), 8, energy, 700, 3 * 701),
        (nce(3), 8, energy, 3, 3 * 4),
        (Objective::Esm, 8, score, 1, 3 * (8 + 1)),
        (ssm(1), 8, score, 1, 3 * (1 + 1)),
        (vr(11), 8, score, 11, 3 * (11 + 1)),
        (dsm(0.3, Weighting::SIGMA2), 8, score, 1, 3),
    ] {
        let what = format!("{} d = {d}, {} head, {probes} probes", objective.name(), head.name());
        let outputs = if head == energy { 1 } else { d };
        let (got, shallow) = columns(d, width, head, &objective, probes);
        let weights = d * width + width * 24 + 24 * outputs;
        let first = shallow - want * (weights - d * width);
        eprintln!("{what}: {got} columns, the first layer {:.1}", first as f64 / (d * width) as f64);
        let spec = network_of(&format!("{d}-{width}-24-{outputs}"), head, Conditioning::None).spec;
        assert_eq!((got, objective.least_columns(&spec)), (want, want), "{what}");
        // tangents need no way back through the first layer, and shared ones none there
        assert!(shallow <= want * weights, "{what}: {shallow} multiply-adds, {want} columns of {weights}");
        assert_eq!(shallow, objective.least_multiply_adds(&spec), "{what}");
    }
}

fn refused<T>(result: ebm_gpu::error::Result<T>, says: &str) {
    let error = result.err().map(|e| e.to_string()).expect("refused");
    assert!(error.contains(says), "`{error}` does not say `{says}`");
}

#[test]
fn ladders_have_the_levels_that_were_asked_for() {
    let levels = |ladder: ebm_gpu::error::Result<Ladder>| ladder.expect("ladder").levels().to_vec();
    // exp and ln are good to a few units of 1e-16
    assert!(worst(&levels(Ladder::geometric(8.0, 0.5, 5)), &[8.0, 4.0, 2.0, 1.0, 0.5], 1e-15, 0.0) <= 1.0);
    assert!(worst(&levels(Ladder::parse("linear", 1.0, 0.2, 3)), &[1.0, 0.6, 0.2], 1e-15, 0.0) <= 1.0);
    assert_eq!(levels(Ladder::parse(" 0.1, 2,0.5 ", 9.0, 8.0, 7)), [2.0, 0.5, 0.1], "sorted, the largest first");
    let ladder = Ladder::parse("geometric", 1.0, 0.01, 3).expect("ladder");
    assert_eq!((ladder.largest(), ladder.smallest(), ladder.to_string().as_str()), (1.0, 0.01, "1, 0.1, 0.01"));
    refused(Ladder::geometric(1.0, 0.1, 1), "1 levels");
    refused(Ladder::geometric(1.0, 0.1, 4097), "4097 levels");
    refused(Ladder::linear(0.1, 1.0, 3), "above the smallest");
    refused(Ladder::geometric(f64::NAN, 0.1, 3), "above the smallest");
    refused(Ladder::geometric(1.0, f64::NAN, 3), "above the smallest");
    refused(Ladder::geometric(1.0, 0.0, 3), "sigma is 0");
    refused(Ladder::explicit(Vec::new()), "0 levels");
    refused(Ladder::explicit(vec![1.0, f64::NAN]), "sigma is NaN");
    refused(Ladder::explicit(vec![1.0, f64::INFINITY]), "sigma is inf");
    refused(Ladder::explicit(vec![1.0, -1.0]), "sigma is -1");
    refused(Ladder::explicit(vec![0.5, 1.0, 0.5]), "0.5 twice");
    refused(Ladder::parse("0.5", 1.0, 0.1, 3), "one level");
    refused(Ladder::parse("geometrical", 1.0, 0.1, 3), "geometrical");
}

#[test]
fn weightings_and_probes_are_parsed_or_refused() {
    for (name, power) in [("one", 0.0), ("sigma2", 2.0), ("sigma4", 4.0), ("1", 1.0), ("-2.5", -2.5), ("8", 8.0)] {
        assert_eq!(Weighting::by_name(name).expect("weighting"), Weighting(power), "{name}");
    }
    for name in ["sigma3", "9", "nan", "inf", ""] {
        refused(Weighting::by_name(name), "weighting");
    }
    for law in LAWS {
        assert_eq!(ProbeLaw::by_name(law.name()).expect("law"), law);
    }
    refused(ProbeLaw::by_name("unit-sphere"), "divided by d");
    refused(ProbeLaw::by_name("gausian"), "gausian");
    refused(Probes::new(0, ProbeLaw::Sphere), "0 probes");
    refused(Probes::new(MOST_PROBES + 1, ProbeLaw::Sphere), "4097 probes");
    refused(FdSsm::new(0, 0.1), "0 probes");
    for epsilon in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        refused(FdSsm::new(1, epsilon), "epsilon is");
    }
    refused(Objective::check_name("sm"), "sm");
}

#[test]
fn what_is_given_has_to_fit() {
    let (points, wide) = (normal_points(5, 2, 88), normal_points(5, 3, 88));
    let (few, many) = (normal_points(4, 2, 89), normal_points(10, 2, 89));
    let spec = network_of("2-5-1", Head::Energy, Conditioning::None).spec;
    let check = |objective: &Objective, given: Given<'_>| given.check(objective, &spec);
    let (one, two) = (dsm(0.3, Weighting::ONE), Objective::Ssm(probes(2, ProbeLaw::Sphere)));
    let ladder = Ladder::geometric(1.0, 0.1, 3).expect("ladder");
    let mdsm = Objective::Denoising(Denoising { ladder, weighting: Weighting::SIGMA2 });
    refused(check(&Objective::Esm, Given::points(&wide)), "points have 3 columns");
    refused(check(&one, Given::points(&points)), "noise");
    refused(check(&one, Given::noisy(&points, &few)), "4 x 2");
    refused(check(&one, Given::noisy(&points, &wide)), "5 x 3");
    refused(check(&mdsm, Given::noisy(&points, &points)), "noise level");
    let levels = |sigmas| Given { sigmas: Some(sigmas), ..Given::noisy(&points, &points) };
    refused(check(&mdsm, levels(&[0.1; 4])), "4 noise levels for 5");
    refused(check(&mdsm, levels(&[0.1, 0.2, f64::NAN, 0.1, 0.1])), "sample 2");
    refused(check(&one, levels(&[0.1, 0.2, 0.1, 0.0, 0.1])), "sample 3");
    refused(check(&two, Given::points(&points)), "probes");
    refused(check(&two, Given::probed(&points, &few)), "4 vectors of 2");
    check(&Objective::Esm, Given::points(&points)).expect("esm draws nothing");
    check(&one, Given::noisy(&points, &points)).expect("the only level");
    check(&mdsm, levels(&[0.1; 5])).expect("levels");
    check(&two, Given::probed(&points, &many)).expect("two probes each");
}
