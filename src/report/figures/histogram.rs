//! Densities by counting: a histogram on the page.

use super::super::axes::Panel;
use super::super::range::{Range, drawable, quantile};
use super::super::svg::{Svg, polyline};

/// Bar heights over equal bins of a range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    range: Range,
    /// Density in each bin: counts over (all drawable values × bin width), so what lies outside is not hidden.
    pub(crate) density: Vec<f64>,
}

impl Histogram {
    pub(crate) fn new(values: &[f64], range: Range, bins: usize) -> Self {
        let mut density = vec![0.0; bins];
        let total = values.iter().filter(|v| drawable(**v)).count().max(1) as f64;
        let width = range.width() / bins as f64;
        for value in values.iter().filter(|v| range.contains(**v)) {
            density[(((value - range.lo()) / width) as usize).min(bins - 1)] += 1.0 / (total * width);
        }
        Self { range, density }
    }

    /// Draws the outline; `style` says whether it is filled.
    pub(crate) fn draw(&self, svg: &mut Svg, panel: &Panel, style: &str) {
        let edge = |i: usize| self.range.lo() + self.range.width() * i as f64 / self.density.len() as f64;
        let steps = self.density.iter().enumerate().flat_map(|(i, d)| [(edge(i), *d), (edge(i + 1), *d)]);
        let ends = [(self.range.lo(), 0.0)].into_iter().chain(steps).chain([(self.range.hi(), 0.0)]);
        svg.path(&polyline(ends.map(|(x, y)| panel.pixel(x, y))), &format!("class=\"histogram\" {style}"));
    }
}

/// How many bins suit the values: the rule of Freedman and Diaconis (1981) or more, kept between 10 and 80.
pub(crate) fn bin_count(values: &[f64], range: Range) -> usize {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| drawable(*v)).collect();
    sorted.sort_by(f64::total_cmp);
    let spread = quantile(&sorted, 0.75) - quantile(&sorted, 0.25);
    // no fewer than the square root of the number of values: where there are modes, the quartiles say nothing of their widths
    let few = (sorted.len() as f64).sqrt().min(60.0);
    let bins = range.width() / (2.0 * spread / (sorted.len() as f64).cbrt());
    // Phrased so that NaN and infinity (no values, no spread) take the fallback.
    if bins < 80.0 {
        (bins.max(few).ceil() as usize).max(10)
    } else if spread > 0.0 {
        80
    } else {
        30
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn density_counts_what_lies_outside() {
        let values = [0.1, 0.2, 0.7, 5.0, f64::NAN];
        let got = Histogram::new(&values, Range::new(0.0, 1.0), 2).density;
        assert_eq!(got, [1.0, 0.5]);
        assert_eq!(bin_count(&[], Range::new(0.0, 1.0)), 30);
        assert_eq!(bin_count(&[1.0; 50], Range::new(0.0, 1.0)), 30);
    }
}
