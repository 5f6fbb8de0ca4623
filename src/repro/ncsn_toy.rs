//! `ncsn-toy`: Langevin chains on 0.8 N((5, 5), I) + 0.2 N((−5, −5), I) miss the weights of the modes; chains that go
//! through noise levels from large to small find them.
//!
//! Both energies are 2-128-128-1 with softplus, 10,000 steps of 128, Adam at 1e-3. The source's step h at σ_L = 1 is
//! 2η = 0.1; at other levels it goes with σ², so η = 0.05 σ². Chains start uniform in [−8, 8]².

use super::measure::{draw, uniform_square};
use super::recipe::Recipe;
use super::tutorial::draw_energy;
use super::{Report, Setup};
use crate::data::Law;
use crate::data::toy::Mixture;
use crate::engine::advance_by;
use crate::error::Result;
use crate::eval::fisher;
use crate::model::{Activation, Conditioning, Head, MlpSpec, Model};
use crate::objective::{Denoising, Ladder, Objective, ProbeLaw, Probes, Weighting};
use crate::optimizer::Schedule;
use crate::points::Points;
use crate::random::Seed;
use crate::report::samples_figure;
use crate::sampler::Langevin;

/// Training points: so many that each is seen some ten times.
const POINTS: usize = 100_000;
const CHAINS: usize = 1280;
/// η at σ = 1.
const STEP_SIZE: f64 = 0.05;
const NAIVE_STEPS: u64 = 1000;
const STEPS_A_LEVEL: u64 = 100;

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let law = Mixture::gmm_ncsn();
    if setup.wants_loss("ssm-vr") {
        let rows = setup.over_seeds("ssm-vr", |seed| naive(setup, &law, Head::Energy, seed))?;
        let column = |c: usize| rows.iter().map(|row| row[c]).collect::<Vec<_>>();
        report.judge("ssm-vr: Fisher divergence on the data", column(0), [f64::NEG_INFINITY, 0.1]);
        report.judge("Langevin chains: share of the mode of weight 0.8", column(1), [0.45, 0.55]);
        report.tell("energy of the small mode above the big one (exact: 1.386 nats)", column(2));
        let fields = setup.over_seeds("ssm-vr, score", |seed| naive(setup, &law, Head::Score, seed))?;
        let share = fields.iter().map(|row| row[1]).collect();
        report.tell("the same for the source's network, a score field", share);
    }
    if setup.wants_loss("mdsm") {
        let rows = setup.over_seeds("mdsm, concat", |seed| annealed(setup, &law, Conditioning::Concat, seed))?;
        report.judge("annealed chains: share of the mode of weight 0.8", rows, [0.75, 0.85]);
        let rows = setup.over_seeds("mdsm, scale", |seed| annealed(setup, &law, Conditioning::Scale, seed))?;
        report.tell("annealed chains, E(x)/sigma: share of the mode of weight 0.8", rows);
    }
    Ok(())
}

fn recipe(objective: Objective, head: Head, conditioning: Conditioning) -> Result<Recipe> {
    let spec = MlpSpec::hidden(2, &[128, 128], Activation::Softplus, head, conditioning)?;
    Ok(Recipe {
        spec,
        objective,
        batch: 128,
        steps: 10_000,
        learning_rate: 1e-3,
        schedule: Schedule::Constant,
        clip: 0.0,
        ema: 0.0,
    })
}

/// The Fisher divergence of sliced score matching, the big mode's share of its chains, and for an energy how far the small
/// mode lies above the big one.
fn naive(setup: &Setup<'_>, law: &Mixture, head: Head, seed: u64) -> Result<[f64; 3]> {
    let objective = Objective::SsmVr(Probes::new(1, ProbeLaw::Gaussian)?);
    let data = draw(law, setup.count(POINTS), seed, 0);
    let model = recipe(objective, head, Conditioning::None)?.train(setup, &data, seed)?;
    let sampler = Langevin::new(STEP_SIZE, 1.0)?;
    let start = uniform_square(setup.count(CHAINS), 8.0, seed);
    let mut chains = setup.engine.chains((&model).into(), &sampler.into(), &start, Seed(seed))?;
    advance_by(chains.as_mut(), NAIVE_STEPS)?;
    let ends = chains.positions()?;
    let above = match (head, law.modes()) {
        (Head::Energy, Some(modes)) => {
            let at = setup.engine.energy(&model, &modes.centers)?;
            at[1] - at[0]
        }
        _ => f64::NAN,
    };
    if seed == 1 && head == Head::Energy {
        draw_energy(setup, "energy-ssm-vr", "ssm-vr", &model, &data)?;
        setup.draw("samples-langevin", &samples_figure(&data, &ends, &[], "model"))?;
    }
    let points = draw(law, setup.count(10_000), seed, 1);
    Ok([fisher(law, 0.0, &points, &setup.engine.score(&model, &points)?).value, share(law, &ends), above])
}

/// The big mode's share of chains annealed through the levels of a network trained on all of them.
fn annealed(setup: &Setup<'_>, law: &dyn Law, conditioning: Conditioning, seed: u64) -> Result<f64> {
    let ladder = Ladder::geometric(20.0, 0.1, 10)?;
    let denoising = Denoising { ladder: ladder.clone(), weighting: Weighting::SIGMA2 };
    let data = draw(law, setup.count(POINTS), seed, 0);
    let model = recipe(Objective::Denoising(denoising), Head::Energy, conditioning)?.train(setup, &data, seed)?;
    let level = |sigma: f64| Ok((model.at(sigma), Langevin::new(STEP_SIZE * sigma * sigma, 1.0)?));
    let (first, sampler) = level(ladder.largest())?;
    let start = uniform_square(setup.count(CHAINS), 8.0, seed);
    let mut chains = setup.engine.chains((&first).into(), &sampler.into(), &start, Seed(seed))?;
    advance_by(chains.as_mut(), STEPS_A_LEVEL)?;
    for sigma in &ladder.levels()[1..] {
        let (model, sampler): (Model, Langevin) = level(*sigma)?;
        chains.change((&model).into(), &sampler.into())?;
        advance_by(chains.as_mut(), STEPS_A_LEVEL)?;
    }
    let ends = chains.positions()?;
    if seed == 1 {
        let name = format!("samples-annealed-{}", conditioning.name());
        setup.draw(&name, &samples_figure(&data, &ends, &[], "model"))?;
    }
    Ok(share(law, &ends))
}

/// The share of the points nearest to the first mode; those that are not finite belong to none.
fn share(law: &dyn Law, points: &Points) -> f64 {
    let modes = law.modes();
    let nearest = |x: &[f64]| modes.as_ref().and_then(|m| m.nearest(x)) == Some(0);
    points.rows().filter(|x| nearest(x)).count() as f64 / points.count() as f64
}
