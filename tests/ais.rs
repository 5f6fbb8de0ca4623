//! Annealed importance sampling against ln Z in closed form and by quadrature. Its chains change their temperature at every
//! level, on the device too.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{gpu, skewed};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::{Engine, Landscape};
use ebm_gpu::eval::{AnnealedImportance, Base};
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::Hamiltonian;
use ebm_gpu::target::Target;

/// Standard errors: one seed in 16,000 is off by more.
const ERRORS: f64 = 4.0;

fn ais(chains: usize, levels: u32) -> AnnealedImportance {
    AnnealedImportance { chains, levels, moves: Hamiltonian::new(0.4, 3, 1.0).expect("sampler") }
}

/// ln Z of a case within its standard errors, which themselves have to be small.
fn finds(engine: &dyn Engine, what: &str, landscape: Landscape<'_>, base: &Base, chains: usize, want: f64) {
    let found = ais(chains, 100).log_normalizer(engine, landscape, base, Seed(91)).expect("ln Z");
    eprintln!("{} {what}: {} ± {}, exactly {want}", engine.name(), found.value, found.error);
    assert!((found.value - want).abs() < ERRORS * found.error, "{} {what}: {found:?}, exactly {want}", engine.name());
    // the weights spread by their own size at most
    assert!(found.error < 1.2 / (chains as f64).sqrt(), "{what}: the weights spread: {found:?}");
    assert!(found.effective_share > 0.4 && found.effective_share < 1.0, "{what}: {found:?}");
}

/// ln Z of the test's network in a box, by the trapezoidal rule.
fn by_quadrature([low, high]: [f64; 2]) -> f64 {
    let cells = 20_000;
    let grid: Vec<f64> = (0..=cells).map(|i| low + (high - low) * f64::from(i) / f64::from(cells)).collect();
    let energies = Reference::new().expect("threads").energy(&skewed(), &Points::new(1, grid)).expect("energies");
    let ends = 0.5 * ((-energies[0]).exp() + (-energies[cells as usize]).exp());
    let inside: f64 = energies[1..cells as usize].iter().map(|e| (-e).exp()).sum();
    ((ends + inside) * (high - low) / f64::from(cells)).ln()
}

fn all(engine: &dyn Engine, chains: usize) {
    let tilted = Target::gaussian(vec![0.0; 3], vec![2.0, 0.6, -0.3, 0.6, 1.0, 0.4, -0.3, 0.4, 0.5]).expect("law");
    let log_z = |target: &Target| target.facts().log_normalizer.expect("ln Z");
    // 7 of the widest deviation: what the box cuts off is nothing
    finds(engine, "gaussian", (&tilted).into(), &Base::Box([-10.0, 10.0]), chains, log_z(&tilted));
    let base = Base::Normal { mean: vec![0.5, -0.3, 0.2], deviation: vec![1.2, 1.5, 0.9] };
    finds(engine, "gaussian from a normal base", (&tilted).into(), &base, chains, log_z(&tilted));
    let u2 = Target::by_name("u2", None).expect("target");
    finds(engine, "u2", (&u2).into(), &Base::Box([-4.0, 4.0]), chains, log_z(&u2));
    let model = skewed();
    finds(engine, "a network", (&model).into(), &Base::Box([-6.0, 5.0]), chains, by_quadrature([-6.0, 5.0]));
    let base = Base::Normal { mean: vec![0.4], deviation: vec![1.3] };
    finds(engine, "a network from a normal base", (&model).into(), &base, chains, by_quadrature([-40.0, 40.0]));
}

#[test]
fn the_cpu_engine_finds_log_z() {
    all(&Cpu::new().expect("threads"), 40_000);
}

#[test]
fn the_gpu_engine_finds_log_z() {
    all(&gpu(), 2_000);
}

#[test]
fn too_few_levels_or_chains_are_refused() {
    let u1 = Target::by_name("u1", None).expect("target");
    let cpu = Cpu::new().expect("threads");
    for (chains, levels) in [(1, 10), (10, 1)] {
        let refused = ais(chains, levels).log_normalizer(&cpu, (&u1).into(), &Base::Box([-4.0, 4.0]), Seed(1));
        assert!(refused.expect_err("refused").to_string().contains("both have to be 2 or more"));
    }
}
