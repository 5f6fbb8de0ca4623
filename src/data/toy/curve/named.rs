//! The curves of the literature: moons, spirals and the roll, with their nodes and samplers.

use super::Curve;
use super::nodes::{Node, quadrature};
use crate::data::law::uniform;
use rand::Rng;
use std::f64::consts::{PI, SQRT_2};

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

    /// The same law under the name of torchebm, whose moons it has but for the regular angles there.
    pub fn moons_torchebm() -> Self {
        Self { name: "moons-torchebm", ..Self::moons_maf() }
    }

    /// The moons with panels of `panel` times two standard deviations.
    pub(in super::super) fn moons_by(panel: f64) -> Self {
        let place = |rng: &mut dyn Rng| large(unit_moons(rng));
        Self::new("moons", 0.2, 2.393879, place, |s| moons(panel * s, large))
    }

    /// The unit moons with panels of `panel` times two standard deviations.
    pub(in super::super) fn moons_maf_by(panel: f64) -> Self {
        Self::new("moons-maf", 0.05, 0.289234, unit_moons, |s| moons(2.0 * panel * s, |p| p))
    }

    /// One Archimedean spiral: ((t cos t, t sin t) + z) / 5 with t uniform on [1.5π, 4.5π].
    pub fn swissroll() -> Self {
        Self::swissroll_by(1.0)
    }

    /// The roll with panels of `panel` times two standard deviations.
    pub(in super::super) fn swissroll_by(panel: f64) -> Self {
        let place = |rng: &mut dyn Rng| roll(TURNS * uniform(rng));
        Self::new("swissroll", 0.2, 2.669646, place, |s| {
            let panels = |t: f64| panel * (2.0 * s * 5.0 / (ROLL + t).hypot(1.0)).min(0.6);
            uniformly(TURNS, panels, roll)
        })
    }

    /// Two Archimedean spirals: ±(-n cos n + u'/2, n sin n + u''/2) / 3 + 0.1 z with n = 3π √u.
    pub fn two_spirals() -> Self {
        Self::two_spirals_by(1.0)
    }

    /// The spirals with panels of `panel` times two standard deviations.
    pub(in super::super) fn two_spirals_by(panel: f64) -> Self {
        let place = |rng: &mut dyn Rng| {
            let low = spiral(TURNS * uniform(rng).sqrt());
            let sign = if uniform(rng) < 0.5 { 1.0 } else { -1.0 };
            low.map(|c| sign * (c + SPIRAL_SIDE * uniform(rng)))
        };
        Self::of_squares("2spirals", [SPIRAL_SIDE, 0.1], 2.64545, place, |s| {
            // Near the inner end a coarse panel would turn too far.
            let panels = |n: f64| panel * (2.0 * s * 3.0 / n.hypot(1.0)).min(0.6);
            let arms = |(n, weight): (f64, f64)| {
                let share = n / TURNS.powi(2) * weight; // half of the density 2n / (3π)² of n
                let (arm, other) = (spiral(n), spiral(n).map(|c| -c - SPIRAL_SIDE));
                [Node::new(arm, share), Node::new(other, share)]
            };
            quadrature(TURNS, panels).into_iter().flat_map(arms).collect()
        })
    }

    /// (x, x) with x uniform on [-2.5, 2.5], and noise 0.05: without any, as the FFJORD code has it, there is no density.
    pub fn line() -> Self {
        Self::line_by(1.0)
    }

    /// The line with panels of `panel` times two standard deviations.
    pub(in super::super) fn line_by(panel: f64) -> Self {
        let place = |rng: &mut dyn Rng| straight(WIDTH * uniform(rng));
        Self::new("line", THIN, 0.391991, place, |s| uniformly(WIDTH, |_| panel * 2.0 * s / SQRT_2, straight))
    }

    /// (x, 2.5 sin x) with x uniform on [-2.5, 2.5], and noise 0.05, for the reason that the line has some. The FFJORD code
    /// calls it `cos`.
    pub fn cos() -> Self {
        Self::cos_by(1.0)
    }

    /// The wave with panels of `panel` times two standard deviations.
    pub(in super::super) fn cos_by(panel: f64) -> Self {
        let place = |rng: &mut dyn Rng| wave(WIDTH * uniform(rng));
        Self::new("cos", THIN, 0.572364, place, |s| {
            // no panel turns by more than a fifth of the bend at a crest
            let speed = |t: f64| (HEIGHT * (t - 0.5 * WIDTH).cos()).hypot(1.0);
            uniformly(WIDTH, |t| panel * (2.0 * s / speed(t)).min(0.2), wave)
        })
    }
}

/// The noise of the curves that have none where they come from.
const THIN: f64 = 0.05;

/// The range of the first coordinate of a line and of a wave, and the wave's height.
const WIDTH: f64 = 5.0;
const HEIGHT: f64 = 2.5;

/// 3π: the spirals make one and a half turns.
const TURNS: f64 = 3.0 * PI;

/// The side of the square of uniform offsets: u / 2 before the division by 3.
const SPIRAL_SIDE: f64 = 1.0 / 6.0;

/// 1.5π: where the roll begins.
const ROLL: f64 = 1.5 * PI;

/// The nodes of the curve `at` for a parameter uniform on [0, end].
pub(super) fn uniformly(end: f64, panel: impl Fn(f64) -> f64, at: impl Fn(f64) -> [f64; 2]) -> Vec<Node> {
    quadrature(end, panel).into_iter().map(|(t, weight)| Node::new(at(t), weight / end)).collect()
}

/// The nodes of two unit moons with panels of one length, mapped by `at`.
fn moons(panel: f64, at: fn([f64; 2]) -> [f64; 2]) -> Vec<Node> {
    let both = |(a, weight): (f64, f64)| [upper_moon(a), lower_moon(a)].map(|p| Node::new(at(p), 0.5 / PI * weight));
    quadrature(PI, |_| panel).into_iter().flat_map(both).collect()
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

/// The diagonal after `t` of the first coordinate.
fn straight(t: f64) -> [f64; 2] {
    [t - 0.5 * WIDTH; 2]
}

fn wave(t: f64) -> [f64; 2] {
    let x = t - 0.5 * WIDTH;
    [x, HEIGHT * x.sin()]
}
