//! A 2-D energy: heat map of its low region, contours, and some points, of the data or of chains.

use super::super::axes::{Axis, Panel, Spines};
use super::super::colour::{ColourBar, ColourMap};
use super::super::grid::{Extent, Grid};
use super::super::raster::Figure;
use super::super::svg::{Frame, NORMAL, Svg, fitted, text_width};
use super::relief::Relief;
use super::{counted_points, thinned};
use crate::error::Result;
use crate::points::Points;

/// More points than this would hide the field.
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
    /// Points of which an even subset is drawn as dots (first two coordinates), with what they are: the title says how many.
    pub points: Option<(&'a str, &'a Points)>,
}

/// The energy above its minimum as heat map and contours.
///
/// The colour scale ends at 12 nats; higher energies share its last colour.
///
/// # Errors
/// If the heat map cannot be encoded.
pub fn energy_figure(panel: &EnergyPanel<'_>) -> Result<Figure> {
    let relief = Relief::new(panel.energy, ColourMap::Field, "E(x) − min E (nats)");
    let bar = relief.bar();
    let (mut svg, mut axes) = square_panel(panel.title, panel.names, panel.energy.extent(), Some(&bar));
    relief.draw(&mut svg, &axes)?;
    svg.open_clipped(axes.frame);
    if let Some((what, points)) = panel.points.filter(|(_, points)| points.dim() >= 2) {
        let dots = thinned(points.count(), DOTS).map(|i| points.row(i)).filter(|row| axes.holds(row[0], row[1]));
        let dots = dots.filter_map(|row| axes.pixel(row[0], row[1]));
        svg.dots(dots, 1.6, "fill=\"#ffffff\" fill-opacity=\"0.85\" stroke=\"#1a1a1a\" stroke-width=\"0.5\"");
        let count = format!(": {what} ({})", counted_points(points, DOTS, |row| axes.holds(row[0], row[1])));
        axes.title = fitted(panel.title, NORMAL, SIDE - text_width(&count, NORMAL)) + &count;
    }
    svg.raw("</g>");
    axes.draw_axes(&mut svg);
    bar.draw(&mut svg, axes.frame);
    Ok(svg.finish())
}

/// A page with one square panel over the extent, and room for a colour bar beside it if there is one.
pub(crate) fn square_panel(title: &str, names: &[String], extent: Extent, bar: Option<&ColourBar<'_>>) -> (Svg, Panel) {
    let x = Axis::linear(extent.x, &super::coordinate_name(names, 0));
    let y = Axis::linear(extent.y, &super::coordinate_name(names, 1));
    let frame = Frame { x: Panel::left_of(&y, SIDE), y: Panel::ABOVE, width: SIDE, height: SIDE };
    let beside = bar.map_or(Panel::RIGHT, |bar| bar.space(SIDE));
    let svg = Svg::new(frame.right() + beside, frame.bottom() + Panel::BELOW);
    (svg, Panel { frame, x, y, title: title.to_string(), spines: Spines::Box, written: [true, true] })
}

#[cfg(test)]
mod tests {
    use super::super::super::range::Range;
    use super::*;

    fn grid(f: impl Fn(f64, f64) -> f64) -> Grid {
        let extent = Extent { x: Range::new(-3.0, 3.0), y: Range::new(-3.0, 3.0) };
        let values = extent.nodes(30, 20).rows().map(|p| f(p[0], p[1])).collect();
        Grid::new(extent, 30, 20, values).expect("as many values as nodes")
    }

    fn figure(energy: &Grid, data: Option<&Points>) -> Figure {
        let (names, points) = (["a<b".to_string()], data.map(|data| ("data", data)));
        energy_figure(&EnergyPanel { title: "An energy", names: &names, energy, points }).expect("drawable")
    }

    #[test]
    fn it_has_a_panel_a_bar_contours_and_dots() {
        let data = Points::new(2, vec![0.0, 1.0, f64::NAN, 1.0, 9.0, 0.0]);
        let svg = figure(&grid(|x, y| 2.0 * (x * x + y * y)), Some(&data)).svg;
        let title = ">An energy: data (1 of 3 in view)<";
        for text in [title, "a&lt;b", "x₂", "E(x) − min E", "≥12", "class=\"panel\"", "class=\"colour-bar\""] {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert_eq!(svg.matches("<circle").count(), 1);
        assert_eq!(svg.matches("class=\"contour\"").count(), 5);
    }

    #[test]
    fn the_title_says_how_many_are_drawn() {
        let (energy, chains) = (grid(|x, y| x * x + y * y), Points::new(2, vec![0.5; 2 * 4096]));
        let title = "a name that is longer than its place on the page, whatever that place may be";
        let panel = EnergyPanel { title, names: &[], energy: &energy, points: Some(("chains", &chains)) };
        let svg = energy_figure(&panel).expect("drawable").svg;
        assert_eq!(svg.matches("<circle").count(), DOTS);
        for text in [">a name", "…: chains (400 of 4096 drawn)<"] {
            assert!(svg.contains(text), "{text} is missing");
        }
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
