//! Samples of a model for commands that are about something else: where the chains of `sample` end.

use std::path::Path;

use clap::{Args as _, FromArgMatches as _};
use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::points::Points;

use serde::Serialize;

use super::super::chains::{accepts, or_one};
use super::super::progress::{self, ChainBar};
use super::args::Args;
use super::summary::describe;

/// Chains of a checkpoint, with everything unsaid as in `run`.
pub(in crate::cli) struct Draw<'a> {
    pub(in crate::cli) checkpoint: &'a Path,
    pub(in crate::cli) chains: usize,
    pub(in crate::cli) sampler: Option<&'a str>,
    pub(in crate::cli) steps: Option<u64>,
    pub(in crate::cli) step_size: Option<f64>,
    /// The noise level of a model that sees it.
    pub(in crate::cli) sigma: Option<f64>,
    pub(in crate::cli) seed: u64,
    pub(in crate::cli) quiet: bool,
}

/// How the samples were made.
#[derive(Serialize)]
pub(in crate::cli) struct Drawn {
    pub(in crate::cli) sampler: String,
    /// A step of the last level in words.
    pub(in crate::cli) transition: String,
    pub(in crate::cli) count: usize,
    /// Steps of each chain, over all levels.
    pub(in crate::cli) steps: u64,
    #[serde(serialize_with = "or_one")]
    pub(in crate::cli) acceptance: Option<f64>,
    pub(in crate::cli) would_accept: Option<f64>,
}

impl Drawn {
    /// What they accept, in words.
    pub(in crate::cli) fn accepts(&self) -> String {
        accepts(self.acceptance, self.would_accept)
    }
}

impl Draw<'_> {
    /// The ends of the chains, in the units of the network, and what they were.
    pub(in crate::cli) fn run(&self, engine: &dyn Engine) -> Result<(Points, Drawn)> {
        let checkpoint = self.checkpoint.as_os_str();
        let command = Args::augment_args(clap::Command::new("sample"));
        let matches = command.try_get_matches_from(["sample".as_ref(), checkpoint]);
        let parsed = matches.and_then(|m| Args::from_arg_matches(&m));
        let defaults = parsed.map_err(|e| Error::failed(format!("the defaults of `sample`: {e}")))?;
        let args = Args {
            chains: self.chains,
            sampler: self.sampler.map(Into::into),
            step_size: self.step_size,
            sigma: self.sigma.filter(|sigma| *sigma > 0.0),
            seed: self.seed,
            ..defaults
        };
        let subject = args.subject()?;
        let usual = if args.sampler(&subject)? == "annealed" { 100 } else { 500 };
        let args = Args { steps: self.steps.unwrap_or(usual), ..args };
        let mut plan = args.plan(&subject)?;
        plan.thin = 0;
        let start = args.starting_points(&subject, super::replicas(&plan))?;
        let mut bar = ChainBar(progress::bar("chains", plan.all_steps(), self.quiet));
        let sampled = plan.run(engine, &start, &mut bar)?;
        bar.0.finish_and_clear();
        let drawn = Drawn {
            sampler: args.sampler(&subject)?.to_string(),
            transition: describe(&plan.stages[plan.stages.len() - 1].transition),
            count: args.chains,
            steps: sampled.steps,
            acceptance: sampled.acceptance(),
            would_accept: sampled.would_accept,
        };
        Ok((sampled.positions, drawn))
    }
}
