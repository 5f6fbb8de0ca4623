//! The flags of `sample`, and what chains they make.

use std::path::{Path, PathBuf};

use ebm_gpu::data::Standardizer;
use ebm_gpu::data::npy::read_npy;
use ebm_gpu::engine::Landscape;
use ebm_gpu::error::{Error, Result, unknown_name};
use ebm_gpu::model::{Conditioning, Model, read_checkpoint};
use ebm_gpu::objective::Ladder;
use ebm_gpu::points::Points;
use ebm_gpu::random::{Seed, Stream};
use ebm_gpu::sample::{SamplingPlan, Stage};
use ebm_gpu::sampler::{Bounds, Hamiltonian, Langevin, STEP_PER_VARIANCE, Transition, Wall, annealed};
use ebm_gpu::target::Target;

use super::super::engine::EngineArgs;
use super::super::{MOST_CHAINS, check_count};
use super::trajectories;

/// The samplers, by name.
pub(super) const SAMPLERS: &[&str] = &["ula", "mala", "hmc", "annealed", "tempering"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A model: a .safetensors file as `run` writes it
    #[arg(value_name = "CHECKPOINT", required_unless_present = "target", conflicts_with = "target")]
    pub(super) checkpoint: Option<PathBuf>,
    /// An analytic target instead: gaussian, gmm, gmm-ncsn, banana, double-well, rosenbrock, rastrigin, ackley, himmelblau,
    /// funnel, u1, u2, u3, u4
    #[arg(long, value_name = "NAME")]
    pub(super) target: Option<String>,
    /// Coordinates of a target that can have any number
    #[arg(long, requires = "target")]
    pub(super) dim: Option<usize>,
    /// The covariance of --target gaussian, [d, d] as .npy; the mean is 0
    #[arg(long, requires = "target", value_name = "FILE")]
    pub(super) covariance: Option<PathBuf>,

    /// How chains move: ula (unadjusted Langevin), mala (with acceptance), hmc (Hamiltonian), annealed (ula through noise
    /// levels), tempering (mala or hmc at several temperatures that exchange their chains) [default: ula; annealed where
    /// the model has a ladder]
    #[arg(long)]
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
    pub(super) step_size: Option<f64>,
    /// Steps before the first draw, which are dropped
    #[arg(long, default_value_t = 0)]
    pub(super) burn_in: u64,
    /// mala, hmc, tempering: adapt each chain's step to this acceptance during burn-in (0.57 suits mala, 0.8 hmc)
    #[arg(long, value_name = "ACCEPTANCE")]
    pub(super) adapt: Option<f64>,
    /// Steps between draws for diagnostics, and for --draws [default: so many that there are 200 draws]
    #[arg(long)]
    pub(super) thin: Option<u64>,
    /// T: chains sample exp(−E/T)
    #[arg(long, default_value_t = 1.0)]
    pub(super) temperature: f64,
    /// ula: the standard deviation of a step's noise, instead of √(2ηT)
    #[arg(long)]
    pub(super) noise_scale: Option<f64>,
    /// hmc, tempering: leapfrogs of a proposal
    #[arg(long, default_value_t = 10)]
    pub(super) leapfrogs: u32,
    /// hmc, tempering: the mass of each coordinate
    #[arg(long, value_delimiter = ',', value_name = "M,M,..")]
    pub(super) mass: Option<Vec<f64>>,
    /// tempering: the temperatures, the hottest first and 1 at the end
    #[arg(long, value_delimiter = ',', value_name = "T,T,..", default_value = "30,15,5,2,1")]
    pub(super) temperatures: Vec<f64>,
    /// tempering: steps between exchanges
    #[arg(long, default_value_t = 5)]
    pub(super) swap_every: u64,
    /// Keep every coordinate in this interval [default: the target's own box, where it has one]
    #[arg(long = "box", value_delimiter = ',', num_args = 1, value_name = "LOW,HIGH", allow_hyphen_values = true)]
    pub(super) bounds: Option<Vec<f64>>,
    /// What happens at the walls: reflect, or clamp (ula alone)
    #[arg(long, default_value = "reflect")]
    pub(super) wall: String,
    /// annealed: noise levels, for a target (gaussian, gmm, gmm-ncsn) or a model that sees the level [default: the model's own]
    #[arg(long, value_name = "S,S,..")]
    pub(super) ladder: Option<String>,
    /// The noise level of a model that sees it [default: the smallest it was trained on]
    #[arg(long)]
    pub(super) sigma: Option<f64>,
    /// annealed: a last step x + σ² s(x) without noise
    #[arg(long)]
    pub(super) denoise: bool,
    /// Where chains start: LOW,HIGH (uniform in that box) or points as .npy, [chains, d], in original units [default: the
    /// target's own box; a normal law with the mean and variances of the model's data]
    #[arg(long, value_name = "LOW,HIGH|FILE", allow_hyphen_values = true)]
    pub(super) start: Option<String>,
    /// Seed of everything that is random
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Also write all draws, every --thin steps, to draws.npy, [draws, chains, d]
    #[arg(long)]
    pub(super) draws: bool,
    /// Also draw chains on their way, burn-in included, over the energy: the paths of the first N (trajectories.png and .svg),
    /// and up to 1500 that move (chains.gif)
    #[arg(long, value_name = "N")]
    pub(super) trajectories: Option<usize>,

    #[command(flatten)]
    pub(super) engine: EngineArgs,
    /// Folder of the results [default: results/sample-<name>]; if it exists, a number is added
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Write into the folder even if it exists
    #[arg(long)]
    pub(super) force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// No progress and no messages
    #[arg(long)]
    pub(super) quiet: bool,
}

/// What is sampled from, with everything that goes with it.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// From the units of the landscape back to the original ones.
    pub(super) standardizer: Standardizer,
    /// Mean and standard deviation of the data in the units of the landscape.
    data: Option<[Vec<f64>; 2]>,
    /// The levels and the landscape at each, the largest first; one if it has none.
    pub(super) levels: Vec<(f64, Ground)>,
}

/// An owned landscape.
pub(super) enum Ground {
    Network(Model),
    Target(Target),
}

impl Ground {
    pub(super) fn landscape(&self) -> Landscape<'_> {
        match self {
            Self::Network(model) => model.into(),
            Self::Target(target) => target.into(),
        }
    }
}

impl Subject {
    pub(super) fn dim(&self) -> usize {
        self.columns.len()
    }

    /// The landscape at the last level.
    pub(super) fn last(&self) -> &Ground {
        &self.levels[self.levels.len() - 1].1
    }
}

fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(|s| s.trim().parse().ok()).collect()
}

impl Args {
    /// The sampler's name, once the subject is known.
    pub(super) fn sampler(&self, subject: &Subject) -> Result<&str> {
        let usual = if subject.levels.len() > 1 { "annealed" } else { "ula" };
        let name = self.sampler.as_deref().unwrap_or(usual);
        if SAMPLERS.contains(&name) { Ok(name) } else { Err(unknown_name("sampler", name, SAMPLERS)) }
    }

    /// Reads the checkpoint or makes the target.
    pub(super) fn subject(&self) -> Result<Subject> {
        if let Some(name) = self.sampler.as_deref().filter(|name| !SAMPLERS.contains(name)) {
            return Err(unknown_name("sampler", name, SAMPLERS));
        }
        let ladder = self.ladder.as_deref().map(|text| Ladder::parse(text, 1.0, 0.1, 2)).transpose()?;
        match (&self.target, &self.checkpoint) {
            (Some(name), _) => self.target_subject(name, ladder),
            (None, Some(path)) => self.model_subject(path, ladder),
            (None, None) => Err(Error::input("there is nothing to sample from").hint("a CHECKPOINT, or --target NAME")),
        }
    }

    fn target_subject(&self, name: &str, ladder: Option<Ladder>) -> Result<Subject> {
        if let Some(sigma) = self.sigma {
            return Err(Error::input(format!("--sigma {sigma} is for models that see a noise level"))
                .hint("--ladder anneals a target"));
        }
        let target = match &self.covariance {
            Some(_) if name != "gaussian" => {
                return Err(Error::input(format!("--covariance is for --target gaussian, not {name}")));
            }
            Some(path) => {
                let (shape, covariance) = read_npy(path)?;
                let [d, columns] = shape[..] else {
                    return Err(Error::input(format!(
                        "{} has shape {shape:?}, a covariance is [d, d]",
                        path.display()
                    )));
                };
                if d != columns || self.dim.is_some_and(|dim| dim != d) {
                    return Err(Error::input(format!("{} is {d} x {columns}", path.display()))
                        .hint("a covariance is square, and --dim is its size"));
                }
                Target::gaussian(vec![0.0; d], covariance)?
            }
            None => Target::by_name(name, self.dim)?,
        };
        let levels = match ladder {
            Some(ladder) => {
                let at = |sigma: &f64| Ok((*sigma, Ground::Target(target.smoothed(*sigma)?)));
                ladder.levels().iter().map(at).collect::<Result<Vec<_>>>()?
            }
            None => vec![(0.0, Ground::Target(target.clone()))],
        };
        let columns = (1..=target.dim()).map(|i| format!("x{i}")).collect();
        let standardizer = Standardizer::identity(target.dim());
        Ok(Subject { name: name.to_string(), columns, standardizer, data: None, levels })
    }

    fn model_subject(&self, path: &Path, ladder: Option<Ladder>) -> Result<Subject> {
        let (model, metadata) = read_checkpoint(path)?;
        let d = model.spec.dim();
        let list = |key: &str| -> Result<Option<Vec<f64>>> {
            let Some(text) = metadata.get(key) else { return Ok(None) };
            let text = text.trim_matches(['[', ']']);
            match numbers(text) {
                Some(values) if values.len() == d && values.iter().all(|v| v.is_finite()) => Ok(Some(values)),
                _ => Err(Error::input(format!("{}: its {key} are no {d} numbers: {text}", path.display()))),
            }
        };
        let standardizer = match (list("mean")?, list("scale")?) {
            (Some(mean), Some(scale)) if scale.iter().all(|s| *s > 0.0) => Standardizer { mean, scale },
            (None, None) => Standardizer::identity(d),
            _ => return Err(Error::input(format!("{}: its mean and scale do not go together", path.display()))),
        };
        let data = list("data_mean")?.zip(list("data_deviation")?).map(|(mean, deviation)| [mean, deviation]);
        let names: Vec<String> =
            metadata.get("columns").map_or_else(Vec::new, |c| c.split(',').map(Into::into).collect());
        let columns = if names.len() == d { names } else { (1..=d).map(|i| format!("x{i}")).collect() };
        let trained: Option<Vec<f64>> =
            metadata.get("ladder").and_then(|text| numbers(text.trim_matches(['[', ']']))).filter(|l| l.len() > 1);
        let sees = model.spec.conditioning() != Conditioning::None;
        // one network for all levels is annealed by its steps alone
        let anneals = sees || trained.is_some();
        let asked = ladder.map(|l| l.levels().to_vec());
        if asked.is_some() && !anneals {
            return Err(Error::input(format!(
                "{} does not see a noise level, so it cannot be annealed",
                path.display()
            ))
            .hint("train it with --loss mdsm --conditioning concat"));
        }
        let annealing = self.sampler.as_deref().is_none_or(|s| s == "annealed");
        let levels = match (asked.or(trained), self.sigma) {
            (Some(levels), None) if anneals && annealing => levels,
            (levels, sigma) if sees => {
                let smallest = levels.and_then(|l| l.last().copied());
                let stored = metadata.get("sigma").and_then(|s| s.parse().ok());
                vec![sigma.or(smallest).or(stored).ok_or_else(|| {
                    Error::input(format!("{} sees a noise level and names none", path.display())).hint("--sigma S")
                })?]
            }
            (_, Some(sigma)) => {
                return Err(Error::input(format!("--sigma {sigma}: {} does not see a noise level", path.display())));
            }
            _ => vec![0.0],
        };
        if let Some(bad) = levels.iter().find(|s| !(**s == 0.0 || (1e-6..=1e6).contains(*s))) {
            return Err(Error::input(format!("sigma is {bad}, it has to be from 1e-6 to 1e6")));
        }
        let levels = levels.into_iter().map(|sigma| (sigma, Ground::Network(model.at(sigma)))).collect();
        let name = path.parent().and_then(Path::file_name).or(path.file_stem()).unwrap_or(path.as_os_str());
        Ok(Subject { name: name.to_string_lossy().into_owned(), columns, standardizer, data, levels })
    }

    fn bounds(&self, subject: &Subject) -> Result<Option<Bounds>> {
        let wall = match self.wall.as_str() {
            "reflect" => Wall::Reflect,
            "clamp" => Wall::Clamp,
            other => return Err(unknown_name("wall", other, &["reflect", "clamp"])),
        };
        let own = match subject.last() {
            Ground::Target(target) => target.bounds(),
            Ground::Network(_) => None,
        };
        match self.bounds.as_deref().or(own.as_ref().map(|b| &b[..])) {
            None => Ok(None),
            Some(&[low, high]) => Bounds::new(low, high, wall).map(Some),
            Some(other) => {
                Err(Error::input(format!("the box has {} ends, it needs 2", other.len())).hint("--box -4,4"))
            }
        }
    }

    /// How chains move at each level, checked.
    pub(super) fn plan<'a>(&self, subject: &'a Subject) -> Result<SamplingPlan<'a>> {
        check_count("chains", self.chains, 1, MOST_CHAINS)?;
        let name = self.sampler(subject)?;
        let bounds = self.bounds(subject)?;
        let corrected = matches!(name, "mala" | "hmc" | "tempering");
        if let Some(target) = self.adapt {
            if !(corrected && target > 0.0 && target < 1.0) {
                return Err(Error::input(format!(
                    "--adapt {target} with {name}: acceptance is adapted to a share between 0 and 1"
                ))
                .hint("--sampler mala, hmc or tempering, and for example --adapt 0.7"));
            }
            if self.burn_in == 0 {
                return Err(Error::input("--adapt without burn-in adapts nothing").hint("--burn-in 500"));
            }
        }
        if let Some(noise) = self.noise_scale.filter(|_| name != "ula") {
            return Err(Error::input(format!("--noise-scale {noise} is for ula, {name} has no free noise")));
        }
        if self.denoise && name != "annealed" {
            return Err(Error::input(format!("--denoise ends annealed chains, {name} has no noise level")));
        }
        let transitions = self.transitions(name, bounds, subject)?;
        let all = self.burn_in.saturating_add(self.steps.saturating_mul(transitions.len() as u64));
        if !(1..u64::from(u32::MAX)).contains(&all) {
            return Err(Error::input(format!("{all} steps of each chain, there have to be from 1 to 2^32 - 2")));
        }
        let thin = self.thin.unwrap_or((self.steps / 200).max(1));
        if thin == 0 || (self.steps / thin) > 1_000_000 {
            return Err(
                Error::input(format!("thin is {thin}: there would be too many draws")).hint("1 to 1000000 draws")
            );
        }
        if self.draws && self.steps < thin {
            return Err(Error::input(format!("--draws: there are none in {} steps with thin {thin}", self.steps)));
        }
        let frames = self.trajectories.map(|paths| trajectories::frames(paths, self.chains, all)).transpose()?;
        let stages = transitions.into_iter().zip(&subject.levels).map(|(transition, (_, ground))| Stage {
            landscape: ground.landscape(),
            transition,
            steps: self.steps,
        });
        Ok(SamplingPlan {
            stages: stages.collect(),
            burn_in: self.burn_in,
            adapt: self.adapt,
            thin,
            frames: frames.unwrap_or_default(),
            denoise: self.denoise.then(|| subject.levels[subject.levels.len() - 1].0),
            seed: Seed(self.seed),
        })
    }

    fn transitions(&self, name: &str, bounds: Option<Bounds>, subject: &Subject) -> Result<Vec<Transition>> {
        let hamiltonian = |h: Hamiltonian| -> Result<Vec<Transition>> {
            let h = h.within(bounds)?;
            Ok(vec![match &self.mass {
                Some(mass) if mass.len() != subject.dim() => {
                    let (masses, d) = (mass.len(), subject.dim());
                    return Err(Error::input(format!("{masses} masses for {d} coordinates")));
                }
                Some(mass) => h.with_mass(mass.clone())?.into(),
                None => h.into(),
            }])
        };
        let step = |usual: f64| self.step_size.unwrap_or(usual);
        match name {
            "mala" => hamiltonian(Hamiltonian::langevin(step(0.01), self.temperature)?),
            "hmc" => hamiltonian(Hamiltonian::new(step(0.1), self.leapfrogs, self.temperature)?),
            "tempering" => {
                let h = Hamiltonian::new(step(0.1), self.leapfrogs, self.temperature)?;
                hamiltonian(h.at(self.temperatures.iter().map(|t| t * self.temperature).collect(), self.swap_every)?)
            }
            "annealed" => {
                let sigmas: Vec<f64> = subject.levels.iter().map(|(sigma, _)| *sigma).collect();
                if sigmas.len() < 2 {
                    let name = &subject.name;
                    return Err(Error::input(format!("annealed chains need noise levels, and {name} has none"))
                        .hint("--ladder 5,2,1,0.5 for a target or a model that sees the level, or one trained with --loss mdsm"));
                }
                let ladder = Ladder::explicit(sigmas)?;
                let last = step(STEP_PER_VARIANCE * ladder.smallest().powi(2));
                let levels = annealed(&ladder, last, self.temperature)?;
                Ok(levels.into_iter().map(|(_, langevin)| Langevin { bounds, ..langevin }.into()).collect())
            }
            _ => {
                let mut langevin = Langevin::new(step(0.01), self.temperature)?;
                if let Some(noise) = self.noise_scale {
                    langevin = langevin.with_noise(noise)?;
                }
                Ok(vec![Langevin { bounds, ..langevin }.into()])
            }
        }
    }

    /// Where the columns start, in the units of the landscape.
    pub(super) fn starting_points(&self, subject: &Subject, replicas: usize) -> Result<Points> {
        let d = subject.dim();
        let each = |chains: Points| {
            let rows = chains.rows().flat_map(|row| std::iter::repeat_n(row, replicas));
            Points::new(d, rows.flatten().copied().collect())
        };
        let uniform = |low: f64, high: f64| -> Points {
            use ebm_gpu::data::law::uniform;
            let mut rng = Seed(self.seed).sequence(Stream::Start, 0);
            Points::new(d, (0..self.chains * d).map(|_| low + (high - low) * uniform(&mut rng)).collect())
        };
        if let Some(text) = &self.start {
            return match numbers(text).as_deref() {
                Some(&[low, high]) if low < high && (high - low).is_finite() => {
                    Ok(each(subject.standardizer.apply(&uniform(low, high))))
                }
                Some(_) => Err(Error::input(format!("--start {text}: a box runs from a number to a larger one"))
                    .hint("--start -4,4, or a .npy file")),
                None => self.read_start(Path::new(text), d).map(|points| each(subject.standardizer.apply(&points))),
            };
        }
        match (subject.last(), &subject.data) {
            (Ground::Target(target), _) => {
                let [low, high] = target.start();
                Ok(each(uniform(low, high)))
            }
            (Ground::Network(_), data) => {
                let normal = Points::normal::<f64>(self.chains, d, Seed(self.seed), Stream::Start, 0);
                let mut law = match data {
                    Some([mean, deviation]) => Standardizer { mean: mean.clone(), scale: deviation.clone() },
                    None => Standardizer::identity(d),
                };
                let first = subject.levels[0].0;
                if subject.levels.len() > 1 {
                    law.scale.iter_mut().for_each(|scale| *scale = scale.hypot(first));
                }
                Ok(each(law.undo(&normal)))
            }
        }
    }

    fn read_start(&self, path: &Path, d: usize) -> Result<Points> {
        let (shape, values) = read_npy(path)?;
        let fits = matches!(shape[..], [rows, columns] if rows == self.chains && columns == d);
        if !fits {
            let (name, chains) = (path.display(), self.chains);
            return Err(Error::input(format!(
                "{name} has shape {shape:?}, the start of {chains} chains is [{chains}, {d}]"
            )));
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(i) => Err(Error::input(format!("number {i} of {} is {}", path.display(), values[i]))),
            None => Ok(Points::new(d, values)),
        }
    }
}
