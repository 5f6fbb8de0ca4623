//! The figures of a model and of its training, in the original units of the data.

use ebm_gpu::data::Dataset;
use ebm_gpu::engine::Engine;
use ebm_gpu::error::Result;
use ebm_gpu::model::{Head, Model};
use ebm_gpu::points::Points;
use ebm_gpu::report::{
    EnergyLine, EnergyPanel, Extent, Grid, ImageSheets, LossCurve, Range, ScorePanel, energy_figure,
    energy_line_figure, image_figure, loss_figure, samples_figure, score_figure,
};
use ebm_gpu::train::Trained;

use super::output::Folder;

/// Nodes of the energy's grid along each axis, and of the arrows'.
const NODES: usize = 240;
const ARROWS: usize = 21;
/// Points of the data that a figure is made of.
const MOST_SHOWN: usize = 100_000;

/// Which of the data a figure is made of.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Training,
    HeldOut,
}

/// Draws the energy and the score where they can be drawn: in one and two dimensions.
pub(super) fn field_figures(
    folder: &Folder,
    engine: &dyn Engine,
    model: &Model,
    data: &Dataset,
    part: Part,
    title: &str,
) -> Result<()> {
    if data.dim() > 2 {
        return Ok(());
    }
    let points = shown(data, part);
    let has_energy = model.spec.head() == Head::Energy;
    match data.dim() {
        1 => {
            let range = Range::covering(points.values().iter().copied()).padded(0.1);
            let x: Vec<f64> = (0..=1000).map(|i| range.lo() + range.width() * f64::from(i) / 1000.0).collect();
            let nodes = Points::new(1, x.clone());
            let energy = match has_energy {
                true => outside(engine, model, data, &nodes)?,
                false => integrated(&x, scores_outside(engine, model, data, &nodes)?.values()),
            };
            let line =
                EnergyLine { title, name: &data.columns[0], x: &x, energy: &energy, points: Some(("data", &points)) };
            energy_line_figure(&line).write(&folder.file("energy"))
        }
        2 => {
            let extent = Extent::around(&points);
            let energies = || outside(engine, model, data, &extent.nodes(NODES, NODES));
            let energy = has_energy.then(|| Grid::new(extent, NODES, NODES, energies()?)).transpose()?;
            if let Some(energy) = &energy {
                let panel = EnergyPanel { title, names: &data.columns, energy, points: Some(("data", &points)) };
                energy_figure(&panel)?.write(&folder.file("energy"))?;
            }

            let positions = extent.nodes(ARROWS, ARROWS);
            let scores = scores_outside(engine, model, data, &positions)?;
            let (names, energy) = (&data.columns[..], energy.as_ref());
            let panel = ScorePanel { title, names, positions: &positions, scores: &scores, energy };
            score_figure(&panel)?.write(&folder.file("score"))
        }
        _ => Ok(()),
    }
}

/// Data for a figure, in their own units; of many, the first, which the seed has chosen.
fn shown(data: &Dataset, part: Part) -> Points {
    let points = match part {
        Part::Training => &data.train,
        Part::HeldOut => &data.test,
    };
    let some = points.count().min(MOST_SHOWN) * data.dim();
    data.transform.undo(&Points::new(data.dim(), points.values()[..some].to_vec()))
}

/// The energies of points in the data's units, in those units up to a constant.
fn outside(engine: &dyn Engine, model: &Model, data: &Dataset, points: &Points) -> Result<Vec<f64>> {
    let inside = data.transform.apply(points);
    let mut energies = engine.energy(model, &inside)?;
    data.transform.energies_outside(&inside, &mut energies);
    Ok(energies)
}

/// The same of scores.
fn scores_outside(engine: &dyn Engine, model: &Model, data: &Dataset, points: &Points) -> Result<Points> {
    let mut scores = engine.score(model, &data.transform.apply(points))?;
    data.transform.scores_outside(points, &mut scores);
    Ok(scores)
}

/// The energy of a field of one coordinate: −∫ s dx, by the trapezoidal rule.
pub(super) fn integrated(x: &[f64], score: &[f64]) -> Vec<f64> {
    let strips = x.windows(2).zip(score.windows(2)).map(|(x, s)| 0.5 * (x[1] - x[0]) * (s[0] + s[1]));
    let below = strips.scan(0.0, |sum, strip| {
        *sum -= strip;
        Some(*sum)
    });
    std::iter::once(0.0).chain(below).collect()
}

/// Draws the chains beside the data: images beside those that are held out.
pub(super) fn chain_figure(
    folder: &Folder,
    data: &Dataset,
    part: Part,
    chains: &Points,
    model: &str,
    title: &str,
) -> Result<()> {
    if let Some((shape, range)) = data.image.zip(data.range) {
        let test = data.transform.output(&data.test);
        let sheets = ImageSheets { title, shape, range, data: Some(&test), samples: chains, model };
        return image_figure(&sheets)?.write(&folder.file("samples"));
    }
    samples_figure(&shown(data, part), chains, &data.columns, model).write(&folder.file("samples"))
}

/// Draws the loss, and that on held-out points, by step.
pub(super) fn training_figure(
    folder: &Folder,
    trained: &Trained,
    held_out: &[(f64, f64)],
    loss_name: &str,
    title: &str,
) -> Result<()> {
    let (steps, loss): (Vec<u64>, Vec<f64>) = trained.progress.history.means().unzip();
    let curve = LossCurve { title, loss_name, steps: &steps, loss: &loss, smoothed: true, held_out, floor: None };
    loss_figure(&curve).write(&folder.file("loss"))
}
