//! `check`: every kernel against the f64 reference on the user's own device.
//!
//! Each case runs one kernel through the engine on small odd sizes and compares what comes back, number by number. The
//! bounds have room for f32 and for what WGSL allows a driver, not for a wrong formula: a few units in the sixth digit of
//! the largest entry.

use serde::Serialize;

use crate::engine::cpu::Reference;
use crate::engine::{Engine, Jet, TrainingPlan, TrainingState};
use crate::error::Result;
use crate::model::{Activation, MlpSpec, Model};
use crate::objective::{Dsm, Objective, Weighting};
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
    /// The largest |got − want| over the largest |want|; infinite if anything is NaN.
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
/// After ten steps of Adam.
const TRAINED: f64 = 5e-6;
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
        let model = MlpSpec::parse(net, activation)?.initial(Seed(7));
        let d = model.spec.input();
        let (points, noise) = (normals(samples, d, 1), normals(samples, d, 2));
        let mut find = |kernel, got: &[f64], want: &[f64], bound| {
            let finding =
                Finding { kernel, net: net.to_string(), activation: activation.name(), worst: worst(got, want), bound };
            good &= finding.holds();
            report(&finding);
        };
        let want = reference.energy(&model, &points)?;
        find("energy", &engine.energy(&model, &points)?, &want, FORWARD);

        let want = reference.score(&model, &points)?;
        find("score", engine.score(&model, &points)?.values(), want.values(), GRADIENT);

        let objective = Objective::Dsm(Dsm::new(0.3, Weighting::Sigma2)?);
        let want = reference.loss_gradient(&model, &objective, &points, &noise)?;
        let got = engine.loss_gradient(&model, &objective, &points, &noise)?;
        find("dsm_gradient: losses", &got.losses, &want.losses, GRADIENT);
        find("dsm_gradient, reduce_gradient", &got.gradient, &want.gradient, GRADIENT);

        // every kind of channel: two curved tangents and one that is not
        if activation.is_smooth() {
            let jet = Jet { tangents: 3, curved: 2 };
            let tangents = normals(3 * samples, d, 6);
            let weights = normals(samples, jet.channels(), 8);
            let want = reference.jet_gradient(&model, jet, &points, &tangents, weights.values())?;
            let got = engine.jet_gradient(&model, jet, &points, &tangents, weights.values())?;
            find("jet_gradient: values", &got.values, &want.values, GRADIENT);
            find("jet_gradient: gradient", &got.gradient, &want.gradient, GRADIENT);
        }

        let want = trained(&reference, &model, objective, &points)?;
        let got = trained(engine, &model, objective, &points)?;
        find("adam_step: parameters", &got.parameters, &want.parameters, TRAINED);
        find("adam_step: first moments", &got.first_moment, &want.first_moment, TRAINED);

        let (got, want) = (moved(engine, &model, &points)?, moved(&reference, &model, &points)?);
        find("langevin_chains", got.values(), want.values(), CHAINS);
    }
    Ok(good)
}

fn trained(engine: &dyn Engine, model: &Model, objective: Objective, data: &Points) -> Result<TrainingState> {
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
    let plan = TrainingPlan { objective, batch: 50, optimizer, steps: 10, seed: Seed(3) };
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
    let mut chains = engine.chains(model, &Langevin::new(0.01, 1.0)?, start, Seed(4))?;
    let mut done = 0;
    while done < STEPS {
        done += chains.advance(STEPS - done)?;
    }
    chains.positions()
}

fn normals(count: usize, dim: usize, step: u32) -> Points {
    Points::normal::<f32>(count, dim, Seed(5), Stream::Host, step)
}

/// The largest error over the largest entry; infinite if anything is NaN or an array is short.
fn worst(got: &[f64], want: &[f64]) -> f64 {
    if got.len() != want.len() {
        return f64::INFINITY;
    }
    let scale = want.iter().fold(f64::MIN_POSITIVE, |m, w| m.max(w.abs()));
    let error = |(g, w): (&f64, &f64)| {
        let e = (g - w).abs() / scale;
        if e.is_nan() { f64::INFINITY } else { e }
    };
    got.iter().zip(want).map(error).fold(0.0, f64::max)
}
