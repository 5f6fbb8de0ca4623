//! Loss and parameter gradient of a batch, tile by tile. Twin: `shaders/dsm_gradient.wgsl`.

use rayon::prelude::*;

use super::{Block, GROUPS, Jet, Network, TILE, Tile, Weights, gradient_by_input};
use crate::objective::{Dsm, Objective};
use crate::real::Real;

/// Sets a tile's points and noise: (tile, index of its first sample, its samples, noise to fill).
type Load<'a, T> = dyn Fn(&mut Tile<T>, usize, usize, &mut Block<T>) + Sync + 'a;

/// The working memory of a batch: a group of tiles for each task.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    groups: Vec<Group<T>>,
    layers: Vec<crate::model::Layer>,
    size: usize,
    gradient: Vec<T>,
}

#[derive(Debug)]
struct Group<T> {
    /// Index of the first sample, and the one past the last.
    range: std::ops::Range<usize>,
    tile: Tile<T>,
    noise: Block<T>,
    gradient: Vec<T>,
    losses: Vec<T>,
}

impl<T: Real> Batch<T> {
    pub(crate) fn new(weights: &Weights<T>, size: usize) -> Self {
        let tiles = size.div_ceil(TILE);
        let groups = tiles.min(GROUPS);
        let groups = (0..groups)
            .map(|g| {
                let range = (g * tiles / groups * TILE)..((g + 1) * tiles / groups * TILE).min(size);
                Group {
                    losses: vec![T::default(); range.len()],
                    range,
                    tile: Tile::default(),
                    noise: Block::default(),
                    gradient: vec![T::default(); weights.parameters.len()],
                }
            })
            .collect();
        let gradient = vec![T::default(); weights.parameters.len()];
        Self { groups, layers: weights.layers.clone(), size, gradient }
    }

    /// Computes the loss of each sample and the gradient of the mean.
    pub(crate) fn compute(&mut self, net: Network<'_, T>, objective: &Objective, load: &Load<'_, T>) {
        let (layers, size) = (&self.layers, self.size);
        self.groups.par_iter_mut().for_each(|group| {
            group.gradient.fill(T::default());
            let first = group.range.start;
            for start in group.range.clone().step_by(TILE) {
                let samples = TILE.min(group.range.end - start);
                match objective {
                    Objective::Dsm(dsm) => {
                        group.tile.shape(layers, Jet { tangents: 1, curved: 0 }, samples);
                        group.noise.shape(layers[0].input, samples);
                        load(&mut group.tile, start, samples, &mut group.noise);
                        let losses = &mut group.losses[start - first..][..samples];
                        denoising(net, dsm, size, &mut group.tile, &group.noise, losses);
                    }
                }
                group.tile.add_gradient(net, &mut group.gradient);
            }
        });
        self.gradient.fill(T::default());
        for group in &self.groups {
            self.gradient.iter_mut().zip(&group.gradient).for_each(|(sum, g)| *sum += *g);
        }
    }

    pub(crate) fn gradient(&self) -> &[T] {
        &self.gradient
    }

    /// The loss of each sample, in order.
    pub(crate) fn losses(&self) -> impl Iterator<Item = T> {
        self.groups.iter().flat_map(|g| g.losses.iter().copied())
    }
}

/// Denoising score matching: a score pass at x̃ in the tangent's adjoint channel, then the tangent u = ∂ℓ/∂g forward,
/// then the value's adjoint back. The tangent's adjoint is the one of the score pass.
fn denoising<T: Real>(
    net: Network<'_, T>,
    dsm: &Dsm,
    batch: usize,
    tile: &mut Tile<T>,
    noise: &Block<T>,
    losses: &mut [T],
) {
    let samples = losses.len();
    let (value, tangent) = (0..samples, samples..2 * samples);
    let sigma = T::of(dsm.sigma);
    for n in 0..noise.rows() {
        let x = tile.forward[0].row_mut(n, value.clone());
        x.iter_mut().zip(noise.row(n, value.clone())).for_each(|(x, z)| *x += sigma * *z);
    }
    gradient_by_input(net, tile, 2, 1);
    let half_weight = T::of(0.5 * dsm.weight());
    let pull = T::of(-dsm.weight() * dsm.sigma / batch as f64);
    losses.fill(T::default());
    for n in 0..noise.rows() {
        let g = tile.adjoint[0].row(n, tangent.clone());
        let u = tile.forward[0].row_mut(n, tangent.clone());
        for (((g, z), u), loss) in g.iter().zip(noise.row(n, value.clone())).zip(u).zip(losses.iter_mut()) {
            let residual = *z - sigma * *g;
            *loss += half_weight * residual * residual;
            *u = pull * residual;
        }
    }
    tile.forward(net, 1..2, 2);
    let last = net.layers.len() - 1;
    // E itself is not in the loss
    tile.outgoing[last].row_mut(0, value).fill(T::default());
    tile.reverse(net, 0..1, false);
}
