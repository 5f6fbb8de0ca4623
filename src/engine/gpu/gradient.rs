//! Loss and parameter gradient of an objective on a batch whose random numbers are given.

use super::device::{Buffer, Gpu};
use super::kernel::WORKGROUP;
use super::kernels::{ReduceGradient, ReduceParams};
use super::loss::{LossPass, Samples};
use super::spread::{Spread, to_f64};
use super::tiles::Phase;
use crate::engine::{Given, LossGradient};
use crate::error::Result;
use crate::model::Model;
use crate::objective::Objective;

/// Losses and the gradient of their mean.
pub(super) fn loss_gradient(
    gpu: &Gpu,
    model: &Model,
    objective: &Objective,
    given: &Given<'_>,
) -> Result<LossGradient> {
    let samples = Samples::Given(*given);
    let (pass, _) = LossPass::new(gpu, &model.spec, objective, samples, &model.parameters, 1)?;
    pass.submit(gpu, &mut Phase::new(gpu, pass.spread.tiles), 0, &pass.fixed)?;
    let gradient = reduced(gpu, &pass.spread, &pass.slabs)?;
    let mut losses = to_f64(&gpu.download(&pass.losses)?);
    // what parts of a tile have made lies behind
    losses.truncate(given.points.count());
    Ok(LossGradient { losses, gradient, multiply_adds: None })
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
    gpu.write_params(&params, 0, &[ReduceParams { size, slab_count: spread.tiles.workgroups, ..Default::default() }]);
    gpu.run(|pass| reduce.dispatch(pass, 0, workgroups));
    Ok(spread.layout.unpack(bytemuck::cast_slice(&gpu.download(&gradient)?)))
}
