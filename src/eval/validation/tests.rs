//! Held-out losses of energies in closed form against their means over what is drawn for each point.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::f64::consts::{SQRT_2, TAU};

use super::*;
use crate::engine::cpu::Reference;
use crate::model::{Activation, Conditioning, Head};
use crate::objective::{Contrastive, Denoising, Discrepancy, FdSsm, Ladder, NoiseContrastive, SeparableLaw, Weighting};

/// The scale of [`bowl`] along each axis.
const SCALES: [f64; 2] = [0.5, 1.5];
/// Draws of everything that are averaged.
const SEEDS: u64 = 8;
/// Probes of a point.
const PROBES: usize = 2;
const EPSILON: f64 = 0.8;

fn network(widths: Vec<usize>, parameters: Vec<f64>) -> Model {
    Model { spec: MlpSpec::new(widths, Activation::Softplus).unwrap(), parameters }
}

/// E = Σ ln(1 + eᵘ) + ln(1 + e⁻ᵘ), u = x / scale along each axis.
fn bowl() -> Model {
    let [a, b] = SCALES.map(f64::recip);
    let inner = [[a, 0.0], [-a, 0.0], [0.0, b], [0.0, -b]].concat();
    network(vec![2, 4, 1], [inner, vec![0.0; 4], vec![1.0; 4], vec![0.0]].concat())
}

fn energy(x: [f64; 2]) -> f64 {
    let along = |u: f64| u.exp().ln_1p() + (-u).exp().ln_1p();
    along(x[0] / SCALES[0]) + along(x[1] / SCALES[1])
}

/// −∂E along an axis.
fn score(axis: usize, x: f64) -> f64 {
    -(0.5 * x / SCALES[axis]).tanh() / SCALES[axis]
}

/// −∂²E along an axis.
fn bend(axis: usize, x: f64) -> f64 {
    let t = (0.5 * x / SCALES[axis]).tanh();
    -0.5 * (1.0 - t * t) / (SCALES[axis] * SCALES[axis])
}

/// As many points as are looked at, neither centred nor of unit deviation.
fn held_out() -> Points {
    let mut points = Points::normal::<f64>(MOST, 2, Seed(3), Stream::Data, 0);
    points.values_mut().iter_mut().for_each(|x| *x = 0.8 * *x + 0.4);
    points
}

/// Mean and variance of the loss of each held-out point over its draws.
fn at_each(loss: impl Fn([f64; 2]) -> [f64; 2]) -> Vec<[f64; 2]> {
    held_out().rows().map(|x| loss([x[0], x[1]])).collect()
}

/// Mean and variance of values with weights that sum to 1.
fn moments(values: impl Iterator<Item = (f64, f64)>) -> [f64; 2] {
    let [mean, square] =
        values.fold([0.0; 2], |[m, s], (value, weight)| [m + weight * value, s + weight * value * value]);
    [mean, square - mean * mean]
}

/// Places of N(0, I) a quarter apart with weights, by which integrals of smooth functions are sums.
fn nodes<const D: usize>() -> impl Iterator<Item = ([f64; D], f64)> {
    (0..65_usize.pow(D as u32)).map(|place| {
        let z: [f64; D] = std::array::from_fn(|n| (place / 65_usize.pow(n as u32) % 65) as f64 / 4.0 - 8.0);
        let weight: f64 = z.map(|z| 0.25 * (-0.5 * z * z).exp() / TAU.sqrt()).iter().product();
        (z, weight)
    })
}

/// Holds the loss, averaged over draws, against what it is at each point: 5 standard errors, and rounding.
fn agrees(objective: &Objective, model: &Model, each: &[[f64; 2]]) {
    let (engine, points) = (Reference::new().unwrap(), held_out());
    let loss = |seed: u64| {
        let validation = Validation::new(objective, &model.spec, &points, Seed(seed)).unwrap();
        validation.loss(&engine, model).unwrap()
    };
    let got = (1..=SEEDS).map(loss).sum::<f64>() / SEEDS as f64;
    let total = |k: usize| each.iter().map(|point| point[k]).sum::<f64>();
    let (want, error) = (total(0) / MOST as f64, (total(1) / SEEDS as f64).sqrt() / MOST as f64);
    assert!((got - want).abs() <= 5.0 * error + 1e-9, "{objective:?}: {got}, not {want}, standard error {error}");
}

/// Mean and variance of the mean of vᵀAv over the probes of a point, A = (a c; c b).
fn probed(law: ProbeLaw, [a, b, c]: [f64; 3]) -> [f64; 2] {
    let variance = match law {
        ProbeLaw::Gaussian => 2.0 * (a * a + b * b + 2.0 * c * c),
        ProbeLaw::Rademacher => 4.0 * c * c,
        ProbeLaw::Sphere => 0.5 * (a - b) * (a - b) + 2.0 * c * c,
    };
    [a + b, variance / PROBES as f64]
}

#[test]
fn losses_of_score_matching_have_their_means_over_probes() {
    let parts = |x: [f64; 2]| [score(0, x[0]), score(1, x[1]), bend(0, x[0]), bend(1, x[1])];
    let exact = at_each(|x| {
        let [s, t, p, q] = parts(x);
        [0.5 * (s * s + t * t) + p + q, 0.0]
    });
    agrees(&Objective::Esm, &bowl(), &exact);
    // signs see the whole curvature where there is none across the axes
    agrees(&Objective::Cd(Contrastive::new(5, 0.01, 0.0, 0.0).unwrap()), &bowl(), &exact);
    for law in ProbeLaw::ALL {
        let probes = Probes::new(PROBES, law).unwrap();
        let sliced = at_each(|x| {
            let [s, t, p, q] = parts(x);
            probed(law, [0.5 * s * s + p, 0.5 * t * t + q, 0.5 * s * t])
        });
        agrees(&Objective::Ssm(probes), &bowl(), &sliced);
        let reduced = at_each(|x| {
            let [s, t, p, q] = parts(x);
            let [mean, variance] = probed(law, [p, q, 0.0]);
            [0.5 * (s * s + t * t) + mean, variance]
        });
        agrees(&Objective::SsmVr(probes), &bowl(), &reduced);
    }
}

#[test]
fn losses_of_finite_differences_have_their_means_over_a_circle() {
    let each = at_each(|x| {
        let loss = |angle: f64| {
            let at = |length: f64| energy([x[0] + length * angle.cos(), x[1] + length * angle.sin()]);
            let [ahead, behind] = [at(EPSILON), at(-EPSILON)];
            let change = (ahead - behind) * (ahead - behind) / 8.0 + 2.0 * energy(x) - ahead - behind;
            2.0 / (EPSILON * EPSILON) * change
        };
        let [mean, variance] = moments((0..64).map(|i| (loss(TAU * f64::from(i) / 64.0), 1.0 / 64.0)));
        [mean, variance / PROBES as f64]
    });
    agrees(&Objective::FdSsm(FdSsm::new(PROBES, EPSILON).unwrap()), &bowl(), &each);
}

#[test]
fn probes_on_a_sphere_have_its_radius() {
    let sphere = Objective::Ssm(Probes::new(PROBES, ProbeLaw::Sphere).unwrap());
    let short = Objective::FdSsm(FdSsm::new(PROBES, EPSILON).unwrap());
    for (objective, radius) in [(sphere, SQRT_2), (short, EPSILON)] {
        let validation = Validation::new(&objective, &bowl().spec, &held_out(), Seed(1)).unwrap();
        let probes = validation.probes.unwrap();
        assert_eq!(probes.count(), PROBES * MOST);
        assert!(probes.rows().all(|v| (v[0].hypot(v[1]) - radius).abs() < 1e-12), "{objective:?}");
    }
}

#[test]
fn losses_of_denoising_have_their_means_over_noise() {
    // ½‖z‖² in the plane is exponential
    let flat = network(vec![2, 4, 1], vec![0.0; 17]);
    let half = Denoising::single(0.5, Weighting::SIGMA2).unwrap();
    agrees(&Objective::Denoising(half.clone()), &flat, &at_each(|_| [1.0, 1.0]));
    let single = Denoising::single(0.3, Weighting::ONE).unwrap();
    let ladder = Ladder::explicit(vec![0.8, 0.4, 0.2]).unwrap();
    for denoising in [single, half, Denoising { ladder, weighting: Weighting::SIGMA4 }] {
        let levels = denoising.ladder.levels();
        let loss = |(i, x): (usize, &[f64])| {
            let sigma = levels[i % levels.len()];
            let along = |n: usize| {
                let miss = |z: f64| score(n, x[n] + sigma * z) + z / sigma;
                let factor = 0.5 * sigma.powf(denoising.weighting.0);
                moments(nodes::<1>().map(|([z], weight)| (factor * miss(z) * miss(z), weight)))
            };
            let [a, b] = [along(0), along(1)];
            [a[0] + b[0], a[1] + b[1]]
        };
        let each: Vec<[f64; 2]> = held_out().rows().enumerate().map(loss).collect();
        agrees(&Objective::Denoising(denoising.clone()), &bowl(), &each);
    }
}

#[test]
fn losses_of_noise_contrast_have_their_means_over_noise() {
    const MEAN: [f64; 2] = [0.4, -0.3];
    const DEVIATION: [f64; 2] = [1.5, 0.8];
    let law = SeparableLaw::normal(MEAN.to_vec(), DEVIATION.to_vec()).unwrap();
    let softplus = |g: f64| g.exp().ln_1p();
    // −G with two points of noise
    let against = |x: [f64; 2]| {
        let z = [0, 1].map(|n| (x[n] - MEAN[n]) / DEVIATION[n]);
        let log_noise = -0.5 * (z[0] * z[0] + z[1] * z[1]) - (TAU * DEVIATION[0] * DEVIATION[1]).ln();
        energy(x) + log_noise + 2.0_f64.ln()
    };
    let noise = moments(nodes::<2>().map(|(z, weight)| {
        let y = [0, 1].map(|n| MEAN[n] + DEVIATION[n] * z[n]);
        (softplus(-against(y)), weight)
    }));
    let each = at_each(|x| [softplus(against(x)) + 2.0 * noise[0], 2.0 * noise[1]]);
    agrees(&Objective::Nce(NoiseContrastive::new(2, law).unwrap()), &bowl(), &each);
}

#[test]
fn losses_of_energy_discrepancy_have_their_means_over_perturbations() {
    // E = ln(1 + eᵘ) − ln(1 + e⁻ᵘ) = u, u = b·x with |b| = 4, so E(x) − E(y) is normal whatever x is
    let slope = network(vec![2, 2, 1], vec![2.4, 3.2, -2.4, -3.2, 0.0, 0.0, 1.0, -1.0, 0.0]);
    let t = 0.25_f64;
    let gap = |shared: f64, own: f64| 4.0 * t.sqrt() * (shared + own);
    let loss = |[shared, a, b]: [f64; 3]| (0.5 + 0.5 * (gap(shared, a).exp() + gap(shared, b).exp())).ln();
    let known = moments(nodes::<3>().map(|(z, weight)| (loss(z), weight)));
    agrees(&Objective::Ed(Discrepancy::new(t, 2, 1.0).unwrap()), &slope, &at_each(|_| known));
}

#[test]
fn every_objective_has_a_loss_that_stays_and_falls_with_training_data() {
    let engine = Reference::new().expect("threads");
    let points = Points::normal::<f64>(300, 3, Seed(3), Stream::Data, 0);
    let spec = MlpSpec::hidden(3, &[8], Activation::Silu, Head::Energy, Conditioning::None).expect("widths");
    let model = spec.initial(Seed(1));
    // E = 0 has a known value of most objectives
    let flat = Model { parameters: vec![0.0; model.parameters.len()], spec: spec.clone() };
    let probes = |law| Probes::new(2, law).expect("probes");
    let cd = Contrastive::new(5, 0.01, 0.0, 0.0).expect("cd");
    let noise = SeparableLaw::isotropic(3, 2.0).expect("law");
    let cases = [
        (Objective::Esm, Some(0.0)),
        (Objective::Ssm(probes(ProbeLaw::Sphere)), Some(0.0)),
        (Objective::SsmVr(probes(ProbeLaw::Gaussian)), Some(0.0)),
        (Objective::FdSsm(FdSsm::new(1, 0.1).expect("fd")), Some(0.0)),
        (Objective::Denoising(Denoising::single(0.5, Weighting::SIGMA2).expect("dsm")), None),
        (Objective::Cd(cd), Some(0.0)),
        // ln((w + M) / M)
        (Objective::Ed(Discrepancy::new(1.0, 4, 1.0).expect("ed")), Some(1.25f64.ln())),
        (Objective::Nce(NoiseContrastive::new(1, noise).expect("nce")), None),
    ];
    for (objective, want) in cases {
        let validation = Validation::new(&objective, &spec, &points, Seed(5)).expect("validation");
        let [first, second] = [(); 2].map(|()| validation.loss(&engine, &model).expect("loss"));
        assert_eq!(first, second, "{}", objective.name());
        let flat = validation.loss(&engine, &flat).expect("loss");
        if let Some(want) = want {
            assert!((flat - want).abs() < 1e-12, "{}: {flat}, not {want}", objective.name());
        }
        assert!(first.is_finite() && first != flat);
    }
    let relu = MlpSpec::hidden(3, &[8], Activation::Relu, Head::Energy, Conditioning::None).expect("widths");
    assert!(Validation::new(&Objective::Cd(cd), &relu, &points, Seed(5)).is_err());
    assert!(Validation::new(&Objective::Esm, &spec, &Points::new(3, vec![]), Seed(5)).is_err());
}
