//! What a run is about to do, a little of it, before it does it: a driver that computes wrongly is not trusted with hours.

use super::worst;
use crate::engine::cpu::Reference;
use crate::engine::gpu::batch_like;
use crate::engine::{Engine, Landscape, TrainingPlan, TrainingState, advance_by};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::{Hamiltonian, Transition};

/// The most chains and rows of the data, and samples where the kernels are those of a small batch: a few tiles.
const SAMPLES: usize = 96;
const ROWS: usize = 512;
/// Steps of the chains, and leapfrogs of a step at most: more of them amplify rounding.
const CHAIN_STEPS: u64 = 3;
const LEAPFROGS: u32 = 3;
/// Beyond, a chain is taken to explode.
const FAR: f64 = 1e6;
/// Far above rounding, also after the sixty Langevin steps of contrastive divergence, and far below what a wrong driver does.
const BOUND: f64 = 1e-3;
/// Rounding errors of positions after some steps, as shares of the largest.
const ROUNDING: f64 = 3e-6;
/// Slopes that rounding does not change by much, as shares of the largest.
const SLOPE: f64 = 0.05;
/// Gradients of contrast are differences of terms of about 1, moments a tenth of them: smaller ones are compared with this.
const LEAST: f64 = 1e-2;

/// Takes the first step of a training run, with as few samples as go through the same kernels, on `engine` and in f64.
///
/// # Errors
/// The engine gives something else than the reference, or the device failed.
pub fn training(engine: &dyn Engine, model: &Model, plan: &TrainingPlan, data: &Points) -> Result<()> {
    let rows = data.count().min(ROWS) * data.dim();
    let data = Points::new(data.dim(), data.values()[..rows].to_vec());
    // without warm-up, so that the step's size is not 0
    let mut plan = TrainingPlan { batch: batch_like(plan.batch, SAMPLES), steps: 1, ..plan.clone() };
    plan.optimizer.warmup = 0;
    let step = |engine: &dyn Engine| -> Result<(Vec<f64>, TrainingState)> {
        let mut training = engine.train(model, &plan, &data, TrainingState::start(model))?;
        let mut losses = Vec::new();
        while losses.is_empty() {
            losses.extend(training.advance(1)?.iter().map(|r| r.loss));
        }
        Ok((losses, training.state()?))
    };
    let (want, expected) = step(&Reference::new()?)?;
    if !want.iter().chain(&expected.first_moment).all(|v| v.is_finite()) {
        // the run itself will say where it diverges
        return Ok(());
    }
    let (got, state) = step(engine)?;
    let name = plan.objective.name();
    verdict(engine, &format!("the loss of {name}"), worst(&got, &want, LEAST))?;
    verdict(engine, &format!("the gradient of {name}"), worst(&state.first_moment, &expected.first_moment, LEAST))?;
    // Adam's first step is as long for small slopes as for large ones: it is known where a slope is far above its rounding
    let largest = expected.first_moment.iter().fold(LEAST, |m, v| m.max(v.abs()));
    let is_known = |i: &usize| expected.first_moment[*i].abs() > SLOPE * largest;
    let known: Vec<usize> = (0..model.parameters.len()).filter(is_known).collect();
    let moved = |to: &[f64]| known.iter().map(|i| to[*i] - model.parameters[*i]).collect::<Vec<_>>();
    for (what, of) in [("parameters", (|s| &s.parameters) as fn(&TrainingState) -> &Vec<f64>), ("average", |s| &s.ema)]
    {
        let (got, want) = (moved(of(&state)), moved(of(&expected)));
        let most = model.parameters.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        verdict(engine, &format!("the step of the {what}"), worst(&got, &want, ROUNDING / BOUND * most))?;
    }
    Ok(())
}

/// Moves the first chains a few steps on `engine` and in f64. Where steps are accepted or rejected, a tenth of the chains may
/// differ, but not all: a decision on the edge falls either way.
///
/// # Errors
/// As [`training`].
pub fn chains(
    engine: &dyn Engine,
    landscape: Landscape<'_>,
    transition: &Transition,
    start: &Points,
    seed: Seed,
) -> Result<()> {
    let (transition, columns, forgiven) = match transition {
        Transition::Hamiltonian(hamiltonian) => {
            let short = Hamiltonian { leapfrogs: hamiltonian.leapfrogs.min(LEAPFROGS), ..hamiltonian.clone() };
            (Transition::Hamiltonian(short), hamiltonian.replicas(), 0.1)
        }
        Transition::Langevin(langevin) => (Transition::Langevin(*langevin), 1, 0.0),
    };
    let first = |few: usize| {
        let kept = (start.count() / columns).min(few) * columns * start.dim();
        Points::new(start.dim(), start.values()[..kept].to_vec())
    };
    let after = |engine: &dyn Engine, start: &Points| -> Result<Points> {
        let mut chains = engine.chains(landscape, &transition, start, seed)?;
        advance_by(chains.as_mut(), CHAIN_STEPS)?;
        chains.positions()
    };
    // as many as go through the kernels of all; the first of them are looked at
    let like = engine.chains_like(landscape, start.count(), SAMPLES * columns).div_ceil(columns);
    let (start, moved) = (first(SAMPLES), first(like));
    let (want, got) = (after(&Reference::new()?, &start)?, after(engine, &moved)?);
    let of_chain = columns * start.dim();
    // a chain that is exploding has no digits to compare, and would drown the others; the run itself will name it
    let near = |want: &[f64]| want.iter().all(|w| w.abs() <= FAR);
    let [start, got, want] = [&start, &got, &want].map(|points| points.values().chunks(of_chain));
    let chains = start.zip(got.zip(want));
    let chains: Vec<_> = chains.filter(|(_, (_, want))| near(want)).collect();
    // by how far they have moved, however short their steps are; positions have a rounding error of their own
    let scale = chains
        .iter()
        .flat_map(|(start, (_, want))| start.iter().zip(*want))
        .fold(f64::MIN_POSITIVE, |scale, (start, want)| {
            scale.max((want - start).abs()).max(ROUNDING / BOUND * want.abs())
        });
    let moved = |to: &[f64], start: &[f64]| to.iter().zip(start).map(|(to, start)| to - start).collect::<Vec<_>>();
    let error =
        |(start, (got, want)): &(&[f64], (&[f64], &[f64]))| worst(&moved(got, start), &moved(want, start), scale);
    let mut errors: Vec<f64> = chains.iter().map(error).collect();
    errors.sort_unstable_by(f64::total_cmp);
    // a single chain is not forgiven: nothing would be compared
    let spared = ((forgiven * errors.len() as f64).ceil() as usize).min(errors.len().saturating_sub(1));
    let worst = errors[..errors.len() - spared].last().copied().unwrap_or(0.0);
    verdict(engine, "where chains are after three steps", worst)
}

fn verdict(engine: &dyn Engine, what: &str, worst: f64) -> Result<()> {
    if worst <= BOUND {
        return Ok(());
    }
    Err(Error::failed(format!(
        "{} computes wrongly: {what} differs from that in f64 by {worst:.1e} of its size, {BOUND:.0e} at most is rounding",
        engine.adapter()
    ))
    .hint("`ebm-gpu check --all` says which kernels are wrong; update the driver, use --engine cpu, or trust it with --no-check"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::Cpu;
    use crate::engine::{Chains, Given, LossGradient, Peak, Training};
    use crate::model::{Activation, MlpSpec};
    use crate::objective::{Denoising, Objective, Weighting};
    use crate::optimizer::Optimizer;
    use crate::sampler::Langevin;
    use crate::sampler::diagnostics::Diagnostics;
    use crate::target::Target;

    /// An engine that computes rightly, of another network than it is given.
    struct Wrong<'a>(&'a Cpu, &'a Model);

    impl Engine for Wrong<'_> {
        fn name(&self) -> &'static str {
            self.0.name()
        }
        fn adapter(&self) -> String {
            self.0.adapter()
        }
        fn energy(&self, _: &Model, points: &Points) -> Result<Vec<f64>> {
            self.0.energy(self.1, points)
        }
        fn score(&self, _: &Model, points: &Points) -> Result<Points> {
            self.0.score(self.1, points)
        }
        fn target_energy(&self, target: &Target, points: &Points) -> Result<(Vec<f64>, Points)> {
            self.0.target_energy(target, points)
        }
        fn loss_gradient(&self, _: &Model, objective: &Objective, given: &Given<'_>) -> Result<LossGradient> {
            self.0.loss_gradient(self.1, objective, given)
        }
        fn train<'a>(
            &'a self,
            _: &Model,
            plan: &TrainingPlan,
            data: &Points,
            _: TrainingState,
        ) -> Result<Box<dyn Training + 'a>> {
            self.0.train(self.1, plan, data, TrainingState::start(self.1))
        }
        fn chains<'a>(
            &'a self,
            _: Landscape<'_>,
            transition: &Transition,
            start: &Points,
            seed: Seed,
        ) -> Result<Box<dyn Chains + 'a>> {
            self.0.chains(self.1.into(), transition, start, seed)
        }
        fn diagnose(&self, draws: &[f64], shape: [usize; 3]) -> Result<Diagnostics> {
            self.0.diagnose(draws, shape)
        }
        fn peak(&self) -> Result<Peak> {
            self.0.peak()
        }
    }

    #[test]
    fn an_engine_is_held_against_the_reference() -> Result<()> {
        let cpu = Cpu::new()?;
        let model = MlpSpec::parse("2-16-16-1", Activation::Silu)?.initial(Seed(1));
        let other = MlpSpec::parse("2-16-16-1", Activation::Silu)?.initial(Seed(2));
        let data = Points::normal::<f32>(1000, 2, Seed(3), crate::random::Stream::Host, 0);
        let optimizer = Optimizer { warmup: 10, clip: 1.0, ..Optimizer::adam(1e-3) };
        let objective = Objective::Denoising(Denoising::single(0.3, Weighting::SIGMA2)?);
        let plan = TrainingPlan { objective, batch: 500, optimizer, steps: 100, seed: Seed(4) };
        training(&cpu, &model, &plan, &data)?;
        let (langevin, metropolis) = (Langevin::new(0.01, 1.0)?.into(), Hamiltonian::new(0.1, 3, 1.0)?.into());
        for transition in [langevin, metropolis] {
            chains(&cpu, (&model).into(), &transition, &data, Seed(5))?;
        }
        // one that takes another network for this one is found out
        let wrong = Wrong(&cpu, &other);
        let said = |outcome: Result<()>| outcome.expect_err("two networks differ");
        let error = said(training(&wrong, &model, &plan, &data));
        assert!(error.to_string().contains("computes wrongly: the loss of dsm differs") && error.exit_code() == 1);
        let langevin = Langevin::new(0.01, 1.0)?.into();
        let error = said(chains(&wrong, (&model).into(), &langevin, &data, Seed(5)));
        assert!(error.to_string().contains("computes wrongly: where chains are after three steps differs"));
        Ok(())
    }

    /// However few they are, and though chains that accept or reject are forgiven some differences.
    #[test]
    fn chains_of_another_network_are_found_out() -> Result<()> {
        let cpu = Cpu::new()?;
        let spec = MlpSpec::parse("2-16-16-1", Activation::Silu)?;
        let (model, mut other) = (spec.initial(Seed(1)), spec.initial(Seed(2)));
        // steeper, so that three steps lead elsewhere
        other.parameters.iter_mut().for_each(|p| *p *= 2.0);
        let wrong = Wrong(&cpu, &other);
        let all = Points::normal::<f32>(100, 2, Seed(3), crate::random::Stream::Host, 0);
        let transitions: [Transition; 4] = [
            Langevin::new(0.1, 1.0)?.into(),
            // so short that chains hardly move
            Langevin::new(1e-3, 1.0)?.into(),
            Hamiltonian::langevin(0.1, 1.0)?.into(),
            Hamiltonian::new(0.2, 3, 1.0)?.into(),
        ];
        for count in [1, 2, 100] {
            let start = Points::new(2, all.values()[..2 * count].to_vec());
            for transition in &transitions {
                chains(&cpu, (&model).into(), transition, &start, Seed(5))?;
                let outcome = chains(&wrong, (&model).into(), transition, &start, Seed(5));
                let is_told = outcome.is_err_and(|e| e.to_string().contains("where chains are after three steps"));
                assert!(is_told, "{count} chains: {transition:?}");
            }
        }
        Ok(())
    }
}
