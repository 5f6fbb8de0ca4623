//! Langevin chains with exact scores, so that what they find is due to the sampler alone.
//!
//! `ncsn-toy-langevin`: 0.8 N((5, 5), I) + 0.2 N((−5, −5), I) from U(−8, 8)², η = 0.05, 1000 steps; and through ten levels of
//! noise from 20 to 1, 100 steps each with η = 0.05 σ² (Song and Ermon 2019). `gmm-banana-*`: 0.2 N(0, I) + 0.8 N((10, 10), I)
//! from U(−5, 15)², η = 0.005; annealed from σ₁ to 0.01 in ten levels of 300 steps, η = 5e-5 at the last.
//! The smoothed law at level σ has components of variance 1 + σ².

use super::{Report, Setup};
use crate::data::law::uniform;
use crate::error::Result;
use crate::objective::Ladder;
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::report::{EnergyPanel, Extent, Grid, energy_figure};
use crate::sample::{Frames, Listen, Sampled, SamplingPlan, Stage};
use crate::sampler::{Langevin, annealed};
use crate::target::Target;

const CHAINS: usize = 20_000;

pub(super) fn ncsn_toy(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let target = Target::by_name("gmm-ncsn", None)?;
    let naive = setup.over_seeds("naive", |seed| {
        let sampled = plain(setup, &target, 0.05, 1000, seed)?;
        draw(setup, seed, "samples-naive", &target, &sampled.positions)?;
        Ok(big_share(&target, &sampled))
    })?;
    report.judge("naive chains: share of the mode of weight 0.8", naive, [0.48, 0.52]);
    let ladder = Ladder::geometric(20.0, 1.0, 10)?;
    let shares = setup.over_seeds("annealed", |seed| {
        let sampled = noisy(setup, &target, &ladder, 0.05, 100, seed)?;
        draw(setup, seed, "samples-annealed", &target, &sampled.positions)?;
        Ok(big_share(&target, &sampled))
    })?;
    report.judge("annealed chains: share of the mode of weight 0.8", shares, [0.765, 0.795]);
    Ok(())
}

pub(super) fn gmm_langevin(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let target = Target::by_name("gmm", None)?;
    let found = setup.over_seeds("3000 steps", |seed| {
        let sampled = plain(setup, &target, 0.005, 3000, seed)?;
        draw(setup, seed, "samples", &target, &sampled.positions)?;
        Ok([variance_in_modes(&target, &sampled.positions), big_share(&target, &sampled), sampled.seconds])
    })?;
    let column = |c: usize| found.iter().map(|row| row[c]).collect::<Vec<_>>();
    report.judge("variance in each mode after 3000 steps", column(0), [0.97, 1.03]);
    report.judge("share of the mode of weight 0.8", column(1), [0.48, 0.52]);
    report.tell("seconds for 20,000 chains of 3000 steps (a published run: 119 s for 10,000 of 300)", column(2));
    Ok(())
}

pub(super) fn gmm_annealed(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let target = Target::by_name("gmm", None)?;
    for (largest, range) in [(1.0, [0.48, 0.54]), (5.0, [0.756, 0.796]), (14.14, [0.754, 0.794])] {
        let ladder = Ladder::geometric(largest, 0.01, 10)?;
        let what = format!("sigma from {largest}");
        let shares = setup.over_seeds(&what, |seed| {
            let sampled = noisy(setup, &target, &ladder, 5e-5, 300, seed)?;
            draw(setup, seed, &format!("samples-{largest}"), &target, &sampled.positions)?;
            Ok(big_share(&target, &sampled))
        })?;
        report.judge(format!("{what}: share of the mode of weight 0.8"), shares, range);
    }
    Ok(())
}

/// Points uniform in the square where the target's chains start.
pub(super) fn start(setup: &Setup<'_>, target: &Target, chains: usize, seed: u64) -> Points {
    let [low, high] = target.start();
    let mut rng = Seed(seed).sequence(Stream::Start, 0);
    let count = setup.count(chains) * target.dim();
    Points::new(target.dim(), (0..count).map(|_| low + (high - low) * uniform(&mut rng)).collect())
}

fn plain(setup: &Setup<'_>, target: &Target, step_size: f64, steps: u64, seed: u64) -> Result<Sampled> {
    let stages = vec![Stage { landscape: target.into(), transition: Langevin::new(step_size, 1.0)?.into(), steps }];
    run(setup, stages, &start(setup, target, CHAINS, seed), seed)
}

fn noisy(
    setup: &Setup<'_>,
    target: &Target,
    ladder: &Ladder,
    last_step: f64,
    steps: u64,
    seed: u64,
) -> Result<Sampled> {
    let smoothed: Vec<Target> = ladder.levels().iter().map(|s| target.smoothed(*s)).collect::<Result<_>>()?;
    let moves = annealed(ladder, last_step, 1.0)?;
    let stages = smoothed.iter().zip(moves).map(|(target, (_, langevin))| Stage {
        landscape: target.into(),
        transition: langevin.into(),
        steps,
    });
    run(setup, stages.collect(), &start(setup, target, CHAINS, seed), seed)
}

/// Runs the stages without draws.
pub(super) fn run(setup: &Setup<'_>, stages: Vec<Stage<'_>>, start: &Points, seed: u64) -> Result<Sampled> {
    let plan = SamplingPlan {
        stages,
        burn_in: 0,
        adapt: None,
        thin: 0,
        denoise: None,
        frames: Frames::default(),
        seed: Seed(seed),
    };
    plan.run(setup.engine, start, &mut Silent)
}

/// Hears nothing.
struct Silent;

impl Listen for Silent {
    fn steps(&mut self, _: u64) {}
}

/// Draws the chains of the first seed over the energy.
pub(super) fn draw(setup: &Setup<'_>, seed: u64, name: &str, target: &Target, chains: &Points) -> Result<()> {
    if seed != 1 {
        return Ok(());
    }
    let extent = Extent::around(chains);
    let mut gradient = vec![0.0; target.dim()];
    let energies = extent.nodes(200, 200).rows().map(|x| target.energy::<f64>(x, &mut gradient)).collect();
    let energy = Grid::new(extent, 200, 200, energies)?;
    let points = Some(("chains", chains));
    setup.draw(name, &energy_figure(&EnergyPanel { title: target.name(), names: &[], energy: &energy, points })?)
}

/// The share of the chains that are nearest to the heaviest mode.
fn big_share(target: &Target, sampled: &Sampled) -> f64 {
    let facts = target.facts();
    let big = (0..facts.modes.len()).max_by(|a, b| facts.modes[*a].weight.total_cmp(&facts.modes[*b].weight));
    let points = &sampled.positions;
    points.rows().filter(|x| facts.nearest_mode(x) == big).count() as f64 / points.count() as f64
}

/// The variance of a coordinate around the mean of the chains of its mode, averaged over modes and coordinates.
fn variance_in_modes(target: &Target, points: &Points) -> f64 {
    let facts = target.facts();
    let mut variances = Vec::new();
    for k in 0..facts.modes.len() {
        for n in 0..points.dim() {
            let values: Vec<f64> = points.rows().filter(|x| facts.nearest_mode(x) == Some(k)).map(|x| x[n]).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            variances.push(values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64);
        }
    }
    variances.iter().sum::<f64>() / variances.len() as f64
}
