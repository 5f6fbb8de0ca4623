//! Colour for numbers: the map of a field and the bar that explains it.

use std::fmt::Write as _;

use super::axes::{Axis, TICK_SPACING, draw_y_ticks, widest_label};
use super::svg::{Anchor, Frame, INK, NORMAL, SPINE, Svg};
use super::ticks::Tick;

/// A perceptually even, colour-blind-safe map from 0..=1 to colours.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ColourMap {
    /// Dark blue over green to pale yellow, for fields that fill a panel: what is low stands out, the rest
    /// stays near the paper.
    Field,
    /// The same the other way round, for densities: dark is much.
    Density,
    /// Grey to white, for fields under thin coloured lines.
    Paper,
    /// Dark violet over green to light green, for thin strokes on white.
    Strokes,
}

impl ColourMap {
    /// The colour of a fraction; out-of-range ones (and NaN) take the nearest end.
    pub(crate) fn rgb(self, fraction: f64) -> [u8; 3] {
        let fraction = if fraction > 0.0 { fraction.min(1.0) } else { 0.0 };
        let colour = match self {
            Self::Field => colorous::YELLOW_GREEN_BLUE.eval_continuous(1.0 - fraction),
            Self::Density => colorous::YELLOW_GREEN_BLUE.eval_continuous(fraction),
            Self::Paper => {
                let [r, g, b] = [0xa4, 0xae, 0xbc].map(|low: u8| 255.0 - (1.0 - fraction) * f64::from(255 - low));
                return [r, g, b].map(|v| v.round() as u8);
            }
            // The yellow end of the map is invisible on white.
            Self::Strokes => colorous::VIRIDIS.eval_continuous(0.88 * fraction),
        };
        [colour.r, colour.g, colour.b]
    }

    /// A stroke that shows on the colour of a fraction of a field's map.
    pub(crate) fn line_over(self, fraction: f64) -> &'static str {
        let fraction = if matches!(self, Self::Density) { 1.0 - fraction } else { fraction };
        if matches!(self, Self::Paper) {
            "stroke=\"#6d7889\" stroke-width=\"0.7\" stroke-opacity=\"0.6\""
        } else if fraction < 0.6 {
            "stroke=\"#ffffff\" stroke-width=\"0.9\" stroke-opacity=\"0.7\""
        } else {
            "stroke=\"#1d4a6b\" stroke-width=\"0.9\" stroke-opacity=\"0.45\""
        }
    }

    /// The colour of a fraction, as SVG writes it.
    pub(crate) fn hex(self, fraction: f64) -> String {
        let [r, g, b] = self.rgb(fraction);
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

/// The key to a colour map, drawn to the right of a panel and exactly as high.
#[derive(Debug)]
pub(crate) struct ColourBar<'a> {
    pub(crate) map: ColourMap,
    pub(crate) axis: &'a Axis,
    /// Whether values above the end of the axis exist and share its last colour.
    pub(crate) clipped: bool,
    /// Values to mark with a line across the bar, such as contour levels.
    pub(crate) marks: &'a [f64],
}

impl ColourBar<'_> {
    /// Space from a panel to its bar.
    const GAP: f64 = 16.0;
    const WIDTH: f64 = 14.0;

    /// All the space to the right of a panel of this height that the bar with its numbers and label takes.
    pub(crate) fn space(&self, height: f64) -> f64 {
        Self::GAP + Self::WIDTH + self.label_offset(height) + 14.0
    }

    /// From the bar to the baseline of its label.
    fn label_offset(&self, height: f64) -> f64 {
        widest_label(&self.ticks(height)) + 11.0 + NORMAL
    }

    fn ticks(&self, height: f64) -> Vec<Tick> {
        let mut ticks = self.axis.ticks(height, TICK_SPACING);
        if let Some(last) = ticks.last_mut().filter(|_| self.clipped) {
            last.label = format!("≥{}", last.label);
        }
        ticks
    }

    pub(crate) fn draw(&self, svg: &mut Svg, panel: Frame) {
        let frame = Frame { x: panel.right() + Self::GAP, width: Self::WIDTH, ..panel };
        let id = svg.id("bar");
        let mut gradient = format!("<linearGradient id=\"{id}\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">");
        const STOPS: u32 = 32;
        for i in 0..=STOPS {
            let fraction = f64::from(i) / f64::from(STOPS);
            let _ = write!(gradient, "<stop offset=\"{fraction}\" stop-color=\"{}\"/>", self.map.hex(fraction));
        }
        svg.raw(&(gradient + "</linearGradient><g class=\"colour-bar\">"));
        svg.rect(frame, &format!("fill=\"url(#{id})\" stroke=\"{SPINE}\" stroke-width=\"0.8\""));
        for mark in self.marks {
            let y = frame.bottom() - frame.height * self.axis.fraction(*mark);
            svg.line(
                (frame.x, y),
                (frame.right(), y),
                "stroke=\"#ffffff\" stroke-width=\"0.8\" stroke-opacity=\"0.8\"",
            );
        }
        draw_y_ticks(svg, &self.ticks(frame.height), self.axis, frame, true);
        let label = self.axis.fitted_label(NORMAL, frame.height);
        let x = frame.right() + self.label_offset(frame.height);
        svg.text((x, frame.y + 0.5 * frame.height), Anchor::Upwards, NORMAL, INK, &label);
        svg.raw("</g>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_the_known_colours_and_nan_is_safe() {
        assert_eq!(ColourMap::Field.hex(0.0), "#081d58");
        assert_eq!(ColourMap::Field.rgb(f64::INFINITY), ColourMap::Field.rgb(1.0));
        assert_eq!(ColourMap::Field.rgb(f64::NAN), ColourMap::Field.rgb(0.0));
    }

    /// How light a colour is: the relative luminance of sRGB (IEC 61966-2-1).
    fn luminance(rgb: [u8; 3]) -> f64 {
        let linear = |v: u8| match f64::from(v) / 255.0 {
            v if v <= 0.040_45 => v / 12.92,
            v => ((v + 0.055) / 1.055).powf(2.4),
        };
        let [r, g, b] = rgb.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// All maps are sequential: in print and for the colour-blind, lightness alone tells the order.
    #[test]
    fn every_map_grows_lighter_or_darker_all_along() {
        let next = |map: &ColourMap| match map {
            ColourMap::Field => Some(ColourMap::Density),
            ColourMap::Density => Some(ColourMap::Paper),
            ColourMap::Paper => Some(ColourMap::Strokes),
            ColourMap::Strokes => None,
        };
        for map in std::iter::successors(Some(ColourMap::Field), next) {
            let ramp: Vec<f64> = (0..=64).map(|i| luminance(map.rgb(f64::from(i) / 64.0))).collect();
            let whole = ramp[64] - ramp[0];
            assert!(whole.abs() > 0.4 && ramp.windows(2).all(|w| (w[1] - w[0]) * whole > 0.0), "{map:?}: {ramp:?}");
        }
    }
}
