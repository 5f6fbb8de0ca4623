//! `ed-25g`: the error of the log-density that energy discrepancy, exact score matching and contrastive divergence learn of
//! 25 Gaussians (Schröder et al. 2023, arXiv:2307.06431, figure 3).
//!
//! 2-128-128-128-128-1 with softplus, 50,000 steps of 128 with Adam at 1e-3, parameters averaged with 0.999. The error is the
//! mean squared error of ln q at 5000 fresh points with Z from the same points, every 1000 steps. Beside the published
//! contrastive divergence (10 steps from the data, α = 0.3) a persistent one without regularisation is told.

use super::measure::{OnGrid, draw, normals};
use super::recipe::Recipe;
use super::report::median;
use super::tutorial::draw_energy;
use super::{Report, Setup};
use crate::data::Law;
use crate::data::toy::Mixture;
use crate::engine::Given;
use crate::error::Result;
use crate::eval::log_density_mse;
use crate::model::{Activation, MlpSpec, Model};
use crate::objective::{Contrastive, Discrepancy, Objective, Replay, SeparableLaw};
use crate::optimizer::Schedule;
use crate::points::Points;
use crate::report::{Lines, Series, lines_figure};

/// The source draws every batch anew: so many points are as good.
const POINTS: usize = 500_000;
const FRESH: usize = 5000;
/// Points on which the loss is looked at in the end.
const LOOKED_AT: usize = 100_000;
const STEPS: usize = 50_000;
/// Steps between looks at the error.
const EVERY: u64 = 1000;
const NEGATIVES: usize = 4;

/// What a run of one seed shows.
struct Course {
    /// The error of ln q at each look.
    errors: Vec<f64>,
    /// The mean loss of the last tenth of the steps.
    training_loss: f64,
    /// The loss of the averaged network, as all that is judged is of it, on points that it was trained on.
    loss: f64,
    /// The mass nearest to each mode.
    masses: Vec<f64>,
}

impl Course {
    fn last(&self) -> f64 {
        self.errors.last().copied().unwrap_or(f64::NAN)
    }

    /// The error at this share of the steps.
    fn at(&self, share: f64) -> f64 {
        let look = (share * self.errors.len() as f64).round() as usize;
        self.errors.get(look.max(1) - 1).copied().unwrap_or(f64::NAN)
    }

    /// The median over the last fifth: contrastive divergence goes up and down.
    fn late(&self) -> f64 {
        median(&self.errors[self.errors.len() - self.errors.len().div_ceil(5)..])
    }

    /// ½ Σ |w − ŵ| for equal weights.
    fn mode_tv(&self) -> f64 {
        let even = 1.0 / self.masses.len() as f64;
        0.5 * self.masses.iter().map(|m| (m - even).abs()).sum::<f64>()
    }

    fn worst_weight(&self) -> f64 {
        let even = 1.0 / self.masses.len() as f64;
        // f64::max would drop what is not a number
        self.masses
            .iter()
            .map(|m| (m - even).abs())
            .fold(0.0, |worst, off| if off > worst || off.is_nan() { off } else { worst })
    }
}

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let mut curves = Vec::new();
    let mut over = |name: &str, objective: &Objective| {
        let found = setup.over_seeds(name, |seed| course(setup, name, objective, seed))?;
        curves.push((name.to_string(), found[0].errors.clone()));
        Ok::<_, crate::error::Error>(found)
    };
    let each = |found: &[Course], value: fn(&Course) -> f64| found.iter().map(value).collect::<Vec<_>>();
    if setup.wants_loss("ed") {
        let found = over("ed", &Objective::Ed(Discrepancy::new(1.0, NEGATIVES, 1.0)?))?;
        report.judge("ed: error of ln q at the end", each(&found, Course::last), [0.0, 0.05]);
        report.judge("ed: error of ln q after a fifth of the steps", each(&found, |c| c.at(0.2)), [0.0, 0.15]);
        report.judge(
            "ed: largest error of a mode's weight, 0.04 each",
            each(&found, Course::worst_weight),
            [0.0, 0.012],
        );
        // the sources leave out -ln M
        let loss = |c: &Course| c.loss + (NEGATIVES as f64).ln();
        report.judge("ed: loss on training points + ln M (0.351 at the truth)", each(&found, loss), [0.341, 0.361]);
        let training = |c: &Course| c.training_loss + (NEGATIVES as f64).ln();
        report.tell("ed: the same of the network as it trains, which is not averaged", each(&found, training));
    }
    if setup.wants_loss("esm") {
        let found = over("esm", &Objective::Esm)?;
        report.judge("esm: error of ln q at the end", each(&found, Course::last), [1.5, f64::INFINITY]);
        report.judge("esm: loss on training points (-49.98 at the truth)", each(&found, |c| c.loss), [-52.48, -47.48]);
        report.tell(
            "esm: the same of the network as it trains, which is not averaged",
            each(&found, |c| c.training_loss),
        );
        let tv = each(&found, Course::mode_tv);
        report.judge("esm: total variation of the modes' weights", tv, [0.3, 1.0]);
    }
    if setup.wants_loss("cd") {
        let found = over("cd", &Objective::Cd(Contrastive::new(10, 0.005, 0.3, 0.0)?))?;
        report.judge("cd: error of ln q, median over the last fifth", each(&found, Course::late), [0.3, 0.9]);
        report.tell("cd: total variation of the modes' weights", each(&found, Course::mode_tv));
    }
    if setup.wants_loss("pcd") {
        let data = draw(&Mixture::twenty_five_gaussians(), setup.count(POINTS), 1, 0);
        let replay = Replay::new(10_000, 0.05, SeparableLaw::around(&data)?)?;
        let found = over("pcd", &Objective::Pcd(Contrastive::new(60, 0.005, 0.0, 0.0)?, replay))?;
        report.tell("pcd: error of ln q, median over the last fifth (aim: at most 0.3)", each(&found, Course::late));
        report.tell("pcd: total variation of the modes' weights", each(&found, Course::mode_tv));
    }
    let steps: Vec<f64> =
        (1..=curves.iter().map(|(_, c)| c.len()).max().unwrap_or(0)).map(|look| look as f64 * EVERY as f64).collect();
    // seen as the source draws it
    let logs: Vec<(String, Vec<f64>)> =
        curves.into_iter().map(|(name, curve)| (name, curve.iter().map(|e| e.log10()).collect())).collect();
    let series: Vec<Series<'_>> = logs.iter().map(|(label, y)| Series { label, x: &steps[..y.len()], y }).collect();
    setup.draw(
        "errors",
        &lines_figure(&Lines {
            title: "error of ln q on 25 Gaussians, seed 1",
            x_label: "step",
            y_label: "log₁₀ of the mean squared error",
            series: &series,
        }),
    )
}

fn course(setup: &Setup<'_>, name: &str, objective: &Objective, seed: u64) -> Result<Course> {
    let law = Mixture::twenty_five_gaussians();
    let recipe = Recipe {
        spec: MlpSpec::new(vec![2, 128, 128, 128, 128, 1], Activation::Softplus)?,
        objective: objective.clone(),
        batch: 128,
        steps: STEPS,
        learning_rate: 1e-3,
        schedule: Schedule::Constant,
        clip: 0.0,
        ema: 0.999,
    };
    let data = draw(&law, setup.count(POINTS), seed, 0);
    let mut errors = Vec::new();
    let every = (EVERY / setup.reduce as u64).max(1);
    let trained = recipe.watched(setup, &data, seed, every, |step, model| {
        (setup.progress)(&format!("{name}: seed {seed}, step {step}"));
        let fresh = draw(&law, FRESH, seed, 100 + step as u32);
        errors.push(log_density_mse(&law, 0.0, &fresh, &setup.engine.energy(model, &fresh)?).value);
        Ok(())
    })?;
    if trained.diverged.is_some() {
        let modes = law.modes().map_or(0, |m| m.weights.len());
        let (errors, masses) = (vec![f64::INFINITY], vec![f64::NAN; modes]);
        return Ok(Course { errors, training_loss: f64::NAN, loss: f64::NAN, masses });
    }
    if seed == 1 {
        draw_energy(setup, &format!("energy-{name}"), &format!("{name} on 25 Gaussians"), &trained.model, &data)?;
    }
    let masses = OnGrid::new(setup, &trained.model, &law, 0.0)?.mode_masses();
    let loss = loss(setup, objective, &trained.model, &data, seed)?;
    Ok(Course { errors, training_loss: trained.final_loss(), loss, masses })
}

/// The mean loss on some of the points: the standard error of ed is 0.002, that of esm 0.2.
fn loss(setup: &Setup<'_>, objective: &Objective, model: &Model, data: &Points, seed: u64) -> Result<f64> {
    let points = Points::new(2, data.values()[..2 * setup.count(LOOKED_AT)].to_vec());
    let (shared, own) = (normals(points.count(), 2, seed, 50), normals(points.count() * NEGATIVES, 2, seed, 51));
    // t = 1
    let negative = |(i, xi): (usize, &[f64])| {
        let (x, common) = (points.row(i / NEGATIVES), shared.row(i / NEGATIVES));
        [x[0] + common[0] + xi[0], x[1] + common[1] + xi[1]]
    };
    let negatives = Points::new(2, own.rows().enumerate().flat_map(negative).collect());
    let given = match objective {
        Objective::Ed(_) => Given::contrasted(&points, &negatives),
        Objective::Esm => Given::points(&points),
        _ => return Ok(f64::NAN),
    };
    Ok(setup.engine.loss_gradient(model, objective, &given)?.loss())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_diverged_has_no_good_weights() {
        let course =
            |masses: Vec<f64>| Course { errors: vec![1.0, 2.0, 3.0, 9.0, 4.0], training_loss: 0.0, loss: 0.0, masses };
        assert!(course(vec![f64::NAN; 25]).worst_weight().is_nan() && course(vec![f64::NAN; 25]).mode_tv().is_nan());
        let good = course(vec![0.5, 0.3, 0.2, 0.0]);
        assert!((good.worst_weight() - 0.25).abs() < 1e-15 && (good.mode_tv() - 0.3).abs() < 1e-15);
        assert_eq!((good.at(0.2), good.last(), good.late()), (1.0, 4.0, 4.0));
    }
}
