//! A 2-D energy: heat map of its low region, contours, and some of the data.

use super::super::axes::{Axis, Panel, Spines};
use super::super::colour::{ColourBar, ColourMap};
use super::super::contour::{contour, levels};
use super::super::grid::Grid;
use super::super::heatmap;
use super::super::range::Range;
use super::super::raster::Figure;
use super::super::svg::{Frame, Svg, polyline};
use super::thinned;
use crate::error::Result;
use crate::points::Points;

/// How far above its minimum an energy is shown, in nats: at 12, the density is 6e-6 of its peak, and what lies
/// higher is shaped by the network's tails rather than by data.
const SHOWN_NATS: f64 = 12.0;

/// More data than this would hide the field.
const DOTS: usize = 400;

/// The side of the square panel, in SVG pixels.
pub(crate) const SIDE: f64 = 420.0;

/// What an energy figure shows.
#[derive(Debug, Clone, Copy)]
pub struct EnergyPanel<'a> {
    /// A short title.
    pub title: &'a str,
    /// The names of the two coordinates; missing ones become x₁ and x₂.
    pub names: &'a [String],
    /// E(x) in nats (low where the model is dense), up to a constant.
    pub energy: &'a Grid,
    /// Data of which an even subset is drawn as dots (first two coordinates).
    pub data: Option<&'a Points>,
}

/// The energy above its minimum as heat map and contours.
///
/// The colour scale ends at 12 nats; higher energies share its last colour.
///
/// # Errors
/// If the heat map cannot be encoded.
pub fn energy_figure(panel: &EnergyPanel<'_>) -> Result<Figure> {
    let energy = panel.energy.above_minimum();
    let highest = energy.maximum();
    // Differences below this are rounding, not a landscape.
    let shown = Range::new(0.0, if highest > 1e-6 { highest.min(SHOWN_NATS) } else { 1.0 });
    let clipped = energy.values().iter().any(|e| *e > shown.hi());
    let levels = levels(shown, 6);
    let scale = Axis::linear(shown, "E(x) − min E (nats)");
    let bar = ColourBar { map: ColourMap::Field, axis: &scale, clipped, marks: &levels };
    let (mut svg, axes) = square_panel(panel.title, panel.names, &energy, &bar);
    heatmap::draw(&mut svg, &axes, &energy, shown, ColourMap::Field)?;
    svg.open_clipped(axes.frame);
    draw_contours(&mut svg, &axes, &energy, &levels, |level| ColourMap::line_over_field(scale.fraction(level)));
    if let Some(data) = panel.data.filter(|data| data.dim() >= 2) {
        let dots = thinned(data.count(), DOTS).map(|i| data.row(i)).filter(|row| axes.holds(row[0], row[1]));
        let dots = dots.filter_map(|row| axes.pixel(row[0], row[1]));
        svg.dots(dots, 1.6, "fill=\"#ffffff\" fill-opacity=\"0.85\" stroke=\"#1a1a1a\" stroke-width=\"0.5\"");
    }
    svg.raw("</g>");
    axes.draw_axes(&mut svg);
    bar.draw(&mut svg, axes.frame);
    Ok(svg.finish())
}

/// A page with one square panel over the grid's extent, and room for a colour bar beside it.
pub(crate) fn square_panel(title: &str, names: &[String], grid: &Grid, bar: &ColourBar<'_>) -> (Svg, Panel) {
    let extent = grid.extent();
    let x = Axis::linear(extent.x, &super::coordinate_name(names, 0));
    let y = Axis::linear(extent.y, &super::coordinate_name(names, 1));
    let frame = Frame { x: Panel::left_of(&y, SIDE), y: Panel::ABOVE, width: SIDE, height: SIDE };
    let svg = Svg::new(frame.right() + bar.space(SIDE), frame.bottom() + Panel::BELOW);
    (svg, Panel { frame, x, y, title: title.to_string(), spines: Spines::Box, y_written: true })
}

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
            .map(|line| polyline(line.into_iter().map(|(x, y)| panel.pixel(x, y))))
            .collect();
        svg.path(&d, &format!("class=\"contour\" fill=\"none\" stroke-linejoin=\"round\" {}", stroke(*level)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::grid::Extent;
    use super::*;

    fn grid(f: impl Fn(f64, f64) -> f64) -> Grid {
        let extent = Extent { x: Range::new(-3.0, 3.0), y: Range::new(-3.0, 3.0) };
        let values = extent.nodes(30, 20).rows().map(|p| f(p[0], p[1])).collect();
        Grid::new(extent, 30, 20, values).expect("as many values as nodes")
    }

    fn figure(energy: &Grid, data: Option<&Points>) -> Figure {
        let names = ["a<b".to_string()];
        energy_figure(&EnergyPanel { title: "An energy", names: &names, energy, data }).expect("drawable")
    }

    #[test]
    fn it_has_a_panel_a_bar_contours_and_dots() {
        let data = Points::new(2, vec![0.0, 1.0, f64::NAN, 1.0, 9.0, 0.0]);
        let svg = figure(&grid(|x, y| 2.0 * (x * x + y * y)), Some(&data)).svg;
        for text in ["An energy", "a&lt;b", "x₂", "E(x) − min E", "≥12", "class=\"panel\"", "class=\"colour-bar\""]
        {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert_eq!(svg.matches("<circle").count(), 1);
        assert_eq!(svg.matches("class=\"contour\"").count(), 5);
    }

    #[test]
    fn poisoned_fields_are_drawn() {
        let fields: [fn(f64, f64) -> f64; 5] = [
            |_, _| f64::NAN,
            |_, _| 7.0,
            |x, y| if x > 0.0 { f64::INFINITY } else { y },
            |x, y| if x > 0.0 { f64::NEG_INFINITY } else { 1e300 * y },
            |x, _| 1e99 * x,
        ];
        for field in fields {
            assert!(figure(&grid(field), None).to_rgba(300).is_ok());
        }
    }
}
