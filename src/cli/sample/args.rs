//! The flags of `sample`.

use std::path::PathBuf;

use serde::Serialize;

use super::super::endurance::EnduranceArgs;
use super::super::engine::EngineArgs;
use super::super::seed_text;

/// The samplers, by name.
pub(super) const SAMPLERS: &[&str] = &["ula", "mala", "hmc", "annealed", "tempering"];

#[derive(clap::Args, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Args {
    /// A model: a .safetensors file as `run` writes it, or the folder of a run
    #[arg(value_name = "CHECKPOINT", conflicts_with = "target")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checkpoint: Option<PathBuf>,
    /// An analytic target instead: gaussian, gmm, gmm-ncsn, banana, double-well, rosenbrock, rastrigin, ackley, himmelblau,
    /// funnel, u1, u2, u3, u4
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    /// Coordinates of a target that can have any number
    #[arg(long, requires = "target")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dim: Option<usize>,
    /// The covariance of --target gaussian, [d, d] as .npy; the mean is 0
    #[arg(long, requires = "target", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) covariance: Option<PathBuf>,

    /// How chains move: ula (unadjusted Langevin), mala (with acceptance), hmc (Hamiltonian), annealed (ula through noise
    /// levels), tempering (mala or hmc at several temperatures that exchange their chains) [default: ula; annealed where
    /// the model has a ladder]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sampler: Option<String>,
    /// Chains
    #[arg(long, default_value_t = 4096)]
    pub(super) chains: usize,
    /// Steps of each chain after burn-in; annealed: at each level
    #[arg(long, default_value_t = 1000)]
    pub(super) steps: u64,
    /// ula, mala, annealed: η of x ← x − η∇E + √(2ηT) ξ (a paper's α/2), annealed at the last level; hmc, tempering: ε, the time
    /// of a leapfrog [default: 0.01; hmc, tempering 0.1; annealed 0.05 of the last level's σ²]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) step_size: Option<f64>,
    /// Steps before the first draw, which are dropped
    #[arg(long, default_value_t = 0)]
    pub(super) burn_in: u64,
    /// mala, hmc, tempering: adapt each chain's step to this acceptance during burn-in (0.57 suits mala, 0.8 hmc)
    #[arg(long, value_name = "ACCEPTANCE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) adapt: Option<f64>,
    /// Steps between draws, which are kept of the first 128 chains and diagnosed where the chains run, and for --draws
    /// [default: so many that there are 200 draws]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thin: Option<u64>,
    /// T: chains sample exp(−E/T)
    #[arg(long, default_value_t = 1.0)]
    pub(super) temperature: f64,
    /// ula: the standard deviation of a step's noise, instead of √(2ηT)
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) noise_scale: Option<f64>,
    /// hmc, tempering: leapfrogs of a proposal [default: 10]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) leapfrogs: Option<u32>,
    /// mala, hmc, tempering: the mass of each coordinate
    #[arg(long, value_delimiter = ',', value_name = "M,M,..")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mass: Option<Vec<f64>>,
    /// tempering: the temperatures, the hottest first and 1 at the end [default: 30,15,5,2,1]
    #[arg(long, value_delimiter = ',', value_name = "T,T,..")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperatures: Option<Vec<f64>>,
    /// tempering: steps between exchanges [default: 5]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) swap_every: Option<u64>,
    /// Keep every coordinate in this interval [default: the target's own box, where it has one]
    #[arg(long = "box", value_delimiter = ',', num_args = 1, value_name = "LOW,HIGH", allow_hyphen_values = true)]
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub(super) bounds: Option<Vec<f64>>,
    /// What happens at the walls of the box: reflect, or clamp (ula, annealed) [default: reflect]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wall: Option<String>,
    /// annealed: noise levels, for a target (gaussian, gmm, gmm-ncsn) or a model that sees the level [default: the model's own]
    #[arg(long, value_name = "S,S,..")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ladder: Option<String>,
    /// The noise level of a model that sees it [default: the smallest it was trained on]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sigma: Option<f64>,
    /// annealed: a last step x + σ² s(x) without noise
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) denoise: bool,
    /// Where chains start: LOW,HIGH (uniform in that box) or points as .npy, [chains, d], in original units [default: the
    /// target's own box; a normal law with the mean and variances of the model's data]
    #[arg(long, value_name = "LOW,HIGH|FILE", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<String>,
    /// Seed of everything that is random
    #[arg(long, default_value_t = 0)]
    #[serde(serialize_with = "seed_text")]
    pub(super) seed: u64,
    /// Also write all draws, every --thin steps, to draws.npy, [draws, chains, d]
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) draws: bool,
    /// Also draw chains on their way, burn-in included, over the energy: the paths of the first N (trajectories.png and .svg),
    /// and up to 1500 that move (chains.gif)
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trajectories: Option<usize>,

    #[command(flatten)]
    #[serde(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    #[serde(flatten)]
    pub(super) endurance: EnduranceArgs,
    /// Folder of the results [default: results/sample-<name>]; if it exists, a number is added
    #[arg(long, value_name = "DIR")]
    #[serde(skip)]
    pub(super) out: Option<PathBuf>,
    /// Write into the folder even if it exists
    #[arg(long)]
    #[serde(skip)]
    pub(super) force: bool,
    /// Go on with the chains in this folder, with their own flags, from where they were saved last: they end as if they had
    /// never stopped
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "force"])]
    #[serde(skip)]
    pub(super) resume: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    #[serde(skip)]
    pub(super) json: bool,
    /// No progress and no messages on stderr; warnings of draws are in sample.json
    #[arg(long)]
    #[serde(skip)]
    pub(super) quiet: bool,
}
