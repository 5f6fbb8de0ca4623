//! Losses and gradients of every objective with draws that are given, and some steps of training with draws of the
//! engine's own.

use super::{CHAINS, CONTRASTED, Case, GRADIENT, TRAINED, directions, normals};
use crate::engine::{Engine, Given, TrainingPlan, TrainingState};
use crate::error::Result;
use crate::model::Model;
use crate::objective::{
    Contrastive, Denoising, Discrepancy, FdSsm, Ladder, NoiseContrastive, Objective, ProbeLaw, Probes, Program, Replay,
    SeparableLaw, Weighting,
};
use crate::optimizer::{Optimizer, Schedule};
use crate::points::Points;
use crate::random::Seed;

/// Losses and gradients on `points`, one draw of everything for each.
pub(super) fn check_losses(case: &mut Case<'_>, model: &Model, points: &Points) -> Result<()> {
    let (samples, d) = (points.count(), points.dim());
    let (noise, probes) = (normals(samples, d, 2), directions(2 * samples, d));
    let sigmas: Vec<f64> = (0..samples).map(|i| [1.0, 0.5, 0.25][i % 3]).collect();
    for objective in objectives(d)? {
        if objective.check(&model.spec).is_err() {
            continue;
        }
        let each = match objective.program(model.spec.head()) {
            Program::Contrast(contrast) => contrast.negatives,
            _ => 1,
        };
        let negatives = normals(samples * each, d, 7);
        let given = Given {
            points,
            noise: Some(&noise),
            sigmas: Some(&sigmas),
            probes: Some(&probes),
            negatives: Some(&negatives),
        };
        let want = case.reference.loss_gradient(model, &objective, &given)?;
        let got = case.engine.loss_gradient(model, &objective, &given)?;
        let [losses, gradient] = kernels_of(&objective);
        case.find(losses, &got.losses, &want.losses, GRADIENT);
        // the weights of data and of negatives each sum to 1, and what they weigh cancels
        let least = if contrasts(&objective, model) { 1.0 } else { f64::MIN_POSITIVE };
        case.find_among(gradient, &got.gradient, &want.gradient, GRADIENT, least);
    }
    Ok(())
}

fn contrasts(objective: &Objective, model: &Model) -> bool {
    matches!(objective.program(model.spec.head()), Program::Contrast(_))
}

/// What ten steps of training leave.
pub(super) fn check_trainings(case: &mut Case<'_>, model: &Model, points: &Points) -> Result<()> {
    for objective in trainings(points)? {
        if objective.check(&model.spec).is_err() {
            continue;
        }
        let want = trained(case.reference, model, &objective, points)?;
        let got = trained(case.engine, model, &objective, points)?;
        let kernel = match objective {
            Objective::Cd(_) | Objective::Pcd(..) => "negative_chains",
            _ => "adam_step",
        };
        let kernel = format!("{kernel} ({})", objective.name());
        case.find(&format!("{kernel}: parameters"), &got.parameters, &want.parameters, TRAINED);
        let bound = if contrasts(&objective, model) { CONTRASTED } else { TRAINED };
        case.find(&format!("{kernel}: first moments"), &got.first_moment, &want.first_moment, bound);
        if let Some(want) = want.replay {
            let got = got.replay.map_or_else(Vec::new, |replay| replay.values().to_vec());
            case.find(&format!("{kernel}: replay buffer"), &got, want.values(), CHAINS);
        }
    }
    Ok(())
}

/// What is trained for some steps: every law of draws, and chains from noisy data and from a replay buffer many of whose
/// chains begin anew in a box.
fn trainings(points: &Points) -> Result<Vec<Objective>> {
    let replay = Replay::new(70, 0.3, SeparableLaw::around(points)?)?;
    Ok(vec![
        Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2)?),
        Objective::Ssm(Probes::new(2, ProbeLaw::Rademacher)?),
        Objective::SsmVr(Probes::new(1, ProbeLaw::Sphere)?),
        Objective::FdSsm(FdSsm::new(2, 0.1)?),
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
        schedule: Schedule::Cosine,
        warmup: 3,
        // large against rounding errors, so that a gradient near 0 does not become a step of either sign
        epsilon: 1e-3,
        weight_decay: 0.01,
        // below every norm, so that what reaches the norm alone is seen too
        clip: 1e-3,
        ema: 0.9,
        ..Optimizer::adam(1e-3)
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
