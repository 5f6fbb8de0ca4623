//! Many chains at one moment, over what they move on: the frames of an animation. What stays is drawn once; particles are
//! put straight into the pixels.

use super::super::axes::{Axis, Panel, Spines};
use super::super::colour::ColourMap;
use super::super::range::Range;
use super::super::raster::RgbaFrame;
use super::super::svg::{Anchor, Frame, INK, NORMAL, Svg, fitted, polyline, text_width};
use super::backdrop::{self, Backdrop};
use super::paths::{ChainsPanel, Trace};
use crate::error::Result;

/// Pixels of a frame per pixel of the page.
const SCALE: f64 = 1.25;
/// The radius of a particle, in pixels of a frame.
const RADIUS: f64 = 2.1;
/// The colour of a particle, and of the rim that sets it off from others and from a pale ground.
const COLOUR: [f64; 3] = [255.0, 138.0, 31.0];
const RIM: [f64; 3] = [74.0, 32.0, 0.0];
/// Rows of the page above the panel that hold the title and nothing else.
const BAND: f64 = 30.0;
/// With one coordinate, particles lie up to so many pixels of the page above the curve, so that many can be told from few.
const PILE: f64 = 26.0;

/// Frames of chains in motion.
#[derive(Debug)]
pub struct Particles<'a> {
    trace: &'a Trace,
    title: String,
    ground: RgbaFrame,
    axes: Panel,
    /// With one coordinate, its energy.
    line: Option<(&'a [f64], Vec<f64>)>,
}

impl<'a> Particles<'a> {
    /// Draws what stays.
    ///
    /// # Errors
    /// If the heat map cannot be encoded.
    pub fn new(panel: &ChainsPanel<'a>) -> Result<Self> {
        let untitled = ChainsPanel { title: "", ..*panel };
        let line = match panel.backdrop {
            Backdrop::Line { x, energy } if panel.dim == 1 => Some((x, above_minimum(energy))),
            _ => None,
        };
        let (mut svg, axes, relief) = match panel.dim {
            1 => {
                let (svg, axes) = curve(&untitled, line.as_ref());
                (svg, axes, None)
            }
            _ => backdrop::plane(&untitled, ColourMap::Field)?,
        };
        axes.draw_axes(&mut svg);
        backdrop::draw_bar(&mut svg, &axes, relief.as_ref());
        let figure = svg.finish();
        let ground = figure.to_rgba((figure.width()? * SCALE).round() as u32)?;
        Ok(Self { trace: panel.trace, title: panel.title.to_string(), ground, axes, line })
    }

    /// The chains after record `i` of the trace, under the title and a label that says when this is.
    ///
    /// # Errors
    /// If the title cannot be drawn.
    pub fn frame(&self, i: usize, label: &str) -> Result<RgbaFrame> {
        let mut frame = self.ground.clone();
        self.write_title(&mut frame, label)?;
        for (n, x) in self.trace.positions[i].rows().enumerate() {
            let at = match &self.line {
                Some((places, energy)) => {
                    let above = PILE * (n as f64 * 0.618_033_988_749_895).fract();
                    self.axes.pixel(x[0], interpolated(places, energy, x[0])).map(|(x, y)| (x, y - above))
                }
                None => self.axes.pixel(x[0], x.get(1).copied().unwrap_or(0.5)),
            };
            if let Some(at) = at {
                self.stamp(&mut frame, at);
            }
        }
        Ok(frame)
    }

    /// Title on the left and label on the right, above the panel.
    fn write_title(&self, frame: &mut RgbaFrame, label: &str) -> Result<()> {
        let Frame { x, y, width, .. } = self.axes.frame;
        let mut svg = Svg::new(f64::from(frame.width) / SCALE, BAND);
        let room = width - text_width(label, NORMAL) - 16.0;
        svg.text((x, y - 10.0), Anchor::Start, NORMAL, INK, &fitted(&self.title, NORMAL, room));
        svg.text((x + width, y - 10.0), Anchor::End, NORMAL, INK, label);
        let band = svg.finish().to_rgba(frame.width)?;
        let bytes = band.pixels.len().min((BAND * SCALE) as usize * 4 * frame.width as usize).min(frame.pixels.len());
        frame.pixels[..bytes].copy_from_slice(&band.pixels[..bytes]);
        Ok(())
    }

    /// A disc around a place on the page; what lies outside the panel is left out.
    fn stamp(&self, frame: &mut RgbaFrame, (x, y): (f64, f64)) {
        let inside = self.axes.frame;
        let (x, y) = (x * SCALE, y * SCALE);
        let reach = RADIUS + 1.0;
        let span = |centre: f64, low: f64, high: f64| {
            let from = (centre - reach).max(low * SCALE + 1.0).ceil().max(0.0) as usize;
            let to = (centre + reach).min(high * SCALE - 1.0).floor().max(-1.0) + 1.0;
            from..to.max(0.0) as usize
        };
        for row in span(y, inside.y, inside.bottom()) {
            for column in span(x, inside.x, inside.right()) {
                let distance = (column as f64 + 0.5 - x).hypot(row as f64 + 0.5 - y);
                // quarters are smooth enough, and few colours make small files
                let share = |radius: f64| (4.0 * (radius + 0.5 - distance).clamp(0.0, 1.0)).round() / 4.0;
                let (disc, core) = (share(RADIUS), share(RADIUS - 0.9));
                let at = 4 * (row * frame.width as usize + column);
                if let Some(pixel) = frame.pixels.get_mut(at..at + 3).filter(|_| disc > 0.0) {
                    for (c, value) in pixel.iter_mut().enumerate() {
                        let rimmed = f64::from(*value) + 0.6 * disc * (RIM[c] - f64::from(*value));
                        *value = (rimmed + core * (COLOUR[c] - rimmed)).round() as u8;
                    }
                }
            }
        }
    }
}

fn above_minimum(energy: &[f64]) -> Vec<f64> {
    let least = energy.iter().copied().filter(|e| e.is_finite()).fold(f64::INFINITY, f64::min);
    energy.iter().map(|e| e - least).collect()
}

/// The value between the two places around x; NaN outside.
fn interpolated(places: &[f64], values: &[f64], x: f64) -> f64 {
    let above = places.partition_point(|p| *p < x);
    let (Some(low), true) = (above.checked_sub(1), above < places.len()) else { return f64::NAN };
    let share = (x - places[low]) / (places[above] - places[low]);
    values[low] + share * (values[above] - values[low])
}

/// A page with an energy of one coordinate as a curve, as high as particles come.
fn curve(panel: &ChainsPanel<'_>, line: Option<&(&[f64], Vec<f64>)>) -> (Svg, Panel) {
    let names = backdrop::axis_names(panel);
    let positions = panel.trace.positions.iter().flat_map(|p| p.rows().map(|x| x[0]));
    let reached =
        line.map_or(Range::new(0.0, 1.0), |(x, energy)| Range::around(positions.map(|p| interpolated(x, energy, p))));
    let (width, height) = (540.0, 360.0);
    let top = reached.hi().max(2.0);
    // room for those that lie highest
    let y = Axis::linear(
        Range::new(-0.04 * top, top * (1.0 + 1.5 * PILE / height)),
        &format!("{}, chains piled on it", panel.energy_name),
    );
    let x = Axis::linear(panel.extent.x, &names[0]);
    let frame = Frame { x: Panel::left_of(&y, height), y: Panel::ABOVE, width, height };
    let mut svg = Svg::new(frame.right() + Panel::RIGHT, frame.bottom() + Panel::BELOW);
    let axes = Panel { frame, x, y, title: String::new(), spines: Spines::Corner, written: [true, line.is_some()] };
    axes.draw_grid_lines(&mut svg);
    if let Some((x, energy)) = line {
        svg.open_clipped(frame);
        let d = polyline(x.iter().zip(energy).map(|(x, e)| axes.pixel(*x, *e)));
        svg.path(&d, &format!("class=\"curve\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"1.6\""));
        svg.raw("</g>");
    }
    (svg, axes)
}

#[cfg(test)]
mod tests {
    use super::super::super::grid::{Extent, Grid};
    use super::*;
    use crate::points::Points;

    const UNIT: Extent = Extent { x: Range::UNIT, y: Range::UNIT };

    fn panel<'a>(dim: usize, trace: &'a Trace, backdrop: Backdrop<'a>) -> ChainsPanel<'a> {
        ChainsPanel {
            title: "T",
            names: &[],
            dim,
            trace,
            extent: UNIT,
            backdrop,
            energy_name: "E(x)",
            marks: (&[], ""),
        }
    }

    fn trace(dim: usize, values: &[f64]) -> Trace {
        let positions = values.iter().map(|v| Points::new(dim, vec![*v; dim])).collect();
        Trace { steps: (0..values.len() as u64).collect(), positions }
    }

    /// Where two frames differ, in pixels of the page: the mean, and how many pixels of the frame.
    fn change(a: &RgbaFrame, b: &RgbaFrame) -> ([f64; 2], usize) {
        let differing = a.pixels.chunks_exact(4).zip(b.pixels.chunks_exact(4)).enumerate().filter(|(_, (a, b))| a != b);
        let places: Vec<usize> = differing.map(|(i, _)| i).collect();
        let width = a.width as usize;
        let mean = |of: fn(usize, usize) -> usize| {
            places.iter().map(|i| of(*i, width) as f64 + 0.5).sum::<f64>() / places.len() as f64 / SCALE
        };
        ([mean(|i, w| i % w), mean(|i, w| i / w)], places.len())
    }

    #[test]
    fn a_particle_is_where_its_chain_is() {
        let grid = Grid::new(UNIT, 2, 2, vec![0.0, 1.0, 2.0, 3.0]).expect("2x2 values");
        for backdrop in [Backdrop::Plain, Backdrop::Energy(&grid)] {
            // the first and the last are out of sight
            let trace = trace(2, &[7.0, 0.25, f64::NAN]);
            let particles = Particles::new(&panel(2, &trace, backdrop)).expect("drawable");
            let frames = [0, 1, 2].map(|i| particles.frame(i, "step").expect("drawable"));
            assert_eq!(frames[0], frames[2]);
            let (at, size) = change(&frames[0], &frames[1]);
            let want = particles.axes.pixel(0.25, 0.25).expect("inside");
            assert!((at[0] - want.0).hypot(at[1] - want.1) < 0.3, "{at:?} is not {want:?}");
            assert!((12..=30).contains(&size), "{size} pixels");
        }
    }

    #[test]
    fn one_coordinate_lies_on_its_energy() {
        let trace = trace(1, &[7.0, 0.75]);
        let line = Backdrop::Line { x: &[0.0, 0.5, 1.0], energy: &[3.0, 1.0, 2.0] };
        let particles = Particles::new(&panel(1, &trace, line)).expect("drawable");
        let frames = [0, 1].map(|i| particles.frame(i, "").expect("drawable"));
        let (at, _) = change(&frames[0], &frames[1]);
        let want = particles.axes.pixel(0.75, 0.5).expect("inside");
        assert!((at[0] - want.0).hypot(at[1] - want.1) < 0.5, "{at:?} is not {want:?}");
    }

    #[test]
    fn the_label_is_above_the_panel() {
        let trace = trace(2, &[0.5]);
        let particles = Particles::new(&panel(2, &trace, Backdrop::Plain)).expect("drawable");
        let [a, b] = ["step 1", "step 200"].map(|label| particles.frame(0, label).expect("drawable"));
        let ([x, y], size) = change(&a, &b);
        assert!(size > 50 && y < BAND && x > 200.0, "{size} pixels around {x} {y}");
    }
}
