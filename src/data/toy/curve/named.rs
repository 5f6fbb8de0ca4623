//! The curves of the literature: moons, spirals and the roll, with their nodes and samplers.

use super::{Curve, LEVELS, Node, quadrature};
use crate::data::law::uniform;
use rand::Rng;
use std::f64::consts::PI;

impl Curve {
    /// Two interleaved half circles of radius 2 with noise 0.2 (the unit moons with noise 0.1, times 2, moved by
    /// (-1, -0.2)).
    pub fn moons() -> Self {
        Self::moons_by(1.0)
    }

    /// The unit moons with noise 0.05, as masked autoregressive flows are shown on them: upper (cos a, sin a), lower
    /// (1 - cos a, 0.5 - sin a).
    pub fn moons_maf() -> Self {
        Self::moons_maf_by(1.0)
    }

    /// The moons with panels of `panel` times two standard deviations.
    pub(in super::super) fn moons_by(panel: f64) -> Self {
        let place = |rng: &mut dyn Rng| large(unit_moons(rng));
        let levels = moons(panel, 0.1, large);
        Self { name: "moons", levels, side: 0.0, noise: 0.2, entropy: 2.393879, place }
    }

    /// The unit moons with panels of `panel` times two standard deviations.
    pub(in super::super) fn moons_maf_by(panel: f64) -> Self {
        let levels = moons(panel, 0.05, |p| p);
        Self { name: "moons-maf", levels, side: 0.0, noise: 0.05, entropy: 0.289234, place: unit_moons }
    }

    /// One Archimedean spiral: ((t cos t, t sin t) + z) / 5 with t uniform on [1.5π, 4.5π].
    pub fn swissroll() -> Self {
        Self::swissroll_by(1.0)
    }

    /// The roll with panels of `panel` times two standard deviations.
    pub(in super::super) fn swissroll_by(panel: f64) -> Self {
        let noise = 0.2;
        let nodes = |level: f64| {
            let panels = |t: f64| panel * (2.0 * level * noise * 5.0 / (ROLL + t).hypot(1.0)).min(0.6);
            quadrature(TURNS, panels, |t| (roll(t), 1.0 / TURNS))
        };
        let place = |rng: &mut dyn Rng| roll(TURNS * uniform(rng));
        let levels = LEVELS.map(nodes).to_vec();
        Self { name: "swissroll", levels, side: 0.0, noise, entropy: 2.669646, place }
    }

    /// Two Archimedean spirals: ±(-n cos n + u'/2, n sin n + u''/2) / 3 + 0.1 z with n = 3π √u.
    pub fn two_spirals() -> Self {
        Self::two_spirals_by(1.0)
    }

    /// The spirals with panels of `panel` times two standard deviations.
    pub(in super::super) fn two_spirals_by(panel: f64) -> Self {
        let noise = 0.1;
        let weight = |n: f64| n / TURNS.powi(2); // half of the density 2n / (3π)² of n
        let nodes = |level: f64| {
            // Near the inner end a coarse panel would turn too far.
            let panels = |n: f64| panel * (2.0 * level * noise * 3.0 / n.hypot(1.0)).min(0.6);
            let mut nodes = quadrature(TURNS, panels, |n| (spiral(n), weight(n)));
            nodes.extend(quadrature(TURNS, panels, |n| (spiral(n).map(|c| -c - SPIRAL_SIDE), weight(n))));
            nodes
        };
        let place = |rng: &mut dyn Rng| {
            let low = spiral(TURNS * uniform(rng).sqrt());
            let sign = if uniform(rng) < 0.5 { 1.0 } else { -1.0 };
            low.map(|c| sign * (c + SPIRAL_SIDE * uniform(rng)))
        };
        let levels = LEVELS.map(nodes).to_vec();
        Self { name: "2spirals", levels, side: SPIRAL_SIDE, noise, entropy: 2.64545, place }
    }
}

/// 3π: the spirals make one and a half turns.
const TURNS: f64 = 3.0 * PI;

/// The side of the square of uniform offsets: u / 2 before the division by 3.
const SPIRAL_SIDE: f64 = 1.0 / 6.0;

/// 1.5π: where the roll begins.
const ROLL: f64 = 1.5 * PI;

/// The nodes of two unit moons with noise `noise`, mapped by `at`, for each level.
fn moons(panel: f64, noise: f64, at: fn([f64; 2]) -> [f64; 2]) -> Vec<Vec<Node>> {
    let nodes = |level: f64| {
        let panels = |_| panel * 2.0 * level * noise; // the arc moves by 1 per radian
        let mut nodes = quadrature(PI, panels, |a| (at(upper_moon(a)), 0.5 / PI));
        nodes.extend(quadrature(PI, panels, |a| (at(lower_moon(a)), 0.5 / PI)));
        nodes
    };
    LEVELS.map(nodes).to_vec()
}

fn unit_moons(rng: &mut dyn Rng) -> [f64; 2] {
    let moon = if uniform(rng) < 0.5 { upper_moon } else { lower_moon };
    moon(PI * uniform(rng))
}

fn upper_moon(angle: f64) -> [f64; 2] {
    [angle.cos(), angle.sin()]
}

fn lower_moon(angle: f64) -> [f64; 2] {
    [1.0 - angle.cos(), 0.5 - angle.sin()]
}

/// 2 p + (-1, -0.2).
fn large(p: [f64; 2]) -> [f64; 2] {
    [2.0 * p[0] - 1.0, 2.0 * p[1] - 0.2]
}

/// The roll after `t` radians.
fn roll(t: f64) -> [f64; 2] {
    let (sin, cos) = (ROLL + t).sin_cos();
    [(ROLL + t) * cos / 5.0, (ROLL + t) * sin / 5.0]
}

fn spiral(n: f64) -> [f64; 2] {
    [-n * n.cos() / 3.0, n * n.sin() / 3.0]
}
