//! Chains that accept or reject, with exchanges between temperatures where there are several.

use super::{Ground, IN_FLIGHT, MOST_PIECES, spec_of, walls};
use crate::engine::gpu::device::{Buffer, Gpu};
use crate::engine::gpu::kernel::WORKGROUP;
use crate::engine::gpu::kernels::{ExchangeParams, ExchangeReplicas, HamiltonianChains, HamiltonianParams};
use crate::engine::gpu::pipeline::Bound;
use crate::engine::gpu::spread::{Spread, quads, to_f32};
use crate::engine::gpu::tiles::{Run, Tiles};
use crate::engine::{Fares, Landscape, STANDING, another_kind, another_state};
use crate::error::Result;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::{Adaptation, Hamiltonian};

pub(super) struct HamiltonianMoves {
    bound: Bound,
    params: Buffer<HamiltonianParams>,
    fixed: HamiltonianParams,
    pub(super) tiles: Tiles,
    /// Two vec4 a column: see the kernel.
    states: Buffer<[f32; 4]>,
    /// Temperatures, scales and the base: see the kernel.
    table: Buffer<f32>,
    exchange: Exchange,
}

/// Exchanges between temperatures.
struct Exchange {
    bound: Bound,
    params: Buffer<ExchangeParams>,
    every: u64,
    /// How often the even and the odd pairs have been tried since the last report.
    tries: [u64; 2],
}

/// What the kernel's table holds.
fn numbers(h: &Hamiltonian, dim: usize) -> Vec<f32> {
    let [mean, precision] = h.base_numbers(dim);
    to_f32(&[h.temperatures.clone(), h.scales(dim), mean, precision].concat())
}

impl HamiltonianMoves {
    pub(super) fn new(
        gpu: &Gpu,
        landscape: Landscape<'_>,
        h: &Hamiltonian,
        start: &Points,
        seed: Seed,
        first_column: u32,
        chains: &Buffer<f32>,
    ) -> Result<(Self, Ground)> {
        let spread = Spread::of_chains(gpu, landscape, &HamiltonianChains::KERNEL, start.count())?;
        let params = gpu.params(IN_FLIGHT * MOST_PIECES)?;
        let packed = spread.layout.pack_landscape(landscape);
        let weights = gpu.upload("weights", quads(&packed))?;
        let states = gpu.zeros("states", 2 * start.count())?;
        let table = gpu.upload("table", &numbers(h, start.dim()))?;
        let bound = HamiltonianChains {
            params: &params,
            net: &gpu.upload_uniform("net", &spread.layout.table)?,
            weights: &weights,
            table: &table,
            scratch: &spread.scratch(gpu)?,
            chains,
            states: &states,
        }
        .bind(gpu, spread.shape)?;
        let exchange_params = gpu.params(IN_FLIGHT * MOST_PIECES)?;
        let exchange = ExchangeReplicas { params: &exchange_params, table: &table, chains, states: &states };
        let exchange = Exchange {
            bound: exchange.bind(gpu, spread.shape)?,
            params: exchange_params,
            every: h.swap_every,
            tries: [0; 2],
        };
        let [key_low, key_high] = seed.key();
        let fixed = HamiltonianParams {
            key_low,
            key_high,
            count: start.count() as u32,
            first_column,
            dim: start.dim() as u32,
            groups: spread.tiles.workgroups,
            region: spread.layout.region,
            spare: spread.layout.spare,
            replicas: h.replicas() as u32,
            gain: Adaptation::GAIN as f32,
            decay: Adaptation::DECAY as f32,
            forgetting: Adaptation::FORGETTING as f32,
            ..Default::default()
        };
        let mut moves = Self { bound, params, fixed, tiles: spread.tiles, states, table, exchange };
        moves.set(h);
        Ok((moves, Ground { weights, layout: spread.layout, shape: spread.shape, spec: spec_of(landscape) }))
    }

    /// Temperatures.
    pub(super) fn replicas(&self) -> usize {
        self.fixed.replicas as usize
    }

    /// Two vec4 a column: see the kernel.
    pub(super) fn states(&self) -> &Buffer<[f32; 4]> {
        &self.states
    }

    fn set(&mut self, h: &Hamiltonian) {
        let (wall, low, high) = walls(h.bounds);
        let goal = h.adaptation.map_or(0.0, |a| a.target as f32);
        let (step, leapfrogs) = (h.step as f32, h.leapfrogs);
        self.fixed = HamiltonianParams { step, leapfrogs, wall, low, high, goal, ..self.fixed };
        self.exchange.every = h.swap_every;
    }

    /// Another step or another landscape; where adaptation ends, its average becomes each chain's factor.
    pub(super) fn change(&mut self, gpu: &Gpu, h: &Hamiltonian) -> Result<()> {
        if h.replicas() as u32 != self.fixed.replicas {
            return Err(another_kind());
        }
        if self.fixed.goal > 0.0 && h.adaptation.is_none() {
            let mut states = gpu.download(&self.states)?;
            states.iter_mut().step_by(2).for_each(|s| s[1] = s[2]);
            gpu.overwrite(&self.states, &states);
        }
        gpu.overwrite(&self.table, &numbers(h, self.fixed.dim as usize));
        self.set(h);
        Ok(())
    }

    /// Submits up to `wanted` steps of the columns of some tiles, in dispatches between exchanges, and returns how many they are.
    /// Where these are not all tiles, it has to be one step; its exchange comes with the last of them.
    pub(super) fn submit(
        &mut self,
        gpu: &Gpu,
        slot: usize,
        first: u64,
        wanted: u64,
        run: Run,
    ) -> (wgpu::SubmissionIndex, u64) {
        let (tempered, complete) = (self.fixed.replicas > 1, run.end == self.tiles.count);
        let fixed = HamiltonianParams { first_tile: run.first, end_tile: run.end, ..self.fixed };
        let (mut pieces, mut exchanges, mut done) = (Vec::new(), Vec::new(), 0);
        while done < wanted && pieces.len() < MOST_PIECES {
            let at = first + done;
            let until = if tempered { self.exchange.every - at % self.exchange.every } else { u64::MAX };
            let steps = until.min(wanted - done);
            pieces.push(HamiltonianParams { first_step: at as u32, steps: steps as u32, ..fixed });
            done += steps;
            exchanges.push(self.exchange.arguments(&fixed, first + done, complete && steps == until));
        }
        gpu.write_params(&self.params, slot, &pieces);
        gpu.write_params(&self.exchange.params, slot, &exchanges);
        let index = gpu.run(|pass| {
            for (i, exchange) in exchanges.iter().enumerate() {
                self.bound.dispatch(pass, slot + i, run.workgroups);
                if exchange.pairs > 0 {
                    let pairs = exchange.count / exchange.replicas * exchange.pairs;
                    let workgroups = pairs.div_ceil(WORKGROUP).min(gpu.most_workgroups());
                    self.exchange.bound.dispatch(pass, slot + i, workgroups);
                }
            }
        });
        (index, done)
    }

    /// Chains, each of which has a column for each replica.
    fn chains(&self) -> u64 {
        u64::from(self.fixed.count / self.fixed.replicas)
    }

    /// How all columns stand and what is known of exchanges, as [`ChainState`](crate::engine::ChainState) has them.
    pub(super) fn save(&self, gpu: &Gpu) -> Result<(Vec<f64>, Vec<u64>)> {
        let states = gpu.download(&self.states)?;
        let standings =
            states.as_chunks().0.iter().flat_map(|[[energy, factor, average, _], [sum, broken, made, recent]]| {
                [energy, factor, average, sum, recent, broken, made].map(|x| f64::from(*x))
            });
        let pairs = 0..self.replicas() - 1;
        let exchanges = pairs.flat_map(|r| [self.chains() * self.exchange.tries[r % 2], 0]).collect();
        Ok((standings.collect(), exchanges))
    }

    /// Takes up what was saved of as many columns.
    pub(super) fn restore(&mut self, gpu: &Gpu, standings: &[f64], exchanges: &[u64]) -> Result<()> {
        let (columns, rest) = standings.as_chunks::<STANDING>();
        let (pairs, replicas) = (exchanges.as_chunks::<2>().0, self.replicas());
        if 2 * columns.len() != self.states.len() || !rest.is_empty() || exchanges.len() != 2 * (replicas - 1) {
            return Err(another_state());
        }
        let chains = self.chains();
        let states: Vec<[f32; 4]> = (0u64..)
            .zip(columns)
            .flat_map(|(c, [energy, factor, average, sum, recent, broken, made])| {
                // what is not counted by column is shared among all chains
                let (chain, replica) = (c / replicas as u64, c as usize % replicas);
                let shared = pairs.get(replica).map_or(0, |[_, all]| all / chains + u64::from(chain < all % chains));
                [[*energy, *factor, *average, 0.0], [*sum, *broken, made + shared as f64, *recent]]
            })
            .map(|numbers| numbers.map(|x| x as f32))
            .collect();
        gpu.overwrite(&self.states, &states);
        self.exchange.tries = [0, 1].map(|odd| pairs.get(odd).map_or(0, |[tries, _]| tries / chains));
        Ok(())
    }

    /// How the chains have fared over the last `steps` steps; starts a new report.
    pub(super) fn fares(&mut self, gpu: &Gpu, steps: u64) -> Result<Fares> {
        let mut states: Vec<[f32; 4]> = gpu.download(&self.states)?;
        let replicas = self.fixed.replicas as usize;
        let steps = steps.max(1) as f64;
        let column = |which: usize, i: usize| states.iter().skip(which).step_by(2).map(move |s| f64::from(s[i]));
        let mut made = vec![0.0; replicas - 1];
        for (c, count) in column(1, 2).enumerate() {
            if c % replicas + 1 < replicas {
                made[c % replicas] += count;
            }
        }
        let chains = (self.fixed.count as usize / replicas) as f64;
        let tries = std::mem::take(&mut self.exchange.tries);
        let fares = Fares {
            acceptance: Some(column(1, 0).zip(column(1, 3)).map(|(all, recent)| (all + recent) / steps).collect()),
            energies: Some(column(0, 0).collect()),
            factors: Some(column(0, 1).map(f64::exp).collect()),
            broken: column(1, 1).sum::<f64>() as u64,
            exchanges: (0..).zip(made).map(|(r, m): (usize, f64)| m / (chains * tries[r % 2].max(1) as f64)).collect(),
        };
        states.iter_mut().skip(1).step_by(2).for_each(|s| *s = [0.0; 4]);
        gpu.overwrite(&self.states, &states);
        Ok(fares)
    }
}

impl Exchange {
    /// The arguments of the exchange after `step` steps; without pairs if there is none.
    fn arguments(&mut self, chains: &HamiltonianParams, step: u64, due: bool) -> ExchangeParams {
        let odd = (step / self.every % 2) as u32;
        let pairs = if due { (chains.replicas - odd) / 2 } else { 0 };
        self.tries[odd as usize] += u64::from(due);
        let HamiltonianParams { key_low, key_high, count, dim, replicas, first_column, .. } = *chains;
        ExchangeParams {
            key_low,
            key_high,
            count,
            dim,
            replicas,
            odd,
            pairs,
            step: step as u32,
            first_column,
            ..Default::default()
        }
    }
}
