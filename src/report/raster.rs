//! A finished figure: its SVG text, its pixels, and both as files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use image::ImageEncoder as _;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use resvg::{tiny_skia, usvg};

use crate::error::{Error, Result};
use crate::files::write_atomically;

/// Pixels of the PNG per pixel of the SVG: 640 become 1280, 200 dpi at the width of a page.
const PNG_SCALE: f64 = 2.0;
/// Wider pages get no wider PNG: across the text of a paper, 6.5 inches, it has 300 dpi.
const PNG_WIDTH: f64 = 2000.0;

/// No figure of this crate is wider; a guard against asking for gigabytes.
const MAX_WIDTH: u32 = 16_384;

/// DejaVu Sans, cut down to what figures use, so that pictures look alike on every machine; what it lacks is a hollow box.
static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(include_bytes!("fonts/DejaVuSans-subset.ttf").to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// A figure as SVG text, the one source of both file formats.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The whole SVG document.
    pub svg: String,
}

/// An opaque picture: rows from the top, four bytes (red, green, blue, alpha = 255) a pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct RgbaFrame {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `4 · width · height` bytes.
    pub pixels: Vec<u8>,
}

impl Figure {
    /// Writes `stem.svg` and `stem.png`; a reader never sees half a file.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, path_stem: &Path) -> Result<()> {
        write_atomically(&with_suffix(path_stem, ".svg"), self.svg.as_bytes())?;
        let width = (self.width()? * PNG_SCALE).min(PNG_WIDTH);
        let png = self.to_rgba(width.round() as u32)?.to_png()?;
        write_atomically(&with_suffix(path_stem, ".png"), &png)
    }

    /// The figure's pixels, `width_px` wide and as high as its shape asks for.
    ///
    /// # Errors
    /// If `width_px` is 0 or above 16384.
    pub fn to_rgba(&self, width_px: u32) -> Result<RgbaFrame> {
        if width_px == 0 || width_px > MAX_WIDTH {
            return Err(Error::input(format!("a figure is 1 to {MAX_WIDTH} pixels wide, not {width_px}")));
        }
        let tree = self.tree()?;
        let scale = width_px as f32 / tree.size().width();
        let height = ((tree.size().height() * scale).round() as u32).max(1);
        let mut pixmap = tiny_skia::Pixmap::new(width_px, height)
            .ok_or_else(|| Error::failed(format!("a picture of {width_px}x{height} pixels is too large")))?;
        pixmap.fill(tiny_skia::Color::WHITE);
        resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixmap.as_mut());
        // On an opaque background, premultiplied and plain colours are the same bytes.
        Ok(RgbaFrame { width: width_px, height, pixels: pixmap.take() })
    }

    /// Pixels of the page in a row.
    pub(crate) fn width(&self) -> Result<f64> {
        Ok(self.size()?[0])
    }

    /// Pixels of the page across and down.
    ///
    /// # Errors
    /// If the text is not SVG.
    pub fn size(&self) -> Result<[f64; 2]> {
        let size = self.tree()?.size();
        Ok([f64::from(size.width()), f64::from(size.height())])
    }

    fn tree(&self) -> Result<usvg::Tree> {
        let options =
            usvg::Options { font_family: "DejaVu Sans".into(), fontdb: Arc::clone(&FONTS), ..usvg::Options::default() };
        usvg::Tree::from_str(&self.svg, &options)
            .map_err(|e| Error::failed(format!("the figure is not valid SVG: {e}")))
    }
}

impl RgbaFrame {
    /// The picture as a PNG file.
    ///
    /// # Errors
    /// If `pixels` does not hold `4 · width · height` bytes.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        if self.pixels.len() != 4 * self.width as usize * self.height as usize {
            let (w, h, n) = (self.width, self.height, self.pixels.len());
            return Err(Error::failed(format!("{n} bytes are not a picture of {w}x{h} pixels")));
        }
        let mut png = Vec::new();
        // it is opaque: a fourth channel would say nothing and take room
        let rgb: Vec<u8> = self.pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive)
            .write_image(&rgb, self.width, self.height, image::ExtendedColorType::Rgb8)
            .map_err(|e| Error::failed(format!("cannot encode a PNG: {e}")))?;
        Ok(png)
    }
}

/// `stem` + `suffix`; `Path::with_extension` would cut a stem such as `run.v2`.
fn with_suffix(stem: &Path, suffix: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED_SQUARE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"30\">\
                              <rect width=\"20\" height=\"30\" fill=\"#ff0000\"/></svg>";

    #[test]
    fn png_has_twice_the_size_and_both_files_exist() {
        let dir = std::env::temp_dir().join(format!("ebm-gpu-figure-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder in the temporary folder");
        Figure { svg: RED_SQUARE.into() }.write(&dir.join("a.b")).expect("writable");
        let png = image::open(dir.join("a.b.png")).expect("a PNG");
        assert_eq!((png.width(), png.height()), (80, 60));
        assert_eq!(std::fs::read_dir(&dir).expect("the folder").count(), 2);
        std::fs::remove_dir_all(&dir).expect("removable");
    }

    #[test]
    fn pixels_are_opaque_on_white() {
        let frame = Figure { svg: RED_SQUARE.into() }.to_rgba(4).expect("drawable");
        assert_eq!((frame.width, frame.height), (4, 3));
        assert_eq!(frame.pixels[..4], [255, 0, 0, 255]);
        assert_eq!(frame.pixels[12..16], [255, 255, 255, 255]);
        assert!(Figure { svg: RED_SQUARE.into() }.to_rgba(0).is_err());
    }

    #[test]
    fn text_leaves_ink() {
        let ink = |text: &str, width: u32| {
            let svg = format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"30\">\
                 <text x=\"5\" y=\"20\" font-family=\"'DejaVu Sans'\">{text}</text></svg>"
            );
            let frame = Figure { svg }.to_rgba(width).expect("drawable");
            frame.pixels.chunks_exact(4).filter(|p| p[0] < 100).count()
        };
        assert!(ink("−∇E²‖≥", 40) > 20);
        // no font has everything: a box, drawn large enough for its thin lines to be black
        assert!(ink("年", 400) > 200);
    }
}
