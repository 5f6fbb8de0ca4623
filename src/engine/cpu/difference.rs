//! Finite-difference sliced score matching on a tile: energies at x, x + v and x − v, and an ordinary reverse.
//! Twin: `shaders/difference_matching.wgsl`.

use super::matching::Work;
use super::source::Source;
use super::tile::{Channels, Network};
use crate::real::Real;

/// What all tiles of a batch share.
pub(super) struct Difference<'a, T> {
    pub(super) net: Network<'a, T>,
    /// K.
    pub(super) probes: usize,
    /// The dimension of points.
    pub(super) dim: usize,
    /// One over the size of the batch.
    pub(super) share: f64,
}

impl<T: Real> Difference<'_, T> {
    /// Computes the losses of the samples from `first` on, and adds their gradient. The value at x stays in the tile while
    /// the probes come and go.
    pub(super) fn tile(&self, work: &mut Work<T>, source: &dyn Source<T>, first: usize, losses: &mut [T]) {
        let (net, samples) = (self.net, losses.len());
        let last = net.layers.len() - 1;
        let tile = &mut work.tile;
        tile.shape(net.layers, Channels { values: 3, second: false, tangents: 0 }, samples);
        source.points(first, samples, &mut tile.forward[0]);
        losses.fill(T::default());
        let (middle, plus, minus) = (tile.values(0..1), tile.values(1..2), tile.values(2..3));
        tile.outgoing[last].row_mut(0, middle.clone()).fill(T::default());
        let mut square = vec![T::default(); samples];
        for k in 0..self.probes {
            source.probe(first, k, plus.clone(), &mut tile.forward[0]);
            square.fill(T::default());
            for n in 0..self.dim {
                let (points, rest) = tile.forward[0].row_mut(n, 0..3 * samples).split_at_mut(samples);
                let (above, below) = rest.split_at_mut(samples);
                for i in 0..samples {
                    let v = above[i];
                    square[i] += v * v;
                    above[i] = points[i] + v;
                    below[i] = points[i] - v;
                }
            }
            tile.forward_values(net, usize::from(k > 0)..3, 1);
            let energies = tile.pre[last].row(0, 0..3 * samples);
            let adjoints = tile.outgoing[last].row_mut(0, 0..3 * samples);
            for i in 0..samples {
                let factor = T::of(self.dim as f64 / self.probes as f64) / square[i];
                let weight = factor * T::of(self.share);
                let (above, below) = (energies[plus.start + i], energies[minus.start + i]);
                let slope = above - below;
                let bend = (energies[i] - above) + (energies[i] - below);
                losses[i] += factor * (slope * slope * T::of(0.125) + bend);
                adjoints[i] += T::of(2.0) * weight;
                adjoints[plus.start + i] = weight * (T::of(0.25) * slope - T::of(1.0));
                adjoints[minus.start + i] = weight * (T::of(-0.25) * slope - T::of(1.0));
            }
            let finished = usize::from(k + 1 < self.probes)..3;
            tile.reverse_values(net, finished.clone(), T::default(), false);
            let columns = tile.values(finished.clone());
            tile.add_weights(net, &columns, 0, &mut work.gradient);
            tile.add_biases(net, finished, &mut work.gradient);
        }
    }
}
