//! A field as an embedded picture, one pixel a grid node, smoothed by the renderer.

use super::axes::Panel;
use super::colour::ColourMap;
use super::grid::Grid;
use super::range::Range;
use super::raster::RgbaFrame;
use super::svg::{Svg, number};
use crate::error::Result;

/// Shown where a field is NaN or −∞.
const MISSING: [u8; 3] = [0xdd, 0xdd, 0xdd];

/// Coarser grids are refined to this many nodes a side: renderers blur, but only across a pixel or two.
const FINE: usize = 300;

/// Draws the field into a panel with the same units; values above `shown` take its last colour.
pub(crate) fn draw(svg: &mut Svg, panel: &Panel, grid: &Grid, shown: Range, map: ColourMap) -> Result<()> {
    let steps = [grid.columns(), grid.rows()].map(|count| FINE.div_ceil(count));
    let picture = picture(grid, steps, shown, map);
    let png = picture.to_png()?;
    let extent = grid.extent();
    // Nodes are the centres of pixels, so the picture reaches half a pixel beyond the extent; the panel clips it.
    let half_x = 0.5 * extent.x.width() / f64::from(picture.width - 1);
    let half_y = 0.5 * extent.y.width() / f64::from(picture.height - 1);
    let left = panel.x_pixel(extent.x.lo() - half_x);
    let top = panel.y_pixel(extent.y.hi() + half_y);
    let width = panel.x_pixel(extent.x.hi() + half_x) - left;
    let height = panel.y_pixel(extent.y.lo() - half_y) - top;
    svg.open_clipped(panel.frame);
    svg.raw(&format!(
        "<image class=\"heatmap\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
         image-rendering=\"optimizeQuality\" href=\"data:image/png;base64,{}\"/></g>",
        number(left),
        number(top),
        number(width),
        number(height),
        base64(&png)
    ));
    Ok(())
}

/// The field's colours at `steps` pixels an interval of [x, y], highest row first.
fn picture(grid: &Grid, steps: [usize; 2], shown: Range, map: ColourMap) -> RgbaFrame {
    let (width, height) = ((grid.columns() - 1) * steps[0] + 1, (grid.rows() - 1) * steps[1] + 1);
    let mut pixels = Vec::with_capacity(4 * width * height);
    for row in (0..height).rev() {
        for column in 0..width {
            let value = interpolated(grid, column, row, steps);
            let fraction = (value - shown.lo()) / shown.width();
            let missing = value.is_nan() || value == f64::NEG_INFINITY;
            let [r, g, b] = if missing { MISSING } else { map.rgb(fraction) };
            pixels.extend([r, g, b, 255]);
        }
    }
    RgbaFrame { width: width as u32, height: height as u32, pixels }
}

/// The value at a refined node, bilinear between its neighbours; a neighbour without weight has no say.
fn interpolated(grid: &Grid, column: usize, row: usize, steps: [usize; 2]) -> f64 {
    let mut value = 0.0;
    for (r, weight_r) in corners(row, steps[1]) {
        for (c, weight_c) in corners(column, steps[0]) {
            if weight_r * weight_c > 0.0 {
                value += weight_r * weight_c * grid.at(c, r);
            }
        }
    }
    value
}

/// The two nodes around a refined index, with their weights.
fn corners(index: usize, steps: usize) -> [(usize, f64); 2] {
    let fraction = (index % steps) as f64 / steps as f64;
    [(index / steps, 1.0 - fraction), (index / steps + 1, fraction)]
}

/// Bytes in base64 (RFC 4648), as data URIs want them.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::grid::Extent;
    use super::*;

    #[test]
    fn base64_of_the_rfc() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn the_first_row_of_values_is_the_lowest_of_pixels() {
        let extent = Extent { x: Range::new(0.0, 1.0), y: Range::new(0.0, 1.0) };
        let grid = Grid::new(extent, 2, 2, vec![0.0, f64::NAN, 1.0, f64::INFINITY]).expect("2x2 values");
        let got = picture(&grid, [1, 1], Range::new(0.0, 1.0), ColourMap::Field).pixels;
        let low = ColourMap::Field.rgb(0.0);
        let high = ColourMap::Field.rgb(1.0);
        let want: Vec<u8> = [high, high, low, MISSING].iter().flat_map(|c| [c[0], c[1], c[2], 255]).collect();
        assert_eq!(got, want);
        assert_eq!(interpolated(&grid, 0, 1, [2, 2]), 0.5);
    }
}
