//! Split activations against integrals of their derivatives, in which nothing cancels either, and in f32 against f64.

use super::{Split, SplitPhi};
use crate::model::{Activation, Phi, phi, with_phi};
use crate::real::Real;

const CENTRES: [f64; 19] = [
    0.0, 1e-4, -0.125, 0.5, -0.5, 1.0, -1.0, 2.5, -2.5, 6.0, -6.0, 12.0, -12.0, 30.0, -30.0, 45.0, -45.0, 100.0, -100.0,
];
const ODD: [f64; 14] = [0.0, 1e-9, -1e-6, 1e-4, 0.0078125, -0.0625, 0.25, 0.875, -1.5, 4.0, 15.0, -17.0, 60.0, 200.0];
const EVEN: [f64; 12] = [0.0, 1e-12, -1e-8, 1e-4, -0.015625, 0.1875, -0.625, 1.25, -5.0, 15.0, 40.0, -120.0];

fn numbers() -> impl Iterator<Item = Split<f64>> {
    let near = |x: f64| f64::from(x as f32);
    CENTRES.into_iter().flat_map(move |centre| {
        ODD.into_iter().flat_map(move |odd| {
            EVEN.map(|even| Split { centre: near(centre), odd: near(odd), even: near(even) }).into_iter()
        })
    })
}

fn parts<T: Real>(phi: impl SplitPhi<T>, z: Split<f64>) -> [Split<f64>; 2] {
    let z = Split { centre: T::of(z.centre), odd: T::of(z.odd), even: T::of(z.even) };
    let found = if phi.is_far(z) { phi.far(z) } else { phi.near(z) };
    found.map(|f| Split { centre: f.centre.f64(), odd: f.odd.f64(), even: f.even.f64() })
}

/// ∫ f from 0 to h, by Gauss and Legendre's rule of three points on 40 pieces.
fn integral(f: impl Fn(f64) -> f64, h: f64) -> f64 {
    let piece = h / 40.0;
    let root = 0.6_f64.sqrt();
    let at = |i: usize, x: f64| f((i as f64 + 0.5 + 0.5 * x) * piece);
    (0..40).map(|i| piece / 18.0 * (5.0 * at(i, -root) + 8.0 * at(i, 0.0) + 5.0 * at(i, root))).sum()
}

/// (f₊ − f₋)/2 = ∫ M f′ dt and (f₊ + f₋)/2 − f(m) = ∫ (o − t) M f″ dt over t from 0 to o, with M f the mean of f at m + t
/// and m − t; from x to the mean, ∫ f′.
fn by_integrals(phi: impl Phi<f64>, z: Split<f64>) -> [Split<f64>; 2] {
    let m = z.centre + z.even;
    [0, 1].map(|order| {
        let d = |k: usize, at: f64| phi.derivatives(at)[order + k];
        let pair = |k: usize, t: f64| 0.5 * (d(k, m + t) + d(k, m - t));
        let shift = integral(|t| d(1, z.centre + t), z.even);
        Split {
            centre: d(0, z.centre),
            odd: integral(|t| pair(1, t), z.odd),
            even: shift + integral(|t| (z.odd - t) * pair(2, t), z.odd),
        }
    })
}

/// The worst error of the parts, over the sizes that they are made of: |o|, and |e| + o²; beyond steps of 1, where rounding
/// of values counts, over 1 + |z| + |o| + |e|.
fn worst(got: [Split<f64>; 2], want: [Split<f64>; 2], z: Split<f64>) -> f64 {
    let (odd, even) = (z.odd.abs(), z.even.abs());
    let size = if odd.max(even) > 1.0 { [1.0 + z.centre.abs() + odd + even; 2] } else { [odd, even + odd * odd] };
    let error = |got: f64, want: f64, size: f64| if got == want { 0.0 } else { (got - want).abs() / size };
    let errors = [0, 1].map(|i| error(got[i].odd, want[i].odd, size[0]).max(error(got[i].even, want[i].even, size[1])));
    if errors.iter().any(|e| e.is_nan()) { f64::INFINITY } else { errors[0].max(errors[1]) }
}

fn holds(what: &str, bound: f64, error: impl Fn(Split<f64>) -> f64) {
    let (mut most, mut at) = (0.0, None);
    for z in numbers() {
        let e = error(z);
        if e > most {
            (most, at) = (e, Some(z));
        }
    }
    eprintln!("{what}: {most:.2e} at {at:?}");
    assert!(most <= bound, "{what}: {most:.2e} at {at:?}");
}

#[test]
fn parts_are_those_of_the_definition() {
    for activation in Activation::ALL.into_iter().filter(|a| a.is_smooth()) {
        with_phi!(activation, phi => holds(activation.name(), 3e-13, |z| {
            let short = z.odd.abs().max(z.even.abs()) <= 1.0;
            let want = if short { by_integrals(phi, z) } else { phi.far(z) };
            worst(parts::<f64>(phi, z), want, z)
        }));
    }
}

#[test]
fn kinks_are_crossed_exactly() {
    for activation in Activation::ALL.into_iter().filter(|a| !a.is_smooth()) {
        // powers of 2 and their small multiples, of which no sum is rounded
        let numbers = [-8.0, -1.0, -0.25, -0.125, 0.0, 0.0625, 0.25, 0.375, 1.0, 4.0];
        for (centre, odd) in numbers.into_iter().flat_map(|c| numbers.map(|o| (c, o))) {
            for even in numbers {
                let z = Split { centre, odd, even };
                let [got, want] = with_phi!(activation, phi => [phi.near(z), phi.far(z)]);
                for (got, want) in got.into_iter().zip(want) {
                    let error = (got.odd - want.odd).abs() + (got.even - want.even).abs();
                    assert!(error < 1e-14, "{} {z:?}: {got:?}, want {want:?}", activation.name());
                }
            }
        }
    }
    // where nothing is crossed, no digit of a short step is lost
    let z = Split { centre: 100.0_f32, odd: 1e-7, even: 1e-12 };
    assert_eq!(phi::LeakyRelu(0.0).near(z)[0], z);
}

#[test]
fn f32_keeps_the_digits_of_parts() {
    // some units of 6e-8; where a kink is touched, f32 may not see that, so smooth ones alone
    for activation in Activation::ALL.into_iter().filter(|a| a.is_smooth()) {
        with_phi!(activation, phi => holds(activation.name(), 1e-6, |z| {
            worst(parts::<f32>(phi, z), parts::<f64>(phi, z), z)
        }));
    }
}

#[test]
fn tails_keep_the_digits_of_parts() {
    // far out on the flat side of softplus φ = eᶻ, and of tanh φ = 2 e²ᶻ - 1
    for (centre, odd, even) in [(-14.0, 0.01, 1e-4), (-20.0, 1.0, -0.25), (-30.0, -1e-3, 1e-6), (-35.0, 2.0, 3.0)] {
        let z = Split { centre, odd, even };
        for (found, factor, rate) in
            [(parts::<f32>(phi::Softplus, z), 1.0, 1.0), (parts::<f32>(phi::Tanh, z), 2.0, 2.0)]
        {
            let top = factor * f64::exp(rate * centre);
            let shift = (rate * even).exp_m1();
            let bend = 2.0 * (0.5 * rate * odd).sinh().powi(2);
            let want = [top * (1.0 + shift) * (rate * odd).sinh(), top * (shift + bend + shift * bend)];
            for (got, want) in [found[0].odd, found[0].even].into_iter().zip(want) {
                assert!((got - want).abs() < 5e-6 * want.abs(), "{z:?}: {got:e}, want {want:e}");
            }
        }
    }
}
