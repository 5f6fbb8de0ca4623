//! Finite-difference sliced score matching on a tile, by the odd and even parts of what x + v and x − v make.
//!
//! The energies at x and x ± v are nearly equal, and their differences are all that counts: so the columns are not the three
//! points, but the value c at x, the odd part o = (a₊ − a₋)/2 and the even part e = (a₊ + a₋)/2 − a, which start as x, v and
//! 0 ([`crate::model::Split`]). Weights act on each alone, biases on c. With φ and φ′ split likewise, and with r, p, q the
//! adjoints of c, o, e:
//!
//! forward   (c, o, e) ← φ(z)
//! reverse   P = p (φ′ + φ′ₑ) + q φ′ₒ,   Q = q (φ′ + φ′ₑ) + p φ′ₒ,   R = r φ′ + Σ over probes of (p φ′ₒ + q φ′ₑ)
//!
//! The value goes forward with the first probe and back with the last. Twins: `shaders/difference_matching.wgsl`,
//! `shaders/lib/odd_even.wgsl`.

use super::block::{Block, outer};
use super::matching::Work;
use super::source::Source;
use super::tile::{Channels, Network, Tile};
use super::vector::vectorized;
use crate::model::{Split, SplitPhi, with_phi};
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
    /// Computes the losses of the samples from `first` on, and adds their gradient.
    pub(super) fn tile(&self, work: &mut Work<T>, source: &dyn Source<T>, first: usize, losses: &mut [T]) {
        let (net, samples) = (self.net, losses.len());
        let last = net.layers.len() - 1;
        let tile = &mut work.tile;
        tile.shape(net.layers, Channels { values: 3, second: false, tangents: 0 }, samples);
        work.cross.resize_with(last, Block::default);
        for (cross, layer) in work.cross.iter_mut().zip(net.layers) {
            cross.shape(layer.output, samples);
            cross.clear();
        }
        source.points(first, samples, &mut tile.forward[0]);
        losses.fill(T::default());
        let (odd, even) = (tile.values(1..2), tile.values(2..3));
        // the even part of what enters, and of what the first weights make of it, is 0; the energy itself does not matter
        for n in 0..net.layers[0].output {
            tile.pre[0].row_mut(n, even.clone()).fill(T::default());
        }
        tile.outgoing[last].row_mut(0, 0..samples).fill(T::default());
        let mut square = vec![T::default(); samples];
        for k in 0..self.probes {
            source.probe(first, k, odd.clone(), &mut tile.forward[0]);
            square.fill(T::default());
            for n in 0..self.dim {
                let v = tile.forward[0].row(n, odd.clone());
                square.iter_mut().zip(v).for_each(|(sum, v)| *sum += *v * *v);
            }
            tile.forward_parts(net, k == 0);
            let energies = tile.pre[last].row(0, 0..3 * samples);
            let adjoints = tile.outgoing[last].row_mut(0, 0..3 * samples);
            for i in 0..samples {
                let factor = T::of(self.dim as f64 / self.probes as f64) / square[i];
                let weight = factor * T::of(self.share);
                let (slope, bend) = (energies[odd.start + i], energies[even.start + i]);
                losses[i] += factor * (T::of(0.5) * slope * slope - T::of(2.0) * bend);
                adjoints[odd.start + i] = weight * slope;
                adjoints[even.start + i] = T::of(-2.0) * weight;
            }
            tile.reverse_parts(net, &mut work.cross, k + 1 == self.probes);
            tile.add_parts(net, k + 1 == self.probes, &mut work.sums.gradient);
        }
    }
}

impl<T: Real> Tile<T> {
    /// The parts forward, and the value with them; or the parts alone, past a value that is there.
    fn forward_parts(&mut self, net: Network<'_, T>, with_value: bool) {
        for (l, layer) in net.layers.iter().enumerate() {
            let columns = self.values(usize::from(!with_value)..if l == 0 { 2 } else { 3 });
            self.through(l, net, &columns);
            if l + 1 < net.layers.len() {
                let bias = &net.parameters[layer.bias.clone()];
                with_phi!(net.activation, phi => self.activate_parts(phi, l, bias));
            }
        }
    }

    fn activate_parts(&mut self, phi: impl SplitPhi<T>, l: usize, bias: &[T]) {
        let s = self.samples();
        let (pre, derivative, next) = (&self.pre[l], &mut self.derivative[l], &mut self.forward[l + 1]);
        vectorized(
            #[inline(always)]
            || {
                for (n, bias) in bias.iter().enumerate() {
                    let z = pre.row(n, 0..3 * s);
                    let (z, z_odd, z_even) = (&z[..s], &z[s..][..s], &z[2 * s..][..s]);
                    let at = |i: usize| Split { centre: z[i] + *bias, odd: z_odd[i], even: z_even[i] };
                    let [a, a_odd, a_even] = thirds(next.row_mut(n, 0..3 * s), s);
                    let [d, d_odd, d_even] = thirds(derivative.row_mut(n, 0..3 * s), s);
                    let mut far = 0;
                    for i in 0..s {
                        let z = at(i);
                        let [value, slope] = phi.near(z);
                        (a[i], a_odd[i], a_even[i]) = (value.centre, value.odd, value.even);
                        (d[i], d_odd[i], d_even[i]) = (slope.centre, slope.odd, slope.even);
                        far |= u32::from(phi.is_far(z));
                    }
                    for i in 0..if far > 0 { s } else { 0 } {
                        let z = at(i);
                        if phi.is_far(z) {
                            let [value, slope] = phi.far(z);
                            (a_odd[i], a_even[i]) = (value.odd, value.even);
                            (d_odd[i], d_even[i]) = (slope.odd, slope.even);
                        }
                    }
                }
            },
        );
    }

    /// The adjoints of the parts, from `outgoing` of the last layer down to the first layer's z; adds to Σ (p φ′ₒ + q φ′ₑ)
    /// of each layer, `[output, samples]`. With the last probe, the adjoint of the value too.
    fn reverse_parts(&mut self, net: Network<'_, T>, cross: &mut [Block<T>], with_value: bool) {
        let columns = self.values(usize::from(!with_value)..3);
        for l in (0..net.layers.len()).rev() {
            if l + 1 < net.layers.len() {
                self.pull_parts(l, &mut cross[l], with_value);
            }
            if l > 0 {
                self.back_through(l, net, &columns);
            }
        }
    }

    fn pull_parts(&mut self, l: usize, cross: &mut Block<T>, with_value: bool) {
        let s = self.samples();
        let (derivative, incoming, outgoing) = (&self.derivative[l], &self.adjoint[l + 1], &mut self.outgoing[l]);
        vectorized(
            #[inline(always)]
            || {
                for n in 0..incoming.rows() {
                    let (d, a) = (derivative.row(n, 0..3 * s), incoming.row(n, 0..3 * s));
                    let (d, d_odd, d_even) = (&d[..s], &d[s..][..s], &d[2 * s..][..s]);
                    let (r, p, q) = (&a[..s], &a[s..][..s], &a[2 * s..][..s]);
                    let [out, out_odd, out_even] = thirds(outgoing.row_mut(n, 0..3 * s), s);
                    let sum = &mut cross.row_mut(n, 0..s)[..s];
                    for i in 0..s {
                        let mean = d[i] + d_even[i];
                        out_odd[i] = p[i] * mean + q[i] * d_odd[i];
                        out_even[i] = q[i] * mean + p[i] * d_odd[i];
                        sum[i] += p[i] * d_odd[i] + q[i] * d_even[i];
                    }
                    if with_value {
                        for i in 0..s {
                            out[i] = r[i] * d[i] + sum[i];
                        }
                    }
                }
            },
        );
    }

    /// Adds the gradient of the parts: dW += P oᵀ + Q eᵀ; with the last probe that of the value, dW += R cᵀ, db += R.
    fn add_parts(&mut self, net: Network<'_, T>, with_value: bool, gradient: &mut [T]) {
        for (l, layer) in net.layers.iter().enumerate() {
            let columns = self.values(usize::from(!with_value)..if l == 0 { 2 } else { 3 });
            outer(&mut gradient[layer.weight.clone()], &self.outgoing[l], &self.forward[l], &columns);
            self.work += (layer.weight.len() * columns.len()) as u64;
        }
        if with_value {
            self.add_biases(net, 0..1, gradient);
        }
    }
}

/// A row in three parts of `s` numbers.
#[inline(always)]
fn thirds<T>(row: &mut [T], s: usize) -> [&mut [T]; 3] {
    let (first, rest) = row.split_at_mut(s);
    let (second, third) = rest.split_at_mut(s);
    [first, second, &mut third[..s]]
}
