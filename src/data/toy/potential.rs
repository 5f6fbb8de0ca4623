//! The potentials u1 to u4 as data: exp(-E) on the box [-4, 4]², smoothed by quadrature over the box.

use super::quadrature::GAUSS;
use crate::data::law::{FAR, Law, REACH, uniform};
use crate::target::{Facts, Potential};
use rand::Rng;
use std::f64::consts::{LN_2, TAU};
use std::sync::OnceLock;

/// Half the side of the box.
const HALF: f64 = 4.0;

/// Lattices are kept for noise of 2^(-k/2), k below this: down to 1/64. For less noise one is made around each point.
const LEVELS: usize = 13;

/// Nodes this many nats below the nearest one, by the noise, are left out: the least density is that far below the
/// largest, where no far node counts either.
const NEGLIGIBLE: f64 = 80.0;

/// exp(-E) / Z on the box, for one of the potentials of Rezende and Mohamed 2015 (arXiv 1505.05770).
///
/// The smoothed density is a sum over the nodes of six-point Gauss-Legendre quadrature on panels that are short against
/// the noise and the bends of E; the logarithm is within 1e-5 within four standard deviations of the noise of the box.
#[derive(Debug)]
pub struct PotentialOnBox {
    name: &'static str,
    potential: Potential,
    facts: Facts,
    entropy: f64,
    /// An upper bound of -E.
    peak: f64,
    /// What a panel is short against along each axis.
    widths: [f64; 2],
    lattices: [OnceLock<Lattice>; LEVELS],
}

/// Nodes of a part of the box and the mass of each.
#[derive(Debug)]
struct Lattice {
    axes: [Vec<f64>; 2],
    /// Row by row, a row for each node of the first axis.
    masses: Vec<f64>,
}

/// The nodes of one axis that matter at a coordinate: the first of them, their kernels relative to that of the nearest,
/// how far each lies, and the squared distance of the nearest.
struct Window {
    first: usize,
    kernels: Vec<f64>,
    offsets: Vec<f64>,
    least: f64,
}

impl PotentialOnBox {
    /// A ring of radius 2, of which two opposite arcs are left.
    pub fn u1() -> Self {
        // the second ridge and the floor of 1e-10 add 3.2e-10 to one
        Self::new("u1", Potential::U1, 2.660012, 1e-9, [0.3, 0.3])
    }

    /// A wave.
    pub fn u2() -> Self {
        Self::new("u2", Potential::U2, 2.582089, 1e-9, [0.25, 0.3])
    }

    /// A wave that parts in two and meets again.
    pub fn u3() -> Self {
        Self::new("u3", Potential::U3, 2.626707, LN_2 + 1e-9, [0.12, 0.3])
    }

    /// A wave that parts in two.
    pub fn u4() -> Self {
        Self::new("u4", Potential::U4, 2.766181, LN_2 + 1e-9, [0.12, 0.3])
    }

    fn new(name: &'static str, potential: Potential, entropy: f64, peak: f64, widths: [f64; 2]) -> Self {
        let lattices = [const { OnceLock::new() }; LEVELS];
        Self { name, potential, facts: potential.facts(), entropy, peak, widths, lattices }
    }

    /// ln p at sigma = 0, whether in the box or not, and its gradient.
    fn log_inside(&self, x: &[f64], slope: &mut [f64; 2]) -> f64 {
        let energy = self.potential.energy(x, slope);
        *slope = slope.map(|s| -s);
        -energy - self.facts.log_normalizer.unwrap_or(f64::NAN)
    }

    /// The nodes of `ranges` with panels for noise `sigma`, `fine` times as long.
    fn lattice(&self, ranges: [[f64; 2]; 2], sigma: f64, fine: f64) -> Lattice {
        let panel = |width: f64| fine * 2.0 / (1.0 / width).hypot(1.0 / sigma);
        let axes = [0, 1].map(|axis| quadrature(ranges[axis], panel(self.widths[axis])));
        let mut masses = Vec::with_capacity(axes[0].len() * axes[1].len());
        for (x, wx) in &axes[0] {
            masses.extend(axes[1].iter().map(|(y, wy)| wx * wy * self.log_inside(&[*x, *y], &mut [0.0; 2]).exp()));
        }
        Lattice { axes: axes.map(|axis| axis.into_iter().map(|(node, _)| node).collect()), masses }
    }

    /// Calls `then` with a lattice that is fine enough for noise `sigma` at `x`.
    fn with_lattice<T>(&self, x: &[f64], sigma: f64, then: impl FnOnce(&Lattice) -> T) -> T {
        let level = (-2.0 * sigma.log2()).ceil().max(0.0) as usize;
        if let Some(kept) = self.lattices.get(level) {
            let whole = [[-HALF, HALF]; 2];
            return then(kept.get_or_init(|| self.lattice(whole, 2f64.powf(-0.5 * level as f64), 1.0)));
        }
        let reach = sigma * (2.0 * NEGLIGIBLE).sqrt();
        let around = [0, 1].map(|axis| {
            let middle = x[axis].clamp(-HALF, HALF);
            [(middle - reach).max(-HALF), (middle + reach).min(HALF)]
        });
        then(&self.lattice(around, sigma, 1.0))
    }

    /// ln p with noise of panels `fine` times as long as usual, for the tests.
    #[cfg(test)]
    pub(super) fn log_density_by(&self, x: &[f64], sigma: f64, fine: f64) -> f64 {
        self.lattice([[-HALF, HALF]; 2], sigma, fine).log_density(x, sigma)
    }
}

impl Lattice {
    fn windows(&self, x: &[f64], sigma: f64) -> [Window; 2] {
        [0, 1].map(|axis| Window::new(&self.axes[axis], x[axis], sigma))
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        let [a, b] = self.windows(x, sigma);
        let total = self.sum([&a, &b], [&a.kernels, &b.kernels]);
        total.ln() - 0.5 * (a.least + b.least) / (sigma * sigma) - (TAU * sigma * sigma).ln()
    }

    fn score(&self, x: &[f64], sigma: f64) -> [f64; 2] {
        let [a, b] = self.windows(x, sigma);
        let pulls = [&a, &b].map(|w| w.kernels.iter().zip(&w.offsets).map(|(k, o)| k * o).collect::<Vec<_>>());
        let total = self.sum([&a, &b], [&a.kernels, &b.kernels]) * sigma * sigma;
        [self.sum([&a, &b], [&pulls[0], &b.kernels]) / total, self.sum([&a, &b], [&a.kernels, &pulls[1]]) / total]
    }

    /// The sum of the masses of two windows, weighted along each axis.
    fn sum(&self, [a, b]: [&Window; 2], weights: [&[f64]; 2]) -> f64 {
        let (width, mut column) = (self.axes[1].len(), vec![0.0; weights[1].len()]);
        for (weight, row) in weights[0].iter().zip(self.masses.chunks_exact(width).skip(a.first)) {
            column.iter_mut().zip(&row[b.first..]).for_each(|(sum, mass)| *sum += weight * mass);
        }
        column.iter().zip(weights[1]).map(|(sum, weight)| sum * weight).sum()
    }
}

impl Window {
    fn new(nodes: &[f64], at: f64, sigma: f64) -> Self {
        let next = nodes.partition_point(|node| *node < at);
        let near = &nodes[next.saturating_sub(1)..(next + 1).min(nodes.len())];
        let least = near.iter().map(|node| (node - at).powi(2)).fold(f64::INFINITY, f64::min);
        let reach = (least + 2.0 * NEGLIGIBLE * sigma * sigma).sqrt();
        let first = nodes.partition_point(|node| *node < at - reach);
        let last = nodes.partition_point(|node| *node <= at + reach);
        let offsets: Vec<f64> = nodes[first..last].iter().map(|node| node - at).collect();
        let kernels = offsets.iter().map(|o| (-0.5 * (o * o - least) / (sigma * sigma)).exp()).collect();
        Self { first, kernels, offsets, least }
    }
}

/// Places and weights for an integral over an interval: panels of at most `panel`, six places each.
fn quadrature([low, high]: [f64; 2], panel: f64) -> Vec<(f64, f64)> {
    let panels = ((high - low) / panel).ceil().max(1.0);
    let half = 0.5 * (high - low) / panels;
    let middle = |k: usize| low + half * (2 * k + 1) as f64;
    let of = |k: usize| GAUSS.iter().map(move |(place, weight)| (middle(k) + half * place, half * weight));
    (0..panels as usize).flat_map(of).collect()
}

/// The squared distance to the box.
fn squared_distance(x: &[f64]) -> f64 {
    x.iter().map(|v| (v.abs() - HALF).max(0.0).powi(2)).sum()
}

impl Law for PotentialOnBox {
    fn name(&self) -> &'static str {
        self.name
    }

    fn dim(&self) -> usize {
        2
    }

    /// By rejection: one of eight to ten points of the box is kept.
    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        loop {
            out.iter_mut().for_each(|value| *value = HALF * (2.0 * uniform(rng) - 1.0));
            if uniform(rng).ln() < -self.potential.energy(out, &mut [0.0; 2]) - self.peak {
                return;
            }
        }
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        if sigma > 0.0 {
            self.with_lattice(x, sigma, |lattice| lattice.log_density(x, sigma))
        } else if squared_distance(x) == 0.0 {
            self.log_inside(x, &mut [0.0; 2])
        } else {
            f64::NEG_INFINITY
        }
    }

    /// Outside of the box there is none at sigma = 0, and 0 stands for it.
    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        let mut slope = [0.0; 2];
        if sigma > 0.0 {
            slope = self.with_lattice(x, sigma, |lattice| lattice.score(x, sigma));
        } else if squared_distance(x) == 0.0 {
            self.log_inside(x, &mut slope);
        }
        out.copy_from_slice(&slope);
    }

    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let reach = HALF + REACH * sigma;
        vec![[-reach, reach]; 2]
    }

    /// By the box: what lies in it is never outside, however little mass is there.
    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        squared_distance(x) > (FAR * sigma).powi(2)
    }

    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        self.facts.mean.clone().zip(self.facts.variance.clone()).map(|(mean, variance)| [mean, variance])
    }

    fn entropy(&self) -> f64 {
        self.entropy
    }
}
