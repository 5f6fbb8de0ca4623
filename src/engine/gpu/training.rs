//! Training on the device: many steps a submission, two submissions in flight, losses read back without stopping.

use std::collections::VecDeque;
use std::time::Instant;

use super::contrast::NegativePass;
use super::device::{Buffer, Gpu};
use super::kernel::WORKGROUP;
use super::kernels::{AdamParams, AdamStep, LossParams, ReduceGradient, ReduceParams};
use super::loss::{LossPass, Samples, Weights};
use super::pace::Pace;
use super::pipeline::Bound;
use super::spread::{quads, to_f64};
use super::tiles::Phase;
use crate::engine::{StepRecord, Training, TrainingPlan, TrainingState, replay};
use crate::error::Result;
use crate::model::MlpSpec;
use crate::points::Points;

/// The most steps of one submission: what a slot of parameters and history is sized for.
const MOST_STEPS: u64 = 512;
/// Submissions in flight.
const IN_FLIGHT: usize = 2;

pub(super) struct GpuTraining<'a> {
    gpu: &'a Gpu,
    plan: TrainingPlan,
    chains: Option<NegativePass>,
    loss: LossPass,
    reduce: Bound,
    adam: Bound,
    adam_params: Buffer<AdamParams>,
    weights: Buffer<[f32; 4]>,
    moments: Buffer<[f32; 4]>,
    history: Buffer<[f32; 4]>,
    fixed_loss: LossParams,
    fixed_adam: AdamParams,
    /// Free staging buffers, one for each submission that may be in flight.
    staging: Vec<wgpu::Buffer>,
    in_flight: VecDeque<Submission>,
    arrived: Vec<StepRecord>,
    pace: Pace,
    /// The tiles of the negatives, where chains make them, and of the loss: for steps that are cut.
    phases: (Option<Phase>, Phase),
    submitted: u64,
    /// Steps that were done before this run.
    first: u64,
    /// The last step that changed the parameters.
    good: u64,
    halted: bool,
    turn: usize,
}

struct Submission {
    index: wgpu::SubmissionIndex,
    staging: wgpu::Buffer,
    first: u64,
    steps: u64,
    start: Instant,
}

impl<'a> GpuTraining<'a> {
    pub(super) fn new(
        gpu: &'a Gpu,
        spec: &MlpSpec,
        plan: &TrainingPlan,
        data: &Points,
        state: &TrainingState,
    ) -> Result<Self> {
        let slots = IN_FLIGHT * MOST_STEPS as usize;
        let samples = Samples::Drawn(data, plan.batch);
        let (loss, on_device) = LossPass::new(gpu, spec, &plan.objective, samples, &state.parameters, slots)?;
        // (loss, norm, good so far, step)
        let history = gpu.upload("history", &vec![[0.0, 0.0, 1.0, 0.0]; slots])?;
        let kept = replay::buffer::<f32>(plan, state, data.dim())?;
        let chains = NegativePass::new(gpu, spec, plan, &loss, &on_device, &history, kept.as_ref())?;
        let Weights { net, weights } = on_device;
        let layout = &loss.spread.layout;
        let size = layout.packed as usize;
        let updates = layout.packed.div_ceil(WORKGROUP);
        let adam_ring = gpu.params(slots)?;
        let reduce_params = gpu.params(1)?;
        let packed: Vec<f32> =
            [&state.first_moment, &state.second_moment, &state.ema].into_iter().flat_map(|v| layout.pack(v)).collect();
        let moments = gpu.upload("moments", quads(&packed))?;
        let gradient = gpu.zeros("gradient", size)?;
        let squares = gpu.zeros("squares", updates as usize)?;
        let shape = loss.spread.shape;
        let reduce =
            ReduceGradient { params: &reduce_params, slabs: &loss.slabs, gradient: &gradient, squares: &squares }
                .bind(gpu, shape)?;
        // Adam writes the transposes entry by entry, so it sees the weights as single numbers
        let scalars = weights.scalars();
        let adam = AdamStep {
            params: &adam_ring,
            net: &net,
            gradient: &gradient,
            squares: &squares,
            losses: &loss.losses,
            weights: &scalars,
            moments: &moments,
            history: &history,
        }
        .bind(gpu, shape)?;
        let (packed, slab_count) = (layout.packed, loss.spread.tiles.workgroups);
        gpu.write_params(&reduce_params, 0, &[ReduceParams { size: packed, slab_count, ..Default::default() }]);
        let [key_low, key_high] = plan.seed.key();
        let fixed_loss = LossParams { key_low, key_high, ..loss.fixed };
        let optimizer = plan.optimizer;
        let fixed_adam = AdamParams {
            size: packed,
            square_count: updates,
            batch: plan.batch as u32,
            beta1: optimizer.beta1 as f32,
            beta2: optimizer.beta2 as f32,
            epsilon: optimizer.epsilon as f32,
            clip: optimizer.clip as f32,
            // the slot of the step before: not the one that the first step writes
            slot: slots as u32 - 1,
            new1: (1.0 - optimizer.beta1) as f32,
            new2: (1.0 - optimizer.beta2) as f32,
            ..Default::default()
        };
        let phase = |tiles| Phase::new(gpu, tiles);
        let phases = (chains.as_ref().map(|chains| phase(chains.tiles())), phase(loss.spread.tiles));
        let pace = gpu.pace(MOST_STEPS.min(loss.rows.most_steps()));
        let pace = if phases.0.iter().chain([&phases.1]).any(Phase::can_be_cut) { pace.cautious() } else { pace };
        let staging = (0..IN_FLIGHT).map(|_| gpu.staging(MOST_STEPS * 16)).collect::<Result<_>>()?;
        Ok(Self {
            gpu,
            plan: plan.clone(),
            chains,
            loss,
            reduce,
            adam,
            adam_params: adam_ring,
            weights,
            moments,
            history,
            fixed_loss,
            fixed_adam,
            staging,
            in_flight: VecDeque::new(),
            arrived: Vec::new(),
            pace,
            phases,
            submitted: state.step,
            first: state.step,
            good: state.step,
            halted: false,
            turn: 0,
        })
    }

    /// Submits `steps` steps into one of the two halves of the rings; if not even one fits a submission, what it makes and
    /// sums goes before it, some at a time.
    fn submit(&mut self, staging: wgpu::Buffer, steps: u64) -> Result<()> {
        let half = self.turn * MOST_STEPS as usize;
        let slots = IN_FLIGHT as u32 * MOST_STEPS as u32;
        // the slot that the step before wrote: the last of the other half, wherever that half ended
        let mut previous = self.fixed_adam.slot;
        let rows = &self.loss.rows;
        let rows = rows.send(self.gpu, &self.loss.data, self.turn, self.plan.seed, self.submitted + 1, steps);
        let mut loss = Vec::with_capacity(steps as usize);
        let mut adam = Vec::with_capacity(steps as usize);
        let mut negatives = Vec::new();
        for i in 0..steps {
            let step = self.submitted + 1 + i;
            let sizes = self.plan.optimizer.step_sizes(step, self.plan.steps);
            let slot = (half as u32 + i as u32) % slots;
            loss.push(LossParams { step: step as u32, rows: rows(i), ..self.fixed_loss });
            negatives.extend(self.chains.as_ref().map(|chains| chains.arguments(step as u32, previous, rows(i))));
            adam.push(AdamParams {
                slot,
                previous,
                step: step as u32,
                first: sizes.first as f32,
                second: sizes.second as f32,
                decay: sizes.decay as f32,
                follow: sizes.follow as f32,
                ..self.fixed_adam
            });
            previous = slot;
        }
        self.fixed_adam.slot = previous;
        self.gpu.write_params(&self.loss.params, half, &loss);
        self.gpu.write_params(&self.adam_params, half, &adam);
        if let Some(chains) = &self.chains {
            chains.write(self.gpu, half, &negatives);
        }
        let (start, whole) = (Instant::now(), !self.is_cut());
        if !whole {
            let (of_negatives, of_loss) = &mut self.phases;
            if let (Some(chains), Some(phase), Some(arguments)) = (&self.chains, of_negatives, negatives.first()) {
                chains.submit(self.gpu, phase, half, arguments)?;
            }
            self.loss.submit(self.gpu, of_loss, half, &loss[0])?;
        }
        let tiles = self.loss.spread.tiles.whole();
        let updates = self.fixed_adam.square_count;
        let index = self.gpu.submit(|encoder| {
            {
                let mut pass = self.gpu.pass(encoder);
                for entry in half..half + steps as usize {
                    if whole {
                        if let Some(chains) = &self.chains {
                            chains.dispatch(&mut pass, entry);
                        }
                        self.loss.dispatch(&mut pass, entry, tiles);
                    }
                    self.reduce.dispatch(&mut pass, 0, updates);
                    self.adam.dispatch(&mut pass, entry, updates);
                }
            }
            encoder.copy_buffer_to_buffer(self.history.raw(), half as u64 * 16, &staging, 0, steps * 16);
            encoder.map_buffer_on_submit(&staging, wgpu::MapMode::Read, .., |_| ());
        });
        self.in_flight.push_back(Submission { index, staging, first: self.submitted + 1, steps, start });
        self.submitted += steps;
        self.turn = (self.turn + 1) % IN_FLIGHT;
        Ok(())
    }

    /// Whether a step is longer than a submission should be and can be cut.
    fn is_cut(&self) -> bool {
        let (of_negatives, of_loss) = &self.phases;
        self.pace.is_long() && of_negatives.iter().chain([of_loss]).any(Phase::can_be_cut)
    }

    /// Waits for the oldest submission and takes in its records.
    fn collect(&mut self) -> Result<()> {
        let Some(done) = self.in_flight.pop_front() else { return Ok(()) };
        self.gpu.wait(&done.index)?;
        self.pace.ended(done.steps, done.start);
        let records: Vec<[f32; 4]> = self.gpu.read_staging(&done.staging, done.steps as usize)?;
        self.staging.push(done.staging);
        for (step, [loss, norm, good, _]) in (done.first..).zip(records) {
            if self.halted {
                continue;
            }
            self.halted = good != 1.0;
            if !self.halted {
                self.good = step;
            }
            let mut record = StepRecord { step, loss: f64::from(loss), gradient_norm: f64::from(norm) };
            if self.halted && record.is_finite() {
                // one part of a sum was not finite although the sum came out so
                record.loss = f64::NAN;
            }
            self.arrived.push(record);
        }
        Ok(())
    }
}

impl Training for GpuTraining<'_> {
    fn advance(&mut self, until: u64) -> Result<Vec<StepRecord>> {
        // nothing behind a step that may take long: there a driver can keep the host without end
        while !self.halted && self.submitted < until && (self.pace.size() > 1 || self.in_flight.is_empty()) {
            let Some(staging) = self.staging.pop() else { break };
            let steps = self.pace.size().min(until - self.submitted);
            self.submit(staging, steps)?;
        }
        self.collect()?;
        Ok(std::mem::take(&mut self.arrived))
    }

    fn state(&mut self) -> Result<TrainingState> {
        while !self.in_flight.is_empty() {
            self.collect()?;
        }
        let layout = &self.loss.spread.layout;
        let size = 4 * layout.packed as usize;
        let weights: Vec<[f32; 4]> = self.gpu.download(&self.weights)?;
        let moments: Vec<[f32; 4]> = self.gpu.download(&self.moments)?;
        let moments: &[f32] = bytemuck::cast_slice(&moments);
        Ok(TrainingState {
            step: self.good,
            parameters: layout.unpack(&bytemuck::cast_slice(&weights)[..size]),
            first_moment: layout.unpack(&moments[..size]),
            second_moment: layout.unpack(&moments[size..2 * size]),
            ema: layout.unpack(&moments[2 * size..]),
            replay: self.chains.as_ref().map_or(Ok(None), |chains| chains.kept(self.gpu))?,
        })
    }

    fn negatives(&mut self) -> Result<Option<Points>> {
        while !self.in_flight.is_empty() {
            self.collect()?;
        }
        if self.chains.is_none() || self.submitted == self.first {
            return Ok(None);
        }
        Ok(Some(Points::new(self.loss.fixed.dim as usize, to_f64(&self.gpu.download(&self.loss.draws)?))))
    }
}
