//! Objectives that learn by contrast on the device: the arguments of their kernels, and the chains that make negatives.

use super::device::{Buffer, Gpu};
use super::kernels::{
    FORM_CLASSIFICATION, FORM_DIFFERENCE, FORM_RANKING, FROM_DATA, FROM_GIVEN, FROM_LAW, LossParams, NegativeChains,
    NegativeParams,
};
use super::loss::{LossPass, Weights};
use super::pipeline::Bound;
use super::spread::{Spread, to_f32, to_f64};
use super::tiles::{Phase, Tiles};
use crate::engine::TrainingPlan;
use crate::error::Result;
use crate::model::MlpSpec;
use crate::objective::{Contrast, Coordinate, Form, Program, Proposal, Replay, SeparableLaw, SlotOrder};
use crate::points::Points;
use crate::random::Seed;

/// ln w for w = 0: far below every difference of energies.
const NO_WEIGHT: f32 = -1e30;

/// What the loss kernel's arguments say of the objective; negatives that are given come from nowhere else.
pub(super) fn loss_params(contrast: &Contrast<'_>, given: bool) -> LossParams {
    let (source, spread) = match contrast.proposal {
        Proposal::Perturbed { t } if !given => (FROM_DATA, t.sqrt()),
        Proposal::Law(_) if !given => (FROM_LAW, 0.0),
        _ => (FROM_GIVEN, 0.0),
    };
    let (form, alpha, log_w) = match contrast.form {
        Form::Difference { alpha } => (FORM_DIFFERENCE, alpha, 0.0),
        Form::Ranking { w } => (FORM_RANKING, 0.0, if w > 0.0 { w.ln() as f32 } else { NO_WEIGHT }),
        Form::Classification => (FORM_CLASSIFICATION, 0.0, 0.0),
    };
    LossParams {
        negatives: contrast.negatives as u32,
        form,
        source,
        // points that are given are as they are to be
        data_noise: if given { 0.0 } else { contrast.data_noise as f32 },
        spread: spread as f32,
        alpha: alpha as f32,
        log_w,
        log_count: (contrast.negatives as f64).ln() as f32,
        log_peak: contrast.noise_law().map_or(0.0, |law| law.log_peak() as f32),
        ..Default::default()
    }
}

/// `[2][dim]`: what is added, and what multiplies; a placeholder without a law.
pub(super) fn law_values(law: Option<&SeparableLaw>) -> Vec<f32> {
    law.map_or_else(|| vec![0.0; 2], |law| to_f32(&[law.origin(), law.scale()].concat()))
}

/// The chains that make the negatives of each step.
pub(super) struct NegativePass {
    replay: Option<Replay>,
    kept: Buffer<f32>,
    params: Buffer<NegativeParams>,
    fixed: NegativeParams,
    seed: Seed,
    kernel: Bound,
    tiles: Tiles,
    dim: usize,
}

impl NegativePass {
    /// Compiles the kernel, if chains make the negatives, and binds it to the network, the batch and the history; `kept` is
    /// the replay buffer.
    pub(super) fn new(
        gpu: &Gpu,
        spec: &MlpSpec,
        plan: &TrainingPlan,
        loss: &LossPass,
        on_device: &Weights,
        history: &Buffer<[f32; 4]>,
        kept: Option<&Points>,
    ) -> Result<Option<Self>> {
        let Program::Contrast(contrast) = plan.objective.program(spec.head()) else { return Ok(None) };
        let Proposal::Chains(cd, replay) = contrast.proposal else { return Ok(None) };
        let spread = Spread::new(gpu, spec, &NegativeChains::KERNEL, plan.batch)?;
        let params = gpu.params(history.len())?;
        let kept = gpu.upload("replay", &kept.map_or_else(|| vec![0.0], |kept| to_f32(kept.values())))?;
        let kernel = NegativeChains {
            params: &params,
            net: &gpu.upload_uniform("net", &spread.layout.table)?,
            data: &loss.data,
            law: &gpu.upload("law", &law_values(replay.map(|replay| &replay.start)))?,
            history,
            weights: &on_device.weights,
            scratch: &spread.scratch(gpu)?,
            replay: &kept,
            negatives: &loss.draws,
        }
        .bind(gpu, spread.shape)?;
        let [key_low, key_high] = plan.seed.key();
        let fixed = NegativeParams {
            key_low,
            key_high,
            batch: plan.batch as u32,
            dim: spec.dim() as u32,
            rows: loss.fixed.rows,
            end_tile: spread.tiles.count,
            groups: spread.tiles.workgroups,
            region: spread.layout.region,
            steps: cd.steps as u32,
            end_round: cd.steps as u32,
            slots: replay.map_or(0, |replay| replay.slots as u32),
            restart_limit: replay.map_or(0, Replay::restart_limit),
            box_start: u32::from(replay.is_some_and(|r| r.start.coordinate() == Coordinate::Uniform)),
            step_size: cd.step_size as f32,
            noise_scale: cd.noise_scale() as f32,
            data_noise: cd.data_noise as f32,
            chosen: loss.fixed.chosen,
            ..Default::default()
        };
        let tiles = Tiles { rounds: cd.steps as u32, ..spread.tiles };
        let (replay, seed, dim) = (replay.cloned(), plan.seed, spec.dim());
        Ok(Some(Self { replay, kept, params, fixed, seed, kernel, tiles, dim }))
    }

    /// The arguments of a step; `previous` is where the step before stands in the history, `rows` as [`Rows::send`] says.
    ///
    /// [`Rows::send`]: super::rows::Rows::send
    pub(super) fn arguments(&self, step: u32, previous: u32, rows: u32) -> NegativeParams {
        let order = self.replay.as_ref().map(|replay| SlotOrder::new(self.seed, step, replay.slots));
        let (multiplier, offset) = order.map_or((0, 0), |order| (order.multiplier, order.offset));
        NegativeParams { step, previous, rows, multiplier, offset, ..self.fixed }
    }

    /// Writes the arguments of the steps from index `first` of the ring on.
    pub(super) fn write(&self, gpu: &Gpu, first: usize, arguments: &[NegativeParams]) {
        gpu.write_params(&self.params, first, arguments);
    }

    /// Records the dispatch of all tiles with the arguments at index `entry`.
    pub(super) fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, entry: usize) {
        self.kernel.dispatch(pass, entry, self.tiles.whole().workgroups);
    }

    /// All tiles; each Langevin step is a round.
    pub(super) fn tiles(&self) -> Tiles {
        self.tiles
    }

    /// Submits all tiles, which are those of `phase`, with these arguments at index `entry`, some at a time.
    pub(super) fn submit(&self, gpu: &Gpu, phase: &mut Phase, entry: usize, arguments: &NegativeParams) -> Result<()> {
        phase.submit(gpu, |run| {
            let [first_tile, end_tile, first_round, end_round] = [run.first, run.end, run.first_round, run.end_round];
            let some = NegativeParams { first_tile, end_tile, first_round, end_round, ..*arguments };
            gpu.write_params(&self.params, entry, &[some]);
            gpu.run(|pass| self.kernel.dispatch(pass, entry, run.workgroups))
        })
    }

    /// The replay buffer.
    pub(super) fn kept(&self, gpu: &Gpu) -> Result<Option<Points>> {
        let kept = || Ok(Points::new(self.dim, to_f64(&gpu.download(&self.kept)?)));
        self.replay.as_ref().map(|_| kept()).transpose()
    }
}
