//! Figures of a run: SVG text that this module writes itself, and the PNG rasterised from the same text; pages that hold
//! them ([`Page`]), and what the metrics in them mean ([`METRICS`]).
//!
//! | Figure | Shows |
//! |---|---|
//! | [`energy_figure`] | a 2-D energy as heat map and contours, with some of the data |
//! | [`energy_line_figure`] | a 1-D energy as a density, over the histogram of the data |
//! | [`samples_figure`] | data and model samples side by side on the same axes |
//! | [`image_figure`] | samples that are images beside the data |
//! | [`score_figure`] | a 2-D score field as arrows |
//! | [`loss_figure`] | a training loss: raw, running mean, optional reference line |
//! | [`paths_figure`] | the paths of a few chains over the energy |
//! | [`Particles`] | many chains at one moment over the energy: the frames of [`write_gif`] |
//! | [`lines_figure`], [`scaling_figure`] | any named lines, over linear and over logarithmic axes |
//! | [`panels_figure`] | many models: data sets down, objectives across, energy or density with samples |
//! | [`strips_figure`] | one number of many runs: data sets in panels, objectives down, a dot for each seed |
//!
//! All inputs may hold NaN, infinities or nothing at all: what cannot be drawn is left out, nothing panics.

mod animation;
mod axes;
mod colour;
mod contour;
mod figures;
mod grid;
mod heatmap;
mod html;
mod markup;
mod meaning;
mod palette;
mod quantity;
mod range;
mod raster;
mod svg;
mod ticks;

pub use animation::write_gif;
pub use figures::backdrop::Backdrop;
pub use figures::energy::{EnergyPanel, energy_figure};
pub use figures::energy_line::{EnergyLine, energy_line_figure};
pub use figures::images::{ImageSheets, image_figure};
pub use figures::lines::{Lines, Series, lines_figure, scaling_figure};
pub use figures::loss::{LossCurve, loss_figure};
pub use figures::panels::{PanelCell, PanelRow, Panels, Shading, panels_figure};
pub use figures::particles::Particles;
pub use figures::paths::{ChainsPanel, Trace, paths_figure};
pub use figures::samples::samples_figure;
pub use figures::score::{ScorePanel, score_figure};
pub use figures::strips::{StripPanel, Strips, strips_figure};
pub use grid::{Extent, Grid};
pub use html::{Cell, Column, Page, Standing, Table, Width};
pub use meaning::{Better, METRICS, Meaning, meaning};
pub use quantity::{count, duration, quantity, short, with_error};
pub use range::Range;
pub use raster::{Figure, RgbaFrame};
