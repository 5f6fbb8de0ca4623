//! Data and model samples side by side, or overlaid when there is one coordinate.

use super::super::axes::{Axis, Panel, Spines};
use super::super::grid::Extent;
use super::super::range::Range;
use super::super::raster::Figure;
use super::super::svg::{DATA, Frame, MODEL, Svg};
use super::super::ticks::fixed;
use super::energy_line::{data_style, density_panel};
use super::histogram::{Histogram, bin_count};
use super::legend::{self, Entry, Swatch};
use super::pairs::pairs_figure;
use super::{coordinate_name, counted_points, thinned};
use crate::points::Points;

/// More dots in a panel than this only make the file larger.
const MOST_DOTS: usize = 4000;
/// Both panels show equally many dots, but no fewer than this for the sake of a small other set.
const FEWEST_DOTS: usize = 500;
/// The side of a square panel, in SVG pixels.
const SIDE: f64 = 340.0;

/// Data left, model samples right, on the same axes: those of the data, so that what strays is counted, not
/// followed; `model` is what the samples are called. Histograms for one coordinate, every pair of the first for three and more.
/// Where there are no data, the samples alone.
pub fn samples_figure(data: &Points, samples: &Points, names: &[String], model: &str) -> Figure {
    if data.dim() == 1 || samples.dim() == 1 {
        histograms(data, samples, names, model)
    } else if data.dim() > 2 && data.dim() == samples.dim() {
        pairs_figure(data, samples, names, model)
    } else {
        scatter(data, samples, names, model)
    }
}

fn scatter(data: &Points, samples: &Points, names: &[String], model: &str) -> Figure {
    let extent = Extent::around(if data.count() > 0 { data } else { samples });
    let x = Axis::linear(extent.x, &coordinate_name(names, 0));
    let y = Axis::linear(extent.y, &coordinate_name(names, 1));
    let left = Frame { x: Panel::left_of(&y, SIDE), y: Panel::ABOVE, width: SIDE, height: SIDE };
    let beside = Frame { x: left.right() + Panel::RIGHT, ..left };
    let right = if data.count() > 0 { beside } else { left };
    let mut svg = Svg::new(right.right() + Panel::RIGHT, right.bottom() + Panel::BELOW);
    let fewer = if data.count() > 0 { data.count().min(samples.count()) } else { samples.count() };
    let dots = fewer.clamp(FEWEST_DOTS, MOST_DOTS);
    let sets = [("data", data, left, DATA), (model, samples, right, MODEL)];
    for (what, points, frame, colour) in sets.into_iter().skip(usize::from(data.count() == 0)) {
        let holds = |row: &[f64]| extent.x.contains(row[0]) && extent.y.contains(row[1]);
        let title = format!("{what} ({})", counted_points(points, dots, holds));
        let panel =
            Panel { frame, x: x.clone(), y: y.clone(), title, spines: Spines::Box, written: [true, frame.x == left.x] };
        svg.open_clipped(frame);
        let rows = thinned(points.count(), dots).map(|i| points.row(i)).filter(|row| panel.holds(row[0], row[1]));
        let at = rows.filter_map(|row| panel.pixel(row[0], row[1]));
        svg.dots(at, 1.5, &format!("fill=\"{colour}\" fill-opacity=\"0.4\""));
        svg.raw("</g>");
        panel.draw_axes(&mut svg);
    }
    svg.finish()
}

fn histograms(data: &Points, samples: &Points, names: &[String], model: &str) -> Figure {
    let [data, samples] = [data, samples].map(|points| points.rows().map(|row| row[0]).collect::<Vec<f64>>());
    let shown = if data.is_empty() { &samples } else { &data };
    let range = Range::around(shown.iter().copied());
    let bins = bin_count(shown, range);
    let [of_data, of_samples] = [&data, &samples].map(|values| Histogram::new(values, range, bins));
    let highest = of_data.density.iter().chain(&of_samples.density).copied().fold(0.0, f64::max);
    let (mut svg, panel) = density_panel("", &coordinate_name(names, 0), range, highest);
    let outline = format!("fill=\"none\" stroke=\"{MODEL}\" stroke-width=\"2\" stroke-linejoin=\"round\"");
    panel.draw_grid_lines(&mut svg);
    svg.open_clipped(panel.frame);
    of_data.draw(&mut svg, &panel, &data_style());
    of_samples.draw(&mut svg, &panel, &outline);
    svg.raw("</g>");
    panel.draw_axes(&mut svg);
    let label = |what: &str, values: &[f64]| {
        let outside = values.iter().filter(|v| !range.contains(**v)).count();
        let outside = if outside > 0 { format!("; {} outside", fixed(outside as f64, 0)) } else { String::new() };
        format!("{what} ({}{outside})", fixed(values.len() as f64, 0))
    };
    let entries = [
        Entry { swatch: Swatch::Area(data_style()), label: label("data", &data) },
        Entry { swatch: Swatch::Line(outline), label: label(model, &samples) },
    ];
    legend::draw_above(&mut svg, panel.frame, "", &entries);
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_panels_share_their_axes() {
        let data = Points::new(2, (0..200).map(f64::from).collect());
        let samples = Points::new(2, vec![1.0, 2.0, f64::NAN, 1.0, 1e9, 0.0]);
        let svg = samples_figure(&data, &samples, &["a".into(), "b".into()], "model").svg;
        assert_eq!(svg.matches("class=\"panel\"").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 101);
        for text in ["data (100)", "model (1 of 3 in view)", ">a<", ">b<"] {
            assert!(svg.contains(text), "{text} is missing");
        }
    }

    #[test]
    fn samples_alone_are_one_panel() {
        let (none, samples) = (Points::new(2, Vec::new()), Points::new(2, (0..200).map(f64::from).collect()));
        let svg = samples_figure(&none, &samples, &[], "chains").svg;
        assert_eq!(svg.matches("class=\"panel\"").count(), 1);
        assert!(svg.contains("chains (100)") && !svg.contains("data ("));
    }

    #[test]
    fn one_coordinate_is_counted() {
        let line = Points::new(1, vec![0.0, 1.0, 2.0, 3.0]);
        let svg = samples_figure(&line, &line, &["income".into()], "model").svg;
        assert_eq!(svg.matches("class=\"histogram\"").count(), 2);
        assert!(svg.contains("income") && svg.contains("data (4)") && svg.contains("model (4)"));
    }

    #[test]
    fn poisoned_points_are_drawn() {
        for dim in [1, 2, 3] {
            for values in [vec![], vec![f64::NAN; 6], vec![f64::INFINITY; 6], vec![1e300; 6], vec![0.0; 6]] {
                let points = Points::new(dim, values);
                let empty = Points::new(dim, vec![]);
                for (a, b) in [(&points, &points), (&points, &empty), (&empty, &points)] {
                    assert!(samples_figure(a, b, &[], "model").to_rgba(300).is_ok());
                }
            }
        }
    }
}
