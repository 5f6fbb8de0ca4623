//! One panel of a figure: two axes around a frame, and the way from data units to pixels.

use super::quantity::short;
use super::range::{Range, drawable};
use super::svg::{Anchor, Frame, INK, NORMAL, SMALL, SPINE, Svg, fitted, number, text_width};
use super::ticks::{self, Tick};

/// The distance between ticks that is aimed at, in pixels.
pub(crate) const TICK_SPACING: f64 = 56.0;

/// How values map to lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// Needs a range above 0; an axis falls back to linear without one.
    Log10,
}

/// One axis: what it shows, from where to where, and how.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    range: Range,
    scale: Scale,
    label: String,
    /// What the numbers of the ticks are counted from, in words; empty for 0.
    offset: String,
}

impl Axis {
    pub(crate) fn new(range: Range, scale: Scale, label: &str) -> Self {
        let offset = ticks::offset(range);
        // over so narrow a range as one with an offset, a logarithm is a straight line
        let scale = if range.lo() > 0.0 && offset == 0.0 { scale } else { Scale::Linear };
        let sign = if offset > 0.0 { "+" } else { "" };
        // it has at most ten digits: no range is narrower than 1e-9 of its place
        let offset = if offset == 0.0 { String::new() } else { format!(" ({sign}{})", short(offset, 10)) };
        Self { range, scale, label: label.to_string(), offset }
    }

    pub(crate) fn linear(range: Range, label: &str) -> Self {
        Self::new(range, Scale::Linear, label)
    }

    pub(crate) fn range(&self) -> Range {
        self.range
    }

    /// The label, cut where it would be wider than `width`, and what the numbers are counted from, as in `time (+1.7×10⁹)`.
    pub(crate) fn fitted_label(&self, size: f64, width: f64) -> String {
        fitted(&self.label, size, width - text_width(&self.offset, size)) + &self.offset
    }

    /// Where a value lies, 0 at the lower end and 1 at the upper; NaN if it has no place on the axis.
    pub(crate) fn fraction(&self, value: f64) -> f64 {
        let (lo, hi) = (self.range.lo(), self.range.hi());
        match self.scale {
            _ if !drawable(value) => f64::NAN,
            Scale::Linear => (value - lo) / self.range.width(),
            Scale::Log10 if value > 0.0 => (value / lo).ln() / (hi / lo).ln(),
            Scale::Log10 => f64::NAN,
        }
    }

    /// Ticks for an axis of `length` pixels, about `spacing` apart.
    pub(crate) fn ticks(&self, length: f64, spacing: f64) -> Vec<Tick> {
        let target = ((length / spacing) as usize).max(2);
        match self.scale {
            Scale::Linear => ticks::linear(self.range, target),
            Scale::Log10 => ticks::log10(self.range, target),
        }
    }

    /// Ticks of a horizontal axis: as many as fit without their labels touching, the outermost two if need be.
    pub(crate) fn ticks_abreast(&self, length: f64) -> Vec<Tick> {
        let mut spacing = TICK_SPACING;
        loop {
            let mut ticks = self.ticks(length, spacing);
            let widest = widest_label(&ticks);
            let nearest = ticks.windows(2).map(|w| self.fraction(w[1].value) - self.fraction(w[0].value));
            let nearest = nearest.fold(1.0, f64::min) * length;
            if widest + 16.0 <= nearest || self.scale == Scale::Log10 {
                return ticks;
            }
            if spacing > length {
                ticks.drain(1..ticks.len().max(2) - 1);
                return ticks;
            }
            spacing *= 1.25;
        }
    }
}

/// Which sides of the frame are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spines {
    /// All four, for pictures of the plane.
    Box,
    /// Left and bottom, with pale lines across at the ticks, for curves.
    Corner,
}

/// A panel in its place on the page.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) frame: Frame,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) title: String,
    pub(crate) spines: Spines,
    /// Whether the x and the y axis are written out; a neighbour above or on the right with the same axis leaves it away.
    pub(crate) written: [bool; 2],
}

impl Panel {
    /// Space above a frame for its title.
    pub(crate) const ABOVE: f64 = 36.0;
    /// Space below a frame for tick labels and axis label.
    pub(crate) const BELOW: f64 = 54.0;
    /// Space right of a frame, for half a tick label.
    pub(crate) const RIGHT: f64 = 28.0;

    /// The space left of a frame that a y axis takes with its tick labels and label.
    pub(crate) fn left_of(y: &Axis, height: f64) -> f64 {
        widest_label(&y.ticks(height, TICK_SPACING)) + 9.0 + 8.0 + NORMAL + 10.0
    }

    pub(crate) fn x_pixel(&self, value: f64) -> f64 {
        self.frame.x + self.frame.width * self.x.fraction(value)
    }

    pub(crate) fn y_pixel(&self, value: f64) -> f64 {
        self.frame.bottom() - self.frame.height * self.y.fraction(value)
    }

    /// The pixel of a point, if it has one.
    pub(crate) fn pixel(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let (x, y) = (self.x_pixel(x), self.y_pixel(y));
        (x.is_finite() && y.is_finite()).then_some((x, y))
    }

    /// Pixels a unit of x and of y; for linear axes.
    pub(crate) fn pixels_per_unit(&self) -> (f64, f64) {
        (self.frame.width / self.x.range.width(), self.frame.height / self.y.range.width())
    }

    /// Whether a point lies inside the axes.
    pub(crate) fn holds(&self, x: f64, y: f64) -> bool {
        self.x.range.contains(x) && self.y.range.contains(y)
    }

    /// Lines across the panel, to be drawn before the curves.
    pub(crate) fn draw_grid_lines(&self, svg: &mut Svg) {
        for tick in self.y.ticks(self.frame.height, TICK_SPACING).iter().filter(|t| !t.label.is_empty()) {
            let y = self.y_pixel(tick.value);
            svg.line((self.frame.x, y), (self.frame.right(), y), "stroke=\"#ececec\" stroke-width=\"1\"");
        }
    }

    /// Spines, ticks, labels and title, to be drawn over the contents.
    pub(crate) fn draw_axes(&self, svg: &mut Svg) {
        let Frame { x, y, width, height } = self.frame;
        let (right, bottom) = (self.frame.right(), self.frame.bottom());
        svg.raw("<g class=\"panel\">");
        let spine = format!("fill=\"none\" stroke=\"{SPINE}\" stroke-width=\"0.8\"");
        match self.spines {
            Spines::Box => svg.rect(self.frame, &spine),
            Spines::Corner => {
                let [l, t, r, b] = [x, y, right, bottom].map(number);
                svg.path(&format!("M{l} {t}L{l} {b}L{r} {b}"), &spine);
            }
        }
        let [x_written, y_written] = self.written;
        for tick in self.x.ticks_abreast(width) {
            let at = self.x_pixel(tick.value);
            svg.line((at, bottom), (at, bottom + 4.0), &spine);
            if x_written && !tick.label.is_empty() {
                svg.text((at, bottom + 18.0), Anchor::Middle, SMALL, INK, &tick.label);
            }
        }
        if x_written {
            let label = self.x.fitted_label(NORMAL, width);
            svg.text((x + 0.5 * width, bottom + 38.0), Anchor::Middle, NORMAL, INK, &label);
        }
        let mut y_ticks = self.y.ticks(height, TICK_SPACING);
        if !y_written {
            y_ticks.iter_mut().for_each(|tick| tick.label.clear());
        }
        let widest = draw_y_ticks(svg, &y_ticks, &self.y, self.frame, false);
        if y_written {
            let label = self.y.fitted_label(NORMAL, height);
            svg.text((x - 9.0 - widest - 8.0, y + 0.5 * height), Anchor::Upwards, NORMAL, INK, &label);
        }
        // A title may be a little wider than its panel, by less than the gap to the next one.
        svg.text((x + 0.5 * width, y - 10.0), Anchor::Middle, NORMAL, INK, &fitted(&self.title, NORMAL, width + 24.0));
        svg.raw("</g>");
    }
}

/// Draws the ticks of a vertical axis left or right of a frame; the width of the widest label comes back.
pub(crate) fn draw_y_ticks(svg: &mut Svg, ticks: &[Tick], axis: &Axis, frame: Frame, on_the_right: bool) -> f64 {
    let style = format!("stroke=\"{SPINE}\" stroke-width=\"0.8\"");
    for tick in ticks {
        let y = frame.bottom() - frame.height * axis.fraction(tick.value);
        let reach = if tick.label.is_empty() { 2.5 } else { 4.0 };
        let (from, to) = if on_the_right { (frame.right(), frame.right() + reach) } else { (frame.x - reach, frame.x) };
        svg.line((from, y), (to, y), &style);
        if tick.label.is_empty() {
            continue;
        }
        let (x, anchor) = if on_the_right { (to + 4.0, Anchor::Start) } else { (from - 4.0, Anchor::End) };
        svg.text((x, y + 0.36 * SMALL), anchor, SMALL, INK, &tick.label);
    }
    widest_label(ticks)
}

pub(crate) fn widest_label(ticks: &[Tick]) -> f64 {
    ticks.iter().map(|t| text_width(&t.label, SMALL)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_map_to_fractions() {
        let log = Axis::new(Range::new(0.01, 100.0), Scale::Log10, "");
        assert!((log.fraction(1.0) - 0.5).abs() < 1e-12);
        assert!(log.fraction(-1.0).is_nan());
        let linear = Axis::new(Range::new(-1.0, 3.0), Scale::Log10, "");
        assert_eq!(linear.fraction(0.0), 0.25);
        assert!(linear.fraction(f64::INFINITY).is_nan());
    }

    #[test]
    fn wide_labels_get_fewer_ticks() {
        let axis = Axis::linear(Range::new(0.0, 100_000.0), "step");
        let ticks = axis.ticks_abreast(250.0);
        assert!((3..=6).contains(&ticks.len()), "{} ticks", ticks.len());
    }

    #[test]
    fn far_from_0_numbers_are_short_and_say_what_they_are_counted_from() {
        let axis = Axis::new(Range::new(1.7e9 - 4.0, 1.7e9 + 4.0), Scale::Log10, "time");
        assert_eq!(axis.fitted_label(NORMAL, 200.0), "time (+1.7×10⁹)");
        assert!(axis.ticks_abreast(150.0).len() >= 3);
        assert!((axis.fraction(1.7e9) - 0.5).abs() < 1e-9);
        let axis = Axis::linear(Range::new(-20_001.0, -20_000.5), &"name ".repeat(100));
        let label = axis.fitted_label(NORMAL, 200.0);
        assert!(label.ends_with("… (−20,001)") && text_width(&label, NORMAL) <= 200.0, "{label}");
        let near = Axis::linear(Range::new(0.0, 1.0), "time");
        assert_eq!(near.fitted_label(NORMAL, 200.0), "time");
    }

    #[test]
    fn where_all_labels_would_touch_two_are_left() {
        let ticks = Axis::linear(Range::new(-4e7, 4e7), "").ticks_abreast(150.0);
        assert_eq!(ticks.iter().map(|tick| tick.label.as_str()).collect::<Vec<_>>(), ["−4×10⁷", "4×10⁷"]);
    }
}
