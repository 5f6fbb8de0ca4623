//! A sampling run: burn-in with adaptation, then draws, all through an engine's chains.

use std::time::Instant;

use serde::Serialize;

use crate::engine::{Chains, Engine, Fares, Landscape};
use crate::error::{Error, Result};
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::diagnostics::{Diagnostics, diagnose};
use crate::sampler::{Adaptation, Transition};

/// Chains whose draws are kept for diagnostics; all of them move.
const MONITORED: usize = 128;

/// One landscape with the transition on it, and for how many steps.
pub struct Stage<'a> {
    /// What the chains move on.
    pub landscape: Landscape<'a>,
    /// How they move.
    pub transition: Transition,
    /// Steps, burn-in aside.
    pub steps: u64,
}

/// What chains do.
pub struct SamplingPlan<'a> {
    /// The levels of an annealed run, or one stage. Draws are taken of the last.
    pub stages: Vec<Stage<'a>>,
    /// Steps before the first stage whose draws are dropped.
    pub burn_in: u64,
    /// The acceptance that burn-in adapts each chain's step to.
    pub adapt: Option<f64>,
    /// Steps between draws; 0 for no draws but the last positions.
    pub thin: u64,
    /// The noise level of the last stage, for a last step x + σ² s(x) without noise.
    pub denoise: Option<f64>,
    /// The seed of the chains' noise.
    pub seed: Seed,
}

/// What all chains looked like after some steps.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    /// Steps after burn-in.
    pub step: u64,
    /// The mean of each coordinate over chains.
    pub mean: Vec<f64>,
    /// Its variance.
    pub variance: Vec<f64>,
}

/// What a sampling run leaves.
pub struct Sampled {
    /// Where the chains are, `[chains, dim]`; of replicas, those at the last temperature.
    pub positions: Points,
    /// How they have fared since burn-in.
    pub fares: Fares,
    /// What the draws of the first chains are worth; none without draws.
    pub diagnostics: Option<Diagnostics>,
    /// All chains over time.
    pub moments: Vec<Moment>,
    /// Steps of each column, burn-in included.
    pub steps: u64,
    /// Columns: chains times replicas.
    pub columns: usize,
    /// Time spent, in seconds.
    pub seconds: f64,
}

impl Sampled {
    /// Steps of all columns in a second.
    pub fn chain_steps_per_second(&self) -> f64 {
        self.columns as f64 * self.steps as f64 / self.seconds
    }

    /// The mean acceptance probability of the chains (of replicas, those at the last temperature); 1 if they accept all.
    pub fn acceptance(&self) -> f64 {
        let Some(all) = &self.fares.acceptance else { return 1.0 };
        let replicas = all.len() / self.positions.count().max(1);
        let cold: Vec<f64> = all.iter().copied().skip(replicas - 1).step_by(replicas).collect();
        cold.iter().sum::<f64>() / cold.len() as f64
    }
}

/// What a caller wants to hear of while chains run.
pub trait Listen {
    /// So many steps are done.
    fn steps(&mut self, done: u64);

    /// A draw: the positions of all chains, `[chains, dim]`.
    ///
    /// # Errors
    /// What the listener writes cannot be written: the run ends.
    fn draw(&mut self, positions: &Points) -> Result<()>;
}

impl SamplingPlan<'_> {
    /// Steps of each chain, burn-in included.
    pub fn all_steps(&self) -> u64 {
        self.burn_in + self.stages.iter().map(|s| s.steps).sum::<u64>()
    }

    /// Draws that will be taken.
    pub fn draws(&self) -> u64 {
        self.stages.last().map_or(0, |last| last.steps.checked_div(self.thin).unwrap_or(0))
    }

    /// Columns of a chain.
    fn replicas(&self) -> usize {
        match self.stages.first().map(|s| &s.transition) {
            Some(Transition::Hamiltonian(h)) => h.replicas(),
            _ => 1,
        }
    }

    /// Places chains at `start`, one column each (of replicas, one for each), and runs them.
    ///
    /// # Errors
    /// There is no stage, chains left every bound, the listener failed, or the device did.
    pub fn run(&self, engine: &dyn Engine, start: &Points, listen: &mut dyn Listen) -> Result<Sampled> {
        let begun = Instant::now();
        let Some(first) = self.stages.first() else { return Err(Error::failed("chains need a stage to run")) };
        let adapting = self.adapted(&first.transition);
        let mut chains = engine.chains(first.landscape, &adapting, start, self.seed)?;
        let mut done = 0;
        go(chains.as_mut(), self.burn_in, &mut done, listen)?;
        chains.change(first.landscape, &first.transition)?;
        chains.fares()?;
        let mut record = Record { replicas: self.replicas(), draws: 0, trace: Vec::new(), moments: Vec::new() };
        for (i, stage) in self.stages.iter().enumerate() {
            if i > 0 {
                chains.change(stage.landscape, &stage.transition)?;
            }
            let draws = if i + 1 == self.stages.len() { self.draws() } else { 0 };
            for draw in 1..=draws {
                go(chains.as_mut(), self.thin, &mut done, listen)?;
                let positions = record.cold(&chains.positions()?);
                record.take(draw * self.thin, &positions);
                listen.draw(&positions)?;
            }
            go(chains.as_mut(), stage.steps - draws * self.thin, &mut done, listen)?;
        }
        let mut positions = record.cold(&chains.positions()?);
        if let (Some(sigma), Some(last)) = (self.denoise, self.stages.last()) {
            denoise(engine, last.landscape, sigma, &mut positions)?;
        }
        let lost = positions.rows().filter(|x| x.iter().any(|v| !v.is_finite())).count();
        if lost > 0 {
            let count = positions.count();
            return Err(Error::failed(format!("{lost} of {count} chains left every bound after {done} steps"))
                .hint("a smaller --step-size"));
        }
        Ok(Sampled {
            fares: chains.fares()?,
            diagnostics: record.diagnostics(positions.dim())?,
            moments: record.moments,
            steps: done,
            columns: start.count(),
            seconds: begun.elapsed().as_secs_f64(),
            positions,
        })
    }

    fn adapted(&self, transition: &Transition) -> Transition {
        match (transition, self.adapt) {
            (Transition::Hamiltonian(h), Some(target)) => {
                let mut h = h.clone();
                h.adaptation = Some(Adaptation { target });
                h.into()
            }
            (transition, _) => transition.clone(),
        }
    }
}

fn go(chains: &mut dyn Chains, steps: u64, done: &mut u64, listen: &mut dyn Listen) -> Result<()> {
    let end = *done + steps;
    while *done < end {
        *done += chains.advance(end - *done)?;
        listen.steps(*done);
    }
    Ok(())
}

/// x ← x + σ² s(x): the mean of clean points that look like x under noise σ (Tweedie's formula).
fn denoise(engine: &dyn Engine, landscape: Landscape<'_>, sigma: f64, positions: &mut Points) -> Result<()> {
    let square = sigma * sigma;
    match landscape {
        Landscape::Network(model) => {
            let scores = engine.score(model, positions)?;
            positions.values_mut().iter_mut().zip(scores.values()).for_each(|(x, s)| *x += square * s);
        }
        Landscape::Target(target) => {
            let mut gradient = vec![0.0; target.dim()];
            for x in positions.values_mut().chunks_exact_mut(target.dim()) {
                target.energy::<f64>(x, &mut gradient);
                x.iter_mut().zip(&gradient).for_each(|(x, g)| *x -= square * g);
            }
        }
    }
    Ok(())
}

/// What is kept of draws.
struct Record {
    replicas: usize,
    draws: usize,
    /// `[draws, monitored, dim]`.
    trace: Vec<f64>,
    moments: Vec<Moment>,
}

impl Record {
    /// The columns at the last temperature.
    fn cold(&self, positions: &Points) -> Points {
        if self.replicas == 1 {
            return positions.clone();
        }
        let rows = positions.rows().skip(self.replicas - 1).step_by(self.replicas);
        Points::new(positions.dim(), rows.flatten().copied().collect())
    }

    fn take(&mut self, step: u64, positions: &Points) {
        let (count, dim) = (positions.count() as f64, positions.dim());
        self.draws += 1;
        self.trace.extend_from_slice(&positions.values()[..MONITORED.min(positions.count()) * dim]);
        let mean: Vec<f64> = (0..dim).map(|n| positions.rows().map(|x| x[n]).sum::<f64>() / count).collect();
        let spread = |n: usize| positions.rows().map(|x| (x[n] - mean[n]).powi(2)).sum::<f64>() / count;
        let variance = (0..dim).map(spread).collect();
        self.moments.push(Moment { step, mean, variance });
    }

    fn diagnostics(&self, dim: usize) -> Result<Option<Diagnostics>> {
        if self.draws == 0 {
            return Ok(None);
        }
        diagnose(&self.trace, [self.draws, self.trace.len() / (self.draws * dim), dim]).map(Some)
    }
}
