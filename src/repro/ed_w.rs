//! `ed-w`: the curvature that energy discrepancy learns of N(0, 1), over w.
//!
//! 1-2-2-1 with SiLU, 3200 steps of 4096 points (drawn with replacement from 4096), Adam at 0.01; M = 4, t = 1. Where the
//! energy is a parabola the curvature is 2 E(±1) over the least energy: theory has 1.47, 1 and 0.75 for w = 0.1, 1 and 4,
//! and a minimum of 3.25 for w = 0, which on finite data runs on to a well with steep walls.

use super::measure::normals;
use super::recipe::Recipe;
use super::{Report, Setup};
use crate::error::Result;
use crate::model::{Activation, MlpSpec, Model};
use crate::objective::{Discrepancy, Objective};
use crate::optimizer::Schedule;
use crate::points::Points;
use crate::report::{Lines, Series, lines_figure};

const POINTS: usize = 4096;
const RATE: f64 = 0.01;
/// w, and the range of the curvature.
const WEIGHTS: [(f64, [f64; 2]); 4] =
    [(0.0, [3.0, f64::INFINITY]), (0.1, [1.32, 1.62]), (1.0, [0.92, 1.08]), (4.0, [0.65, 0.81])];

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let x: Vec<f64> = (-300..=300).map(|i| f64::from(i) / 100.0).collect();
    let mut curves = Vec::new();
    for (w, range) in WEIGHTS {
        let values = setup.over_seeds(&format!("w = {w}"), |seed| {
            let Some(model) = trained(setup, w, seed)? else { return Ok(f64::INFINITY) };
            let energies = shifted(setup, &model, &x)?;
            if seed == 1 {
                curves.push((format!("w = {w}"), energies.clone()));
            }
            // x = −1 and x = 1
            Ok(energies[200] + energies[400])
        })?;
        let what = if w == 0.0 { " (infinite where it diverged)" } else { "" };
        report.judge(format!("w = {w}: E(1) + E(-1) over the least energy{what}"), values, range);
    }
    let series: Vec<Series<'_>> = curves.iter().map(|(label, y)| Series { label, x: &x, y }).collect();
    let lines = Lines {
        title: "energies that energy discrepancy learns of N(0, 1)",
        x_label: "x",
        y_label: "E(x) − min E",
        series: &series,
    };
    setup.draw("energies", &lines_figure(&lines))
}

/// The network, unless it diverged.
fn trained(setup: &Setup<'_>, w: f64, seed: u64) -> Result<Option<Model>> {
    let spec = MlpSpec::new(vec![1, 2, 2, 1], Activation::Silu)?;
    let objective = Objective::Ed(Discrepancy::new(1.0, 4, w)?);
    let schedule = Schedule::Constant;
    let recipe =
        Recipe { spec, objective, batch: POINTS, steps: 3200, learning_rate: RATE, schedule, clip: 0.0, ema: 0.0 };
    recipe.attempt(setup, &normals(setup.count(POINTS), 1, seed, 30), seed)
}

/// E over its least value at these places.
fn shifted(setup: &Setup<'_>, model: &Model, x: &[f64]) -> Result<Vec<f64>> {
    let energies = setup.engine.energy(model, &Points::new(1, x.to_vec()))?;
    let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(energies.into_iter().map(|e| e - least).collect())
}
