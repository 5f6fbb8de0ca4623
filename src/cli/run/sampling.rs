//! The chains that a run ends with.

use ebm_gpu::data::Standardizer;
use ebm_gpu::engine::Engine;
use ebm_gpu::error::Result;
use ebm_gpu::eval::Metrics;
use ebm_gpu::model::Model;
use ebm_gpu::objective::Objective;
use ebm_gpu::points::Points;
use ebm_gpu::random::Stream;
use ebm_gpu::sample::{Frames, SamplingPlan, Stage, would_accept};
use ebm_gpu::sampler::Langevin;

use super::super::chains;
use super::super::progress::{self, ChainBar};
use super::args::{Args, Plan};
use super::summary::ChainSummary;

/// Starts chains at a normal law with the data's own mean and variances, and runs them.
pub(super) fn sampling(args: &Args, plan: &Plan, engine: &dyn Engine, model: &Model) -> Result<(Points, ChainSummary)> {
    let sampling = &plan.sampling;
    let models: Vec<Model> = sampling.levels.iter().map(|(sigma, _)| model.at(*sigma)).collect();
    let stages = models.iter().zip(&sampling.levels).map(|(model, (_, step))| Stage {
        landscape: model.into(),
        transition: (*step).into(),
        steps: sampling.steps,
    });
    let (last, step) = sampling.levels[sampling.levels.len() - 1];
    let chains = SamplingPlan {
        stages: stages.collect(),
        burn_in: 0,
        adapt: None,
        thin: 0,
        denoise: sampling.denoise.then_some(last),
        frames: Frames::default(),
        seed: plan.seed,
    };
    let mut bar = ChainBar(progress::bar("chains", chains.all_steps(), args.quiet));
    let sampled = chains.run(engine, &starting_points(args, plan), &mut bar)?;
    bar.0.finish_and_clear();
    let summary = ChainSummary {
        sampler: sampling.name,
        count: args.chains,
        steps: sampled.steps,
        step_size: step.step_size,
        temperature: step.temperature,
        denoised: sampling.denoise,
        seconds: sampled.seconds,
        chain_steps_per_second: sampled.chain_steps_per_second(),
        acceptance: sampled.acceptance().unwrap_or(1.0),
        would_accept: sampled.would_accept,
    };
    Ok((sampled.positions, summary))
}

/// What has to be told of chains.
pub(super) fn warnings(plan: &Plan, ends: &Points, summary: &ChainSummary, metrics: &Metrics) -> Vec<String> {
    let fitted = Standardizer::fit(&plan.data.train);
    let is_of_the_model = summary.temperature == 1.0 && !summary.denoised;
    let tempered = (summary.temperature != 1.0).then(|| {
        format!(
            "the chains are at temperature {}, so they and all that is said of them are not of the model itself",
            summary.temperature
        )
    });
    [
        tempered,
        chains::far(&fitted.mean, &fitted.scale, ends),
        chains::biased(summary.would_accept),
        chains::unreached(metrics).filter(|_| is_of_the_model),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The share of the steps of the chains that make negatives, from the data on, that a Metropolis correction has to accept for them
/// to be chains of the model at all.
const LEAST_ACCEPTED: f64 = 0.6;

/// A warning if the chains that make negatives take steps that are too large for the model that has come of them.
pub(super) fn wild_negatives(plan: &Plan, engine: &dyn Engine, model: &Model) -> Result<Option<String>> {
    let (Objective::Cd(cd) | Objective::Pcd(cd, _)) = &plan.training.objective else { return Ok(None) };
    let step = Langevin::new(cd.step_size, 1.0)?;
    let accepted = would_accept(engine, model.into(), &step, &plan.data.train, plan.seed)?;
    Ok(accepted.filter(|accepted| *accepted < LEAST_ACCEPTED).map(|accepted| {
        format!(
            "a Metropolis correction would refuse {:.0} % of the Langevin steps that make negatives, from the data on: they are not \
             of the model; a smaller --eta than {}, or an --alpha, which keeps energies small",
            100.0 * (1.0 - accepted),
            cd.step_size
        )
    }))
}

/// Where they start.
pub(super) fn starting_points(args: &Args, plan: &Plan) -> Points {
    let normal = Points::normal::<f64>(args.chains, plan.data.dim(), plan.seed, Stream::Start, 0);
    let mut fitted = Standardizer::fit(&plan.data.train);
    if plan.sampling.name == "annealed" {
        let first = plan.sampling.levels[0].0;
        fitted.scale.iter_mut().for_each(|scale| *scale = scale.hypot(first));
    }
    fitted.undo(&normal)
}
