//! The low region of a 2-D energy as heat map and contours, with its colour bar.

use super::super::axes::{Axis, Panel};
use super::super::colour::{ColourBar, ColourMap};
use super::super::contour::{contour, levels, simplified};
use super::super::grid::Grid;
use super::super::heatmap;
use super::super::range::Range;
use super::super::svg::{Svg, polyline};
use crate::error::Result;

/// How far above its minimum an energy is shown, in nats: at 12, the density is 6e-6 of its peak, and what lies
/// higher is shaped by the network's tails rather than by data.
pub(crate) const SHOWN_NATS: f64 = 12.0;

/// An energy above its minimum, ready to draw. The colour scale ends at 12 nats; higher energies share its last colour.
#[derive(Debug)]
pub(crate) struct Relief {
    energy: Grid,
    shown: Range,
    clipped: bool,
    levels: Vec<f64>,
    scale: Axis,
    map: ColourMap,
}

impl Relief {
    pub(crate) fn new(energy: &Grid, map: ColourMap, name: &str) -> Self {
        let energy = energy.above_minimum();
        let highest = energy.maximum();
        // Differences below this are rounding, not a landscape.
        let shown = Range::new(0.0, if highest > 1e-6 { highest.min(SHOWN_NATS) } else { 1.0 });
        let clipped = energy.values().iter().any(|e| *e > shown.hi());
        let scale = Axis::linear(shown, name);
        Self { energy, shown, clipped, levels: levels(shown, 6), scale, map }
    }

    pub(crate) fn bar(&self) -> ColourBar<'_> {
        ColourBar { map: self.map, axis: &self.scale, clipped: self.clipped, marks: &self.levels }
    }

    /// Draws heat map and contours into a panel with the same units.
    pub(crate) fn draw(&self, svg: &mut Svg, axes: &Panel) -> Result<()> {
        heatmap::draw(svg, axes, &self.energy, self.shown, self.map)?;
        svg.open_clipped(axes.frame);
        draw_contours(svg, axes, &self.energy, &self.levels, |level| self.map.line_over(self.scale.fraction(level)));
        svg.raw("</g>");
        Ok(())
    }
}

/// How far a contour may be moved to spare points, in pixels: less than an eye or a printer sees.
const SPARED: f64 = 0.15;

/// The contours of a field at some levels, as one path a level.
pub(crate) fn draw_contours(
    svg: &mut Svg,
    panel: &Panel,
    grid: &Grid,
    levels: &[f64],
    stroke: impl Fn(f64) -> &'static str,
) {
    for level in levels {
        let d: String = contour(grid, *level)
            .into_iter()
            .map(|line| line.into_iter().filter_map(|(x, y)| panel.pixel(x, y)).collect::<Vec<_>>())
            .map(|line| polyline(simplified(&line, SPARED).into_iter().map(Some)))
            .collect();
        svg.path(&d, &format!("class=\"contour\" fill=\"none\" stroke-linejoin=\"round\" {}", stroke(*level)));
    }
}
