//! The figure of a sampling run: where the chains are, over the energy where there is one, or a density that a field of one coordinate has.

use ebm_gpu::engine::Engine;
use ebm_gpu::error::Result;
use ebm_gpu::model::Head;
use ebm_gpu::points::Points;
use ebm_gpu::report::{
    EnergyLine, EnergyPanel, Extent, Grid, ImageSheets, Range, energy_figure, energy_line_figure, image_figure,
    samples_figure,
};
use ebm_gpu::sample::SamplingPlan;

use super::super::figures::integrated;
use super::super::output::Folder;
use super::subject::{Ground, Subject};
use super::summary::ends;
use super::trajectories::scores;

/// Nodes of the energy's grid along each axis.
pub(super) const NODES: usize = 240;
/// How far the view of a box reaches beyond it, of its width: too little to see, enough for chains on a wall to be in view.
const BEYOND: f64 = 1e-3;

/// Draws samples.png: over the energy in one and two dimensions, where there is one; images as such; else alone, as pairs of
/// coordinates.
pub(super) fn draw(
    folder: &Folder,
    engine: &dyn Engine,
    subject: &Subject,
    plan: &SamplingPlan<'_>,
    samples: &Points,
) -> Result<()> {
    if let Some((shape, range)) = subject.image {
        let sheets = ImageSheets { title: &subject.name, shape, range, data: None, samples, model: "chains" };
        return image_figure(&sheets)?.write(&folder.file("samples"));
    }
    match subject.dim() {
        1 => {
            let all = Range::covering(samples.values().iter().copied()).padded(0.1);
            let range = within_walls(Extent { x: all, y: all }, subject, plan).x;
            let x: Vec<f64> = (0..=1000).map(|i| range.lo() + range.width() * f64::from(i) / 1000.0).collect();
            let nodes = Points::new(1, x.clone());
            let energy = match energies(engine, subject, &nodes)? {
                Some(energy) => energy,
                None => integrated(&x, scores(engine, subject, &nodes)?.values()),
            };
            let (title, name) = (format!("{}: {} chains", subject.name, samples.count()), &subject.columns[0]);
            let line = EnergyLine { title: &title, name, x: &x, energy: &energy, points: Some(("chains", samples)) };
            energy_line_figure(&line).write(&folder.file("samples"))
        }
        2 => {
            let extent = within_walls(Extent::around(samples), subject, plan);
            let Some(energy) = energies(engine, subject, &extent.nodes(NODES, NODES))? else {
                return alone(folder, subject, samples);
            };
            let energy = Grid::new(extent, NODES, NODES, energy)?;
            let (title, points) = (&subject.name, Some(("chains", samples)));
            let panel = EnergyPanel { title, names: &subject.columns, energy: &energy, points };
            energy_figure(&panel)?.write(&folder.file("samples"))
        }
        _ => alone(folder, subject, samples),
    }
}

/// Chains over nothing.
fn alone(folder: &Folder, subject: &Subject, samples: &Points) -> Result<()> {
    let none = Points::new(subject.dim(), Vec::new());
    let called = format!("{}: chains", subject.name);
    samples_figure(&none, samples, &subject.columns, &called).write(&folder.file("samples"))
}

/// No more of the view of a target than the box that its chains are kept in: there is no law beyond.
pub(super) fn within_walls(view: Extent, subject: &Subject, plan: &SamplingPlan<'_>) -> Extent {
    let (Ground::Target(_), Some([low, high])) = (subject.last(), ends(plan)) else { return view };
    let walls = Range::new(low, high).padded(BEYOND);
    let cut = |range: Range| Range::new(range.lo().max(walls.lo()), range.hi().min(walls.hi()));
    Extent { x: cut(view.x), y: cut(view.y) }
}

/// E at points in original units; none for a field.
pub(super) fn energies(engine: &dyn Engine, subject: &Subject, points: &Points) -> Result<Option<Vec<f64>>> {
    let inside = subject.transform.apply(points);
    match subject.last() {
        Ground::Network(model) if model.spec.head() == Head::Score => Ok(None),
        Ground::Network(model) => {
            let mut energies = engine.energy(model, &inside)?;
            subject.transform.energies_outside(&inside, &mut energies);
            Ok(Some(energies))
        }
        Ground::Target(target) => {
            let mut gradient = vec![0.0; target.dim()];
            Ok(Some(inside.rows().map(|x| target.energy::<f64>(x, &mut gradient)).collect()))
        }
    }
}
