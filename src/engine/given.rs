//! A batch whose random numbers are given instead of drawn.

use crate::error::{Error, Result};
use crate::model::MlpSpec;
use crate::objective::{Objective, Program, Tangents};
use crate::points::Points;

/// Points of a batch, and what an objective would otherwise draw for them.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// x, `[batch, dim]`.
    pub points: &'a Points,
    /// z of denoising, `[batch, dim]`.
    pub noise: Option<&'a Points>,
    /// σ of each sample; the objective's only level if not given.
    pub sigmas: Option<&'a [f64]>,
    /// vₖ, `[batch · K, dim]`, those of a sample together; for finite differences their length is ε.
    pub probes: Option<&'a Points>,
    /// Negative points, `[batch · M, dim]`, those of a sample together.
    pub negatives: Option<&'a Points>,
}

impl<'a> Given<'a> {
    /// Points alone, for objectives that draw nothing.
    pub fn points(points: &'a Points) -> Self {
        Self { points, noise: None, sigmas: None, probes: None, negatives: None }
    }

    /// Points and noise, for denoising at one level.
    pub fn noisy(points: &'a Points, noise: &'a Points) -> Self {
        Self { noise: Some(noise), ..Self::points(points) }
    }

    /// Points and probes, for sliced objectives.
    pub fn probed(points: &'a Points, probes: &'a Points) -> Self {
        Self { probes: Some(probes), ..Self::points(points) }
    }

    /// Points and negatives, for objectives that learn by contrast.
    pub fn contrasted(points: &'a Points, negatives: &'a Points) -> Self {
        Self { negatives: Some(negatives), ..Self::points(points) }
    }

    /// Checks that everything the objective needs is there and has the shape of the points.
    ///
    /// # Errors
    /// What is missing or of another shape, with both numbers; a network that the objective is not defined for.
    pub fn check(&self, objective: &Objective, spec: &MlpSpec) -> Result<()> {
        objective.check(spec)?;
        let (name, batch, d) = (objective.name(), self.points.count(), self.points.dim());
        if d != spec.dim() {
            return Err(Error::input(format!("points have {d} columns, the model takes {}", spec.dim())));
        }
        let (noisy, probes) = match objective.program(spec.head()) {
            Program::Difference(fd) => (false, fd.probes),
            Program::Contrast(contrast) => return self.check_negatives(name, contrast.negatives),
            Program::Matching(terms) => match terms.tangents {
                Tangents::Probes(probes) => (false, probes.count),
                _ => (terms.denoising.is_some(), 0),
            },
        };
        if noisy {
            let noise = self.noise.ok_or_else(|| {
                Error::input(format!("{name} needs its noise z"))
                    .hint("--noise z.npy, of the shape of the data, standard normal")
            })?;
            if (noise.count(), noise.dim()) != (batch, d) {
                let (rows, columns) = (noise.count(), noise.dim());
                return Err(Error::input(format!("the noise is {rows} x {columns}, the points are {batch} x {d}")));
            }
            match self.sigmas {
                None if name == "mdsm" => {
                    return Err(Error::input("mdsm needs the noise level of each sample").hint("--sigma s.npy, [B]"));
                }
                Some(sigmas) if sigmas.len() != batch => {
                    return Err(Error::input(format!("{} noise levels for {batch} points", sigmas.len())));
                }
                Some(sigmas) => {
                    if let Some(i) = sigmas.iter().position(|s| !(1e-6..=1e6).contains(s)) {
                        let sigma = sigmas[i];
                        return Err(Error::input(format!(
                            "sigma of sample {i} is {sigma}, it has to be from 1e-6 to 1e6"
                        )));
                    }
                }
                None => {}
            }
        }
        if probes > 0 {
            let given = self.probes.ok_or_else(|| {
                Error::input(format!("{name} needs its probes v")).hint("--probes v.npy, of shape [B, K, d]")
            })?;
            if (given.count(), given.dim()) != (batch * probes, d) {
                let (rows, columns) = (given.count(), given.dim());
                return Err(Error::input(format!(
                    "the probes are {rows} vectors of {columns}, {batch} points with {probes} each need {} of {d}",
                    batch * probes
                )));
            }
            let still = |v: &[f64]| v.iter().all(|v| *v == 0.0);
            if let Some(i) = given.rows().position(still).filter(|_| name == "fd-ssm") {
                let (sample, k) = (i / probes, i % probes);
                return Err(Error::input(format!("probe {k} of sample {sample} is 0, fd-ssm divides by its length")));
            }
        }
        Ok(())
    }

    fn check_negatives(&self, name: &str, each: usize) -> Result<()> {
        let (batch, d) = (self.points.count(), self.points.dim());
        let negatives = self.negatives.ok_or_else(|| {
            Error::input(format!("{name} needs its negative points y")).hint("--negatives y.npy, of shape [B, M, d]")
        })?;
        let (rows, columns) = (negatives.count(), negatives.dim());
        if (rows, columns) == (batch * each, d) {
            return Ok(());
        }
        if matches!(name, "cd" | "pcd") && columns == d && rows.is_multiple_of(batch) {
            let has = rows / batch;
            return Err(Error::input(format!("{name} has one negative point for each sample, here are {has} each")));
        }
        Err(Error::input(format!(
            "the negatives are {rows} points of {columns}, {batch} points with {each} each need {} of {d}",
            batch * each
        )))
    }
}
