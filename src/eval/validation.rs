//! A number for held-out points that training can be stopped by: the objective's own loss with draws that stay the same, or
//! for objectives whose loss is no measure a score-based one.

#[cfg(test)]
mod tests;

use crate::data::law::normal;
use crate::engine::{Engine, Given};
use crate::error::{Error, Result};
use crate::model::{MlpSpec, Model};
use crate::objective::{Objective, ProbeLaw, Probes, Program, Proposal, Tangents};
use crate::points::Points;
use crate::random::{Seed, Stream};

/// The most points that are looked at.
const MOST: usize = 2000;

/// Held-out points with everything that the objective would draw for them.
#[derive(Debug, Clone)]
pub struct Validation {
    objective: Objective,
    points: Points,
    noise: Points,
    sigmas: Vec<f64>,
    probes: Option<Points>,
    negatives: Option<Points>,
}

impl Validation {
    /// For training by `objective`: its own loss; for cd and pcd, whose loss is none, that of sliced score matching with
    /// reduced variance (Song et al. 2019, arXiv:1905.07088), which is least for the data's own score.
    ///
    /// # Errors
    /// There are no points, or the network has no second derivatives and the objective no loss to judge by.
    pub fn new(objective: &Objective, spec: &MlpSpec, points: &Points, seed: Seed) -> Result<Self> {
        if points.count() == 0 {
            return Err(Error::input("there are no rows for validation").hint("more data, or --validation 0.2"));
        }
        let objective = match objective {
            Objective::Cd(_) | Objective::Pcd(..) => Objective::SsmVr(Probes::new(1, ProbeLaw::Rademacher)?),
            other => other.clone(),
        };
        objective.check(spec).map_err(|e| e.hint("validation of cd and pcd is by the score: --activation silu"))?;
        let d = points.dim();
        let some = points.count().min(MOST);
        let points = Points::new(d, points.values()[..some * d].to_vec());
        let mut rng = seed.sequence(Stream::Host, 4);
        let mut normals = |count: usize| Points::new(d, (0..count * d).map(|_| normal(&mut rng)).collect());
        let noise = normals(some);
        let levels = match &objective {
            Objective::Denoising(denoising) => denoising.ladder.levels().to_vec(),
            _ => vec![1.0],
        };
        // as many points of each level
        let sigmas = (0..some).map(|i| levels[i % levels.len()]).collect();
        let (mut probes, mut negatives) = (None, None);
        match objective.program(spec.head()) {
            Program::Matching(terms) => {
                if let Tangents::Probes(law) = terms.tangents {
                    let mut drawn = normals(some * law.count);
                    shape(&mut drawn, law.law, (d as f64).sqrt());
                    probes = Some(drawn);
                }
            }
            Program::Difference(fd) => {
                let mut drawn = normals(some * fd.probes);
                shape(&mut drawn, ProbeLaw::Sphere, fd.epsilon);
                probes = Some(drawn);
            }
            Program::Contrast(contrast) => {
                let each = contrast.negatives;
                let mut drawn = normals(some * each);
                match contrast.proposal {
                    Proposal::Perturbed { t } => {
                        let shared = normals(some);
                        for (i, y) in drawn.values_mut().chunks_exact_mut(d).enumerate() {
                            let (x, xi) = (points.row(i / each), shared.row(i / each));
                            y.iter_mut().zip(x.iter().zip(xi)).for_each(|(y, (x, xi))| *y = x + t.sqrt() * (xi + *y));
                        }
                    }
                    Proposal::Law(law) => {
                        for y in drawn.values_mut().chunks_exact_mut(d) {
                            let map = law.origin().iter().zip(law.scale());
                            y.iter_mut().zip(map).for_each(|(y, (origin, scale))| *y = origin + scale * *y);
                        }
                    }
                    Proposal::Chains(..) => {}
                }
                negatives = Some(drawn);
            }
        }
        Ok(Self { objective, points, noise, sigmas, probes, negatives })
    }

    /// What is measured, in the words of `--loss`.
    pub fn name(&self) -> &'static str {
        self.objective.name()
    }

    /// The mean loss of a network.
    ///
    /// # Errors
    /// The device failed.
    pub fn loss(&self, engine: &dyn Engine, model: &Model) -> Result<f64> {
        let given = Given {
            points: &self.points,
            noise: Some(&self.noise),
            sigmas: matches!(self.objective, Objective::Denoising(_)).then_some(&self.sigmas),
            probes: self.probes.as_ref(),
            negatives: self.negatives.as_ref(),
        };
        Ok(engine.loss_gradient(model, &self.objective, &given)?.loss())
    }
}

/// Makes normal vectors draws of another law; those on the sphere get this radius.
fn shape(drawn: &mut Points, law: ProbeLaw, radius: f64) {
    let d = drawn.dim();
    for v in drawn.values_mut().chunks_exact_mut(d) {
        match law {
            ProbeLaw::Gaussian => {}
            ProbeLaw::Rademacher => v.iter_mut().for_each(|v| *v = v.signum()),
            ProbeLaw::Sphere => {
                let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
                v.iter_mut().for_each(|v| *v *= radius / length);
            }
        }
    }
}
