//! Objectives that learn by contrast on a tile: the energies of each sample and of all its negatives, and an ordinary
//! reverse. Twin: `shaders/contrast.wgsl`.

use super::matching::Work;
use super::source::Source;
use super::tile::{Channels, Network};
use super::{TILE, Tile};
use crate::objective::{Contrast, SeparableLaw};
use crate::real::Real;

/// What all tiles of a batch share.
pub(super) struct Contrasting<'a, T> {
    pub(super) net: Network<'a, T>,
    pub(super) contrast: Contrast<'a>,
    /// One over the size of the batch.
    pub(super) share: f64,
}

/// Columns that a tile is filled up to: enough for the products to be fast, and few enough for their cache.
const COLUMNS: usize = 320;

/// Samples of a tile with all their negatives.
pub(super) fn tile_samples(negatives: usize) -> usize {
    (COLUMNS / (negatives + 1)).clamp(1, TILE)
}

/// The most groups of tiles: fewer where a sample alone is more than a tile should be, for the memory that a group takes.
pub(super) fn most_groups(negatives: usize) -> usize {
    (super::GROUPS * COLUMNS * 4 / (negatives + 1)).clamp(1, super::GROUPS)
}

impl<T: Real> Contrasting<'_, T> {
    /// Computes the losses of the samples from `first` on, and adds their gradient. Value 0 of a sample is x, the others
    /// are its negatives.
    pub(super) fn tile(&self, work: &mut Work<T>, source: &dyn Source<T>, first: usize, losses: &mut [T]) {
        let (net, samples, count) = (self.net, losses.len(), self.contrast.negatives);
        let last = net.layers.len() - 1;
        let tile = &mut work.tile;
        tile.shape(net.layers, Channels { values: count + 1, second: false, tangents: 0 }, samples);
        source.points(first, samples, &mut tile.forward[0]);
        source.negatives(first, samples, count, &mut tile.forward[0], &mut work.noise);
        tile.forward_values(net, 0..count + 1, 1);
        let columns = tile.values(0..count + 1);
        if let Some(law) = self.contrast.noise_law() {
            log_densities(law, tile, columns.len(), &mut work.log_noise);
            let energies = tile.pre[last].row_mut(0, columns.clone());
            energies.iter_mut().zip(&work.log_noise).for_each(|(e, q)| *e += *q);
        }
        work.values.resize(count + 1, T::default());
        let (energies, share) = (tile.pre[last].row(0, columns.clone()), T::of(self.share));
        let adjoints = tile.outgoing[last].row_mut(0, columns.clone());
        for (s, loss) in losses.iter_mut().enumerate() {
            let at = (s..).step_by(samples);
            work.values.iter_mut().zip(at.clone()).for_each(|(value, i)| *value = energies[i]);
            *loss = self.contrast.form.loss(&mut work.values);
            work.values.iter().zip(at).for_each(|(slope, i)| adjoints[i] = share * *slope);
        }
        tile.reverse_values(net, 0..count + 1, T::default(), false);
        tile.add_weights(net, &columns, 0, &mut work.gradient);
        tile.add_biases(net, 0..count + 1, &mut work.gradient);
    }
}

/// ln q of the points in the tile's first columns.
fn log_densities<T: Real>(law: &SeparableLaw, tile: &Tile<T>, columns: usize, out: &mut Vec<T>) {
    out.clear();
    out.resize(columns, T::of(law.log_peak()));
    for (n, (mean, deviation)) in law.origin().iter().zip(law.scale()).enumerate() {
        let (mean, inverse, half) = (T::of(*mean), T::of(1.0 / deviation), T::of(-0.5));
        for (log, x) in out.iter_mut().zip(tile.forward[0].row(n, 0..columns)) {
            let z = (*x - mean) * inverse;
            *log += half * z * z;
        }
    }
}
