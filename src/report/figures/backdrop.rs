//! What chains move over: an energy, a field of scores, or nothing.

use super::super::axes::{Axis, Panel};
use super::super::colour::ColourMap;
use super::super::grid::{Extent, Grid};
use super::super::svg::Svg;
use super::energy::square_panel;
use super::relief::Relief;
use super::score::{cap, draw_arrows};
use super::{coordinate_name, paths::ChainsPanel};
use crate::error::Result;
use crate::points::Points;

/// What chains move over, in the units of the data.
#[derive(Debug, Clone, Copy)]
pub enum Backdrop<'a> {
    /// Nothing that can be drawn.
    Plain,
    /// E of two coordinates, in nats.
    Energy(&'a Grid),
    /// E of one coordinate, in nats, at increasing places.
    Line {
        /// The places.
        x: &'a [f64],
        /// E there.
        energy: &'a [f64],
    },
    /// s of two coordinates at some places, drawn as arrows.
    Score {
        /// The places.
        positions: &'a Points,
        /// s there.
        scores: &'a Points,
    },
}

/// Pale enough to lie under dots and lines.
const ARROWS: &str = "#b9c0ca";

/// A page with a panel for the first two coordinates, with all that lies under the chains; [`draw_bar`] draws the colour
/// bar at the end.
pub(crate) fn plane(panel: &ChainsPanel<'_>, map: ColourMap) -> Result<(Svg, Panel, Option<Relief>)> {
    let names = axis_names(panel);
    let relief = match panel.backdrop {
        Backdrop::Energy(grid) => Some(Relief::new(grid, map, panel.energy_name)),
        _ => None,
    };
    let extent: Extent = panel.extent;
    let (mut svg, axes) = square_panel(panel.title, &names, extent, relief.as_ref().map(Relief::bar).as_ref());
    if let Some(relief) = &relief {
        relief.draw(&mut svg, &axes)?;
    }
    if let Backdrop::Score { positions, scores } = panel.backdrop {
        svg.open_clipped(axes.frame);
        draw_arrows(&mut svg, &axes, [positions, scores], cap(scores), |_| ARROWS.to_string());
        svg.raw("</g>");
    }
    Ok((svg, axes, relief))
}

/// Names for the first two axes, which say so if there are more.
pub(crate) fn axis_names(panel: &ChainsPanel<'_>) -> Vec<String> {
    let name = |n: usize| match (coordinate_name(panel.names, n), panel.dim) {
        (name, 1 | 2) => name,
        (name, dim) => format!("{name} (coordinate {} of {dim})", n + 1),
    };
    (0..panel.dim.min(2)).map(name).collect()
}

/// Draws the colour bar, if there is one.
pub(crate) fn draw_bar(svg: &mut Svg, axes: &Panel, relief: Option<&Relief>) {
    if let Some(relief) = relief {
        relief.bar().draw(svg, axes.frame);
    }
}

/// E of one coordinate as a field over steps, which it does not depend on.
pub(crate) fn over_steps(steps: &Axis, x: &[f64], energy: &[f64]) -> Result<Grid> {
    let extent = Extent { x: steps.range(), y: super::super::range::Range::covering(x.iter().copied()) };
    Grid::new(extent, 2, energy.len(), energy.iter().flat_map(|e| [*e, *e]).collect())
}
