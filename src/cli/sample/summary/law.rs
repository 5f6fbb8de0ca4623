//! What chains do at a step, the box that they end up in, whether that is the law of their target, and its modes.

use ebm_gpu::points::Points;
use ebm_gpu::sample::SamplingPlan;
use ebm_gpu::sampler::{Bounds, Transition, Wall};
use serde::Serialize;

use crate::cli::sample::subject::{Ground, Subject};

/// The share of the chains that are nearest to a mode.
#[derive(Serialize)]
pub(super) struct ModeSummary {
    pub(super) center: Vec<f64>,
    /// Its share of the law, where the chains sample that.
    pub(super) weight: Option<f64>,
    pub(super) share: f64,
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

/// A number in at most six digits.
fn short(value: f64) -> String {
    format!("{value:.5e}").parse().map_or(value, |rounded: f64| rounded).to_string()
}

pub(in crate::cli::sample) fn describe(transition: &Transition) -> String {
    match transition {
        Transition::Langevin(l) => {
            format!("x <- x - {} grad E + {} xi{}", l.step_size, short(l.noise_scale()), walls(l.bounds))
        }
        Transition::Hamiltonian(h) => {
            let proposal = if h.leapfrogs == 1 && h.mass.is_empty() {
                let square = h.step * h.step;
                format!("x <- x - {} grad E + sqrt({} T) xi", short(0.5 * square), short(square))
            } else {
                format!("{} leapfrogs of {}", h.leapfrogs, h.step)
            };
            let mass = if h.mass.is_empty() { String::new() } else { format!(", mass {:?}", h.mass) };
            let swaps =
                if h.replicas() > 1 { format!(", exchanged every {} steps", h.swap_every) } else { String::new() };
            let walls = walls(h.bounds);
            let temperatures = h.temperatures.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
            format!("{proposal}{mass}, accepted by Metropolis, T = {temperatures}{swaps}{walls}")
        }
    }
}

/// The ends of the box that chains end up in.
pub(in crate::cli::sample) fn ends(plan: &SamplingPlan<'_>) -> Option<[f64; 2]> {
    let bounds = match &plan.stages.last()?.transition {
        Transition::Langevin(l) => l.bounds,
        Transition::Hamiltonian(h) => h.bounds,
    };
    bounds.map(|b| [b.low, b.high])
}

/// Whether the chains sample the target itself: at temperature 1, in its own box, with the usual noise and no last step.
pub(super) fn is_own_law(subject: &Subject, plan: &SamplingPlan<'_>) -> bool {
    let (Ground::Target(target), Some(last)) = (subject.last(), plan.stages.last()) else { return false };
    let usual = match &last.transition {
        Transition::Langevin(l) => l.noise.is_none() && l.temperature == 1.0,
        Transition::Hamiltonian(h) => h.temperatures.last() == Some(&1.0),
    };
    usual && plan.denoise.is_none() && target.bounds() == ends(plan)
}

pub(super) fn modes(subject: &Subject, samples: &Points, is_own_law: bool) -> Vec<ModeSummary> {
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
