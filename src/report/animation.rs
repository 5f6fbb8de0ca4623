//! Frames as an endlessly repeating GIF.

use std::path::Path;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, RgbaImage};

use super::raster::{RgbaFrame, write_atomically};
use crate::error::{Error, Result};

/// The encoder's trade of colour fidelity (1) against speed (30); 10 is its default.
const SPEED: i32 = 10;

/// Writes the frames as a GIF that repeats, `delay_ms` apart (GIF counts in steps of 10 ms).
///
/// # Errors
/// If there are no frames, their sizes differ, or the file cannot be written.
pub fn write_gif(path: &Path, frames: &[RgbaFrame], delay_ms: u32) -> Result<()> {
    let Some(first) = frames.first() else {
        return Err(Error::input("an animation needs at least one frame, there are 0"));
    };
    let failed = |e: image::ImageError| Error::failed(format!("cannot encode {}: {e}", path.display()));
    let mut gif = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut gif, SPEED);
    encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
    for (i, frame) in frames.iter().enumerate() {
        if (frame.width, frame.height) != (first.width, first.height) {
            let (w, h) = (frame.width, frame.height);
            let (w0, h0) = (first.width, first.height);
            return Err(Error::input(format!("frame {i} has {w}x{h} pixels, the first has {w0}x{h0}")));
        }
        let pixels = RgbaImage::from_raw(frame.width, frame.height, frame.pixels.clone())
            .ok_or_else(|| Error::input(format!("frame {i} has too few bytes for its size")))?;
        let delay = Delay::from_numer_denom_ms(delay_ms, 1);
        encoder.encode_frame(Frame::from_parts(pixels, 0, 0, delay)).map_err(failed)?;
    }
    drop(encoder);
    write_atomically(path, &gif)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::AnimationDecoder as _;

    #[test]
    fn frames_come_back() {
        let frame = |grey| RgbaFrame { width: 6, height: 4, pixels: [grey, grey, grey, 255].repeat(24) };
        let path = std::env::temp_dir().join(format!("ebm-gpu-gif-{}.gif", std::process::id()));
        write_gif(&path, &[frame(0), frame(128), frame(255)], 50).expect("writable");
        let file = std::io::BufReader::new(std::fs::File::open(&path).expect("the file"));
        let decoder = image::codecs::gif::GifDecoder::new(file).expect("a GIF");
        assert_eq!(decoder.into_frames().count(), 3);
        std::fs::remove_file(&path).expect("removable");
        assert!(write_gif(&path, &[], 50).is_err());
        let short = RgbaFrame { width: 7, ..frame(0) };
        assert!(write_gif(&path, &[frame(0), short], 50).is_err());
    }
}
