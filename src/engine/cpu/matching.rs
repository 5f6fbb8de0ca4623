//! Score matching on a tile: the sum of terms that [`crate::objective::Terms`] names, by one pair of passes.
//! Twin: `shaders/score_matching.wgsl`.

use super::basis::Basis;
use super::block::Block;
use super::source::Source;
use super::tile::{Channels, Network, Shared, Tile};
use super::vector::{sum, vectorized};
use crate::model::Head;
use crate::objective::{Level, Terms};
use crate::real::Real;

/// Tangents that go through the network together.
const TANGENTS: usize = 8;

/// What all tiles of a batch share.
pub(super) struct Matching<'a, T> {
    pub(super) net: Network<'a, T>,
    pub(super) head: Head,
    pub(super) terms: Terms<'a>,
    /// The dimension of points; the first layer may take ln σ beside them.
    pub(super) dim: usize,
    /// One over the size of the batch.
    pub(super) share: f64,
    /// The shared tangents, where they are a basis.
    pub(super) basis: Option<&'a Basis<T>>,
}

/// What tiles add up.
#[derive(Debug, Default)]
pub(super) struct Sums<T> {
    pub(super) gradient: Vec<T>,
    /// Σ Q of shared tangents at the first layer, `[width, tangents]`.
    pub(super) tangents: Block<T>,
}

impl<T: Real> Sums<T> {
    /// Clears what a group of tiles adds up, beside tangents of `basis` or without.
    pub(super) fn start(&mut self, basis: Option<&Basis<T>>) {
        self.gradient.fill(T::default());
        if let Some(basis) = basis {
            self.tangents.shape(basis.images.rows(), basis.rows.rows());
            self.tangents.clear();
        }
    }
}

/// Where a tile works.
#[derive(Debug, Default)]
pub(super) struct Work<T> {
    pub(super) tile: Tile<T>,
    pub(super) noise: Block<T>,
    levels: Vec<Level>,
    /// F of a sample and of its negatives, and then the derivatives of its loss by them.
    pub(super) values: Vec<T>,
    /// ln q of each column, where there is a noise law.
    pub(super) log_noise: Vec<T>,
    /// h₀·∇E of each sample.
    linear: Vec<T>,
    /// What the probes of finite differences add to the adjoint of each layer's value.
    pub(super) cross: Vec<Block<T>>,
    /// What the tile adds to.
    pub(super) sums: Sums<T>,
}

impl<T: Real> Matching<'_, T> {
    fn tangents(&self) -> usize {
        self.terms.tangent_count(self.dim, self.net.layers[0].output)
    }

    /// Computes the losses of the samples from `first` on, and adds their gradient.
    pub(super) fn tile(&self, work: &mut Work<T>, source: &dyn Source<T>, first: usize, losses: &mut [T]) {
        let energy = self.head == Head::Energy;
        let tangents = self.tangents().min(TANGENTS);
        work.tile.shape(self.net.layers, Channels { values: 1, second: energy, tangents }, losses.len());
        losses.fill(T::default());
        self.load(work, source, first, losses.len());
        if energy {
            self.energy(work, source, first, losses);
        } else {
            self.field(work, source, first, losses);
        }
    }

    /// Sets x̃, z and the noise levels.
    fn load(&self, work: &mut Work<T>, source: &dyn Source<T>, first: usize, samples: usize) {
        let x = &mut work.tile.forward[0];
        source.points(first, samples, x);
        if self.terms.denoising.is_none() {
            return;
        }
        work.levels.clear();
        work.levels.extend((first..first + samples).map(|sample| source.level(sample)));
        work.noise.shape(self.dim, samples);
        source.noise(first, samples, &mut work.noise);
        for n in 0..self.dim {
            let z = work.noise.row(n, 0..samples);
            for ((x, z), level) in x.row_mut(n, 0..samples).iter_mut().zip(z).zip(&work.levels) {
                *x += T::of(level.sigma) * *z;
            }
        }
        if x.rows() > self.dim {
            let level = x.row_mut(self.dim, 0..samples);
            level.iter_mut().zip(&work.levels).for_each(|(x, level)| *x = T::of(level.sigma.ln()));
        }
    }

    /// −∇E is the score: the value forward, β back, tangents one block after another, h forward, the value's adjoint back.
    fn energy(&self, work: &mut Work<T>, source: &dyn Source<T>, first: usize, losses: &mut [T]) {
        let net = self.net;
        let (last, samples) = (net.layers.len() - 1, losses.len());
        let share = T::of(self.share);
        let kappa = T::of(-self.terms.curved * self.share);
        let tangents = self.tangents();
        work.tile.forward_values(net, 0..1, if tangents > 0 { 3 } else { 2 });
        work.tile.reverse_second(net, self.terms.denoising.is_some() || self.terms.full > 0.0);
        self.match_scores(work, losses);
        for start in (0..tangents).step_by(TANGENTS) {
            let count = TANGENTS.min(tangents - start);
            self.push(work, source, first, start, count);
            let sliced = T::of(self.terms.sliced);
            for k in 0..count {
                let columns = work.tile.tangent(k);
                let slopes = work.tile.pre[last].row(0, columns.clone());
                let seeds = work.tile.outgoing[last].row_mut(0, columns);
                for ((slope, seed), loss) in slopes.iter().zip(seeds).zip(losses.iter_mut()) {
                    *loss += T::of(0.5) * sliced * *slope * *slope;
                    *seed = sliced * share * *slope;
                }
            }
            self.pull(work, start, count, kappa);
        }
        let tile = &mut work.tile;
        tile.forward_second(net, kappa);
        if tangents > 0 {
            let curvature = tile.pre[last].row(0, tile.second());
            for ((loss, h), linear) in losses.iter_mut().zip(curvature).zip(&work.linear) {
                *loss += (*h - *linear) / share;
            }
        }
        // E itself is not in the loss
        tile.outgoing[last].row_mut(0, 0..samples).fill(T::default());
        tile.reverse_values(net, 0..1, kappa, false);
        tile.add_weights(net, &(0..2 * samples), 0, &mut work.sums.gradient);
        tile.add_biases(net, 0..1, &mut work.sums.gradient);
    }

    /// The terms in ∇E itself: sets h₀, their derivative by ∇E.
    fn match_scores(&self, work: &mut Work<T>, losses: &mut [T]) {
        let samples = losses.len();
        let (half, share, full) = (T::of(0.5), T::of(self.share), T::of(self.terms.full));
        work.linear.clear();
        work.linear.resize(samples, T::default());
        let second = work.tile.second();
        for n in 0..work.tile.forward[0].rows() {
            let h = work.tile.forward[0].row_mut(n, second.clone());
            h.fill(T::default());
            if n >= self.dim {
                continue;
            }
            let g = work.tile.adjoint[0].row(n, second.clone());
            if self.terms.denoising.is_some() {
                let z = work.noise.row(n, 0..samples);
                for i in 0..samples {
                    let (reach, weight) = (T::of(work.levels[i].reach), T::of(work.levels[i].weight));
                    let residual = z[i] - reach * g[i];
                    losses[i] += half * weight * residual * residual;
                    h[i] = -(weight * reach * share) * residual;
                }
            }
            if self.terms.full > 0.0 {
                for i in 0..samples {
                    losses[i] += half * full * g[i] * g[i];
                    h[i] += full * share * g[i];
                    work.linear[i] += h[i] * g[i];
                }
            }
        }
    }

    /// The output is the score: the value forward, tangents one block after another, the value's adjoint back.
    fn field(&self, work: &mut Work<T>, source: &dyn Source<T>, first: usize, losses: &mut [T]) {
        let net = self.net;
        let (last, samples) = (net.layers.len() - 1, losses.len());
        let (half, share) = (T::of(0.5), T::of(self.share));
        let (full, sliced, curved) = (T::of(self.terms.full), T::of(self.terms.sliced), T::of(self.terms.curved));
        let tangents = self.tangents();
        work.tile.forward_values(net, 0..1, if tangents > 0 { 2 } else { 1 });
        for n in 0..self.dim {
            let s = work.tile.pre[last].row(n, 0..samples);
            let r = work.tile.outgoing[last].row_mut(n, 0..samples);
            for i in 0..samples {
                losses[i] += half * full * s[i] * s[i];
                r[i] = full * share * s[i];
            }
            if self.terms.denoising.is_some() {
                let z = work.noise.row(n, 0..samples);
                for i in 0..samples {
                    let (reach, weight) = (T::of(work.levels[i].reach), T::of(work.levels[i].weight));
                    let residual = z[i] + reach * s[i];
                    losses[i] += half * weight * residual * residual;
                    r[i] += weight * reach * share * residual;
                }
            }
        }
        for start in (0..tangents).step_by(TANGENTS) {
            let count = TANGENTS.min(tangents - start);
            self.push(work, source, first, start, count);
            for k in 0..count {
                let columns = work.tile.tangent(k);
                let along = |n: usize, i: usize| match self.basis {
                    Some(basis) => basis.rows.row(start + k, n..n + 1)[0],
                    None => work.tile.forward[0].row(n, columns.start + i..columns.start + i + 1)[0],
                };
                for (i, loss) in losses.iter_mut().enumerate() {
                    let (mut slope, mut turn) = (T::default(), T::default());
                    for n in 0..self.dim {
                        slope += along(n, i) * work.tile.pre[last].row(n, i..i + 1)[0];
                        turn += along(n, i) * work.tile.pre[last].row(n, columns.start + i..columns.start + i + 1)[0];
                    }
                    *loss += half * sliced * slope * slope + curved * turn;
                    for n in 0..self.dim {
                        let v = along(n, i);
                        let outgoing = &mut work.tile.outgoing[last];
                        outgoing.row_mut(n, i..i + 1)[0] += sliced * share * slope * v;
                        outgoing.row_mut(n, columns.start + i..columns.start + i + 1)[0] = curved * share * v;
                    }
                }
            }
            self.pull(work, start, count, T::default());
        }
        let tile = &mut work.tile;
        tile.reverse_values(net, 0..1, T::default(), false);
        tile.add_weights(net, &(0..samples), 0, &mut work.sums.gradient);
        tile.add_biases(net, 0..1, &mut work.sums.gradient);
    }

    /// Tangents `start .. start + count` forward.
    fn push(&self, work: &mut Work<T>, source: &dyn Source<T>, first: usize, start: usize, count: usize) {
        match self.basis {
            Some(basis) => {
                let shared = Shared { images: &basis.images, first: start };
                work.tile.forward_tangents(self.net, count, start == 0, Some(&shared));
            }
            None => {
                for k in 0..count {
                    let columns = work.tile.tangent(k);
                    source.probe(first, start + k, columns, &mut work.tile.forward[0]);
                }
                work.tile.forward_tangents(self.net, count, start == 0, None);
            }
        }
    }

    /// Their adjoints back, and their part of the gradient.
    fn pull(&self, work: &mut Work<T>, start: usize, count: usize, kappa: T) {
        let tile = &mut work.tile;
        tile.reverse_tangents(self.net, count, start == 0, kappa);
        let columns = tile.tangents(count);
        tile.add_weights(self.net, &columns, usize::from(self.basis.is_some()), &mut work.sums.gradient);
        if self.basis.is_some() {
            let sums = &mut work.sums.tangents;
            vectorized(
                #[inline(always)]
                || {
                    for k in 0..count {
                        for n in 0..sums.rows() {
                            let all = sum(tile.outgoing[0].row(n, tile.tangent(k)), |q| q);
                            sums.row_mut(n, start + k..start + k + 1)[0] += all;
                        }
                    }
                },
            );
        }
    }
}
