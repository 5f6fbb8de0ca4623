//! Samples in three dimensions and more: every pair of the first coordinates, data below the diagonal, the model above it,
//! both marginal densities on it; without data, the model everywhere.

use super::super::axes::{Axis, Panel, Spines};
use super::super::range::Range;
use super::super::raster::Figure;
use super::super::svg::{Anchor, DATA, Frame, INK, MODEL, NORMAL, Svg, fitted};
use super::energy_line::data_style;
use super::histogram::{Histogram, bin_count};
use super::{coordinate_name, counted_points, thinned};
use crate::points::Points;

/// Coordinates that are shown.
const MOST_COORDINATES: usize = 5;
/// Dots in a panel: no more than of the smaller set, within these.
const DOTS: [usize; 2] = [300, 1500];
/// The width of all panels together, and the gap between two, in SVG pixels.
const WIDTH: f64 = 780.0;
const GAP: f64 = 10.0;
/// The height of a line of the title.
const LINE: f64 = 17.0;

/// What the panels are made of.
struct Pairs<'a> {
    data: &'a Points,
    samples: &'a Points,
    dots: usize,
    axes: Vec<Axis>,
    /// The densities of the data and of the samples along each coordinate.
    marginals: Vec<[Histogram; 2]>,
}

/// Both sets have the same number of coordinates, three or more; `model` is what the samples are called. Axes are those of
/// the data, if there are any, so that what strays is counted, not followed.
pub(super) fn pairs_figure(data: &Points, samples: &Points, names: &[String], model: &str) -> Figure {
    let shown = data.dim().min(MOST_COORDINATES);
    let first = if data.count() > 0 { data } else { samples };
    let column = |points: &Points, i: usize| points.rows().map(|row| row[i]).collect::<Vec<f64>>();
    let range_of = |i: usize| Range::around(column(first, i));
    let axes: Vec<Axis> = (0..shown).map(|i| Axis::linear(range_of(i), &coordinate_name(names, i))).collect();
    let marginal = |i: usize| {
        let range = axes[i].range();
        let bins = bin_count(&column(first, i), range).min(40);
        [data, samples].map(|points| Histogram::new(&column(points, i), range, bins))
    };
    let marginals = (0..shown).map(marginal).collect();
    let side = (WIDTH - GAP * (shown - 1) as f64) / shown as f64;
    let left = axes.iter().map(|axis| Panel::left_of(axis, side)).fold(0.0, f64::max);
    let dots = first.count().min(samples.count()).clamp(DOTS[0], DOTS[1]);
    let pairs = Pairs { data, samples, dots, axes, marginals };
    let above = Panel::ABOVE + 6.0;
    let mut svg = Svg::new(left + WIDTH + Panel::RIGHT, above + WIDTH + Panel::BELOW);
    for (i, line) in pairs.title(model).iter().rev().enumerate() {
        let line = fitted(line, NORMAL, WIDTH + 2.0 * Panel::RIGHT);
        svg.text((left + 0.5 * WIDTH, above - 10.0 - LINE * i as f64), Anchor::Middle, NORMAL, INK, &line);
    }
    for row in 0..shown {
        for at in 0..shown {
            let step = side + GAP;
            let frame = Frame { x: left + step * at as f64, y: above + step * row as f64, width: side, height: side };
            pairs.draw(&mut svg, frame, row, at);
        }
    }
    svg.finish()
}

impl Pairs<'_> {
    /// What is shown, and how many of it.
    fn title(&self, model: &str) -> Vec<String> {
        let holds = |row: &[f64]| row.iter().zip(&self.axes).all(|(v, axis)| axis.range().contains(*v));
        let counted = |points: &Points| counted_points(points, self.dots, holds);
        let first = match (self.axes.len(), self.samples.dim()) {
            (shown, dim) if dim > shown => format!("the first {shown} of {dim} coordinates; "),
            _ => String::new(),
        };
        let model = format!("{model} ({})", counted(self.samples));
        match self.data.count() {
            0 => vec![first + &model],
            _ => vec![format!("{first}data ({}) below the diagonal", counted(self.data)), format!("{model} above it")],
        }
    }

    fn draw(&self, svg: &mut Svg, frame: Frame, row: usize, column: usize) {
        let last = self.axes.len() - 1;
        let panel = Panel {
            frame,
            x: self.axes[column].clone(),
            y: self.axes[row].clone(),
            title: String::new(),
            spines: Spines::Box,
            written: [row == last, column == 0],
        };
        svg.open_clipped(frame);
        if row == column {
            let [of_data, of_samples] = &self.marginals[row];
            let highest = of_data.density.iter().chain(&of_samples.density).copied().fold(0.0, f64::max);
            let density = Panel { y: Axis::linear(Range::new(0.0, 1.1 * highest), ""), ..panel.clone() };
            if self.data.count() > 0 {
                of_data.draw(svg, &density, &data_style());
            }
            of_samples.draw(svg, &density, &format!("fill=\"none\" stroke=\"{MODEL}\" stroke-width=\"1.6\""));
        } else {
            let is_data = row > column && self.data.count() > 0;
            let (points, colour) = if is_data { (self.data, DATA) } else { (self.samples, MODEL) };
            let rows = thinned(points.count(), self.dots).map(|i| points.row(i));
            let inside = rows.filter(|x| panel.holds(x[column], x[row]));
            let at = inside.filter_map(|x| panel.pixel(x[column], x[row]));
            svg.dots(at, 1.2, &format!("fill=\"{colour}\" fill-opacity=\"0.4\""));
        }
        svg.raw("</g>");
        panel.draw_axes(svg);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_the_first_coordinates_has_a_panel() {
        let names: Vec<String> = "abcdefg".chars().map(String::from).collect();
        let data = Points::new(7, (0..7 * 400).map(|i| f64::from(i * i % 101)).collect());
        let mut strays = data.values().to_vec();
        strays[0] = f64::NAN;
        strays[7] = 1e9;
        let svg = pairs_figure(&data, &Points::new(7, strays), &names, "model").svg;
        assert_eq!(svg.matches("class=\"panel\"").count(), 25);
        assert_eq!(svg.matches("class=\"histogram\"").count(), 10);
        let of_data = ">the first 5 of 7 coordinates; data (400) below the diagonal<";
        for text in [of_data, ">model (398 of 400 in view) above it<"] {
            assert!(svg.contains(text), "{text} is missing");
        }
        // each axis is written once on the left and once below
        assert!(names[..5].iter().all(|name| svg.matches(&format!(">{name}<")).count() == 2));
        assert!(!svg.contains(">f<"));
        // data in one half, the model in the other
        let dots =
            |colour: &str| svg.split("<g ").find(|part| part.contains(colour) && part.contains("<circle")).is_some();
        assert!(dots(DATA) && dots(MODEL), "{}", &svg[..2000]);
    }

    #[test]
    fn chains_without_data_are_in_both_halves_and_say_how_many_are_drawn() {
        let chains = Points::new(3, (0..3 * 2000).map(|i| f64::from(i * i % 101)).collect());
        let svg = pairs_figure(&Points::new(3, Vec::new()), &chains, &[], "chains").svg;
        assert!(svg.contains(">chains (1500 of 2000 drawn)<") && !svg.contains(DATA), "{}", &svg[..2000]);
        assert_eq!(svg.matches("class=\"histogram\"").count(), 3);
        assert_eq!(svg.matches("<circle").count(), 6 * DOTS[1]);
    }
}
