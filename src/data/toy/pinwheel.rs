//! The pinwheel: five Gaussians, each sheared into a bent arm, with its density by roots and its smoothed one by quadrature.

use super::quadrature::GAUSS;
use crate::data::law::{FAR, Law, REACH, index, normal_pair};
use rand::Rng;
use std::f64::consts::TAU;

/// f = (1 + 0.3 z₁, 0.1 z₂), turned by -a with a = 2πk / 5 + exp(f₁) / 4 and k one of 0..5, times 2.
///
/// Turning a point x by a gives (w₁, w₂) = 2f for the right f₁. So at sigma = 0 the density is a sum over the roots f₁ of
/// w₁(f₁) - 2 f₁, each with the Jacobian |1 + a' f₂| (it has folds, where it is infinite; beyond them are 1e-8 of the mass),
/// and with noise it is the integral over f₁ of Gaussians in w₁ - 2 f₁ and w₂, by Gauss-Legendre quadrature on panels
/// that are halved until they are short against the noise; the logarithm is within 1e-7. Values of f₁ farther than 8
/// standard deviations from 1 are left out.
#[derive(Debug, Clone, Copy)]
pub struct Pinwheel;

const ARMS: usize = 5;
const RADIAL: f64 = 0.3;
const TANGENTIAL: f64 = 0.1;
const RATE: f64 = 0.25;
const SCALE: f64 = 2.0;

/// Where f₁ is looked for.
const RANGE: [f64; 2] = [1.0 - 8.0 * RADIAL, 1.0 + 8.0 * RADIAL];

/// Panels this many nats below the largest term are left out.
const NEGLIGIBLE: f64 = 30.0;

/// Panels are halved until they are this long at most, in units of what the integrand varies over.
const PANEL: f64 = 1.4;

/// What a root or a node adds to the density, as a logarithm, and the gradient of that.
struct Share {
    log: f64,
    pull: [f64; 2],
}

/// A point as one arm sees it, with the noise beside it.
#[derive(Clone, Copy)]
struct View {
    x: [f64; 2],
    size: f64,
    angle: f64,
    sigma: f64,
    /// The standard deviation of w₂.
    across: f64,
}

/// What belongs to a value of f₁.
struct Place {
    f: f64,
    /// a'.
    turn: f64,
    sin: f64,
    cos: f64,
    /// w₁ - 2 f₁.
    gap: f64,
    w2: f64,
}

impl View {
    fn of(x: &[f64], sigma: f64) -> impl Iterator<Item = Self> {
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
    fn lower(&self, best: &mut f64, longest: f64) {
        halve(RANGE, &mut |panel| {
            let (here, least) = self.nats(panel);
            *best = best.min(here);
            least < *best && self.coarse(panel, longest)
        });
    }

    /// The terms of the quadrature up to `limit` nats.
    fn nodes(&self, limit: f64, longest: f64, shares: &mut Vec<Share>) {
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
    fn roots(&self) -> Vec<Place> {
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
    fn share(p: &Place) -> Share {
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

/// The least exponent of all arms, at most by a quarter too high; a coarse pass first leaves the fine one little to do.
fn least_nats(x: &[f64], sigma: f64) -> f64 {
    let mut best = f64::INFINITY;
    for longest in [8.0 * PANEL, PANEL] {
        View::of(x, sigma).for_each(|view| view.lower(&mut best, longest));
    }
    best
}

impl Pinwheel {
    /// ln p and its gradient, by panels of `longest` in the units of [`PANEL`].
    pub(super) fn evaluate(x: &[f64], sigma: f64, longest: f64) -> (f64, [f64; 2]) {
        let mut shares = Vec::new();
        if sigma == 0.0 {
            View::of(x, sigma).for_each(|view| shares.extend(view.roots().iter().map(View::share)));
        } else {
            let limit = least_nats(x, sigma) + NEGLIGIBLE;
            View::of(x, sigma).for_each(|view| view.nodes(limit, longest, &mut shares));
        }
        let top = shares.iter().map(|s| s.log).fold(f64::NEG_INFINITY, f64::max);
        let (mut total, mut pull) = (0.0, [0.0; 2]);
        for share in &shares {
            let weight = (share.log - top).exp();
            total += weight;
            (0..2).for_each(|axis| pull[axis] += weight * share.pull[axis]);
        }
        (top + total.ln(), pull.map(|p| p / total))
    }
}

impl Law for Pinwheel {
    fn name(&self) -> &'static str {
        "pinwheel"
    }

    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]) {
        let arm = index(rng, ARMS);
        let z = normal_pair(rng);
        let (f1, f2) = (1.0 + RADIAL * z[0], TANGENTIAL * z[1]);
        let (sin, cos) = (TAU * arm as f64 / ARMS as f64 + RATE * f1.exp()).sin_cos();
        out[0] = SCALE * (f1 * cos + f2 * sin);
        out[1] = SCALE * (f2 * cos - f1 * sin);
    }

    fn log_density(&self, x: &[f64], sigma: f64) -> f64 {
        Self::evaluate(x, sigma, PANEL).0
    }

    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        out.copy_from_slice(&Self::evaluate(x, sigma, PANEL).1);
    }

    /// The distance from the origin is about 2 f₁.
    fn extent(&self, sigma: f64) -> Vec<[f64; 2]> {
        let reach = SCALE + REACH * (SCALE * RADIAL).hypot(sigma);
        vec![[-reach, reach]; 2]
    }

    /// Mahalanobis, by the likeliest f₁ of any arm.
    fn outside(&self, x: &[f64], sigma: f64) -> bool {
        let nats = |p: &Place| 0.5 * (((p.f - 1.0) / RADIAL).powi(2) + (p.w2 / (SCALE * TANGENTIAL)).powi(2));
        let roots = || View::of(x, sigma).flat_map(|view| view.roots());
        let best =
            if sigma == 0.0 { roots().map(|p| nats(&p)).fold(f64::INFINITY, f64::min) } else { least_nats(x, sigma) };
        best > 0.5 * FAR * FAR
    }

    fn entropy(&self) -> f64 {
        2.317788
    }
}
