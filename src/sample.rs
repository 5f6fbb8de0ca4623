//! A sampling run: burn-in with adaptation, then draws, all through an engine's chains.

mod correction;
mod course;
mod frames;
mod record;
mod saved;
#[cfg(test)]
mod tests;
mod windows;

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::engine::{ChainState, Engine, Fares, Landscape};
use crate::error::{Error, Result};
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::diagnostics::{Coordinate, Diagnostics};
use crate::sampler::{Adaptation, Transition};
pub use correction::would_accept;
use course::Course;
pub use frames::Frames;
use record::Record;
pub use saved::{read_sampling, write_sampling};

/// Chains that have left every bound are run again for so long, to tell at which step.
const AGAIN: Duration = Duration::from_secs(10);

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
    /// When the listener sees some of the chains between draws; the chains do not depend on it.
    pub frames: Frames,
    /// The seed of the chains' noise.
    pub seed: Seed,
}

/// What all chains looked like at a draw, or on the mean of some draws in a row.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    /// Steps up to the draw, or the last of the draws: after burn-in, and of annealed chains at the last level.
    pub step: u64,
    /// The mean of each coordinate over chains.
    pub mean: Vec<f64>,
    /// Its variance.
    pub variance: Vec<f64>,
    /// The mean of E over the chains whose draws are kept; none for a field.
    pub energy: Option<f64>,
    /// The mean acceptance probability since the moment before; none for chains that accept everything.
    pub acceptance: Option<f64>,
}

/// What a sampling run leaves.
pub struct Sampled {
    /// Where the chains are, `[chains, dim]`; of replicas, those at the last temperature.
    pub positions: Points,
    /// How they have fared since burn-in.
    pub fares: Fares,
    /// The mean probability by which a Metropolis correction would accept the next step of unadjusted chains: the more it would
    /// refuse, the further is their law from exp(−E/T). None for others, and where it is not defined.
    pub would_accept: Option<f64>,
    /// What the draws of the first chains are worth; none without draws.
    pub diagnostics: Option<Diagnostics>,
    /// The same of their energies; none for a field.
    pub energy: Option<Coordinate>,
    /// All chains over time: a moment for each draw; of more than 2048, one for every 2, 4, 8, ... in a row.
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

    /// The mean acceptance probability of the chains (of replicas, those at the last temperature); none if they accept all.
    pub fn acceptance(&self) -> Option<f64> {
        let all = self.fares.acceptance.as_ref()?;
        let replicas = all.len() / self.positions.count().max(1);
        let cold: Vec<f64> = all.iter().copied().skip(replicas - 1).step_by(replicas).collect();
        Some(cold.iter().sum::<f64>() / cold.len() as f64)
    }
}

/// Where a sampling run stands: what it needs to go on as if it had never stopped.
#[derive(Debug, Clone, Default)]
pub struct SamplingState {
    /// Where the chains stand.
    pub chains: ChainState,
    /// What has been told of their draws.
    record: Record,
    /// The last step after which all chains were seen to be finite.
    sound: u64,
    /// Time spent, in seconds.
    seconds: f64,
}

impl SamplingState {
    /// Draws so far.
    pub fn draws(&self) -> usize {
        self.record.told.draws() as usize
    }
}

/// What a caller wants to hear of while chains run.
pub trait Listen {
    /// So many steps are done.
    fn steps(&mut self, done: u64);

    /// Whether it takes draws; if not, only some chains and the moments of all leave the device.
    fn wants_draws(&self) -> bool {
        false
    }

    /// A draw: the positions of all chains, `[chains, dim]`.
    ///
    /// # Errors
    /// What the listener writes cannot be written: the run ends.
    fn draw(&mut self, _positions: &Points) -> Result<()> {
        Ok(())
    }

    /// The positions of the first chains after `step` steps, burn-in included, `[chains, dim]`: as [`Frames`] asks.
    ///
    /// # Errors
    /// The listener cannot take them: the run ends.
    fn frame(&mut self, _step: u64, _positions: &Points) -> Result<()> {
        Ok(())
    }

    /// Whether it wants to know where the run stands.
    fn wants_state(&self) -> bool {
        false
    }

    /// Where the run stands, when it was wanted; all frames and draws so far have been seen.
    ///
    /// # Errors
    /// It cannot be written, or the run is to end here.
    fn state(&mut self, _state: &SamplingState) -> Result<()> {
        Ok(())
    }
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

    /// Places chains at `start`, one column each (of replicas, one for each), and runs them.
    ///
    /// # Errors
    /// There is no stage, chains left every bound, the listener failed, or the device did.
    pub fn run(&self, engine: &dyn Engine, start: &Points, listen: &mut dyn Listen) -> Result<Sampled> {
        self.resume(engine, start, None, listen)
    }

    /// The same from where it was left, if it was: the result is the same, bit for bit, on one device.
    ///
    /// # Errors
    /// As [`SamplingPlan::run`], or the state is of another run.
    pub fn resume(
        &self,
        engine: &dyn Engine,
        start: &Points,
        from: Option<SamplingState>,
        listen: &mut dyn Listen,
    ) -> Result<Sampled> {
        let (begun, left, mut sound) = (Instant::now(), from.clone(), 0);
        match self.attempt(engine, start, from, listen, None, &mut sound) {
            // they do the same again, seen after each step since they were sound, if there is time
            Err(blown) if blown.is_divergence() && begun.elapsed() < AGAIN => {
                let seen = self.attempt(engine, start, left, &mut Deaf, Some(sound), &mut 0);
                Err(seen.err().filter(Error::is_divergence).unwrap_or(blown))
            }
            done => done,
        }
    }

    /// The same, with a look at the chains after each step from `close` on; tells the last step after which they were seen to be
    /// `sound`.
    fn attempt(
        &self,
        engine: &dyn Engine,
        start: &Points,
        from: Option<SamplingState>,
        listen: &mut dyn Listen,
        close: Option<u64>,
        sound: &mut u64,
    ) -> Result<Sampled> {
        let begun = Instant::now();
        let Some(first) = self.stages.first() else { return Err(Error::failed("chains need a stage to run")) };
        let left = from.as_ref().map_or(0, |state| state.chains.step);
        let (landscape, transition) = self.at(left, first);
        let mut chains = engine.chains(landscape, &transition, start, self.seed)?;
        if self.draws() > 0 {
            chains.watch(self.draws() as usize)?;
        }
        let seen = |step: &u64| from.is_some() && *step <= left;
        let next = self.frames.steps.partition_point(seen);
        if let Some(state) = &from {
            chains.restore(&state.chains)?;
        }
        let SamplingState { record, sound: before, seconds, .. } = from.unwrap_or_default();
        *sound = before;
        let (done, looked, frames) = (left, begun, &self.frames);
        let mut course = Course { chains, done, sound, close, looked, frames, next, record, begun, seconds, listen };
        course.go_to(self.burn_in)?;
        if left <= self.burn_in {
            course.save()?;
            course.chains.change(first.landscape, &first.transition)?;
            course.chains.fares()?;
        }
        let mut begin = self.burn_in;
        for (i, stage) in self.stages.iter().enumerate() {
            if i > 0 && left <= begin {
                course.chains.change(stage.landscape, &stage.transition)?;
            }
            let draws = if i + 1 == self.stages.len() { self.draws() } else { 0 };
            for step in (1..=draws).map(|draw| draw * self.thin).filter(|step| begin + step > left) {
                course.go_to(begin + step)?;
                course.draw(self.thin)?;
            }
            begin += stage.steps;
            course.go_to(begin)?;
            if begin > left {
                course.save()?;
            }
        }
        self.outcome(engine, course, start.count())
    }

    /// On what, and how, the chains made their last step before `step` steps were done; at the start, how they make the first.
    fn at<'a>(&'a self, step: u64, first: &'a Stage<'a>) -> (Landscape<'a>, Transition) {
        let mut end = self.burn_in;
        if step <= end {
            return (first.landscape, self.adapted(&first.transition));
        }
        let is_past = |stage: &&Stage<'_>| {
            end += stage.steps;
            step <= end
        };
        let stage = self.stages.iter().find(is_past).unwrap_or(first);
        (stage.landscape, stage.transition.clone())
    }

    fn outcome(&self, engine: &dyn Engine, mut course: Course<'_>, columns: usize) -> Result<Sampled> {
        let mut positions = course.chains.first(usize::MAX)?;
        let seconds = course.seconds();
        let would_accept = match self.stages.last() {
            Some(Stage { landscape, transition: Transition::Langevin(langevin), .. }) => {
                would_accept(engine, *landscape, langevin, &positions, self.seed)?
            }
            _ => None,
        };
        if let (Some(sigma), Some(last)) = (self.denoise, self.stages.last()) {
            denoise(engine, last.landscape, sigma, &mut positions)?;
        }
        course.check(&positions)?;
        let worth = if self.draws() > 0 { Some(course.chains.worth()?) } else { None };
        Ok(Sampled {
            fares: course.chains.fares()?,
            would_accept,
            seconds,
            moments: course.record.moments(self.thin, worth.as_ref()),
            energy: worth.as_ref().and_then(|w| w.energy),
            diagnostics: worth.map(|w| w.diagnostics),
            steps: course.done,
            columns,
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

/// Who hears of nothing.
struct Deaf;

impl Listen for Deaf {
    fn steps(&mut self, _: u64) {}
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
