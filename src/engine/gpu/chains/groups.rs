//! Chains that no binding holds, in groups with buffers of their own.

use super::GpuChains;
use crate::engine::gpu::device::Gpu;
use crate::engine::{
    ChainState, Chains, Fares, Landscape, Moments, Part, Worth, advance_by, another_number, another_state,
};
use crate::error::Result;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::Transition;

/// Bytes of a column's state where chains accept or refuse: two vec4.
const STATE: usize = 32;

/// Chains on the device, in as few groups as its bindings hold. A chain is the same in whatever group.
///
/// # Errors
/// Not even the columns of one chain fit a binding, or the device failed.
pub(in crate::engine::gpu) fn chains<'a>(
    gpu: &'a Gpu,
    landscape: Landscape<'_>,
    transition: &Transition,
    start: &Points,
    seed: Seed,
) -> Result<Box<dyn Chains + 'a>> {
    let (d, position) = (start.dim(), 4 * start.dim());
    let (replicas, column) = match transition {
        Transition::Langevin(_) => (1, position),
        Transition::Hamiltonian(h) => (h.replicas(), position.max(STATE)),
    };
    let fit = usize::try_from(gpu.room()).unwrap_or(usize::MAX) / column / replicas * replicas;
    if start.count() <= fit || fit == 0 {
        return Ok(Box::new(GpuChains::new(gpu, landscape, transition, start, seed, 0)?));
    }
    let groups = (0..).step_by(fit).zip(start.values().chunks(fit * d)).map(|(first_column, values)| {
        GpuChains::new(gpu, landscape, transition, &Points::new(d, values.to_vec()), seed, first_column)
    });
    Ok(Box::new(Groups { dim: d, groups: groups.collect::<Result<_>>()? }))
}

struct Groups<'a> {
    dim: usize,
    /// In the order of their columns; there are several.
    groups: Vec<GpuChains<'a>>,
}

impl<'a> Groups<'a> {
    /// The group whose chains are monitored.
    fn first_group(&mut self) -> Result<&mut GpuChains<'a>> {
        self.groups.first_mut().ok_or_else(another_number)
    }
}

impl Chains for Groups<'_> {
    fn advance(&mut self, steps: u64) -> Result<u64> {
        let mut done = None;
        for group in &mut self.groups {
            match done {
                None => done = Some(group.advance(steps)?),
                Some(done) => advance_by(group, done)?,
            }
            // nothing behind a step that may take long, that of the next group neither
            if group.pace.size() == 1 {
                group.finish()?;
            }
        }
        Ok(done.unwrap_or(0))
    }

    fn change(&mut self, landscape: Landscape<'_>, transition: &Transition) -> Result<()> {
        self.groups.iter_mut().try_for_each(|group| group.change(landscape, transition))
    }

    fn positions(&mut self) -> Result<Points> {
        let mut values = Vec::new();
        for group in &mut self.groups {
            values.extend_from_slice(group.positions()?.values());
        }
        Ok(Points::new(self.dim, values))
    }

    fn first(&mut self, count: usize) -> Result<Points> {
        let mut values = Vec::new();
        for group in &mut self.groups {
            let left = count - values.len() / self.dim;
            if left > 0 {
                values.extend_from_slice(group.first(left)?.values());
            }
        }
        Ok(Points::new(self.dim, values))
    }

    fn moments(&mut self) -> Result<Moments> {
        let steps = self.first_group()?.unreported;
        let mut all: Vec<Part> = Vec::new();
        for group in &mut self.groups {
            let parts = group.moment_parts()?;
            all.resize(parts.len(), Part::default());
            all.iter_mut().zip(parts).for_each(|(all, part)| *all = all.merge(part));
        }
        Ok(Moments::of(&all, self.dim, steps))
    }

    fn watch(&mut self, draws: usize) -> Result<()> {
        self.first_group()?.watch(draws)
    }

    fn keep(&mut self) -> Result<()> {
        self.first_group()?.keep()
    }

    fn worth(&mut self) -> Result<Worth> {
        self.first_group()?.worth()
    }

    fn fares(&mut self) -> Result<Fares> {
        let counts: Vec<usize> = self.groups.iter().map(|group| group.count).collect();
        let total: usize = counts.iter().sum();
        let fares = self.groups.iter_mut().map(Chains::fares).collect::<Result<Vec<_>>>()?;
        let joined = |of: fn(&Fares) -> &Option<Vec<f64>>| {
            let each = fares.iter().map(|fares| of(fares).clone()).collect::<Option<Vec<_>>>();
            each.map(|each| each.concat())
        };
        let mut exchanges = vec![0.0; fares.first().map_or(0, |fares| fares.exchanges.len())];
        for (fares, count) in fares.iter().zip(counts) {
            let share = count as f64 / total as f64;
            exchanges.iter_mut().zip(&fares.exchanges).for_each(|(all, own)| *all += share * own);
        }
        Ok(Fares {
            acceptance: joined(|fares| &fares.acceptance),
            energies: joined(|fares| &fares.energies),
            factors: joined(|fares| &fares.factors),
            broken: fares.iter().map(|fares| fares.broken).sum(),
            exchanges,
        })
    }

    fn state(&mut self) -> Result<ChainState> {
        let mut states = self.groups.iter_mut().map(Chains::state).collect::<Result<Vec<_>>>()?.into_iter();
        let mut all = states.next().ok_or_else(another_state)?;
        for state in states {
            all.positions.extend(state.positions);
            all.standings.extend(state.standings);
            all.exchanges.iter_mut().zip(state.exchanges).for_each(|(all, own)| *all += own);
        }
        Ok(all)
    }

    fn restore(&mut self, state: &ChainState) -> Result<()> {
        let total: usize = self.groups.iter().map(|group| group.count).sum();
        // numbers of a column's standing: none where all is accepted
        let each = state.standings.len() / total;
        if [state.positions.len(), state.standings.len()] != [total * self.dim, total * each] {
            return Err(another_state());
        }
        let mut column = 0;
        for group in &mut self.groups {
            let end = column + group.count;
            let monitored = column == 0;
            // tries are the same for all chains; successes that are not counted by column may be anywhere
            let share = |exchanges: &[u64]| -> Vec<u64> {
                let pairs = exchanges.as_chunks::<2>().0.iter();
                let made = |all: u64| if monitored { all } else { 0 };
                pairs.flat_map(|[tries, all]| [tries * group.count as u64 / total as u64, made(*all)]).collect()
            };
            group.restore(&ChainState {
                positions: state.positions[column * self.dim..end * self.dim].to_vec(),
                standings: state.standings[column * each..end * each].to_vec(),
                exchanges: share(&state.exchanges),
                draws: if monitored { state.draws } else { 0 },
                kept: if monitored { state.kept.clone() } else { Vec::new() },
                ..*state
            })?;
            column = end;
        }
        Ok(())
    }
}
