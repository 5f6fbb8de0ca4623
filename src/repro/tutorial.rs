//! `tutorial`: an energy of three clusters by denoising and by sliced score matching, as tutorials train it.
//!
//! 2-64-64-1 with SiLU, 666 points of each cluster, 3200 steps of 128 with Adam at 1e-3, gradients clipped to norm 1.
//! The tutorial's denoising loss is ‖s + z/σ‖², twice ours: a clip of its gradient at 1 is a clip of ours at ½.

use super::measure::{OnGrid, denoising_loss, draw, normals, repeated, sliced_loss};
use super::recipe::Recipe;
use super::{Report, Setup};
use crate::data::law::normal_pair;
use crate::data::toy::Mixture;
use crate::error::Result;
use crate::model::{Activation, MlpSpec, Model};
use crate::objective::{Denoising, Objective, ProbeLaw, Probes, Weighting};
use crate::optimizer::Schedule;
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::report::{EnergyPanel, Extent, Grid, energy_figure};

const SIGMA: f64 = 0.1;
const PROBES: usize = 2;
const IN_A_CLUSTER: usize = 666;
/// Fresh noise for each point of the data: the standard error of the printed loss is then below 0.6.
const COPIES: usize = 50;

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let law = Mixture::three_clusters();
    let denoising = Objective::Denoising(Denoising::single(SIGMA, Weighting::ONE)?);
    let sliced = Objective::Ssm(Probes::new(PROBES, ProbeLaw::Gaussian)?);
    let column = |rows: &[[f64; 4]], c: usize| rows.iter().map(|row| row[c]).collect::<Vec<_>>();
    if setup.wants_loss("dsm") {
        let rows = setup.over_seeds("dsm", |seed| by_denoising(setup, &law, &denoising, seed))?;
        report.judge("dsm: loss |s + z/sigma|^2 on the data", column(&rows, 0), [172.0, 188.0]);
        report.judge("dsm: NLL above the smoothed law's entropy", column(&rows, 1), [f64::NEG_INFINITY, 0.25]);
        report.tell("dsm: the part of it that is due to the weights of the clusters", column(&rows, 2));
        report.tell("dsm: NLL of the law itself above 1.5285", column(&rows, 3));
    }
    if setup.wants_loss("ssm") {
        let rows = setup.over_seeds("ssm", |seed| by_slices(setup, &law, &sliced, seed))?;
        report.judge("ssm: loss on the data", column(&rows, 0), [-12.1, -10.1]);
        report.judge("ssm: NLL above 1.5285", column(&rows, 1), [f64::NEG_INFINITY, 0.25]);
        report.tell("ssm: the part of it that is due to the weights of the clusters", column(&rows, 2));
        report.tell("ssm: loss on fresh points", column(&rows, 3));
    }
    Ok(())
}

/// The loss that the tutorial prints; KL from the smoothed law, its part due to weights, and KL from the law itself.
fn by_denoising(setup: &Setup<'_>, law: &Mixture, objective: &Objective, seed: u64) -> Result<[f64; 4]> {
    let data = data(setup.count(IN_A_CLUSTER), seed);
    let model = recipe(objective.clone(), 0.5)?.train(setup, &data, seed)?;
    let points = repeated(&data, setup.count(COPIES));
    let noise = normals(points.count(), 2, seed, 30);
    let printed = 2.0 * denoising_loss(setup, &model, &points, &noise, SIGMA, Weighting::ONE)?;
    if seed == 1 {
        draw_energy(setup, "energy-dsm", "dsm, σ = 0.1", &model, &data)?;
    }
    let smoothed = OnGrid::new(setup, &model, law, SIGMA)?;
    Ok([printed, smoothed.kl(), smoothed.weights_kl(), OnGrid::new(setup, &model, law, 0.0)?.kl()])
}

/// The loss that the tutorial prints, KL from the law, its part due to weights, and the loss on fresh points.
fn by_slices(setup: &Setup<'_>, law: &Mixture, objective: &Objective, seed: u64) -> Result<[f64; 4]> {
    let data = data(setup.count(IN_A_CLUSTER), seed);
    let model = recipe(objective.clone(), 1.0)?.train(setup, &data, seed)?;
    let points = repeated(&data, setup.count(COPIES));
    let printed = sliced_loss(setup, &model, &points, PROBES, seed)?;
    let fresh = draw(law, setup.count(100_000), seed, 1);
    if seed == 1 {
        draw_energy(setup, "energy-ssm", "ssm, 2 probes", &model, &data)?;
    }
    let density = OnGrid::new(setup, &model, law, 0.0)?;
    Ok([printed, density.kl(), density.weights_kl(), sliced_loss(setup, &model, &fresh, PROBES, seed + 1000)?])
}

fn recipe(objective: Objective, clip: f64) -> Result<Recipe> {
    let spec = MlpSpec::new(vec![2, 64, 64, 1], Activation::Silu)?;
    Ok(Recipe {
        spec,
        objective,
        batch: 128,
        steps: 3200,
        learning_rate: 1e-3,
        schedule: Schedule::Constant,
        clip,
        ema: 0.0,
    })
}

/// As many points of each cluster; the law draws the clusters' shares at random.
pub(super) fn data(in_a_cluster: usize, seed: u64) -> Points {
    let mut rng = Seed(seed).sequence(Stream::Data, 0);
    let mut values = Vec::with_capacity(6 * in_a_cluster);
    for _ in 0..in_a_cluster {
        for mean in [[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0]] {
            let z = normal_pair(&mut rng);
            values.extend([mean[0] + 0.3 * z[0], mean[1] + 0.3 * z[1]]);
        }
    }
    Points::new(2, values)
}

pub(super) fn draw_energy(setup: &Setup<'_>, name: &str, title: &str, model: &Model, data: &Points) -> Result<()> {
    let extent = Extent::around(data);
    let energies = setup.engine.energy(model, &extent.nodes(200, 200))?;
    let energy = Grid::new(extent, 200, 200, energies)?;
    let points = Some(("data", data));
    setup.draw(name, &energy_figure(&EnergyPanel { title, names: &[], energy: &energy, points })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Law as _;

    #[test]
    fn the_data_is_the_law_with_equal_shares() {
        let points = data(2000, 3);
        let law = Mixture::three_clusters();
        let nll = -points.rows().map(|x| law.log_density(x, 0.0)).sum::<f64>() / points.count() as f64;
        // the sum of two squared normals, halved, has variance 1
        assert!((nll - law.entropy()).abs() < 5.0 / (points.count() as f64).sqrt(), "{nll}");
    }
}
