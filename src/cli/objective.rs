//! The flags that name an objective, shared by `run`, `bench train` and `grad`.

use ebm_gpu::error::Result;
use ebm_gpu::objective::{Denoising, FdSsm, Ladder, Objective, ProbeLaw, Probes, SeparableLaw, Weighting};
use ebm_gpu::points::Points;
use serde::Serialize;

use super::contrast::NegativeArgs;

#[derive(clap::Args, Serialize, Clone)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ObjectiveArgs {
    /// The objective: esm, ssm, ssm-vr, fd-ssm (explicit, sliced, variance-reduced, finite-difference score matching), dsm,
    /// mdsm (denoising at one noise level, at many), cd, pcd (contrastive divergence from the data, from a replay buffer),
    /// ed (energy discrepancy), nce (noise-contrastive estimation)
    #[arg(long, default_value = "dsm")]
    pub(crate) loss: String,
    /// dsm: standard deviation of the noise, in the units of the network (standardised, for files)
    #[arg(long, default_value_t = 0.3)]
    pub(crate) sigma: f64,
    /// dsm, mdsm: the factor of ½|s + z/σ|²: one (1), sigma2 (σ²), sigma4 (σ⁴), or the exponent of σ
    #[arg(long, default_value = "sigma2")]
    pub(crate) weighting: String,
    /// ssm, ssm-vr, fd-ssm: random directions of a sample
    #[arg(long, default_value_t = 1)]
    pub(crate) probes: usize,
    /// ssm, ssm-vr: law of the directions: gaussian, rademacher or sphere (of radius √d)
    #[arg(long, default_value = "rademacher")]
    pub(crate) probe_law: String,
    /// fd-ssm: length of a direction, relative to the data's standard deviation
    #[arg(long, default_value_t = 0.1)]
    pub(crate) epsilon: f64,
    /// mdsm: noise levels: geometric, linear, or the levels themselves (1,0.5,0.1)
    #[arg(long, default_value = "geometric", value_name = "KIND|S,S,..")]
    pub(crate) ladder: String,
    /// mdsm: the largest level [default: the largest distance between training points]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sigma_max: Option<f64>,
    /// mdsm: the smallest level
    #[arg(long, default_value_t = 0.1)]
    pub(crate) sigma_min: f64,
    /// mdsm: how many levels
    #[arg(long, default_value_t = 10)]
    pub(crate) levels: usize,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) negatives: NegativeArgs,
}

/// What an objective takes from the data.
pub(super) struct Scales {
    /// The root mean square of the coordinates' standard deviations.
    pub(super) deviation: f64,
    /// The largest distance between two of the first thousand points.
    pub(super) diameter: f64,
    /// The normal law of their mean and standard deviations.
    pub(super) normal: SeparableLaw,
    /// The uniform law of the box that holds them.
    pub(super) bounds: SeparableLaw,
}

impl Scales {
    /// Scales of standard normal data.
    pub(super) fn unit(dim: usize) -> Result<Self> {
        let corners = Points::new(dim, [vec![-3.0; dim], vec![3.0; dim]].concat());
        let (normal, bounds) = (SeparableLaw::isotropic(dim, 1.0)?, SeparableLaw::around(&corners)?);
        Ok(Self { deviation: 1.0, diameter: 6.0, normal, bounds })
    }

    pub(super) fn of(points: &Points) -> Result<Self> {
        /// Points whose distances are looked at.
        const SOME: usize = 1000;
        let (n, d) = (points.count() as f64, points.dim());
        let variance = |axis: usize| {
            let mean = points.rows().map(|x| x[axis]).sum::<f64>() / n;
            points.rows().map(|x| (x[axis] - mean).powi(2)).sum::<f64>() / n
        };
        let deviation = ((0..d).map(variance).sum::<f64>() / d as f64).sqrt();
        let some: Vec<&[f64]> = points.rows().take(SOME).collect();
        let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let pairs = some.iter().enumerate().flat_map(|(i, a)| some[i + 1..].iter().map(|b| square(a, b)));
        let (normal, bounds) = (SeparableLaw::fitted(points, 1.0)?, SeparableLaw::around(points)?);
        Ok(Self { deviation, diameter: pairs.fold(0.0, f64::max).sqrt(), normal, bounds })
    }
}

impl ObjectiveArgs {
    /// The objective, and what a user should know about its scales.
    pub(super) fn objective(&self, scales: &Scales) -> Result<(Objective, Vec<String>)> {
        Objective::check_name(&self.loss)?;
        if let Some(objective) = self.negatives.objective(&self.loss, scales)? {
            return Ok((objective, Vec::new()));
        }
        let mut warnings = Vec::new();
        let probes = || Probes::new(self.probes, ProbeLaw::by_name(&self.probe_law)?);
        let objective = match self.loss.as_str() {
            "esm" => Objective::Esm,
            "ssm" => Objective::Ssm(probes()?),
            "ssm-vr" => Objective::SsmVr(probes()?),
            "fd-ssm" => Objective::FdSsm(FdSsm::new(self.probes, self.epsilon * scales.deviation)?),
            "mdsm" => {
                let largest = self.sigma_max.unwrap_or(scales.diameter);
                let ladder = Ladder::parse(&self.ladder, largest, self.sigma_min, self.levels)?;
                if ladder.largest() < scales.diameter / 3.0 {
                    warnings.push(format!(
                        "the ladder's largest sigma is {:.3}, less than a third of the data's diameter {:.3}: annealed chains \
                         will not find the right weights of distant modes",
                        ladder.largest(),
                        scales.diameter
                    ));
                }
                let weighting = Weighting::by_name(&self.weighting)?;
                Objective::Denoising(Denoising { ladder, weighting })
            }
            _ => Objective::Denoising(Denoising::single(self.sigma, Weighting::by_name(&self.weighting)?)?),
        };
        Ok((objective, warnings))
    }
}
