//! `returns`: the joint law of the daily returns of two stock indices, by an energy, by a Gaussian copula with the data's own
//! margins, and by a bivariate normal law: the likelihood of held-out days, and how often both fall or rise far on one day.
//!
//! 5,030 days of the S&P 500 and the NASDAQ composite. A tenth of the days, chosen by the seed, is held out; another tenth
//! chooses the step at which the energy is taken and trains nothing. The copula and the normal law are fitted to the same
//! days as the energy and those that choose. 2-64-64-1 with SiLU by energy discrepancy (t = 0.25, M = 16) in units of each
//! column's deviation, 8,000 steps of 256, Adam from 1e-3 down a cosine.

#[cfg(test)]
mod tests;

use rand::seq::SliceRandom as _;

use super::copula::{BivariateNormal, GaussianCopula};
use super::recipe::Recipe;
use super::{Report, Setup};
use crate::data::Standardizer;
use crate::error::{Error, Result};
use crate::eval::{Estimate, Grid};
use crate::model::{Activation, MlpSpec, Model};
use crate::objective::{Discrepancy, Objective};
use crate::optimizer::Schedule;
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::report::{EnergyPanel, Extent, Grid as Heights, energy_figure};

const FILE: &str = include_str!("../../data/sp500_nasdaq.csv");
/// Cells along each axis of the grid that normalises the energy, and of the coarser one that chooses the step.
const CELLS: usize = 900;
const COARSE: usize = 300;
const STEPS: usize = 8000;
/// Steps between looks at the days that choose.
const EVERY: u64 = 250;
/// Room around the data, as a share of their range, on each side: of the grid for tails, and of that which normalises the energy,
/// so that mass which it puts where no day has been counts against it as it does against the others.
const ROOM: f64 = 0.1;
const WIDE_ROOM: f64 = 1.0;
/// Nodes of a figure along each axis.
const NODES: usize = 240;
/// The share of the days beyond each quantile of the tails.
const TAILS: [f64; 3] = [0.10, 0.05, 0.01];

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let days = days()?;
    let found = setup.over_seeds("split", |seed| Split::new(&days, seed).compare(setup, seed))?;
    let column = |value: &dyn Fn(&Found) -> f64| found.iter().map(value).collect::<Vec<_>>();
    for (k, name) in MODELS.iter().enumerate() {
        report.tell(format!("{name}: NLL of held-out days, nats"), column(&|f| f.nll[k].value));
    }
    report.judge("energy less normal, NLL of the same days", column(&|f| f.gaps[0].value), [f64::NEG_INFINITY, 0.0]);
    report.tell("its standard error", column(&|f| f.gaps[0].error));
    report.judge("energy less copula, NLL of the same days", column(&|f| f.gaps[1].value), [f64::NEG_INFINITY, 0.0]);
    report.tell("its standard error", column(&|f| f.gaps[1].error));
    let medians = |side: usize, k: usize| -> Vec<f64> {
        (0..TAILS.len()).map(|t| super::report::median(&column(&|f| f.tails[side][t][k]))).collect()
    };
    for (side, (names, beyond)) in TABLES.iter().enumerate() {
        let title =
            format!("probability that both indices {beyond} their quantiles on one day (all days: their share)");
        let rows = (0..MODELS.len() + 1).map(|k| medians(side, k)).collect();
        report.named_table(&title, names, &["energy", "copula", "normal", "all days"], rows);
    }
    // at 5 %, where the share of 5,030 days has a standard error of 0.003
    let off = column(&|f| f.tails[0][1][0] / f.tails[0][1][3] - 1.0);
    report.judge("energy: joint 5 % tail over the share of days, less 1", off, [-0.2, 0.2]);
    Ok(())
}

const MODELS: [&str; 3] = ["energy", "copula", "normal"];

/// The columns of the table of each of [`SIDES`], and what it tells of.
const TABLES: [([&str; 3], &str); 2] = [
    (["both below their 10 % quantiles", "5 %", "1 %"], "fall below"),
    (["both above their 90 % quantiles", "95 %", "99 %"], "rise above"),
];

/// What one split shows; the models in the order of [`MODELS`].
struct Found {
    nll: [Estimate; 3],
    /// The energy's NLL less that of the normal law, and of the copula, day by day.
    gaps: [Estimate; 2],
    /// For each of [`SIDES`] and of [`TAILS`], the probability of each model and the share of all days.
    tails: [[[f64; 4]; 3]; 2],
}

fn days() -> Result<Points> {
    let numbers = FILE.lines().skip(1).flat_map(|line| line.split(',').skip(1).map(str::parse::<f64>));
    let values: std::result::Result<Vec<f64>, _> = numbers.collect();
    Ok(Points::new(2, values.map_err(|e| Error::failed(format!("the table of returns holds no number: {e}")))?))
}

struct Split<'a> {
    all: &'a Points,
    train: Points,
    choose: Points,
    test: Points,
}

impl<'a> Split<'a> {
    fn new(all: &'a Points, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..all.count()).collect();
        order.shuffle(&mut Seed(seed).sequence(Stream::Host, 0));
        let tenth = all.count() / 10;
        let take = |rows: &[usize]| Points::new(2, rows.iter().flat_map(|i| all.row(*i).iter().copied()).collect());
        Self {
            all,
            test: take(&order[..tenth]),
            choose: take(&order[tenth..2 * tenth]),
            train: take(&order[2 * tenth..]),
        }
    }

    fn compare(&self, setup: &Setup<'_>, seed: u64) -> Result<Found> {
        let fitted = Points::new(2, [self.train.values(), self.choose.values()].concat());
        let (normal, copula) = (BivariateNormal::fit(&fitted), GaussianCopula::fit(&fitted));
        let energy = self.energy(setup, seed)?;
        let logs = [
            energy.log_density(setup, &self.test)?,
            self.test.rows().map(|x| copula.log_density(x)).collect(),
            self.test.rows().map(|x| normal.log_density(x)).collect::<Vec<f64>>(),
        ];
        let mean = |k: usize| Estimate::mean(&logs[k].iter().map(|l| -l).collect::<Vec<_>>());
        let gap = |k: usize| {
            Estimate::mean(&logs[k].iter().zip(&logs[0]).map(|(other, own)| other - own).collect::<Vec<_>>())
        };
        if seed == 1 {
            self.draw(setup, &energy, &copula)?;
        }
        Ok(Found {
            nll: [0, 1, 2].map(mean),
            gaps: [gap(2), gap(1)],
            tails: self.tails(setup, &energy, &copula, &normal)?,
        })
    }

    /// The energy at the step that the days set aside like best.
    fn energy(&self, setup: &Setup<'_>, seed: u64) -> Result<Energy> {
        let standardizer = Standardizer::fit(&self.train);
        let recipe = Recipe {
            spec: MlpSpec::new(vec![2, 64, 64, 1], Activation::Silu)?,
            objective: Objective::Ed(Discrepancy::new(0.25, 16, 1.0)?),
            batch: 256,
            steps: STEPS,
            learning_rate: 1e-3,
            schedule: Schedule::Cosine,
            clip: 1.0,
            ema: 0.999,
        };
        let mut best: Option<(f64, Model)> = None;
        let every = (EVERY / setup.reduce as u64).max(1);
        let data = standardizer.apply(&self.train);
        recipe.watched(setup, &data, seed, every, |_, model| {
            let energy = Energy::new(setup, self.all, standardizer.clone(), model.clone(), COARSE)?;
            let nll = -Estimate::mean(&energy.log_density(setup, &self.choose)?).value;
            if nll.is_finite() && best.as_ref().is_none_or(|(least, _)| nll < *least) {
                best = Some((nll, model.clone()));
            }
            Ok(())
        })?;
        let (_, model) = best.ok_or_else(|| Error::failed(format!("ed with seed {seed} diverged")))?;
        Energy::new(setup, self.all, standardizer, model, CELLS)
    }

    fn tails(
        &self,
        setup: &Setup<'_>,
        energy: &Energy,
        copula: &GaussianCopula,
        normal: &BivariateNormal,
    ) -> Result<[[[f64; 4]; 3]; 2]> {
        let grid = Grid::covering(&extent(self.all, ROOM), CELLS)?;
        let points = grid.points();
        let axis = |n: usize| -> Vec<f64> {
            let stride = if n == 0 { CELLS } else { 1 };
            (0..CELLS).map(|i| points.row(i * stride)[n]).collect()
        };
        let logs = [
            energy.log_density(setup, &points)?,
            copula.on_axes(&axis(0), &axis(1)),
            points.rows().map(|x| normal.log_density(x)).collect(),
        ];
        let tail = |side: Side, share: f64| {
            let corner = Corner::beyond(self.all, side, share);
            let mass = |k: usize| corner.mass(&points, &logs[k], grid.cell_volume());
            [mass(0), mass(1), mass(2), corner.share(self.all)]
        };
        Ok(SIDES.map(|side| TAILS.map(|share| tail(side, share))))
    }

    fn draw(&self, setup: &Setup<'_>, energy: &Energy, copula: &GaussianCopula) -> Result<()> {
        let extent = Extent::around(self.all);
        let nodes = extent.nodes(NODES, NODES);
        let names = ["S&P 500, %".to_string(), "NASDAQ, %".to_string()];
        // a margin costs much at a place, and each of its places is in a row of nodes; the first coordinate of nodes is fastest
        let x: Vec<f64> = nodes.rows().take(NODES).map(|node| node[0]).collect();
        let y: Vec<f64> = nodes.rows().step_by(NODES).map(|node| node[1]).collect();
        let by_columns = copula.on_axes(&x, &y);
        let by_rows = (0..NODES * NODES).map(|i| by_columns[i % NODES * NODES + i / NODES]).collect();
        let landscapes = [
            ("energy", "energy", energy.log_density(setup, &nodes)?),
            ("copula", "Gaussian copula, margins of the data", by_rows),
        ];
        for (file, title, logs) in landscapes {
            let heights = Heights::new(extent, NODES, NODES, logs.into_iter().map(|log: f64| -log).collect())?;
            let panel = EnergyPanel { title, names: &names, energy: &heights, points: Some(("days", self.all)) };
            setup.draw(file, &energy_figure(&panel)?)?;
        }
        Ok(())
    }
}

/// The box of the grid.
fn extent(all: &Points, room: f64) -> Vec<[f64; 2]> {
    let ends = |n: usize| {
        let column = all.rows().map(|x| x[n]);
        let [low, high] = column.fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], x| [l.min(x), h.max(x)]);
        [low - room * (high - low), high + room * (high - low)]
    };
    vec![ends(0), ends(1)]
}

/// The end of a column that a tail lies at.
#[derive(Debug, Clone, Copy)]
enum Side {
    Lower,
    Upper,
}

const SIDES: [Side; 2] = [Side::Lower, Side::Upper];

/// The part of the plane that lies beyond an end in both coordinates.
#[derive(Debug)]
struct Corner {
    side: Side,
    ends: [f64; 2],
}

impl Corner {
    /// Beyond the quantile of each column that this share of the column is beyond.
    fn beyond(points: &Points, side: Side, share: f64) -> Self {
        let end = |n: usize| {
            let column = points.rows().map(|x| x[n]);
            match side {
                Side::Lower => quantile(column.collect(), share),
                Side::Upper => -quantile(column.map(|x| -x).collect(), share),
            }
        };
        Self { side, ends: [end(0), end(1)] }
    }

    fn holds(&self, x: &[f64]) -> bool {
        let [a, b] = self.ends;
        match self.side {
            Side::Lower => x[0] < a && x[1] < b,
            Side::Upper => x[0] > a && x[1] > b,
        }
    }

    /// The mass in it of a density, by its logarithm on cells of this volume.
    fn mass(&self, cells: &Points, log_density: &[f64], volume: f64) -> f64 {
        let inside = cells.rows().zip(log_density).filter(|(x, _)| self.holds(x));
        inside.map(|(_, log)| log.exp()).sum::<f64>() * volume
    }

    /// The share of points in it.
    fn share(&self, points: &Points) -> f64 {
        points.rows().filter(|x| self.holds(x)).count() as f64 / points.count() as f64
    }
}

/// The `share`-quantile: so many of the values lie below it.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[(share * values.len() as f64) as usize]
}

/// A network with its normalising constant, in the data's units.
struct Energy {
    model: Model,
    standardizer: Standardizer,
    log_z: f64,
}

impl Energy {
    fn new(setup: &Setup<'_>, all: &Points, standardizer: Standardizer, model: Model, cells: usize) -> Result<Self> {
        let grid = Grid::covering(&extent(all, WIDE_ROOM), cells)?;
        let log_z = grid.log_normalizer(&setup.engine.energy(&model, &standardizer.apply(&grid.points()))?);
        Ok(Self { model, standardizer, log_z })
    }

    fn log_density(&self, setup: &Setup<'_>, points: &Points) -> Result<Vec<f64>> {
        let energies = setup.engine.energy(&self.model, &self.standardizer.apply(points))?;
        Ok(energies.into_iter().map(|e| -e - self.log_z).collect())
    }
}
