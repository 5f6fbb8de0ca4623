//! The flags of objectives that learn by contrast.

use ebm_gpu::error::{Error, Result, unknown_name};
use ebm_gpu::objective::{Contrastive, Discrepancy, NoiseContrastive, Objective, Replay, SeparableLaw};
use ebm_gpu::points::Points;
use serde::Serialize;

use super::objective::Scales;

/// What the loss of given points and negatives depends on.
#[derive(clap::Args, Serialize, Clone)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FormArgs {
    /// cd, pcd: α of α(E(x)² + E(y)²), which keeps energies near 0
    #[arg(long, default_value_t = 0.0)]
    pub(super) alpha: f64,
    /// ed: w, which holds the sum over negatives away from 0; 1 is consistent
    #[arg(long, default_value_t = 1.0, value_name = "W")]
    pub(super) ed_w: f64,
    /// nce: standard deviations of the noise, relative to those of the data, around their mean [default: 2; grad: the noise that
    /// the checkpoint has learnt against, if it names one]
    #[arg(long, value_name = "FACTOR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) noise_scale: Option<f64>,
    /// nce: noise of N(0, S² I), in the units of the network, in place of one fitted to the data
    #[arg(long, value_name = "S", conflicts_with = "noise_scale")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) noise_std: Option<f64>,
}

impl FormArgs {
    /// q of nce, for data that this normal law fits.
    pub(super) fn noise(&self, fitted: &SeparableLaw) -> Result<SeparableLaw> {
        if let Some(deviation) = self.noise_std {
            return SeparableLaw::isotropic(fitted.dim(), deviation);
        }
        let factor = self.noise_scale.unwrap_or(2.0);
        SeparableLaw::normal(fitted.origin().to_vec(), fitted.scale().iter().map(|s| factor * s).collect())
    }

    /// The objective of that name for `each` negatives that are given for a sample, if it is one that learns by contrast;
    /// `own` is the noise law of the network's training, `points` the data without one.
    pub(super) fn given(
        &self,
        name: &str,
        each: usize,
        own: Option<SeparableLaw>,
        points: &Points,
    ) -> Result<Option<Objective>> {
        Ok(Some(match name {
            // where chains start and how they move shows in the negatives alone
            "cd" => Objective::Cd(Contrastive::new(1, 1.0, self.alpha, 0.0)?),
            "pcd" => {
                let chains = Contrastive::new(1, 1.0, self.alpha, 0.0)?;
                Objective::Pcd(chains, Replay::new(points.count(), 0.0, SeparableLaw::isotropic(points.dim(), 1.0)?)?)
            }
            "ed" => Objective::Ed(Discrepancy::new(1.0, each, self.ed_w)?),
            "nce" => {
                let own = own.filter(|_| self.noise_scale.is_none() && self.noise_std.is_none());
                let fitted = || self.noise(&SeparableLaw::fitted(points, 1.0)?);
                Objective::Nce(NoiseContrastive::new(each, own.map_or_else(fitted, Ok)?)?)
            }
            _ => return Ok(None),
        }))
    }
}

/// Where negatives come from in training.
#[derive(clap::Args, Serialize, Clone)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct NegativeArgs {
    #[command(flatten)]
    #[serde(flatten)]
    pub(super) form: FormArgs,
    /// cd, pcd: Langevin steps of a chain in a training step [default: 60; pcd: 20; bench: 10]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) k: Option<usize>,
    /// cd, pcd: step size of those chains, y ← y − η∇E(y) + √(2η) ξ, in the units of the network (a paper's h is 2η)
    #[arg(long, default_value_t = 0.01)]
    pub(super) eta: f64,
    /// cd, pcd: standard deviation of noise on the data, whose smoothed law is then learnt
    #[arg(long, default_value_t = 0.0, value_name = "S")]
    pub(super) data_noise: f64,
    /// pcd: chains that the replay buffer keeps
    #[arg(long, default_value_t = 10_000, value_name = "CHAINS")]
    pub(super) buffer: usize,
    /// pcd: probability that a chain begins anew at a training step
    #[arg(long, default_value_t = 0.05, value_name = "P")]
    pub(super) restart: f64,
    /// pcd: where chains begin: uniform (over the box of the data) or normal (with their mean and deviations)
    #[arg(long, default_value = "uniform", value_name = "LAW")]
    pub(super) restart_law: String,
    /// ed: t, the variance of each of the two perturbations, in the squared units of the network [default: 1]
    #[arg(long, value_name = "T")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ed_t: Option<f64>,
    /// ed: the standard deviation √t instead
    #[arg(long, value_name = "S", conflicts_with = "ed_t")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ed_sigma: Option<f64>,
    /// ed: M, the negatives of a sample
    #[arg(long, default_value_t = 4, value_name = "M")]
    pub(super) ed_m: usize,
    /// nce: ν, the points of noise a sample
    #[arg(long, default_value_t = 1)]
    pub(super) nu: usize,
}

/// k unless said: chains that go on at the next step need fewer than those that start again.
pub(super) fn default_steps(loss: &str) -> usize {
    if loss == "pcd" { 20 } else { 60 }
}

impl NegativeArgs {
    /// The objective of that name, if it is one that learns by contrast.
    pub(super) fn objective(&self, name: &str, scales: &Scales) -> Result<Option<Objective>> {
        let steps = self.k.unwrap_or(default_steps(name));
        let chains = || Contrastive::new(steps, self.eta, self.form.alpha, self.data_noise);
        Ok(Some(match name {
            "cd" => Objective::Cd(chains()?),
            "pcd" => {
                let start = match self.restart_law.as_str() {
                    "uniform" => scales.bounds.clone(),
                    "normal" => scales.normal.clone(),
                    other => return Err(unknown_name("restart law", other, &["uniform", "normal"])),
                };
                Objective::Pcd(chains()?, Replay::new(self.buffer, self.restart, start)?)
            }
            "ed" => {
                if let Some(sigma) = self.ed_sigma.filter(|s| s.is_nan() || *s <= 0.0) {
                    return Err(Error::input(format!("ed-sigma is {sigma}, a standard deviation is above 0")));
                }
                let t = self.ed_t.or(self.ed_sigma.map(|s| s * s)).unwrap_or(1.0);
                Objective::Ed(Discrepancy::new(t, self.ed_m, self.form.ed_w)?)
            }
            "nce" => Objective::Nce(NoiseContrastive::new(self.nu, self.form.noise(&scales.normal)?)?),
            _ => return Ok(None),
        }))
    }
}
