//! `mala-banana`: the Metropolis-adjusted Langevin algorithm on E = ½x₁² + ½(x₂ + ½(x₁² − 1))² from U(−5, 5)², 3000 steps.
//!
//! Papers' h is 2η. A program that proposes with one drift and accepts with the density of another reports 0.59 at h = 0.005.

use super::exact_scores::{draw, run as run_stages, start};
use super::{Report, Setup};
use crate::error::Result;
use crate::sample::Stage;
use crate::sampler::Hamiltonian;
use crate::target::Target;

const CHAINS: usize = 10_000;
const STEPS: u64 = 3000;

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let target = Target::by_name("banana", None)?;
    let sample = |h: f64, seed: u64| {
        let transition = Hamiltonian::langevin(0.5 * h, 1.0)?.into();
        let stages = vec![Stage { landscape: (&target).into(), transition, steps: STEPS }];
        run_stages(setup, stages, &start(setup, &target, CHAINS, seed), seed)
    };
    let fine = setup.over_seeds("h = 0.01", |seed| {
        let sampled = sample(0.01, seed)?;
        let points = &sampled.positions;
        draw(setup, seed, "samples", &target, points)?;
        let count = points.count() as f64;
        let mean = |n: usize| points.rows().map(|x| x[n]).sum::<f64>() / count;
        let variance = |n: usize| points.rows().map(|x| (x[n] - mean(n)).powi(2)).sum::<f64>() / count;
        Ok([sampled.acceptance().unwrap_or(f64::NAN), mean(0), mean(1), variance(0), variance(1)])
    })?;
    let column = |c: usize| fine.iter().map(|row| row[c]).collect::<Vec<_>>();
    report.judge("h = 0.01: acceptance", column(0), [0.998, 1.0]);
    for (n, c) in [(1, 1), (2, 2)] {
        report.judge(format!("h = 0.01: mean of x{n}"), column(c), [-0.04, 0.04]);
    }
    report.judge("h = 0.01: variance of x1", column(3), [0.96, 1.04]);
    report.judge("h = 0.01: variance of x2", column(4), [1.44, 1.56]);
    let coarse = setup.over_seeds("h = 0.1", |seed| Ok(sample(0.1, seed)?.acceptance().unwrap_or(f64::NAN)))?;
    report.judge("h = 0.1: acceptance", coarse, [0.981, 0.991]);
    Ok(())
}
