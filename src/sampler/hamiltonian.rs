//! Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011, arXiv:1206.1901), of which the Metropolis-adjusted Langevin
//! algorithm is the case of one leapfrog, and its chains at several temperatures.

use super::{Bounds, Wall};
use crate::error::{Error, Result};

/// The most temperatures of parallel tempering.
pub const MOST_REPLICAS: usize = 64;
/// The most leapfrogs of a proposal.
const MOST_LEAPFROGS: u32 = 1000;

/// Momenta p ~ N(0, T M) are drawn, L leapfrogs follow Hamilton's equations of E(x) + pᵀM⁻¹p/2, and where they lead is
/// accepted with probability min(1, exp(−ΔH/T)), which leaves exp(−E/T) in place exactly. M is diagonal.
///
/// With temperatures T₁ > … > T_R a chain has R replicas, one at each, in columns that follow one another; every
/// `swap_every` steps neighbours change places with probability min(1, exp((1/Tᵢ − 1/Tⱼ)(Eᵢ − Eⱼ))).
#[derive(Debug, Clone, PartialEq)]
pub struct Hamiltonian {
    /// ε, the time of a leapfrog. At temperature T a chain of unit mass moves by about ε √T in it.
    pub step: f64,
    /// L.
    pub leapfrogs: u32,
    /// T of each replica; one for plain chains.
    pub temperatures: Vec<f64>,
    /// Steps between exchanges of replicas.
    pub swap_every: u64,
    /// M of each coordinate; 1 if empty.
    pub mass: Vec<f64>,
    /// A normal law that exp(−E/T) is multiplied by.
    pub base: Option<NormalBase>,
    /// Where the chains are kept: by mirrors, since clamping would spoil the balance.
    pub bounds: Option<Bounds>,
    /// Whether step sizes are being adapted.
    pub adaptation: Option<Adaptation>,
}

/// exp(−½ Σ precision (x − mean)²), a factor of the law that chains leave in place, whatever the temperature.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalBase {
    /// The mean of each coordinate.
    pub mean: Vec<f64>,
    /// The inverse variance of each coordinate, 0 or more.
    pub precision: Vec<f64>,
}

/// Each chain finds the factor f of its own step by stochastic approximation (Robbins and Monro 1951; Andrieu and Thoms
/// 2008), ln f ← ln f + 2 t^−0.6 (a − target) after a step accepted with probability a, so that it does not depend on how
/// many others there are. In the end f is a running average of these. Until then draws are no sample of the law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptation {
    /// The mean acceptance probability that is aimed at.
    pub target: f64,
}

impl Adaptation {
    /// The gain at step t is `GAIN` t^−`DECAY`: its sum has no bound, that of its squares has one.
    pub(crate) const GAIN: f64 = 2.0;
    pub(crate) const DECAY: f64 = 0.6;
    /// The share of the t-th value in the running average is t^−`FORGETTING`.
    pub(crate) const FORGETTING: f64 = 0.75;
}

impl Hamiltonian {
    /// Chains at one temperature.
    ///
    /// # Errors
    /// A step or temperature that is not positive, or no leapfrogs.
    pub fn new(step: f64, leapfrogs: u32, temperature: f64) -> Result<Self> {
        if !(step > 0.0 && step.is_finite()) {
            return Err(Error::input(format!("the step size is {step}, it has to be above 0")));
        }
        if !(1..=MOST_LEAPFROGS).contains(&leapfrogs) {
            return Err(Error::input(format!("leapfrogs is {leapfrogs}, it has to be from 1 to {MOST_LEAPFROGS}")));
        }
        let plain = Self {
            step,
            leapfrogs,
            temperatures: Vec::new(),
            swap_every: 1,
            mass: Vec::new(),
            base: None,
            bounds: None,
            adaptation: None,
        };
        plain.at(vec![temperature], 1)
    }

    /// The Metropolis-adjusted Langevin algorithm whose proposals are those of [`Langevin`](super::Langevin) with
    /// step size η: one leapfrog with ε = √(2η).
    ///
    /// # Errors
    /// As [`Hamiltonian::new`].
    pub fn langevin(step_size: f64, temperature: f64) -> Result<Self> {
        if !(step_size > 0.0 && step_size.is_finite()) {
            return Err(Error::input(format!("the step size is {step_size}, it has to be above 0")));
        }
        Self::new((2.0 * step_size).sqrt(), 1, temperature)
    }

    /// The same at these temperatures, with exchanges every `swap_every` steps.
    ///
    /// # Errors
    /// No temperatures, too many, one that is not positive, or a step count of 0.
    pub fn at(self, temperatures: Vec<f64>, swap_every: u64) -> Result<Self> {
        if temperatures.is_empty() || temperatures.len() > MOST_REPLICAS {
            let count = temperatures.len();
            return Err(Error::input(format!("{count} temperatures, there have to be from 1 to {MOST_REPLICAS}")));
        }
        if let Some(t) = temperatures.iter().find(|t| !(**t > 0.0 && t.is_finite())) {
            return Err(Error::input(format!("the temperature is {t}, chains that accept or reject need one above 0")));
        }
        if swap_every == 0 {
            return Err(Error::input("swap-every is 0, it has to be 1 or more"));
        }
        Ok(Self { temperatures, swap_every, ..self })
    }

    /// The same with these masses, one a coordinate.
    ///
    /// # Errors
    /// A mass that is not positive.
    pub fn with_mass(self, mass: Vec<f64>) -> Result<Self> {
        match mass.iter().find(|m| !(**m > 0.0 && m.is_finite())) {
            Some(m) => Err(Error::input(format!("a mass is {m}, all have to be above 0"))),
            None => Ok(Self { mass, ..self }),
        }
    }

    /// The same with a normal law as a factor.
    ///
    /// # Errors
    /// A mean that is not finite or a precision below 0.
    pub fn over(self, base: NormalBase) -> Result<Self> {
        let numbers = base.mean.iter().zip(&base.precision);
        match numbers.clone().find(|(mean, precision)| !(mean.is_finite() && (0.0..f64::INFINITY).contains(*precision)))
        {
            Some((mean, precision)) => {
                Err(Error::input(format!("the base has mean {mean} and precision {precision} in a coordinate")))
            }
            None => Ok(Self { base: Some(base), ..self }),
        }
    }

    /// The same inside mirrors.
    ///
    /// # Errors
    /// Walls that clamp.
    pub fn within(self, bounds: Option<Bounds>) -> Result<Self> {
        match bounds {
            Some(Bounds { wall: Wall::Clamp, .. }) => {
                Err(Error::input("clamping at the walls of a box spoils the balance of chains that accept or reject")
                    .hint("--wall reflect, or --sampler ula"))
            }
            bounds => Ok(Self { bounds, ..self }),
        }
    }

    /// Replicas of a chain.
    pub fn replicas(&self) -> usize {
        self.temperatures.len()
    }

    /// Mean and precision of the base in each of `dim` coordinates.
    pub(crate) fn base_numbers(&self, dim: usize) -> [Vec<f64>; 2] {
        self.base.as_ref().map_or_else(|| [vec![0.0; dim], vec![0.0; dim]], |b| [b.mean.clone(), b.precision.clone()])
    }

    /// M⁻½ of each of `dim` coordinates.
    pub(crate) fn scales(&self, dim: usize) -> Vec<f64> {
        (0..dim).map(|n| self.mass.get(n).map_or(1.0, |m| 1.0 / m.sqrt())).collect()
    }
}
