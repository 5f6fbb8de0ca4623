//! `toy-grid`: ten objectives on ten toy laws, side by side: the KL divergence of the data's own law from each model and
//! the NLL of that law by it, the mass that a model puts far from the support, the weights of its modes, the time that it took.
//!
//! 2-128-128-1 with SiLU, 10,000 steps of 256 with Adam from 5e-3 down a cosine, gradients clipped to norm 1, parameters
//! averaged with 0.999. Denoising score matching has σ = 0.1, and models the law smoothed by it.

use std::time::Instant;

use super::measure::draw;
use super::recipe::Recipe;
use super::{Report, Setup};
use crate::data::{Dataset, Law};
use crate::error::Result;
use crate::eval::{CELLS, Grid, LawOnGrid};
use crate::model::{Activation, Conditioning, Head, MlpSpec, Model};
use crate::objective::{
    Contrastive, Denoising, Discrepancy, FdSsm, Ladder, NoiseContrastive, Objective, ProbeLaw, Probes, Replay,
    SeparableLaw, Weighting,
};
use crate::optimizer::Schedule;
use crate::points::Points;
use crate::report::{Better, StripPanel, Strips, strips_figure};

/// The objectives.
pub(super) const LOSSES: &[&str] = &["esm", "ssm", "ssm-vr", "fd-ssm", "dsm", "mdsm", "cd", "pcd", "ed", "nce"];

/// The laws.
pub(super) const LAWS: &[&str] = &[
    "8gaussians",
    "25gaussians",
    "2spirals",
    "checkerboard",
    "rings",
    "circles",
    "moons",
    "pinwheel",
    "swissroll",
    "banana",
];

/// Laws on which a KL divergence of 0.15 is asked for; 0.05 elsewhere.
const HARD: &[&str] = &["2spirals", "checkerboard", "25gaussians"];
/// Laws on which nothing is asked for.
const UNJUDGED: &[&str] = &["pinwheel"];

const POINTS: usize = 100_000;
const STEPS: usize = 10_000;
const BATCH: usize = 256;
/// At 1e-3 every objective ends worse: nce has a KL divergence of 0.24 on 2spirals there, 0.03 here.
const LEARNING_RATE: f64 = 5e-3;
const SIGMA: f64 = 0.1;
/// Negatives of ed and nce.
const NEGATIVES: usize = 4;
/// Langevin steps of cd and pcd, and their step size: a step is stable up to twice the smallest variance of a mode, which is
/// 0.005 for 25gaussians.
const CHAIN_STEPS: usize = 10;
const CHAIN_STEP_SIZE: f64 = 1e-3;
/// t of ed: its noise spans the gaps between the modes of these laws' narrower parts.
const ED_T: f64 = 0.25;

/// What is told of a model: KL, NLL, mass outside, total variation of the modes, seconds of training.
type Row = [f64; COLUMNS];
const COLUMNS: usize = 5;

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let losses: Vec<&str> = LOSSES.iter().copied().filter(|loss| setup.wants_loss(loss)).collect();
    let mut tables: [Vec<Vec<f64>>; COLUMNS] = Default::default();
    let laws: Vec<&str> = LAWS.iter().copied().filter(|name| setup.wants_law(name)).collect();
    let mut divergences: Vec<Vec<Vec<f64>>> = Vec::new();
    for name in &laws {
        let law = Dataset::toy(name)?;
        let on_grid = OnLaw::new(setup, law.as_ref())?;
        let mut divergence = Vec::new();
        let mut medians: [Vec<f64>; COLUMNS] = Default::default();
        for loss in &losses {
            let rows = setup.over_seeds(&format!("{name}, {loss}"), |seed| measured(setup, &on_grid, loss, seed))?;
            let column = |c: usize| rows.iter().map(|row| row[c]).collect::<Vec<_>>();
            let what = format!("{name}, {loss}: KL divergence");
            let high = if HARD.contains(name) { 0.15 } else { 0.05 };
            if matches!(*loss, "ed" | "nce") && !UNJUDGED.contains(name) {
                report.judge(what, column(0), [-1e-3, high]);
            } else {
                report.tell(what, column(0));
            }
            divergence.push(column(0));
            for (c, medians) in medians.iter_mut().enumerate() {
                medians.push(super::report::median(&column(c)));
            }
        }
        divergences.push(divergence);
        tables.iter_mut().zip(medians).for_each(|(table, row)| table.push(row));
    }
    let titles = [
        "KL divergence of the law from the model, nats",
        "NLL of the law by the model, nats",
        "mass of the model farther than 5 standard deviations from the support",
        "total variation between the weights of modes",
        "seconds of training",
    ];
    for (title, rows) in titles.into_iter().zip(tables) {
        report.named_table(title, &losses, &laws, rows);
    }
    let panels: Vec<StripPanel<'_>> = laws
        .iter()
        .zip(&divergences)
        .map(|(title, values)| StripPanel {
            title,
            values: values.iter().map(Vec::as_slice).collect(),
            best: lowest(values),
            chance: None,
        })
        .collect();
    let rows: Vec<String> = losses.iter().map(ToString::to_string).collect();
    let strips = Strips {
        title: "KL divergence of the law from the model",
        metric: "KL (nats)",
        better: Better::Lower,
        logarithmic: true,
        rows: &rows,
        panels: &panels,
    };
    setup.draw("divergences", &strips_figure(&strips)?)
}

/// The rows with the lowest median; none where there is nothing to choose.
fn lowest(values: &[Vec<f64>]) -> Vec<usize> {
    let medians: Vec<f64> = values.iter().map(|values| super::report::median(values)).collect();
    let lowest = medians.iter().copied().fold(f64::INFINITY, f64::min);
    let is_choice = medians.len() > 1 && lowest.is_finite();
    (0..medians.len()).filter(|row| is_choice && medians[*row] == lowest).collect()
}

/// A law evaluated once for all models.
struct OnLaw<'a> {
    law: &'a dyn Law,
    grid: Grid,
    points: Points,
    on_grid: LawOnGrid,
}

impl<'a> OnLaw<'a> {
    fn new(setup: &Setup<'_>, law: &'a dyn Law) -> Result<Self> {
        // a thinned experiment has a coarser grid
        let cells = (CELLS as f64 / (setup.reduce as f64).sqrt()).max(100.0) as usize;
        let grid = Grid::around_law(law, 0.0, cells)?;
        Ok(Self { law, points: grid.points(), on_grid: LawOnGrid::new(law, 0.0, &grid), grid })
    }

    fn row(&self, setup: &Setup<'_>, model: &Model, seconds: f64) -> Result<Row> {
        let energies = setup.engine.energy(model, &self.points)?;
        let log_z = self.grid.log_normalizer(&energies);
        let log_model: Vec<f64> = energies.iter().map(|e| -e - log_z).collect();
        let found = self.on_grid.compare(&log_model);
        let tv = self.law.modes().map_or(f64::NAN, |modes| {
            let cells = self.points.rows().zip(&log_model).map(|(x, log)| (x, log.exp() * self.grid.cell_volume()));
            0.5 * modes.masses(cells).iter().zip(&modes.weights).map(|(mass, w)| (mass - w).abs()).sum::<f64>()
        });
        Ok([found.kl, found.nll, found.outside_mass, tv, seconds])
    }
}

fn measured(setup: &Setup<'_>, on_law: &OnLaw<'_>, loss: &str, seed: u64) -> Result<Row> {
    let data = draw(on_law.law, setup.count(POINTS), seed, 0);
    let objective = objective(loss, &data)?;
    let conditioning = if loss == "mdsm" { Conditioning::Concat } else { Conditioning::None };
    let recipe = Recipe {
        spec: MlpSpec::hidden(2, &[128, 128], Activation::Silu, Head::Energy, conditioning)?,
        objective: objective.clone(),
        batch: BATCH,
        steps: STEPS,
        learning_rate: LEARNING_RATE,
        schedule: Schedule::Cosine,
        clip: 1.0,
        ema: 0.999,
    };
    let start = Instant::now();
    let Some(model) = recipe.attempt(setup, &data, seed)? else {
        return Ok([f64::INFINITY, f64::INFINITY, f64::NAN, f64::NAN, start.elapsed().as_secs_f64()]);
    };
    on_law.row(setup, &model.at(objective.smoothing()), start.elapsed().as_secs_f64())
}

fn objective(loss: &str, data: &Points) -> Result<Objective> {
    let probes = || Probes::new(1, ProbeLaw::Rademacher);
    let fitted = SeparableLaw::fitted(data, 1.0)?;
    let deviation = (0.5 * fitted.scale().iter().map(|s| s * s).sum::<f64>()).sqrt();
    Ok(match loss {
        "ssm" => Objective::Ssm(probes()?),
        "ssm-vr" => Objective::SsmVr(probes()?),
        "fd-ssm" => Objective::FdSsm(FdSsm::new(1, SIGMA * deviation)?),
        "dsm" => Objective::Denoising(Denoising::single(SIGMA, Weighting::by_name("sigma2")?)?),
        "mdsm" => Objective::Denoising(Denoising {
            ladder: Ladder::geometric(6.0 * deviation, SIGMA, 10)?,
            weighting: Weighting::by_name("sigma2")?,
        }),
        "cd" => Objective::Cd(Contrastive::new(CHAIN_STEPS, CHAIN_STEP_SIZE, 0.0, 0.0)?),
        "pcd" => Objective::Pcd(
            Contrastive::new(CHAIN_STEPS, CHAIN_STEP_SIZE, 0.0, 0.0)?,
            Replay::new(10_000, 0.05, SeparableLaw::around(data)?)?,
        ),
        "ed" => Objective::Ed(Discrepancy::new(ED_T, NEGATIVES, 1.0)?),
        "nce" => Objective::Nce(NoiseContrastive::new(NEGATIVES, SeparableLaw::fitted(data, 1.2)?)?),
        _ => Objective::Esm,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_infinite_is_not_the_best() {
        let (one, two, none) = (vec![1.0, 3.0, 2.0], vec![2.0, 2.0, 9.0], vec![f64::INFINITY; 3]);
        assert_eq!(lowest(&[none.clone(), one.clone(), two]), [1, 2]);
        assert_eq!(lowest(&[vec![f64::NAN; 3], one.clone()]), [1]);
        assert!(lowest(&[none.clone(), none]).is_empty() && lowest(&[one]).is_empty());
    }
}
