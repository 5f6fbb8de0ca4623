//! The tiles of a kernel, in as many submissions as a slow device needs for them.
//!
//! Tile t (of a batch whose tangents are split, part t of a tile) belongs to workgroup t mod `workgroups`, with its scratch memory and
//! its slab, whichever dispatch it comes in: how a step is cut changes no sum. Where chains make the negatives of a step, each of
//! their steps is a round of its tile, and a dispatch may end after any of them.

use std::time::Instant;

use super::device::Gpu;
use super::pace::Pace;
use crate::error::Result;

/// All tiles of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    pub(super) count: u32,
    /// Workgroups among which they are shared.
    pub(super) workgroups: u32,
    /// The fewest of a submission: what a device works on at a time. Fewer would take no less time.
    pub(super) portion: u32,
    /// Rounds that each goes through.
    pub(super) rounds: u32,
}

/// Tiles `first` up to `end`, which one dispatch takes from one round up to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) first: u32,
    pub(super) end: u32,
    pub(super) first_round: u32,
    pub(super) end_round: u32,
    /// Workgroups of the dispatch.
    pub(super) workgroups: u32,
}

impl Tiles {
    /// So many tiles for as many workgroups as there are tiles or as fit the memory.
    pub(super) fn new(gpu: &Gpu, count: u32, fit: u32) -> Self {
        let workgroups = count.min(fit);
        // more tiles than workgroups would be one turn after another
        Self { count, workgroups, portion: gpu.portion().min(workgroups).max(1), rounds: 1 }
    }

    /// The most submissions of a step: each is a round of a portion.
    pub(super) fn parts(self) -> u64 {
        self.count.div_ceil(self.portion) as u64 * u64::from(self.rounds)
    }

    /// All in one dispatch.
    pub(super) fn whole(self) -> Run {
        self.run(0, 0, self.parts())
    }

    /// Up to `parts` parts from `round` of tile `first` on: some rounds of one portion, or all rounds of some.
    fn run(self, first: u32, round: u32, parts: u64) -> Run {
        let rounds = u64::from(self.rounds);
        let portions = if round > 0 { 1 } else { (parts / rounds).max(1) };
        let some = portions.saturating_mul(self.portion.into()).min((self.count - first).into()) as u32;
        let end_round = (u64::from(round) + parts).min(rounds) as u32;
        Run { first, end: first + some, first_round: round, end_round, workgroups: some.min(self.workgroups) }
    }
}

/// The tiles of one kernel of a step, and how many parts of them go into a submission where the step is cut.
pub(super) struct Phase {
    pub(super) tiles: Tiles,
    pace: Pace,
}

impl Phase {
    /// Submissions of one part to begin with.
    pub(super) fn new(gpu: &Gpu, tiles: Tiles) -> Self {
        Self { tiles, pace: gpu.pace(tiles.parts()) }
    }

    /// Whether a step is more than one part.
    pub(super) fn can_be_cut(&self) -> bool {
        self.tiles.parts() > 1
    }

    /// Submits all tiles, some at a time, and waits for each submission.
    ///
    /// # Errors
    /// The device failed.
    pub(super) fn submit(&mut self, gpu: &Gpu, mut submit: impl FnMut(Run) -> wgpu::SubmissionIndex) -> Result<()> {
        let (mut first, mut round) = (0, 0);
        while first < self.tiles.count {
            let (parts, start) = (self.pace.size(), Instant::now());
            let run = self.tiles.run(first, round, parts);
            gpu.wait(&submit(run))?;
            let portions = (run.end - run.first).div_ceil(self.tiles.portion);
            let done = u64::from(portions) * u64::from(run.end_round - run.first_round);
            let rounds = u64::from(self.tiles.rounds);
            let asked = if parts < rounds { parts } else { parts - parts % rounds };
            // what is left at the end says nothing of how long so many parts take
            if done == asked || (first, round) == (0, 0) {
                self.pace.ended(done, start);
            }
            (first, round) = if run.end_round < self.tiles.rounds { (first, run.end_round) } else { (run.end, 0) };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_are_all_tiles_once() {
        let tiles = Tiles { count: 23, workgroups: 7, portion: 4, rounds: 1 };
        assert_eq!(tiles.parts(), 6);
        let of = |run: Run| [run.first, run.end, run.workgroups];
        assert_eq!(of(tiles.whole()), [0, 23, 7]);
        assert_eq!(of(tiles.run(0, 0, 1)), [0, 4, 4]);
        assert_eq!(of(tiles.run(4, 0, 3)), [4, 16, 7]);
        assert_eq!(of(tiles.run(16, 0, u64::MAX)), [16, 23, 7]);
        assert_eq!(of(tiles.run(20, 0, 1)), [20, 23, 3]);
    }

    #[test]
    fn parts_are_rounds_of_one_portion_or_all_rounds_of_some() {
        let tiles = Tiles { count: 23, workgroups: 7, portion: 4, rounds: 10 };
        assert_eq!(tiles.parts(), 60);
        let of = |run: Run| [run.first, run.end, run.first_round, run.end_round];
        assert_eq!(of(tiles.whole()), [0, 23, 0, 10]);
        assert_eq!(of(tiles.run(0, 0, 1)), [0, 4, 0, 1]);
        assert_eq!(of(tiles.run(0, 1, 8)), [0, 4, 1, 9]);
        assert_eq!(of(tiles.run(0, 9, 60)), [0, 4, 9, 10]);
        assert_eq!(of(tiles.run(4, 0, 29)), [4, 12, 0, 10]);
        assert_eq!(of(tiles.run(20, 0, u64::MAX)), [20, 23, 0, 10]);
    }
}
