//! Where the chains of a replay buffer begin.

use super::{TrainingPlan, TrainingState};
use crate::error::{Error, Result};
use crate::objective::{Coordinate, Objective, SeparableLaw};
use crate::points::Points;
use crate::random::{Seed, Stream, normals, uniform};
use crate::real::Real;

/// Calls `put(n, x)` for each coordinate of the place where chain `index` begins at `step`, drawn in the precision of `T`.
pub(super) fn begin<T: Real>(law: &SeparableLaw, seed: Seed, index: u32, step: u32, mut put: impl FnMut(usize, T)) {
    for (block, (origin, scale)) in (0..).zip(law.origin().chunks(4).zip(law.scale().chunks(4))) {
        let words = seed.words(Stream::Restart, index, step, block);
        let drawn: [T; 4] = match law.coordinate() {
            Coordinate::Normal => normals(words),
            Coordinate::Uniform => words.map(uniform),
        };
        for (i, ((origin, scale), u)) in origin.iter().zip(scale).zip(drawn).enumerate() {
            put(4 * block as usize + i, T::of(*origin) + T::of(*scale) * u);
        }
    }
}

/// The buffer that a run goes on with: the state's, or one whose chains all begin anew; none for other objectives.
pub(super) fn buffer<T: Real>(plan: &TrainingPlan, state: &TrainingState, dim: usize) -> Result<Option<Points>> {
    let Objective::Pcd(_, replay) = &plan.objective else { return Ok(None) };
    match &state.replay {
        Some(kept) if (kept.count(), kept.dim()) == (replay.slots, dim) => Ok(Some(kept.clone())),
        Some(kept) => Err(Error::input(format!(
            "the run was left with a replay buffer of {} x {}, it is to go on with {} x {dim}",
            kept.count(),
            kept.dim(),
            replay.slots
        ))),
        None => {
            let mut values = vec![0.0; replay.slots * dim];
            for (row, index) in values.chunks_exact_mut(dim).zip(0..) {
                // the first step is 1
                begin::<T>(&replay.start, plan.seed, index, 0, |n, x| row[n] = x.f64());
            }
            Ok(Some(Points::new(dim, values)))
        }
    }
}
