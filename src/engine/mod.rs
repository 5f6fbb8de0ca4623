//! Engines: where the arithmetic is done. One trait, three of them: `gpu` (WGSL kernels through wgpu), `cpu` (native
//! f32 on all cores) and `reference` (the same code in f64, against which the others are checked).

mod chains;
pub mod cpu;
mod given;
pub mod gpu;
mod moments;
mod peak;
mod replay;
mod select;
mod training;
mod watch;

pub use chains::{ChainState, Chains, Fares, Landscape, advance_by};
use chains::{STANDING, another_kind, another_number, another_state, check_chains, coldest};
pub use given::Given;
pub use moments::Moments;
use moments::Part;
pub use peak::Peak;
pub use select::{EngineChoice, Selection, select};
pub use training::{StepRecord, Training, TrainingPlan, TrainingState};
pub use watch::{MONITORED, Worth};
use watch::{MOST_DRAWS, Room};

use crate::error::{Error, Result};
use crate::model::{Conditioning, Head, Model};
use crate::objective::Objective;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::Transition;
use crate::sampler::diagnostics::Diagnostics;
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

/// Where the arithmetic is done.
pub trait Engine {
    /// `gpu`, `cpu` or `reference`.
    fn name(&self) -> &'static str;

    /// The device in words.
    fn adapter(&self) -> String;

    /// What the last digits of its results depend on, in words.
    fn arithmetic(&self) -> String {
        self.adapter()
    }

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

    /// The fewest chains, `few` at least if there are as many, that go the way of so many: how many there are may decide how they
    /// are spread over a device.
    fn chains_like(&self, _landscape: Landscape<'_>, chains: usize, few: usize) -> usize {
        few.min(chains)
    }

    /// What draws `[draws, chains, dim]`, row-major, are worth: [`diagnose`](crate::sampler::diagnostics::diagnose) in the
    /// engine's own arithmetic. Chains that run on the engine have it of their own draws, see [`Chains::watch`].
    ///
    /// # Errors
    /// There are no draws, or not as many values as the shape says, or the device failed.
    fn diagnose(&self, draws: &[f64], shape: [usize; 3]) -> Result<Diagnostics>;

    /// How fast a loop of multiply-adds is that does nothing else, on all of the device.
    ///
    /// # Errors
    /// The device failed.
    fn peak(&self) -> Result<Peak>;

    /// Seconds that the device has worked since this was called last, by its own clock; none where it has none.
    ///
    /// # Errors
    /// The device failed.
    fn device_seconds(&self) -> Result<Option<f64>> {
        Ok(None)
    }
}
