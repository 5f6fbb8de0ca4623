//! The key to the lines of a panel, in the corner where it hides the least.

use super::super::axes::Panel;
use super::super::svg::{Anchor, Frame, INK, NORMAL, SMALL, Svg, fitted, text_width};

/// How an entry looks in the key.
#[derive(Debug, Clone)]
pub(crate) enum Swatch {
    /// A stretch of line with this stroke.
    Line(String),
    /// A small filled box with this style.
    Area(String),
    /// A dot of this radius with this style.
    Dot(f64, String),
}

/// One line of the key.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) swatch: Swatch,
    pub(crate) label: String,
}

const ROW: f64 = 19.0;
const SWATCH: f64 = 24.0;
const INSET: f64 = 10.0;

/// Draws the key in the corner with the fewest of `occupied` (pixels that curves pass through).
pub(crate) fn draw(svg: &mut Svg, panel: &Panel, entries: &[Entry], occupied: &[(f64, f64)]) {
    if entries.is_empty() {
        return;
    }
    let room = panel.frame.width - 2.0 * INSET - SWATCH - 24.0;
    let labels: Vec<String> = entries.iter().map(|e| fitted(&e.label, SMALL, room)).collect();
    let widest = labels.iter().map(|l| text_width(l, SMALL)).fold(0.0, f64::max);
    let size = (SWATCH + widest + 24.0, ROW * entries.len() as f64 + 8.0);
    let corner = quietest_corner(panel.frame, size, occupied);
    svg.raw("<g class=\"legend\">");
    svg.rect(corner, "fill=\"#ffffff\" fill-opacity=\"0.9\"");
    for (i, (entry, label)) in entries.iter().zip(&labels).enumerate() {
        let (x, y) = (corner.x + 8.0, corner.y + 4.0 + ROW * (i as f64 + 0.5));
        draw_swatch(svg, &entry.swatch, (x, y));
        svg.text((x + SWATCH + 8.0, y + 0.36 * SMALL), Anchor::Start, SMALL, INK, label);
    }
    svg.raw("</g>");
}

/// Draws the title of a panel on the left above it and the key on the right, where it hides nothing.
pub(crate) fn draw_above(svg: &mut Svg, frame: Frame, title: &str, entries: &[Entry]) {
    let baseline = frame.y - 10.0;
    let mut right = frame.right();
    svg.raw("<g class=\"legend\">");
    for entry in entries.iter().rev() {
        svg.text((right, baseline), Anchor::End, SMALL, INK, &entry.label);
        let swatch = if matches!(entry.swatch, Swatch::Dot(..)) { SWATCH / 2.0 } else { SWATCH };
        right -= text_width(&entry.label, SMALL) + 4.0 + swatch;
        let x = if matches!(entry.swatch, Swatch::Dot(..)) { right - SWATCH / 4.0 } else { right };
        draw_swatch(svg, &entry.swatch, (x, baseline - 0.36 * SMALL));
        right -= 12.0;
    }
    svg.raw("</g>");
    svg.text((frame.x, baseline), Anchor::Start, NORMAL, INK, &fitted(title, NORMAL, right - frame.x));
}

fn draw_swatch(svg: &mut Svg, swatch: &Swatch, (x, y): (f64, f64)) {
    match swatch {
        Swatch::Line(stroke) => svg.line((x, y), (x + SWATCH, y), stroke),
        Swatch::Dot(radius, style) => svg.dots([(x + 0.5 * SWATCH, y)].into_iter(), *radius, style),
        Swatch::Area(style) => svg.rect(Frame { x, y: y - 5.5, width: SWATCH, height: 11.0 }, style),
    }
}

/// A box of this size in the corner of the frame that holds the fewest points; upper right among equals.
fn quietest_corner(frame: Frame, (width, height): (f64, f64), occupied: &[(f64, f64)]) -> Frame {
    // Flush with the sides, so that no stub of a grid line shows beside the key.
    let (left, right) = (frame.x + 1.0, frame.right() - width);
    let (top, bottom) = (frame.y + INSET, frame.bottom() - INSET - height);
    let crowd = |corner: &Frame| {
        let inside =
            |p: &&(f64, f64)| (corner.x..=corner.right()).contains(&p.0) && (corner.y..=corner.bottom()).contains(&p.1);
        occupied.iter().filter(inside).count()
    };
    let corners =
        [(right, top), (left, top), (right, bottom), (left, bottom)].map(|(x, y)| Frame { x, y, width, height });
    corners.into_iter().min_by_key(crowd).unwrap_or(corners[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_avoids_the_curve() {
        let frame = Frame { x: 0.0, y: 0.0, width: 100.0, height: 100.0 };
        let falling: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), f64::from(i))).collect();
        assert_eq!(
            quietest_corner(frame, (30.0, 20.0), &falling),
            Frame { x: 70.0, y: 10.0, width: 30.0, height: 20.0 }
        );
        let rising: Vec<(f64, f64)> = falling.iter().map(|(x, y)| (*x, 100.0 - y)).collect();
        assert_eq!(quietest_corner(frame, (30.0, 20.0), &rising).x, 1.0);
    }
}
