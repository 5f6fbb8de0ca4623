//! Energies, scores and losses by their definitions, for any kind of number.

use ebm_gpu::engine::{Engine, Given, LossGradient};
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec, Model};
use ebm_gpu::objective::Objective;
use ebm_gpu::points::Points;
use num_dual::{Dual, Dual2, DualNum};

use crate::common::normal_points;

/// φ from its definition, for any kind of number.
pub(crate) fn phi<D: DualNum<Primitive = f64> + Copy>(activation: Activation, z: D) -> D {
    let (negative, one) = (z.re() < 0.0, D::one());
    // exp(-|z|), which does not overflow
    let e = (if negative { z } else { -z }).exp();
    let logistic = if negative { e / (e + 1.0) } else { one / (e + 1.0) };
    match activation {
        Activation::Silu => z * logistic,
        Activation::Softplus if negative => e.ln_1p(),
        Activation::Softplus => z + e.ln_1p(),
        Activation::Tanh if negative => (e * e - 1.0) / (e * e + 1.0),
        Activation::Tanh => (one - e * e) / (e * e + 1.0),
        Activation::Gelu => z * normal_distribution(z),
        Activation::Relu if negative => D::zero(),
        Activation::LeakyRelu if negative => z * 0.01,
        Activation::Relu | Activation::LeakyRelu => z,
    }
}

/// Φ(z) = Φ(z₀) + ∫ pdf from z₀ = Re z to z: Simpson's rule is exact for its derivatives up to the fourth.
fn normal_distribution<D: DualNum<Primitive = f64> + Copy>(z: D) -> D {
    let z0 = z.re();
    let h = z - z0;
    let bell = |t: D| (t * t * -0.5).exp();
    let integral = h * (bell(z - h) + bell(z - h * 0.5) * 4.0 + bell(z)) / (6.0 * std::f64::consts::TAU.sqrt());
    integral + 0.5 * libm::erfc(-z0 * std::f64::consts::FRAC_1_SQRT_2)
}

/// The network's outputs by the definition of an MLP, parameters and point of any kind of number.
fn outputs<D: DualNum<Primitive = f64> + Copy>(spec: &MlpSpec, parameters: &[D], x: &[D]) -> Vec<D> {
    let layers = spec.layers();
    let mut a = x.to_vec();
    for (l, layer) in layers.iter().enumerate() {
        let (weight, bias) = (&parameters[layer.weight.clone()], &parameters[layer.bias.clone()]);
        let z = weight
            .chunks(layer.input)
            .zip(bias)
            .map(|(row, b)| row.iter().zip(&a).fold(*b, |sum, (w, a)| sum + *w * *a));
        a = z.map(|z| if l + 1 < layers.len() { phi(spec.activation(), z) } else { z }).collect();
    }
    a
}

/// Each output (divided by σ where the network is) at x + t v, with its first two derivatives by t, each with its
/// derivative by one parameter.
pub(crate) fn line(model: &Model, x: &[f64], v: &[f64], sigma: f64, parameter: usize) -> Vec<[Dual<f64>; 3]> {
    let constant = |re| Dual::new(re, 0.0);
    let mut parameters: Vec<_> = model.parameters.iter().map(|p| Dual2::from_re(constant(*p))).collect();
    parameters[parameter].re.eps = 1.0;
    let mut at: Vec<_> = x.iter().zip(v).map(|(x, v)| Dual2::new(constant(*x), constant(*v), constant(0.0))).collect();
    if model.spec.conditioning() == Conditioning::Concat {
        at.push(Dual2::from_re(constant(sigma.ln())));
    }
    let divisor = if model.spec.conditioning() == Conditioning::Scale { sigma } else { 1.0 };
    let all = outputs(&model.spec, &parameters, &at);
    all.into_iter().map(|e| [e.re / divisor, e.v1 / divisor, e.v2 / divisor]).collect()
}

pub(crate) fn unit(dim: usize, n: usize) -> Vec<f64> {
    (0..dim).map(|i| f64::from(u8::from(i == n))).collect()
}

fn add(x: &[f64], v: &[f64], by: f64) -> Vec<f64> {
    x.iter().zip(v).map(|(x, v)| x + by * v).collect()
}

fn total(terms: impl Iterator<Item = Dual<f64>>) -> Dual<f64> {
    terms.fold(Dual::new(0.0, 0.0), |sum, term| sum + term)
}

/// One sample of a batch.
struct Sample<'a> {
    x: &'a [f64],
    z: &'a [f64],
    sigma: f64,
    /// Probes, or negatives.
    probes: Vec<&'a [f64]>,
}

/// The loss of a sample by its definition, with its derivative by one parameter.
fn loss_of(model: &Model, objective: &Objective, sample: &Sample<'_>, parameter: usize) -> Dual<f64> {
    let (d, sigma) = (sample.x.len(), sample.sigma);
    let energy = model.spec.head() == Head::Energy;
    // s at a point, and vᵀ∇s v there
    let score = |x: &[f64]| -> Vec<Dual<f64>> {
        if energy {
            (0..d).map(|n| -line(model, x, &unit(d, n), sigma, parameter)[0][1]).collect()
        } else {
            line(model, x, &vec![0.0; d], sigma, parameter).iter().map(|s| s[0]).collect()
        }
    };
    let curvature = |x: &[f64], v: &[f64]| -> Dual<f64> {
        let along = line(model, x, v, sigma, parameter);
        if energy { -along[0][2] } else { total(along.iter().zip(v).map(|(s, v)| s[1] * *v)) }
    };
    let half_square = |s: &[Dual<f64>]| total(s.iter().map(|s| *s * *s * 0.5));
    let mean = |f: &dyn Fn(&[f64]) -> Dual<f64>| total(sample.probes.iter().map(|v| f(v))) / sample.probes.len() as f64;
    match objective {
        Objective::Esm => half_square(&score(sample.x)) + total((0..d).map(|n| curvature(sample.x, &unit(d, n)))),
        Objective::Ssm(_) => mean(&|v| {
            let along = total(score(sample.x).iter().zip(v).map(|(s, v)| *s * *v));
            along * along * 0.5 + curvature(sample.x, v)
        }),
        Objective::SsmVr(_) => half_square(&score(sample.x)) + mean(&|v| curvature(sample.x, v)),
        Objective::FdSsm(_) => mean(&|v| {
            let e = |by: f64| line(model, &add(sample.x, v, by), &vec![0.0; d], sigma, parameter)[0][0];
            let square: f64 = v.iter().map(|v| v * v).sum();
            let slope = e(1.0) - e(-1.0);
            (slope * slope / 8.0 + e(0.0) * 2.0 - e(1.0) - e(-1.0)) * (d as f64 / square)
        }),
        Objective::Denoising(denoising) => {
            let s = score(&add(sample.x, sample.z, sigma));
            let residual: Vec<_> = s.iter().zip(sample.z).map(|(s, z)| *s + *z / sigma).collect();
            half_square(&residual) * sigma.powf(denoising.weighting.0)
        }
        Objective::Cd(_) | Objective::Pcd(..) | Objective::Ed(_) | Objective::Nce(_) => {
            contrast_of(objective, sample, &|x| line(model, x, &vec![0.0; d], sigma, parameter)[0][0])
        }
    }
}

/// The loss of a sample against its negatives.
fn contrast_of(objective: &Objective, sample: &Sample<'_>, energy: &dyn Fn(&[f64]) -> Dual<f64>) -> Dual<f64> {
    let (x, count) = (energy(sample.x), sample.probes.len() as f64);
    let negatives = || sample.probes.iter().map(|y| (*y, energy(y)));
    match objective {
        Objective::Cd(cd) | Objective::Pcd(cd, _) => {
            let y = energy(sample.probes[0]);
            x - y + (x * x + y * y) * cd.alpha
        }
        Objective::Ed(ed) => ((total(negatives().map(|(_, y)| (x - y).exp())) + ed.w) / count).ln(),
        Objective::Nce(nce) => {
            let odds = |at: &[f64], e: Dual<f64>| -e - nce.noise.log_density(at) - count.ln();
            let softplus = |z: Dual<f64>| (z.exp() + 1.0).ln();
            softplus(-odds(sample.x, x)) + total(negatives().map(|(at, y)| softplus(odds(at, y))))
        }
        other => panic!("{} has no negatives", other.name()),
    }
}

/// The random numbers of a small batch.
pub(crate) struct Batch {
    pub(crate) points: Points,
    pub(crate) noise: Points,
    pub(crate) probes: Points,
    pub(crate) sigmas: Vec<f64>,
}

impl Batch {
    pub(crate) fn new(samples: usize, probes: usize, dim: usize) -> Self {
        let sigmas = (0..samples).map(|i| [1.5, 0.5, 0.25][i % 3]).collect();
        let [points, noise] = [21, 27].map(|seed| normal_points(samples, dim, seed));
        Self { points, noise, probes: normal_points(samples * probes, dim, 22), sigmas }
    }

    pub(crate) fn run(&self, engine: &dyn Engine, model: &Model, objective: &Objective) -> LossGradient {
        let (noise, sigmas) = (Some(&self.noise), Some(&self.sigmas[..]));
        let vectors = Some(&self.probes);
        let given = Given { points: &self.points, noise, sigmas, probes: vectors, negatives: vectors };
        engine.loss_gradient(model, objective, &given).expect("loss")
    }

    /// Losses and gradient by dual numbers.
    pub(crate) fn dual(&self, model: &Model, objective: &Objective) -> [Vec<f64>; 2] {
        let (count, each) = (self.points.count(), self.probes.count() / self.points.count());
        let mut losses = vec![0.0; count];
        let mut gradient = vec![0.0; model.parameters.len()];
        for (parameter, total) in gradient.iter_mut().enumerate() {
            for (i, out) in losses.iter_mut().enumerate() {
                let probes = (0..each).map(|k| self.probes.row(i * each + k)).collect();
                let (x, z) = (self.points.row(i), self.noise.row(i));
                let loss = loss_of(model, objective, &Sample { x, z, sigma: self.sigmas[i], probes }, parameter);
                *out = loss.re;
                *total += loss.eps / count as f64;
            }
        }
        [losses, gradient]
    }
}
