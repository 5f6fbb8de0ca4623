//! What draws are worth, as the engines say it: against the f64 of the same draws, and against what is known.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{gpu, network, network_of, normal_points, worst};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::gpu::GpuEngine;
use ebm_gpu::engine::{Chains, Engine, Landscape, MONITORED, Worth, advance_by};
use ebm_gpu::model::{Activation, Conditioning, Head};
use ebm_gpu::random::{Seed, Stream, normals};
use ebm_gpu::sampler::diagnostics::{Coordinate, Diagnostics, diagnose};
use ebm_gpu::sampler::{Hamiltonian, Langevin, Transition};
use ebm_gpu::target::Target;

/// x ← ρ x + √(1 − ρ²) z from the stationary law, `[draws, chains, dim]`, in f32.
fn autoregressive([draws, chains, dim]: [usize; 3], rho: f64, seed: u64) -> Vec<f64> {
    let width = chains * dim;
    let normal = |i: usize, step: usize| normals::<f64>(Seed(seed).words(Stream::Host, i as u32, step as u32, 0))[0];
    let mut x: Vec<f64> = (0..width).map(|i| normal(i, 0)).collect();
    let mut all = Vec::with_capacity(draws * width);
    for step in 1..=draws {
        all.extend(x.iter().map(|x| f64::from(*x as f32)));
        x.iter_mut().enumerate().for_each(|(i, x)| *x = rho * *x + (1.0 - rho * rho).sqrt() * normal(i, step));
    }
    all
}

/// How far a coordinate is from what it should be, as a share of the bound; infinite where one is NaN and the other not.
///
/// In f32, draws in their own units have a rounding of 6e-8 and their scores two; sums over all draws lose a few more. The
/// worst of all these tests on Mesa's software driver uses a third of a bound; WGSL allows a GPU's `log` another 2e-7.
fn apart(got: &Coordinate, want: &Coordinate) -> f64 {
    assert_eq!((got.not_finite, got.still), (want.not_finite, want.still), "{got:?}, not {want:?}");
    let away = |got: f64, want: f64, bound: f64| match (got.is_nan(), want.is_nan()) {
        (true, true) => 0.0,
        (false, false) if got == want => 0.0,
        (false, false) => (got - want).abs() / bound,
        _ => f64::INFINITY,
    };
    let of = |number: fn(&Coordinate) -> f64, bound: f64| away(number(got), number(want), bound * number(want).abs());
    let all = [
        away(got.mean, want.mean, 2e-7 * want.standard_deviation),
        of(|c| c.standard_deviation, 2e-7),
        of(|c| c.mean_error, 5e-7),
        of(|c| c.r_hat, 4e-7),
        of(|c| c.bulk_ess, 1e-6),
        of(|c| c.tail_ess, 1e-6),
    ];
    all.into_iter().fold(0.0, f64::max)
}

/// The gpu's diagnostics of draws, which have to be those of f64 on the host.
fn agree(gpu: &GpuEngine, what: &str, draws: &[f64], shape: [usize; 3]) -> Diagnostics {
    let want = diagnose(draws, shape).expect("draws");
    let got = gpu.diagnose(draws, shape).expect("draws");
    assert_eq!((got.draws, got.chains, got.coordinates.len()), (shape[0], shape[1], shape[2]));
    let each = got.coordinates.iter().zip(&want.coordinates).map(|(g, w)| apart(g, w));
    let worst = each.fold(0.0, f64::max);
    eprintln!("    {what} {shape:?}: {worst:.3} of the bound");
    assert!(worst <= 1.0, "{what} {shape:?}: {:#?}, not {:#?}", got.coordinates, want.coordinates);
    got
}

#[test]
fn gpu_diagnoses_draws_of_every_shape() {
    let gpu = gpu();
    // one chain, odd numbers, what just fits a workgroup's memory and what does not, batches of coordinates, many lags
    let shapes = [
        ([20, 1, 1], 0.3),
        ([21, 1, 2], -0.4),
        ([1024, 2, 1], 0.5),
        ([683, 3, 2], 0.9),
        ([101, 33, 3], 0.0),
        ([200, 128, 3], 0.6),
        ([20, 2001, 4], 0.5),
        ([3001, 2, 2], 0.99),
    ];
    for (i, (shape, rho)) in shapes.into_iter().enumerate() {
        agree(&gpu, "autoregressive", &autoregressive(shape, rho, 81 + i as u64), shape);
    }
}

#[test]
fn gpu_knows_the_ess_of_autoregressive_chains() {
    let gpu = gpu();
    let shape = [2000, 10, 1];
    for rho in [0.0, 0.5, 0.9, -0.4] {
        let c = agree(&gpu, "autoregressive", &autoregressive(shape, rho, 91), shape).coordinates[0];
        let total = 20_000.0_f64;
        let want = total * (1.0 - rho) / (1.0 + rho);
        // as in src/sampler/diagnostics/tests.rs (autoregressive_chains_have_their_known_ess)
        let window = (0.5 * total.ln() / -rho.abs().max(1e-6).ln()).max(4.0);
        assert!((c.bulk_ess / want - 1.0).abs() < 5.0 * (4.0 * window / total).sqrt(), "{rho}: {}", c.bulk_ess);
        assert!((0.999..1.01).contains(&c.r_hat), "{rho}: {}", c.r_hat);
    }
}

#[test]
fn gpu_diagnoses_draws_that_are_no_good() {
    let gpu = gpu();
    let shape = [51, 7, 1];
    let good = autoregressive(shape, 0.5, 95);
    let changed = |f: &dyn Fn(usize, f64) -> f64| {
        good.iter().enumerate().map(|(i, v)| f64::from(f(i, *v) as f32)).collect::<Vec<f64>>()
    };
    let cases: &[(&str, Vec<f64>)] = &[
        ("equal draws", changed(&|_, v| (4.0 * v).round() / 4.0)),
        ("two numbers", changed(&|_, v| v.signum())),
        ("zeros of both signs", changed(&|i, v| if i % 3 == 0 { 0.0_f64.copysign(v) } else { v })),
        ("a wall", changed(&|_, v| v.min(0.3))),
        ("far from 0", changed(&|_, v| 1000.0 + v)),
        ("large", changed(&|_, v| 1e30 * v)),
        ("small", changed(&|_, v| 1e-30 * v)),
        ("chains apart", changed(&|i, v| v + (i % 7) as f64)),
        ("chains of other spread", changed(&|i, v| v * (1 + i % 7) as f64)),
        ("one stuck", changed(&|i, v| if i % 7 == 2 { 0.25 } else { v })),
        ("all stuck", changed(&|i, _| (i % 7) as f64)),
        ("all the same", changed(&|_, _| -1.5)),
        ("the middle draws alone", changed(&|i, v| if i / 7 == 25 { v } else { 0.5 })),
        ("one NaN", changed(&|i, v| if i == 100 { f64::NAN } else { v })),
        ("NaN and infinities", changed(&|i, v| [f64::NAN, f64::INFINITY, -f64::INFINITY, v][i.min(3)])),
        ("a chain of infinities", changed(&|i, v| if i % 7 == 6 { f64::INFINITY } else { v })),
        ("a chain of NaN", changed(&|i, v| if i % 7 == 0 { f64::NAN } else { v })),
    ];
    for (what, draws) in cases {
        let got = agree(&gpu, what, draws, shape);
        assert_eq!(got.warnings(), diagnose(draws, shape).expect("draws").warnings(), "{what}");
    }
    for draws in [1, 2, 19] {
        agree(&gpu, "too few", &good[..7 * draws], [draws, 7, 1]);
    }
    let says = |draws: &[f64], shape| gpu.diagnose(draws, shape).expect_err("refused").to_string();
    assert_eq!(says(&good, [50, 7, 1]), "357 values are no 50 draws of 7 chains in 1 coordinates");
    assert_eq!(says(&[], [0, 7, 1]), "0 values are no 0 draws of 7 chains in 1 coordinates");
}

#[test]
fn the_same_draws_give_the_same_bits() {
    let gpu = gpu();
    let shape = [333, 17, 2];
    let draws = autoregressive(shape, 0.8, 96);
    let first = gpu.diagnose(&draws, shape).expect("draws");
    assert!(first == gpu.diagnose(&draws, shape).expect("draws"));
    assert!(first == common::gpu_of_workgroups(1).diagnose(&draws, shape).expect("draws"));
}

/// Keeps draws, and what they are, of chains on their way.
fn kept(chains: &mut dyn Chains, engine: &dyn Engine, landscape: Landscape<'_>, draws: usize) -> (Worth, Vec<f64>) {
    chains.watch(draws).expect("room");
    let mut all = Vec::new();
    for _ in 0..draws {
        advance_by(chains, 2).expect("steps");
        chains.keep().expect("a draw");
        let positions = chains.first(MONITORED).expect("positions");
        let energies = match landscape {
            Landscape::Network(model) => engine.energy(model, &positions).unwrap_or_default(),
            Landscape::Target(target) => engine.target_energy(target, &positions).expect("energies").0,
        };
        for (i, x) in positions.rows().enumerate() {
            all.extend(energies.get(i));
            all.extend_from_slice(x);
        }
    }
    (chains.worth().expect("draws"), all)
}

/// Draws that never leave the device are worth what those are that do.
#[test]
fn chains_keep_their_own_draws() {
    let (cpu, reference, gpu) = (Cpu::new().expect("threads"), Reference::new().expect("threads"), gpu());
    let model = network("3-9-1", Activation::Softplus, 97);
    let field = network_of("3-9-3", Activation::Silu, Head::Score, Conditioning::None, 98);
    let target = Target::by_name("gmm", None).expect("a target");
    let mala = Hamiltonian::langevin(0.1, 1.0).expect("sampler");
    let tempered = mala.clone().at(vec![4.0, 2.0, 1.0], 3).expect("ladder");
    let langevin = || Transition::from(Langevin::new(0.1, 1.0).expect("sampler"));
    let cases: [(Landscape<'_>, Transition, usize, usize); 6] = [
        ((&model).into(), langevin(), 150, 1),
        ((&model).into(), mala.clone().into(), 5, 1),
        ((&model).into(), tempered.clone().into(), 131, 3),
        ((&field).into(), langevin(), 40, 1),
        ((&target).into(), langevin(), 150, 1),
        ((&target).into(), tempered.into(), 7, 3),
    ];
    for (landscape, transition, count, replicas) in cases {
        let start = normal_points(count * replicas, landscape.dim(), 99);
        for engine in [&reference as &dyn Engine, &cpu, &gpu] {
            let mut chains = engine.chains(landscape, &transition, &start, Seed(100)).expect("chains");
            // what was kept before is dropped
            chains.watch(3).expect("room");
            chains.keep().expect("a draw");
            let draws = 23;
            let (worth, numbers) = kept(chains.as_mut(), engine, landscape, draws);
            let here = format!("{} {transition:?}", engine.name());
            let (watched, dim) = (count.min(MONITORED), landscape.dim());
            let width = numbers.len() / (draws * watched);
            assert_eq!((worth.diagnostics.draws, worth.diagnostics.chains), (draws, watched), "{here}");
            let is_field = matches!(landscape, Landscape::Network(m) if m.spec.head() == Head::Score);
            assert_eq!(
                (width, worth.energy.is_none(), worth.energies.len()),
                match is_field {
                    true => (dim, true, 0),
                    false => (dim + 1, false, draws),
                }
            );
            let want = diagnose(&numbers, [draws, watched, width]).expect("draws").coordinates;
            let (energy, coordinates) = want.split_at(width - dim);
            for (got, want) in worth.diagnostics.coordinates.iter().zip(coordinates) {
                assert!(apart(got, want) <= 1.0, "{here}: {got:?}, not {want:?}");
            }
            // chains have their own E, which may be rounded in another way than that of the positions
            if let (Some(got), [want]) = (worth.energy, energy) {
                let [told, known] = [got, *want].map(|c| [c.mean, c.standard_deviation, c.r_hat, c.bulk_ess]);
                assert!(worst(&told, &known, 2e-5, 1e-6) <= 1.0, "{here}: {got:?}, not {want:?}");
                let of_draw = |draw: &[f64]| draw.iter().step_by(width).sum::<f64>() / watched as f64;
                let means: Vec<f64> = numbers.chunks(watched * width).map(of_draw).collect();
                assert!(worst(&worth.energies, &means, 2e-6, 1e-6) <= 1.0, "{here}");
            }
        }
    }
}

#[test]
fn draws_are_neither_missing_nor_too_many() {
    let target = Target::by_name("gmm", None).expect("a target");
    let langevin = Langevin::new(0.1, 1.0).expect("sampler").into();
    let start = normal_points(9, 2, 101);
    for engine in [&Cpu::new().expect("threads") as &dyn Engine, &gpu()] {
        let mut chains = engine.chains((&target).into(), &langevin, &start, Seed(102)).expect("chains");
        let other = "chains have to keep as many draws as they made room for";
        assert_eq!(chains.keep().expect_err("no room").to_string(), other);
        chains.watch(2).expect("room");
        chains.keep().expect("a draw");
        assert_eq!(chains.worth().expect_err("a draw is missing").to_string(), other);
        chains.keep().expect("a draw");
        assert_eq!(chains.keep().expect_err("no room").to_string(), other);
        chains.worth().expect("two draws");
        let too_many = chains.watch(5_000_000).expect_err("too much").to_string();
        assert_eq!(too_many, "5000000 draws of 3 numbers: from 1 to 4194304 can be kept of a chain");
    }
}
