//! `u1` to `u4`: the moments of each potential in its box by tempered Hamiltonian chains, and its ln Z by annealed importance sampling.

use super::exact_scores::{draw, run as run_stages, start};
use super::{Report, Setup};
use crate::error::{Error, Result};
use crate::eval::{AnnealedImportance, Base};
use crate::points::Points;
use crate::random::Seed;
use crate::sample::Stage;
use crate::sampler::{Bounds, Hamiltonian, Wall};
use crate::target::Target;

const CHAINS: usize = 100_000;
const STEPS: u64 = 150;
/// Temperatures of each chain's replicas, which exchange every other step: single chains hardly cross from valley to valley,
/// and keep the shares that they arrived with.
const TEMPERATURES: [f64; 3] = [6.0, 2.5, 1.0];
/// Levels of annealed importance sampling.
const LEVELS: u32 = 60;
const AIS_CHAINS: usize = 20_000;

pub(super) fn u1(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    run("u1", setup, report)
}

pub(super) fn u2(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    run("u2", setup, report)
}

pub(super) fn u3(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    run("u3", setup, report)
}

pub(super) fn u4(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    run("u4", setup, report)
}

fn run(name: &str, setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let target = Target::by_name(name, None)?;
    let facts = target.facts();
    let unknown = || Error::failed(format!("the moments of {name} are not known"));
    let (mean, variance) = facts.mean.zip(facts.variance).ok_or_else(unknown)?;
    let (log_z, [low, high]) = facts.log_normalizer.zip(target.bounds()).ok_or_else(unknown)?;
    let moves = Hamiltonian::new(0.25, 6, 1.0)?;
    let walls = Some(Bounds::new(low, high, Wall::Reflect)?);
    let found = setup.over_seeds(name, |seed| {
        let tempered = moves.clone().within(walls)?.at(TEMPERATURES.to_vec(), 2)?;
        let stages = vec![Stage { landscape: (&target).into(), transition: tempered.into(), steps: STEPS }];
        let places = start(setup, &target, CHAINS, seed);
        let replicas = places.rows().flat_map(|x| std::iter::repeat_n(x, TEMPERATURES.len())).flatten();
        let columns = Points::new(target.dim(), replicas.copied().collect());
        let points = run_stages(setup, stages, &columns, seed)?.positions;
        draw(setup, seed, "samples", &target, &points)?;
        let count = points.count() as f64;
        let average = |n: usize| points.rows().map(|x| x[n]).sum::<f64>() / count;
        let spread = |n: usize| points.rows().map(|x| (x[n] - average(n)).powi(2)).sum::<f64>() / count;
        let ais = AnnealedImportance { chains: setup.count(AIS_CHAINS), levels: LEVELS, moves: moves.clone() };
        let ais = ais.log_normalizer(setup.engine, (&target).into(), &Base::Box([low, high]), Seed(seed))?;
        let off = |n: usize| (average(n) - mean[n]) / variance[n].sqrt();
        Ok([off(0), off(1), spread(0) / variance[0], spread(1) / variance[1], ais.value - log_z, ais.error])
    })?;
    let column = |c: usize| found.iter().map(|row| row[c]).collect::<Vec<_>>();
    for (n, c) in [(1, 0), (2, 1)] {
        report.judge(format!("mean of x{n} less the exact one, in standard deviations"), column(c), [-0.02, 0.02]);
    }
    for (n, c) in [(1, 2), (2, 3)] {
        report.judge(format!("variance of x{n} over the exact one"), column(c), [0.98, 1.02]);
    }
    report.judge("ln Z less the exact one", column(4), [-0.03, 0.03]);
    report.tell("its standard error", column(5));
    Ok(())
}
