//! The roll and the pinwheel of torchebm, drawn as independent points of the laws behind its samples.

use super::Curve;
use super::named::uniformly;
use super::nodes::{Node, quadrature};
use crate::data::law::{index, normal, uniform};
use rand::Rng;
use std::f64::consts::{PI, TAU};

/// Where the roll's parameter ends, from 0; it is t - 3π.
const ROLL: f64 = 6.0 * PI;

/// Twice the mean of the standard deviations of t cos t and t sin t, t uniform on [3π, 9π], with noise 0.05: their
/// variances are 39π²/2 + 1/4 and 39π²/2 - 5/4 plus 0.0025. A sample is divided by its own there.
const SCALE: f64 = 27.709_857_685_894_72;

/// The pinwheel's arms, and the standard deviation of the angle.
const ARMS: usize = 5;
const SPREAD: f64 = 0.1;

/// Nodes of the angle reach this many of its standard deviations.
const AROUND: f64 = 7.0;

impl Curve {
    /// A thin roll of three turns: ((t cos t, t sin t) + 0.05 z - (0, 1)) / 27.71 with t uniform on [3π, 9π]. The divisor
    /// is twice the mean of the standard deviations of both coordinates, and (0, 1) their mean.
    pub fn swissroll_torchebm() -> Self {
        Self::swissroll_torchebm_by(1.0)
    }

    /// The roll with panels of `panel` times two standard deviations.
    pub(in super::super) fn swissroll_torchebm_by(panel: f64) -> Self {
        let place = |rng: &mut dyn Rng| roll(ROLL * uniform(rng));
        Self::new("swissroll-torchebm", 0.05 / SCALE, -2.390414, place, |s| {
            let panels = |t: f64| panel * (2.0 * s * SCALE / (0.5 * ROLL + t).hypot(1.0)).min(0.6);
            uniformly(ROLL, panels, roll)
        })
    }

    /// A pinwheel of five arms: radius 2t with t = √u, angle 2πk / 5 + 5t + 0.1 z, and noise 0.05.
    ///
    /// Its nodes lie across the arms as well, so that nothing between the arms is outside.
    pub fn pinwheel_torchebm() -> Self {
        Self::pinwheel_torchebm_by(1.0)
    }

    /// The pinwheel with panels of `panel` times two standard deviations.
    pub(in super::super) fn pinwheel_torchebm_by(panel: f64) -> Self {
        let place = |rng: &mut dyn Rng| {
            let t = uniform(rng).sqrt();
            let arm = TAU * index(rng, ARMS) as f64 / ARMS as f64;
            arc(t, arm + SPREAD * normal(rng))
        };
        Self::new("pinwheel-torchebm", 0.05, 1.970658, place, |s| {
            let panels = |t: f64| panel * (2.0 * s / (10.0 * t).hypot(2.0)).min(0.12);
            let across = |(t, weight): (f64, f64)| {
                // the trapezoid rule, with a step as wide as the Gaussians of angle and noise together
                let step = panel / (2.0 * t / s).hypot(1.0 / SPREAD);
                let last = (AROUND * SPREAD / step).ceil() as i32;
                let share = 2.0 * t * weight / ARMS as f64 * step / (SPREAD * TAU.sqrt());
                (0..ARMS).flat_map(move |k| {
                    (-last..=last).map(move |j| {
                        let z = step * f64::from(j);
                        let weight = share * (-0.5 * (z / SPREAD).powi(2)).exp();
                        Node::new(arc(t, TAU * k as f64 / ARMS as f64 + z), weight)
                    })
                })
            };
            quadrature(1.0, panels).into_iter().flat_map(across).collect()
        })
    }
}

/// The roll after `t` radians.
fn roll(t: f64) -> [f64; 2] {
    let t = 0.5 * ROLL + t;
    let (sin, cos) = t.sin_cos();
    [t * cos / SCALE, (t * sin - 1.0) / SCALE]
}

/// The point at radius 2t, turned by 5t and by `angle`.
fn arc(t: f64, angle: f64) -> [f64; 2] {
    let (sin, cos) = (5.0 * t + angle).sin_cos();
    [2.0 * t * cos, 2.0 * t * sin]
}
