//! Chains: what they move on, how they fare, and what runs them.

use super::{Moments, Worth, level_free, needs_energy};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::points::Points;
use crate::sampler::Transition;
use crate::target::Target;

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

/// Where chains stand: what [`Chains::restore`] needs to go on, on whatever engine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChainState {
    /// Steps since the start.
    pub step: u64,
    /// Steps since the last report of [`Chains::fares`].
    pub unreported: u64,
    /// Where all columns are, `[columns, dim]`.
    pub positions: Vec<f64>,
    /// How each column stands, `[columns, 7]`: E, ln of the factor of its step, its average over adaptation; and since the last
    /// report acceptance probabilities in two sums, proposals without a finite energy, and exchanges with the next column (where
    /// they are counted by column). Empty for chains that accept everything.
    pub standings: Vec<f64>,
    /// Exchanges since the last report, of each pair of neighbouring temperatures: tries and successes of all chains (those that
    /// are not counted by column).
    pub exchanges: Vec<u64>,
    /// Draws that are kept.
    pub draws: usize,
    /// Their numbers, `[draws, chains, width]`, E in front of the coordinates.
    pub kept: Vec<f64>,
}

/// Numbers of a column in [`ChainState::standings`].
pub(super) const STANDING: usize = 7;

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

    /// Where the first `count` chains are, `[count, dim]`; of replicas, those at the last temperature.
    ///
    /// # Errors
    /// The device failed.
    fn first(&mut self, count: usize) -> Result<Points>;

    /// What all chains look like now.
    ///
    /// # Errors
    /// The device failed.
    fn moments(&mut self) -> Result<Moments>;

    /// Makes room for so many draws of the first chains (of replicas, those at the last temperature), [`MONITORED`] at most;
    /// of fewer where these do not fit. Draws that were kept before are dropped.
    ///
    /// [`MONITORED`]: super::MONITORED
    ///
    /// # Errors
    /// Not even the draws of one chain fit, or the device failed.
    fn watch(&mut self, draws: usize) -> Result<()>;

    /// Keeps where these chains are now, and E there, as a draw.
    ///
    /// # Errors
    /// There is no room left, or the device failed.
    fn keep(&mut self) -> Result<()>;

    /// What the draws are worth, once all that there was room for are kept.
    ///
    /// # Errors
    /// Draws are missing, or the device failed.
    fn worth(&mut self) -> Result<Worth>;

    /// How the chains have fared since this was called last.
    ///
    /// # Errors
    /// The device failed.
    fn fares(&mut self) -> Result<Fares>;

    /// Waits for all work and returns where the chains stand.
    ///
    /// # Errors
    /// The device failed.
    fn state(&mut self) -> Result<ChainState>;

    /// Goes on from where chains stood that were made alike, with the same landscape, transition and room for draws, on the
    /// same engine.
    ///
    /// # Errors
    /// The state is of other chains, or the device failed.
    fn restore(&mut self, state: &ChainState) -> Result<()>;
}

/// The points of chains at the last of `replicas` temperatures.
pub(super) fn coldest(positions: &Points, replicas: usize) -> Points {
    let rows = positions.rows().skip(replicas - 1).step_by(replicas);
    Points::new(positions.dim(), rows.flatten().copied().collect())
}

/// Refuses to keep, or to diagnose, another number of draws than there is room for.
pub(super) fn another_number() -> Error {
    Error::failed("chains have to keep as many draws as they made room for")
}

/// Refuses a state that is not of these chains.
pub(super) fn another_state() -> Error {
    Error::input("chains cannot go on from a state of other chains")
}

/// Refuses what is no change of level or of adaptation.
pub(super) fn another_kind() -> Error {
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

/// Refuses chains that the landscape cannot have.
pub(super) fn check_chains(landscape: Landscape<'_>, transition: &Transition, start: &Points) -> Result<()> {
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
        if let Some(base) = &hamiltonian.base
            && [base.mean.len(), base.precision.len()] != [d, d]
        {
            let (means, precisions) = (base.mean.len(), base.precision.len());
            return Err(Error::input(format!(
                "a base of {means} means and {precisions} precisions for {d} coordinates"
            )));
        }
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
