//! `check`: every kernel against the f64 reference on the user's own device.
//!
//! Each case runs one kernel through the engine on small odd sizes and compares what comes back, number by number. The
//! bounds have room for f32 and for what WGSL allows a driver, not for a wrong formula: a few units in the sixth digit of
//! the largest entry.

use serde::Serialize;

use crate::engine::cpu::Reference;
use crate::engine::{Engine, Given, TrainingPlan, TrainingState};
use crate::error::Result;
use crate::model::{Activation, Conditioning, Head, MlpSpec, Model};
use crate::objective::{
    Contrastive, Denoising, Discrepancy, FdSsm, Ladder, NoiseContrastive, Objective, ProbeLaw, Probes, Program, Replay,
    SeparableLaw, Weighting,
};
use crate::optimizer::{Optimizer, Schedule};
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::sampler::Langevin;

/// What one kernel gave on one network.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The kernels that the numbers went through.
    pub kernel: &'static str,
    /// The network.
    pub net: String,
    /// Its activation.
    pub activation: &'static str,
    /// The largest |got − want| over the largest |want| (over 1, in gradients of contrast that are smaller: they are
    /// differences of such terms); infinite if anything is NaN.
    pub worst: f64,
    /// The most that is right.
    pub bound: f64,
}

impl Finding {
    /// Within its bound. NaN is not.
    pub fn holds(&self) -> bool {
        self.worst <= self.bound
    }
}

/// Networks whose widths do not fit tiles or padding, and every activation.
const CASES: &[(&str, Activation, usize)] = &[
    ("2-64-64-1", Activation::Silu, 33),
    ("3-100-7-1", Activation::Silu, 65),
    ("37-130-129-1", Activation::Silu, 70),
    ("3-50-7-3", Activation::Silu, 45),
    ("2-17-9-1", Activation::Softplus, 40),
    ("2-17-9-1", Activation::Tanh, 40),
    ("2-17-9-1", Activation::Gelu, 40),
    ("2-17-9-1", Activation::Relu, 40),
    ("2-17-9-1", Activation::LeakyRelu, 40),
];

/// Bounds relative to the largest entry. Mesa's software driver stays 7 times below them; WGSL allows a GPU's `exp` to be
/// a few times less exact than that driver's.
const FORWARD: f64 = 4e-6;
const GRADIENT: f64 = 5e-6;
/// Differences of energies: where a loss is small against d E / |v|², rounding errors of E are not small against it.
const DIFFERENCE: f64 = 2e-5;
/// After ten steps of Adam.
const TRAINED: f64 = 5e-6;
/// The same for gradients that are differences: of data and negatives, whose weights each sum to 1.
const CONTRASTED: f64 = 2e-5;
/// After twenty Langevin steps.
const CHAINS: f64 = 1e-5;

/// Runs every case on `engine` and calls `report` with each finding as it comes.
///
/// # Errors
/// The device failed: not that it computes wrongly, which a finding says.
pub fn check(engine: &dyn Engine, report: &mut dyn FnMut(&Finding)) -> Result<bool> {
    let reference = Reference::new()?;
    let mut good = true;
    for &(net, activation, samples) in CASES {
        let head = if net.ends_with("-1") { Head::Energy } else { Head::Score };
        let model = MlpSpec::parse_conditioned(net, activation, head, Conditioning::None)?.initial(Seed(7));
        let d = model.spec.dim();
        let (points, noise) = (normals(samples, d, 1), normals(samples, d, 2));
        let mut find = |kernel: &'static str, got: &[f64], want: &[f64], bound| {
            let least = if kernel_cancels(kernel) { 1.0 } else { f64::MIN_POSITIVE };
            let worst = worst(got, want, least);
            let finding = Finding { kernel, net: net.to_string(), activation: activation.name(), worst, bound };
            good &= finding.holds();
            report(&finding);
        };
        if head == Head::Energy {
            let want = reference.energy(&model, &points)?;
            find("energy", &engine.energy(&model, &points)?, &want, FORWARD);
        }

        let want = reference.score(&model, &points)?;
        find("score", engine.score(&model, &points)?.values(), want.values(), GRADIENT);

        for objective in objectives(d)? {
            if objective.check(&model.spec).is_err() {
                continue;
            }
            let probes = directions(2 * samples, d);
            let sigmas: Vec<f64> = (0..samples).map(|i| [1.0, 0.5, 0.25][i % 3]).collect();
            let each = match objective.program(head) {
                Program::Contrast(contrast) => contrast.negatives,
                _ => 1,
            };
            let negatives = normals(samples * each, d, 7);
            let given = Given {
                points: &points,
                noise: Some(&noise),
                sigmas: Some(&sigmas),
                probes: Some(&probes),
                negatives: Some(&negatives),
            };
            let want = reference.loss_gradient(&model, &objective, &given)?;
            let got = engine.loss_gradient(&model, &objective, &given)?;
            let [losses, gradient] = kernels_of(&objective);
            let bound = if matches!(objective, Objective::FdSsm(_)) { DIFFERENCE } else { GRADIENT };
            find(losses, &got.losses, &want.losses, bound);
            find(gradient, &got.gradient, &want.gradient, bound);
        }

        for objective in trainings(&points)? {
            if objective.check(&model.spec).is_err() {
                continue;
            }
            let want = trained(&reference, &model, &objective, &points)?;
            let got = trained(engine, &model, &objective, &points)?;
            let [parameters, moments] = match objective {
                Objective::Cd(_) | Objective::Pcd(..) => {
                    ["negative_chains: parameters", "negative_chains: first moments"]
                }
                _ => ["adam_step: parameters", "adam_step: first moments"],
            };
            find(parameters, &got.parameters, &want.parameters, TRAINED);
            let contrast = matches!(objective.program(head), Program::Contrast(_));
            find(moments, &got.first_moment, &want.first_moment, if contrast { CONTRASTED } else { TRAINED });
            if let Some(want) = want.replay {
                let got = got.replay.map_or_else(Vec::new, |replay| replay.values().to_vec());
                find("negative_chains: replay buffer", &got, want.values(), CHAINS);
            }
        }

        let (got, want) = (moved(engine, &model, &points)?, moved(&reference, &model, &points)?);
        find("langevin_chains", got.values(), want.values(), CHAINS);
    }
    Ok(good)
}

/// What is trained for some steps: every law of draws, and chains from noisy data and from a replay buffer many of whose
/// chains begin anew in a box.
fn trainings(points: &Points) -> Result<Vec<Objective>> {
    let replay = Replay::new(70, 0.3, SeparableLaw::around(points)?)?;
    Ok(vec![
        Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2)?),
        Objective::Ssm(Probes::new(2, ProbeLaw::Rademacher)?),
        Objective::SsmVr(Probes::new(1, ProbeLaw::Sphere)?),
        Objective::Ed(Discrepancy::new(0.5, 3, 1.0)?),
        Objective::Nce(NoiseContrastive::new(2, SeparableLaw::fitted(points, 2.0)?)?),
        Objective::Cd(Contrastive::new(4, 0.01, 0.1, 0.2)?),
        Objective::Pcd(Contrastive::new(3, 0.01, 0.0, 0.0)?, replay),
    ])
}

/// Every term of every kernel of losses, with two tangents, or some negatives, in `d` dimensions.
fn objectives(d: usize) -> Result<Vec<Objective>> {
    let probes = Probes::new(2, ProbeLaw::Gaussian)?;
    Ok(vec![
        Objective::Denoising(Denoising {
            ladder: Ladder::explicit(vec![1.0, 0.5, 0.25])?,
            weighting: Weighting::SIGMA2,
        }),
        Objective::Esm,
        Objective::Ssm(probes),
        Objective::SsmVr(probes),
        Objective::FdSsm(FdSsm::new(2, 1.0)?),
        Objective::Cd(Contrastive::new(1, 0.01, 0.1, 0.0)?),
        Objective::Ed(Discrepancy::new(1.0, 5, 0.5)?),
        Objective::Nce(NoiseContrastive::new(3, SeparableLaw::isotropic(d, 2.0)?)?),
    ])
}

/// The kernels that losses and gradient go through.
fn kernels_of(objective: &Objective) -> [&'static str; 2] {
    match objective {
        Objective::Esm => {
            ["orthonormal_basis, score_matching (esm): losses", "orthonormal_basis, score_matching (esm)"]
        }
        Objective::Ssm(_) => ["score_matching (ssm): losses", "score_matching (ssm)"],
        Objective::SsmVr(_) => ["score_matching (ssm-vr): losses", "score_matching (ssm-vr)"],
        Objective::FdSsm(_) => ["difference_matching: losses", "difference_matching, reduce_gradient"],
        Objective::Denoising(_) => ["score_matching (mdsm): losses", "score_matching (mdsm), reduce_gradient"],
        Objective::Cd(_) | Objective::Pcd(..) => ["contrast (cd): losses", "contrast (cd), reduce_gradient"],
        Objective::Ed(_) => ["contrast (ed): losses", "contrast (ed), reduce_gradient"],
        Objective::Nce(_) => ["contrast (nce): losses", "contrast (nce), reduce_gradient"],
    }
}

fn trained(engine: &dyn Engine, model: &Model, objective: &Objective, data: &Points) -> Result<TrainingState> {
    let optimizer = Optimizer {
        learning_rate: 1e-3,
        schedule: Schedule::Cosine,
        warmup: 3,
        beta1: 0.9,
        beta2: 0.999,
        // large against rounding errors, so that a gradient near 0 does not become a step of either sign
        epsilon: 1e-3,
        weight_decay: 0.01,
        // below every norm, so that what reaches the norm alone is seen too
        clip: 1e-3,
        ema: 0.9,
    };
    let plan = TrainingPlan { objective: objective.clone(), batch: 50, optimizer, steps: 10, seed: Seed(3) };
    let mut training = engine.train(model, &plan, data, TrainingState::start(model))?;
    let mut done = 0;
    while done < plan.steps {
        let records = training.advance(plan.steps)?;
        done += records.len() as u64;
        if records.iter().any(|r| !r.is_finite()) {
            break;
        }
    }
    training.state()
}

fn moved(engine: &dyn Engine, model: &Model, start: &Points) -> Result<Points> {
    const STEPS: u64 = 20;
    let mut chains = engine.chains(model.into(), &Langevin::new(0.01, 1.0)?.into(), start, Seed(4))?;
    let mut done = 0;
    while done < STEPS {
        done += chains.advance(STEPS - done)?;
    }
    chains.positions()
}

fn normals(count: usize, dim: usize, step: u32) -> Points {
    Points::normal::<f32>(count, dim, Seed(5), Stream::Host, step)
}

/// Vectors of length √d.
fn directions(count: usize, dim: usize) -> Points {
    let mut rows = normals(count, dim, 6);
    for row in rows.values_mut().chunks_exact_mut(dim) {
        let length = (row.iter().map(|v| v * v).sum::<f64>() / dim as f64).sqrt();
        row.iter_mut().for_each(|v| *v = f64::from((*v / length) as f32));
    }
    rows
}

/// Whether numbers are differences of terms of size 1: the weights of data and of negatives each sum to 1.
fn kernel_cancels(kernel: &str) -> bool {
    kernel.starts_with("contrast") && kernel.ends_with("reduce_gradient")
}

/// The largest error over the largest entry, or over `least`; infinite if anything is NaN or an array is short.
fn worst(got: &[f64], want: &[f64], least: f64) -> f64 {
    if got.len() != want.len() {
        return f64::INFINITY;
    }
    let scale = want.iter().fold(least, |m, w| m.max(w.abs()));
    let error = |(g, w): (&f64, &f64)| {
        let e = (g - w).abs() / scale;
        if e.is_nan() { f64::INFINITY } else { e }
    };
    got.iter().zip(want).map(error).fold(0.0, f64::max)
}
