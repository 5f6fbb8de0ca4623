//! Bananas: a Gaussian bent along a parabola, with its smoothed density by quadrature over the bend.

use crate::data::law::{FAR, Law, REACH, normal_pair};
use rand::Rng;
use std::f64::consts::TAU;

/// One coordinate is t = w z₁, the other h = z₂ + c t² + o: energy t² / 2w² + (h - c t² - o)² / 2, normaliser 2πw.
#[derive(Debug, Clone, Copy)]
pub struct Banana {
    name: &'static str,
    /// Which coordinate is t.
    along: usize,
    /// w, the standard deviation of t.
    width: f64,
    /// c.
    bend: f64,
    /// o.
    offset: f64,
}

/// Contributions this many nats below a lower bound of the largest are left out.
const NEGLIGIBLE: f64 = 40.0;

impl Banana {
    /// x₁ = z₁, x₂ = z₂ - (z₁² - 1) / 2.
    pub const fn unit() -> Self {
        Self { name: "banana", along: 0, width: 1.0, bend: -0.5, offset: 0.5 }
    }

    /// x₂ = 4 z₂, x₁ = x₂² / 4 + z₁: the banana that masked autoregressive flows are shown on.
    pub const fn maf() -> Self {
        Self { name: "banana-maf", along: 1, width: 4.0, bend: 0.25, offset: 0.0 }
    }

    /// How far the height `h` lies above the parabola at `t`.
    fn above(&self, t: f64, h: f64) -> f64 {
        h - self.offset - self.bend * t * t
    }

    /// The height and the place along the parabola.
    fn split(&self, x: &[f64]) -> (f64, f64) {
        (x[self.along], x[1 - self.along])
    }

    fn join(&self, t: f64, h: f64) -> [f64; 2] {
        if self.along == 0 { [t, h] } else { [h, t] }
    }

    /// ln ∫ N(m; mean, spread²) N(h; c m² + o, variance) dm.
    ///
    /// The trapezoid rule on the whole line converges like exp(-2π² w² / step²) for a feature of width w; with the
    /// step at 0.8 of the least width that the curvature of the exponent allows, that is 4e-14.
    fn log_bent(&self, mean: f64, spread: f64, h: f64, variance: f64) -> f64 {
        let bend = |m: f64| 0.5 * self.above(m, h).powi(2) / variance;
        // Away from the mean and from both crossings of the parabola the integrand only falls, by the Gaussian factor
        // at least; and where that factor alone is below the integrand at the mean, nothing is left to add.
        let crossing = ((h - self.offset) / self.bend).max(0.0).sqrt();
        let nine = 9.0 * spread;
        let window = spread * (2.0 * (NEGLIGIBLE + bend(mean))).sqrt();
        let low = (mean.min(-crossing) - nine).max(mean - window);
        let high = (mean.max(crossing) + nine).min(mean + window);
        let widest = low.abs().max(high.abs());
        let c = self.bend.abs();
        let bending = 6.0 * (c * widest).powi(2) + 2.0 * c * (h.abs() + self.offset.abs());
        let curvature = spread.powi(-2) + bending / variance;
        let panels = ((high - low) * curvature.sqrt() / 0.8).ceil().max(1.0);
        let step = (high - low) / panels;
        let exponent = |i: usize| {
            let m = low + step * i as f64;
            -0.5 * ((m - mean) / spread).powi(2) - bend(m)
        };
        let nodes = 0..=panels as usize;
        let top = nodes.clone().map(exponent).fold(f64::NEG_INFINITY, f64::max);
        let relative = nodes.map(|i| exponent(i) - top).filter(|e| *e > -NEGLIGIBLE);
        let sum: f64 = relative.map(f64::exp).sum();
        top + (sum * step).ln() - (TAU * spread * variance.sqrt()).ln()
    }

    /// The variance of t with noise `sigma`, and the mean and variance of t without it, given t with it.
    fn unsmoothed(&self, t: f64, sigma: f64) -> (f64, f64, f64) {
        let (own, noise) = (self.width * self.width, sigma * sigma);
        let variance = own + noise;
        (variance, t * own / variance, own * noise / variance)
    }
}

impl Law for Banana {
    fn name(&self) -> &'static str {
        self.name
    }

    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let z = normal_pair(rng);
        let (t, across) = if self.along == 0 { (z[0], z[1]) } else { (z[1], z[0]) };
        let t = self.width * t;
        out.copy_from_slice(&self.join(t, across + self.bend * t * t + self.offset));
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        let (t, h) = self.split(x);
        if sigma == 0.0 {
            return -0.5 * ((t / self.width).powi(2) + self.above(t, h).powi(2)) - (TAU * self.width).ln();
        }
        let (variance, mean, spread2) = self.unsmoothed(t, sigma);
        let first = -0.5 * (t * t / variance + (TAU * variance).ln());
        first + self.log_bent(mean, spread2.sqrt(), h, 1.0 + sigma * sigma)
    }

    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        let (t, h) = self.split(x);
        if sigma == 0.0 {
            let above = self.above(t, h);
            out.copy_from_slice(&self.join(2.0 * self.bend * t * above - t / self.width.powi(2), -above));
            return;
        }
        // Central differences; the trapezoid rule leaves the log-density smooth to 1e-13.
        let step = 1e-4;
        let at = |dx: f64, dy: f64| self.log_density(&[x[0] + dx, x[1] + dy], sigma);
        out[0] = (at(step, 0.0) - at(-step, 0.0)) / (2.0 * step);
        out[1] = (at(0.0, step) - at(0.0, -step)) / (2.0 * step);
    }

    /// On the side that the parabola opens to, h goes as far as k χ² / 2 with k = 2 |c| w²: Chernoff's bound at 1e-9
    /// (20.7 nats) with noise of variance v beside it.
    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let noise = 1.0 + sigma * sigma;
        let k = 2.0 * self.bend.abs() * self.width.powi(2);
        let (nats, v) = (20.7, noise / (k * k));
        let far = k * if v < 2.0 * nats { nats + 0.5 * v } else { (2.0 * nats * v).sqrt() };
        let near = REACH * noise.sqrt();
        let heights = if self.bend > 0.0 { [-near, far] } else { [-far, near] };
        let side = REACH * self.width.hypot(sigma);
        let mut extent = vec![[-side, side]; 2];
        extent[1 - self.along] = heights.map(|h| self.offset + h);
        extent
    }

    /// Mahalanobis: t against its variance, and h against its mean and variance given t (at sigma = 0 this undoes the
    /// bend exactly).
    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        let (t, h) = self.split(x);
        let (variance, mean, spread2) = self.unsmoothed(t, sigma);
        let across = 1.0 + sigma * sigma + self.bend.powi(2) * (4.0 * mean * mean + 2.0 * spread2) * spread2;
        let above = self.above(mean, h) - self.bend * spread2;
        t * t / variance + above * above / across > FAR * FAR
    }

    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        // t² has mean w² and variance 2w⁴
        let square = self.width * self.width;
        let mean = self.join(0.0, self.offset + self.bend * square);
        let variance = self.join(square, 1.0 + 2.0 * (self.bend * square).powi(2));
        Some([mean.to_vec(), variance.to_vec()])
    }

    fn entropy(&self) -> f64 {
        1.0 + (TAU * self.width).ln()
    }
}
