//! What several test files share: one comparison, an adapter, points and networks to try.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use ebm_gpu::engine::gpu::kernel::Platform;
use ebm_gpu::engine::gpu::{GpuEngine, GpuOptions};
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec, Model};
use ebm_gpu::points::Points;
use ebm_gpu::random::{Seed, Stream};

/// The worst |got − want| / (abs + rel |want|). A NaN anywhere is infinite, so `<= 1.0` fails on it.
pub fn worst(got: &[f64], want: &[f64], rel: f64, abs: f64) -> f64 {
    assert_eq!(got.len(), want.len(), "lengths differ");
    let mut worst = (0.0, 0);
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let e = (g - w).abs() / (abs + rel * w.abs());
        let e = if e.is_nan() { f64::INFINITY } else { e };
        if e > worst.0 {
            worst = (e, i);
        }
    }
    if let Some((g, w)) = got.get(worst.1).zip(want.get(worst.1)) {
        eprintln!("    worst {:.3} of its bound at {}: got {g}, want {w}", worst.0, worst.1);
    }
    worst.0
}

/// The largest entry: the scale against which rounding errors of a sum are judged.
pub fn scale(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

/// [`distance`] exceeds this once in 10,000 seeds: 2 exp(−2 · 2.225²) = 1e-4.
pub const LIMIT: f64 = 2.225;

/// √n times the distance of Kolmogorov and Smirnov: the largest between the empirical distribution function and `below`.
pub fn distance(samples: impl Iterator<Item = f64>, below: impl Fn(f64) -> f64) -> f64 {
    let mut x: Vec<f64> = samples.collect();
    assert!(x.iter().all(|x| x.is_finite()), "chains left every bound");
    x.sort_by(f64::total_cmp);
    let n = x.len() as f64;
    let each = x.iter().enumerate().map(|(i, x)| {
        let below = below(*x);
        (below - i as f64 / n).max((i + 1) as f64 / n - below)
    });
    each.fold(0.0, f64::max) * n.sqrt()
}

/// The distribution function of the standard normal law.
pub fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The adapter that `EBM_GPU_TEST_ADAPTER` names, or the best one, with all run-time checks on.
pub fn gpu() -> GpuEngine {
    gpu_of(GpuOptions::default())
}

/// The same with a limit on submissions.
pub fn gpu_with(max_submit_ms: f64) -> GpuEngine {
    gpu_of(GpuOptions { max_submit_ms, ..Default::default() })
}

/// The same with a limit on workgroups, so that each takes many tiles in turn.
pub fn gpu_of_workgroups(most_workgroups: u32) -> GpuEngine {
    gpu_of(GpuOptions { most_workgroups, ..Default::default() })
}

/// The same with small bindings, so that data are sent batch by batch.
pub fn gpu_of_bindings(most_binding: u64) -> GpuEngine {
    gpu_of(GpuOptions { most_binding, ..Default::default() })
}

/// The same with the kernels of software drivers of whose subgroups nothing is known.
pub fn portable_gpu() -> GpuEngine {
    gpu_of(GpuOptions { platform: Some(Platform::Software), ..Default::default() })
}

/// The same with any options.
pub fn gpu_of(options: GpuOptions) -> GpuEngine {
    let adapter = std::env::var("EBM_GPU_TEST_ADAPTER").ok();
    match GpuEngine::open(&GpuOptions { adapter, checked: true, ..options }) {
        Ok(engine) => {
            eprintln!("adapter: {}", ebm_gpu::engine::Engine::adapter(&engine));
            engine
        }
        Err(e) => panic!("{e}; run `bash tests/install-vulkan.sh` to install a software driver"),
    }
}

/// Standard normal points that f32 can hold, so that engines start from the same numbers.
pub fn normal_points(count: usize, dim: usize, seed: u64) -> Points {
    let mut points = Points::normal::<f64>(count, dim, Seed(seed), Stream::Host, 0);
    points.values_mut().iter_mut().for_each(|v| *v = f64::from(*v as f32));
    points
}

/// A network with weights larger than the usual initial ones, so that curvature matters.
pub fn network(net: &str, activation: Activation, seed: u64) -> Model {
    network_of(net, activation, Head::Energy, Conditioning::None, seed)
}

/// The same of any kind.
pub fn network_of(net: &str, activation: Activation, head: Head, conditioning: Conditioning, seed: u64) -> Model {
    let spec = MlpSpec::parse_conditioned(net, activation, head, conditioning).expect("valid widths");
    let mut model = spec.initial(Seed(seed));
    model.parameters.iter_mut().for_each(|p| *p = f64::from((*p * 1.5) as f32));
    model
}

/// A network so steep that rounding errors of its energy are large against differences over short steps.
pub fn steep_network(net: &str, activation: Activation, seed: u64) -> Model {
    let mut model = network(net, activation, seed);
    model.parameters.iter_mut().for_each(|p| *p = f64::from((*p * 3.0) as f32));
    model
}

/// Vectors in random directions, of one length.
pub fn directions_of_length(length: f64, count: usize, dim: usize, seed: u64) -> Points {
    let mut points = normal_points(count, dim, seed);
    for row in points.values_mut().chunks_exact_mut(dim) {
        let factor = length / row.iter().map(|v| v * v).sum::<f64>().sqrt();
        row.iter_mut().for_each(|v| *v *= factor);
    }
    points
}

/// A confining energy that is far from symmetric: a steep wall on the right, a slow slope on the left, bumps between.
pub fn skewed() -> Model {
    let spec = MlpSpec::new(vec![1, 16, 1], Activation::Softplus).expect("widths");
    let mut units = vec![[2.0, -2.0, 2.5], [-1.0, -1.0, 1.5]];
    units.extend((2..16).map(|j| {
        let j = f64::from(j);
        [3.0 * j.cos(), 2.0 * (2.0 * j).sin(), 0.4 * (3.0 * j).sin()]
    }));
    let columns = (0..3).flat_map(|c| units.iter().map(move |u| f64::from(u[c] as f32)));
    Model { spec, parameters: columns.chain([0.0]).collect() }
}
