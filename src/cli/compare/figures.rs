//! The figures of a comparison: every model of the first seed, and the main metric of all seeds.

use std::path::Path;

use ebm_gpu::comparison::{Comparison, better};
use ebm_gpu::data::Dataset;
use ebm_gpu::data::npy::read_npy;
use ebm_gpu::engine::Engine;
use ebm_gpu::error::Result;
use ebm_gpu::model::{Head, read_checkpoint};
use ebm_gpu::points::Points;
use ebm_gpu::report::{
    Extent, Grid, PanelCell, PanelRow, Panels, Shading, StripPanel, Strips, meaning, panels_figure, strips_figure,
};

use super::super::run;

/// Nodes of a panel's grid along each axis.
const NODES: usize = 120;

/// What is drawn of a model.
struct Drawn {
    energy: Option<Grid>,
    samples: Option<Points>,
    word: &'static str,
}

/// Draws the models of the first seed, `runs` in the order of data sets and objectives, and the spread of all seeds. A sentence
/// about the data sets whose models have no panels comes back, if there are any.
pub(super) fn draw(
    engine: &dyn Engine,
    comparison: &Comparison,
    runs: &[run::Args],
    out: &Path,
) -> Result<Option<String>> {
    // what an earlier comparison of other data has left
    for old in ["models.svg", "models.png"] {
        drop(std::fs::remove_file(out.join(old)));
    }
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for (name, runs) in comparison.data.iter().zip(runs.chunks(comparison.losses.len())) {
        let plan = runs[0].plan()?;
        if plan.data.dim() != 2 {
            left_out.push(format!("{name} has {}", plan.data.dim()));
            continue;
        }
        let points = plan.data.transform.undo(&plan.data.train);
        let extent = Extent::around(&points);
        let law = plan.data.law.as_ref().map(|law| {
            let nodes = extent.nodes(NODES, NODES);
            Grid::new(extent, NODES, NODES, nodes.rows().map(|x| -law.log_density(x, 0.0)).collect())
        });
        let models =
            runs.iter().map(|run| model(engine, &plan.data, extent, &run.folder())).collect::<Result<Vec<_>>>()?;
        rows.push((name, extent, law.transpose()?, points, models));
    }
    if !rows.is_empty() {
        let rows: Vec<PanelRow<'_>> = rows
            .iter()
            .map(|(name, extent, law, points, models)| PanelRow {
                label: name,
                extent: *extent,
                data: PanelCell { energy: law.as_ref(), samples: Some(points), word: "" },
                models: models
                    .iter()
                    .map(|m| PanelCell { energy: m.energy.as_ref(), samples: m.samples.as_ref(), word: m.word })
                    .collect(),
            })
            .collect();
        let panels = Panels { title: "", columns: &comparison.losses, rows: &rows, shading: Shading::Energy };
        panels_figure(&panels)?.write(&out.join("models"))?;
    }
    for metric in comparison.metrics() {
        strips(comparison, metric, out)?;
    }
    let sentence = |list: String| {
        format!("Panels of models are for data of two coordinates: {list}. The pages of the runs show the others.")
    };
    Ok(Some(left_out.join(", ")).filter(|list| !list.is_empty()).map(sentence))
}

/// One metric of all seeds.
fn strips(comparison: &Comparison, metric: &str, out: &Path) -> Result<()> {
    let values = |data: &String| -> Vec<Vec<f64>> {
        let each = |loss: &String| {
            comparison.spread(data, loss, metric).map_or(Vec::new(), |spread| {
                spread.values.iter().copied().chain(std::iter::repeat_n(f64::NAN, spread.failed)).collect()
            })
        };
        comparison.losses.iter().map(each).collect()
    };
    let all: Vec<(&String, Vec<Vec<f64>>)> = comparison.data.iter().map(|data| (data, values(data))).collect();
    let best = |data: &str| {
        let best = comparison.best(data, metric);
        (0..comparison.losses.len()).filter(|row| best.contains(&comparison.losses[*row].as_str())).collect()
    };
    let panels: Vec<StripPanel<'_>> = all
        .iter()
        .filter(|(_, values)| values.iter().any(|v| !v.is_empty()))
        .map(|(data, values)| StripPanel {
            title: data,
            values: values.iter().map(Vec::as_slice).collect(),
            best: best(data),
            chance: None,
        })
        .collect();
    let (unit, signed) = meaning(metric).map_or(("", false), |meaning| (meaning.unit, meaning.signed));
    let label = if unit.is_empty() { metric.to_string() } else { format!("{metric} ({unit})") };
    let strips = Strips {
        title: "",
        metric: &label,
        better: better(metric),
        logarithmic: !signed,
        rows: &comparison.losses,
        panels: &panels,
    };
    strips_figure(&strips)?.write(&out.join(metric))
}

/// What a run has left to draw.
fn model(engine: &dyn Engine, data: &Dataset, extent: Extent, folder: &Path) -> Result<Drawn> {
    if !folder.join("run.json").exists() {
        return Ok(Drawn { energy: None, samples: None, word: "failed" });
    }
    let (model, metadata) = read_checkpoint(&folder.join("model.safetensors"))?;
    let sigma = metadata.get("sigma").and_then(|s| s.parse().ok()).unwrap_or(0.0);
    let samples = folder.join("samples.npy");
    let samples = if samples.exists() { Some(Points::new(data.dim(), read_npy(&samples)?.1)) } else { None };
    if model.spec.head() == Head::Score {
        return Ok(Drawn { energy: None, samples, word: "no energy" });
    }
    let nodes = extent.nodes(NODES, NODES);
    let inside = data.transform.apply(&nodes);
    let mut energies = engine.energy(&model.at(sigma), &inside)?;
    data.transform.energies_outside(&inside, &mut energies);
    Ok(Drawn { energy: Some(Grid::new(extent, NODES, NODES, energies)?), samples, word: "" })
}
