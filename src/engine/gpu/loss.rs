//! The dispatches that compute the losses of a batch and their gradient in slabs, for any objective.

use super::device::{Buffer, Gpu};
use super::kernel::Shape;
use super::kernels::{
    BasisParams, Contrast, DifferenceMatching, FROM_GIVEN, LAW_BASIS, LAW_GAUSSIAN, LAW_RADEMACHER, LAW_SPHERE,
    LossParams, MOST_ROWS, OrthonormalBasis, ROWS_DRAWN, ROWS_GIVEN, ROWS_PLACED, ScoreMatching,
};
use super::pipeline::Bound;
use super::rows::Rows;
use super::spread::{Spread, shape_of, to_f32};
use super::tiles::{Phase, Run};
use crate::engine::Given;
use crate::error::{Error, Result};
use crate::model::MlpSpec;
use crate::objective::{Level, Objective, ProbeLaw, Program, Tangents, Terms};
use crate::points::Points;

/// A batch's loss kernel with what it reads and writes.
pub(super) struct LossPass {
    pub(super) spread: Spread,
    pub(super) slabs: Buffer<[f32; 4]>,
    pub(super) losses: Buffer<f32>,
    pub(super) rows: Rows,
    pub(super) data: Buffer<f32>,
    /// What is given for the samples, or the negatives that chains make.
    pub(super) draws: Buffer<f32>,
    /// The arguments; step and seed are the caller's.
    pub(super) fixed: LossParams,
    pub(super) params: Buffer<LossParams>,
    kernel: Bound,
    /// Where the basis of the first weights' row space has to be computed anew.
    basis: Option<Bound>,
    /// Where tangents are split among workgroups: the index of the arguments with which the kernel adds up what they have made,
    /// and its workgroups then.
    join: Option<(usize, u32)>,
}

/// The samples of a batch: rows to draw from, or all that a caller gives.
#[derive(Clone, Copy)]
pub(super) enum Samples<'a> {
    Drawn(&'a Points, usize),
    Given(Given<'a>),
}

impl Samples<'_> {
    fn batch(&self) -> usize {
        match self {
            Self::Drawn(_, batch) => *batch,
            Self::Given(given) => given.points.count(),
        }
    }

    fn points(&self) -> &Points {
        match self {
            Self::Drawn(data, _) => data,
            Self::Given(given) => given.points,
        }
    }

    /// The negatives or probes that are given, or the noise of an objective that has levels; room for the negatives that
    /// chains make; a placeholder if there are none.
    fn draws(&self, fixed: &LossParams) -> Vec<f32> {
        let given = match self {
            Self::Drawn(data, batch) if fixed.negatives > 0 && fixed.source == FROM_GIVEN => {
                return vec![0.0; batch * data.dim()];
            }
            Self::Given(given) if fixed.negatives > 0 => given.negatives,
            Self::Given(given) if fixed.levels > 0 => given.noise,
            Self::Given(given) if fixed.law != LAW_BASIS => given.probes,
            _ => None,
        };
        given.map_or_else(|| vec![0.0], |points| to_f32(points.values()))
    }

    /// The levels that samples choose from, or have.
    fn levels(&self, terms: &Terms<'_>, spec: &MlpSpec) -> Vec<[f32; 4]> {
        let Some(denoising) = terms.denoising else { return Vec::new() };
        let each = |sigma: f64| {
            let Level { sigma, reach, weight } = denoising.level(sigma, spec.conditioning());
            [sigma, reach, weight, sigma.ln()].map(|v| v as f32)
        };
        match self {
            Self::Drawn(..) => denoising.ladder.levels().iter().map(|sigma| each(*sigma)).collect(),
            Self::Given(given) => match given.sigmas {
                Some(sigmas) => sigmas.iter().map(|sigma| each(*sigma)).collect(),
                None => vec![each(denoising.ladder.smallest()); given.points.count()],
            },
        }
    }
}

impl LossPass {
    /// Compiles the kernel of `objective` and binds it to `weights` and to a ring of `slots` arguments.
    pub(super) fn new(
        gpu: &Gpu,
        spec: &MlpSpec,
        objective: &Objective,
        samples: Samples<'_>,
        parameters: &[f64],
        slots: usize,
    ) -> Result<(Self, Weights)> {
        match objective.program(spec.head()) {
            Program::Difference(fd) => {
                let fixed = LossParams {
                    tangents: fd.probes as u32,
                    law: LAW_SPHERE,
                    length: fd.epsilon as f32,
                    ..Default::default()
                };
                let spread = Spread::new(gpu, spec, &DifferenceMatching::KERNEL, samples.batch())?;
                Self::bind(gpu, spread, fixed, samples, parameters, slots, |b| {
                    let kernel = DifferenceMatching {
                        params: b.params,
                        net: b.net,
                        data: b.data,
                        given_draws: b.draws,
                        weights: b.weights,
                        scratch: b.scratch,
                        slabs: b.slabs,
                        losses: b.losses,
                    };
                    Ok((kernel.bind(gpu, b.shape)?, None))
                })
            }
            Program::Contrast(contrast) => {
                let given = matches!(samples, Samples::Given(_));
                let fixed = super::contrast::loss_params(&contrast, given);
                let law = gpu.upload("law", &super::contrast::law_values(contrast.noise_law()))?;
                let spread = Spread::new(gpu, spec, &Contrast::KERNEL, samples.batch())?;
                Self::bind(gpu, spread, fixed, samples, parameters, slots, |b| {
                    let kernel = Contrast {
                        params: b.params,
                        net: b.net,
                        data: b.data,
                        given_draws: b.draws,
                        law: &law,
                        weights: b.weights,
                        scratch: b.scratch,
                        slabs: b.slabs,
                        losses: b.losses,
                    };
                    Ok((kernel.bind(gpu, b.shape)?, None))
                })
            }
            Program::Matching(terms) => {
                let levels = samples.levels(&terms, spec);
                let layer = &spec.layers()[0];
                let (law, sphere) = match terms.tangents {
                    Tangents::None => (LAW_GAUSSIAN, 0.0),
                    Tangents::Basis | Tangents::Axes => (LAW_BASIS, 0.0),
                    Tangents::Probes(probes) => match probes.law {
                        ProbeLaw::Gaussian => (LAW_GAUSSIAN, 0.0),
                        ProbeLaw::Rademacher => (LAW_RADEMACHER, 0.0),
                        ProbeLaw::Sphere => (LAW_SPHERE, (spec.dim() as f64).sqrt()),
                    },
                };
                let fixed = LossParams {
                    levels: levels.len() as u32,
                    tangents: terms.tangent_count(spec.dim(), layer.output) as u32,
                    law,
                    full: terms.full as f32,
                    sliced: terms.sliced as f32,
                    curved: terms.curved as f32,
                    length: sphere as f32,
                    ..Default::default()
                };
                let shape = shape_of(&ScoreMatching::KERNEL, spec, samples.batch(), gpu.platform());
                let shape = Shape { tangents: fixed.tangents > 0, ..shape };
                let mut spread = Spread::with_shape(gpu, spec, &ScoreMatching::KERNEL, shape, samples.batch())?;
                let levels = gpu.upload("levels", if levels.is_empty() { &[[0.0; 4]] } else { &levels })?;
                let changes = terms.basis_changes(layer.input, layer.output);
                let directions = directions(gpu, spec, law, changes)?;
                // a basis that changes has a dispatch to itself: with those of splits they would be five
                let splits = if changes { 1 } else { spread.split(gpu, fixed.tangents) };
                let fixed = LossParams { splits, ..fixed };
                Self::bind(gpu, spread, fixed, samples, parameters, slots, |b| {
                    let kernel = ScoreMatching {
                        params: b.params,
                        net: b.net,
                        data: b.data,
                        given_draws: b.draws,
                        levels: &levels,
                        directions: &directions,
                        weights: b.weights,
                        scratch: b.scratch,
                        slabs: b.slabs,
                        losses: b.losses,
                    };
                    let basis = changes.then(|| basis(gpu, b, &directions)).transpose()?;
                    Ok((kernel.bind(gpu, b.shape)?, basis))
                })
            }
        }
    }

    fn bind(
        gpu: &Gpu,
        spread: Spread,
        fixed: LossParams,
        samples: Samples<'_>,
        parameters: &[f64],
        slots: usize,
        kernel: impl FnOnce(&Buffers<'_>) -> Result<(Bound, Option<Bound>)>,
    ) -> Result<(Self, Weights)> {
        let (layout, points, batch) = (&spread.layout, samples.points(), samples.batch());
        // first of all, as they may be refused for their size
        let (rows, data) = match samples {
            Samples::Drawn(..) => Rows::new(gpu, points, batch)?,
            Samples::Given(_) => (Rows::Resident(points.count() as u32), gpu.upload_values("data", points.values())?),
        };
        let params = gpu.params(slots + 1)?;
        let net = gpu.upload_uniform("net", &layout.table)?;
        let packed = layout.pack_with_transposes(parameters);
        let weights = gpu.upload("weights", super::spread::quads(&packed))?;
        let slabs = gpu.zeros("slabs", spread.tiles.workgroups as usize * layout.packed as usize)?;
        let splits = fixed.splits.max(1);
        let losses = gpu.zeros("losses", batch * splits as usize)?;
        let fixed = LossParams {
            batch: batch as u32,
            dim: points.dim() as u32,
            rows: points.count() as u32,
            end_tile: spread.tiles.count,
            groups: spread.tiles.workgroups,
            region: layout.region,
            slab: layout.packed,
            noise: layout.spare,
            chosen: match (samples, &rows) {
                (Samples::Given(_), _) => ROWS_GIVEN,
                (_, Rows::Resident(_)) => ROWS_DRAWN,
                (_, Rows::Sent { .. }) => ROWS_PLACED,
            },
            share: (1.0 / batch as f64) as f32,
            splits,
            ..fixed
        };
        gpu.write_params(&params, slots, &[LossParams { joining: 1, ..fixed }]);
        let join = (splits > 1).then_some((slots, spread.tiles.count / splits));
        let draws = gpu.upload("given draws", &samples.draws(&fixed))?;
        let (kernel, basis) = kernel(&Buffers {
            shape: spread.shape,
            first: &layout.table[0],
            params: &params,
            net: &net,
            data: &data,
            draws: &draws,
            weights: &weights,
            scratch: &spread.scratch(gpu)?,
            slabs: &slabs,
            losses: &losses,
        })?;
        Ok((
            Self { spread, slabs, losses, rows, data, draws, fixed, params, kernel, basis, join },
            Weights { net, weights },
        ))
    }

    /// Records the dispatches with the arguments at index `entry`, which are of `run`: one, or two where the basis changes with
    /// the weights or tangents are split.
    pub(super) fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, entry: usize, run: Run) {
        if let Some(basis) = self.basis.as_ref().filter(|_| run.first == 0) {
            basis.dispatch(pass, 0, 1);
        }
        self.kernel.dispatch(pass, entry, run.workgroups);
        if let Some((entry, tiles)) = self.join.filter(|_| run.end == self.spread.tiles.count) {
            self.kernel.dispatch(pass, entry, tiles);
        }
    }

    /// Submits all tiles, which are those of `phase`, with these arguments at index `entry`, some at a time.
    pub(super) fn submit(&self, gpu: &Gpu, phase: &mut Phase, entry: usize, arguments: &LossParams) -> Result<()> {
        phase.submit(gpu, |run| {
            gpu.write_params(
                &self.params,
                entry,
                &[LossParams { first_tile: run.first, end_tile: run.end, ..*arguments }],
            );
            gpu.run(|pass| self.dispatch(pass, entry, run))
        })
    }
}

/// The network on the device.
pub(super) struct Weights {
    pub(super) net: Buffer<super::network::LayerEntry>,
    pub(super) weights: Buffer<[f32; 4]>,
}

/// What every loss kernel is bound to.
struct Buffers<'a> {
    shape: Shape,
    first: &'a super::network::LayerEntry,
    params: &'a Buffer<LossParams>,
    net: &'a Buffer<super::network::LayerEntry>,
    data: &'a Buffer<f32>,
    draws: &'a Buffer<f32>,
    weights: &'a Buffer<[f32; 4]>,
    scratch: &'a Buffer<[f32; 4]>,
    slabs: &'a Buffer<[f32; 4]>,
    losses: &'a Buffer<f32>,
}

/// Room for the shared tangents: the axes, unless they are a basis that changes with the weights.
fn directions(gpu: &Gpu, spec: &MlpSpec, law: u32, changes: bool) -> Result<Buffer<[f32; 4]>> {
    let layer = &spec.layers()[0];
    let (d, width) = (layer.input, layer.output);
    if law != LAW_BASIS {
        return gpu.zeros("no directions", 1);
    }
    if changes && width > MOST_ROWS {
        return Err(Error::input(format!(
            "esm on points of {d} dimensions with a first layer of {width}: the gpu engine takes at most {MOST_ROWS}"
        ))
        .hint("a narrower first layer, or --engine cpu"));
    }
    let (count, row) = (if changes { width } else { d }, d.div_ceil(4));
    let mut axes = vec![[0.0; 4]; count * row];
    if !changes {
        (0..d).for_each(|k| axes[k * row + k / 4][k % 4] = 1.0);
    }
    gpu.upload("directions", &axes)
}

fn basis(gpu: &Gpu, buffers: &Buffers<'_>, directions: &Buffer<[f32; 4]>) -> Result<Bound> {
    let params = gpu.params(1)?;
    let first = buffers.first;
    let of_layer = BasisParams { width: first.outputs, input: first.input, weight: first.weight, unused: 0 };
    gpu.write_params(&params, 0, &[of_layer]);
    OrthonormalBasis { params: &params, weights: buffers.weights, directions }.bind(gpu, buffers.shape)
}
