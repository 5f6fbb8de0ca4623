//! `tutorial-multiscale`: one energy of three clusters for four noise levels, by both ways of giving it the level.
//!
//! At each σ the loss ½‖σ s(x + σz) + z‖² on fresh points is put against its floor, ½(d − σ² E‖s_σ‖²) with the exact
//! score of the smoothed law: it cannot be lower, and is there if the network's score is exact.

use super::measure::{denoising_floor, denoising_loss, draw, normals, smoothed};
use super::recipe::Recipe;
use super::tutorial::{data, draw_energy};
use super::{Report, Setup};
use crate::data::toy::Mixture;
use crate::error::Result;
use crate::model::{Activation, Conditioning, Head, MlpSpec};
use crate::objective::{Denoising, Ladder, Objective, Weighting};
use crate::optimizer::Schedule;

const SIGMAS: [f64; 4] = [1.0, 0.5, 0.1, 0.01];
const IN_A_CLUSTER: usize = 666;
/// Fresh points a level: the standard error of a loss near 1 is then 0.003.
const POINTS: usize = 100_000;
pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let mut rows: Vec<Vec<f64>> = SIGMAS.iter().map(|sigma| vec![*sigma]).collect();
    for conditioning in [Conditioning::Concat, Conditioning::Scale] {
        let name = conditioning.name();
        let ratios = setup.over_seeds(name, |seed| ratios(setup, conditioning, seed))?;
        for (level, sigma) in SIGMAS.iter().enumerate() {
            let values: Vec<f64> = ratios.iter().map(|all| all[level][0] / all[level][1]).collect();
            // a score of 0 has the loss d/2 = 1
            let learnt = ratios.iter().map(|all| (1.0 - all[level][0]) / (1.0 - all[level][1])).collect::<Vec<_>>();
            if rows[level].len() == 1 {
                let floors: Vec<f64> = ratios.iter().map(|all| all[level][1]).collect();
                rows[level].push(super::report::median(&floors));
            }
            rows[level].extend([super::report::median(&values), super::report::median(&learnt)]);
            report.judge(format!("{name}, sigma = {sigma}: loss / floor"), values, [0.9, 1.1]);
        }
    }
    let columns = ["sigma", "floor", "concat", "learnt", "scale", "learnt"];
    let title = "loss over floor, and the share of the way from the loss of a score of 0 down to the floor, medians";
    report.table(title, &columns, rows);
    Ok(())
}

/// Loss and floor at each level of a network trained on all of them.
fn ratios(setup: &Setup<'_>, conditioning: Conditioning, seed: u64) -> Result<Vec<[f64; 2]>> {
    let law = Mixture::three_clusters();
    let denoising = Denoising { ladder: Ladder::explicit(SIGMAS.to_vec())?, weighting: Weighting::SIGMA2 };
    let spec = MlpSpec::hidden(2, &[64, 64], Activation::Silu, Head::Energy, conditioning)?;
    let objective = Objective::Denoising(denoising);
    let recipe = Recipe {
        spec,
        objective,
        batch: 128,
        steps: 3200,
        learning_rate: 1e-3,
        schedule: Schedule::Constant,
        clip: 1.0,
        ema: 0.0,
    };
    let data = data(setup.count(IN_A_CLUSTER), seed);
    let model = recipe.train(setup, &data, seed)?;
    if seed == 1 {
        for sigma in [1.0, 0.1] {
            let (name, title) = (conditioning.name(), format!("mdsm, {}, σ = {sigma}", conditioning.name()));
            draw_energy(setup, &format!("energy-{name}-{sigma}"), &title, &model.at(sigma), &data)?;
        }
    }
    let points = draw(&law, setup.count(POINTS), seed, 1);
    let noise = normals(points.count(), 2, seed, 30);
    SIGMAS
        .iter()
        .map(|sigma| {
            let noisy = smoothed(&points, &noise, *sigma);
            let loss = denoising_loss(setup, &model.at(*sigma), &points, &noise, *sigma, Weighting::SIGMA2)?;
            Ok([loss, denoising_floor(&law, &noisy, *sigma, Weighting::SIGMA2)])
        })
        .collect()
}
