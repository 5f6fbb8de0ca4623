//! The buffers and dispatches that diagnose some coordinates at a time.

use super::script::{Kind, MOST_WORKGROUPS, OF_LAGS, SERIES, Script, Sizes};
use crate::engine::Room;
use crate::engine::gpu::device::{Buffer, Gpu};
use crate::engine::gpu::kernel::{Shape, WORKGROUP};
use crate::engine::gpu::kernels::{Autocovariance, FoldDraws, LagParams, RankScores, Row, RowMoments, SortKeys, Unit};
use crate::engine::gpu::pipeline::Bound;
use crate::error::Result;
use crate::model::Activation;

/// Buffers for a batch of coordinates, and what is dispatched on them.
pub(super) struct Work {
    pub(super) room: Room,
    /// Coordinates at a time.
    pub(super) batch: usize,
    /// Of each coordinate the chains, in their own units and in `units`, and the halves of each series.
    pub(super) moments: Buffer<Row>,
    pub(super) units: Buffer<Unit>,
    /// Lags of a dispatch.
    pub(super) most_lags: usize,
    series: Buffer<f32>,
    /// See [`Script`].
    program: Vec<Vec<(Kind, usize, u32)>>,
    bound: [Bound; 4],
    lag: Bound,
    lag_params: Buffer<LagParams>,
    sums: Buffer<f32>,
}

/// These kernels contain no network.
const SHAPE: Shape = Shape {
    layers: 1,
    activation: Activation::Silu,
    quads: 1,
    workgroup: WORKGROUP,
    field: false,
    tangents: false,
    target: None,
    subgroups: false,
};

/// A buffer of parameters, one entry a dispatch.
fn entries<P: bytemuck::Pod>(gpu: &Gpu, values: &[P]) -> Result<Buffer<P>> {
    let params = gpu.params(values.len().max(1))?;
    gpu.write_params(&params, 0, values);
    Ok(params)
}

impl Work {
    pub(super) fn new(gpu: &Gpu, room: Room) -> Result<Self> {
        let sizes = Sizes::new(room);
        let Sizes { batch, padded, .. } = sizes;
        let script = Script::new(sizes);
        let series = gpu.zeros("series", SERIES * sizes.total())?;
        let keys = gpu.zeros("keys", batch * padded)?;
        let units = gpu.zeros("units", batch)?;
        let moments = gpu.zeros("moments", batch * room.chains * (2 + 2 * SERIES))?;
        let half = room.draws / 2;
        let most_lags = (MOST_WORKGROUPS / (OF_LAGS * batch)).min(half.max(1));
        let sums = gpu.zeros("sums", OF_LAGS * batch * most_lags)?;
        let lag_params = gpu.params(1)?;
        let bound = [
            SortKeys { params: &entries(gpu, &script.sort)?, series: &series, keys: &keys }.bind(gpu, SHAPE)?,
            RankScores { params: &entries(gpu, &script.rank)?, keys: &keys, series: &series }.bind(gpu, SHAPE)?,
            FoldDraws { params: &entries(gpu, &script.fold)?, keys: &keys, series: &series, units: &units }
                .bind(gpu, SHAPE)?,
            RowMoments { params: &entries(gpu, &script.rows)?, series: &series, moments: &moments }.bind(gpu, SHAPE)?,
        ];
        let lag = Autocovariance { params: &lag_params, series: &series, sums: &sums }.bind(gpu, SHAPE)?;
        let program = script.program;
        Ok(Self { room, batch, moments, units, most_lags, series, program, bound, lag, lag_params, sums })
    }

    /// Submits everything but autocovariances of `some` coordinates from `first` on.
    pub(super) fn start(&self, gpu: &Gpu, kept: &Buffer<f32>, first: usize, some: usize) {
        let each = (4 * self.room.draws * self.room.chains) as u64;
        gpu.submit(|encoder| {
            let (from, bytes) = (first as u64 * each, some as u64 * each);
            encoder.copy_buffer_to_buffer(kept.raw(), from, self.series.raw(), 0, bytes);
        });
        for submission in &self.program {
            gpu.run(|pass| {
                for (kind, entry, workgroups) in submission {
                    self.bound[*kind as usize].dispatch(pass, *entry, *workgroups);
                }
            });
        }
    }

    /// Products summed at `lags` lags from `first` on, `[series][coordinate][lag]`; waits for the device.
    pub(super) fn sums(&self, gpu: &Gpu, first: usize, lags: usize) -> Result<Vec<f32>> {
        let Room { draws, chains, .. } = self.room;
        let arguments = LagParams {
            rows: 2 * chains as u32,
            length: (draws / 2) as u32,
            draws: draws as u32,
            each: (draws * chains) as u32,
            first_lag: first as u32,
            lags: lags as u32,
            ..Default::default()
        };
        gpu.write_params(&self.lag_params, 0, &[arguments]);
        let series = OF_LAGS * self.batch;
        gpu.run(|pass| self.lag.dispatch(pass, 0, (series * lags) as u32));
        gpu.download_first(&self.sums, series * lags)
    }
}
