//! The few SVG elements that the figures are made of, written as text.

use std::fmt::Write as _;

use super::markup::escaped;
use super::raster::Figure;

/// Text and spines.
pub(crate) const INK: &str = "#222222";
/// Secondary text.
pub(crate) const GREY: &str = "#666666";
/// Spines and tick marks.
pub(crate) const SPINE: &str = "#8c8c8c";
/// The data, wherever it is compared with the model.
pub(crate) const DATA: &str = "#3b6fb6";
/// The model, wherever it is compared with the data.
pub(crate) const MODEL: &str = "#d9822b";

/// Font size of what is said inside a small panel; no text is smaller.
pub(crate) const TINY: f64 = 10.5;
/// Font size of tick labels and legends.
pub(crate) const SMALL: f64 = 12.0;
/// Font size of axis labels and titles.
pub(crate) const NORMAL: f64 = 13.0;

/// A rectangle in pixels; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Frame {
    pub(crate) fn right(self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(self) -> f64 {
        self.y + self.height
    }
}

/// Which end of a text sits at its position.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
    /// Centred and turned to read upwards.
    Upwards,
}

/// A document under construction.
#[derive(Debug)]
pub(crate) struct Svg {
    width: f64,
    height: f64,
    body: String,
    ids: usize,
}

impl Svg {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new(), ids: 0 }
    }

    /// Makes the page higher.
    pub(crate) fn grow(&mut self, by: f64) {
        self.height += by;
    }

    /// Adds markup as it is; the other methods are for everything that holds foreign text.
    pub(crate) fn raw(&mut self, markup: &str) {
        self.body.push_str(markup);
        self.body.push('\n');
    }

    /// A name for a definition, unique in the document.
    pub(crate) fn id(&mut self, stem: &str) -> String {
        self.ids += 1;
        format!("{stem}{}", self.ids)
    }

    /// Opens a group that shows only what lies in `frame`; `raw("</g>")` closes it.
    pub(crate) fn open_clipped(&mut self, frame: Frame) {
        let id = self.id("clip");
        let rect = rect_markup(frame, "");
        self.raw(&format!("<clipPath id=\"{id}\">{rect}</clipPath><g clip-path=\"url(#{id})\">"));
    }

    pub(crate) fn rect(&mut self, frame: Frame, style: &str) {
        let markup = rect_markup(frame, style);
        self.raw(&markup);
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), style: &str) {
        let d = format!("M{} {}L{} {}", number(from.0), number(from.1), number(to.0), number(to.1));
        self.path(&d, style);
    }

    /// A path; nothing when it has no points.
    pub(crate) fn path(&mut self, d: &str, style: &str) {
        if !d.is_empty() {
            self.raw(&format!("<path d=\"{d}\" {style}/>"));
        }
    }

    /// A group of equal dots, with the style on the group.
    pub(crate) fn dots(&mut self, at: impl Iterator<Item = (f64, f64)>, radius: f64, style: &str) {
        self.raw(&format!("<g class=\"dots\" {style}>"));
        for (x, y) in at {
            let _ = writeln!(self.body, "<circle cx=\"{}\" cy=\"{}\" r=\"{radius}\"/>", number(x), number(y));
        }
        self.raw("</g>");
    }

    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, size: f64, colour: &str, text: &str) {
        let (x, y) = (number(x), number(y));
        let place = match anchor {
            Anchor::Start => format!("x=\"{x}\" y=\"{y}\""),
            Anchor::Middle => format!("x=\"{x}\" y=\"{y}\" text-anchor=\"middle\""),
            Anchor::End => format!("x=\"{x}\" y=\"{y}\" text-anchor=\"end\""),
            Anchor::Upwards => format!("transform=\"translate({x} {y}) rotate(-90)\" text-anchor=\"middle\""),
        };
        self.raw(&format!("<text {place} font-size=\"{size}\" fill=\"{colour}\">{}</text>", escaped(text)));
    }

    /// The finished figure, on white.
    pub(crate) fn finish(self) -> Figure {
        let (w, h) = (self.width.ceil(), self.height.ceil());
        let head = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
             font-family=\"'DejaVu Sans', Verdana, sans-serif\">\n<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n"
        );
        Figure { svg: head + &self.body + "</svg>\n" }
    }
}

fn rect_markup(frame: Frame, style: &str) -> String {
    let Frame { x, y, width, height } = frame;
    let (x, y, width, height) = (number(x), number(y), number(width), number(height));
    format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {style}/>")
}

/// A coordinate, kept near the page: renderers lose precision (and time) on far ones.
pub(crate) fn number(value: f64) -> String {
    let value = if value.is_nan() { 0.0 } else { value.clamp(-2e4, 2e4) };
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// The `d` of a line through points, broken where a point is missing.
pub(crate) fn polyline(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let mut d = String::new();
    let mut pen = 'M';
    for point in points {
        match point {
            Some((x, y)) => {
                let _ = write!(d, "{pen}{} {}", number(x), number(y));
                pen = 'L';
            }
            None => pen = 'M',
        }
    }
    d
}

/// The width of a text in pixels, from the advances of DejaVu Sans by class of character.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|c| match c {
            '.' | ',' | ' ' | ':' | '|' | 'i' | 'l' | 'j' | '\'' => 0.32,
            '(' | ')' | 'f' | 't' | 'r' | '⁰'..='⁻' | '¹' | '²' | '³' | '₀'..='₉' => 0.4,
            '−' | '×' | '±' | '≥' | '≤' | '+' | '=' | '<' | '>' => 0.84,
            'm' | 'w' | 'M' | 'W' | '%' => 0.97,
            'A'..='Z' => 0.7,
            _ => 0.63,
        })
        .sum();
    em * size
}

/// The text, cut with an ellipsis where it would be wider than `width`.
pub(crate) fn fitted(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_string();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if text_width(&kept, size) > width - size {
            break;
        }
    }
    kept.pop();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut() {
        assert_eq!(fitted("short", 12.0, 100.0), "short");
        assert!(text_width(&fitted(&"name ".repeat(100), 12.0, 100.0), 12.0) <= 100.0);
    }

    #[test]
    fn coordinates_are_finite_and_short() {
        assert_eq!(number(f64::NAN), "0");
        assert_eq!(number(1.5), "1.5");
        assert_eq!(number(f64::NEG_INFINITY), "-20000");
        assert_eq!(polyline([Some((0.0, 1.0)), None, Some((2.0, 3.0)), Some((4.0, 5.0))]), "M0 1M2 3L4 5");
    }
}
