//! A tile of columns carried through the whole network: the two passes of collapsed Taylor mode.
//!
//! A sample has 1 + K + (1 if any tangent is curved) columns, its channels: the value a, K tangents ȧₖ and one shared
//! second-order channel c. In a block the channels follow one another, each `samples` columns wide. Per layer, with
//! z = Wa + b, żₖ = Wȧₖ, y = Wc:
//!
//! forward   a ← φ(z),  ȧₖ ← φ′ żₖ,  c ← φ″ Σₖ żₖ² + φ′ y
//! reverse   P = p φ′,  Qₖ = qₖ φ′ + 2 p φ″ żₖ,  R = r φ′ + Σₖ qₖ φ″ żₖ + p (φ‴ Σₖ żₖ² + φ″ y),
//!           then r, qₖ, p ← Wᵀ (R, Qₖ, P)
//!
//! where sums of squares and the term 2 p φ″ ż run over the curved tangents only. Either pass can be run on a range of
//! channels: denoising score matching reverses the tangent's channel first (that is the score), and the value's later.
//! Twin: `shaders/lib/jet.wgsl`.

use std::ops::Range;

use super::block::{Block, dense, dense_transposed, outer};
use crate::engine::Jet;
use crate::model::{Activation, Layer, Phi, with_phi};
use crate::real::Real;

/// A network on a native engine: its layers and parameters.
#[derive(Clone, Copy)]
pub(crate) struct Network<'a, T> {
    pub(crate) layers: &'a [Layer],
    pub(crate) activation: Activation,
    pub(crate) parameters: &'a [T],
}

/// The working memory of one tile.
#[derive(Debug, Default)]
pub(crate) struct Tile<T> {
    samples: usize,
    jet: Jet,
    /// a, ȧₖ, c that enter each layer; the first is the input.
    pub(crate) forward: Vec<Block<T>>,
    /// z, żₖ, y of each layer; the last is the output of the network.
    pub(crate) pre: Vec<Block<T>>,
    /// φ′, φ″, φ‴ of each hidden layer, `[output, 3 samples]`.
    derivative: Vec<Block<T>>,
    /// r, qₖ, p with respect to what enters each layer; the first is with respect to the input.
    pub(crate) adjoint: Vec<Block<T>>,
    /// R, Qₖ, P of each layer; the last is set by the caller: the derivatives of the loss by E, vₖ·∇E and Σ vᵀHv.
    pub(crate) outgoing: Vec<Block<T>>,
}

impl<T: Real> Tile<T> {
    /// Shapes the tile for `samples` samples; allocates only when it has to grow.
    pub(crate) fn shape(&mut self, layers: &[Layer], jet: Jet, samples: usize) {
        (self.samples, self.jet) = (samples, jet);
        let columns = samples * jet.channels();
        for blocks in [&mut self.forward, &mut self.pre, &mut self.derivative, &mut self.adjoint, &mut self.outgoing] {
            blocks.resize_with(layers.len(), Block::default);
        }
        for (l, layer) in layers.iter().enumerate() {
            self.forward[l].shape(layer.input, columns);
            self.adjoint[l].shape(layer.input, columns);
            self.pre[l].shape(layer.output, columns);
            self.outgoing[l].shape(layer.output, columns);
            self.derivative[l].shape(layer.output, 3 * samples);
        }
    }

    /// The columns of some channels.
    pub(crate) fn columns(&self, channels: Range<usize>) -> Range<usize> {
        channels.start * self.samples..channels.end * self.samples
    }

    /// The forward pass of some channels; `order` derivatives of φ (0 to 3) are kept when the value is among them.
    pub(crate) fn forward(&mut self, net: Network<'_, T>, channels: Range<usize>, order: usize) {
        let columns = self.columns(channels.clone());
        for (l, layer) in net.layers.iter().enumerate() {
            dense(&mut self.pre[l], &net.parameters[layer.weight.clone()], &self.forward[l], &columns);
            let bias = &net.parameters[layer.bias.clone()];
            if l + 1 == net.layers.len() {
                if channels.start == 0 {
                    for (n, b) in bias.iter().enumerate() {
                        self.pre[l].row_mut(n, 0..self.samples).iter_mut().for_each(|z| *z += *b);
                    }
                }
                break;
            }
            if channels.start == 0 {
                with_phi!(net.activation, phi => self.activate(phi, l, bias, order));
            }
            if channels.end > 1 {
                self.push_tangents(l, channels.start.max(1)..channels.end);
            }
        }
    }

    fn activate(&mut self, phi: impl Phi<T>, l: usize, bias: &[T], order: usize) {
        let s = self.samples;
        let (pre, derivative, next) = (&self.pre[l], &mut self.derivative[l], &mut self.forward[l + 1]);
        vectorized(
            #[inline(always)]
            || {
                for (n, bias) in bias.iter().enumerate() {
                    let z = pre.row(n, 0..s);
                    let a = next.row_mut(n, 0..s);
                    let (d1, rest) = derivative.row_mut(n, 0..3 * s).split_at_mut(s);
                    let (d2, d3) = rest.split_at_mut(s);
                    match order {
                        0 => {
                            for i in 0..s {
                                a[i] = phi.derivatives(z[i] + *bias)[0];
                            }
                        }
                        1 => {
                            for i in 0..s {
                                [a[i], d1[i], ..] = phi.derivatives(z[i] + *bias);
                            }
                        }
                        2 => {
                            for i in 0..s {
                                [a[i], d1[i], d2[i], _] = phi.derivatives(z[i] + *bias);
                            }
                        }
                        _ => {
                            for i in 0..s {
                                [a[i], d1[i], d2[i], d3[i]] = phi.derivatives(z[i] + *bias);
                            }
                        }
                    }
                }
            },
        );
    }

    fn push_tangents(&mut self, l: usize, channels: Range<usize>) {
        let (s, jet) = (self.samples, self.jet);
        let (pre, derivative, next) = (&self.pre[l], &self.derivative[l], &mut self.forward[l + 1]);
        vectorized(
            #[inline(always)]
            || {
                for n in 0..pre.rows() {
                    let (d1, rest) = derivative.row(n, 0..3 * s).split_at(s);
                    let d2 = &rest[..s];
                    for k in channels.clone() {
                        let z = pre.row(n, k * s..(k + 1) * s);
                        let a = next.row_mut(n, k * s..(k + 1) * s);
                        for i in 0..s {
                            a[i] = d1[i] * z[i];
                        }
                    }
                    if channels.end > jet.tangents + 1 {
                        let c = next.row_mut(n, (jet.tangents + 1) * s..(jet.tangents + 2) * s);
                        for k in 1..=jet.curved {
                            let z = pre.row(n, k * s..(k + 1) * s);
                            for i in 0..s {
                                c[i] += d2[i] * z[i] * z[i];
                            }
                        }
                    }
                }
            },
        );
    }

    /// The reverse pass of some channels, from `outgoing` of the last layer down to `adjoint` of the input (down to
    /// the first layer's outgoing adjoints only, if not `to_input`).
    pub(crate) fn reverse(&mut self, net: Network<'_, T>, channels: Range<usize>, to_input: bool) {
        let columns = self.columns(channels.clone());
        for (l, layer) in net.layers.iter().enumerate().rev() {
            if l + 1 < net.layers.len() {
                self.pull_adjoints(l, channels.clone());
            }
            if l > 0 || to_input {
                let weight = &net.parameters[layer.weight.clone()];
                dense_transposed(&mut self.adjoint[l], weight, &self.outgoing[l], &columns);
            }
        }
    }

    fn pull_adjoints(&mut self, l: usize, channels: Range<usize>) {
        let (s, jet) = (self.samples, self.jet);
        let (pre, derivative, incoming) = (&self.pre[l], &self.derivative[l], &self.adjoint[l + 1]);
        let outgoing = &mut self.outgoing[l];
        let second = jet.tangents + 1;
        vectorized(
            #[inline(always)]
            || {
                for n in 0..pre.rows() {
                    let (d1, rest) = derivative.row(n, 0..3 * s).split_at(s);
                    let (d2, d3) = rest.split_at(s);
                    let curved = jet.curved > 0 && channels.end > second;
                    for k in channels.clone() {
                        let adjoint = incoming.row(n, k * s..(k + 1) * s);
                        let out = outgoing.row_mut(n, k * s..(k + 1) * s);
                        for i in 0..s {
                            out[i] = adjoint[i] * d1[i];
                        }
                    }
                    if channels.start == 0 {
                        let r = outgoing.row_mut(n, 0..s);
                        for k in 1..=jet.tangents {
                            let z = pre.row(n, k * s..(k + 1) * s);
                            let q = incoming.row(n, k * s..(k + 1) * s);
                            for i in 0..s {
                                r[i] += q[i] * d2[i] * z[i];
                            }
                        }
                        if curved {
                            let p = incoming.row(n, second * s..(second + 1) * s);
                            let y = pre.row(n, second * s..(second + 1) * s);
                            for i in 0..s {
                                r[i] += p[i] * d2[i] * y[i];
                            }
                            for k in 1..=jet.curved {
                                let z = pre.row(n, k * s..(k + 1) * s);
                                for i in 0..s {
                                    r[i] += p[i] * d3[i] * z[i] * z[i];
                                }
                            }
                        }
                    }
                    if curved {
                        let p = incoming.row(n, second * s..(second + 1) * s);
                        for k in 1..=jet.curved {
                            let z = pre.row(n, k * s..(k + 1) * s);
                            let q = outgoing.row_mut(n, k * s..(k + 1) * s);
                            for i in 0..s {
                                q[i] += T::of(2.0) * p[i] * d2[i] * z[i];
                            }
                        }
                    }
                }
            },
        );
    }

    /// Adds this tile's parameter gradient: dW += R aᵀ + Σₖ Qₖ ȧₖᵀ + P cᵀ, db += R.
    pub(crate) fn add_gradient(&self, net: Network<'_, T>, gradient: &mut [T]) {
        let columns = self.columns(0..self.jet.channels());
        for (l, layer) in net.layers.iter().enumerate() {
            outer(&mut gradient[layer.weight.clone()], &self.outgoing[l], &self.forward[l], &columns);
            for (n, g) in gradient[layer.bias.clone()].iter_mut().enumerate() {
                *g += self.outgoing[l].row(n, 0..self.samples).iter().copied().sum();
            }
        }
    }
}

/// Runs a loop compiled for the widest vectors this machine has.
#[inline(always)]
pub(crate) fn vectorized<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}
