//! A point as one arm of the pinwheel sees it: the roots of its gap, and the panels of its quadrature.

use super::{ARMS, RADIAL, RANGE, RATE, SCALE, TANGENTIAL};
use crate::data::toy::quadrature::GAUSS;
use std::f64::consts::TAU;

/// What a root or a node adds to the density, as a logarithm, and the gradient of that.
pub(super) struct Share {
    pub(super) log: f64,
    pub(super) pull: [f64; 2],
}

/// A point as one arm sees it, with the noise beside it.
#[derive(Clone, Copy)]
pub(super) struct View {
    x: [f64; 2],
    size: f64,
    angle: f64,
    sigma: f64,
    /// The standard deviation of w₂.
    across: f64,
}

/// What belongs to a value of f₁.
pub(super) struct Place {
    pub(super) f: f64,
    /// a'.
    turn: f64,
    sin: f64,
    cos: f64,
    /// w₁ - 2 f₁.
    gap: f64,
    pub(super) w2: f64,
}

impl View {
    pub(super) fn of(x: &[f64], sigma: f64) -> impl Iterator<Item = Self> {
        let (x, across) = ([x[0], x[1]], (SCALE * TANGENTIAL).hypot(sigma));
        let size = x[0].hypot(x[1]);
        (0..ARMS).map(move |k| Self { x, size, angle: TAU * k as f64 / ARMS as f64, sigma, across })
    }

    fn at(&self, f: f64) -> Place {
        let turn = RATE * f.exp();
        let (sin, cos) = (self.angle + turn).sin_cos();
        let [x, y] = self.x;
        Place { f, turn, sin, cos, gap: x * cos - y * sin - SCALE * f, w2: x * sin + y * cos }
    }

    /// The exponent in the middle of a panel, and at least how low it can be on it.
    fn nats(&self, panel: &Panel) -> (f64, f64) {
        let place = self.at(panel.middle);
        let w2_moves = panel.half * panel.turn * self.size;
        let sum = |slack: [f64; 3]| {
            let part = |value: f64, slack: f64, std: f64| ((value.abs() - slack).max(0.0) / std).powi(2);
            let f = part(place.f - 1.0, slack[0], RADIAL);
            0.5 * (f + part(place.gap, slack[1], self.sigma) + part(place.w2, slack[2], self.across))
        };
        (sum([0.0; 3]), sum([panel.half, self.gap_moves(panel), w2_moves]))
    }

    /// At most how far the gap moves over half a panel.
    fn gap_moves(&self, panel: &Panel) -> f64 {
        panel.half * (panel.turn * self.size + SCALE)
    }

    /// Is the panel longer than `longest` in units of what the integrand varies over?
    fn coarse(&self, panel: &Panel, longest: f64) -> bool {
        let half = 0.5 * longest;
        self.gap_moves(panel) > half * self.sigma || panel.half > half * RADIAL.min(0.5 / panel.turn)
    }

    /// Lowers `best` to the least exponent of this arm, by panels down to `longest`.
    pub(super) fn lower(&self, best: &mut f64, longest: f64) {
        halve(RANGE, &mut |panel| {
            let (here, least) = self.nats(panel);
            *best = best.min(here);
            least < *best && self.coarse(panel, longest)
        });
    }

    /// The terms of the quadrature up to `limit` nats.
    pub(super) fn nodes(&self, limit: f64, longest: f64, shares: &mut Vec<Share>) {
        let log_norm = (ARMS as f64 * RADIAL * self.sigma * self.across * TAU.powf(1.5)).ln();
        halve(RANGE, &mut |panel| {
            if self.nats(panel).1 > limit {
                return false;
            }
            if self.coarse(panel, longest) {
                return true;
            }
            shares.extend(GAUSS.iter().map(|(node, weight)| {
                let p = self.at(panel.middle + panel.half * node);
                let [u, v, w] = [(p.f - 1.0) / RADIAL, p.gap / self.sigma, p.w2 / self.across];
                let [v_slope, w_slope] = [v / self.sigma, w / self.across];
                let pull = [-v_slope * p.cos - w_slope * p.sin, v_slope * p.sin - w_slope * p.cos];
                Share { log: (weight * panel.half).ln() - 0.5 * (u * u + v * v + w * w) - log_norm, pull }
            }));
            false
        });
    }

    /// The roots of the gap, each on a panel where the gap is monotone.
    pub(super) fn roots(&self) -> Vec<Place> {
        let mut roots = Vec::new();
        halve(RANGE, &mut |panel| {
            let place = self.at(panel.middle);
            if place.gap.abs() > self.gap_moves(panel) {
                return false;
            }
            let bend = (panel.turn + panel.turn * panel.turn) * self.size;
            if (SCALE + place.turn * place.w2).abs() <= bend * panel.half {
                return panel.half > 1e-10; // what is left is a fold
            }
            let ends = [panel.middle - panel.half, panel.middle + panel.half];
            let rises = self.at(ends[0]).gap < 0.0;
            if rises != (self.at(ends[1]).gap < 0.0) {
                roots.push(self.root(ends, rises));
            }
            false
        });
        roots
    }

    /// Newton's method, kept inside the bracket by bisection.
    fn root(&self, [mut low, mut high]: [f64; 2], rises: bool) -> Place {
        let mut place = self.at(0.5 * (low + high));
        for _ in 0..60 {
            if (place.gap < 0.0) == rises {
                low = place.f;
            } else {
                high = place.f;
            }
            let next = place.f + place.gap / (SCALE + place.turn * place.w2);
            let next = if low < next && next < high { next } else { 0.5 * (low + high) };
            let done = (next - place.f).abs() < 1e-15 * (1.0 + next.abs());
            place = self.at(next);
            if done {
                break;
            }
        }
        place
    }

    /// What a root adds at sigma = 0. The gradient takes in that f₁ moves by (cos a, -sin a) / (2 det) with x.
    pub(super) fn share(p: &Place) -> Share {
        let [u, w] = [(p.f - 1.0) / RADIAL, p.w2 / (SCALE * TANGENTIAL)];
        let det = 1.0 + p.turn * p.w2 / SCALE;
        let log_norm = (ARMS as f64 * TAU * RADIAL * TANGENTIAL * SCALE * SCALE).ln();
        let log = -0.5 * (u * u + w * w) - det.abs().ln() - log_norm;
        let w1 = SCALE * p.f;
        let along = |axis: usize| {
            let f = [p.cos, -p.sin][axis] / (SCALE * det);
            let w2 = [p.sin, p.cos][axis] + p.turn * w1 * f;
            let det_moves = p.turn * (p.w2 * f + w2) / SCALE;
            -u / RADIAL * f - w / (SCALE * TANGENTIAL) * w2 - det_moves / det
        };
        Share { log, pull: [along(0), along(1)] }
    }
}

/// A range of f₁.
struct Panel {
    middle: f64,
    half: f64,
    /// The largest a' on it.
    turn: f64,
}

/// Visits the panel and, where `visit` says so, its halves.
fn halve([low, high]: [f64; 2], visit: &mut impl FnMut(&Panel) -> bool) {
    let panel = Panel { middle: 0.5 * (low + high), half: 0.5 * (high - low), turn: RATE * high.exp() };
    if visit(&panel) {
        halve([low, panel.middle], visit);
        halve([panel.middle, high], visit);
    }
}
