//! Few colours for many: a palette by cutting boxes of colours in two (after Heckbert 1982, at the mean instead of the
//! median).

use std::collections::{BTreeMap, HashMap};

/// Red, green, blue.
pub(crate) type Rgb = [u8; 3];

/// The colours of a picture of indices.
#[derive(Debug)]
pub(crate) struct Palette {
    colours: Vec<Rgb>,
    known: HashMap<Rgb, u8>,
}

/// Colours that one entry stands for.
struct Cell {
    colours: Vec<(Rgb, f64)>,
    mean: [f64; 3],
    /// Where the colours differ most.
    channel: usize,
    /// The sum of squares around the mean there, by weight.
    spread: f64,
}

impl Cell {
    fn new(colours: Vec<(Rgb, f64)>) -> Self {
        let total: f64 = colours.iter().map(|(_, w)| w).sum();
        let mean = [0, 1, 2].map(|c| colours.iter().map(|(rgb, w)| w * f64::from(rgb[c])).sum::<f64>() / total);
        let spread = |c: usize| colours.iter().map(|(rgb, w)| w * (f64::from(rgb[c]) - mean[c]).powi(2)).sum::<f64>();
        let spreads = [0, 1, 2].map(spread);
        let channel = (0..3).max_by(|a, b| spreads[*a].total_cmp(&spreads[*b])).unwrap_or(0);
        // exactly 0 for one colour, whatever rounding says
        let spread = if colours.len() > 1 { spreads[channel] } else { 0.0 };
        Self { colours, mean, channel, spread }
    }

    fn halves(self) -> [Self; 2] {
        let (c, cut) = (self.channel, self.mean[self.channel]);
        let (low, high) = self.colours.into_iter().partition(|(rgb, _)| f64::from(rgb[c]) <= cut);
        [Self::new(low), Self::new(high)]
    }
}

impl Palette {
    /// At most `most` (up to 256) colours for these pixels. The weight of a colour is the square root of its count, so
    /// that small things keep theirs.
    pub(crate) fn of(pixels: impl Iterator<Item = Rgb>, most: usize) -> Self {
        let mut counts: BTreeMap<Rgb, u32> = BTreeMap::new();
        pixels.for_each(|rgb| *counts.entry(rgb).or_default() += 1);
        let all: Vec<(Rgb, f64)> = counts.into_iter().map(|(rgb, n)| (rgb, f64::from(n).sqrt())).collect();
        let mut cells = if all.is_empty() { Vec::new() } else { vec![Cell::new(all)] };
        while cells.len() < most {
            let widest = (0..cells.len()).max_by(|a, b| cells[*a].spread.total_cmp(&cells[*b].spread));
            let Some(widest) = widest.filter(|i| cells[*i].spread > 0.0) else { break };
            let halves = cells.swap_remove(widest).halves();
            cells.extend(halves);
        }
        Self { colours: cells.iter().map(|cell| cell.mean.map(|v| v.round() as u8)).collect(), known: HashMap::new() }
    }

    pub(crate) fn colours(&self) -> &[Rgb] {
        &self.colours
    }

    /// The entry nearest to a colour.
    pub(crate) fn index(&mut self, rgb: Rgb) -> u8 {
        let apart = |other: &Rgb| rgb.iter().zip(other).map(|(a, b)| i32::from(a.abs_diff(*b)).pow(2)).sum::<i32>();
        let colours = &self.colours;
        let nearest = || (0..colours.len()).min_by_key(|i| apart(&colours[*i])).unwrap_or(0) as u8;
        *self.known.entry(rgb).or_insert_with(nearest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_stay_what_they_are() {
        let pixels = [[255, 255, 255], [0, 0, 0], [255, 255, 255], [200, 10, 30], [201, 10, 30]];
        let mut palette = Palette::of(pixels.into_iter(), 4);
        assert_eq!(palette.colours().len(), 4);
        for rgb in pixels {
            let index = palette.index(rgb);
            assert_eq!(palette.colours()[usize::from(index)], rgb);
        }
        assert!(Palette::of(std::iter::empty(), 4).colours().is_empty());
    }

    #[test]
    fn many_colours_are_near_one_of_few() {
        let grey = |v: u8| [v, v, v];
        let mut palette = Palette::of((0..=255).map(grey).chain([[255, 0, 0]]), 33);
        assert_eq!(palette.colours().len(), 33);
        for v in 0..=255 {
            let index = usize::from(palette.index(grey(v)));
            // 32 entries for 256 greys, of which cutting in halves makes none wider than 16
            assert!(palette.colours()[index][0].abs_diff(v) <= 8, "{v}");
        }
        let red = palette.index([255, 0, 0]);
        assert_eq!(palette.colours()[usize::from(red)], [255, 0, 0]);
    }
}
