//! Engines: where the arithmetic is done. One trait, three of them: `gpu` (WGSL kernels through wgpu), `cpu` (native
//! f32 on all cores) and `reference` (the same code in f64, against which the others are checked).

pub mod cpu;
mod given;
pub mod gpu;
mod replay;
mod select;

pub use given::Given;
pub use select::{EngineChoice, Selection, select};

use crate::error::{Error, Result};
use crate::model::{Conditioning, Head, MlpSpec, Model};
use crate::objective::{Objective, Program, Proposal};
use crate::optimizer::Optimizer;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::Transition;
use crate::target::Target;

/// Loss and parameter gradient of an objective on given points with given noise.
#[derive(Debug, Clone)]
pub struct LossGradient {
    /// The loss of each sample, `[batch]`.
    pub losses: Vec<f64>,
    /// The gradient of the mean loss, laid out as [`MlpSpec::layers`](crate::model::MlpSpec::layers) says.
    pub gradient: Vec<f64>,
    /// Multiply-adds done in products with weights, where the engine counts them.
    pub multiply_adds: Option<u64>,
}

impl LossGradient {
    /// The mean loss.
    pub fn loss(&self) -> f64 {
        self.losses.iter().sum::<f64>() / self.losses.len() as f64
    }
}

/// Refuses a network that has no energy.
fn needs_energy(model: &Model) -> Result<()> {
    match model.spec.head() {
        Head::Energy => Ok(()),
        Head::Score => Err(Error::input("a network with --head score is a field of scores, it has no energy")
            .hint("--head energy has densities, Metropolis corrections and log Z")),
    }
}

/// Refuses chains that the landscape cannot have.
fn check_chains(landscape: Landscape<'_>, transition: &Transition, start: &Points) -> Result<()> {
    let (columns, d) = (start.dim(), landscape.dim());
    if columns != d {
        return Err(Error::input(format!("chains start at points of {columns} coordinates, the landscape has {d}")));
    }
    if let Landscape::Network(model) = landscape {
        level_free(model)?;
        if matches!(transition, Transition::Hamiltonian(_)) {
            needs_energy(model)?;
        }
    }
    if let Transition::Hamiltonian(hamiltonian) = transition {
        let (masses, replicas) = (hamiltonian.mass.len(), hamiltonian.replicas());
        if masses != 0 && masses != d {
            return Err(Error::input(format!("{masses} masses for {d} coordinates")));
        }
        if !start.count().is_multiple_of(replicas) {
            return Err(Error::input(format!("{} starting points for chains of {replicas} replicas", start.count())));
        }
    }
    Ok(())
}

/// Refuses points of another number of coordinates than the target's.
fn check_target(target: &Target, points: &Points) -> Result<()> {
    let (name, d, columns) = (target.name(), target.dim(), points.dim());
    if columns == d {
        return Ok(());
    }
    Err(Error::input(format!("the points have {columns} coordinates, the target {name} has {d}")))
}

/// Refuses a network whose noise level is not fixed: see [`Model::at`].
fn level_free(model: &Model) -> Result<&Model> {
    match model.spec.conditioning() {
        Conditioning::None => Ok(model),
        other => Err(Error::input(format!("the network has conditioning {}: it needs a noise level", other.name()))
            .hint("--sigma S fixes one")),
    }
}

/// Everything a training run is, apart from the data and where it stands.
#[derive(Debug, Clone)]
pub struct TrainingPlan {
    /// What is minimised.
    pub objective: Objective,
    /// Samples of a step, drawn with replacement.
    pub batch: usize,
    /// How the gradient becomes a step.
    pub optimizer: Optimizer,
    /// Steps of the whole run (the learning-rate schedule ends there).
    pub steps: u64,
    /// The seed of batches and noise.
    pub seed: Seed,
}

impl TrainingPlan {
    /// Refuses what cannot be trained.
    ///
    /// # Errors
    /// A network that the objective is not defined for, or a replay buffer that has not a chain for each sample.
    pub fn check(&self, spec: &MlpSpec) -> Result<()> {
        self.objective.check(spec)?;
        match &self.objective {
            Objective::Pcd(_, replay) if replay.slots < self.batch => Err(Error::input(format!(
                "a replay buffer of {} chains for a batch of {}: each sample of a step needs a chain of its own",
                replay.slots, self.batch
            ))
            .hint("a larger --buffer, or a smaller --batch")),
            _ => Ok(()),
        }
    }

    /// Whether chains make the negative points.
    pub(crate) fn has_chains(&self, spec: &MlpSpec) -> bool {
        match self.objective.program(spec.head()) {
            Program::Contrast(contrast) => matches!(contrast.proposal, Proposal::Chains(..)),
            _ => false,
        }
    }
}

/// Where a training run stands: what it needs to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingState {
    /// Steps done.
    pub step: u64,
    /// Parameters.
    pub parameters: Vec<f64>,
    /// Their exponential moving average.
    pub ema: Vec<f64>,
    /// First moments of Adam.
    pub first_moment: Vec<f64>,
    /// Second moments of Adam.
    pub second_moment: Vec<f64>,
    /// The replay buffer of persistent chains, `[slots, dim]`; none before the first step, and for other objectives.
    pub replay: Option<Points>,
}

impl TrainingState {
    /// The state before the first step.
    pub fn start(model: &Model) -> Self {
        let zero = vec![0.0; model.parameters.len()];
        Self {
            step: 0,
            parameters: model.parameters.clone(),
            ema: model.parameters.clone(),
            first_moment: zero.clone(),
            second_moment: zero,
            replay: None,
        }
    }
}

/// What a step reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRecord {
    /// The step, from 1.
    pub step: u64,
    /// The mean loss of its batch, before the step.
    pub loss: f64,
    /// The norm of its gradient, before clipping.
    pub gradient_norm: f64,
}

impl StepRecord {
    /// Neither NaN nor infinite.
    pub fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.gradient_norm.is_finite()
    }
}

/// A training run on a device. A step whose loss or gradient is not finite changes nothing, and neither does any after
/// it, so the state is then the last good one; persistent chains alone have made the bad step's moves.
pub trait Training {
    /// Does some 50 to 100 ms of work, up to step `until`, and returns the records that have arrived since, in order.
    ///
    /// # Errors
    /// The device failed.
    fn advance(&mut self, until: u64) -> Result<Vec<StepRecord>>;

    /// Waits for all work and returns where the run stands.
    ///
    /// # Errors
    /// The device failed.
    fn state(&mut self) -> Result<TrainingState>;

    /// Waits for all work and returns the negative points of the last step, `[batch, dim]`, where chains make them and there
    /// has been a step.
    ///
    /// # Errors
    /// The device failed.
    fn negatives(&mut self) -> Result<Option<Points>>;
}

/// What chains move on.
#[derive(Debug, Clone, Copy)]
pub enum Landscape<'a> {
    /// A network without conditioning: see [`Model::at`].
    Network(&'a Model),
    /// An energy in closed form.
    Target(&'a Target),
}

impl<'a> From<&'a Model> for Landscape<'a> {
    fn from(model: &'a Model) -> Self {
        Self::Network(model)
    }
}

impl<'a> From<&'a Target> for Landscape<'a> {
    fn from(target: &'a Target) -> Self {
        Self::Target(target)
    }
}

impl Landscape<'_> {
    /// Coordinates of a point.
    pub fn dim(&self) -> usize {
        match self {
            Self::Network(model) => model.spec.dim(),
            Self::Target(target) => target.dim(),
        }
    }
}

/// How chains have fared since the last look at them, in the order of their columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Fares {
    /// The mean acceptance probability of each chain; none for chains that accept everything.
    pub acceptance: Option<Vec<f64>>,
    /// E where each chain is; none where it is not computed.
    pub energies: Option<Vec<f64>>,
    /// The factor of each chain's own step; none if it has none.
    pub factors: Option<Vec<f64>>,
    /// Proposals that were refused because their energy was not finite.
    pub broken: u64,
    /// The share of exchanges between replicas that were made, the hottest pair first; empty without replicas.
    pub exchanges: Vec<f64>,
}

/// Chains on a device.
pub trait Chains {
    /// Does up to `steps` further steps, some 50 to 100 ms of work, and returns how many were done.
    ///
    /// # Errors
    /// The device failed.
    fn advance(&mut self, steps: u64) -> Result<u64>;

    /// Goes on with another network of the same shape and another transition of the same kind, from where the chains are:
    /// the next level of an annealed run, or the end of adaptation, whose average then is each chain's factor.
    ///
    /// # Errors
    /// A landscape or transition of another kind, or the device failed.
    fn change(&mut self, landscape: Landscape<'_>, transition: &Transition) -> Result<()>;

    /// Where the chains are, `[chains, dim]`; of chains with replicas, all of them: `[chains · replicas, dim]`.
    ///
    /// # Errors
    /// The device failed.
    fn positions(&mut self) -> Result<Points>;

    /// The same of the first `columns` columns, or of all if there are fewer; the others stay on the device.
    ///
    /// # Errors
    /// The device failed.
    fn first_positions(&mut self, columns: usize) -> Result<Points>;

    /// How the chains have fared since this was called last.
    ///
    /// # Errors
    /// The device failed.
    fn fares(&mut self) -> Result<Fares>;
}

/// Refuses what is no change of level or of adaptation.
fn another_kind() -> Error {
    Error::failed("chains cannot go on with a transition or landscape of another kind")
}

/// Does `steps` steps.
///
/// # Errors
/// The device failed.
pub fn advance_by(chains: &mut dyn Chains, steps: u64) -> Result<()> {
    let mut left = steps;
    while left > 0 {
        left -= chains.advance(left)?;
    }
    Ok(())
}

/// Where the arithmetic is done.
pub trait Engine {
    /// `gpu`, `cpu` or `reference`.
    fn name(&self) -> &'static str;

    /// The device in words.
    fn adapter(&self) -> String;

    /// E at each point, of a network without conditioning: see [`Model::at`].
    ///
    /// # Errors
    /// The network has no energy or no fixed noise level, or the device failed.
    fn energy(&self, model: &Model, points: &Points) -> Result<Vec<f64>>;

    /// s at each point, of a network without conditioning: −∇E, or the field itself.
    ///
    /// # Errors
    /// The network has no fixed noise level, or the device failed.
    fn score(&self, model: &Model, points: &Points) -> Result<Points>;

    /// E and ∇E of an analytic target at each point.
    ///
    /// # Errors
    /// The points do not have the target's coordinates, or the device failed.
    fn target_energy(&self, target: &Target, points: &Points) -> Result<(Vec<f64>, Points)>;

    /// Loss and gradient of an objective on a batch whose random numbers are given.
    ///
    /// # Errors
    /// What is given does not fit the objective or the network, or the device failed.
    fn loss_gradient(&self, model: &Model, objective: &Objective, given: &Given<'_>) -> Result<LossGradient>;

    /// Starts or resumes a training run.
    ///
    /// # Errors
    /// The run does not fit the device, or the device failed.
    fn train<'a>(
        &'a self,
        model: &Model,
        plan: &TrainingPlan,
        data: &Points,
        state: TrainingState,
    ) -> Result<Box<dyn Training + 'a>>;

    /// Places chains at `start`, one column each (of chains with replicas, one for each replica); column `i` draws its noise
    /// from `seed` at counter `i`.
    ///
    /// # Errors
    /// The transition needs an energy and the network has none, the chains do not fit the device, or the device failed.
    fn chains<'a>(
        &'a self,
        landscape: Landscape<'_>,
        transition: &Transition,
        start: &Points,
        seed: Seed,
    ) -> Result<Box<dyn Chains + 'a>>;
}
