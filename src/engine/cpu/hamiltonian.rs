//! Hamiltonian Monte Carlo for a tile of chains. Twin: `shaders/hamiltonian_chains.wgsl`.
//!
//! In units in which a momentum p is standard normal, with the reach ρ = ε √T times the chain's own factor and the scale
//! s = M⁻½ of a coordinate, a leapfrog is p ← p − (ρ / 2) s ∇U, x ← x + ρ s p, p ← p − (ρ / 2) s ∇U with
//! U = E/T + ½ Σ a (x − m)², and ΔH = ΔU + Δ‖p‖²/2.

use super::landscape::{Ground, Site};
use super::{Block, draws};
use crate::engine::STANDING;
use crate::random::{Seed, Stream, uniform};
use crate::real::Real;
use crate::sampler::{Adaptation, Hamiltonian};

/// How a chain stands: what it needs to go on, and what is reported of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing<T> {
    /// E.
    pub(super) energy: T,
    /// ln of the factor of its step.
    pub(super) log_factor: T,
    /// Its average over the adaptation.
    average: T,
    /// Acceptance probabilities, summed since the last report: of millions of steps, which f32 could not hold.
    pub(super) accepted: f64,
    /// Proposals without a finite energy since then.
    pub(super) broken: u32,
}

impl<T: Real> Standing<T> {
    /// Everything in it, as a column of [`ChainState::standings`](crate::engine::ChainState::standings).
    pub(super) fn numbers(&self) -> [f64; STANDING] {
        let [energy, factor, average] = [self.energy, self.log_factor, self.average].map(Real::f64);
        [energy, factor, average, self.accepted, 0.0, self.broken.into(), 0.0]
    }

    /// What has been kept.
    pub(super) fn of([energy, factor, average, accepted, recent, broken, _]: [f64; STANDING]) -> Self {
        let [energy, log_factor, average] = [energy, factor, average].map(T::of);
        Self { energy, log_factor, average, accepted: accepted + recent, broken: broken as u32 }
    }

    /// Ends adaptation.
    pub(super) fn settle(&mut self) {
        self.log_factor = self.average;
    }

    /// Starts a new report.
    pub(super) fn forget(&mut self) {
        (self.accepted, self.broken) = (0.0, 0);
    }

    /// The `t`-th step of adaptation, after a proposal with this acceptance probability.
    fn adapt(&mut self, adaptation: Adaptation, t: f64, probability: T) {
        let gain = T::of(Adaptation::GAIN * t.powf(-Adaptation::DECAY));
        self.log_factor += gain * (probability - T::of(adaptation.target));
        self.average += T::of(t.powf(-Adaptation::FORGETTING)) * (self.log_factor - self.average);
    }
}

/// The working memory of a tile.
#[derive(Debug, Default)]
pub(super) struct Walk<T> {
    /// p, or the noise of a Langevin step.
    pub(super) momentum: Block<T>,
    /// Where a step started, and the slope there.
    start: Block<T>,
    start_slope: Block<T>,
    /// What ‖p‖²/2 + ½ Σ a (x − m)² has grown by.
    growth: Vec<T>,
    /// √T and 1/T.
    root: Vec<T>,
    cold: Vec<T>,
    /// ρ.
    reach: Vec<T>,
}

/// Which steps of which columns.
#[derive(Clone, Copy)]
pub(super) struct Turns {
    pub(super) seed: Seed,
    /// The first column of the tile.
    pub(super) index: u32,
    /// Steps done before.
    pub(super) first: u64,
    pub(super) steps: u64,
}

/// Whether a uniform number is below the acceptance probability of this logarithm, and that probability; what is not a
/// number is never taken.
pub(super) fn taken<T: Real>(log_ratio: T, word: u32) -> (bool, T) {
    let zero = T::default();
    let probability = if log_ratio >= zero {
        T::of(1.0)
    } else if log_ratio < zero {
        log_ratio.exp()
    } else {
        zero
    };
    (uniform::<T>(word) < probability, probability)
}

/// Carries a tile of chains through some steps.
pub(super) fn walk<T: Real>(
    ground: &Ground<T>,
    h: &Hamiltonian,
    site: &mut Site<T>,
    walk: &mut Walk<T>,
    standings: &mut [Standing<T>],
    turns: Turns,
) {
    let (d, samples) = (ground.dim(), site.energy.len());
    let typed = |numbers: Vec<f64>| numbers.into_iter().map(T::of).collect::<Vec<T>>();
    let scales = typed(h.scales(d));
    let base = h.base_numbers(d).map(typed);
    for block in [&mut walk.momentum, &mut walk.start, &mut walk.start_slope] {
        block.shape(d, samples);
    }
    for values in [&mut walk.growth, &mut walk.root, &mut walk.cold, &mut walk.reach] {
        values.resize(samples, T::default());
    }
    for i in 0..samples {
        let temperature = h.temperatures[(turns.index as usize + i) % h.replicas()];
        (walk.root[i], walk.cold[i]) = (T::of(temperature.sqrt()), T::of(1.0 / temperature));
    }
    ground.survey(site);
    for (standing, energy) in standings.iter_mut().zip(&site.energy) {
        standing.energy = *energy;
    }
    for step in turns.first..turns.first + turns.steps {
        for ((reach, standing), root) in walk.reach.iter_mut().zip(&*standings).zip(&walk.root) {
            *reach = T::of(h.step) * standing.log_factor.exp() * *root;
        }
        for n in 0..d {
            walk.start.row_mut(n, 0..samples).copy_from_slice(site.position.row(n, 0..samples));
            walk.start_slope.row_mut(n, 0..samples).copy_from_slice(site.slope.row(n, 0..samples));
        }
        draws::normals(&mut walk.momentum, d, 0..samples, turns.seed, Stream::Chain, turns.index, step as u32, 0);
        walk.growth.fill(T::default());
        grow(site, walk, &base, -0.5);
        for _ in 0..h.leapfrogs {
            kick(site, walk, &scales, &base);
            drift(h, site, walk, &scales);
            ground.survey(site);
            kick(site, walk, &scales, &base);
        }
        grow(site, walk, &base, 0.5);
        decide(h, site, walk, standings, turns, step);
    }
}

/// Adds `factor` (‖p‖² + Σ a (x − m)²).
fn grow<T: Real>(site: &Site<T>, walk: &mut Walk<T>, [mean, precision]: &[Vec<T>; 2], factor: f64) {
    let (factor, samples) = (T::of(factor), walk.root.len());
    for n in 0..walk.momentum.rows() {
        let (p, x) = (walk.momentum.row(n, 0..samples), site.position.row(n, 0..samples));
        for ((sum, p), x) in walk.growth.iter_mut().zip(p).zip(x) {
            let offset = *x - mean[n];
            *sum += factor * (*p * *p + precision[n] * offset * offset);
        }
    }
}

/// Half a step of momentum.
fn kick<T: Real>(site: &Site<T>, walk: &mut Walk<T>, scales: &[T], [mean, precision]: &[Vec<T>; 2]) {
    let samples = site.energy.len();
    for (n, scale) in scales.iter().enumerate() {
        let half = T::of(-0.5) * *scale;
        let (p, g) = (walk.momentum.row_mut(n, 0..samples), site.slope.row(n, 0..samples));
        let x = site.position.row(n, 0..samples);
        for i in 0..samples {
            p[i] += half * walk.reach[i] * (walk.cold[i] * g[i] + precision[n] * (x[i] - mean[n]));
        }
    }
}

/// A step of position; mirrors turn momentum round.
fn drift<T: Real>(h: &Hamiltonian, site: &mut Site<T>, walk: &mut Walk<T>, scales: &[T]) {
    let samples = site.energy.len();
    for (n, scale) in scales.iter().enumerate() {
        let (x, p) = (site.position.row_mut(n, 0..samples), walk.momentum.row_mut(n, 0..samples));
        for i in 0..samples {
            x[i] += *scale * walk.reach[i] * p[i];
        }
        if let Some(bounds) = &h.bounds {
            for (x, p) in x.iter_mut().zip(p) {
                let (inside, turned) = bounds.hold(*x);
                *x = inside;
                if turned {
                    *p = -*p;
                }
            }
        }
    }
}

/// Accepts or refuses each chain's proposal, and adapts its step.
fn decide<T: Real>(
    h: &Hamiltonian,
    site: &mut Site<T>,
    walk: &Walk<T>,
    standings: &mut [Standing<T>],
    turns: Turns,
    step: u64,
) {
    for (i, standing) in standings.iter_mut().enumerate() {
        let change = site.energy[i] - standing.energy;
        let log_ratio = -(change * walk.cold[i] + walk.growth[i]);
        let finite = site.energy[i].is_finite() && walk.growth[i].is_finite();
        let log_ratio = if finite { log_ratio } else { T::of(f64::NAN) };
        let word = turns.seed.words(Stream::Accept, turns.index + i as u32, step as u32, 0)[0];
        let (accepted, probability) = taken(log_ratio, word);
        standing.accepted += probability.f64();
        standing.broken += u32::from(!finite);
        if accepted {
            standing.energy = site.energy[i];
        } else {
            for n in 0..walk.start.rows() {
                site.position.row_mut(n, i..i + 1)[0] = walk.start.row(n, i..i + 1)[0];
                site.slope.row_mut(n, i..i + 1)[0] = walk.start_slope.row(n, i..i + 1)[0];
            }
        }
        if let Some(adaptation) = h.adaptation {
            standing.adapt(adaptation, (step + 1) as f64, probability);
        }
    }
}
