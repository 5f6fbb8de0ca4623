//! Frames as an endlessly repeating GIF: one palette for all, and of each frame only what has changed.

use std::path::Path;

use gif::{DisposalMethod, Encoder, Frame, Repeat};

use super::palette::Palette;
use super::raster::RgbaFrame;
use crate::error::{Error, Result};
use crate::files::write_atomically;

/// Colours of the palette; the last of the 256 entries is for pixels that stay as they are.
const COLOURS: usize = 255;

/// Writes the `frames` pictures that `draw` makes as a GIF that repeats, `delay_ms` apart and the last one shown for
/// `last_ms` (GIF counts in steps of 10 ms).
///
/// The palette is that of the first, the middle and the last frame, so these are drawn twice; one frame is held at a time.
///
/// # Errors
/// If there are no frames, their sizes differ, one cannot be drawn, or the file cannot be written.
pub fn write_gif(
    path: &Path,
    frames: usize,
    [delay_ms, last_ms]: [u32; 2],
    draw: impl Fn(usize) -> Result<RgbaFrame>,
) -> Result<()> {
    let Some(last) = frames.checked_sub(1) else {
        return Err(Error::input("an animation needs at least one frame, there are 0"));
    };
    let failed = |e: gif::EncodingError| Error::failed(format!("cannot encode {}: {e}", path.display()));
    let looks = [0, last / 2, last].into_iter().map(&draw).collect::<Result<Vec<_>>>()?;
    let mut palette = Palette::of(looks.iter().flat_map(|frame| frame.pixels.chunks_exact(4).map(rgb)), COLOURS);
    let first = &looks[0];
    let size = |side: u32| {
        u16::try_from(side).map_err(|_| Error::input(format!("a GIF has at most 65535 pixels a side, not {side}")))
    };
    let (width, height) = (size(first.width)?, size(first.height)?);
    let mut canvas = Canvas { width: width.into(), shown: Vec::new(), last: Vec::new() };
    let mut bytes = Vec::new();
    let table = [palette.colours(), &[[0; 3]]].concat().concat();
    let mut encoder = Encoder::new(&mut bytes, width, height, &table).map_err(failed)?;
    encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
    for i in 0..frames {
        let frame = draw(i)?;
        if (frame.width, frame.height) != (first.width, first.height) {
            let (w, h, w0, h0) = (frame.width, frame.height, first.width, first.height);
            return Err(Error::input(format!("frame {i} has {w}x{h} pixels, the first has {w0}x{h0}")));
        }
        if frame.pixels.len() != 4 * usize::from(width) * usize::from(height) {
            return Err(Error::input(format!("frame {i} has too few bytes for its size")));
        }
        let mut change = canvas.change(frame.pixels, &mut palette);
        let delay = if i == last { last_ms } else { delay_ms };
        change.delay = u16::try_from(delay / 10).unwrap_or(u16::MAX);
        encoder.write_frame(&change).map_err(failed)?;
    }
    drop(encoder);
    write_atomically(path, &bytes)
}

fn rgb(pixel: &[u8]) -> [u8; 3] {
    [pixel[0], pixel[1], pixel[2]]
}

/// What a viewer sees so far.
struct Canvas {
    width: usize,
    /// Indices of the palette.
    shown: Vec<u8>,
    /// The pixels that they stand for.
    last: Vec<u8>,
}

impl Canvas {
    /// The smallest frame that makes of what is shown the picture `pixels`.
    fn change(&mut self, pixels: Vec<u8>, palette: &mut Palette) -> Frame<'static> {
        let keep = palette.colours().len() as u8;
        let is_first = self.shown.is_empty();
        if is_first {
            self.shown = vec![keep; pixels.len() / 4];
            self.last = vec![0; pixels.len()];
        }
        let mut indices = vec![keep; self.shown.len()];
        let [mut left, mut right, mut top, mut bottom] = [usize::MAX, 0, usize::MAX, 0];
        for (i, (new, old)) in pixels.chunks_exact(4).zip(self.last.chunks_exact(4)).enumerate() {
            if new == old && !is_first {
                continue;
            }
            let index = palette.index(rgb(new));
            if index != self.shown[i] {
                (self.shown[i], indices[i]) = (index, index);
                let (x, y) = (i % self.width, i / self.width);
                (left, right, top, bottom) = (left.min(x), right.max(x), top.min(y), bottom.max(y));
            }
        }
        self.last = pixels;
        // a frame that changes nothing still takes its time
        if left > right {
            [left, right, top, bottom] = [0; 4];
        }
        let rows = (top..=bottom).flat_map(|y| &indices[y * self.width + left..=y * self.width + right]);
        Frame {
            left: left as u16,
            top: top as u16,
            width: (right - left + 1) as u16,
            height: (bottom - top + 1) as u16,
            buffer: rows.copied().collect::<Vec<u8>>().into(),
            transparent: Some(keep),
            dispose: DisposalMethod::Keep,
            ..Frame::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grey, with one pixel of another colour that moves.
    fn frame(i: usize) -> RgbaFrame {
        let mut pixels = [90, 90, 90, 255].repeat(24);
        pixels[4 * (7 + i)..][..3].copy_from_slice(&[200, i as u8, 0]);
        RgbaFrame { width: 6, height: 4, pixels }
    }

    #[test]
    fn frames_come_back() {
        let path = std::env::temp_dir().join(format!("ebm-gpu-gif-{}.gif", std::process::id()));
        write_gif(&path, 3, [50, 900], |i| Ok(frame(i))).expect("writable");
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(std::fs::File::open(&path).expect("the file")).expect("a GIF");
        let mut screen = vec![0; 4 * 24];
        for (i, delay) in [5, 5, 90].into_iter().enumerate() {
            let change = decoder.read_next_frame().expect("a frame").expect("three of them");
            let (left, top, width) = (change.left as usize, change.top as usize, change.width as usize);
            assert_eq!((change.delay, width), (delay, if i == 0 { 6 } else { 2 }), "frame {i}");
            for (j, pixel) in change.buffer.chunks_exact(4).enumerate().filter(|(_, pixel)| pixel[3] > 0) {
                let at = 6 * (top + j / width) + left + j % width;
                screen[4 * at..][..4].copy_from_slice(pixel);
            }
            assert_eq!(screen, frame(i).pixels, "frame {i}");
        }
        assert!(decoder.read_next_frame().expect("an end").is_none());
        std::fs::remove_file(&path).expect("removable");
    }

    #[test]
    fn what_is_no_animation_is_refused() {
        let path = std::env::temp_dir().join(format!("ebm-gpu-no-{}.gif", std::process::id()));
        assert!(write_gif(&path, 0, [50, 50], |i| Ok(frame(i))).is_err());
        let growing = |i: usize| RgbaFrame { width: 6 + i as u32, ..frame(i) };
        assert!(write_gif(&path, 2, [50, 50], |i| Ok(growing(i))).is_err());
        assert!(write_gif(&path, 1, [50, 50], |i| Ok(RgbaFrame { height: 5, ..frame(i) })).is_err());
        assert!(!path.exists());
    }
}
