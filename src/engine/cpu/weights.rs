//! A network's weights on a native engine: as the parameters hold them, and packed for products.

use super::memory::PerThread;
use super::product::{pack, pack_transpose};
use super::tile::{Network, Tile};
use crate::model::{Head, Layer, MlpSpec, Model};
use crate::real::Real;

/// A network's layers and parameters in the engine's own float type.
#[derive(Debug, Clone)]
pub(super) struct Weights<T> {
    pub(super) spec: MlpSpec,
    pub(super) layers: Vec<Layer>,
    pub(super) parameters: Vec<T>,
    /// W of each layer packed for products, where the parameters hold it as it is.
    forward: Vec<T>,
    /// And Wᵀ.
    backward: Vec<T>,
}

impl<T: Real> Weights<T> {
    pub(super) fn new(model: &Model) -> Self {
        Self::with_parameters(&model.spec, model.parameters.iter().map(|p| T::of(*p)).collect())
    }

    fn with_parameters(spec: &MlpSpec, parameters: Vec<T>) -> Self {
        let (forward, backward) = (parameters.clone(), parameters.clone());
        let mut weights = Self { spec: spec.clone(), layers: spec.layers(), parameters, forward, backward };
        weights.update(|_| {});
        weights
    }

    /// Changes the parameters.
    fn update(&mut self, change: impl FnOnce(&mut [T])) {
        change(&mut self.parameters);
        for Layer { weight, input, .. } in &self.layers {
            let matrix = &self.parameters[weight.clone()];
            pack(&mut self.forward[weight.clone()], matrix, *input);
            pack_transpose(&mut self.backward[weight.clone()], matrix, *input);
        }
    }

    pub(super) fn network(&self) -> Network<'_, T> {
        let Self { layers, parameters, forward, backward, .. } = self;
        Network { layers, activation: self.spec.activation(), parameters, forward, backward }
    }

    /// Leaves ∇E in the tile's input adjoint, or the score field in its output.
    pub(super) fn score(&self, tile: &mut Tile<T>) {
        let net = self.network();
        match self.spec.head() {
            Head::Energy => {
                tile.forward_values(net, 0..1, 1);
                let columns = tile.values(0..1);
                tile.outgoing[net.layers.len() - 1].row_mut(0, columns).fill(T::of(1.0));
                tile.reverse_values(net, 0..1, T::default(), true);
            }
            Head::Score => tile.forward_values(net, 0..1, 0),
        }
    }
}

/// Weights that change from step to step. Each thread packs a copy of its own when it first needs those of a step: a core takes
/// longer to fetch packed weights from another core's cache than to pack them, and all threads pack at once.
pub(super) struct Replicated<T> {
    pub(super) spec: MlpSpec,
    parameters: Vec<T>,
    /// How often they have changed.
    version: u64,
    /// Of each thread that has had a task.
    replicas: PerThread<Option<Replica<T>>>,
}

struct Replica<T> {
    version: u64,
    weights: Weights<T>,
}

impl<T: Real> Replicated<T> {
    /// The network with these parameters, for the threads of a pool.
    pub(super) fn new(pool: &rayon::ThreadPool, spec: &MlpSpec, parameters: &[f64]) -> Self {
        let parameters = parameters.iter().map(|p| T::of(*p)).collect();
        Self { spec: spec.clone(), parameters, version: 0, replicas: PerThread::new(pool) }
    }

    pub(super) fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// Changes the parameters.
    pub(super) fn update(&mut self, change: impl FnOnce(&mut [T])) {
        change(&mut self.parameters);
        self.version += 1;
    }

    /// Runs a task with this thread's copy of the weights. A task must not wait for others.
    pub(super) fn with<R>(&self, task: impl FnOnce(&Weights<T>) -> R) -> R {
        self.replicas.with(|replica| {
            let Replica { version, weights } = replica.get_or_insert_with(|| Replica {
                version: self.version,
                weights: Weights::with_parameters(&self.spec, self.parameters.clone()),
            });
            if *version != self.version {
                weights.update(|parameters| parameters.copy_from_slice(&self.parameters));
                *version = self.version;
            }
            task(weights)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Activation;
    use crate::random::Seed;

    #[test]
    fn every_thread_has_the_weights_of_the_last_change() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
        let model = MlpSpec::parse("2-7-1", Activation::Tanh).expect("widths").initial(Seed(1));
        let mut weights = Replicated::<f32>::new(&pool, &model.spec, &model.parameters);
        for change in 0..4_u8 {
            let parameters = model.parameters.iter().map(|p| *p as f32 + f32::from(change)).collect();
            let want = Weights::<f32>::with_parameters(&model.spec, parameters);
            weights.update(|own| own.copy_from_slice(&want.parameters));
            // beside packed weights the biases stand as they were
            let packed =
                |all: &[f32]| want.layers.iter().flat_map(|l| all[l.weight.clone()].to_vec()).collect::<Vec<_>>();
            let is_right = |_: rayon::BroadcastContext<'_>| {
                weights.with(|w| {
                    w.parameters == want.parameters
                        && packed(&w.forward) == packed(&want.forward)
                        && packed(&w.backward) == packed(&want.backward)
                })
            };
            assert!(pool.broadcast(is_right).into_iter().all(|right| right), "change {change}");
            assert_eq!(weights.parameters(), want.parameters);
        }
    }
}
