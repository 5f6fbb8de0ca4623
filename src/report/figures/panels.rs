//! Many models at a glance: a row for each data set, a column for each way of training, each panel a model's energy or
//! density with some of its samples on top.

use super::super::axes::{Axis, Panel, Spines};
use super::super::colour::{ColourBar, ColourMap};
use super::super::contour::levels;
use super::super::grid::{Extent, Grid};
use super::super::heatmap;
use super::super::range::{Range, drawable, quantile};
use super::super::raster::Figure;
use super::super::svg::{Anchor, DATA, Frame, GREY, INK, MODEL, NORMAL, SPINE, Svg, TINY, fitted, text_width};
use super::super::ticks::{fixed, nice_step};
use super::relief::{SHOWN_NATS, draw_contours};
use super::thinned;
use crate::error::{Error, Result};
use crate::points::Points;

/// Dots in a panel.
const DOTS: usize = 250;
/// The width that panels share, in SVG pixels, and the least and the most of it that one takes.
const WIDTH: f64 = 1000.0;
const SIDES: [f64; 2] = [92.0, 190.0];
/// The space between panels, and the wider one that sets the data off.
const GAP: f64 = 6.0;
const DATA_GAP: f64 = 16.0;
/// A panel says how many of its samples it shows if they are fewer than this share.
const MOST: f64 = 0.95;
/// A density is shown up to the value that this share of the panel stays below: single peaks hide nothing.
const CLIPPED: f64 = 0.995;

/// What the heat maps show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shading {
    /// E above its minimum, up to 12 nats: shapes, and how deep valleys are.
    Energy,
    /// exp(−E) as a share of nearly its highest value in the panel: where the mass is.
    Density,
}

/// One model on one data set.
#[derive(Debug, Clone, Copy, Default)]
pub struct PanelCell<'a> {
    /// E in nats, up to a constant; none where there is no energy.
    pub energy: Option<&'a Grid>,
    /// Samples of the model, of which some are drawn (first two coordinates).
    pub samples: Option<&'a Points>,
    /// What to say where something is missing, such as `diverged` or `no energy`; empty for nothing.
    pub word: &'a str,
}

/// The models of one data set, which share their axes.
#[derive(Debug, Clone)]
pub struct PanelRow<'a> {
    /// The name of the data set.
    pub label: &'a str,
    /// What every panel of the row shows of the plane.
    pub extent: Extent,
    /// The data, with their own energy −ln p where it is known.
    pub data: PanelCell<'a>,
    /// A model for each column.
    pub models: Vec<PanelCell<'a>>,
}

/// What a figure of panels shows.
#[derive(Debug, Clone, Copy)]
pub struct Panels<'a> {
    /// A short title; none if empty.
    pub title: &'a str,
    /// The names of the columns after the first, which is the data.
    pub columns: &'a [String],
    /// The rows.
    pub rows: &'a [PanelRow<'a>],
    /// What the heat maps show.
    pub shading: Shading,
}

/// The panels, with names on top and at the left and one colour bar for all. Rows say what part of the plane they show.
///
/// # Errors
/// If a row has not as many models as there are columns, or a heat map cannot be encoded.
pub fn panels_figure(panels: &Panels<'_>) -> Result<Figure> {
    let names = panels.columns.len();
    if let Some(row) = panels.rows.iter().find(|row| row.models.len() != names) {
        let (label, models) = (row.label, row.models.len());
        return Err(Error::input(format!("{label} has {models} panels for {names} columns")));
    }
    let page = Layout::new(panels);
    let scale = Scale::new(panels.shading);
    let bar = ColourBar { map: scale.map, axis: &scale.axis, clipped: true, marks: &scale.levels };
    let bar_height = page.height().clamp(120.0, 2.2 * SIDES[1]);
    let right = page.frame(0, names).right() + bar.space(bar_height);
    let mut svg = Svg::new(right, page.top + page.height().max(bar_height) + 10.0);
    let middle = 0.5 * (page.left + page.frame(0, names).right());
    svg.text((middle, 20.0), Anchor::Middle, NORMAL + 1.0, INK, &fitted(panels.title, NORMAL + 1.0, right));
    for (column, name) in std::iter::once("data").chain(panels.columns.iter().map(String::as_str)).enumerate() {
        let frame = page.frame(0, column);
        let (name, size) = shrunk(name, page.font, frame.width + 0.5 * GAP);
        svg.text((frame.x + 0.5 * frame.width, frame.y - 8.0), Anchor::Middle, size, INK, &name);
    }
    for (i, row) in panels.rows.iter().enumerate() {
        let first = page.frame(i, 0);
        let middle = first.y + 0.5 * first.height;
        let mut x = first.x - 6.0;
        for line in seen(row.extent).iter().rev() {
            svg.text((x, middle), Anchor::Upwards, TINY, GREY, &fitted(line, TINY, first.height + GAP));
            x -= TINY + 1.0;
        }
        let (label, size) = shrunk(row.label, page.font, first.height + GAP);
        svg.text((page.font, middle), Anchor::Upwards, size, INK, &label);
        scale.draw(&mut svg, page.frame(i, 0), row.extent, &row.data, Of::Data)?;
        for (column, cell) in row.models.iter().enumerate() {
            scale.draw(&mut svg, page.frame(i, column + 1), row.extent, cell, Of::Model)?;
        }
    }
    let tall = page.height().max(bar_height);
    let beside = Frame { y: page.top + 0.5 * (tall - bar_height), height: bar_height, ..page.frame(0, names) };
    bar.draw(&mut svg, beside);
    Ok(svg.finish())
}

/// The ends of a row's axes, with the digits that tell them apart: a line for both, or one each.
fn seen(extent: Extent) -> Vec<String> {
    let ends = |range: Range| {
        let decimals = (1.0 - nice_step(range.width(), 4).log10().floor()).clamp(0.0, 6.0) as usize;
        format!("{} to {}", fixed(range.lo(), decimals), fixed(range.hi(), decimals))
    };
    let [x, y] = [extent.x, extent.y].map(ends);
    if x == y { vec![x] } else { vec![format!("x₁ {x}"), format!("x₂ {y}")] }
}

/// The text and a font size at which it fits, cut only where it would have to be smaller than what panels say.
fn shrunk(text: &str, size: f64, width: f64) -> (String, f64) {
    let size = (size * width / text_width(text, size).max(1.0)).clamp(TINY, size);
    (fitted(text, size, width * 1.001), size)
}

/// What a panel shows.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Data,
    Model,
}

/// Where everything is.
struct Layout {
    left: f64,
    top: f64,
    side: f64,
    rows: usize,
    font: f64,
}

impl Layout {
    fn new(panels: &Panels<'_>) -> Self {
        let columns = panels.columns.len() as f64 + 1.0;
        let side = ((WIDTH - DATA_GAP) / columns - GAP).clamp(SIDES[0], SIDES[1]).floor();
        // larger on wide pages, which are made smaller to fit on paper
        let font = (0.0145 * columns * (side + GAP)).clamp(NORMAL, 16.0);
        let title = if panels.title.is_empty() { 4.0 } else { 28.0 };
        let lines = panels.rows.iter().map(|row| seen(row.extent).len()).max().unwrap_or(0);
        Self {
            left: font + lines as f64 * (TINY + 1.0) + 12.0,
            top: title + font + 12.0,
            side,
            rows: panels.rows.len(),
            font,
        }
    }

    fn frame(&self, row: usize, column: usize) -> Frame {
        let step = self.side + GAP;
        let after_data = if column > 0 { DATA_GAP - GAP } else { 0.0 };
        let (x, y) = (self.left + column as f64 * step + after_data, self.top + row as f64 * step);
        Frame { x, y, width: self.side, height: self.side }
    }

    fn height(&self) -> f64 {
        self.rows as f64 * (self.side + GAP)
    }
}

/// What colours mean, the same in all panels.
struct Scale {
    shading: Shading,
    map: ColourMap,
    axis: Axis,
    levels: Vec<f64>,
}

impl Scale {
    fn new(shading: Shading) -> Self {
        let (map, shown, name) = match shading {
            Shading::Energy => (ColourMap::Field, Range::new(0.0, SHOWN_NATS), "E(x) − min E (nats)"),
            Shading::Density => (ColourMap::Density, Range::UNIT, "exp(−E), share of the highest"),
        };
        let axis = Axis::linear(shown, name);
        Self { shading, map, levels: levels(shown, 4), axis }
    }

    /// The field as it is shown, with so many nodes a side.
    fn field(&self, energy: &Grid, side: f64) -> Grid {
        let nodes = (side as usize).max(2);
        let above = energy.resampled(nodes, nodes).above_minimum();
        match self.shading {
            Shading::Energy => above,
            Shading::Density => {
                let density = above.mapped(|e| (-e).exp());
                let mut sorted: Vec<f64> = density.values().iter().copied().filter(|d| drawable(*d)).collect();
                sorted.sort_by(f64::total_cmp);
                // exp(−12) and less would make noise of what is next to nothing
                let high = quantile(&sorted, CLIPPED).max((-SHOWN_NATS).exp());
                density.mapped(|d| d / high)
            }
        }
    }

    fn draw(&self, svg: &mut Svg, frame: Frame, extent: Extent, cell: &PanelCell<'_>, of: Of) -> Result<()> {
        let [x, y] = [extent.x, extent.y].map(|range| Axis::linear(range, ""));
        let axes = Panel { frame, x, y, title: String::new(), spines: Spines::Box, written: [true, false] };
        svg.raw("<g class=\"panel\">");
        svg.open_clipped(frame);
        if let Some(energy) = cell.energy {
            let field = self.field(energy, frame.width);
            heatmap::draw_plain(svg, &axes, &field, self.axis.range(), self.map)?;
            draw_contours(svg, &axes, &field, &self.levels, |level| self.map.line_over(self.axis.fraction(level)));
        } else if cell.samples.is_none() {
            svg.rect(frame, "fill=\"#f3f4f6\"");
        }
        let mut words = vec![cell.word.to_string()];
        if let Some(samples) = cell.samples {
            let shown = draw_dots(svg, &axes, samples, dot_colours(of, cell.energy.is_some()));
            if shown < MOST {
                words.push(format!("{} % in view", fixed(100.0 * shown, 0)));
            }
        }
        words.retain(|word| !word.is_empty());
        if cell.energy.is_none() && cell.samples.is_none() {
            let (x, y) = (frame.x + 0.5 * frame.width, frame.y + 0.5 * frame.height + 0.36 * NORMAL);
            svg.text((x, y), Anchor::Middle, NORMAL, GREY, &fitted(&words.concat(), NORMAL, frame.width - 8.0));
        } else if !words.is_empty() {
            draw_note(svg, frame, &words.join(", "));
        }
        svg.raw("</g>");
        svg.rect(frame, &format!("fill=\"none\" stroke=\"{SPINE}\" stroke-width=\"0.7\""));
        svg.raw("</g>");
        Ok(())
    }
}

/// The colour of dots, and of a rim that sets them off from a heat map.
fn dot_colours(of: Of, on_a_map: bool) -> [Option<&'static str>; 2] {
    match (of, on_a_map) {
        (Of::Data, false) => [Some(DATA), None],
        (Of::Model, false) => [Some(MODEL), None],
        (Of::Data, true) => [Some("#ffffff"), Some("#1a1a1a")],
        (Of::Model, true) => [Some("#ff9a3c"), Some("#4a2000")],
    }
}

/// Draws some of the points; the share of all that lies in view comes back.
fn draw_dots(svg: &mut Svg, axes: &Panel, points: &Points, [colour, rim]: [Option<&str>; 2]) -> f64 {
    let holds = |row: &&[f64]| row.len() > 1 && axes.holds(row[0], row[1]);
    let inside = points.rows().filter(holds).count();
    let at = thinned(points.count(), DOTS).map(|i| points.row(i)).filter(holds);
    // a line without length and with round ends is a dot in a tenth of a circle's characters
    let dot = |(x, y): (f64, f64)| format!("M{x:.1} {y:.1}h0");
    let d: String = at.filter_map(|row| axes.pixel(row[0], row[1])).map(dot).collect();
    let width = (0.0165 * axes.frame.width).clamp(1.4, 3.0);
    for (class, colour, width) in [("rim", rim, width + 0.6), ("dots", colour, width)] {
        if let Some(colour) = colour {
            let style = format!("stroke=\"{colour}\" stroke-width=\"{width:.1}\" stroke-linecap=\"round\"");
            svg.path(&d, &format!("class=\"{class}\" {style}"));
        }
    }
    inside as f64 / points.count().max(1) as f64
}

/// A few words at the bottom of a panel, on a pale ground.
fn draw_note(svg: &mut Svg, frame: Frame, words: &str) {
    let words = fitted(words, TINY, frame.width - 8.0);
    let (width, height) = (text_width(&words, TINY) + 8.0, TINY + 4.0);
    let ground = Frame { x: frame.x, y: frame.bottom() - height, width, height };
    svg.rect(ground, "fill=\"#ffffff\" fill-opacity=\"0.85\"");
    svg.text((frame.x + 4.0, frame.bottom() - 4.0), Anchor::Start, TINY, INK, &words);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent() -> Extent {
        Extent { x: Range::new(-3.0, 3.0), y: Range::new(-3.0, 3.0) }
    }

    fn grid(f: impl Fn(f64, f64) -> f64) -> Grid {
        let values = extent().nodes(40, 40).rows().map(|p| f(p[0], p[1])).collect();
        Grid::new(extent(), 40, 40, values).expect("as many values as nodes")
    }

    fn figure(rows: usize, models: &[PanelCell<'_>], shading: Shading) -> Result<Figure> {
        let columns: Vec<String> = (0..models.len()).map(|i| format!("loss <{i}>")).collect();
        let data = PanelCell { samples: models.iter().find_map(|m| m.samples), ..PanelCell::default() };
        let row = PanelRow { label: "8gauss & co", extent: extent(), data, models: models.to_vec() };
        panels_figure(&Panels { title: "All", columns: &columns, rows: &vec![row; rows], shading })
    }

    #[test]
    fn every_panel_is_there_with_its_names_and_words() {
        let bowl = grid(|x, y| x * x + y * y);
        let points = Points::new(2, vec![0.0, 1.0, 0.5, 0.5, 9.0, 0.0, f64::NAN, 0.0]);
        let full = PanelCell { energy: Some(&bowl), samples: Some(&points), word: "" };
        let score = PanelCell { energy: None, word: "no energy", ..full };
        let lost = PanelCell { word: "diverged", ..PanelCell::default() };
        let svg = figure(2, &[full, score, lost], Shading::Energy).expect("drawable").svg;
        assert_eq!(svg.matches("class=\"panel\"").count(), 8);
        assert_eq!(svg.matches("class=\"heatmap\"").count(), 2);
        assert_eq!(svg.matches("class=\"contour\"").count(), 10);
        assert_eq!(svg.matches("class=\"colour-bar\"").count(), 1);
        // the data, the first and the second model of both rows; 2 of 4 samples are inside; rims on heat maps alone
        assert_eq!(svg.matches("class=\"dots\"").count(), 6);
        assert_eq!(svg.matches("class=\"rim\"").count(), 2);
        let drawn = svg.lines().filter(|line| line.contains("class=\"dots\"") || line.contains("class=\"rim\""));
        assert_eq!(drawn.map(|line| line.matches("h0").count()).sum::<usize>(), 16);
        for (text, times) in [
            (">All<", 1),
            (">data<", 1),
            (">loss &lt;1&gt;<", 1),
            (">8gauss &amp; co<", 2),
            (">no energy, 50", 2),
            (">50 % in view<", 4),
            (">diverged<", 2),
            (">−3.0 to 3.0<", 2),
        ] {
            assert_eq!(svg.matches(text).count(), times, "{text}");
        }
        assert!(figure(2, &[], Shading::Energy).is_ok());
    }

    #[test]
    fn shadings_turn_low_energies_into_high_densities() {
        let bowl = grid(|x, y| x * x + y * y);
        let middle = |shading| Scale::new(shading).field(&bowl, 41.0).at(20, 20);
        assert!(middle(Shading::Energy) < 0.01 && middle(Shading::Density) > 0.99);
        let [low, high] = [ColourMap::Field.rgb(0.0), ColourMap::Density.rgb(1.0)];
        assert_eq!(low, high);
    }

    #[test]
    fn a_hundred_panels_are_a_file_of_a_few_megabytes() {
        let rough = grid(|x, y| 6.0 + 3.0 * (3.0 * x).sin() + 3.0 * (2.0 * y + x * x).cos());
        let points = Points::normal::<f64>(1000, 2, crate::random::Seed(1), crate::random::Stream::Start, 0);
        let models = [PanelCell { energy: Some(&rough), samples: Some(&points), word: "" }; 10];
        let svg = figure(10, &models, Shading::Density).expect("drawable").svg;
        assert!(svg.len() < 3_000_000, "{} bytes", svg.len());
    }

    #[test]
    fn rows_and_columns_have_to_agree() {
        let columns = ["a".to_string()];
        let row = PanelRow { label: "moons", extent: extent(), data: PanelCell::default(), models: Vec::new() };
        let panels = Panels { title: "", columns: &columns, rows: &[row], shading: Shading::Energy };
        let error = panels_figure(&panels).expect_err("no panel for the column").to_string();
        assert!(error.contains("moons has 0 panels for 1 columns"), "{error}");
    }

    #[test]
    fn poisoned_panels_are_drawn() {
        let fields: [fn(f64, f64) -> f64; 5] = [
            |_, _| f64::NAN,
            |_, _| 7.0,
            |x, y| if x > 0.0 { f64::INFINITY } else { y },
            |x, y| if x > 0.0 { f64::NEG_INFINITY } else { 1e300 * y },
            |x, _| 1e99 * x,
        ];
        let points = [vec![], vec![f64::NAN; 6], vec![1e300; 6]].map(|values| Points::new(2, values));
        for (field, points) in fields.iter().zip(points.iter().cycle()) {
            let energy = grid(field);
            let cell = PanelCell { energy: Some(&energy), samples: Some(points), word: "x" };
            for shading in [Shading::Energy, Shading::Density] {
                assert!(figure(1, &[cell], shading).expect("drawable").to_rgba(300).is_ok());
            }
        }
        let line = Points::new(1, vec![1.0, 2.0]);
        let cell = PanelCell { samples: Some(&line), ..PanelCell::default() };
        assert!(figure(1, &[cell], Shading::Energy).is_ok());
    }
}
