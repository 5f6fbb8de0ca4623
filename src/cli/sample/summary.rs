//! What `sample` says of a run: sample.json, and the table on stdout.

use std::fmt;
use std::path::PathBuf;

use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::points::Points;
use ebm_gpu::sample::{Moment, Sampled, SamplingPlan};
use ebm_gpu::sampler::diagnostics::Coordinate;
use ebm_gpu::sampler::{Bounds, Transition, Wall};
use ebm_gpu::target::Facts;
use serde::Serialize;

use super::super::output::Folder;
use super::super::page;
use super::args::Args;
use super::subject::{Ground, Subject};

/// Standard errors from the exact mean that are taken for an error: one in a million for a normal law.
const FAR: f64 = 5.0;
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
    /// The first of them, whose draws were kept and diagnosed where they run; 0 without draws.
    monitored: usize,
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
    /// The same of the data that a model was trained on, smoothed as it smooths them, where the checkpoint names them.
    data_mean: Option<f64>,
    data_variance: Option<f64>,
    /// The mean over all draws of the first chains, and its standard error.
    draws_mean: Option<f64>,
    mean_error: Option<f64>,
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
    /// Its share of the law, where the chains sample that.
    weight: Option<f64>,
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
            let all = (sampled.columns as u64 * (sampled.steps - plan.burn_in)).max(1);
            warnings.push(format!(
                "{:.2} % of the proposals left every bound and were refused: a smaller --step-size",
                100.0 * sampled.fares.broken as f64 / all as f64
            ));
        }
        let acceptance = sampled.acceptance();
        if sampled.fares.acceptance.is_some() && !(0.1..=TIMID).contains(&acceptance) {
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
        if let Some(goal) = plan.adapt.filter(|goal| (acceptance - goal).abs() > MISSED) {
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
            },
            burn_in: plan.burn_in,
            thin: plan.thin,
            draws: plan.draws(),
            step_factor: plan.adapt.and_then(|_| mean_of(&sampled.fares.factors)),
            energy: sampled.energy.map(EnergySummary::new),
            broken: sampled.fares.broken,
            exchanges: sampled.fares.exchanges.clone(),
            coordinates,
            modes: modes(subject, samples, is_own_law),
            warnings,
            files: folder.files(&["sample.json", page::FILE]),
            out: folder.path().to_path_buf(),
        })
    }
}

fn walls(bounds: Option<Bounds>) -> String {
    bounds.map_or_else(String::new, |b| {
        let wall = match b.wall {
            Wall::Reflect => "mirrors",
            Wall::Clamp => "clamped",
        };
        format!(", {wall} at {} and {}", b.low, b.high)
    })
}

fn describe(transition: &Transition) -> String {
    match transition {
        Transition::Langevin(l) => {
            format!("x <- x - {} grad E + {} xi{}", l.step_size, l.noise_scale(), walls(l.bounds))
        }
        Transition::Hamiltonian(h) => {
            let proposal = if h.leapfrogs == 1 && h.mass.is_empty() {
                format!("x <- x - {} grad E + sqrt({} T) xi", 0.5 * h.step * h.step, h.step * h.step)
            } else {
                format!("{} leapfrogs of {}", h.leapfrogs, h.step)
            };
            let mass = if h.mass.is_empty() { String::new() } else { format!(", mass {:?}", h.mass) };
            let swaps =
                if h.replicas() > 1 { format!(", exchanged every {} steps", h.swap_every) } else { String::new() };
            let walls = walls(h.bounds);
            format!("{proposal}{mass}, accepted by Metropolis, T = {:?}{swaps}{walls}", h.temperatures)
        }
    }
}

/// The ends of the box that chains end up in.
pub(super) fn ends(plan: &SamplingPlan<'_>) -> Option<[f64; 2]> {
    let bounds = match &plan.stages.last()?.transition {
        Transition::Langevin(l) => l.bounds,
        Transition::Hamiltonian(h) => h.bounds,
    };
    bounds.map(|b| [b.low, b.high])
}

/// Whether the chains sample the target itself: at temperature 1, in its own box, with the usual noise and no last step.
fn is_own_law(subject: &Subject, plan: &SamplingPlan<'_>) -> bool {
    let (Ground::Target(target), Some(last)) = (subject.last(), plan.stages.last()) else { return false };
    let usual = match &last.transition {
        Transition::Langevin(l) => l.noise.is_none() && l.temperature == 1.0,
        Transition::Hamiltonian(h) => h.temperatures.last() == Some(&1.0),
    };
    usual && plan.denoise.is_none() && target.bounds() == ends(plan)
}

fn coordinate(
    subject: &Subject,
    smoothing: f64,
    facts: &Facts,
    sampled: &Sampled,
    samples: &Points,
    n: usize,
) -> CoordinateSummary {
    let transform = &subject.transform;
    let data = subject.data.as_ref().filter(|_| transform.logit.is_none()).map(|[mean, deviation]| {
        let variance: Vec<f64> = deviation.iter().map(|d| d * d + smoothing * smoothing).collect();
        transform.linear.moments(mean, &variance).map(|moment| moment[n])
    });
    // what the diagnostics say of the network's coordinate, in the units of the column if that is all it is
    let unit = transform.columns().map(|columns| (columns.mean[n], columns.scale[n]));
    let count = samples.count() as f64;
    let mean = samples.rows().map(|x| x[n]).sum::<f64>() / count;
    let variance = samples.rows().map(|x| (x[n] - mean).powi(2)).sum::<f64>() / count;
    let known = sampled.diagnostics.as_ref().map(|d| &d.coordinates[n]);
    let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
    CoordinateSummary {
        name: subject.columns[n].clone(),
        mean,
        variance,
        exact_mean: facts.mean.as_ref().map(|m| m[n]),
        exact_variance: facts.variance.as_ref().map(|v| v[n]),
        data_mean: data.map(|d| d[0]),
        data_variance: data.map(|d| d[1]),
        draws_mean: finite(known.zip(unit).map(|(c, (shift, unit))| shift + unit * c.mean)),
        mean_error: finite(known.zip(unit).map(|(c, (_, unit))| unit * c.mean_error)),
        r_hat: finite(known.map(|c| c.r_hat)),
        bulk_ess: finite(known.map(|c| c.bulk_ess)),
        tail_ess: finite(known.map(|c| c.tail_ess)),
    }
}

fn modes(subject: &Subject, samples: &Points, is_own_law: bool) -> Vec<ModeSummary> {
    let Ground::Target(target) = subject.last() else { return Vec::new() };
    let facts = target.facts();
    let mut counts = vec![0usize; facts.modes.len()];
    for k in samples.rows().filter_map(|x| facts.nearest_mode(x)) {
        counts[k] += 1;
    }
    let share = |count: usize| count as f64 / samples.count() as f64;
    facts
        .modes
        .into_iter()
        .zip(counts)
        .map(|(mode, count)| ModeSummary {
            center: mode.center,
            weight: is_own_law.then_some(mode.weight),
            share: share(count),
        })
        .collect()
}

/// moments.jsonl, in original units, or in the network's where its coordinates are no shifted and scaled columns.
pub(super) fn moment_lines(moments: &[Moment], subject: &Subject) -> Result<String> {
    let mut text = String::new();
    for moment in moments {
        let linear = subject.transform.columns().map(|_| &subject.transform.linear);
        let [mean, variance] = match linear {
            Some(linear) => linear.moments(&moment.mean, &moment.variance),
            None => [moment.mean.clone(), moment.variance.clone()],
        };
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
        let number = |v: Option<f64>, digits: usize| match v {
            None => "-".to_string(),
            Some(v) if v.abs() >= 1e5 => format!("{v:.2e}"),
            Some(v) => format!("{v:.digits$}"),
        };
        if let Some(factor) = self.step_factor {
            writeln!(f, "steps     each chain's own after adaptation, on average {factor:.3} of what was given")?;
        }
        let watched = match c.monitored {
            0 => String::new(),
            some => format!("   (of the draws of the first {some} chains)"),
        };
        let from = if self.coordinates.iter().any(|x| x.data_mean.is_some()) { "data" } else { "exact" };
        writeln!(
            f,
            "{:<10}{:>11}{from:>11}{:>11}{from:>11}{:>9}{:>10}{:>10}{watched}",
            "", "mean", "variance", "R-hat", "bulk ESS", "tail ESS"
        )?;
        for x in self.coordinates.iter().take(20) {
            writeln!(
                f,
                "{:<10}{:>11}{:>11}{:>11}{:>11}{:>9}{:>10}{:>10}",
                x.name,
                number(Some(x.mean), 4),
                number(x.exact_mean.or(x.data_mean), 4),
                number(Some(x.variance), 4),
                number(x.exact_variance.or(x.data_variance), 4),
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
                "{:<10}{:>11}{:>11}{:>11}{:>11}{:>9}{:>10}{:>10}",
                "E",
                number(Some(e.mean), 4),
                "-",
                number(Some(e.standard_deviation.powi(2)), 4),
                "-",
                number(e.r_hat, 3),
                number(e.bulk_ess, 0),
                number(e.tail_ess, 0)
            )?;
        }
        for mode in &self.modes {
            let weight = mode.weight.map_or_else(String::new, |w| format!(", weight {w:.3}"));
            writeln!(f, "mode      {:?}: share {:.3}{weight}", mode.center, mode.share)?;
        }
        write!(f, "results   {}", self.out.display())
    }
}
