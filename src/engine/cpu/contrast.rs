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

// A slope below ε³ is taken for 0: beside the others it is lost in rounding, while what the reverse would make of it falls
// below the normal numbers, with which some processors compute a hundred times more slowly. A negative whose energy is
// higher by 50 is such a one, and a trained network has many.

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
        let nothing = T::of(T::EPSILON.powi(3));
        let adjoints = tile.outgoing[last].row_mut(0, columns.clone());
        for (s, loss) in losses.iter_mut().enumerate() {
            let at = (s..).step_by(samples);
            work.values.iter_mut().zip(at.clone()).for_each(|(value, i)| *value = energies[i]);
            *loss = self.contrast.form.loss(&mut work.values);
            for (slope, i) in work.values.iter().zip(at) {
                adjoints[i] = if slope.abs() < nothing { T::default() } else { share * *slope };
            }
        }
        tile.reverse_values(net, 0..count + 1, T::default(), false);
        tile.add_weights(net, &columns, 0, &mut work.sums.gradient);
        tile.add_biases(net, 0..count + 1, &mut work.sums.gradient);
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

#[cfg(test)]
mod tests {
    use super::super::source::FromGiven;
    use super::super::{Native, Weights};
    use super::*;
    use crate::engine::{Engine, Given};
    use crate::model::{Activation, Head, MlpSpec};
    use crate::objective::{Discrepancy, NoiseContrastive, Objective, Program};
    use crate::points::Points;
    use crate::random::Seed;

    #[test]
    fn energies_far_apart_leave_no_denormal_numbers() {
        let spec = MlpSpec::parse("2-16-1", Activation::Silu).unwrap();
        let mut model = spec.initial(Seed(4));
        // energies of some hundreds, so that weights of negatives go down to e⁻⁸⁷, where exp is cut off
        model.parameters.iter_mut().for_each(|p| *p *= 30.0);
        let (samples, each) = (24, 8);
        let spread =
            |count: usize, by: f64| Points::new(2, (0..2 * count).map(|i| by * (1.7 * i as f64 + 0.3).sin()).collect());
        let (points, negatives) = (spread(samples, 1.0), spread(samples * each, 3.0));
        let law = SeparableLaw::isotropic(2, 1.0).unwrap();
        let weights = Weights::<f32>::new(&model);
        for objective in [
            Objective::Ed(Discrepancy::new(1.0, each, 1.0).unwrap()),
            Objective::Nce(NoiseContrastive::new(each, law).unwrap()),
        ] {
            let Program::Contrast(contrast) = objective.program(Head::Energy) else { unreachable!() };
            let given = Given { negatives: Some(&negatives), ..Given::points(&points) };
            let source = FromGiven { given, denoising: None, conditioning: model.spec.conditioning() };
            let tile = Contrasting { net: weights.network(), contrast, share: 1.0 / samples as f64 };
            let mut work = Work::default();
            work.sums.gradient.resize(weights.parameters.len(), 0.0);
            tile.tile(&mut work, &source, 0, &mut vec![0.0; samples]);
            let all = 0..samples * (each + 1);
            let last = work.tile.outgoing.len() - 1;
            let slopes = work.tile.outgoing[last].row(0, all.clone());
            assert!(slopes.contains(&0.0) && slopes.iter().any(|s| *s != 0.0), "{objective:?} tries nothing");
            let hidden = (0..16).flat_map(|n| work.tile.outgoing[0].row(n, all.clone()));
            assert_eq!(hidden.chain(slopes).filter(|x| x.is_subnormal()).count(), 0, "{objective:?}");
            // and what was dropped does not show
            let exact = Native::<f64>::new().unwrap().loss_gradient(&model, &objective, &given).unwrap().gradient;
            let scale = exact.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
            for (got, want) in work.sums.gradient.iter().zip(exact) {
                assert!((f64::from(*got) - want).abs() < 1e-4 * scale, "{objective:?}: {got}, want {want}");
            }
        }
    }
}
