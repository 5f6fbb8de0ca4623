//! Parameter gradients on given points: loss and gradient of an objective, and those of a jet.

use super::device::{Buffer, Gpu};
use super::kernel::{Shape, WORKGROUP};
use super::kernels::{DsmGradient, DsmParams, JetGradientKernel, JetParams, ReduceGradient, ReduceParams};
use super::spread::{Spread, quads, shape_of, to_f32, to_f64};
use crate::engine::{Jet, JetGradient, LossGradient};
use crate::error::Result;
use crate::model::Model;
use crate::objective::{Dsm, Objective};
use crate::points::Points;

/// What a DSM dispatch over `count` samples is told; the places of use fill in the rest.
pub(super) fn dsm_params(spread: &Spread, dsm: &Dsm, batch: usize, dim: usize) -> DsmParams {
    DsmParams {
        batch: batch as u32,
        dim: dim as u32,
        tiles: spread.tiles,
        region: spread.layout.region,
        slab: spread.layout.packed,
        noise: spread.layout.noise,
        sigma: dsm.sigma as f32,
        half_weight: (0.5 * dsm.weight()) as f32,
        pull: (-dsm.weight() * dsm.sigma / batch as f64) as f32,
        ..Default::default()
    }
}

/// Loss and gradient on `points` with given `noise`.
pub(super) fn loss_gradient(
    gpu: &Gpu,
    model: &Model,
    objective: &Objective,
    points: &Points,
    noise: &Points,
) -> Result<LossGradient> {
    let Objective::Dsm(dsm) = objective;
    let spread = Spread::new(gpu, &model.spec, &DsmGradient::KERNEL, points.count())?;
    let packed = spread.layout.packed as usize;
    let params = gpu.params(1)?;
    let losses = gpu.zeros("losses", points.count())?;
    let slabs = gpu.zeros("slabs", spread.workgroups as usize * packed)?;
    let bound = DsmGradient {
        params: &params,
        net: &gpu.upload_uniform("net", &spread.layout.table)?,
        data: &gpu.upload("data", &to_f32(points.values()))?,
        given_noise: &gpu.upload("noise", &to_f32(noise.values()))?,
        weights: &gpu.upload("weights", quads(&spread.layout.pack_with_transposes(&model.parameters)))?,
        scratch: &spread.scratch(gpu)?,
        slabs: &slabs,
        losses: &losses,
    }
    .bind(gpu, spread.shape)?;
    let given = DsmParams { given: 1, ..dsm_params(&spread, dsm, points.count(), points.dim()) };
    gpu.write_params(&params, 0, &[given]);
    gpu.run(|pass| bound.dispatch(pass, 0, spread.workgroups));
    let gradient = reduced(gpu, &spread, &slabs)?;
    Ok(LossGradient { losses: to_f64(&gpu.download(&losses)?), gradient })
}

/// Values along `tangents`, and the gradient of their weighted sum.
pub(super) fn jet_gradient(
    gpu: &Gpu,
    model: &Model,
    jet: Jet,
    points: &Points,
    tangents: &Points,
    weights: &[f64],
) -> Result<JetGradient> {
    let shape = Shape { jet, ..shape_of(&model.spec) };
    let spread = Spread::with_shape(gpu, &model.spec, &JetGradientKernel::KERNEL, shape, points.count())?;
    let packed = spread.layout.packed as usize;
    let params = gpu.params(1)?;
    let values = gpu.zeros("values", weights.len())?;
    let slabs = gpu.zeros("slabs", spread.workgroups as usize * packed)?;
    let bound = JetGradientKernel {
        params: &params,
        net: &gpu.upload_uniform("net", &spread.layout.table)?,
        points: &gpu.upload("points", &to_f32(points.values()))?,
        tangents: &gpu.upload("tangents", &to_f32(if jet.tangents > 0 { tangents.values() } else { &[0.0] }))?,
        value_weights: &gpu.upload("value weights", &to_f32(weights))?,
        weights: &gpu.upload("weights", quads(&spread.layout.pack_with_transposes(&model.parameters)))?,
        scratch: &spread.scratch(gpu)?,
        slabs: &slabs,
        values: &values,
    }
    .bind(gpu, spread.shape)?;
    let (count, dim) = (points.count() as u32, points.dim() as u32);
    let (tiles, region, slab) = (spread.tiles, spread.layout.region, spread.layout.packed);
    gpu.write_params(&params, 0, &[JetParams { count, dim, tiles, region, slab, ..Default::default() }]);
    gpu.run(|pass| bound.dispatch(pass, 0, spread.workgroups));
    let gradient = reduced(gpu, &spread, &slabs)?;
    Ok(JetGradient { values: to_f64(&gpu.download(&values)?), gradient })
}

/// The sum of the workgroups' slabs, as parameters.
fn reduced(gpu: &Gpu, spread: &Spread, slabs: &Buffer<[f32; 4]>) -> Result<Vec<f64>> {
    let size = spread.layout.packed;
    let workgroups = size.div_ceil(WORKGROUP);
    let params = gpu.params(1)?;
    let gradient = gpu.zeros("gradient", size as usize)?;
    let squares = gpu.zeros("squares", workgroups as usize)?;
    let reduce = ReduceGradient { params: &params, slabs, gradient: &gradient, squares: &squares };
    let reduce = reduce.bind(gpu, spread.shape)?;
    gpu.write_params(&params, 0, &[ReduceParams { size, slab_count: spread.workgroups, ..Default::default() }]);
    gpu.run(|pass| reduce.dispatch(pass, 0, workgroups));
    Ok(spread.layout.unpack(bytemuck::cast_slice(&gpu.download(&gradient)?)))
}
