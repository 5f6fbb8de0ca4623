//! Any named lines over a common axis.

use super::super::axes::{Axis, Panel, Scale, Spines};
use super::super::range::{Range, drawable};
use super::super::raster::Figure;
use super::super::svg::{DATA, Frame, MODEL, Svg, polyline};
use super::legend::{self, Entry, Swatch};

/// Colours that stay apart for the colour-blind, in the order in which lines take them.
const COLOURS: [&str; 6] = [DATA, MODEL, "#2f8f73", "#b04a7a", "#7a66b3", "#5f5f5f"];

/// One named line.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// Its name in the key.
    pub label: &'a str,
    /// Places on the x axis.
    pub x: &'a [f64],
    /// The value at each place; the line has a gap where it cannot be drawn.
    pub y: &'a [f64],
}

/// What a figure of lines shows.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'a> {
    /// A short title.
    pub title: &'a str,
    /// The name of the x axis.
    pub x_label: &'a str,
    /// The name of the y axis; it is logarithmic where all values are positive and span over two decades.
    pub y_label: &'a str,
    /// The lines, drawn in order.
    pub series: &'a [Series<'a>],
}

/// The lines with a key, in colours that stay apart for the colour-blind; dashed from the seventh on.
pub fn lines_figure(lines: &Lines<'_>) -> Figure {
    let x = Range::covering(lines.series.iter().flat_map(|s| s.x.iter().copied()));
    let y = value_axis(lines.series.iter().flat_map(|s| s.y.iter().copied()), lines.y_label);
    draw(lines, Axis::linear(x, lines.x_label), y)
}

/// The same over logarithmic axes, where a power law is a straight line.
pub fn scaling_figure(lines: &Lines<'_>) -> Figure {
    let axis = |values: &dyn Fn(&Series<'_>) -> Vec<f64>, label: &str| {
        let range = Range::covering(lines.series.iter().flat_map(values).filter(|v| *v > 0.0));
        Axis::new(Range::new(range.lo() / 1.2, range.hi() * 1.2), Scale::Log10, label)
    };
    draw(lines, axis(&|s| s.x.to_vec(), lines.x_label), axis(&|s| s.y.to_vec(), lines.y_label))
}

fn draw(lines: &Lines<'_>, x: Axis, y: Axis) -> Figure {
    let curve = |(i, series): (usize, &Series<'_>)| Curve {
        stroke: format!(
            "stroke=\"{}\" stroke-width=\"1.8\"{}",
            COLOURS[i % COLOURS.len()],
            if i < COLOURS.len() { "" } else { " stroke-dasharray=\"6 3\"" }
        ),
        label: series.label.to_string(),
        points: series.x.iter().copied().zip(series.y.iter().copied()).collect(),
    };
    let curves: Vec<Curve> = lines.series.iter().enumerate().map(curve).collect();
    curves_figure(lines.title, x, y, &curves)
}

/// A line ready to draw.
#[derive(Debug)]
pub(crate) struct Curve {
    /// SVG attributes of its stroke.
    pub(crate) stroke: String,
    /// Its name in the key; none if empty.
    pub(crate) label: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A page with one panel, its curves in order, and their key.
pub(crate) fn curves_figure(title: &str, x: Axis, y: Axis, curves: &[Curve]) -> Figure {
    let (width, height) = (540.0, 360.0);
    let frame = Frame { x: Panel::left_of(&y, height), y: Panel::ABOVE, width, height };
    let mut svg = Svg::new(frame.right() + Panel::RIGHT, frame.bottom() + Panel::BELOW);
    let panel = Panel { frame, x, y, title: title.to_string(), spines: Spines::Corner, written: [true, true] };
    panel.draw_grid_lines(&mut svg);
    svg.open_clipped(frame);
    let (mut entries, mut occupied) = (Vec::new(), Vec::new());
    for curve in curves {
        let pixels: Vec<_> = curve.points.iter().map(|(x, y)| panel.pixel(*x, *y)).collect();
        occupied.extend(pixels.iter().flatten().copied());
        svg.path(
            &polyline(pixels),
            &format!("class=\"curve\" fill=\"none\" stroke-linejoin=\"round\" {}", curve.stroke),
        );
        if !curve.label.is_empty() {
            entries.push(Entry { swatch: Swatch::Line(curve.stroke.clone()), label: curve.label.clone() });
        }
    }
    svg.raw("</g>");
    panel.draw_axes(&mut svg);
    legend::draw(&mut svg, &panel, &entries, &occupied);
    svg.finish()
}

/// The y axis for values: logarithmic with margins where all are positive and span over two decades.
pub(crate) fn value_axis(values: impl IntoIterator<Item = f64>, label: &str) -> Axis {
    let values: Vec<f64> = values.into_iter().filter(|v| drawable(*v)).collect();
    let range = Range::covering(values.iter().copied());
    if range.lo() > 0.0 && range.hi() / range.lo() > 100.0 {
        return Axis::new(Range::new(range.lo() / 1.2, range.hi() * 1.2), Scale::Log10, label);
    }
    Axis::linear(range.padded(0.05), label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_curve_and_a_name() {
        let x = [0.0, 1.0, 2.0];
        let names: Vec<String> = (0..8).map(|i| format!("line {i}")).collect();
        let series: Vec<Series<'_>> =
            names.iter().map(|label| Series { label, x: &x, y: &[1.0, 300.0, f64::NAN] }).collect();
        let svg = lines_figure(&Lines { title: "T", x_label: "X", y_label: "Y", series: &series }).svg;
        assert_eq!(svg.matches("class=\"curve\"").count(), 8);
        assert!(names.iter().all(|name| svg.contains(name.as_str())));
        // Over two decades: a logarithmic axis.
        for text in [">T<", ">X<", ">Y<", ">1<", ">10<", ">100<"] {
            assert!(svg.contains(text), "{text} is missing");
        }
    }

    #[test]
    fn poisoned_lines_are_drawn() {
        let poison = [f64::NAN, f64::INFINITY, 1e300, -1.0, 5e-324];
        let none: &[f64] = &[];
        for (x, y) in [(&poison[..], &poison[..]), (none, none), (&[1.0; 5], &poison), (&poison, &[1.0; 5])] {
            let series = [Series { label: "a", x, y }];
            let lines = Lines { title: "", x_label: "", y_label: "", series: &series };
            assert!(lines_figure(&lines).to_rgba(300).is_ok());
            assert!(scaling_figure(&lines).to_rgba(300).is_ok());
        }
        let lines = Lines { title: "", x_label: "", y_label: "", series: &[] };
        assert!(lines_figure(&lines).to_rgba(300).is_ok());
    }
}
