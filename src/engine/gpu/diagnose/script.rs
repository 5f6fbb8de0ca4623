//! What is dispatched to diagnose a batch of coordinates: sorts, scores, moments.

use super::sort::{self, BLOCK};
use crate::engine::Room;
use crate::engine::gpu::kernel::WORKGROUP;
use crate::engine::gpu::kernels::{FoldParams, RankParams, RowParams, SortParams};
use crate::sampler::diagnostics::FEWEST_DRAWS;

/// Series of a coordinate: draws, their scores, the events below two quantiles, and scores of the distances from the median.
pub(super) const SERIES: usize = 5;
/// The first of these have autocovariances.
pub(super) const OF_LAGS: usize = 4;
/// Bytes of series and keys, unless one coordinate takes more.
const MEMORY: usize = 16 << 20;
/// The most workgroups of a dispatch.
pub(super) const MOST_WORKGROUPS: usize = 65_535;

/// The kernels.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Sort,
    Rank,
    Fold,
    Rows,
}

/// What is dispatched, with the parameters of each kernel.
#[derive(Default)]
pub(super) struct Script {
    /// Submissions, each some dispatches: which kernel, entry of its parameters, workgroups.
    pub(super) program: Vec<Vec<(Kind, usize, u32)>>,
    pub(super) sort: Vec<SortParams>,
    pub(super) rank: Vec<RankParams>,
    pub(super) fold: Vec<FoldParams>,
    pub(super) rows: Vec<RowParams>,
}

/// Sizes of a batch.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) room: Room,
    pub(super) batch: usize,
    /// Draws of a coordinate, and keys.
    pub(super) each: usize,
    pub(super) padded: usize,
}

impl Sizes {
    pub(super) fn new(room: Room) -> Self {
        let each = room.draws * room.chains;
        let padded = each.next_power_of_two().max(BLOCK);
        let fit = MEMORY / (4 * (SERIES * each + padded));
        let most = fit.min(MOST_WORKGROUPS / (2 * SERIES * room.chains)).max(1);
        // batches of one size
        Self { room, batch: room.width.div_ceil(room.width.div_ceil(most)), each, padded }
    }

    pub(super) fn total(&self) -> usize {
        self.batch * self.each
    }
}

impl Script {
    /// What is to be done with the draws of a batch.
    pub(super) fn new(sizes: Sizes) -> Self {
        let (mut script, draws) = (Self::default(), sizes.room.draws);
        let enough = draws >= FEWEST_DRAWS;
        if enough {
            script.sort(sizes, 2, 0);
            script.rank(sizes, 0, 1);
        }
        // of an even number of draws, the halves are all
        if !enough || draws % 2 == 1 {
            script.sort(sizes, 1, 0);
        }
        script.rows(sizes, 1, 0);
        script.fold(sizes);
        script.rows(sizes, 1, 1);
        if enough {
            script.sort(sizes, 2, SERIES - 1);
            script.rank(sizes, SERIES - 1, SERIES - 1);
            script.rows(sizes, 2, 2);
        }
        script
    }

    fn add(&mut self, kind: Kind, entry: usize, workgroups: usize) {
        let submission = self.program.last_mut();
        let dispatch = (kind, entry, workgroups.min(MOST_WORKGROUPS) as u32);
        match submission {
            Some(submission) => submission.push(dispatch),
            None => self.program.push(vec![dispatch]),
        }
    }

    /// Sorts draws, or halves, of a series.
    fn sort(&mut self, sizes: Sizes, parts: usize, series: usize) {
        let Sizes { room: Room { draws, chains, .. }, each, padded, .. } = sizes;
        let length = draws / parts;
        let of = SortParams {
            count: (parts * length * chains) as u32,
            each: each as u32,
            source: (series * sizes.total()) as u32,
            parts: parts as u32,
            length: length as u32,
            draws: draws as u32,
            ..Default::default()
        };
        self.program.push(Vec::new());
        for part in sort::parts(padded as u32, of) {
            self.add(Kind::Sort, self.sort.len(), sizes.batch * padded / BLOCK);
            self.sort.push(part);
        }
    }

    /// The scores of a series whose halves are sorted.
    fn rank(&mut self, sizes: Sizes, origin: usize, goal: usize) {
        let Sizes { room: Room { draws, chains, .. }, each, padded, .. } = sizes;
        let total = sizes.total();
        self.add(Kind::Rank, self.rank.len(), total.div_ceil(WORKGROUP as usize));
        self.rank.push(RankParams {
            count: (2 * (draws / 2) * chains) as u32,
            padded: padded as u32,
            each: each as u32,
            total: total as u32,
            origin: (origin * total) as u32,
            goal: (goal * total) as u32,
            ..Default::default()
        });
    }

    /// What all sorted draws say.
    fn fold(&mut self, sizes: Sizes) {
        let Sizes { each, padded, .. } = sizes;
        let total = sizes.total();
        // quantiles are linear between neighbours: what is below one is not above its lower neighbour
        let place = |q: f64| (q * (each - 1) as f64) as u32;
        self.add(Kind::Fold, self.fold.len(), total.div_ceil(WORKGROUP as usize));
        self.fold.push(FoldParams {
            count: each as u32,
            padded: padded as u32,
            each: each as u32,
            total: total as u32,
            middle_low: (each as u32 - 1) / 2,
            middle_high: each as u32 / 2,
            lower_tail: place(0.05),
            upper_tail: place(0.95),
        });
    }

    /// Moments: of chains as they are (0) or in units (1), or of the halves of each series (2), which are centred.
    fn rows(&mut self, sizes: Sizes, parts: usize, goal: usize) {
        let Room { draws, chains, .. } = sizes.room;
        let rows = parts * chains;
        let series = if parts == 2 { SERIES } else { 1 };
        let total = series * sizes.batch * rows;
        // some eight draws an invocation
        let lanes = (draws / parts).div_ceil(8).next_power_of_two().min(WORKGROUP as usize);
        self.add(Kind::Rows, self.rows.len(), (total * lanes).div_ceil(WORKGROUP as usize));
        self.rows.push(RowParams {
            rows: rows as u32,
            parts: parts as u32,
            length: (draws / parts) as u32,
            draws: draws as u32,
            each: sizes.each as u32,
            centre: u32::from(parts == 2),
            goal: (goal * sizes.batch * chains) as u32,
            lanes: lanes as u32,
            total: total as u32,
            ..Default::default()
        });
    }
}
