//! What chains move on, a tile of them at a time.

use super::{Block, Channels, Tile, Weights};
use crate::engine::Landscape;
use crate::model::Head;
use crate::real::Real;
use crate::target::Target;

/// A landscape in the engine's own float type.
#[derive(Debug, Clone)]
pub(super) enum Ground<T> {
    Network(Weights<T>),
    Target(Target),
}

/// Some chains: where they are, and what the landscape says of it.
#[derive(Debug, Default)]
pub(super) struct Site<T> {
    /// x, `[dim, chains]`.
    pub(super) position: Block<T>,
    /// ∇E, or minus the field.
    pub(super) slope: Block<T>,
    /// E.
    pub(super) energy: Vec<T>,
    tile: Tile<T>,
    /// x and ∇E of one chain.
    point: [Vec<T>; 2],
}

impl<T: Real> Ground<T> {
    pub(super) fn new(landscape: Landscape<'_>) -> Self {
        match landscape {
            Landscape::Network(model) => Self::Network(Weights::new(model)),
            Landscape::Target(target) => Self::Target(target.clone()),
        }
    }

    pub(super) fn dim(&self) -> usize {
        match self {
            Self::Network(weights) => weights.spec.dim(),
            Self::Target(target) => target.dim(),
        }
    }

    pub(super) fn has_energy(&self) -> bool {
        match self {
            Self::Network(weights) => weights.spec.head() == Head::Energy,
            Self::Target(_) => true,
        }
    }

    /// Makes room for `samples` chains.
    pub(super) fn shape(&self, site: &mut Site<T>, samples: usize) {
        site.position.shape(self.dim(), samples);
        site.slope.shape(self.dim(), samples);
        site.energy.resize(samples, T::default());
        if let Self::Network(weights) = self {
            site.tile.shape(&weights.layers, Channels::VALUE, samples);
        }
    }

    /// Sets ∇E at the chains' positions, and E where the network has one.
    pub(super) fn survey(&self, site: &mut Site<T>) {
        match self {
            Self::Network(weights) => network(weights, site),
            Self::Target(target) => analytic(target, site),
        }
    }
}

fn network<T: Real>(weights: &Weights<T>, site: &mut Site<T>) {
    let samples = site.energy.len();
    let last = weights.layers.len() - 1;
    for n in 0..weights.spec.dim() {
        site.tile.forward[0].row_mut(n, 0..samples).copy_from_slice(site.position.row(n, 0..samples));
    }
    weights.score(&mut site.tile);
    let output = &site.tile.pre[last];
    for n in 0..weights.spec.dim() {
        let slope = site.slope.row_mut(n, 0..samples);
        match weights.spec.head() {
            Head::Energy => slope.copy_from_slice(site.tile.adjoint[0].row(n, 0..samples)),
            Head::Score => slope.iter_mut().zip(output.row(n, 0..samples)).for_each(|(g, s)| *g = -*s),
        }
    }
    if weights.spec.head() == Head::Energy {
        site.energy.copy_from_slice(output.row(0, 0..samples));
    }
}

fn analytic<T: Real>(target: &Target, site: &mut Site<T>) {
    let d = target.dim();
    let Site { position, slope, energy, point: [x, g], .. } = site;
    x.resize(d, T::default());
    g.resize(d, T::default());
    for (i, e) in energy.iter_mut().enumerate() {
        for (n, x) in x.iter_mut().enumerate() {
            *x = position.row(n, i..i + 1)[0];
        }
        *e = target.energy(x, g);
        for (n, g) in g.iter().enumerate() {
            slope.row_mut(n, i..i + 1)[0] = *g;
        }
    }
}
