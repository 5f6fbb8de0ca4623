//! Chains on a native engine: tiles of them, each carried through many steps. Twins: `shaders/langevin_chains.wgsl`,
//! `shaders/hamiltonian_chains.wgsl`, `shaders/exchange_replicas.wgsl`.

use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::hamiltonian::{Standing, Walk};
use super::kept::Kept;
use super::landscape::{Ground, Site};
use super::memory::PerThread;
use super::{WIDE_TILE, draws, hamiltonian};
use crate::engine::moments::{Moments, Part};
use crate::engine::{
    ChainState, Chains, Fares, Landscape, STANDING, Worth, another_kind, another_number, another_state, coldest,
};
use crate::error::Result;
use crate::points::Points;
use crate::random::{Seed, Stream};
use crate::real::Real;
use crate::sampler::{Hamiltonian, Langevin, Transition};

/// How long one call of `advance` works.
const CALL: Duration = Duration::from_millis(60);
/// Tiles are filled up to a multiple of this: to whole vectors, so that few chains are computed like many.
const COLUMNS: usize = 16;

pub(super) struct NativeChains<'a, T> {
    pool: &'a rayon::ThreadPool,
    ground: Ground<T>,
    transition: Transition,
    seed: Seed,
    /// Chains, filled up with copies of the last: those of a tile after one another, each tile `[dim, chains of the tile]`.
    positions: Vec<T>,
    /// How each column stands; none are kept for chains that accept everything.
    standings: Vec<Standing<T>>,
    count: usize,
    step: u64,
    /// Steps since the last report.
    unreported: u64,
    /// Tries and successes of exchanges since the last report, for each pair of neighbouring temperatures.
    exchanges: Vec<[u64; 2]>,
    /// What is kept of draws.
    kept: Option<Kept<T>>,
    memory: PerThread<Work<T>>,
    /// How many steps `advance` does between looks at the clock.
    stride: u64,
}

/// The working memory of a thread.
#[derive(Default)]
struct Work<T> {
    site: Site<T>,
    walk: Walk<T>,
}

impl<'a, T: Real> NativeChains<'a, T> {
    pub(super) fn new(
        pool: &'a rayon::ThreadPool,
        landscape: Landscape<'_>,
        transition: &Transition,
        start: &Points,
        seed: Seed,
    ) -> Result<Self> {
        let count = start.count();
        let (standings, pairs) = match transition {
            Transition::Langevin(_) => (Vec::new(), 0),
            Transition::Hamiltonian(h) => {
                (vec![Standing::default(); count.next_multiple_of(COLUMNS)], h.replicas() - 1)
            }
        };
        Ok(Self {
            pool,
            ground: Ground::new(landscape),
            transition: transition.clone(),
            seed,
            positions: tiles(start.values(), start.dim()),
            standings,
            count,
            step: 0,
            unreported: 0,
            exchanges: vec![[0; 2]; pairs],
            kept: None,
            memory: PerThread::new(pool),
            stride: 1,
        })
    }

    /// Each tile through some steps; the step before an exchange is the last.
    fn run(&mut self, steps: u64) {
        let (d, seed, first) = (self.ground.dim(), self.seed, self.step);
        let (ground, transition, memory) = (&self.ground, &self.transition, &self.memory);
        let tiles = self.positions.par_chunks_mut(WIDE_TILE * d).enumerate();
        match transition {
            Transition::Langevin(langevin) => tiles.for_each(|(t, x)| {
                memory.with(|work| {
                    enter(ground, &mut work.site, x);
                    for step in first..first + steps {
                        langevin_step(ground, langevin, work, seed, (t * WIDE_TILE) as u32, step as u32);
                    }
                    leave(&work.site, x);
                });
            }),
            Transition::Hamiltonian(h) => {
                let standings = self.standings.par_chunks_mut(WIDE_TILE);
                tiles.zip(standings).for_each(|((t, x), standings)| {
                    memory.with(|work| {
                        enter(ground, &mut work.site, x);
                        let turns = hamiltonian::Turns { seed, index: (t * WIDE_TILE) as u32, first, steps };
                        hamiltonian::walk(ground, h, &mut work.site, &mut work.walk, standings, turns);
                        leave(&work.site, x);
                    });
                });
            }
        }
        self.step += steps;
        self.unreported += steps;
    }

    /// Columns of a chain.
    fn replicas(&self) -> usize {
        match &self.transition {
            Transition::Langevin(_) => 1,
            Transition::Hamiltonian(h) => h.replicas(),
        }
    }

    /// E of the first chains.
    fn energies(&self, chains: usize) -> Vec<T> {
        let Self { ground, standings, .. } = self;
        if !standings.is_empty() {
            let replicas = self.replicas();
            return standings.iter().skip(replicas - 1).step_by(replicas).take(chains).map(|s| s.energy).collect();
        }
        let mut site = Site::default();
        let of_tile = |x: &[T]| {
            enter(ground, &mut site, x);
            ground.survey(&mut site);
            site.energy.clone()
        };
        let tiles = self.positions.chunks(WIDE_TILE * ground.dim()).take(chains.div_ceil(WIDE_TILE));
        tiles.flat_map(of_tile).take(chains).collect()
    }

    /// The place of a coordinate of a column.
    fn place(&self, column: usize, n: usize) -> usize {
        let d = self.ground.dim();
        let (tile, s) = (column / WIDE_TILE, column % WIDE_TILE);
        let samples = WIDE_TILE.min(self.standings.len() - tile * WIDE_TILE);
        tile * WIDE_TILE * d + n * samples + s
    }

    /// Neighbouring temperatures change places: the even pairs at one time, the odd ones at the next.
    fn exchange(&mut self, h: &Hamiltonian) {
        let replicas = h.replicas();
        let odd = (self.step / h.swap_every % 2) as usize;
        for chain in (0..self.count).step_by(replicas) {
            for r in (odd..replicas - 1).step_by(2) {
                let (a, b) = (chain + r, chain + r + 1);
                let colder = T::of(1.0 / h.temperatures[r] - 1.0 / h.temperatures[r + 1]);
                let log_ratio = colder * (self.standings[a].energy - self.standings[b].energy);
                let word = self.seed.words(Stream::Accept, a as u32, self.step as u32, 1)[0];
                self.exchanges[r][0] += 1;
                if hamiltonian::taken(log_ratio, word).0 {
                    self.exchanges[r][1] += 1;
                    for n in 0..self.ground.dim() {
                        let (p, q) = (self.place(a, n), self.place(b, n));
                        self.positions.swap(p, q);
                    }
                    let (low, high) = self.standings.split_at_mut(b);
                    std::mem::swap(&mut low[a].energy, &mut high[0].energy);
                }
            }
        }
    }
}

/// Rows of `d` numbers, and copies of the last to fill up, as tiles of chains.
fn tiles<T: Real>(rows: &[f64], d: usize) -> Vec<T> {
    let mut positions = Vec::with_capacity(rows.len());
    for tile in filled(rows, d).chunks(WIDE_TILE * d) {
        positions.extend((0..d).flat_map(|n| tile.chunks_exact(d).map(move |row| T::of(row[n]))));
    }
    positions
}

/// The rows, and copies of the last to fill up.
fn filled(rows: &[f64], width: usize) -> Vec<f64> {
    let count = rows.len() / width;
    let last = rows[(count - 1) * width..].iter().copied();
    let fill = count.next_multiple_of(COLUMNS) - count;
    rows.iter().copied().chain(last.cycle().take(fill * width)).collect()
}

/// Tiles of chains as points, the first `count` of them.
fn rows<T: Real>(tiles: &[T], d: usize, count: usize) -> Points {
    let mut values = Vec::with_capacity(tiles.len());
    for tile in tiles.chunks(WIDE_TILE * d) {
        let samples = tile.len() / d;
        values.extend((0..samples).flat_map(|s| (0..d).map(move |n| tile[n * samples + s].f64())));
    }
    values.truncate(count * d);
    Points::new(d, values)
}

fn enter<T: Real>(ground: &Ground<T>, site: &mut Site<T>, x: &[T]) {
    let samples = x.len() / ground.dim();
    ground.shape(site, samples);
    for (n, row) in x.chunks_exact(samples).enumerate() {
        site.position.row_mut(n, 0..samples).copy_from_slice(row);
    }
}

fn leave<T: Real>(site: &Site<T>, x: &mut [T]) {
    let samples = site.energy.len();
    for (n, row) in x.chunks_exact_mut(samples).enumerate() {
        row.copy_from_slice(site.position.row(n, 0..samples));
    }
}

/// x ← x + η s(x) + √(2 η T) ξ for every chain of a tile.
fn langevin_step<T: Real>(
    ground: &Ground<T>,
    langevin: &Langevin,
    work: &mut Work<T>,
    seed: Seed,
    index: u32,
    step: u32,
) {
    let Work { site, walk } = work;
    let (d, samples) = (ground.dim(), site.energy.len());
    ground.survey(site);
    walk.momentum.shape(d, samples);
    draws::normals(&mut walk.momentum, d, 0..samples, seed, Stream::Chain, index, step, 0);
    let (step_size, scale) = (T::of(-langevin.step_size), T::of(langevin.noise_scale()));
    for n in 0..d {
        let x = site.position.row_mut(n, 0..samples);
        for ((x, g), z) in x.iter_mut().zip(site.slope.row(n, 0..samples)).zip(walk.momentum.row(n, 0..samples)) {
            *x = *x + step_size * *g + scale * *z;
        }
        if let Some(bounds) = &langevin.bounds {
            x.iter_mut().for_each(|x| *x = bounds.hold(*x).0);
        }
    }
}

impl<T: Real> Chains for NativeChains<'_, T> {
    fn advance(&mut self, steps: u64) -> Result<u64> {
        let pool = self.pool;
        let tempered = match &self.transition {
            Transition::Hamiltonian(h) if h.replicas() > 1 => Some(h.clone()),
            _ => None,
        };
        pool.install(|| {
            let start = Instant::now();
            let mut done = 0;
            while done < steps && start.elapsed() < CALL {
                let until_exchange = tempered.as_ref().map_or(u64::MAX, |h| h.swap_every - self.step % h.swap_every);
                let some = self.stride.min(steps - done).min(until_exchange);
                let before = Instant::now();
                self.run(some);
                done += some;
                if let Some(h) = tempered.as_ref().filter(|_| some == until_exchange) {
                    self.exchange(h);
                }
                // a call for fewer steps says nothing of longer ones
                if some == self.stride && before.elapsed() < CALL / 4 {
                    self.stride = self.stride.saturating_mul(2);
                }
            }
            Ok(done)
        })
    }

    fn change(&mut self, landscape: Landscape<'_>, transition: &Transition) -> Result<()> {
        match (&self.transition, transition) {
            (Transition::Langevin(_), Transition::Langevin(_)) => {}
            (Transition::Hamiltonian(old), Transition::Hamiltonian(new)) if old.replicas() == new.replicas() => {
                if old.adaptation.is_some() && new.adaptation.is_none() {
                    self.standings.iter_mut().for_each(Standing::settle);
                }
            }
            _ => return Err(another_kind()),
        }
        self.ground = Ground::new(landscape);
        self.transition = transition.clone();
        Ok(())
    }

    fn positions(&mut self) -> Result<Points> {
        Ok(rows(&self.positions, self.ground.dim(), self.count))
    }

    fn first(&mut self, count: usize) -> Result<Points> {
        let (d, replicas) = (self.ground.dim(), self.replicas());
        let columns = count.saturating_mul(replicas).min(self.count);
        let tiles = &self.positions[..(columns.div_ceil(WIDE_TILE) * WIDE_TILE * d).min(self.positions.len())];
        Ok(coldest(&rows(tiles, d, columns), replicas))
    }

    fn moments(&mut self) -> Result<Moments> {
        let (d, replicas, count) = (self.ground.dim(), self.replicas(), self.count);
        let of_tile = |(t, x): (usize, &[T])| {
            let samples = x.len() / d;
            let cold = |s: &usize| (t * WIDE_TILE + s) % replicas == replicas - 1 && t * WIDE_TILE + s < count;
            let part = |n: usize| {
                let values = (0..samples).filter(cold).map(|s| x[n * samples + s].f64());
                values.fold(Part::default(), Part::with)
            };
            (0..d).map(part).collect::<Vec<Part>>()
        };
        let tiles = self.positions.par_chunks(WIDE_TILE * d).enumerate();
        let tiles: Vec<Vec<Part>> = self.pool.install(|| tiles.map(of_tile).collect());
        let merged = |n: usize| tiles.iter().map(|parts| parts[n]).fold(Part::default(), Part::merge);
        let mut parts: Vec<Part> = (0..d).map(merged).collect();
        if !self.standings.is_empty() {
            let cold = self.standings[..count].iter().skip(replicas - 1).step_by(replicas);
            parts.push(cold.map(|s| s.accepted).fold(Part::default(), Part::with));
        }
        Ok(Moments::of(&parts, d, self.unreported))
    }

    fn watch(&mut self, draws: usize) -> Result<()> {
        let chains = self.count / self.replicas();
        self.kept = Some(Kept::new(draws, chains, self.ground.dim(), self.ground.has_energy())?);
        Ok(())
    }

    fn keep(&mut self) -> Result<()> {
        let chains = self.kept.as_ref().ok_or_else(another_number)?.chains();
        let positions = self.first(chains)?;
        let energies = if self.ground.has_energy() { self.energies(chains) } else { Vec::new() };
        self.kept.as_mut().ok_or_else(another_number)?.push(&positions, &energies)
    }

    fn worth(&mut self) -> Result<Worth> {
        let kept = self.kept.as_ref().ok_or_else(another_number)?;
        self.pool.install(|| kept.worth())
    }

    fn fares(&mut self) -> Result<Fares> {
        let standings = &mut self.standings[..];
        let steps = std::mem::take(&mut self.unreported).max(1) as f64;
        let corrected = matches!(self.transition, Transition::Hamiltonian(_));
        let known = &standings[..self.count.min(standings.len())];
        let of = |value: fn(&Standing<T>) -> T| corrected.then(|| known.iter().map(|s| value(s).f64()).collect());
        let fares = Fares {
            acceptance: corrected.then(|| known.iter().map(|s| s.accepted / steps).collect()),
            energies: of(|s| s.energy),
            factors: of(|s| s.log_factor.exp()),
            broken: known.iter().map(|s| u64::from(s.broken)).sum(),
            exchanges: self.exchanges.iter().map(|[tries, made]| *made as f64 / (*tries).max(1) as f64).collect(),
        };
        standings.iter_mut().for_each(Standing::forget);
        self.exchanges.fill([0; 2]);
        Ok(fares)
    }

    fn state(&mut self) -> Result<ChainState> {
        let standings = &self.standings[..self.count.min(self.standings.len())];
        Ok(ChainState {
            step: self.step,
            unreported: self.unreported,
            positions: rows(&self.positions, self.ground.dim(), self.count).values().to_vec(),
            standings: standings.iter().flat_map(Standing::numbers).collect(),
            exchanges: self.exchanges.as_flattened().to_vec(),
            draws: self.kept.as_ref().map_or(0, Kept::draws),
            kept: self.kept.as_ref().map_or(Vec::new(), Kept::numbers),
        })
    }

    fn restore(&mut self, state: &ChainState) -> Result<()> {
        let d = self.ground.dim();
        let standings = if self.standings.is_empty() { 0 } else { self.count * STANDING };
        let sizes = [state.positions.len(), state.standings.len(), state.exchanges.len()];
        if sizes != [self.count * d, standings, 2 * self.exchanges.len()] {
            return Err(another_state());
        }
        (self.step, self.unreported) = (state.step, state.unreported);
        self.positions = tiles(&state.positions, d);
        if standings > 0 {
            let all = filled(&state.standings, STANDING);
            self.standings = all.as_chunks().0.iter().map(|numbers| Standing::of(*numbers)).collect();
        }
        self.exchanges = state.exchanges.as_chunks().0.to_vec();
        let replicas = self.replicas();
        for (c, standing) in state.standings.as_chunks::<STANDING>().0.iter().enumerate() {
            if let Some([_, made]) = self.exchanges.get_mut(c % replicas) {
                *made += standing[STANDING - 1] as u64;
            }
        }
        match &mut self.kept {
            Some(kept) => kept.restore(&state.kept).ok_or_else(another_state),
            None if state.kept.is_empty() => Ok(()),
            None => Err(another_state()),
        }
    }
}
