//! Samples that are images, as a sheet of them beside one of the data.

use super::super::markup::data_uri;
use super::super::raster::{Figure, RgbaFrame};
use super::super::svg::{Anchor, Frame, INK, NORMAL, Svg, fitted, number};
use super::counted;
use crate::data::ImageShape;
use crate::error::{Error, Result};
use crate::points::Points;

/// Images along each side of a sheet.
const ALONG: usize = 10;
/// The width of a sheet on the page.
const SIDE: f64 = 340.0;
/// Pixels of a sheet's picture, about: each pixel of an image becomes a block of them, so that renderers cannot blur it.
const FINE: usize = 720;
/// Pixels of the picture between images.
const GAP: usize = 6;
/// Around and between the sheets.
const MARGIN: f64 = 24.0;
/// Above the sheets, for two lines of text.
const ABOVE: f64 = 56.0;
/// What is no number, and no grey.
const MISSING: [u8; 3] = [0xd9, 0x82, 0x2b];

/// What the figure shows.
#[derive(Debug, Clone, Copy)]
pub struct ImageSheets<'a> {
    /// A short title.
    pub title: &'a str,
    /// What a point is.
    pub shape: ImageShape,
    /// What is black and what is white; values beyond are clipped.
    pub range: [f64; 2],
    /// Data that the model has not seen, if there are any.
    pub data: Option<&'a Points>,
    /// The samples.
    pub samples: &'a Points,
    /// What the samples are called.
    pub model: &'a str,
}

/// The first hundred images of the data, and as many samples to the right of them.
///
/// # Errors
/// If the points are no images of this shape, or a picture cannot be encoded.
pub fn image_figure(sheets: &ImageSheets<'_>) -> Result<Figure> {
    let all = [sheets.data.map(|data| ("held-out data", data)), Some((sheets.model, sheets.samples))];
    let mut pictures = Vec::new();
    for (name, points) in all.into_iter().flatten() {
        let (dim, values) = (points.dim(), sheets.shape.values());
        if dim != values {
            return Err(Error::input(format!("an image has {values} values, a point {dim}")));
        }
        let (picture, shown) = picture(points, sheets.shape, sheets.range);
        let all = points.count();
        pictures.push((format!("{name} ({})", counted(all, all, shown)), picture));
    }
    let heights = pictures.iter().map(|(_, p)| SIDE * f64::from(p.height) / f64::from(p.width));
    let width = MARGIN + (SIDE + MARGIN) * pictures.len() as f64;
    let mut svg = Svg::new(width, ABOVE + heights.fold(0.0, f64::max) + MARGIN);
    let title = fitted(sheets.title, NORMAL, width - 2.0 * MARGIN);
    svg.text((0.5 * width, 22.0), Anchor::Middle, NORMAL, INK, &title);
    for (i, (title, picture)) in pictures.iter().enumerate() {
        let height = SIDE * f64::from(picture.height) / f64::from(picture.width);
        let frame = Frame { x: MARGIN + (SIDE + MARGIN) * i as f64, y: ABOVE, width: SIDE, height };
        let title = fitted(title, NORMAL, SIDE);
        svg.text((frame.x + 0.5 * SIDE, ABOVE - 10.0), Anchor::Middle, NORMAL, INK, &title);
        svg.raw(&format!(
            "<image class=\"images\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" href=\"{}\"/>",
            number(frame.x),
            number(frame.y),
            number(frame.width),
            number(frame.height),
            data_uri("image/png", &picture.to_png()?)
        ));
    }
    Ok(svg.finish())
}

/// The first images on white, row by row, and how many they are.
fn picture(points: &Points, shape: ImageShape, [low, high]: [f64; 2]) -> (RgbaFrame, usize) {
    let along = ALONG.min((2 * FINE / shape.width).max(1));
    let shown = points.count().min(along * ALONG);
    let down = shown.div_ceil(along).max(1);
    let block = (FINE / (along * shape.width)).max(1);
    let [tile_width, tile_height] = [shape.width, shape.height].map(|side| side * block + GAP);
    let (width, height) = (along * tile_width - GAP, down * tile_height - GAP);
    let mut pixels = vec![255; 4 * width * height];
    for (n, image) in points.rows().take(shown).enumerate() {
        let (left, top) = (n % along * tile_width, n / along * tile_height);
        for y in 0..shape.height * block {
            for x in 0..shape.width * block {
                let first = (y / block * shape.width + x / block) * shape.channels;
                let at = 4 * ((top + y) * width + left + x);
                let grey = |c: usize| image[first + c % shape.channels];
                let byte = |v: f64| (255.0 * (v - low) / (high - low)).clamp(0.0, 255.0).round() as u8;
                let missing = (0..3).any(|c| grey(c).is_nan());
                let colour = if missing { MISSING } else { [0, 1, 2].map(|c| byte(grey(c))) };
                pixels[at..at + 3].copy_from_slice(&colour);
            }
        }
    }
    (RgbaFrame { width: width as u32, height: height as u32, pixels }, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape { height: 2, width: 3, channels: 1 };

    #[test]
    fn pixels_are_where_they_belong() {
        let points = Points::new(6, vec![0.0, 8.0, 16.0, -5.0, 99.0, f64::NAN, 16.0, 16.0, 16.0, 0.0, 0.0, 0.0]);
        let (picture, shown) = picture(&points, SHAPE, [0.0, 16.0]);
        let block = FINE / 30;
        assert_eq!((shown, picture.width, picture.height), (2, (30 * block + 9 * GAP) as u32, 2 * block as u32));
        let at = |column: usize, row: usize| {
            let (x, y) = (column / 3 * (3 * block + GAP) + column % 3 * block + 1, row * block + 1);
            picture.pixels[4 * (y * picture.width as usize + x)..][..3].to_vec()
        };
        let [black, grey, white] = [[0; 3], [128; 3], [255; 3]];
        assert_eq!([at(0, 0), at(1, 0), at(2, 0)], [black, grey, white]);
        assert_eq!([at(0, 1), at(1, 1), at(2, 1)], [black, white, MISSING]);
        assert_eq!([at(3, 0), at(3, 1)], [white, black]);
    }

    #[test]
    fn colours_keep_their_order() {
        let shape = ImageShape { height: 1, width: 1, channels: 3 };
        let (picture, _) = picture(&Points::new(3, vec![0.0, 0.2, 1.0]), shape, [0.0, 1.0]);
        assert_eq!(picture.pixels[..4], [0, 51, 255, 255]);
    }

    #[test]
    fn sheets_are_counted_and_named() {
        let points = |n: usize| Points::new(6, vec![0.5; 6 * n]);
        let (data, samples) = (points(179), points(40));
        let sheets = ImageSheets {
            title: "dsm on x<y",
            shape: SHAPE,
            range: [0.0, 1.0],
            data: Some(&data),
            samples: &samples,
            model: "model",
        };
        let svg = image_figure(&sheets).expect("drawable").svg;
        for text in ["dsm on x&lt;y", "held-out data (100 of 179 drawn)", "model (40)"] {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert_eq!(svg.matches("class=\"images\"").count(), 2);
        let alone = ImageSheets { data: None, ..sheets };
        assert_eq!(image_figure(&alone).expect("drawable").svg.matches("class=\"images\"").count(), 1);
        let wrong = ImageSheets { samples: &Points::new(4, vec![0.0; 8]), ..sheets };
        let says = image_figure(&wrong).map(|_| ()).expect_err("refused").to_string();
        assert_eq!(says, "an image has 6 values, a point 4");
    }

    #[test]
    fn poisoned_images_are_drawn() {
        for values in [vec![], vec![f64::NAN; 12], vec![f64::INFINITY; 12], vec![-1e300; 12]] {
            let points = Points::new(6, values);
            for range in [[0.0, 1.0], [0.0, 0.0], [f64::NAN, 1.0]] {
                let (title, model) = ("", "");
                let sheets = ImageSheets { title, shape: SHAPE, range, data: Some(&points), samples: &points, model };
                assert!(image_figure(&sheets).expect("drawable").to_rgba(300).is_ok());
            }
        }
    }
}
