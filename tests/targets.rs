//! Analytic targets: gradients against finite differences, facts against quadrature, f32 and WGSL against f64.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{gpu, gpu_of_workgroups, scale, worst};
use ebm_gpu::engine::Engine as _;
use ebm_gpu::engine::gpu::GpuEngine;
use ebm_gpu::points::Points;
use ebm_gpu::random::{Seed, Stream, uniform};
use ebm_gpu::real::Real;
use ebm_gpu::target::{NAMES, Target};

/// Every target as it comes, and others that are made of more coordinates, fewer, or other numbers.
fn targets() -> Vec<Target> {
    let named = |name: &str, dim| Target::by_name(name, dim).expect("target");
    let sized = [
        ("gaussian", 1),
        ("double-well", 1),
        ("double-well", 5),
        ("rosenbrock", 3),
        ("rosenbrock", 6),
        ("rastrigin", 5),
        ("ackley", 1),
        ("ackley", 5),
        ("funnel", 2),
    ];
    let mut all: Vec<Target> = NAMES.iter().map(|name| named(name, None)).collect();
    all.extend(sized.map(|(name, dim)| named(name, Some(dim))));
    all.push(tilted());
    all.push(Target::gaussian(vec![-1.0, 3.0], vec![0.25, 0.0, 0.0, 4.0]).expect("law"));
    all.push(tilted().smoothed(0.7).expect("law"));
    all.push(named("gmm-ncsn", None).smoothed(3.0).expect("law"));
    all
}

/// A normal law whose coordinates depend on each other.
fn tilted() -> Target {
    Target::gaussian(vec![1.0, -2.0, 0.5], vec![2.0, 0.6, -0.3, 0.6, 1.0, 0.4, -0.3, 0.4, 0.5]).expect("law")
}

/// Uniform points of the target's start, the same in f32.
fn points(target: &Target, count: usize) -> Points {
    let [low, high] = target.start();
    let value = |i: usize| {
        let unit: f64 = uniform(Seed(61).words(Stream::Host, i as u32, 0, 0)[0]);
        f64::from((low + (high - low) * unit) as f32)
    };
    Points::new(target.dim(), (0..count * target.dim()).map(value).collect())
}

/// Energies, and gradients row-major, in the precision of `T`.
fn energies<T: Real>(target: &Target, points: &Points) -> (Vec<f64>, Vec<f64>) {
    let (mut energies, mut gradients) = (Vec::new(), Vec::new());
    for row in points.rows() {
        let x: Vec<T> = row.iter().map(|x| T::of(*x)).collect();
        let mut gradient = vec![T::default(); x.len()];
        energies.push(target.energy(&x, &mut gradient).f64());
        gradients.extend(gradient.into_iter().map(Real::f64));
    }
    (energies, gradients)
}

fn energy(target: &Target, x: &[f64]) -> f64 {
    target.energy(x, &mut vec![0.0; x.len()])
}

#[test]
fn gradients_agree_with_finite_differences() {
    const STEP: f64 = 5e-4;
    for target in targets() {
        let points = points(&target, 200);
        let (_, gradients) = energies::<f64>(&target, &points);
        let mut differences = Vec::new();
        for row in points.rows() {
            for n in 0..row.len() {
                let at = |k: f64| {
                    let mut x = row.to_vec();
                    x[n] += k * STEP;
                    energy(&target, &x)
                };
                // the error is STEP⁴ / 30 times the fifth derivative, 1e6 where the ridges of u3 cross
                differences.push((8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * STEP));
            }
        }
        eprintln!("{} in {} coordinates", target.name(), target.dim());
        assert!(worst(&gradients, &differences, 1e-8, 1e-8) <= 1.0, "{}", target.name());
    }
}

/// Coordinates in which a law is easy to integrate: x of (s, t), and the volume that goes with it.
type Coordinates = fn(f64, f64) -> ([f64; 2], f64);

/// A target, its coordinates and their ranges, intervals along each, and what is allowed.
type Case = (Target, Coordinates, [f64; 2], [f64; 2], usize, f64);

/// ln Z, mean, variance, and the share nearest to each mode, by Simpson's rule with `n` intervals along each axis.
fn quadrature(
    target: &Target,
    to_x: Coordinates,
    s: [f64; 2],
    t: [f64; 2],
    n: usize,
) -> (f64, Vec<f64>, Vec<f64>, Vec<f64>) {
    let simpson = |i: usize| if i == 0 || i == n { 1.0 } else { [2.0, 4.0][i % 2] } / 3.0;
    let node = |[low, high]: [f64; 2], i: usize| (low + (high - low) * i as f64 / n as f64, (high - low) / n as f64);
    let modes = target.facts().modes;
    let (mut z, mut first, mut second, mut shares) = (0.0, [0.0; 2], [0.0; 2], vec![0.0; modes.len()]);
    for i in 0..=n {
        for j in 0..=n {
            let ((s, ds), (t, dt)) = (node(s, i), node(t, j));
            let (x, volume) = to_x(s, t);
            let mass = simpson(i) * simpson(j) * ds * dt * volume * (-energy(target, &x)).exp();
            z += mass;
            for k in 0..2 {
                first[k] += mass * x[k];
                second[k] += mass * x[k] * x[k];
            }
            let far = |center: &[f64]| (center[0] - x[0]).powi(2) + (center[1] - x[1]).powi(2);
            let nearest = (0..modes.len()).min_by(|a, b| far(&modes[*a].center).total_cmp(&far(&modes[*b].center)));
            if let Some(nearest) = nearest {
                shares[nearest] += mass;
            }
        }
    }
    let mean = first.map(|m| m / z);
    let variance = [0, 1].map(|k| second[k] / z - mean[k] * mean[k]);
    (z.ln(), mean.to_vec(), variance.to_vec(), shares.iter().map(|share| share / z).collect())
}

#[test]
fn facts_agree_with_quadrature() {
    let plain: Coordinates = |s, t| ([s, t], 1.0);
    let named = |name| Target::by_name(name, Some(2)).expect("target");
    let normal = Target::gaussian(vec![1.0, -2.0], vec![2.0, 0.6, 0.6, 0.5]).expect("law");
    let wide = named("gmm").smoothed(1.5).expect("law");
    let banana: Coordinates = |s, t| ([s, t - 0.5 * s * s], 1.0);
    let valley: Coordinates = |s, t| ([s, t + s * s], 1.0);
    let funnel: Coordinates = |s, t| ([s, t * (0.5 * s).exp()], (0.5 * s).exp());
    // close to the tip, where the slope jumps, nodes are dense
    let cubic: Coordinates = |s, t| ([s.powi(3), t.powi(3)], 9.0 * s * s * t * t);
    let side = 32.768f64.cbrt();
    // the rule converges fast where the density ends at 0, as the fourth power of the spacing where the box cuts it
    let cases: [Case; 15] = [
        (normal, plain, [-13.0, 15.0], [-9.0, 5.0], 400, 1e-9),
        (named("gaussian"), plain, [-9.0, 9.0], [-9.0, 9.0], 400, 1e-9),
        (named("gmm"), plain, [-8.0, 18.0], [-8.0, 18.0], 400, 1e-9),
        (wide, plain, [-14.0, 24.0], [-14.0, 24.0], 400, 1e-9),
        (named("gmm-ncsn"), plain, [-13.0, 13.0], [-13.0, 13.0], 400, 1e-9),
        (named("banana"), banana, [-8.0, 8.0], [-8.0, 9.0], 400, 1e-9),
        (named("double-well"), plain, [-3.0, 3.0], [-3.0, 3.0], 800, 1e-9),
        (named("rosenbrock"), valley, [-26.0, 28.0], [-3.0, 3.0], 400, 1e-9),
        (named("rastrigin"), plain, [-5.12, 5.12], [-5.12, 5.12], 1200, 1e-9),
        (named("ackley"), cubic, [-side, side], [-side, side], 3000, 2e-7),
        (named("himmelblau"), plain, [-6.0, 6.0], [-6.0, 6.0], 1000, 1e-8),
        (named("funnel"), funnel, [-26.0, 36.0], [-9.0, 9.0], 600, 1e-9),
        (named("u1"), plain, [-4.0, 4.0], [-4.0, 4.0], 800, 5e-9),
        (named("u2"), plain, [-4.0, 4.0], [-4.0, 4.0], 800, 5e-9),
        (named("u3"), plain, [-4.0, 4.0], [-4.0, 4.0], 800, 1e-8),
    ];
    let last = (named("u4"), plain, [-4.0, 4.0], [-4.0, 4.0], 1200, 1e-8);
    for (target, to_x, s, t, n, bound) in cases.into_iter().chain([last]) {
        eprintln!("{}", target.name());
        let (log_normalizer, mean, variance, shares) = quadrature(&target, to_x, s, t, n);
        let facts = target.facts();
        let stated = facts.log_normalizer.expect("ln Z");
        assert!(worst(&[stated], &[log_normalizer], 0.0, bound) <= 1.0, "ln Z of {}", target.name());
        let [stated_mean, stated_variance] = [facts.mean, facts.variance].map(|f| f.expect("moments"));
        assert!(worst(&stated_mean, &mean, bound, bound) <= 1.0, "mean of {}", target.name());
        assert!(worst(&stated_variance, &variance, bound, bound) <= 1.0, "variance of {}", target.name());
        // cells on the border of two modes count for one of them
        let weights: Vec<f64> = facts.modes.iter().map(|m| m.weight).collect();
        assert!(worst(&weights, &shares, 0.0, 2e-4) <= 1.0, "modes of {}", target.name());
    }
}

/// The table of the literature, five digits: ln Z, means, variances.
#[test]
fn potentials_have_their_tabulated_moments() {
    let table = [
        ("u1", [1.87750, 0.0, 0.0, 3.3035, 1.3953]),
        ("u2", [2.08209, 0.0, 0.0, 5.3333, 0.6600]),
        ("u3", [2.64171, 0.0, -0.2820, 5.3333, 0.7794]),
        ("u4", [2.68457, -0.0797, -0.4266, 5.2255, 1.6839]),
    ];
    for (name, want) in table {
        let facts = Target::by_name(name, None).expect("target").facts();
        let moments = [facts.mean.expect("mean"), facts.variance.expect("variance")].concat();
        let got = [vec![facts.log_normalizer.expect("ln Z")], moments].concat();
        assert!(worst(&got, &want, 0.0, 6e-5) <= 1.0, "{name}");
    }
}

#[test]
fn facts_of_independent_coordinates_multiply() {
    for name in ["gaussian", "double-well", "rastrigin"] {
        let of = |dim| Target::by_name(name, Some(dim)).expect("target").facts();
        let log = |dim| of(dim).log_normalizer.expect("ln Z");
        assert!((log(5) - 2.5 * log(2)).abs() < 1e-14 && (2.0 * log(1) - log(2)).abs() < 1e-14, "{name}");
        assert_eq!(of(5).variance.map(|v| v.len()), Some(5));
    }
    let wells = Target::by_name("double-well", Some(3)).expect("target").facts().modes;
    assert_eq!((wells.len(), wells.iter().map(|m| m.weight).sum::<f64>()), (8, 1.0));
    // Σ² − diagonal: ln det of a full covariance, by the product of its conditional variances
    let law = tilted().facts();
    let determinant: f64 = 2.0 * (0.5 - 0.16) - 0.6 * (0.3 + 0.12) - 0.3 * (0.24 + 0.3);
    let want = 0.5 * (3.0 * std::f64::consts::TAU.ln() + determinant.ln());
    assert!((law.log_normalizer.expect("ln Z") - want).abs() < 1e-13);
}

/// Rounding of f32, judged by the number itself and by the largest of its kind, which says what it was summed from.
fn agree(what: &str, target: &Target, got: (&[f64], &[f64]), want: (&[f64], &[f64]), rel: f64) {
    eprintln!("{what}: {} in {} coordinates", target.name(), target.dim());
    let abs = [want.0, want.1].map(|v| 5e-7 * scale(v).max(1.0));
    assert!(worst(got.0, want.0, rel, abs[0]) <= 1.0, "energy of {} ({what})", target.name());
    assert!(worst(got.1, want.1, rel, abs[1]) <= 1.0, "gradient of {} ({what})", target.name());
}

#[test]
fn f32_agrees_with_f64() {
    for target in targets() {
        let points = points(&target, 301);
        let (got, want) = (energies::<f32>(&target, &points), energies::<f64>(&target, &points));
        agree("f32", &target, (&got.0, &got.1), (&want.0, &want.1), 2e-6);
    }
}

fn device_agrees(engine: &GpuEngine, target: &Target, count: usize) {
    let points = points(target, count);
    let (energy, gradient) = engine.target_energy(target, &points).expect("energies");
    let want = energies::<f64>(target, &points);
    // an exponential of up to 10 nats may be off by 3 + 2 · 10 units in the last place
    agree("gpu", target, (&energy, gradient.values()), (&want.0, &want.1), 4e-6);
}

#[test]
fn gpu_agrees_with_f64() {
    let engine = gpu();
    for target in targets() {
        device_agrees(&engine, &target, 301);
    }
    // around a group of four and a workgroup of 1024 points
    for count in [1, 3, 4, 5, 1023, 1025] {
        device_agrees(&engine, &tilted(), count);
    }
    // one workgroup that takes several turns
    device_agrees(&gpu_of_workgroups(1), &tilted(), 2051);
    let wrong = engine.target_energy(&tilted(), &Points::new(2, vec![0.0; 4])).expect_err("refused");
    assert_eq!(wrong.to_string(), "the points have 2 coordinates, the target gaussian has 3");
}

/// Corners and axes of the cube of half side 1000, the origin, and places where formulas divide by a radius.
fn extreme_points(d: usize) -> Points {
    let far = [1e3, -1e3, 500.25, -60.0, -61.0, 4.0, 0.0, 1e-20, 1e-30];
    let alternating = |a: f64, b: f64| (0..d).map(move |n| if n % 2 == 0 { a } else { b });
    let pairs = far.into_iter().flat_map(|a| far.into_iter().map(move |b| (a, b)));
    Points::new(d, pairs.flat_map(|(a, b)| alternating(a, b)).collect())
}

#[test]
fn far_points_are_finite() {
    let engine = gpu();
    for target in targets() {
        let points = extreme_points(target.dim());
        let native = energies::<f32>(&target, &points);
        let (energy, gradient) = engine.target_energy(&target, &points).expect("energies");
        for numbers in [&native.0[..], &native.1, &energy, gradient.values()] {
            let bad = numbers.iter().position(|v| !v.is_finite());
            assert!(bad.is_none(), "{} at number {bad:?}", target.name());
        }
        // far out, too, they are the numbers of f64
        let want = energies::<f64>(&target, &points);
        for (got, name) in [(&native.0, "f32"), (&energy, "gpu")] {
            assert!(worst(got, &want.0, 1e-5, 1e-4) <= 1.0, "{} by {name}", target.name());
        }
    }
}
