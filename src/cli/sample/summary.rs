//! What `sample` says of a run: sample.json, and the table on stdout.

use std::fmt;
use std::path::PathBuf;

use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::points::Points;
use ebm_gpu::sample::{Moment, Sampled, SamplingPlan};
use ebm_gpu::sampler::Transition;
use ebm_gpu::sampler::diagnostics::Coordinate;
use serde::Serialize;

use super::super::output::Folder;
use super::args::Args;
use super::subject::{Ground, Subject};

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
    /// Proposals refused because their energy was not finite.
    broken: u64,
    /// The share of exchanges made between neighbouring temperatures, the hottest pair first.
    exchanges: Vec<f64>,
    coordinates: Vec<CoordinateSummary>,
    modes: Vec<ModeSummary>,
    pub(super) warnings: Vec<String>,
    /// What lies in the folder.
    files: Vec<&'static str>,
    out: PathBuf,
}

#[derive(Serialize)]
struct Chains {
    count: usize,
    replicas: usize,
    steps: u64,
    seconds: f64,
    chain_steps_per_second: f64,
    acceptance: f64,
}

/// One coordinate in original units: the last positions of all chains, and what the draws of the first of them are worth.
#[derive(Serialize)]
struct CoordinateSummary {
    name: String,
    mean: f64,
    variance: f64,
    /// What they would be exactly, where it is known.
    exact_mean: Option<f64>,
    exact_variance: Option<f64>,
    r_hat: Option<f64>,
    bulk_ess: Option<f64>,
    tail_ess: Option<f64>,
}

/// E of the first chains, and what their draws are worth.
#[derive(Serialize)]
struct EnergySummary {
    mean: f64,
    standard_deviation: f64,
    r_hat: Option<f64>,
    bulk_ess: Option<f64>,
    tail_ess: Option<f64>,
}

impl EnergySummary {
    fn new(of: Coordinate) -> Self {
        let finite = |value: f64| Some(value).filter(|v| v.is_finite());
        Self {
            mean: of.mean,
            standard_deviation: of.standard_deviation,
            r_hat: finite(of.r_hat),
            bulk_ess: finite(of.bulk_ess),
            tail_ess: finite(of.tail_ess),
        }
    }
}

/// The share of the chains that are nearest to a mode.
#[derive(Serialize)]
struct ModeSummary {
    center: Vec<f64>,
    weight: f64,
    share: f64,
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
            warnings.push(format!(
                "{} proposals were refused because their energy was not finite: a smaller --step-size",
                sampled.fares.broken
            ));
        }
        let acceptance = sampled.acceptance();
        if sampled.fares.acceptance.is_some() && !(0.1..=0.999).contains(&acceptance) {
            let more = if acceptance < 0.1 { "smaller" } else { "larger" };
            warnings.push(format!(
                "the chains accept {acceptance:.3} of their proposals: a {more} --step-size, or --adapt"
            ));
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
                replicas,
                steps: sampled.steps,
                seconds: sampled.seconds,
                chain_steps_per_second: sampled.chain_steps_per_second(),
                acceptance,
            },
            burn_in: plan.burn_in,
            thin: plan.thin,
            draws: plan.draws(),
            step_factor: plan.adapt.and_then(|_| mean_of(&sampled.fares.factors)),
            energy: sampled.energy.map(EnergySummary::new),
            broken: sampled.fares.broken,
            exchanges: sampled.fares.exchanges.clone(),
            coordinates: (0..subject.dim()).map(|n| coordinate(subject, sampled, samples, n)).collect(),
            modes: modes(subject, samples),
            warnings,
            files: folder.files("sample.json"),
            out: folder.path().to_path_buf(),
        })
    }
}

fn describe(transition: &Transition) -> String {
    match transition {
        Transition::Langevin(l) => {
            format!("x <- x - {} grad E + {} xi", l.step_size, l.noise_scale())
        }
        Transition::Hamiltonian(h) if h.leapfrogs == 1 => format!(
            "x <- x - {} grad E + sqrt({} T) xi, accepted by Metropolis, T = {:?}",
            0.5 * h.step * h.step,
            h.step * h.step,
            h.temperatures
        ),
        Transition::Hamiltonian(h) => {
            format!("{} leapfrogs of {}, accepted by Metropolis, T = {:?}", h.leapfrogs, h.step, h.temperatures)
        }
    }
}

fn coordinate(subject: &Subject, sampled: &Sampled, samples: &Points, n: usize) -> CoordinateSummary {
    let count = samples.count() as f64;
    let mean = samples.rows().map(|x| x[n]).sum::<f64>() / count;
    let variance = samples.rows().map(|x| (x[n] - mean).powi(2)).sum::<f64>() / count;
    let facts = match subject.last() {
        Ground::Target(target) => target.facts(),
        Ground::Network(_) => ebm_gpu::target::Facts::default(),
    };
    let known = sampled.diagnostics.as_ref().map(|d| &d.coordinates[n]);
    let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
    CoordinateSummary {
        name: subject.columns[n].clone(),
        mean,
        variance,
        exact_mean: facts.mean.map(|m| m[n]),
        exact_variance: facts.variance.map(|v| v[n]),
        r_hat: finite(known.map(|c| c.r_hat)),
        bulk_ess: finite(known.map(|c| c.bulk_ess)),
        tail_ess: finite(known.map(|c| c.tail_ess)),
    }
}

fn modes(subject: &Subject, samples: &Points) -> Vec<ModeSummary> {
    let Ground::Target(target) = subject.last() else { return Vec::new() };
    let modes = target.facts().modes;
    let apart = |center: &[f64], x: &[f64]| center.iter().zip(x).map(|(c, v)| (v - c).powi(2)).sum::<f64>();
    let mut counts = vec![0usize; modes.len()];
    for x in samples.rows() {
        let nearest =
            (0..modes.len()).min_by(|a, b| apart(&modes[*a].center, x).total_cmp(&apart(&modes[*b].center, x)));
        nearest.into_iter().for_each(|k| counts[k] += 1);
    }
    let share = |count: usize| count as f64 / samples.count() as f64;
    modes
        .into_iter()
        .zip(counts)
        .map(|(mode, count)| ModeSummary { center: mode.center, weight: mode.weight, share: share(count) })
        .collect()
}

/// moments.jsonl, in original units.
pub(super) fn moment_lines(moments: &[Moment], subject: &Subject) -> Result<String> {
    let mut text = String::new();
    for moment in moments {
        let units = &subject.standardizer;
        let mean = moment.mean.iter().zip(&units.scale).zip(&units.mean).map(|((m, s), shift)| shift + s * m).collect();
        let variance = moment.variance.iter().zip(&units.scale).map(|(v, s)| v * s * s).collect();
        let line = serde_json::to_string(&Moment { mean, variance, ..moment.clone() })
            .map_err(|e| Error::failed(format!("cannot write moments.jsonl: {e}")))?;
        text += &line;
        text.push('\n');
    }
    Ok(text)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = &self.chains;
        writeln!(
            f,
            "chains    {} of {} steps in {:.1} s ({:.2e} chain steps a second), acceptance {:.3}",
            c.count, c.steps, c.seconds, c.chain_steps_per_second, c.acceptance
        )?;
        if !self.exchanges.is_empty() {
            let all: Vec<String> = self.exchanges.iter().map(|e| format!("{e:.2}")).collect();
            writeln!(f, "exchanges {} of those tried, the hottest pair first", all.join(", "))?;
        }
        let number = |v: Option<f64>, digits: usize| v.map_or("-".to_string(), |v| format!("{v:.digits$}"));
        writeln!(
            f,
            "{:<10}{:>11}{:>11}{:>11}{:>11}{:>8}{:>10}{:>10}",
            "", "mean", "exact", "variance", "exact", "R-hat", "bulk ESS", "tail ESS"
        )?;
        for x in self.coordinates.iter().take(20) {
            writeln!(
                f,
                "{:<10}{:>11.4}{:>11}{:>11.4}{:>11}{:>8}{:>10}{:>10}",
                x.name,
                x.mean,
                number(x.exact_mean, 4),
                x.variance,
                number(x.exact_variance, 4),
                number(x.r_hat, 3),
                number(x.bulk_ess, 0),
                number(x.tail_ess, 0)
            )?;
        }
        if self.coordinates.len() > 20 {
            writeln!(f, "... and {} more coordinates", self.coordinates.len() - 20)?;
        }
        if let Some(e) = &self.energy {
            writeln!(
                f,
                "{:<10}{:>11.4}{:>11}{:>11.4}{:>11}{:>8}{:>10}{:>10}",
                "E",
                e.mean,
                "-",
                e.standard_deviation.powi(2),
                "-",
                number(e.r_hat, 3),
                number(e.bulk_ess, 0),
                number(e.tail_ess, 0)
            )?;
        }
        for mode in &self.modes {
            writeln!(f, "mode      {:?}: share {:.3}, weight {:.3}", mode.center, mode.share, mode.weight)?;
        }
        write!(f, "results   {}", self.out.display())
    }
}
