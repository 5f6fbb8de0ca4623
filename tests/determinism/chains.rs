//! A chain is the same whatever the others are, and whatever the pieces that it moves in.

use ebm_gpu::engine::Engine;
use ebm_gpu::engine::gpu::GpuOptions;
use ebm_gpu::model::{Activation, Model};
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::Langevin;

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
    let large_tiles = gpu_of(GpuOptions { shaped_for_hardware: true, ..GpuOptions::default() });
    chain_by_chain(&large_tiles, &model());
}
