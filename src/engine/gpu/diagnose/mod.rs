//! Diagnostics of draws on the device: ranks, moments and autocovariances of some coordinates at a time. The host gets one
//! number a half of a chain and one a lag, and has the last formulas.

mod script;
mod sort;
mod work;

use std::time::Instant;

use super::device::{Buffer, Gpu};
use super::kernels::{Row, Unit};
use crate::engine::moments::Part;
use crate::engine::{MOST_DRAWS, Room};
use crate::error::{Error, Result};
use crate::sampler::diagnostics::{Coordinate, Diagnostics, FEWEST_DRAWS, Rows, check_shape};
use script::{OF_LAGS, SERIES};
use work::Work;

/// The unit of lags in a submission: chains that mix need few.
const LAGS: u64 = 16;

/// The diagnostics of draws `[draws, chains, dim]` of the host.
pub(super) fn given(gpu: &Gpu, values: &[f64], [draws, chains, dim]: [usize; 3]) -> Result<Diagnostics> {
    check_shape(values.len(), [draws, chains, dim])?;
    if draws * chains > MOST_DRAWS {
        let message = format!("{draws} draws of {chains} chains are too many, {MOST_DRAWS} can be diagnosed at a time");
        return Err(Error::input(message).hint("fewer chains or draws, or --engine cpu"));
    }
    let columns = (0..dim).flat_map(|n| (0..chains).map(move |c| c * dim + n));
    let kept: Vec<f32> = columns.flat_map(|at| values[at..].iter().step_by(chains * dim)).map(|v| *v as f32).collect();
    let coordinates = diagnose(gpu, &gpu.upload("draws", &kept)?, Room { draws, chains, width: dim })?;
    Ok(Diagnostics { draws, chains, coordinates })
}

/// Whether there is memory for that, and kernels that the driver takes: before the steps that it comes after.
pub(super) fn fits(gpu: &Gpu, room: Room) -> Result<()> {
    Work::new(gpu, room).map(drop)
}

/// What draws `[width][chains][draws]` are worth.
pub(super) fn diagnose(gpu: &Gpu, kept: &Buffer<f32>, room: Room) -> Result<Vec<Coordinate>> {
    let work = Work::new(gpu, room)?;
    let mut all = Vec::with_capacity(room.width);
    while all.len() < room.width {
        let some = work.batch.min(room.width - all.len());
        work.start(gpu, kept, all.len(), some);
        let sums = Sums { rows: gpu.download(&work.moments)?, units: gpu.download(&work.units)?, work: &work };
        let lags = if room.draws < FEWEST_DRAWS { Vec::new() } else { sums.lags(gpu, some)? };
        all.extend((0..some).map(|c| sums.coordinate(c, &lags)));
    }
    Ok(all)
}

/// What the device says of some coordinates.
struct Sums<'a> {
    rows: Vec<Row>,
    units: Vec<Unit>,
    work: &'a Work,
}

impl Sums<'_> {
    /// The halves of a series of a coordinate.
    fn halves(&self, series: usize, c: usize) -> Rows {
        let Work { batch, room: Room { draws, chains, .. }, .. } = *self.work;
        let all = &self.rows[2 * batch * chains + (series * batch + c) * 2 * chains..][..2 * chains];
        let means: Vec<f64> = all.iter().map(|row| f64::from(row.mean)).collect();
        let constant = all.iter().all(|row| row.moving == 0) && means.iter().all(|m| *m == means[0]);
        Rows { length: draws / 2, squares: all.iter().map(|row| f64::from(row.squares)).collect(), means, constant }
    }

    /// The autocovariances of each series of each coordinate, from lag 0 on, as many as the sample sizes of the first `some`
    /// coordinates need.
    fn lags(&self, gpu: &Gpu, some: usize) -> Result<Vec<Vec<f64>>> {
        let Work { batch, room, .. } = *self.work;
        let half = room.draws / 2;
        let factor = 1.0 / (2 * room.chains * half) as f64;
        let mut known = vec![Vec::new(); OF_LAGS * batch];
        let mut pace = gpu.pace((half as u64).div_ceil(LAGS));
        loop {
            let lacks = |s: &Vec<f64>, series: usize, c: usize| {
                self.halves(series, c).effective_sample_size(|lag| s.get(lag).copied()).is_none()
            };
            let first = known[0].len();
            let open = (0..OF_LAGS * batch).any(|i| i % batch < some && lacks(&known[i], i / batch, i % batch));
            if first == half || !open {
                return Ok(known);
            }
            let (size, start) = (pace.size(), Instant::now());
            let lags = (half - first).min(self.work.most_lags).min((size * LAGS) as usize);
            let sums = self.work.sums(gpu, first, lags)?;
            pace.ended(size, start);
            for (known, sums) in known.iter_mut().zip(sums.chunks(lags)) {
                known.extend(sums.iter().map(|sum| factor * f64::from(*sum)));
            }
        }
    }

    fn coordinate(&self, c: usize, lags: &[Vec<f64>]) -> Coordinate {
        let Work { batch, room: Room { draws, chains, .. }, .. } = *self.work;
        let whole = &self.rows[c * chains..][..chains];
        let not_finite = whole.iter().map(|row| row.not_finite as usize).sum();
        let still = whole.iter().filter(|row| row.moving == 0 && !row.mean.is_nan()).count();
        let part =
            |row: &Row| Part { count: draws as f64, mean: row.mean.into(), squares: row.squares.into(), broken: 0.0 };
        let all = self.rows[(batch + c) * chains..][..chains].iter().map(part).fold(Part::default(), Part::merge);
        let [median, unit] = [self.units[c].median, self.units[c].unit].map(f64::from);
        let moments = [median + unit * all.mean, unit * (all.squares / (all.count - 1.0)).sqrt()];
        let unknown = Coordinate::still_unknown(moments, not_finite, still);
        if not_finite > 0 || all.squares == 0.0 || draws < FEWEST_DRAWS {
            return unknown;
        }
        let size = |series: usize| {
            let known = &lags[series * batch + c];
            let size = self.halves(series, c).effective_sample_size(|lag| known.get(lag).copied());
            size.unwrap_or(f64::NAN)
        };
        let r_hats = [1, SERIES - 1].map(|series| self.halves(series, c).r_hat());
        unknown.known(r_hats, [0, 1, 2, 3].map(size))
    }
}
