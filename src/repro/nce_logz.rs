//! `nce-logz`: the normalising constant that noise-contrastive estimation learns, against that of a grid.
//!
//! 2-64-64-1 with SiLU on three clusters, 10,000 steps of 128 with Adam from 1e-3 down a cosine, gradients clipped to norm 1;
//! noise normal with the mean and twice the deviations of the data. With the sign of ln ν wrong, as one published tutorial
//! has it, the constant is off by 2 ln ν, 3.2 nats at ν = 5.

use super::measure::{OnGrid, draw, normals};
use super::recipe::Recipe;
use super::tutorial::draw_energy;
use super::{Report, Setup};
use crate::data::Law;
use crate::data::toy::Mixture;
use crate::engine::Given;
use crate::error::Result;
use crate::eval::{CELLS, Grid};
use crate::model::{Activation, MlpSpec, Model};
use crate::objective::{Form, NoiseContrastive, Objective, SeparableLaw};
use crate::optimizer::Schedule;
use crate::points::Points;

const POINTS: usize = 100_000;
const FRESH: usize = 100_000;

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let law = Mixture::three_clusters();
    for nu in [1, 5] {
        let rows = setup.over_seeds(&format!("nu = {nu}"), |seed| measured(setup, &law, nu, seed))?;
        let column = |c: usize| rows.iter().map(|row| row[c]).collect::<Vec<_>>();
        report.judge(format!("nu = {nu}: learned ln Z less the grid's"), column(0), [-0.05, 0.05]);
        report.judge(format!("nu = {nu}: loss on fresh points above that of the truth"), column(1), [-0.001, 0.01]);
        report.tell(format!("nu = {nu}: learned ln Z"), column(2));
        report.tell(format!("nu = {nu}: KL divergence"), column(3));
    }
    Ok(())
}

/// The error of ln Z, the excess loss, ln Z, and the KL divergence.
fn measured(setup: &Setup<'_>, law: &Mixture, nu: usize, seed: u64) -> Result<[f64; 4]> {
    let data = draw(law, setup.count(POINTS), seed, 0);
    let noise = SeparableLaw::fitted(&data, 2.0)?;
    let objective = Objective::Nce(NoiseContrastive::new(nu, noise.clone())?);
    let spec = MlpSpec::new(vec![2, 64, 64, 1], Activation::Silu)?;
    let schedule = Schedule::Cosine;
    let recipe = Recipe {
        spec,
        objective: objective.clone(),
        batch: 128,
        steps: 10_000,
        learning_rate: 1e-3,
        schedule,
        clip: 1.0,
        ema: 0.999,
    };
    let model = recipe.train(setup, &data, seed)?;
    if seed == 1 {
        draw_energy(setup, &format!("energy-nu-{nu}"), &format!("nce, ν = {nu}"), &model, &data)?;
    }
    let fresh = draw(law, setup.count(FRESH), seed, 1);
    let z = normals(fresh.count() * nu, 2, seed, 31);
    let scale = |z: &[f64]| [0, 1].map(|n| noise.origin()[n] + noise.scale()[n] * z[n]);
    let negatives = Points::new(2, z.rows().flat_map(scale).collect());
    let given = Given::contrasted(&fresh, &negatives);
    let excess =
        setup.engine.loss_gradient(&model, &objective, &given)?.loss() - true_loss(law, &noise, &fresh, &negatives);
    Ok([-grid_log_z(setup, law, &model)?, excess, model.output_bias(), OnGrid::new(setup, &model, law, 0.0)?.kl()])
}

/// ln ∫ exp(−E): what a normalised model has of 0.
fn grid_log_z(setup: &Setup<'_>, law: &dyn Law, model: &Model) -> Result<f64> {
    let grid = Grid::around_law(law, 0.0, CELLS)?;
    Ok(grid.log_normalizer(&setup.engine.energy(model, &grid.points())?))
}

/// The loss of the law's own energy on the same points.
fn true_loss(law: &dyn Law, noise: &SeparableLaw, points: &Points, negatives: &Points) -> f64 {
    let nu = negatives.count() / points.count();
    let value = |x: &[f64]| noise.log_density(x) - law.log_density(x, 0.0);
    let each = |(i, x): (usize, &[f64])| {
        let far = (0..nu).map(|j| value(negatives.row(i * nu + j)));
        Form::Classification.loss(&mut std::iter::once(value(x)).chain(far).collect::<Vec<_>>())
    };
    points.rows().enumerate().map(each).sum::<f64>() / points.count() as f64
}
