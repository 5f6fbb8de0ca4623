//! A 2-D score field as arrows, over the contours of its energy.

use super::super::axes::{Axis, Panel, TICK_SPACING};
use super::super::colour::{ColourBar, ColourMap};
use super::super::contour::levels;
use super::super::grid::{Extent, Grid};
use super::super::range::{Range, drawable, quantile};
use super::super::raster::Figure;
use super::super::svg::{Anchor, GREY, SMALL, Svg, number};
use super::super::ticks::nice_step;
use super::energy::{SIDE, square_panel};
use super::relief::draw_contours;
use crate::error::{Error, Result};
use crate::points::Points;

/// Arrows as long as this share of the distance between their roots do not tangle.
const LONGEST: f64 = 0.95;
/// Above this quantile of ‖s‖, rounded up, length and colour stay the same.
const CAP: f64 = 0.95;
/// How far above its minimum the background energy has contours, in nats.
const SHOWN_NATS: f64 = 12.0;

/// What a score figure shows.
#[derive(Debug, Clone, Copy)]
pub struct ScorePanel<'a> {
    /// A short title.
    pub title: &'a str,
    /// The names of the two coordinates; missing ones become x₁ and x₂.
    pub names: &'a [String],
    /// Where the arrows start: a regular grid of about 20 × 20 reads well.
    pub positions: &'a Points,
    /// s(x) = ∇ log p(x) = −∇E(x) at each position; arrows point where the density grows.
    pub scores: &'a Points,
    /// An energy in nats to draw as pale contours; its extent becomes that of the panel.
    pub energy: Option<&'a Grid>,
}

/// The score field; an arrow's length grows with √‖s‖, its colour with ‖s‖, both up to about the 95th percentile.
///
/// # Errors
/// If positions or scores are not two-dimensional, or not equally many.
pub fn score_figure(panel: &ScorePanel<'_>) -> Result<Figure> {
    let (positions, scores) = (panel.positions, panel.scores);
    if positions.dim() != 2 || scores.dim() != 2 || positions.count() != scores.count() {
        let [p, s] = [positions, scores].map(|points| format!("{}x{}", points.count(), points.dim()));
        return Err(Error::input(format!("a score figure needs as many 2-D positions as scores, not {p} and {s}")));
    }
    let cap = cap(scores);
    let scale = Axis::linear(Range::new(0.0, cap), "‖s(x)‖");
    let clipped = scores.rows().any(|s| drawable(norm(s)) && norm(s) > cap);
    let bar = ColourBar { map: ColourMap::Strokes, axis: &scale, clipped, marks: &[] };
    let column = |c: usize| Range::covering(positions.rows().map(move |row| row[c])).padded(0.04);
    let extent = panel.energy.map_or(Extent { x: column(0), y: column(1) }, Grid::extent);
    let (mut svg, axes) = square_panel(panel.title, panel.names, extent, Some(&bar));
    svg.open_clipped(axes.frame);
    if let Some(energy) = panel.energy.map(Grid::above_minimum) {
        let levels = levels(Range::new(0.0, SHOWN_NATS), 6);
        draw_contours(&mut svg, &axes, &energy, &levels, |_| "stroke=\"#cfcfcf\" stroke-width=\"0.9\"");
    }
    draw_arrows(&mut svg, &axes, [positions, scores], cap, |share| ColourMap::Strokes.hex(share));
    svg.raw("</g>");
    axes.draw_axes(&mut svg);
    let last = scale.ticks(axes.frame.height, TICK_SPACING).pop().map_or(String::new(), |tick| tick.label);
    let capped = if clipped { format!(", capped at ‖s‖ = {last}") } else { String::new() };
    let note = format!("arrow length ∝ √‖s‖{capped}");
    let below = axes.frame.bottom() + Panel::BELOW + 4.0;
    svg.text((axes.frame.x + 0.5 * axes.frame.width, below), Anchor::Middle, SMALL, GREY, &note);
    svg.grow(16.0);
    bar.draw(&mut svg, axes.frame);
    Ok(svg.finish())
}

fn norm(score: &[f64]) -> f64 {
    score[0].hypot(score[1])
}

/// The norm at which an arrow is as long as any: about the 95th percentile.
pub(crate) fn cap(scores: &Points) -> f64 {
    let mut norms: Vec<f64> = scores.rows().map(norm).filter(|n| drawable(*n)).collect();
    norms.sort_by(f64::total_cmp);
    rounded_up(quantile(&norms, CAP))
}

/// An arrow at each position; `colour` is that of a norm's share of the cap.
pub(crate) fn draw_arrows(
    svg: &mut Svg,
    axes: &Panel,
    [positions, scores]: [&Points; 2],
    cap: f64,
    colour: impl Fn(f64) -> String,
) {
    svg.raw("<g class=\"arrows\" stroke-linecap=\"round\" stroke-linejoin=\"round\">");
    let spacing = axes.frame.width / (positions.count().max(1) as f64).sqrt();
    for (position, score) in positions.rows().zip(scores.rows()) {
        let share = (norm(score) / cap).min(1.0);
        let colour = colour(share);
        if let Some(d) = arrow(axes, position, score, LONGEST * spacing * share.sqrt()) {
            svg.path(&d, &format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\""));
        }
    }
    svg.raw("</g>");
}

/// The next number at which a colour bar has a tick, so that its end is labelled; 1 for nothing.
fn rounded_up(cap: f64) -> f64 {
    // Twice, because rounding can carry the bar over to the next larger step.
    let up = |cap: f64| {
        let step = nice_step(cap, (SIDE / TICK_SPACING) as usize);
        (cap / step - 1e-9).ceil() * step
    };
    if cap > 0.0 { up(up(cap)) } else { 1.0 }
}

/// An arrow of `length` pixels along the score, whatever the scales of the two axes make of its direction.
fn arrow(axes: &Panel, position: &[f64], score: &[f64], length: f64) -> Option<String> {
    let (x, y) = axes.pixel(position[0], position[1])?;
    let scale = score[0].abs().max(score[1].abs());
    if !drawable(scale) || scale == 0.0 || length.is_nan() || length < 0.5 {
        return None;
    }
    // The direction on the page, where the two axes may have different units. Scaled first: squares of tiny
    // scores underflow.
    let (per_x, per_y) = axes.pixels_per_unit();
    let (dx, dy) = (score[0] / scale * per_x, -score[1] / scale * per_y);
    let size = dx.hypot(dy);
    if size.is_nan() || size <= 0.0 {
        return None;
    }
    let (dx, dy) = (dx / size, dy / size);
    let (tip_x, tip_y) = (x + length * dx, y + length * dy);
    let barb = (0.38 * length).min(5.0);
    let side = |turn: f64| {
        let (cos, sin) = (0.88 * barb, 0.47 * barb * turn);
        (tip_x - cos * dx + sin * dy, tip_y - cos * dy - sin * dx)
    };
    let [(ax, ay), (bx, by)] = [side(1.0), side(-1.0)];
    let n = number;
    Some(format!(
        "M{} {}L{} {}M{} {}L{} {}L{} {}",
        n(x),
        n(y),
        n(tip_x),
        n(tip_y),
        n(ax),
        n(ay),
        n(tip_x),
        n(tip_y),
        n(bx),
        n(by)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(positions: &Points, scores: &Points) -> Result<Figure> {
        score_figure(&ScorePanel { title: "A score", names: &[], positions, scores, energy: None })
    }

    #[test]
    fn arrows_point_along_the_score() {
        let positions = Extent { x: Range::new(-2.0, 2.0), y: Range::new(-1.0, 1.0) }.nodes(5, 5);
        let scores = Points::new(2, positions.values().iter().map(|v| -v).collect());
        let svg = figure(&positions, &scores).expect("drawable").svg;
        // Every node but the origin has an arrow.
        assert_eq!(svg.matches("stroke-width=\"1.2\"").count(), 24);
        for text in ["A score", "x₁", "x₂", "‖s(x)‖", "√‖s‖", "class=\"panel\"", "class=\"colour-bar\""] {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert!(figure(&positions, &Points::new(2, vec![0.0; 4])).is_err());
    }

    #[test]
    fn an_arrow_up_and_right_goes_up_and_right() {
        let extent = Extent { x: Range::new(0.0, 1.0), y: Range::new(0.0, 1.0) };
        let scale = Axis::linear(extent.x, "");
        let bar = ColourBar { map: ColourMap::Strokes, axis: &scale, clipped: false, marks: &[] };
        let axes = square_panel("", &[], extent, Some(&bar)).1;
        let (x, y) = axes.pixel(0.5, 0.5).expect("inside");
        let d = arrow(&axes, &[0.5, 0.5], &[3e-200, 4e-200], 10.0).expect("an arrow");
        let start = format!("M{} {}L{} {}", number(x), number(y), number(x + 6.0), number(y - 8.0));
        assert!(d.starts_with(&start), "{d} is not {start}");
    }

    #[test]
    fn colour_bars_end_with_a_tick() {
        for i in 1..3000 {
            let cap = rounded_up(f64::from(i) * 0.037);
            let ticks = Axis::linear(Range::new(0.0, cap), "").ticks(SIDE, TICK_SPACING);
            let last = ticks.last().expect("an axis has ticks").value;
            assert!((last / cap - 1.0).abs() < 1e-9, "{last} is not {cap}");
        }
    }

    #[test]
    fn poisoned_scores_are_drawn() {
        let good = Points::new(2, vec![0.0, 1.0, 2.0, 3.0, 0.5, 0.5]);
        for v in [f64::NAN, f64::INFINITY, 0.0, 1e300, 1e-300] {
            let bad = Points::new(2, vec![v, 1.0, v, v, -v, v]);
            for (positions, scores) in [(&good, &bad), (&bad, &good), (&bad, &bad)] {
                assert!(figure(positions, scores).and_then(|f| f.to_rgba(300)).is_ok());
            }
        }
        let empty = Points::new(2, vec![]);
        assert!(figure(&empty, &empty).and_then(|f| f.to_rgba(300)).is_ok());
    }
}
