//! Training on a native engine. Twins of the optimizer: `shaders/reduce_gradient.wgsl`, `shaders/adam_step.wgsl`.

use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::PART;
use super::awake::Threads;
use super::gradient::Batch;
use super::negatives::NegativeChains;
use super::source::{Drawn, Negatives};
use super::vector::{sum, vectorized};
use super::weights::Replicated;
use crate::engine::{StepRecord, Training, TrainingPlan, TrainingState, replay};
use crate::error::Result;
use crate::model::Model;
use crate::objective::{Level, Objective, ProbeLaw, Program, Proposal, Tangents};
use crate::optimizer::{Optimizer, StepSizes};
use crate::points::Points;
use crate::real::Real;

/// How long one call of `advance` works.
const CALL: Duration = Duration::from_millis(60);

pub(super) struct NativeTraining<'a, T> {
    threads: &'a Threads,
    plan: TrainingPlan,
    data: Vec<T>,
    dim: usize,
    levels: Vec<Level>,
    probes: (ProbeLaw, Option<f64>),
    weights: Replicated<T>,
    batch: Batch<T>,
    /// What makes the negatives, where chains do.
    chains: Option<NegativeChains<T>>,
    ema: Vec<T>,
    first_moment: Vec<T>,
    second_moment: Vec<T>,
    step: u64,
    /// Steps that were done before this run.
    first: u64,
    halted: bool,
}

fn convert<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|v| T::of(*v)).collect()
}

/// The noise levels that samples choose from.
fn levels(model: &Model, objective: &Objective) -> Vec<Level> {
    let Program::Matching(terms) = objective.program(model.spec.head()) else { return Vec::new() };
    let conditioning = model.spec.conditioning();
    terms.denoising.map_or_else(Vec::new, |denoising| {
        denoising.ladder.levels().iter().map(|sigma| denoising.level(*sigma, conditioning)).collect()
    })
}

/// The law of probes, and the length that finite differences give them.
fn probes(model: &Model, objective: &Objective) -> (ProbeLaw, Option<f64>) {
    match objective.program(model.spec.head()) {
        Program::Difference(fd) => (ProbeLaw::Sphere, Some(fd.epsilon)),
        Program::Matching(terms) => match terms.tangents {
            Tangents::Probes(probes) => (probes.law, None),
            _ => (ProbeLaw::Gaussian, None),
        },
        Program::Contrast(_) => (ProbeLaw::Gaussian, None),
    }
}

impl<'a, T: Real> NativeTraining<'a, T> {
    pub(super) fn new(
        threads: &'a Threads,
        model: &Model,
        plan: &TrainingPlan,
        data: &Points,
        state: TrainingState,
    ) -> Result<Self> {
        let kept = replay::buffer::<T>(plan, &state, data.dim())?;
        let chains = match &plan.objective {
            Objective::Cd(cd) => Some(NegativeChains::new(threads, *cd, None, plan.batch, data.dim())),
            Objective::Pcd(cd, replay) => {
                let kept = kept.map(|kept| (replay.clone(), kept));
                Some(NegativeChains::new(threads, *cd, kept, plan.batch, data.dim()))
            }
            _ => None,
        };
        let weights = Replicated::new(threads, &model.spec, &state.parameters);
        Ok(Self {
            threads,
            plan: plan.clone(),
            data: convert(data.values()),
            dim: data.dim(),
            levels: levels(model, &plan.objective),
            probes: probes(model, &plan.objective),
            batch: Batch::new(threads, &weights, &plan.objective, plan.batch),
            chains,
            weights,
            ema: convert(&state.ema),
            first_moment: convert(&state.first_moment),
            second_moment: convert(&state.second_moment),
            step: state.step,
            first: state.step,
            halted: false,
        })
    }

    fn step(&mut self) -> StepRecord {
        let step = self.step + 1;
        let contrast = match self.plan.objective.program(self.weights.spec.head()) {
            Program::Contrast(contrast) => Some(contrast),
            _ => None,
        };
        let mut source = Drawn {
            seed: self.plan.seed,
            step: step as u32,
            data: &self.data,
            dim: self.dim,
            levels: &self.levels,
            probes: self.probes,
            negatives: Negatives::None,
            data_noise: contrast.map_or(0.0, |contrast| contrast.data_noise),
        };
        if let Some(chains) = &mut self.chains {
            chains.advance(&self.weights, &source);
            source.negatives = Negatives::Made(chains.ends());
        }
        match contrast.map(|contrast| contrast.proposal) {
            Some(Proposal::Perturbed { t }) => source.negatives = Negatives::Perturbed(t.sqrt()),
            Some(Proposal::Law(law)) => source.negatives = Negatives::Law(law),
            Some(Proposal::Chains(..)) | None => {}
        }
        self.batch.compute(&self.weights, &self.plan.objective, &source);
        let loss = self.batch.losses().map(Real::f64).sum::<f64>() / self.plan.batch as f64;
        let gradient = self.batch.gradient();
        let square = vectorized(
            #[inline(always)]
            || sum(gradient, |g| g * g),
        );
        let record = StepRecord { step, loss, gradient_norm: square.f64().sqrt() };
        self.halted |= !record.is_finite();
        if !self.halted {
            self.update(step, record.gradient_norm);
            self.step = step;
        }
        record
    }

    fn update(&mut self, step: u64, norm: f64) {
        let optimizer = self.plan.optimizer;
        let clip = T::of(optimizer.clip_factor(norm));
        let sizes = optimizer.step_sizes(step, self.plan.steps);
        let gradient = self.batch.gradient().par_chunks(PART);
        let moments = self.first_moment.par_chunks_mut(PART).zip(self.second_moment.par_chunks_mut(PART));
        let rest = gradient.zip(moments).zip(self.ema.par_chunks_mut(PART));
        self.weights.update(|theta| {
            theta.par_chunks_mut(PART).zip(rest).for_each(|(theta, ((gradient, (m, v)), ema))| {
                let ema = &mut ema[..gradient.len()];
                let (theta, m, v) = (&mut theta[..gradient.len()], &mut m[..gradient.len()], &mut v[..gradient.len()]);
                vectorized(
                    #[inline(always)]
                    || adam(&optimizer, sizes, clip, gradient, theta, m, v, ema),
                );
            });
        });
    }
}

/// One step of [`Optimizer`] on flat arrays of the same length.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "six arrays of one length, updated together")]
fn adam<T: Real>(
    optimizer: &Optimizer,
    sizes: StepSizes,
    clip: T,
    gradient: &[T],
    theta: &mut [T],
    m: &mut [T],
    v: &mut [T],
    ema: &mut [T],
) {
    let of = T::of;
    let (beta1, beta2) = (of(optimizer.beta1), of(optimizer.beta2));
    let (new1, new2) = (of(1.0 - optimizer.beta1), of(1.0 - optimizer.beta2));
    let (first, second, decay) = (of(sizes.first), of(sizes.second), of(sizes.decay));
    let (epsilon, follow) = (of(optimizer.epsilon), of(sizes.follow));
    for i in 0..gradient.len() {
        let g = clip * gradient[i];
        m[i] = beta1 * m[i] + new1 * g;
        v[i] = beta2 * v[i] + new2 * g * g;
        theta[i] = theta[i] - decay * theta[i] - first * m[i] / ((v[i] * second).sqrt() + epsilon);
        ema[i] += follow * (theta[i] - ema[i]);
    }
}

impl<T: Real> Training for NativeTraining<'_, T> {
    fn advance(&mut self, until: u64) -> Result<Vec<StepRecord>> {
        let (threads, tasks) = (self.threads, self.batch.tasks());
        threads.awake(tasks, || {
            let start = Instant::now();
            let mut records = Vec::new();
            while self.step < until && !self.halted && start.elapsed() < CALL {
                records.push(self.step());
            }
            Ok(records)
        })
    }

    fn state(&mut self) -> Result<TrainingState> {
        let back = |values: &[T]| values.iter().map(|v| v.f64()).collect();
        Ok(TrainingState {
            step: self.step,
            parameters: back(self.weights.parameters()),
            ema: back(&self.ema),
            first_moment: back(&self.first_moment),
            second_moment: back(&self.second_moment),
            replay: self.chains.as_ref().and_then(NegativeChains::kept),
        })
    }

    fn negatives(&mut self) -> Result<Option<Points>> {
        let values = |chains: &NegativeChains<T>| chains.ends().iter().map(|x| x.f64()).collect();
        let moved = self.chains.as_ref().filter(|_| self.step > self.first);
        Ok(moved.map(|chains| Points::new(self.dim, values(chains))))
    }
}
