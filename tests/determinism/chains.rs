//! A chain is the same whatever the others are, and whatever the pieces that it moves in.

use ebm_gpu::engine::gpu::GpuOptions;
use ebm_gpu::engine::gpu::kernel::Platform;
use ebm_gpu::engine::{Engine, advance_by};
use ebm_gpu::model::{Activation, Model};
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::{Hamiltonian, Langevin, Transition};

use crate::common::{gpu_of, network, normal_points};
use crate::{GPU, cpu, model, reference};

pub(crate) fn move_chains(engine: &dyn Engine, model: &Model, count: usize, pieces: &[u64]) -> Points {
    let d = model.spec.dim();
    let start = Points::new(d, normal_points(300, d, 63).values()[..d * count].to_vec());
    let sampler = Langevin::new(0.1, 0.8).expect("sampler");
    let mut chains = engine.chains(model.into(), &sampler.into(), &start, Seed(64)).expect("chains");
    for piece in pieces {
        let mut left = *piece;
        while left > 0 {
            left -= chains.advance(left).expect("steps");
        }
    }
    chains.positions().expect("positions")
}

fn chain_by_chain(engine: &dyn Engine, model: &Model) {
    let all = move_chains(engine, model, 300, &[25]);
    assert!(all.row(0) != all.row(1), "chains draw noise of their own");
    // one chain alone, one more than a tile, and tiles that are not full
    for count in [1, 2, 31, 32, 33, 64, 65, 128, 129, 257] {
        let some = move_chains(engine, model, count, &[25]);
        let first = some.rows().zip(all.rows()).position(|(a, b)| a != b);
        assert_eq!(first, None, "{} {}: the first chain that differs among {count}", engine.name(), model.spec);
    }
    assert!(move_chains(engine, model, 300, &[1, 2, 9, 13]) == all, "{} in pieces", engine.name());
}

#[test]
fn a_chain_does_not_depend_on_the_others_or_on_pieces() {
    for net in ["2-7-5-1", "2-64-64-1", "5-33-100-1"] {
        let model = network(net, Activation::Silu, 61);
        chain_by_chain(&reference(), &model);
        chain_by_chain(&cpu(), &model);
    }
    chain_by_chain(&*GPU, &model());
    let large_tiles = gpu_of(GpuOptions { platform: Some(Platform::Gpu), ..GpuOptions::default() });
    chain_by_chain(&large_tiles, &model());
}

/// On a GPU, few chains go in smaller tiles; widths leave sums in one part, in several, and some that no power of two divides.
#[test]
fn a_chain_does_not_depend_on_the_size_of_tiles() {
    let engine = gpu_of(GpuOptions { platform: Some(Platform::Gpu), ..GpuOptions::default() });
    let models = ["2-100-7-1", "2-64-64-1"].map(|net| network(net, Activation::Silu, 62));
    let start = normal_points(16_384, 2, 63);
    let langevin: Transition = Langevin::new(0.1, 0.8).expect("sampler").into();
    let hamiltonian: Transition = Hamiltonian::new(0.1, 2, 1.0).expect("sampler").into();
    let pairs = models.iter().flat_map(|model| [&langevin, &hamiltonian].map(|transition| (model, transition)));
    for (model, transition) in pairs {
        let moved = |count: usize| {
            let start = Points::new(2, start.values()[..2 * count].to_vec());
            let mut chains = engine.chains(model.into(), transition, &start, Seed(64)).expect("chains");
            advance_by(chains.as_mut(), 2).expect("steps");
            chains.positions().expect("positions")
        };
        let all = moved(16_384);
        for count in [100, 8192] {
            let some = moved(count);
            let first = some.rows().zip(all.rows()).position(|(a, b)| a != b);
            assert_eq!(first, None, "{} {transition:?}: the first that differs among {count}", model.spec);
        }
    }
}
