//! A tile of samples carried through the whole network: the two passes of collapsed Taylor mode.
//!
//! A sample has some channels, each a column: values a (one, or several points of one sample), a second-order channel h, and
//! a block of tangents ȧₖ, of which any number can follow one another. In a block of numbers the channels stand in this
//! order, each `samples` columns wide. Per layer, with z = Wa + b, żₖ = Wȧₖ, y = Wh:
//!
//! forward   a ← φ(z),   ȧₖ ← φ′ żₖ,   h ← φ′ y + κ φ″ S           with S = Σₖ żₖ²
//! reverse   β ← Wᵀ(β φ′), the derivative of the output by a,
//!           Qₖ = qₖ φ′ + 2 κ β φ″ żₖ,   R = r φ′ + φ″ C + β (φ″ y + κ φ‴ S)   with C = Σₖ qₖ żₖ,
//!           then qₖ, r ← Wᵀ(Qₖ, R)
//!
//! The output's h is κ Σₖ vₖᵀHvₖ + h₀·∇E if h starts at h₀. h's own adjoint is β, which does not depend on the tangents, so
//! tangents need not be held at once: each adds to S and C and goes. That is one sweep of K + 2 columns each way for any K
//! in the memory of one block. Twin: `shaders/lib/jet.wgsl`.

use std::ops::Range;

use super::block::{Block, dense, outer};
use super::vector::{combine, sum, vectorized};
use crate::model::{Activation, Layer, Phi, with_phi};
use crate::real::Real;

/// A network on a native engine: its layers and parameters.
#[derive(Clone, Copy)]
pub(crate) struct Network<'a, T> {
    pub(crate) layers: &'a [Layer],
    pub(crate) activation: Activation,
    pub(crate) parameters: &'a [T],
    /// Where the parameters hold a layer's W, this holds W packed for products.
    pub(crate) forward: &'a [T],
    /// And this Wᵀ.
    pub(crate) backward: &'a [T],
}

/// The channels of a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Channels {
    /// Values.
    pub(crate) values: usize,
    /// Is there a second-order channel?
    pub(crate) second: bool,
    /// Tangents held at a time.
    pub(crate) tangents: usize,
}

impl Channels {
    /// The value alone.
    pub(crate) const VALUE: Self = Self { values: 1, second: false, tangents: 0 };

    fn count(self) -> usize {
        self.values + usize::from(self.second) + self.tangents
    }
}

/// Tangents that all samples share: what the first layer makes of them, so that they need no pass through it.
pub(crate) struct Shared<'a, T> {
    /// W₁V, `[width, tangents]`.
    pub(crate) images: &'a Block<T>,
    /// The first tangent of the block.
    pub(crate) first: usize,
}

/// The first `N` of φ, φ′, φ″ and φ‴.
#[inline(always)]
fn leading<T: Copy, const N: usize>(all: [T; 4]) -> [T; N] {
    std::array::from_fn(|n| all[n])
}

/// The working memory of one tile.
#[derive(Debug, Default)]
pub(crate) struct Tile<T> {
    samples: usize,
    channels: Channels,
    /// a, h, ȧₖ that enter each layer; the first is the input.
    pub(crate) forward: Vec<Block<T>>,
    /// y and żₖ of each layer, and the output of the network; z of a hidden layer stands in `forward`, where it becomes a.
    /// Finite differences keep all of z here.
    pub(crate) pre: Vec<Block<T>>,
    /// φ′, φ″, φ‴ of each hidden layer at each value, `[output, 3 values samples]`.
    pub(super) derivative: Vec<Block<T>>,
    /// β with respect to what enters each layer, and r with respect to the input; r and qₖ of a hidden layer stand in `outgoing`,
    /// where they become R and Qₖ. Finite differences keep all of them here.
    pub(crate) adjoint: Vec<Block<T>>,
    /// R, β φ′, Qₖ, with respect to z; the last is set by the caller: the derivatives of the loss by the outputs.
    pub(crate) outgoing: Vec<Block<T>>,
    /// S of each layer, `[output, samples]`.
    squares: Vec<Block<T>>,
    /// C of each layer, `[output, samples]`.
    cross: Vec<Block<T>>,
    /// Multiply-adds done in products with weights.
    pub(crate) work: u64,
}

impl<T: Real> Tile<T> {
    /// Shapes the tile for `samples` samples; allocates only when it has to grow.
    pub(crate) fn shape(&mut self, layers: &[Layer], channels: Channels, samples: usize) {
        (self.samples, self.channels) = (samples, channels);
        let columns = samples * channels.count();
        let blocks = [&mut self.forward, &mut self.pre, &mut self.derivative, &mut self.adjoint, &mut self.outgoing];
        for block in blocks.into_iter().chain([&mut self.squares, &mut self.cross]) {
            block.resize_with(layers.len(), Block::default);
        }
        let sums = if channels.tangents > 0 { samples } else { 0 };
        for (l, layer) in layers.iter().enumerate() {
            self.forward[l].shape(layer.input, columns);
            self.adjoint[l].shape(layer.input, columns);
            self.pre[l].shape(layer.output, columns);
            self.outgoing[l].shape(layer.output, columns);
            self.derivative[l].shape(layer.output, 3 * channels.values * samples);
            self.squares[l].shape(layer.output, sums);
            self.cross[l].shape(layer.output, sums);
        }
    }

    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// The columns of some values.
    pub(crate) fn values(&self, values: Range<usize>) -> Range<usize> {
        values.start * self.samples..values.end * self.samples
    }

    /// The columns of the second-order channel.
    pub(crate) fn second(&self) -> Range<usize> {
        let first = self.channels.values;
        first * self.samples..(first + 1) * self.samples
    }

    /// The columns of tangent `k` of the block.
    pub(crate) fn tangent(&self, k: usize) -> Range<usize> {
        let first = self.channels.values + usize::from(self.channels.second) + k;
        first * self.samples..(first + 1) * self.samples
    }

    /// The columns of the block's first tangents.
    pub(crate) fn tangents(&self, count: usize) -> Range<usize> {
        let start = self.tangent(0).start;
        start..start + count * self.samples
    }

    pub(super) fn through(&mut self, l: usize, net: Network<'_, T>, columns: &Range<usize>) {
        let layer = &net.layers[l];
        dense(&mut self.pre[l], &net.forward[layer.weight.clone()], &self.forward[l], columns);
        self.work += (layer.weight.len() * columns.len()) as u64;
    }

    pub(super) fn back_through(&mut self, l: usize, net: Network<'_, T>, columns: &Range<usize>) {
        let layer = &net.layers[l];
        dense(&mut self.adjoint[l], &net.backward[layer.weight.clone()], &self.outgoing[l], columns);
        self.work += (layer.weight.len() * columns.len()) as u64;
    }

    /// z of a hidden layer, into the block where it becomes a.
    fn through_to_next(&mut self, l: usize, net: Network<'_, T>, columns: &Range<usize>) {
        let weight = net.layers[l].weight.clone();
        let (before, after) = self.forward.split_at_mut(l + 1);
        self.work += (weight.len() * columns.len()) as u64;
        dense(&mut after[0], &net.forward[weight], &before[l], columns);
    }

    /// r or qₖ of a hidden layer, into the block where it becomes R or Qₖ.
    fn back_to_previous(&mut self, l: usize, net: Network<'_, T>, columns: &Range<usize>) {
        let weight = net.layers[l].weight.clone();
        let (before, after) = self.outgoing.split_at_mut(l);
        self.work += (weight.len() * columns.len()) as u64;
        dense(&mut before[l - 1], &net.backward[weight], &after[0], columns);
    }

    /// Values forward; `order` derivatives of φ (0 to 3) are kept.
    pub(crate) fn forward_values(&mut self, net: Network<'_, T>, values: Range<usize>, order: usize) {
        let columns = self.values(values);
        for (l, layer) in net.layers.iter().enumerate() {
            let bias = &net.parameters[layer.bias.clone()];
            if l + 1 < net.layers.len() {
                self.through_to_next(l, net, &columns);
                with_phi!(net.activation, phi => self.activate(phi, l, &columns, bias, order));
            } else {
                self.through(l, net, &columns);
                for (n, b) in bias.iter().enumerate() {
                    self.pre[l].row_mut(n, columns.clone()).iter_mut().for_each(|z| *z += *b);
                }
            }
        }
    }

    fn activate(&mut self, phi: impl Phi<T>, l: usize, columns: &Range<usize>, bias: &[T], order: usize) {
        let all = self.channels.values * self.samples;
        let (from, len) = (columns.start, columns.len());
        let (derivative, next) = (&mut self.derivative[l], &mut self.forward[l + 1]);
        vectorized(
            #[inline(always)]
            || {
                for (n, bias) in bias.iter().enumerate() {
                    let a = next.row_mut(n, columns.clone());
                    let (d1, rest) = derivative.row_mut(n, 0..3 * all).split_at_mut(all);
                    let (d2, d3) = rest.split_at_mut(all);
                    let (d1, d2, d3) = (&mut d1[from..][..len], &mut d2[from..][..len], &mut d3[from..][..len]);
                    let derivatives = |z: T| phi.derivatives(z + *bias);
                    match order {
                        0 => combine([], [a], |[], [z]| leading(derivatives(z))),
                        1 => combine([], [a, d1], |[], [z, _]| leading(derivatives(z))),
                        2 => combine([], [a, d1, d2], |[], [z, ..]| leading(derivatives(z))),
                        _ => combine([], [a, d1, d2, d3], |[], [z, ..]| derivatives(z)),
                    }
                }
            },
        );
    }

    /// β of the only value, from 1 at the output down to the first layer's z, or to the input.
    pub(crate) fn reverse_second(&mut self, net: Network<'_, T>, to_input: bool) {
        let (columns, s) = (self.second(), self.samples);
        let last = net.layers.len() - 1;
        self.outgoing[last].row_mut(0, columns.clone()).fill(T::of(1.0));
        for l in (0..=last).rev() {
            if l < last {
                let (derivative, incoming) = (&self.derivative[l], &self.adjoint[l + 1]);
                let outgoing = &mut self.outgoing[l];
                vectorized(
                    #[inline(always)]
                    || {
                        for n in 0..incoming.rows() {
                            let (beta, d1) = (incoming.row(n, columns.clone()), derivative.row(n, 0..s));
                            combine([beta, d1], [outgoing.row_mut(n, columns.clone())], |[beta, d1], _| [beta * d1]);
                        }
                    },
                );
            }
            if l > 0 || to_input {
                self.back_through(l, net, &columns);
            }
        }
    }

    /// The first `count` tangents of the block forward, from `forward[0]` or from what the first layer makes of them; adds to
    /// S, which begins with the samples' `fresh` ones.
    pub(crate) fn forward_tangents(
        &mut self,
        net: Network<'_, T>,
        count: usize,
        fresh: bool,
        shared: Option<&Shared<'_, T>>,
    ) {
        let columns = self.tangents(count);
        for l in 0..net.layers.len() {
            match shared {
                Some(shared) if l == 0 => self.spread(count, shared),
                _ => self.through(l, net, &columns),
            }
            if l + 1 < net.layers.len() {
                self.push_tangents(l, count, fresh);
            }
        }
    }

    fn spread(&mut self, count: usize, shared: &Shared<'_, T>) {
        for k in 0..count {
            let columns = self.tangent(k);
            let at = shared.first + k;
            for n in 0..self.pre[0].rows() {
                self.pre[0].row_mut(n, columns.clone()).fill(shared.images.row(n, at..at + 1)[0]);
            }
        }
    }

    fn push_tangents(&mut self, l: usize, count: usize, fresh: bool) {
        let (s, start) = (self.samples, self.tangents(count).start);
        let (pre, derivative, next) = (&self.pre[l], &self.derivative[l], &mut self.forward[l + 1]);
        let squares = &mut self.squares[l];
        vectorized(
            #[inline(always)]
            || {
                for n in 0..pre.rows() {
                    let (d1, sum) = (derivative.row(n, 0..s), squares.row_mut(n, 0..s));
                    for k in 0..count {
                        let columns = start + k * s..start + (k + 1) * s;
                        let (z, a) = (pre.row(n, columns.clone()), next.row_mut(n, columns));
                        let to = [a, &mut *sum];
                        if fresh && k == 0 {
                            combine([d1, z], to, |[d1, z], _| [d1 * z, z * z]);
                        } else {
                            combine([d1, z], to, |[d1, z], [_, sum]| [d1 * z, sum + z * z]);
                        }
                    }
                }
            },
        );
    }

    /// The adjoints of the first `count` tangents of the block, from `outgoing` of the last layer down to the first
    /// layer's z; adds to C, which begins with the samples' `fresh` ones. `kappa` is 0 where there is no second-order channel.
    pub(crate) fn reverse_tangents(&mut self, net: Network<'_, T>, count: usize, fresh: bool, kappa: T) {
        let columns = self.tangents(count);
        for l in (0..net.layers.len()).rev() {
            if l + 1 < net.layers.len() {
                self.pull_tangents(l, count, fresh, kappa);
            }
            if l > 0 {
                self.back_to_previous(l, net, &columns);
            }
        }
    }

    fn pull_tangents(&mut self, l: usize, count: usize, fresh: bool, kappa: T) {
        let (s, start) = (self.samples, self.tangents(count).start);
        let all = self.channels.values * s;
        let second = self.channels.second.then(|| self.second());
        let twice = T::of(2.0) * kappa;
        let (pre, derivative, incoming) = (&self.pre[l], &self.derivative[l], &self.adjoint[l + 1]);
        let (outgoing, cross) = (&mut self.outgoing[l], &mut self.cross[l]);
        vectorized(
            #[inline(always)]
            || {
                for n in 0..pre.rows() {
                    let (d1, d2) = (derivative.row(n, 0..s), derivative.row(n, all..all + s));
                    let beta = second.clone().map(|columns| incoming.row(n, columns));
                    let sum = cross.row_mut(n, 0..s);
                    for k in 0..count {
                        let columns = start + k * s..start + (k + 1) * s;
                        let z = pre.row(n, columns.clone());
                        let to = [outgoing.row_mut(n, columns), &mut *sum];
                        match (beta, fresh && k == 0) {
                            (Some(beta), true) => combine([z, d1, d2, beta], to, |[z, d1, d2, beta], [q, _]| {
                                [q * d1 + twice * beta * d2 * z, q * z]
                            }),
                            (Some(beta), false) => combine([z, d1, d2, beta], to, |[z, d1, d2, beta], [q, sum]| {
                                [q * d1 + twice * beta * d2 * z, sum + q * z]
                            }),
                            (None, true) => combine([z, d1], to, |[z, d1], [q, _]| [q * d1, q * z]),
                            (None, false) => combine([z, d1], to, |[z, d1], [q, sum]| [q * d1, sum + q * z]),
                        }
                    }
                }
            },
        );
    }

    /// The second-order channel forward, from h₀ in `forward[0]`; with S of the tangents if there are any.
    pub(crate) fn forward_second(&mut self, net: Network<'_, T>, kappa: T) {
        let (columns, s) = (self.second(), self.samples);
        let all = self.channels.values * s;
        let curved = self.channels.tangents > 0;
        for l in 0..net.layers.len() {
            self.through(l, net, &columns);
            if l + 1 == net.layers.len() {
                break;
            }
            let (pre, derivative, next) = (&self.pre[l], &self.derivative[l], &mut self.forward[l + 1]);
            let squares = &self.squares[l];
            vectorized(
                #[inline(always)]
                || {
                    for n in 0..pre.rows() {
                        let (y, d1) = (pre.row(n, columns.clone()), derivative.row(n, 0..s));
                        let h = [next.row_mut(n, columns.clone())];
                        if curved {
                            let (d2, sum) = (derivative.row(n, all..all + s), squares.row(n, 0..s));
                            combine([y, d1, d2, sum], h, |[y, d1, d2, sum], _| [d1 * y + kappa * d2 * sum]);
                        } else {
                            combine([y, d1], h, |[y, d1], _| [d1 * y]);
                        }
                    }
                },
            );
        }
    }

    /// The adjoints r of some values, from `outgoing` of the last layer down to the first layer's z, or to the input.
    pub(crate) fn reverse_values(&mut self, net: Network<'_, T>, values: Range<usize>, kappa: T, to_input: bool) {
        let columns = self.values(values);
        for l in (0..net.layers.len()).rev() {
            if l + 1 < net.layers.len() {
                self.pull_values(l, &columns, kappa);
            }
            if l > 0 {
                self.back_to_previous(l, net, &columns);
            } else if to_input {
                self.back_through(l, net, &columns);
            }
        }
    }

    fn pull_values(&mut self, l: usize, columns: &Range<usize>, kappa: T) {
        let (s, all) = (self.samples, self.channels.values * self.samples);
        let (from, len) = (columns.start, columns.len());
        let (tangents, second) = (self.channels.tangents > 0, self.channels.second.then(|| self.second()));
        let (pre, derivative, incoming) = (&self.pre[l], &self.derivative[l], &self.adjoint[l + 1]);
        let (outgoing, squares, cross) = (&mut self.outgoing[l], &self.squares[l], &self.cross[l]);
        vectorized(
            #[inline(always)]
            || {
                for n in 0..pre.rows() {
                    let (d1, rest) = derivative.row(n, 0..3 * all).split_at(all);
                    let (d2, d3) = rest.split_at(all);
                    let d1 = &d1[from..][..len];
                    let r = [outgoing.row_mut(n, columns.clone())];
                    // beside tangents or a second-order channel, one value: as many columns as samples
                    match (tangents, &second) {
                        (false, None) => combine([d1], r, |[d1], [r]| [r * d1]),
                        (true, None) => {
                            let c = cross.row(n, 0..s);
                            combine([d1, d2, c], r, |[d1, d2, c], [r]| [r * d1 + d2 * c]);
                        }
                        (false, Some(second)) => {
                            let (beta, y) = (incoming.row(n, second.clone()), pre.row(n, second.clone()));
                            combine([d1, d2, beta, y], r, |[d1, d2, beta, y], [r]| [r * d1 + beta * d2 * y]);
                        }
                        (true, Some(second)) => {
                            let (beta, y) = (incoming.row(n, second.clone()), pre.row(n, second.clone()));
                            let (c, sum) = (cross.row(n, 0..s), squares.row(n, 0..s));
                            let from = [d1, d2, d3, beta, y, c, sum];
                            combine(from, r, |[d1, d2, d3, beta, y, c, sum], [r]| {
                                [r * d1 + d2 * c + beta * d2 * y + kappa * beta * d3 * sum]
                            });
                        }
                    }
                }
            },
        );
    }

    /// Adds the weight gradient of some columns, from layer `first` on: dW += R aᵀ, and the same of h and ȧₖ.
    pub(crate) fn add_weights(
        &mut self,
        net: Network<'_, T>,
        columns: &Range<usize>,
        first: usize,
        gradient: &mut [T],
    ) {
        for (l, layer) in net.layers.iter().enumerate().skip(first) {
            outer(&mut gradient[layer.weight.clone()], &self.outgoing[l], &self.forward[l], columns);
            self.work += (layer.weight.len() * columns.len()) as u64;
        }
    }

    /// Adds the bias gradient of some values: db += R.
    pub(crate) fn add_biases(&self, net: Network<'_, T>, values: Range<usize>, gradient: &mut [T]) {
        let columns = self.values(values);
        for (outgoing, layer) in self.outgoing.iter().zip(net.layers) {
            let biases = &mut gradient[layer.bias.clone()];
            vectorized(
                #[inline(always)]
                || {
                    for (n, g) in biases.iter_mut().enumerate() {
                        *g += sum(outgoing.row(n, columns.clone()), |r| r);
                    }
                },
            );
        }
    }
}
