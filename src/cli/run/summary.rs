//! What a run says of itself: run.json, and the lines that a person reads.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ebm_gpu::error::Result;
use ebm_gpu::eval::Metrics;
use serde::Serialize;

use super::super::chains;
use super::super::dataset::Stamp;
use super::super::print_line;
use super::args::Plan;
use super::rollback::Rollback;

/// What `run.json` holds and `--json` prints.
#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) version: &'static str,
    pub(super) engine: &'static str,
    pub(super) adapter: String,
    pub(super) data: String,
    /// Size and time of the data's file; none for a toy law.
    pub(super) source: Option<Stamp>,
    pub(super) columns: Vec<String>,
    pub(super) loss: &'static str,
    pub(super) objective: String,
    pub(super) langevin: &'static str,
    pub(super) net: String,
    pub(super) activation: &'static str,
    pub(super) head: &'static str,
    pub(super) conditioning: &'static str,
    pub(super) conventions: BTreeMap<&'static str, String>,
    /// The smoothing of the law that the model approaches; none for objectives that aim at the data's own.
    pub(super) sigma: Option<f64>,
    pub(super) chains_start: &'static str,
    pub(super) seed: u64,
    pub(super) batch: usize,
    pub(super) steps: u64,
    /// What the data went through before the network saw them.
    pub(super) transform: String,
    pub(super) train_points: usize,
    pub(super) validation_points: usize,
    pub(super) test_points: usize,
    pub(super) train_seconds: f64,
    pub(super) steps_per_second: f64,
    pub(super) final_loss: f64,
    /// What the points for validation have said, where training listened to them.
    pub(super) validation: Option<ValidationSummary>,
    /// ln Z of the network without the bias of its output, as the objective has learnt it, in the units of the network; none
    /// for objectives that do not.
    pub(super) log_z: Option<f64>,
    /// −log₂ of the probability of held-out data per value, where they were dequantised and have a density.
    pub(super) bits_per_dim: Option<f64>,
    pub(super) metrics: Metrics,
    pub(super) chains: Option<ChainSummary>,
    /// Where training diverged and went back.
    pub(super) rollbacks: Vec<Rollback>,
    pub(super) warnings: Vec<String>,
    pub(super) total_seconds: f64,
    pub(super) out: PathBuf,
}

#[derive(Serialize)]
pub(super) struct ValidationSummary {
    /// The loss that was taken.
    pub(super) loss: &'static str,
    /// Its least value, and the step whose network was kept for it.
    pub(super) best: f64,
    pub(super) best_step: u64,
    /// Whether training ended for it before its last step.
    pub(super) stopped: bool,
}

#[derive(Serialize)]
pub(super) struct ChainSummary {
    pub(super) sampler: &'static str,
    pub(super) count: usize,
    pub(super) steps: u64,
    pub(super) step_size: f64,
    pub(super) temperature: f64,
    /// Whether a last step without noise was taken.
    pub(super) denoised: bool,
    pub(super) seconds: f64,
    pub(super) chain_steps_per_second: f64,
    /// Unadjusted chains accept every step.
    pub(super) acceptance: f64,
    /// The share of their next steps that a Metropolis correction would accept; none for a field, or at temperature 0.
    pub(super) would_accept: Option<f64>,
}

/// The step of a chain in words.
pub(super) const LANGEVIN: &str =
    "x <- x + step_size s(x) + sqrt(2 step_size temperature) xi, s = -grad E or the field";

/// The conventions on which papers and programs differ.
pub(super) fn conventions(plan: &Plan) -> BTreeMap<&'static str, String> {
    let mut all = plan.training.objective.conventions();
    all.insert("langevin", format!("{LANGEVIN}; a paper's alpha is 2 step_size"));
    if plan.sampling.name == "annealed" {
        let last = plan.sampling.levels.last().map_or(0.0, |(_, step)| step.step_size);
        all.insert("annealed_step_size", format!("step_size_i = {last} (sigma_i / sigma_L)^2"));
    }
    all
}

/// Prints the lines that a person reads.
pub(super) fn print_summary(summary: &Summary) -> Result<()> {
    print_line(&format!(
        "trained   {} step{} in {:.1} s ({:.0} a second), final loss {:.4}",
        summary.steps,
        if summary.steps == 1 { "" } else { "s" },
        summary.train_seconds,
        summary.steps_per_second,
        summary.final_loss
    ))?;
    if let Some(v) = &summary.validation {
        print_line(&format!(
            "kept      the network of step {}, whose {} loss on the validation points is {:.4}{}",
            v.best_step,
            v.loss,
            v.best,
            if v.stopped { "; it has not fallen since, which ended training" } else { "" }
        ))?;
    }
    if let Some(c) = &summary.chains {
        print_line(&format!(
            "chains    {} of {} steps in {:.1} s ({:.2e} chain steps a second){}",
            c.count,
            c.steps,
            c.seconds,
            c.chain_steps_per_second,
            chains::accepts(None, c.would_accept)
        ))?;
    }
    let m = &summary.metrics;
    let data = if m.kl.is_some() { "the data's exact law" } else { "held-out data" };
    let smoothed =
        summary.sigma.map(|sigma| format!("{data} smoothed by σ = {sigma}, which is what {} models", summary.loss));
    let smoothed = smoothed.as_deref().map(|law| (law, ["nll", "kl"], [m.nll, m.kl]));
    for (law, names, values) in smoothed.into_iter().chain([(data, ["nll_data", "kl_data"], [m.nll_data, m.kl_data])]) {
        let parts: Vec<_> = ["NLL", "KL"]
            .iter()
            .zip(names)
            .zip(values)
            .filter_map(|((title, name), value)| {
                let error = m.standard_errors.get(name).map_or(String::new(), |error| format!(" ± {error:.4}"));
                value.map(|value| format!("{title} {value:.4}{error} nats"))
            })
            .collect();
        if !parts.is_empty() {
            print_line(&format!("model     {}: against {law}", parts.join(", ")))?;
        }
    }
    if let Some(distance) = m.swd {
        let by_chance = m
            .null_intervals
            .get("swd")
            .map_or(String::new(), |[low, high]| format!(" ({low:.4} to {high:.4} by chance)"));
        print_line(&format!(
            "samples   sliced Wasserstein distance {distance:.4}{by_chance} from held-out data of the law that {} models",
            summary.loss
        ))?;
    }
    let told = told_apart(m);
    if !told.is_empty() {
        print_line(&format!("          told apart from them by {}", told.join(", ")))?;
    }
    print_line(&format!("results   {}  ({:.1} s in all)", summary.out.display(), summary.total_seconds))
}

/// Four digits behind the point, or two that count where there are none.
fn short(value: f64) -> String {
    if value == 0.0 || value.abs() >= 0.01 { format!("{value:.4}") } else { format!("{value:.1e}") }
}

/// The distances that are beyond what chance gives, in words.
fn told_apart(metrics: &Metrics) -> Vec<String> {
    let names = [
        ("mode_tv", "the shares of modes, total variation"),
        ("mmd2", "MMD²"),
        ("energy_distance", "energy distance"),
        ("neighbours", "neighbours of the own kind"),
    ];
    let said = |(name, words): (&str, &str)| {
        let value = metrics.named().into_iter().find(|(of, _)| *of == name)?.1?;
        let [low, high] = *metrics.null_intervals.get(name)?;
        (value > high).then(|| format!("{words} {} ({} to {} by chance)", short(value), short(low), short(high)))
    };
    // the one above has been told with its numbers
    let above = metrics.swd.zip(metrics.null_intervals.get("swd")).filter(|(value, [_, high])| value > high);
    above.map(|_| "this distance".to_string()).into_iter().chain(names.into_iter().filter_map(said)).collect()
}
