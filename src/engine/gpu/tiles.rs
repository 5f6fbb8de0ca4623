//! The tiles of a kernel, in as many submissions as a slow device needs for them.
//!
//! Tile t (of a batch whose tangents are split, part t of a tile) belongs to workgroup t mod `workgroups`, with its scratch memory and
//! its slab, whichever dispatch it comes in: how a step is cut changes no sum.

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
}

/// Tiles `first` up to `end`, which one dispatch takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) first: u32,
    pub(super) end: u32,
    /// Workgroups of the dispatch.
    pub(super) workgroups: u32,
}

impl Tiles {
    /// So many tiles for as many workgroups as there are tiles or as fit the memory.
    pub(super) fn new(gpu: &Gpu, count: u32, fit: u32) -> Self {
        let workgroups = count.min(fit);
        // more tiles than workgroups would be one round after another
        Self { count, workgroups, portion: gpu.portion().min(workgroups).max(1) }
    }

    /// The most submissions of a step.
    pub(super) fn portions(self) -> u64 {
        self.count.div_ceil(self.portion).into()
    }

    /// All in one dispatch.
    pub(super) fn whole(self) -> Run {
        self.run(0, self.portions())
    }

    /// Up to `portions` portions from tile `first` on.
    fn run(self, first: u32, portions: u64) -> Run {
        let most = u64::from(self.count - first);
        let some = portions.saturating_mul(self.portion.into()).min(most) as u32;
        Run { first, end: first + some, workgroups: some.min(self.workgroups) }
    }
}

/// The tiles of one kernel of a step, and how many portions of them go into a submission where the step is cut.
pub(super) struct Phase {
    pub(super) tiles: Tiles,
    pace: Pace,
}

impl Phase {
    /// Submissions of one portion to begin with.
    pub(super) fn new(gpu: &Gpu, tiles: Tiles) -> Self {
        Self { tiles, pace: gpu.pace(tiles.portions()) }
    }

    /// Submits all tiles, some at a time, and waits for each submission.
    ///
    /// # Errors
    /// The device failed.
    pub(super) fn submit(&mut self, gpu: &Gpu, mut submit: impl FnMut(Run) -> wgpu::SubmissionIndex) -> Result<()> {
        let mut first = 0;
        while first < self.tiles.count {
            let (portions, start) = (self.pace.size(), Instant::now());
            let run = self.tiles.run(first, portions);
            gpu.wait(&submit(run))?;
            // what is left at the end says nothing of how long so many portions take
            if u64::from(run.end - run.first) == portions * u64::from(self.tiles.portion) || first == 0 {
                self.pace.ended(portions, start);
            }
            first = run.end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_are_all_tiles_once() {
        let tiles = Tiles { count: 23, workgroups: 7, portion: 4 };
        assert_eq!(tiles.portions(), 6);
        let of = |run: Run| [run.first, run.end, run.workgroups];
        assert_eq!(of(tiles.whole()), [0, 23, 7]);
        assert_eq!(of(tiles.run(0, 1)), [0, 4, 4]);
        assert_eq!(of(tiles.run(4, 3)), [4, 16, 7]);
        assert_eq!(of(tiles.run(16, u64::MAX)), [16, 23, 7]);
        assert_eq!(of(tiles.run(20, 1)), [20, 23, 3]);
    }
}
