//! What `sample` says of a run: sample.json, and the table on stdout.

mod coordinates;
mod law;
mod print;

use std::path::PathBuf;

use ebm_gpu::engine::Engine;
use ebm_gpu::error::Result;
use ebm_gpu::points::Points;
use ebm_gpu::sample::{Sampled, SamplingPlan};
use ebm_gpu::target::Facts;
use serde::Serialize;

use super::super::chains;
use super::super::output::Folder;
use super::super::page;
use super::args::Args;
use super::subject::{Ground, Subject};
pub(super) use coordinates::moment_lines;
use coordinates::{CoordinateSummary, EnergySummary, LastEnergy, coordinate};
use law::{ModeSummary, is_own_law, modes};
pub(super) use law::{describe, ends};

/// Standard errors from the exact mean that are taken for an error: one in a million for a normal law.
const FAR: f64 = 5.0;
/// A mean energy that no chain of a law reaches.
const LOST: f64 = 1e12;
/// How far from its goal an adapted acceptance is told of.
const MISSED: f64 = 0.05;
/// Acceptance above which steps are too short to get anywhere.
const TIMID: f64 = 0.99;

/// What sample.json holds and `--json` prints.
#[derive(Serialize)]
pub(super) struct Summary {
    version: &'static str,
    engine: &'static str,
    adapter: String,
    subject: String,
    columns: Vec<String>,
    sampler: String,
    transition: String,
    /// Noise levels, the largest first; empty if there are none.
    levels: Vec<f64>,
    seed: u64,
    chains: Chains,
    burn_in: u64,
    thin: u64,
    draws: u64,
    /// The mean over chains of the factor that burn-in gave their steps; none without adaptation.
    step_factor: Option<f64>,
    /// E of the first chains over all draws; none for a field, or without draws.
    energy: Option<EnergySummary>,
    /// E of all chains at the end; none for a field.
    last_energy: Option<LastEnergy>,
    /// Proposals refused because their energy was not finite.
    broken: u64,
    /// The share of exchanges made between neighbouring temperatures, the hottest pair first.
    exchanges: Vec<f64>,
    coordinates: Vec<CoordinateSummary>,
    /// The standard deviation that the data's means and variances are smoothed by, in units of the network.
    data_smoothing: f64,
    modes: Vec<ModeSummary>,
    pub(super) warnings: Vec<String>,
    /// What lies in the folder.
    files: Vec<&'static str>,
    out: PathBuf,
}

#[derive(Serialize)]
struct Chains {
    count: usize,
    /// The first of them, whose draws were kept and diagnosed where they run; 0 without draws.
    monitored: usize,
    replicas: usize,
    steps: u64,
    seconds: f64,
    chain_steps_per_second: f64,
    /// The mean over chains that correct their steps.
    #[serde(serialize_with = "chains::or_one")]
    acceptance: Option<f64>,
    /// The share of their next steps that a Metropolis correction would accept, of those that do not.
    would_accept: Option<f64>,
}

impl Summary {
    pub(super) fn new(
        args: &Args,
        subject: &Subject,
        plan: &SamplingPlan<'_>,
        engine: &dyn Engine,
        sampled: &Sampled,
        samples: &Points,
        folder: &Folder,
    ) -> Result<Self> {
        let mean_of = |values: &Option<Vec<f64>>| values.as_ref().map(|v| v.iter().sum::<f64>() / v.len() as f64);
        let replicas = sampled.columns / args.chains;
        let mut warnings = sampled.diagnostics.as_ref().map_or_else(Vec::new, |d| d.warnings());
        if sampled.fares.broken > 0 {
            let all = (sampled.columns as u64 * (sampled.steps - plan.burn_in)).max(1);
            warnings.push(format!(
                "{:.2} % of the proposals left every bound and were refused: a smaller --step-size",
                100.0 * sampled.fares.broken as f64 / all as f64
            ));
        }
        let acceptance = sampled.acceptance();
        if let Some(acceptance) = acceptance.filter(|acceptance| !(0.1..=TIMID).contains(acceptance)) {
            let more = if acceptance < 0.1 { "smaller" } else { "larger" };
            warnings.push(format!(
                "the chains accept {acceptance:.3} of their proposals: a {more} --step-size, or --adapt"
            ));
        }
        let is_own_law = is_own_law(subject, plan);
        let known = match subject.last() {
            Ground::Target(target) if is_own_law => target.facts(),
            Ground::Target(target) if target.bounds().is_some_and(|own| Some(own) != ends(plan)) => {
                let (name, [low, high]) = (target.name(), target.bounds().unwrap_or_default());
                warnings
                    .push(format!("the numbers that are known of {name} are those in its own box, {low} to {high}"));
                Facts::default()
            }
            _ => Facts::default(),
        };
        if plan.draws() == 0 && plan.stages.iter().any(|s| s.steps > 0) {
            warnings.push("no draws were taken, so nothing is known of how well the chains have mixed".to_string());
        }
        // one last step without noise takes the smoothing off
        let smoothing = if plan.denoise.is_some() { 0.0 } else { subject.smoothing };
        let coordinates: Vec<CoordinateSummary> =
            (0..subject.dim()).map(|n| coordinate(subject, smoothing, &known, sampled, samples, n)).collect();
        for x in &coordinates {
            let Some(((exact, mean), error)) = x.exact_mean.zip(x.draws_mean).zip(x.mean_error) else { continue };
            let apart = ((mean - exact) / error).abs();
            if apart > FAR {
                let name = &x.name;
                warnings.push(format!(
                    "the mean of {name} is {apart:.1} standard errors from the exact one: the chains have not found the law"
                ));
            }
        }
        let last_energy = LastEnergy::of(engine, subject, &sampled.positions)?;
        // chains that a step throws to and fro, each time farther
        let is_lost = |e: &&LastEnergy| e.mean.is_nan() || e.mean.abs() > LOST;
        if let Some(lost) = last_energy.as_ref().filter(is_lost) {
            warnings.push(format!(
                "the mean energy of the chains is {:.1e}: they run away, a smaller --step-size",
                lost.mean
            ));
        }
        warnings.extend(chains::biased(sampled.would_accept));
        if let Some([mean, deviation]) = &subject.data {
            warnings.extend(chains::far(mean, deviation, &sampled.positions));
        }
        let missed = plan.adapt.zip(acceptance).filter(|(goal, acceptance)| (acceptance - goal).abs() > MISSED);
        if let Some((goal, acceptance)) = missed {
            warnings.push(format!(
                "the chains accept {acceptance:.3} of their proposals, adaptation was to reach {goal}: a longer --burn-in"
            ));
        }
        if subject.transform.columns().is_none() {
            warnings.push(
                "R-hat, ESS and moments.jsonl are of the network's coordinates, which are no shifted and scaled columns"
                    .to_string(),
            );
        }
        let levels: Vec<f64> = subject.levels.iter().map(|(sigma, _)| *sigma).filter(|s| *s > 0.0).collect();
        Ok(Self {
            version: env!("CARGO_PKG_VERSION"),
            engine: engine.name(),
            adapter: engine.adapter(),
            subject: subject.name.clone(),
            columns: subject.columns.clone(),
            sampler: args.sampler(subject)?.to_string(),
            transition: describe(&plan.stages[plan.stages.len() - 1].transition),
            levels,
            seed: args.seed,
            chains: Chains {
                count: args.chains,
                monitored: sampled.diagnostics.as_ref().map_or(0, |d| d.chains),
                replicas,
                steps: sampled.steps,
                seconds: sampled.seconds,
                chain_steps_per_second: sampled.chain_steps_per_second(),
                acceptance,
                would_accept: sampled.would_accept,
            },
            burn_in: plan.burn_in,
            thin: plan.thin,
            draws: plan.draws(),
            step_factor: plan.adapt.and_then(|_| mean_of(&sampled.fares.factors)),
            energy: sampled.energy.map(EnergySummary::new),
            last_energy,
            broken: sampled.fares.broken,
            exchanges: sampled.fares.exchanges.clone(),
            coordinates,
            data_smoothing: smoothing,
            modes: modes(subject, samples, is_own_law),
            warnings,
            files: folder.files(&["sample.json", page::FILE]),
            out: folder.path().to_path_buf(),
        })
    }
}
