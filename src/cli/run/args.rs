//! The flags of `run`, and the plan that they make.

use std::path::PathBuf;

use clap::{Args as _, FromArgMatches as _};
use ebm_gpu::data::Dataset;
use ebm_gpu::engine::TrainingPlan;
use ebm_gpu::error::{Error, Result, unknown_name};
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec};
use ebm_gpu::objective::{Objective, ProbeLaw};
use ebm_gpu::optimizer::{Optimizer, Schedule};
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::{Langevin, STEP_PER_VARIANCE, annealed};
use serde::Serialize;

use super::super::contrast::default_steps;
use super::super::dataset::DataArgs;
use super::super::doubts;
use super::super::endurance::EnduranceArgs;
use super::super::engine::EngineArgs;
use super::super::objective::{ObjectiveArgs, Scales};
use super::super::{MOST_BATCH, MOST_CHAINS, check_count, seed_text, with_negative_numbers};

#[derive(clap::Args, Serialize, Clone)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Args {
    #[command(flatten)]
    #[serde(flatten)]
    pub(super) objective: ObjectiveArgs,
    #[command(flatten)]
    #[serde(flatten)]
    pub(super) source: DataArgs,

    /// Widths of the network: dimension of the points, hidden widths, 1 (energy) or that dimension again (score); for
    /// example 2-128-128-1
    #[arg(long, conflicts_with = "hidden")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) net: Option<String>,
    /// Widths of the hidden layers alone [default: 128,128]
    #[arg(long, value_delimiter = ',', value_name = "H,H,..")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hidden: Option<Vec<usize>>,
    /// Activation: silu, softplus, tanh, gelu, relu, leaky-relu
    #[arg(long, default_value = "silu")]
    pub(super) activation: String,

    /// What the network gives: energy (E, with the score as its gradient) or score (the field itself)
    #[arg(long, default_value = "energy")]
    pub(super) head: String,
    /// How the network sees the noise level of dsm and mdsm: none, scale (output / σ) or concat (ln σ is an input)
    #[arg(long, default_value = "none")]
    pub(super) conditioning: String,

    /// Training steps
    #[arg(long, default_value_t = 4000)]
    pub(super) steps: u64,
    /// Samples of a step
    #[arg(long, default_value_t = 256)]
    pub(super) batch: usize,
    /// Learning rate of Adam [default: 0.001; pcd: 0.003]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lr: Option<f64>,
    /// How the learning rate goes: constant or cosine
    #[arg(long, default_value = "cosine")]
    pub(super) schedule: String,
    /// Steps over which the learning rate rises from 0
    #[arg(long, default_value_t = 0)]
    pub(super) warmup: u64,
    /// Decoupled weight decay
    #[arg(long, default_value_t = 0.0)]
    pub(super) weight_decay: f64,
    /// Largest norm of a gradient; 0 for no limit
    #[arg(long, default_value_t = 1.0)]
    pub(super) clip: f64,
    /// The most of the average of the parameters that a step keeps, early steps less; 0 for no averaging
    #[arg(long, default_value_t = 0.999)]
    pub(super) ema: f64,
    /// Seed of everything that is random
    #[arg(long, default_value_t = 0)]
    #[serde(serialize_with = "seed_text")]
    pub(super) seed: u64,

    /// Langevin chains run after training; 0 for none
    #[arg(long, default_value_t = 4096)]
    pub(super) chains: usize,
    /// How chains move: ula (unadjusted Langevin) or annealed (the same through mdsm's ladder) [default: annealed for mdsm]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sampler: Option<String>,
    /// Steps of each chain; annealed: at each level [default: 500; annealed: 100]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chain_steps: Option<u64>,
    /// η of x ← x + η s(x) + √(2ηT) ξ, in the units of the network (a paper's α/2); annealed: at the smallest level, growing
    /// with σ² [default: 0.01; annealed: 0.05 of that level's σ²]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) step_size: Option<f64>,
    /// A last step x + σ² s(x) of chains without noise, at the σ of dsm or the smallest of mdsm
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) denoise: bool,
    /// T: chains sample exp(−E/T)
    #[arg(long, default_value_t = 1.0)]
    pub(super) temperature: f64,

    #[command(flatten)]
    #[serde(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    #[serde(flatten)]
    pub(super) endurance: EnduranceArgs,

    /// Where training diverges, go back to the last checkpoint (the one before where that was tried) with half the learning
    /// rate, at most so many times; 0 stops there. Which steps have checkpoints depends on the time that they take, unless
    /// --checkpoint-every says it
    #[arg(long, default_value_t = 0, value_name = "TIMES")]
    pub(super) rollback: usize,
    /// Stop when the loss on the validation points has not fallen for so many looks, and keep the best network; 0 never stops.
    /// cd and pcd, whose loss is no measure, are judged by sliced score matching
    #[arg(long, default_value_t = 0, value_name = "LOOKS")]
    pub(super) patience: u64,
    /// Steps between looks at the validation points [default: a fiftieth of the steps]
    #[arg(long, value_name = "STEPS", requires = "patience")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validate_every: Option<u64>,

    /// Write a checkpoint every so many steps; one is written every --save-every seconds and at the end in any case
    #[arg(long, default_value_t = 0, value_name = "STEPS")]
    pub(super) checkpoint_every: u64,
    /// How many of the last checkpoints are kept; with --patience the best network is kept as well
    #[arg(long, default_value_t = 3, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) keep: u64,
    /// Go on with the run in this folder, with its own flags, from its last checkpoint: it ends as if it had never stopped
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "force", "config"])]
    #[serde(skip)]
    pub(super) resume: Option<PathBuf>,
    /// Folder of the results [default: results/<loss>-<data>]; if it exists, a number is added
    #[arg(long, value_name = "DIR")]
    #[serde(skip)]
    pub(super) out: Option<PathBuf>,
    /// Write into the folder even if it exists
    #[arg(long)]
    #[serde(skip)]
    pub(super) force: bool,
    /// A TOML file of these flags, as every run writes one; what is given beside it wins
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub(super) config: Option<PathBuf>,
    /// Print one JSON object on stdout
    #[arg(long)]
    #[serde(skip)]
    pub(super) json: bool,
    /// No progress and no messages on stderr; warnings of data and results are in run.json
    #[arg(long)]
    #[serde(skip)]
    pub(super) quiet: bool,
}

/// Everything that the flags mean, checked.
pub(in crate::cli) struct Plan {
    pub(in crate::cli) data: Dataset,
    /// The flags of the data as JSON, for the checkpoint.
    pub(super) source: String,
    pub(in crate::cli) spec: MlpSpec,
    pub(in crate::cli) training: TrainingPlan,
    pub(super) sampling: Sampling,
    pub(super) seed: Seed,
    /// What the user should know, so far.
    pub(in crate::cli) warnings: Vec<String>,
}

/// How chains are run.
pub(super) struct Sampling {
    /// `ula` or `annealed`.
    pub(super) name: &'static str,
    /// Noise levels and the step at each; one for `ula`.
    pub(super) levels: Vec<(f64, Langevin)>,
    /// Steps at each level.
    pub(super) steps: u64,
    /// The last step without noise.
    pub(super) denoise: bool,
}

/// The learning rate unless said: persistent chains leave plateaus late at the usual one.
fn default_rate(loss: &str) -> f64 {
    if loss == "pcd" { 3e-3 } else { 1e-3 }
}

impl Args {
    /// From flags as the command line has them, resolved.
    pub(in crate::cli) fn of_flags(flags: impl IntoIterator<Item = String>) -> Result<Self> {
        let command = Self::augment_args(clap::Command::new("run")).mut_args(with_negative_numbers);
        let matches = command.try_get_matches_from(std::iter::once("run".to_string()).chain(flags));
        let mut args = matches.and_then(|m| Self::from_arg_matches(&m)).map_err(|e| {
            let text = e.to_string();
            Error::input(text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_string())
        })?;
        args.resolve();
        Ok(args)
    }

    /// The names of all flags.
    pub(in crate::cli) fn names() -> Vec<String> {
        let command = Self::augment_args(clap::Command::new("run"));
        command.get_arguments().filter_map(clap::Arg::get_long).map(str::to_string).collect()
    }

    /// What config.toml holds.
    pub(in crate::cli) fn config(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::failed(format!("cannot write config.toml: {e}")))
    }

    /// What tells one state of the data's file from another, as run.json has it.
    pub(in crate::cli) fn stamp(&self) -> serde_json::Value {
        serde_json::to_value(self.source.stamp()).unwrap_or_default()
    }

    /// The same run, going on in the folder where it was begun.
    pub(in crate::cli) fn resumed(self) -> Self {
        Self { resume: self.out.clone(), ..self }
    }

    /// The same run, saved every so many seconds.
    pub(in crate::cli) fn saved_every(mut self, seconds: f64) -> Self {
        self.endurance.save_every = seconds;
        self
    }

    /// Where the results go, if that is said.
    pub(in crate::cli) fn folder(&self) -> PathBuf {
        self.out.clone().unwrap_or_default()
    }

    /// Sets what depends on the objective and was not given, so that it stands in the record of the run.
    pub(super) fn resolve(&mut self) {
        let loss = &self.objective.loss;
        self.lr.get_or_insert(default_rate(loss));
        if matches!(loss.as_str(), "cd" | "pcd") {
            self.objective.negatives.k.get_or_insert(default_steps(loss));
        }
    }

    /// Checks all flags and loads the data; writes nothing.
    pub(in crate::cli) fn plan(&self) -> Result<Plan> {
        Objective::check_name(&self.objective.loss)?;
        ProbeLaw::by_name(&self.objective.probe_law)?;
        let activation = Activation::by_name(&self.activation)?;
        let (head, conditioning) = (Head::by_name(&self.head)?, Conditioning::by_name(&self.conditioning)?);
        // what is wrong whatever the data is refused before they are read
        self.objective.objective(&Scales::unit(1)?)?;
        let optimizer = Optimizer {
            schedule: Schedule::by_name(&self.schedule)?,
            warmup: self.warmup,
            weight_decay: self.weight_decay,
            clip: self.clip,
            ema: self.ema,
            ..Optimizer::adam(self.lr.unwrap_or(default_rate(&self.objective.loss)))
        };
        optimizer.check()?;
        check_count("batch", self.batch, 1, MOST_BATCH)?;
        self.source.check()?;
        check_count("chains", self.chains, 0, MOST_CHAINS)?;
        if !(1..u64::from(u32::MAX)).contains(&self.steps) {
            return Err(Error::input(format!("steps is {}, it has to be from 1 to 2^32 - 2", self.steps)));
        }
        self.sampling(None)?;
        if self.validate_every == Some(0) {
            return Err(Error::input("validate-every is 0, it has to be 1 or more"));
        }
        // a network that is wrong in itself is refused before the data is read
        let given =
            self.net.as_ref().map(|net| MlpSpec::parse_conditioned(net, activation, head, conditioning)).transpose()?;
        let hidden = self.hidden.clone().unwrap_or_else(|| vec![128, 128]);
        if let Some(i) = hidden.iter().position(|h| *h == 0) {
            return Err(Error::input(format!("hidden has a width of 0 at position {}", i + 1))
                .hint("every width is at least 1"));
        }
        let seed = Seed(self.seed);
        let data = self.source.load(seed)?;
        let spec = match given {
            Some(spec) if spec.dim() != data.dim() => {
                return Err(Error::input(format!(
                    "{} has {} columns, net {spec} takes {}",
                    self.source.data,
                    data.dim(),
                    spec.dim()
                ))
                .hint("--hidden 128,128 takes the number of columns from the data"));
            }
            Some(spec) => spec,
            None => MlpSpec::hidden(data.dim(), &hidden, activation, head, conditioning)?,
        };
        let (objective, mut warnings) = self.objective.objective(&Scales::of(&data.train)?)?;
        warnings.extend(objective.warnings(&spec));
        warnings.extend(doubts::of_training(&data));
        let sampling = self.sampling(Some(&objective))?;
        let training = TrainingPlan { objective, batch: self.batch, optimizer, steps: self.steps, seed };
        training.check(&spec)?;
        let source = serde_json::to_string(&self.source)
            .map_err(|e| Error::failed(format!("cannot write the flags of the data as JSON: {e}")))?;
        Ok(Plan { data, source, spec, training, sampling, seed, warnings })
    }

    /// How chains are run; checked with what is known if the objective is not known yet.
    fn sampling(&self, objective: Option<&Objective>) -> Result<Sampling> {
        let multi = self.objective.loss == "mdsm";
        let name = match (self.sampler.as_deref(), multi) {
            (Some("ula"), _) | (None, false) => "ula",
            (Some("annealed") | None, true) => "annealed",
            (Some("annealed"), false) => {
                return Err(Error::input(format!(
                    "annealed chains need the noise levels of mdsm, {} has none",
                    self.objective.loss
                ))
                .hint("--loss mdsm, or --sampler ula"));
            }
            (Some(other @ ("mala" | "hmc" | "tempering")), _) => {
                return Err(Error::input(format!("run samples by ula or annealed, not by {other}"))
                    .hint(format!("`ebm-gpu sample CHECKPOINT --sampler {other}` goes on from the model")));
            }
            (Some(other), _) => return Err(unknown_name("sampler", other, &["ula", "annealed"])),
        };
        if self.denoise && !multi && self.objective.loss != "dsm" {
            return Err(Error::input(format!("--denoise needs a noise level, {} has none", self.objective.loss)));
        }
        let steps = self.chain_steps.unwrap_or(if name == "annealed" { 100 } else { 500 });
        if steps >= u64::from(u32::MAX) / 4096 {
            return Err(Error::input(format!("chain-steps is {steps}, the most is {}", u32::MAX / 4096)));
        }
        let levels = match objective {
            Some(Objective::Denoising(denoising)) if name == "annealed" => {
                let ladder = &denoising.ladder;
                let last = self.step_size.unwrap_or(STEP_PER_VARIANCE * ladder.smallest().powi(2));
                annealed(ladder, last, self.temperature)?
            }
            _ => {
                let sigma = objective.map_or(0.0, Objective::smoothing);
                vec![(sigma, Langevin::new(self.step_size.unwrap_or(0.01), self.temperature)?)]
            }
        };
        Ok(Sampling { name, levels, steps, denoise: self.denoise })
    }
}
