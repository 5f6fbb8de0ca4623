//! The figures of a run, in the original units of the data.

use ebm_gpu::data::Dataset;
use ebm_gpu::engine::Engine;
use ebm_gpu::error::Result;
use ebm_gpu::model::{Head, Model};
use ebm_gpu::points::Points;
use ebm_gpu::report::{
    EnergyLine, EnergyPanel, Extent, Grid, LossCurve, Range, ScorePanel, energy_figure, energy_line_figure,
    loss_figure, samples_figure, score_figure,
};
use ebm_gpu::train::Trained;

use super::super::output::Folder;

/// Nodes of the energy's grid along each axis, and of the arrows'.
const NODES: usize = 240;
const ARROWS: usize = 21;

/// Draws the energy and the score where they can be drawn: in one and two dimensions.
pub(super) fn field_figures(
    folder: &Folder,
    engine: &dyn Engine,
    model: &Model,
    data: &Dataset,
    title: &str,
) -> Result<()> {
    let points = data.standardizer.undo(&data.train);
    let has_energy = model.spec.head() == Head::Energy;
    match data.dim() {
        1 if has_energy => {
            let range = Range::covering(points.values().iter().copied()).padded(0.1);
            let x: Vec<f64> = (0..=1000).map(|i| range.lo() + range.width() * f64::from(i) / 1000.0).collect();
            let energy = engine.energy(model, &data.standardizer.apply(&Points::new(1, x.clone())))?;
            let line =
                EnergyLine { title, name: &data.columns[0], x: &x, energy: &energy, points: Some(("data", &points)) };
            energy_line_figure(&line).write(&folder.file("energy"))
        }
        2 => {
            let extent = Extent::around(&points);
            let nodes = data.standardizer.apply(&extent.nodes(NODES, NODES));
            let energy =
                has_energy.then(|| Grid::new(extent, NODES, NODES, engine.energy(model, &nodes)?)).transpose()?;
            if let Some(energy) = &energy {
                let panel = EnergyPanel { title, names: &data.columns, energy, data: Some(&points) };
                energy_figure(&panel)?.write(&folder.file("energy"))?;
            }

            let positions = extent.nodes(ARROWS, ARROWS);
            let mut scores = engine.score(model, &data.standardizer.apply(&positions))?;
            for row in scores.values_mut().chunks_exact_mut(2) {
                // the chain rule of standardisation
                row.iter_mut().zip(&data.standardizer.scale).for_each(|(s, scale)| *s /= scale);
            }
            let (names, energy) = (&data.columns[..], energy.as_ref());
            let panel = ScorePanel { title, names, positions: &positions, scores: &scores, energy };
            score_figure(&panel)?.write(&folder.file("score"))
        }
        _ => Ok(()),
    }
}

/// Draws the chains beside the data.
pub(super) fn chain_figure(folder: &Folder, data: &Dataset, chains: &Points, model: &str) -> Result<()> {
    let (data, names) = (data.standardizer.undo(&data.train), &data.columns);
    samples_figure(&data, chains, names, model).write(&folder.file("samples"))
}

/// Draws the loss.
pub(super) fn training_figure(folder: &Folder, trained: &Trained, loss_name: &str, title: &str) -> Result<()> {
    let steps: Vec<u64> = trained.history.iter().map(|r| r.step).collect();
    let loss: Vec<f64> = trained.history.iter().map(|r| r.loss).collect();
    let curve = LossCurve { title, loss_name, steps: &steps, loss: &loss, smoothed: true, floor: None };
    loss_figure(&curve).write(&folder.file("loss"))
}
