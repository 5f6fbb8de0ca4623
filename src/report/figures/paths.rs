//! The paths of a few chains, from their start to their end, over what they move on.

use super::super::axes::{Axis, Panel, Spines};
use super::super::colour::ColourMap;
use super::super::grid::Extent;
use super::super::range::Range;
use super::super::raster::Figure;
use super::super::svg::{Frame, Svg, polyline};
use super::backdrop::{self, Backdrop};
use super::legend::{self, Entry, Swatch};
use super::relief::Relief;
use crate::error::Result;
use crate::points::Points;

/// The colours of Okabe and Ito (2008) that show on white and grey, and wine: they stay apart for the colour-blind.
const COLOURS: [&str; 8] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#333333", "#e69f00", "#56b4e9", "#882255"];
/// With more paths than this, lines are thinner and have no pale edge.
const FEW: usize = 20;
/// The radius of the marks at both ends of a path, in pixels: of few paths, and of many.
const MARKS: [f64; 2] = [3.6, 2.0];
/// From this share of the picture's width on, in the mean, pieces of a path are leaps between places, not a way: the places
/// are dots then, with this radius, and the lines between them pale.
const LEAP: f64 = 0.06;
const PLACE: f64 = 1.5;

/// Where chains have been.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// Steps done, in increasing order.
    pub steps: Vec<u64>,
    /// The positions after each of them, `[chains, dim]`; the first two coordinates are enough.
    pub positions: Vec<Points>,
}

impl Trace {
    /// Chains that were followed.
    pub fn chains(&self) -> usize {
        self.positions.first().map_or(0, Points::count)
    }

    /// The rectangle that shows all positions well, but no more than twice as wide as what the first and the last ones
    /// take: chains that stray far at a high noise level would make everything else small.
    pub fn extent(&self) -> Extent {
        let (Some(first), Some(last)) = (self.positions.first(), self.positions.last()) else {
            return Extent { x: Range::UNIT, y: Range::UNIT };
        };
        let around = |positions: &[Points]| {
            let all = positions.iter().flat_map(|p| p.values().iter().copied()).collect();
            Extent::around(&Points::new(first.dim(), all))
        };
        let all = around(&self.positions);
        let [a, b] = [first, last].map(|p| around(std::slice::from_ref(p)));
        let limited = |all: Range, a: Range, b: Range| {
            let most = a.union(b).padded(0.5);
            Range::new(all.lo().max(most.lo()), all.hi().min(most.hi()))
        };
        Extent { x: limited(all.x, a.x, b.x), y: limited(all.y, a.y, b.y) }.squared()
    }

    /// Coordinate `n` of a chain over time.
    fn coordinate(&self, chain: usize, n: usize) -> impl Iterator<Item = f64> {
        self.positions.iter().map(move |p| p.row(chain)[n])
    }
}

/// What a figure of chains shows.
#[derive(Debug, Clone, Copy)]
pub struct ChainsPanel<'a> {
    /// A short title.
    pub title: &'a str,
    /// The names of the coordinates; missing ones become x₁ and x₂.
    pub names: &'a [String],
    /// Coordinates of a point, of which the first two are drawn.
    pub dim: usize,
    /// Where the chains have been.
    pub trace: &'a Trace,
    /// What is shown of the plane; with one coordinate, its `x` alone counts.
    pub extent: Extent,
    /// What the chains move over.
    pub backdrop: Backdrop<'a>,
    /// What the energy is called on its scale.
    pub energy_name: &'a str,
    /// Steps at which something changes, and what: drawn with one coordinate, where steps are an axis.
    pub marks: (&'a [u64], &'a str),
}

/// The path of every chain of the trace: in the plane of the first two coordinates, or against steps if there is one.
///
/// # Errors
/// If the heat map cannot be encoded.
pub fn paths_figure(panel: &ChainsPanel<'_>) -> Result<Figure> {
    let untitled = ChainsPanel { title: "", ..*panel };
    let (mut svg, axes, relief) =
        if panel.dim == 1 { against_steps(&untitled)? } else { backdrop::plane(&untitled, ColourMap::Paper)? };
    let trace = panel.trace;
    let paths: Vec<Vec<_>> = (0..trace.chains())
        .map(|chain| match panel.dim {
            1 => trace.steps.iter().zip(trace.coordinate(chain, 0)).map(|(s, x)| axes.pixel(*s as f64, x)).collect(),
            _ => trace.coordinate(chain, 0).zip(trace.coordinate(chain, 1)).map(|(x, y)| axes.pixel(x, y)).collect(),
        })
        .collect();
    let few = paths.len() <= FEW;
    let mark = if few { MARKS[0] } else { MARKS[1] };
    let leaping = panel.dim > 1 && mean_piece(&paths) > LEAP * axes.frame.width;
    svg.open_clipped(axes.frame);
    for (path, colour) in paths.iter().zip(COLOURS.iter().cycle()) {
        draw_path(&mut svg, path, colour, few, leaping);
    }
    if leaping {
        for (path, colour) in paths.iter().zip(COLOURS.iter().cycle()) {
            svg.dots(path.iter().copied().flatten(), PLACE, &place_style(colour));
        }
    }
    let mut entries = draw_steps(&mut svg, &axes, panel);
    for (path, colour) in paths.iter().zip(COLOURS.iter().cycle()) {
        for (end, style) in [path.first(), path.last()].into_iter().zip([start_style(colour), end_style(colour)]) {
            svg.dots(end.copied().flatten().into_iter(), mark, &style);
        }
    }
    svg.raw("</g>");
    axes.draw_axes(&mut svg);
    backdrop::draw_bar(&mut svg, &axes, relief.as_ref());
    entries.insert(0, Entry { swatch: Swatch::Dot(mark, start_style("#333333")), label: "start".into() });
    if leaping {
        entries.insert(1, Entry { swatch: Swatch::Dot(PLACE, place_style("#333333")), label: "on the way".into() });
    }
    entries.insert(
        1 + usize::from(leaping),
        Entry { swatch: Swatch::Dot(mark, end_style("#333333")), label: "end".into() },
    );
    legend::draw_above(&mut svg, axes.frame, panel.title, &entries);
    Ok(svg.finish())
}

/// A page for one coordinate against steps, with its energy in bands.
fn against_steps(panel: &ChainsPanel<'_>) -> Result<(Svg, Panel, Option<Relief>)> {
    let steps = Range::new(0.0, panel.trace.steps.last().map_or(1.0, |s| *s as f64));
    let x = Axis::linear(steps.padded(0.02), "step");
    let y = Axis::linear(panel.extent.x, &backdrop::axis_names(panel)[0]);
    let relief = match panel.backdrop {
        Backdrop::Line { x: places, energy } if energy.len() > 1 => {
            Some(Relief::new(&backdrop::over_steps(&x, places, energy)?, ColourMap::Paper, panel.energy_name))
        }
        _ => None,
    };
    let (width, height) = (540.0, 360.0);
    let frame = Frame { x: Panel::left_of(&y, height), y: Panel::ABOVE, width, height };
    let beside = relief.as_ref().map_or(Panel::RIGHT, |relief| relief.bar().space(height));
    let mut svg = Svg::new(frame.right() + beside, frame.bottom() + Panel::BELOW);
    let axes = Panel { frame, x, y, title: panel.title.to_string(), spines: Spines::Box, written: [true, true] };
    if let Some(relief) = &relief {
        relief.draw(&mut svg, &axes)?;
    }
    Ok((svg, axes, relief))
}

/// The mean length of a piece of the paths.
fn mean_piece(paths: &[Vec<Option<(f64, f64)>>]) -> f64 {
    let pieces = paths.iter().flat_map(|path| path.windows(2)).filter_map(|ends| Some((ends[0]?, ends[1]?)));
    let lengths: Vec<f64> = pieces.map(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1)).collect();
    lengths.iter().sum::<f64>() / lengths.len().max(1) as f64
}

fn draw_path(svg: &mut Svg, path: &[Option<(f64, f64)>], colour: &str, few: bool, leaping: bool) {
    let d = polyline(path.iter().copied());
    let common = "fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\"";
    if leaping {
        let pale = "stroke-width=\"0.5\" stroke-opacity=\"0.25\"";
        svg.path(&d, &format!("class=\"path\" {common} stroke=\"{colour}\" {pale}"));
        return;
    }
    if few {
        svg.path(&d, &format!("{common} stroke=\"#ffffff\" stroke-width=\"2\" stroke-opacity=\"0.6\""));
    }
    let width = if few { 0.9 } else { 0.6 };
    svg.path(&d, &format!("class=\"path\" {common} stroke=\"{colour}\" stroke-width=\"{width}\""));
}

/// With one coordinate, a line at each marked step; its entry for the key.
fn draw_steps(svg: &mut Svg, axes: &Panel, panel: &ChainsPanel<'_>) -> Vec<Entry> {
    let (marks, label) = panel.marks;
    if panel.dim != 1 || marks.is_empty() {
        return Vec::new();
    }
    let stroke = "class=\"mark\" stroke=\"#333333\" stroke-width=\"1\" stroke-dasharray=\"4 3\"";
    for mark in marks {
        let x = axes.x_pixel(*mark as f64);
        svg.line((x, axes.frame.y), (x, axes.frame.bottom()), stroke);
    }
    vec![Entry { swatch: Swatch::Line(stroke.to_string()), label: label.to_string() }]
}

fn start_style(colour: &str) -> String {
    format!("fill=\"#ffffff\" stroke=\"{colour}\" stroke-width=\"1.5\"")
}

fn place_style(colour: &str) -> String {
    format!("fill=\"{colour}\" fill-opacity=\"0.8\"")
}

fn end_style(colour: &str) -> String {
    format!("fill=\"{colour}\" stroke=\"#ffffff\" stroke-width=\"1\"")
}

#[cfg(test)]
mod tests {
    use super::super::super::grid::Grid;
    use super::*;

    fn trace(dim: usize, chains: usize, records: u64) -> Trace {
        let at = |r: u64| Points::new(dim, (0..chains * dim).map(|i| (i as f64 + 0.1 * r as f64).sin()).collect());
        Trace { steps: (0..records).map(|r| 10 * r).collect(), positions: (0..records).map(at).collect() }
    }

    fn figure(dim: usize, trace: &Trace, backdrop: Backdrop<'_>) -> Figure {
        let names = ["a".to_string()];
        let marks = (&[20, 30][..], "next level");
        let extent = trace.extent();
        let (title, energy_name) = ("T", "E(x)");
        let panel = ChainsPanel { title, names: &names, dim, trace, extent, backdrop, energy_name, marks };
        paths_figure(&panel).expect("drawable")
    }

    #[test]
    fn every_chain_has_a_path_and_two_marked_ends() {
        let trace = trace(2, 9, 6);
        let grid = Grid::new(trace.extent(), 3, 3, (0..9).map(f64::from).collect()).expect("3x3 values");
        let svg = figure(2, &trace, Backdrop::Energy(&grid)).svg;
        assert_eq!(svg.matches("class=\"path\"").count(), 9);
        // both ends of each, and the two of the key
        assert_eq!(svg.matches("<circle").count(), 20);
        for text in
            [">T<", ">a<", ">x₂<", ">start<", ">end<", "class=\"heatmap\"", "class=\"colour-bar\"", "class=\"contour\""]
        {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert!(!svg.contains("class=\"mark\""));
    }

    #[test]
    fn leaps_are_places_with_pale_lines() {
        let walk = |step: f64| Trace {
            steps: (0..40).collect(),
            positions: (0..40).map(|r| Points::new(2, vec![(f64::from(r) * step).sin(), 0.0, 1.0, 1.0])).collect(),
        };
        for (step, leaping) in [(0.05, false), (2.0, true)] {
            let svg = figure(2, &walk(step), Backdrop::Plain).svg;
            assert_eq!(svg.contains("stroke-opacity=\"0.25\""), leaping, "{step}");
            assert_eq!(svg.contains(">on the way<"), leaping, "{step}");
            // both ends of two chains and of the key; and every place of theirs
            assert_eq!(svg.matches("<circle").count(), if leaping { 6 + 80 + 1 } else { 6 }, "{step}");
        }
    }

    #[test]
    fn one_coordinate_runs_along_steps() {
        let trace = trace(1, 2, 6);
        let x = [-1.0, 0.0, 1.0];
        let svg = figure(1, &trace, Backdrop::Line { x: &x, energy: &[1.0, 0.0, 2.0] }).svg;
        assert_eq!(svg.matches("class=\"path\"").count(), 2);
        assert_eq!(svg.matches("class=\"mark\"").count(), 3);
        for text in [">step<", ">a<", ">next level<", "class=\"heatmap\"", ">E(x)<"] {
            assert!(svg.contains(text), "{text} is missing");
        }
    }

    #[test]
    fn more_coordinates_are_named_and_a_score_is_arrows() {
        let trace = trace(2, 3, 4);
        let svg = figure(5, &trace, Backdrop::Plain).svg;
        assert!(svg.contains("a (coordinate 1 of 5)") && svg.contains("x₂ (coordinate 2 of 5)"));
        assert!(!svg.contains("class=\"colour-bar\"") && !svg.contains("class=\"heatmap\""));
        let places = trace.extent().nodes(3, 3);
        let svg = figure(2, &trace, Backdrop::Score { positions: &places, scores: &places }).svg;
        assert!(svg.contains("class=\"arrows\"") && !svg.contains("class=\"colour-bar\""));
    }

    #[test]
    fn chains_that_stray_in_between_do_not_set_the_scale() {
        let cloud = |size: f64| Points::new(2, (0..200).map(|i| size * (i as f64).sin()).collect());
        let positions = [1.0, 1.1, 60.0, 60.0, 1.0].map(cloud).to_vec();
        let extent = Trace { steps: (0..5).collect(), positions }.extent();
        assert!(extent.x.hi() > 1.2 && extent.x.hi() < 2.5, "{extent:?}");
        assert!((extent.x.width() - extent.y.width()).abs() < 1e-9);
    }

    #[test]
    fn poisoned_paths_are_drawn() {
        for value in [f64::NAN, f64::INFINITY, 1e300, 0.0] {
            for dim in [1, 2] {
                let positions = vec![Points::new(dim, vec![value; 2 * dim]); 3];
                for trace in [Trace { steps: vec![0, 1, 2], positions }, Trace::default()] {
                    let line = Backdrop::Line { x: &[value; 2], energy: &[value; 2] };
                    assert!(figure(dim, &trace, line).to_rgba(300).is_ok());
                }
            }
        }
    }
}
