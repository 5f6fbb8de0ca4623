//! `esm-vs-dsm`: the parameter gradient of denoising score matching against that of exact score matching, over σ.
//!
//! On fixed data the mean over z of ∇θ ½‖s(x + σz) + z/σ‖² is the exact-loss gradient on the data smoothed by σ (Vincent
//! 2011), so it goes to that on the data themselves as σ → 0, while its noise grows as 1/σ. Means are taken over pairs
//! ±z, in which the term s(x)·z/σ that makes the noise cancels; the standard deviation is that of batches of 128 with
//! plain z, as in training. One error has both: E‖g − g*‖² = squared bias + variance, least at some σ between.

use super::measure::{draw, normals};
use super::recipe::Recipe;
use super::{Report, Setup};
use crate::data::toy::Mixture;
use crate::engine::Given;
use crate::error::Result;
use crate::model::{Activation, MlpSpec, Model};
use crate::objective::{Denoising, Objective, Weighting};
use crate::optimizer::Schedule;
use crate::points::Points;
use crate::random::{Seed, Stream, pick};
use crate::report::{Lines, Series, lines_figure};

/// Three levels a decade from 0.01 to 1.
const SIGMAS: [f64; 7] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];
const POINTS: usize = 8192;
/// Repetitions of the whole data, each point with a fresh pair ±z, that the mean is taken over.
const PASSES: usize = 120;
const BATCH: usize = 128;
/// Batches whose spread is measured.
const BATCHES: usize = 400;
/// A mean is good enough to be judged if its standard error is below this share of the exact gradient.
const RESOLVED: f64 = 0.01;

/// What there is to say of one σ.
#[derive(Debug, Clone, Copy)]
struct Row {
    cosine: f64,
    ratio: f64,
    /// The standard error of the mean gradient, as a share of the exact one.
    error: f64,
    /// The standard deviation of a batch's gradient, as a share of the exact one.
    deviation: f64,
    /// The root of the mean squared error of a batch's gradient, as a share of the exact one.
    rms: f64,
}

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let all = setup.over_seeds("gradients", |seed| rows(setup, seed))?;
    let each = |value: &dyn Fn(&[Row]) -> f64| all.iter().map(|rows| value(rows)).collect::<Vec<_>>();
    // NaN, which no range has, if none is resolved
    let there = |rows: &[Row], value: &dyn Fn(usize) -> f64| {
        rows.iter().position(|r| r.error < RESOLVED).map_or(f64::NAN, value)
    };
    report.tell("smallest sigma whose mean is resolved to 1 %", each(&|rows| there(rows, &|at| SIGMAS[at])));
    report.judge("cosine there", each(&|rows| there(rows, &|at| rows[at].cosine)), [0.99, 1.0 + 1e-9]);
    report.judge("ratio of norms there", each(&|rows| there(rows, &|at| rows[at].ratio)), [0.98, 1.02]);
    // as σ → 0 the noise is that of ∇θ s(x)·z/σ
    let growth = |rows: &[Row]| rows[0].deviation / rows[1].deviation;
    report.judge("standard deviation at sigma = 0.01 over that at 0.02", each(&growth), [1.9, 2.1]);
    let best = |rows: &[Row]| (0..rows.len()).min_by(|a, b| rows[*a].rms.total_cmp(&rows[*b].rms)).unwrap_or(0);
    let (second, last_but_one) = (SIGMAS[1], SIGMAS[SIGMAS.len() - 2]);
    report.judge("sigma of the least mean squared error", each(&|rows| SIGMAS[best(rows)]), [second, last_but_one]);
    let middle = |at: usize, value: &dyn Fn(&Row) -> f64| super::report::median(&each(&|rows| value(&rows[at])));
    let columns: [&dyn Fn(&Row) -> f64; 5] = [&|r| r.cosine, &|r| r.ratio, &|r| r.error, &|r| r.deviation, &|r| r.rms];
    let table: Vec<Vec<f64>> = SIGMAS
        .iter()
        .enumerate()
        .map(|(at, sigma)| std::iter::once(*sigma).chain(columns.iter().map(|c| middle(at, *c))).collect())
        .collect();
    draw_table(setup, &table)?;
    let names = ["sigma", "cosine", "norm ratio", "s.e.", "deviation", "rms error"];
    report.table("medians; the last three over the norm of the exact gradient", &names, table);
    Ok(())
}

/// A network part of the way down: neither at its start, where gradients are large, nor at the end, where they vanish.
fn network(setup: &Setup<'_>, data: &Points, seed: u64) -> Result<Model> {
    let spec = MlpSpec::new(vec![2, 64, 64, 1], Activation::Silu)?;
    let (objective, schedule) = (Objective::Esm, Schedule::Constant);
    Recipe { spec, objective, batch: BATCH, steps: 300, learning_rate: 1e-3, schedule, clip: 1.0, ema: 0.0 }
        .train(setup, data, seed)
}

fn rows(setup: &Setup<'_>, seed: u64) -> Result<Vec<Row>> {
    let data = draw(&Mixture::eight_gaussians(), setup.count(POINTS), seed, 0);
    let model = network(setup, &data, seed)?;
    let exact = setup.engine.loss_gradient(&model, &Objective::Esm, &Given::points(&data))?.gradient;
    SIGMAS.iter().map(|sigma| row(setup, &model, &data, &exact, *sigma, seed)).collect()
}

fn row(setup: &Setup<'_>, model: &Model, data: &Points, exact: &[f64], sigma: f64, seed: u64) -> Result<Row> {
    let objective = Objective::Denoising(Denoising::single(sigma, Weighting::ONE)?);
    let gradient = |points: &Points, noise: &Points| -> Result<Vec<f64>> {
        Ok(setup.engine.loss_gradient(model, &objective, &Given::noisy(points, noise))?.gradient)
    };
    let mut passes = Moments::new(exact);
    for pass in 0..setup.count(PASSES) as u32 {
        let plus = normals(data.count(), 2, seed, 1000 + pass);
        let minus = Points::new(2, plus.values().iter().map(|z| -z).collect());
        let (a, b) = (gradient(data, &plus)?, gradient(data, &minus)?);
        passes.add(&a.iter().zip(&b).map(|(a, b)| 0.5 * (a + b)).collect::<Vec<_>>());
    }
    let mut batches = Moments::new(exact);
    for batch in 0..setup.count(BATCHES) as u32 {
        let chosen = |i: u32| {
            let word = Seed(seed).words(Stream::Batch, i, batch, 0)[0];
            data.row(pick(word, data.count() as u32) as usize).to_vec()
        };
        let points = Points::new(2, (0..BATCH as u32).flat_map(chosen).collect());
        batches.add(&gradient(&points, &normals(BATCH, 2, seed, 2000 + batch))?);
    }
    let norm = dot(exact, exact).sqrt();
    let mean = passes.mean();
    let size = dot(&mean, &mean).sqrt();
    let error = (passes.variance() / passes.count).sqrt();
    let away: f64 = mean.iter().zip(exact).map(|(m, e)| (m - e).powi(2)).sum();
    // the noise of the mean is no bias
    let squared_bias = (away - error * error).max(0.0);
    let variance = batches.variance();
    Ok(Row {
        cosine: dot(&mean, exact) / (size * norm),
        ratio: size / norm,
        error: error / norm,
        deviation: variance.sqrt() / norm,
        rms: (squared_bias + variance).sqrt() / norm,
    })
}

/// Sums of vectors and of their squares, around a centre that keeps the squares from cancelling.
struct Moments<'a> {
    center: &'a [f64],
    sum: Vec<f64>,
    squares: f64,
    count: f64,
}

impl<'a> Moments<'a> {
    fn new(center: &'a [f64]) -> Self {
        Self { center, sum: vec![0.0; center.len()], squares: 0.0, count: 0.0 }
    }

    fn add(&mut self, vector: &[f64]) {
        for ((sum, v), c) in self.sum.iter_mut().zip(vector).zip(self.center) {
            *sum += v - c;
            self.squares += (v - c).powi(2);
        }
        self.count += 1.0;
    }

    fn mean(&self) -> Vec<f64> {
        self.sum.iter().zip(self.center).map(|(s, c)| c + s / self.count).collect()
    }

    /// The variances of all coordinates together, unbiased.
    fn variance(&self) -> f64 {
        (self.squares - dot(&self.sum, &self.sum) / self.count) / (self.count - 1.0)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn draw_table(setup: &Setup<'_>, table: &[Vec<f64>]) -> Result<()> {
    let x: Vec<f64> = table.iter().map(|row| row[0].log10()).collect();
    let column = |c: usize| table.iter().map(|row| row[c]).collect::<Vec<_>>();
    let (cosine, ratio, deviation, rms) = (column(1), column(2), column(4), column(5));
    let expectation =
        [Series { label: "cosine", x: &x, y: &cosine }, Series { label: "ratio of norms", x: &x, y: &ratio }];
    let spread = [
        Series { label: "standard deviation", x: &x, y: &deviation },
        Series { label: "root mean squared error", x: &x, y: &rms },
    ];
    let draw = |name, title, y_label, series: &[Series<'_>]| {
        setup.draw(name, &lines_figure(&Lines { title, x_label: "log₁₀ σ", y_label, series }))
    };
    draw("expectation", "the mean dsm gradient against the esm gradient", "", &expectation)?;
    draw("batch", "the dsm gradient of a batch of 128", "over the norm of the esm gradient", &spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_do_not_depend_on_the_centre() {
        for center in [[0.0, 0.0], [100.0, -3.0]] {
            let mut moments = Moments::new(&center);
            for v in [[1.0, 2.0], [3.0, 2.0], [5.0, 8.0]] {
                moments.add(&v);
            }
            assert_eq!(moments.mean(), [3.0, 4.0]);
            assert!((moments.variance() - 16.0).abs() < 1e-9);
        }
    }
}
