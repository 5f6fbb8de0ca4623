//! Chains on the device: many steps a dispatch, two submissions in flight.

mod groups;
mod hamiltonian;
mod keep;
mod langevin;
mod moments;

use std::collections::VecDeque;
use std::time::Instant;

use super::device::{Buffer, Gpu};
use super::kernel::Shape;
use super::network::NetworkLayout;
use super::pace::Pace;
use super::spread::{quads, to_f64};
use super::tiles::{Phase, Run, Tiles};
use crate::engine::{
    ChainState, Chains, Fares, Landscape, Moments, Part, Room, Worth, another_kind, another_number, another_state,
    coldest,
};
use crate::error::{Error, Result};
use crate::model::{Head, MlpSpec};
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::{Bounds, Transition, Wall};
pub(super) use groups::chains;
use hamiltonian::HamiltonianMoves;
use keep::Keeper;
use langevin::LangevinMoves;
use moments::MomentPass;

/// The most steps of one dispatch.
const MOST_STEPS: u64 = 1 << 16;
/// The most dispatches of a submission, each with its own slot of parameters.
const MOST_PIECES: usize = 64;
/// Submissions in flight.
const IN_FLIGHT: usize = 2;

/// The kernels of one kind of transition with their buffers.
enum Moves {
    Langevin(LangevinMoves),
    Hamiltonian(Box<HamiltonianMoves>),
}

struct GpuChains<'a> {
    gpu: &'a Gpu,
    moves: Moves,
    ground: Ground,
    chains: Buffer<f32>,
    count: usize,
    dim: usize,
    /// Once moments have been asked for.
    moments: Option<MomentPass>,
    /// What is kept of draws.
    keeper: Option<Keeper>,
    /// For steps that are cut.
    phase: Phase,
    pace: Pace,
    step: u64,
    /// Steps since the last report.
    unreported: u64,
    turn: usize,
    /// Each with its steps.
    in_flight: VecDeque<(wgpu::SubmissionIndex, u64, Instant)>,
}

impl Moves {
    fn tiles(&self) -> Tiles {
        match self {
            Self::Langevin(moves) => moves.tiles,
            Self::Hamiltonian(moves) => moves.tiles,
        }
    }

    /// Submits up to `wanted` steps of some tiles, and returns how many they are.
    fn submit(&mut self, gpu: &Gpu, slot: usize, first: u64, wanted: u64, run: Run) -> (wgpu::SubmissionIndex, u64) {
        match self {
            Self::Langevin(moves) => (moves.submit(gpu, slot, first, wanted, run), wanted),
            Self::Hamiltonian(moves) => moves.submit(gpu, slot, first, wanted, run),
        }
    }
}

/// The landscape on the device.
struct Ground {
    weights: Buffer<[f32; 4]>,
    layout: NetworkLayout,
    shape: Shape,
    /// The network; none for a target.
    spec: Option<MlpSpec>,
}

impl Ground {
    fn has_energy(&self) -> bool {
        self.spec.as_ref().is_none_or(|spec| spec.head() == Head::Energy)
    }
}

/// The network that chains move on; none for a target.
fn spec_of(landscape: Landscape<'_>) -> Option<MlpSpec> {
    match landscape {
        Landscape::Network(model) => Some(model.spec.clone()),
        Landscape::Target(_) => None,
    }
}

/// What happens at the walls, as the kernels take it: (`WALL_*`, low, high).
fn walls(bounds: Option<Bounds>) -> (u32, f32, f32) {
    bounds.map_or((0, 0.0, 0.0), |bounds| {
        let wall = match bounds.wall {
            Wall::Reflect => 1,
            Wall::Clamp => 2,
        };
        (wall, bounds.low as f32, bounds.high as f32)
    })
}

impl<'a> GpuChains<'a> {
    /// Chains of which the first has column `first_column` of all, and draws its noise there.
    fn new(
        gpu: &'a Gpu,
        landscape: Landscape<'_>,
        transition: &Transition,
        start: &Points,
        seed: Seed,
        first_column: u32,
    ) -> Result<Self> {
        let chains = gpu.upload_values("chains", start.values())?;
        let (moves, ground) = match transition {
            Transition::Langevin(langevin) => {
                let (moves, ground) = LangevinMoves::new(gpu, landscape, langevin, start, seed, first_column, &chains)?;
                (Moves::Langevin(moves), ground)
            }
            Transition::Hamiltonian(h) => {
                let (moves, ground) = HamiltonianMoves::new(gpu, landscape, h, start, seed, first_column, &chains)?;
                (Moves::Hamiltonian(Box::new(moves)), ground)
            }
        };
        let (tiles, pace) = (moves.tiles(), gpu.pace(MOST_STEPS));
        Ok(Self {
            gpu,
            ground,
            chains,
            count: start.count(),
            dim: start.dim(),
            moments: None,
            keeper: None,
            pace: if tiles.parts() > 1 { pace.cautious() } else { pace },
            phase: Phase::new(gpu, tiles),
            moves,
            step: 0,
            unreported: 0,
            turn: 0,
            in_flight: VecDeque::new(),
        })
    }

    /// Columns of a chain, and how they stand where they accept or refuse.
    fn replicas(&self) -> (usize, Option<&Buffer<[f32; 4]>>) {
        match &self.moves {
            Moves::Langevin(_) => (1, None),
            Moves::Hamiltonian(moves) => (moves.replicas(), Some(moves.states())),
        }
    }

    fn moment_pass(&self) -> Result<MomentPass> {
        let (replicas, states) = self.replicas();
        let sizes = [self.count / replicas, replicas, self.dim];
        MomentPass::new(self.gpu, self.ground.shape, &self.chains, states, sizes)
    }

    /// A part of the moments of each coordinate, and of the sums of acceptance probabilities.
    fn moment_parts(&mut self) -> Result<Vec<Part>> {
        self.finish()?;
        let pass = match self.moments.take() {
            Some(pass) => pass,
            None => self.moment_pass()?,
        };
        let parts = pass.take(self.gpu);
        self.moments = Some(pass);
        parts
    }

    fn collect(&mut self) -> Result<()> {
        if let Some((index, size, start)) = self.in_flight.pop_front() {
            self.gpu.wait(&index)?;
            self.pace.ended(size, start);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        while !self.in_flight.is_empty() {
            self.collect()?;
        }
        Ok(())
    }
}

impl Chains for GpuChains<'_> {
    fn advance(&mut self, steps: u64) -> Result<u64> {
        if steps == 0 {
            return Ok(0);
        }
        if self.in_flight.len() == IN_FLIGHT {
            self.collect()?;
        }
        // nothing behind a step that may take long: there a driver can keep the host without end
        if self.pace.size() == 1 {
            self.finish()?;
        }
        let wanted = self.pace.size().min(steps);
        if u32::try_from(self.step + wanted).is_err() {
            return Err(Error::input(format!("chains of {} steps are too long, the most is 2^32", self.step + wanted)));
        }
        let (first, slot, start) = (self.step, self.turn * MOST_PIECES, Instant::now());
        let (gpu, moves, tiles) = (self.gpu, &mut self.moves, self.phase.tiles);
        let mut done = wanted;
        if self.pace.is_long() && self.phase.can_be_cut() {
            self.phase.submit(gpu, |run| moves.submit(gpu, slot, first, 1, run).0)?;
            self.pace.ended(1, start);
        } else {
            let index;
            (index, done) = moves.submit(gpu, slot, first, wanted, tiles.whole());
            self.in_flight.push_back((index, done, start));
            self.turn = (self.turn + 1) % IN_FLIGHT;
        }
        self.step += done;
        self.unreported += done;
        Ok(done)
    }

    fn change(&mut self, landscape: Landscape<'_>, transition: &Transition) -> Result<()> {
        // ordered behind what is in flight
        match (&mut self.moves, transition) {
            (Moves::Langevin(moves), Transition::Langevin(langevin)) => moves.change(langevin),
            (Moves::Hamiltonian(moves), Transition::Hamiltonian(h)) => moves.change(self.gpu, h)?,
            _ => return Err(another_kind()),
        }
        let packed = self.ground.layout.pack_landscape(landscape);
        self.gpu.overwrite(&self.ground.weights, quads(&packed));
        Ok(())
    }

    fn positions(&mut self) -> Result<Points> {
        self.finish()?;
        Ok(Points::new(self.dim, to_f64(&self.gpu.download(&self.chains)?)))
    }

    fn first(&mut self, count: usize) -> Result<Points> {
        self.finish()?;
        let (replicas, _) = self.replicas();
        let values = self.gpu.download_first(&self.chains, count.saturating_mul(replicas * self.dim))?;
        Ok(coldest(&Points::new(self.dim, to_f64(&values)), replicas))
    }

    fn moments(&mut self) -> Result<Moments> {
        Ok(Moments::of(&self.moment_parts()?, self.dim, self.unreported))
    }

    fn watch(&mut self, draws: usize) -> Result<()> {
        let (replicas, states) = self.replicas();
        let width = self.dim + usize::from(self.ground.has_energy());
        let room = Room::new(draws, self.count / replicas, width)?;
        let keeper = Keeper::new(self.gpu, &self.ground, &self.chains, states, [self.dim, replicas], room)?;
        self.keeper = Some(keeper);
        Ok(())
    }

    fn keep(&mut self) -> Result<()> {
        self.keeper.as_mut().ok_or_else(another_number)?.keep(self.gpu)
    }

    fn worth(&mut self) -> Result<Worth> {
        self.finish()?;
        self.keeper.as_ref().ok_or_else(another_number)?.worth(self.gpu)
    }

    fn fares(&mut self) -> Result<Fares> {
        self.finish()?;
        let steps = std::mem::take(&mut self.unreported);
        match &mut self.moves {
            Moves::Langevin(_) => {
                Ok(Fares { acceptance: None, energies: None, factors: None, broken: 0, exchanges: Vec::new() })
            }
            Moves::Hamiltonian(moves) => moves.fares(self.gpu, steps),
        }
    }

    fn state(&mut self) -> Result<ChainState> {
        let positions = self.positions()?.values().to_vec();
        let (standings, exchanges) = match &self.moves {
            Moves::Langevin(_) => (Vec::new(), Vec::new()),
            Moves::Hamiltonian(moves) => moves.save(self.gpu)?,
        };
        let (draws, kept) = self.keeper.as_ref().map_or(Ok((0, Vec::new())), |keeper| keeper.save(self.gpu))?;
        let (step, unreported) = (self.step, self.unreported);
        Ok(ChainState { step, unreported, positions, standings, exchanges, draws, kept })
    }

    fn restore(&mut self, state: &ChainState) -> Result<()> {
        self.finish()?;
        if state.positions.len() != self.chains.len() {
            return Err(another_state());
        }
        self.gpu.overwrite(&self.chains, &super::spread::to_f32(&state.positions));
        match &mut self.moves {
            Moves::Langevin(_) if state.standings.is_empty() => {}
            Moves::Langevin(_) => return Err(another_state()),
            Moves::Hamiltonian(moves) => moves.restore(self.gpu, &state.standings, &state.exchanges)?,
        }
        match &mut self.keeper {
            Some(keeper) => keeper.restore(self.gpu, state.draws, &state.kept)?,
            None if state.kept.is_empty() => {}
            None => return Err(another_state()),
        }
        (self.step, self.unreported) = (state.step, state.unreported);
        Ok(())
    }
}
