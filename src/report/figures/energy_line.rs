//! A 1-D energy as the density it stands for, over the histogram of the data.

use super::super::axes::{Axis, Panel, Spines};
use super::super::range::{Range, drawable};
use super::super::raster::Figure;
use super::super::svg::{DATA, Frame, MODEL, Svg, polyline};
use super::histogram::{Histogram, bin_count};
use super::legend::{self, Entry, Swatch};
use crate::points::Points;

/// What a 1-D energy figure shows.
#[derive(Debug, Clone, Copy)]
pub struct EnergyLine<'a> {
    /// A short title.
    pub title: &'a str,
    /// The name of the coordinate; x₁ if empty.
    pub name: &'a str,
    /// Increasing places on the axis.
    pub x: &'a [f64],
    /// E(x) in nats at these places, up to a constant.
    pub energy: &'a [f64],
    /// Points whose first coordinate is counted, with what they are.
    pub points: Option<(&'a str, &'a Points)>,
}

/// The style of a data histogram.
pub(crate) fn data_style() -> String {
    format!("fill=\"{DATA}\" fill-opacity=\"0.3\" stroke=\"{DATA}\" stroke-opacity=\"0.6\" stroke-width=\"0.8\"")
}

/// The density exp(−E)/Z as a line, with Z by the trapezoid rule over the shown axis, and the data as histogram.
pub fn energy_line_figure(line: &EnergyLine<'_>) -> Figure {
    let range = Range::covering(line.x.iter().copied());
    let density = density(line.x, line.energy);
    let values: Vec<f64> = line.points.map_or(Vec::new(), |(_, points)| points.rows().map(|row| row[0]).collect());
    let histogram = Histogram::new(&values, range, bin_count(&values, range));
    let highest = density.iter().copied().chain(histogram.density.iter().copied()).fold(0.0, f64::max);
    let (mut svg, panel) = density_panel(line.title, line.name, range, highest);
    panel.draw_grid_lines(&mut svg);
    svg.open_clipped(panel.frame);
    let mut entries = Vec::new();
    if !values.is_empty() {
        histogram.draw(&mut svg, &panel, &data_style());
        let label = line.points.map_or(String::new(), |(name, _)| name.to_string());
        entries.push(Entry { swatch: Swatch::Area(data_style()), label });
    }
    let stroke = format!("fill=\"none\" stroke=\"{MODEL}\" stroke-width=\"2\" stroke-linejoin=\"round\"");
    let curve: Vec<_> = line.x.iter().zip(&density).map(|(x, d)| panel.pixel(*x, *d)).collect();
    let occupied: Vec<_> = curve.iter().copied().flatten().collect();
    svg.path(&polyline(curve), &stroke);
    svg.raw("</g>");
    panel.draw_axes(&mut svg);
    entries.push(Entry { swatch: Swatch::Line(stroke), label: "model, exp(−E)/Z".into() });
    legend::draw(&mut svg, &panel, &entries, &occupied);
    svg.finish()
}

/// A page with one panel for densities up to `highest`.
pub(crate) fn density_panel(title: &str, name: &str, range: Range, highest: f64) -> (Svg, Panel) {
    let names = [name.to_string()];
    let x = Axis::linear(range, &super::coordinate_name(&names, 0));
    let y = Axis::linear(Range::new(0.0, if highest > 0.0 { 1.08 * highest } else { 1.0 }), "density");
    let (width, height) = (540.0, 360.0);
    let frame = Frame { x: Panel::left_of(&y, height), y: Panel::ABOVE, width, height };
    let svg = Svg::new(frame.right() + Panel::RIGHT, frame.bottom() + Panel::BELOW);
    (svg, Panel { frame, x, y, title: title.to_string(), spines: Spines::Corner, written: [true, true] })
}

/// exp(−E) over its integral; NaN where the energy is.
fn density(x: &[f64], energy: &[f64]) -> Vec<f64> {
    let lowest = energy.iter().copied().filter(|e| drawable(*e)).fold(f64::INFINITY, f64::min);
    let weight: Vec<f64> =
        energy.iter().map(|e| if *e == f64::NEG_INFINITY { f64::NAN } else { (lowest - e).exp() }).collect();
    let strips = x.windows(2).zip(weight.windows(2)).map(|(x, w)| 0.5 * (x[1] - x[0]) * (w[0] + w[1]));
    let integral: f64 = strips.filter(|area| drawable(*area)).sum();
    weight.iter().map(|w| if integral > 0.0 { w / integral } else { f64::NAN }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_energy_is_the_normal_density() {
        let x: Vec<f64> = (0..=800).map(|i| f64::from(i) / 50.0 - 8.0).collect();
        let energy: Vec<f64> = x.iter().map(|x| 0.5 * x * x - 3.0).collect();
        let peak = density(&x, &energy)[400];
        assert!((peak - (2.0 * std::f64::consts::PI).sqrt().recip()).abs() < 1e-9, "{peak}");
        let data = Points::new(1, vec![0.0, 0.5, f64::NAN]);
        let svg = energy_line_figure(&EnergyLine {
            title: "T",
            name: "",
            x: &x,
            energy: &energy,
            points: Some(("data", &data)),
        })
        .svg;
        for text in [">T<", ">x₁<", ">density<", ">data<", "exp(−E)/Z", "class=\"histogram\""] {
            assert!(svg.contains(text), "{text} is missing");
        }
    }

    #[test]
    fn poisoned_lines_are_drawn() {
        let poison = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300];
        let constant = [0.0; 4];
        let none: &[f64] = &[];
        for (x, energy) in [(&poison[..], &poison[..]), (&constant, &poison), (&poison, &constant), (none, none)] {
            let line = EnergyLine { title: "T", name: "n", x, energy, points: None };
            assert!(energy_line_figure(&line).to_rgba(300).is_ok());
        }
    }
}
