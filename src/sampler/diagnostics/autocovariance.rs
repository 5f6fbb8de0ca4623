//! Autocovariance by fast Fourier transform: N log N for all lags, where direct sums take N² for chains that do not mix.

use std::f64::consts::TAU;

use rayon::prelude::*;

/// Partial sums, added in a fixed order, so that the result does not depend on the threads.
const PARTS: usize = 64;

/// The autocovariance at lags 0 to `length` − 1, averaged over chains `[chains, length]` of mean 0:
/// γₜ = mean over chains of (1 / length) Σᵢ zᵢ zᵢ₊ₜ.
pub(super) fn mean_autocovariance(chains: &[f64], length: usize) -> Vec<f64> {
    // padded, so that the end of a chain does not meet its start
    let size = (2 * length).next_power_of_two();
    let transform = Transform::new(size);
    let pairs: Vec<&[f64]> = chains.chunks(2 * length).collect();
    let parts: Vec<Vec<f64>> =
        pairs.par_chunks(pairs.len().div_ceil(PARTS)).map(|part| power(&transform, part, length)).collect();
    let mut power = vec![0.0; size];
    for part in parts {
        power.iter_mut().zip(part).for_each(|(sum, p)| *sum += p);
    }
    // of a real spectrum, the real part of a transform either way is the same
    let mut zero = vec![0.0; size];
    transform.run(&mut power, &mut zero);
    let scale = 1.0 / (size as f64 * chains.len() as f64);
    power[..length].iter().map(|sum| sum * scale).collect()
}

/// |F|² of pairs of chains, one as the real and one as the imaginary part: symmetrised, which taking the real part of the
/// transform back does, that is the sum of both.
fn power(transform: &Transform, pairs: &[&[f64]], length: usize) -> Vec<f64> {
    let size = transform.size();
    let mut sum = vec![0.0; size];
    let (mut re, mut im) = (vec![0.0; size], vec![0.0; size]);
    for pair in pairs {
        let (first, second) = pair.split_at(length);
        re.fill(0.0);
        im.fill(0.0);
        re[..length].copy_from_slice(first);
        im[..second.len()].copy_from_slice(second);
        transform.run(&mut re, &mut im);
        sum.iter_mut().zip(re.iter().zip(&im)).for_each(|(sum, (re, im))| *sum += re * re + im * im);
    }
    sum
}

/// The discrete Fourier transform of a power of two of complex numbers (Cooley and Tukey 1965).
struct Transform {
    /// cos and −sin of 2πk / size, k below size / 2.
    turns: Vec<(f64, f64)>,
}

impl Transform {
    fn new(size: usize) -> Self {
        let turn = |k: usize| (TAU * k as f64 / size as f64).sin_cos();
        Self { turns: (0..size / 2).map(turn).map(|(sin, cos)| (cos, -sin)).collect() }
    }

    fn size(&self) -> usize {
        2 * self.turns.len()
    }

    /// In place.
    fn run(&self, re: &mut [f64], im: &mut [f64]) {
        let size = self.size();
        let bits = size.trailing_zeros();
        for i in 0..size {
            let j = i.reverse_bits() >> (usize::BITS - bits);
            if i < j {
                re.swap(i, j);
                im.swap(i, j);
            }
        }
        let mut half = 1;
        while half < size {
            let stride = size / (2 * half);
            for (re, im) in re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half)) {
                let ((re_a, re_b), (im_a, im_b)) = (re.split_at_mut(half), im.split_at_mut(half));
                for k in 0..half {
                    let (cos, sin) = self.turns[k * stride];
                    let (x, y) = (re_b[k] * cos - im_b[k] * sin, re_b[k] * sin + im_b[k] * cos);
                    (re_b[k], im_b[k]) = (re_a[k] - x, im_a[k] - y);
                    re_a[k] += x;
                    im_a[k] += y;
                }
            }
            half *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_direct_sum() {
        for (chains, length) in [(1, 1), (1, 2), (3, 7), (4, 64), (131, 33)] {
            let values: Vec<f64> =
                (0..chains * length).map(|i| (1.7 * i as f64).sin() + (0.01 * i as f64).cos()).collect();
            let got = mean_autocovariance(&values, length);
            assert_eq!(got.len(), length);
            for (lag, got) in got.iter().enumerate() {
                let products = values.chunks_exact(length).flat_map(|c| c.iter().zip(&c[lag..]));
                let want = products.map(|(a, b)| a * b).sum::<f64>() / values.len() as f64;
                assert!((got - want).abs() < 1e-13, "{chains} x {length}, lag {lag}: {got}, not {want}");
            }
        }
    }
}
