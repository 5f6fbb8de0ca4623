//! Energies, scores and gradients of points.

use std::time::Instant;

use super::device::Gpu;
use super::kernel::WORKGROUP;
use super::kernels::{Energy, EnergyParams, Score, ScoreParams, TargetEnergy, TargetParams};
use super::spread::{Spread, quads, shape_of_target, to_f32, to_f64};
use crate::error::Result;
use crate::model::Model;
use crate::points::Points;
use crate::target::Target;

/// Points are evaluated in pieces of this many, up to so many pieces a submission.
const PIECE: usize = 1024;
const MOST_PIECES: u64 = 64;
/// Evaluates points some at a time, so that no submission is long.
pub(super) fn in_pieces(
    gpu: &Gpu,
    points: &Points,
    mut evaluate: impl FnMut(&Points) -> Result<Vec<f64>>,
) -> Result<Vec<f64>> {
    let mut all = Vec::with_capacity(points.values().len());
    let (d, mut left) = (points.dim(), points.values());
    let mut pace = gpu.pace(MOST_PIECES);
    while !left.is_empty() {
        let size = pace.size();
        let (some, rest) = left.split_at((size as usize * PIECE * d).min(left.len()));
        let start = Instant::now();
        all.extend(evaluate(&Points::new(d, some.to_vec()))?);
        pace.ended(size, start);
        left = rest;
    }
    Ok(all)
}

/// E at points of one submission.
pub(super) fn energies(gpu: &Gpu, model: &Model, points: &Points) -> Result<Vec<f64>> {
    let spread = Spread::new(gpu, &model.spec, &Energy::KERNEL, points.count())?;
    let params = gpu.params(1)?;
    let energies = gpu.zeros("energies", points.count())?;
    let bound = Energy {
        params: &params,
        net: &gpu.upload_uniform("net", &spread.layout.table)?,
        points: &gpu.upload("points", &to_f32(points.values()))?,
        weights: &gpu.upload("weights", quads(&spread.layout.pack_with_transposes(&model.parameters)))?,
        scratch: &spread.scratch(gpu)?,
        energies: &energies,
    }
    .bind(gpu, spread.shape)?;
    let (count, dim) = (points.count() as u32, points.dim() as u32);
    gpu.write_params(
        &params,
        0,
        &[EnergyParams { count, dim, tiles: spread.tiles.count, region: spread.layout.region }],
    );
    gpu.run(|pass| bound.dispatch(pass, 0, spread.tiles.workgroups));
    Ok(to_f64(&gpu.download(&energies)?))
}

/// s at points of one submission, row-major.
pub(super) fn scores(gpu: &Gpu, model: &Model, points: &Points) -> Result<Vec<f64>> {
    let spread = Spread::new(gpu, &model.spec, &Score::KERNEL, points.count())?;
    let params = gpu.params(1)?;
    let scores = gpu.zeros("scores", points.values().len())?;
    let bound = Score {
        params: &params,
        net: &gpu.upload_uniform("net", &spread.layout.table)?,
        points: &gpu.upload("points", &to_f32(points.values()))?,
        weights: &gpu.upload("weights", quads(&spread.layout.pack_with_transposes(&model.parameters)))?,
        scratch: &spread.scratch(gpu)?,
        scores: &scores,
    }
    .bind(gpu, spread.shape)?;
    let (count, dim) = (points.count() as u32, points.dim() as u32);
    gpu.write_params(
        &params,
        0,
        &[ScoreParams { count, dim, tiles: spread.tiles.count, region: spread.layout.region }],
    );
    gpu.run(|pass| bound.dispatch(pass, 0, spread.tiles.workgroups));
    Ok(to_f64(&gpu.download(&scores)?))
}

/// E and ∇E of an analytic target at points.
pub(super) fn target_energies(gpu: &Gpu, target: &Target, points: &Points) -> Result<(Vec<f64>, Points)> {
    let d = target.dim();
    let mut constants = target.constants();
    // a buffer cannot be empty
    constants.resize(constants.len().max(1), 0.0);
    let constants = gpu.upload("constants", &constants)?;
    let mut all_gradients = Vec::with_capacity(points.values().len());
    let all_energies = in_pieces(gpu, points, |some| {
        let params = gpu.params(1)?;
        let energies = gpu.zeros("energies", some.count())?;
        let gradients = gpu.zeros("gradients", some.values().len())?;
        let points = gpu.upload("points", &to_f32(some.values()))?;
        let args = TargetEnergy {
            params: &params,
            points: &points,
            constants: &constants,
            energies: &energies,
            gradients: &gradients,
        };
        let bound = args.bind(gpu, shape_of_target(target.formula()))?;
        let count = some.count() as u32;
        gpu.write_params(&params, 0, &[TargetParams { count, dim: d as u32, ..Default::default() }]);
        let workgroups = count.div_ceil(4 * WORKGROUP).min(gpu.most_workgroups());
        gpu.run(|pass| bound.dispatch(pass, 0, workgroups));
        all_gradients.extend(to_f64(&gpu.download(&gradients)?));
        Ok(to_f64(&gpu.download(&energies)?))
    })?;
    Ok((all_energies, Points::new(d, all_gradients)))
}
