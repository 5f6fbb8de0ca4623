//! `dim-scaling`: score matching of N(0, I_D) against D: whether the loss finds its floor −D/2, and what a step costs.
//!
//! The energy that finds it is D-8D-1 with softplus (at least 64 units): each direction's parabola is made of several units,
//! and it is their number that decides how near the floor is (at D = 50 it is missed by 6, 2.2, 1.3 and 0.9 % with 64, 200,
//! 400 and 800 units; more steps, points or a larger batch change little). It is trained by variance-reduced slices with signs, whose
//! noise vanishes where the Hessian is diagonal, and judged by the exact loss on fresh points. Steps are timed on
//! D-128-128-1 with SiLU and batches of 128: exact score matching carries D derivatives a sample, the others one.

use super::measure::normals;
use super::recipe::Recipe;
use super::{Report, Setup};
use crate::bench::train_step_ms;
use crate::engine::Given;
use crate::error::Result;
use crate::model::{Activation, MlpSpec};
use crate::objective::{Denoising, Objective, ProbeLaw, Probes, Weighting};
use crate::optimizer::Schedule;
use crate::report::{Lines, Series, lines_figure};

const DIMS: [usize; 5] = [2, 10, 50, 100, 200];
/// So many that the network cannot learn them by heart.
const TRAINING: usize = 200_000;
/// Fresh values, D of them a point: the standard error of the loss over the floor is then below 0.4 %.
const FRESH_VALUES: usize = 400_000;
/// Fresh points go through the engine in pieces, for the memory that D derivatives a sample take.
const PIECE: usize = 2000;
/// Seconds of measuring one step's time.
const SECONDS: f64 = 2.0;

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    for dim in DIMS {
        let ratios = setup.over_seeds(&format!("D = {dim}"), |seed| over_floor(setup, dim, seed))?;
        report.judge(format!("D = {dim}: loss / (-D/2)"), ratios, [0.98, 1.02]);
    }
    times(setup, report)
}

/// The exact loss on fresh points over −D/2, of a network trained by slices.
fn over_floor(setup: &Setup<'_>, dim: usize, seed: u64) -> Result<f64> {
    let spec = MlpSpec::new(vec![dim, (8 * dim).max(64), 1], Activation::Softplus)?;
    let objective = Objective::SsmVr(Probes::new(1, ProbeLaw::Rademacher)?);
    let schedule = Schedule::Cosine;
    let recipe =
        Recipe { spec, objective, batch: 128, steps: 4000, learning_rate: 3e-3, schedule, clip: 0.0, ema: 0.999 };
    let model = recipe.train(setup, &normals(setup.count(TRAINING), dim, seed, 30), seed)?;
    let count = setup.count(FRESH_VALUES / dim);
    let pieces = count.div_ceil(PIECE);
    let mut sum = 0.0;
    for piece in 0..pieces {
        let fresh = normals(count.div_ceil(pieces), dim, seed, 50 + piece as u32);
        sum += setup.engine.loss_gradient(&model, &Objective::Esm, &Given::points(&fresh))?.loss();
    }
    Ok(sum / pieces as f64 / (-0.5 * dim as f64))
}

fn times(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let objectives = [
        Objective::Esm,
        Objective::Ssm(Probes::new(1, ProbeLaw::Rademacher)?),
        Objective::Denoising(Denoising::single(0.1, Weighting::SIGMA2)?),
    ];
    let dims = DIMS.map(|dim| dim as f64);
    let mut columns = Vec::new();
    for objective in &objectives {
        let time = |dim: usize| {
            (setup.progress)(&format!("the time of a step of {}, D = {dim}", objective.name()));
            let spec = MlpSpec::new(vec![dim, 128, 128, 1], Activation::Silu)?;
            train_step_ms(setup.engine, &spec, objective, 128, SECONDS / setup.reduce as f64)
        };
        columns.push(DIMS.into_iter().map(time).collect::<Result<Vec<_>>>()?);
    }
    let series: Vec<Series<'_>> =
        objectives.iter().zip(&columns).map(|(o, y)| Series { label: o.name(), x: &dims, y }).collect();
    let lines = Lines {
        title: "a training step, D-128-128-1, 128 samples",
        x_label: "dimension D",
        y_label: "milliseconds",
        series: &series,
    };
    setup.draw("step-time", &lines_figure(&lines))?;
    let row = |i: usize| std::iter::once(dims[i]).chain(columns.iter().map(|c| c[i])).collect();
    report.table("milliseconds a step", &["D", "esm", "ssm", "dsm"], (0..DIMS.len()).map(row).collect());
    Ok(())
}
