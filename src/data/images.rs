//! A folder of PNG files of one size as points in [0, 1].

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use image::codecs::png::PngDecoder;
use image::{DynamicImage, ImageDecoder as _};

use super::table::cannot_read;
use crate::error::{Error, Result};

/// Deflate makes at most so many bytes of one: a header that claims more pixels lies.
const MOST_INFLATION: u64 = 1032;

/// The number of values of an image and all values `[n, height, width, channels]`, 0 black and 1 white, of the folder's PNG
/// files in the order of their names. Other files are passed over.
///
/// # Errors
/// If there is no PNG file, one cannot be read, has an alpha channel, or has another size or other channels than the first.
pub fn read_images(folder: &Path) -> Result<(usize, Vec<f64>)> {
    let files = files(folder)?;
    let Some(first) = files.first() else {
        return Err(Error::input(format!("{} is a directory without .png files", folder.display()))
            .hint("a folder is read as images, all of one size; a table is a file"));
    };
    let shown = |[width, height, channels]: [usize; 3]| {
        format!("{width} x {height} {}", if channels == 1 { "grey" } else { "RGB" })
    };
    let mut values = Vec::new();
    let shape = read(first, &mut values)?;
    for file in &files[1..] {
        let other = read(file, &mut values)?;
        if other != shape {
            let message = format!("{} is {}, {} is {}", file.display(), shown(other), first.display(), shown(shape));
            return Err(Error::input(message).hint("all images have to have one size, and be grey or RGB alike"));
        }
    }
    Ok((shape.iter().product(), values))
}

/// The PNG files, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut files: Vec<PathBuf> = entries.map_err(|why| cannot_read(folder, &why))?.iter().map(|e| e.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png")) && path.is_file());
    files.sort_unstable();
    Ok(files)
}

/// Appends the values of an image; returns its width, height and channels.
fn read(path: &Path, values: &mut Vec<f64>) -> Result<[usize; 3]> {
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
    let channels = match &image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) => {
            values.extend(image.as_bytes().iter().map(|b| f64::from(*b) / 255.0));
            usize::from(image.color().channel_count())
        }
        DynamicImage::ImageLuma16(grey) => {
            values.extend(grey.iter().map(|v| f64::from(*v) / 65535.0));
            1
        }
        DynamicImage::ImageRgb16(colours) => {
            values.extend(colours.iter().map(|v| f64::from(*v) / 65535.0));
            3
        }
        other => {
            let message = format!("{name} has pixels of type {:?}, not grey or RGB", other.color());
            return Err(Error::input(message).hint("save it without an alpha channel"));
        }
    };
    Ok([width as usize, height as usize, channels])
}
