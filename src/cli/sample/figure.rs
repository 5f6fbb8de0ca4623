//! The figure of a sampling run: where the chains are, over the energy where there is one.

use ebm_gpu::engine::Engine;
use ebm_gpu::error::Result;
use ebm_gpu::model::Head;
use ebm_gpu::points::Points;
use ebm_gpu::report::{
    EnergyLine, EnergyPanel, Extent, Grid, ImageSheets, Range, energy_figure, energy_line_figure, image_figure,
};

use super::super::output::Folder;
use super::subject::{Ground, Subject};

/// Nodes of the energy's grid along each axis.
pub(super) const NODES: usize = 240;

/// Draws samples.png in one and two dimensions, and of images.
pub(super) fn draw(folder: &Folder, engine: &dyn Engine, subject: &Subject, samples: &Points) -> Result<()> {
    let title = format!("{}: {} chains", subject.name, samples.count());
    if let Some((shape, range)) = subject.image {
        let sheets = ImageSheets { title: &subject.name, shape, range, data: None, samples, model: "chains" };
        return image_figure(&sheets)?.write(&folder.file("samples"));
    }
    match subject.dim() {
        1 => {
            let range = Range::covering(samples.values().iter().copied()).padded(0.1);
            let x: Vec<f64> = (0..=1000).map(|i| range.lo() + range.width() * f64::from(i) / 1000.0).collect();
            let Some(energy) = energies(engine, subject, &Points::new(1, x.clone()))? else { return Ok(()) };
            let name = &subject.columns[0];
            let line = EnergyLine { title: &title, name, x: &x, energy: &energy, points: Some(("chains", samples)) };
            energy_line_figure(&line).write(&folder.file("samples"))
        }
        2 => {
            let extent = Extent::around(samples);
            let Some(energy) = energies(engine, subject, &extent.nodes(NODES, NODES))? else { return Ok(()) };
            let energy = Grid::new(extent, NODES, NODES, energy)?;
            let panel = EnergyPanel { title: &title, names: &subject.columns, energy: &energy, data: Some(samples) };
            energy_figure(&panel)?.write(&folder.file("samples"))
        }
        _ => Ok(()),
    }
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
