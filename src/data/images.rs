//! A folder of PNG files of one size as points in [0, 1].

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use image::codecs::png::PngDecoder;
use image::{DynamicImage, ImageDecoder as _};

use super::table::cannot_read;
use crate::error::{Error, Result};

/// The height, width and channels of images whose values are a row of a table, row by row, channels last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
}

impl ImageShape {
    /// The shape of `dim` values that are `height` x `width` pixels, grey or RGB; `None` if they are not.
    pub fn of(height: usize, width: usize, dim: usize) -> Option<Self> {
        let pixels = height.checked_mul(width).filter(|p| *p > 0)?;
        let channels = [1, 3].into_iter().find(|c| pixels.checked_mul(*c) == Some(dim))?;
        Some(Self { height, width, channels })
    }

    /// How many values an image has.
    pub fn values(self) -> usize {
        self.height * self.width * self.channels
    }
}

/// Deflate makes at most so many bytes of one: a header that claims more pixels lies.
const MOST_INFLATION: u64 = 1032;

/// The images of a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// The shape of each.
    pub shape: ImageShape,
    /// The step between grey levels: 1/255, or 1/65535 for files of 16 bits.
    pub level: f64,
    /// `[n, height, width, channels]`, 0 black and 1 white.
    pub values: Vec<f64>,
}

/// The folder's PNG files in the order of their names. Other files are passed over.
///
/// # Errors
/// If there is no PNG file, one cannot be read, has an alpha channel, or has another size or other channels than the first.
pub fn read_images(folder: &Path) -> Result<Images> {
    let files = files(folder)?;
    let Some(first) = files.first() else {
        return Err(Error::input(format!("{} is a directory without .png files", folder.display()))
            .hint("a folder is read as images, all of one size; a table is a file"));
    };
    let shown = |ImageShape { width, height, channels }: ImageShape| {
        format!("{width} x {height} {}", if channels == 1 { "grey" } else { "RGB" })
    };
    let mut values = Vec::new();
    let (shape, mut level) = read(first, &mut values)?;
    for file in &files[1..] {
        let (other, step) = read(file, &mut values)?;
        // eight bits in the midst of sixteen are coarser than they say
        level = f64::max(level, step);
        if other != shape {
            let message = format!("{} is {}, {} is {}", file.display(), shown(other), first.display(), shown(shape));
            return Err(Error::input(message).hint("all images have to have one size, and be grey or RGB alike"));
        }
    }
    Ok(Images { shape, level, values })
}

/// The PNG files, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut files: Vec<PathBuf> = entries.map_err(|why| cannot_read(folder, &why))?.iter().map(|e| e.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png")) && path.is_file());
    files.sort_unstable();
    Ok(files)
}

/// Appends the values of an image; returns its shape and the step between its grey levels.
fn read(path: &Path, values: &mut Vec<f64>) -> Result<(ImageShape, f64)> {
    let name = path.display();
    let broken = |why: &dyn std::fmt::Display| Error::input(format!("{name} is not a readable PNG file: {why}"));
    let file = File::open(path).map_err(|why| cannot_read(path, &why))?;
    let length = file.metadata().map_err(|why| cannot_read(path, &why))?.len();
    let decoder = PngDecoder::new(BufReader::new(file)).map_err(|why| broken(&why))?;
    let (width, height) = decoder.dimensions();
    // A palette or single bits are expanded, so that a pixel may take 24 times the bytes that it has in the file.
    if decoder.total_bytes() / 24 > length.saturating_mul(MOST_INFLATION) {
        return Err(broken(&format_args!("its {length} bytes cannot hold {width} x {height} pixels")));
    }
    let image = DynamicImage::from_decoder(decoder).map_err(|why| broken(&why))?;
    let (channels, most) = match &image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) => {
            values.extend(image.as_bytes().iter().map(|b| f64::from(*b) / 255.0));
            (usize::from(image.color().channel_count()), 255.0)
        }
        DynamicImage::ImageLuma16(grey) => {
            values.extend(grey.iter().map(|v| f64::from(*v) / 65535.0));
            (1, 65535.0)
        }
        DynamicImage::ImageRgb16(colours) => {
            values.extend(colours.iter().map(|v| f64::from(*v) / 65535.0));
            (3, 65535.0)
        }
        other => {
            let message = format!("{name} has pixels of type {:?}, not grey or RGB", other.color());
            return Err(Error::input(message).hint("save it without an alpha channel"));
        }
    };
    Ok((ImageShape { height: height as usize, width: width as usize, channels }, 1.0 / most))
}
