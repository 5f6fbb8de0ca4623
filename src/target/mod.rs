//! Analytic targets: energies in closed form with exact gradients, to sample from and to judge samplers by.
//!
//! | name | E(x) | coordinates |
//! | --- | --- | --- |
//! | `gaussian` | ½ (x − μ)ᵀ Σ⁻¹ (x − μ) | any |
//! | `gmm`, `gmm-ncsn` | two unit normals at (0, 0) and (10, 10) with weights 0.2 and 0.8; at (5, 5) and (−5, −5) with 0.8 and 0.2 | 2 |
//! | `banana` | ½ x₁² + ½ (x₂ + ½ (x₁² − 1))² | 2 |
//! | `double-well` | 4 Σ (xₙ² − 1)²: a barrier of 4 nats in every coordinate | any |
//! | `rosenbrock` | Σ [100 (xₙ₊₁ − xₙ²)² + (1 − xₙ)²] / 20 (Goodman and Weare 2010) | 2 or more |
//! | `rastrigin` | Σ [xₙ² + 10 (1 − cos 2πxₙ)], on \[−5.12, 5.12\]ᵈ | any |
//! | `ackley` | Ackley's function, on \[−32.768, 32.768\]ᵈ | any |
//! | `himmelblau` | (x₁² + x₂ − 11)² + (x₁ + x₂² − 7)² | 2 |
//! | `funnel` | x₁ ~ N(0, 9), the others N(0, exp x₁) (Neal 2003) | 2 or more |
//! | `u1` to `u4` | the potentials of Rezende and Mohamed 2015 (arXiv:1505.05770), on \[−4, 4\]² | 2 |
//!
//! The WGSL twin of each is `shaders/lib/target_*.wgsl`.

mod ackley;
mod banana;
mod double_well;
mod elementary;
mod facts;
mod formula;
mod funnel;
mod gaussian;
mod himmelblau;
mod normal_pair;
mod potential;
mod rastrigin;
mod rosenbrock;

pub use facts::{Facts, Mode};
pub use formula::Formula;
pub(crate) use potential::Potential;

use crate::error::{Error, Result, unknown_name};
use crate::real::Real;
use gaussian::Gaussian;
use normal_pair::NormalPair;

/// The names by which targets are asked for.
pub const NAMES: &[&str] = &[
    "gaussian",
    "gmm",
    "gmm-ncsn",
    "banana",
    "double-well",
    "rosenbrock",
    "rastrigin",
    "ackley",
    "himmelblau",
    "funnel",
    "u1",
    "u2",
    "u3",
    "u4",
];

/// The most coordinates of a target: a guard against asking for gigabytes.
const MOST_COORDINATES: usize = 1 << 20;

/// An energy in closed form: p(x) ∝ exp(−E(x)), inside [`bounds`](Target::bounds) where it has any.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    name: &'static str,
    dim: usize,
    law: Law,
}

/// A formula with the numbers that it needs.
#[derive(Debug, Clone, PartialEq)]
enum Law {
    Gaussian(Gaussian),
    NormalPair(NormalPair),
    Banana,
    DoubleWell,
    Rosenbrock,
    Rastrigin,
    Ackley,
    Himmelblau,
    Funnel,
    Potential(Potential),
}

impl Target {
    /// The target called `name` (see [`NAMES`]); `gaussian` is the standard normal law. Where the number of coordinates is
    /// free, it is 2 unless said, and 10 for Neal's funnel.
    ///
    /// # Errors
    /// There is no such target, or it cannot have `dim` coordinates.
    pub fn by_name(name: &str, dim: Option<usize>) -> Result<Self> {
        let Some(name) = NAMES.iter().copied().find(|known| *known == name) else {
            return Err(unknown_name("target", name, NAMES));
        };
        // the fewest coordinates, and how many unless said; the fixed ones have 2
        let (fewest, usual) = match name {
            "gaussian" | "double-well" | "rastrigin" | "ackley" => (1, 2),
            "rosenbrock" => (2, 2),
            "funnel" => (2, 10),
            _ => (0, 2),
        };
        let dim = dim.unwrap_or(usual);
        let wrong = |want: String| Err(Error::input(format!("the target {name} has {want}, not {dim}")));
        match fewest {
            0 if dim != 2 => return wrong("2 coordinates".into()),
            fewest if dim < fewest => return wrong(format!("{fewest} or more coordinates")),
            _ if dim > MOST_COORDINATES => return wrong(format!("at most {MOST_COORDINATES} coordinates")),
            _ => {}
        }
        let law = match name {
            "gaussian" => Law::Gaussian(Gaussian::standard(dim)),
            "gmm" => Law::NormalPair(NormalPair::new([0.0, 0.0], [10.0, 10.0], 0.2)),
            "gmm-ncsn" => Law::NormalPair(NormalPair::new([5.0, 5.0], [-5.0, -5.0], 0.8)),
            "banana" => Law::Banana,
            "double-well" => Law::DoubleWell,
            "rosenbrock" => Law::Rosenbrock,
            "rastrigin" => Law::Rastrigin,
            "ackley" => Law::Ackley,
            "himmelblau" => Law::Himmelblau,
            "funnel" => Law::Funnel,
            "u1" => Law::Potential(Potential::U1),
            "u2" => Law::Potential(Potential::U2),
            "u3" => Law::Potential(Potential::U3),
            _ => Law::Potential(Potential::U4),
        };
        Ok(Self { name, dim, law })
    }

    /// The normal law with this mean and covariance (row-major, d × d).
    ///
    /// # Errors
    /// The sizes do not fit, an entry is not finite, or the covariance is not symmetric and positive definite.
    pub fn gaussian(mean: Vec<f64>, covariance: Vec<f64>) -> Result<Self> {
        Ok(Self { name: "gaussian", dim: mean.len(), law: Law::Gaussian(Gaussian::new(mean, covariance)?) })
    }

    /// The name by which it is asked for.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number of coordinates of a point.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The interval that every coordinate is confined to, where the law is improper without one or where its numbers in the
    /// literature are those inside it.
    pub fn bounds(&self) -> Option<[f64; 2]> {
        match self.law {
            Law::Potential(_) => Some([-4.0, 4.0]),
            Law::Rastrigin => Some([-5.12, 5.12]),
            Law::Ackley => Some([-32.768, 32.768]),
            _ => None,
        }
    }

    /// The interval in which every coordinate of a chain starts, uniformly: published where there is one, wide enough to
    /// reach all modes elsewhere.
    pub fn start(&self) -> [f64; 2] {
        match &self.law {
            Law::Gaussian(law) => law.start(),
            Law::NormalPair(_) if self.name == "gmm" => [-5.0, 15.0],
            Law::NormalPair(_) => [-8.0, 8.0],
            Law::Banana | Law::Himmelblau | Law::Ackley => [-5.0, 5.0],
            Law::DoubleWell | Law::Rosenbrock => [-2.0, 2.0],
            Law::Rastrigin => [-5.12, 5.12],
            Law::Funnel => [-3.0, 3.0],
            Law::Potential(_) => [-4.0, 4.0],
        }
    }

    /// E(x) at one point, and ∇E(x) into `gradient`; both slices have [`dim`](Target::dim) places. Finite in f32 for
    /// coordinates up to 1000 (a [`gaussian`](Target::gaussian) with entries of Σ⁻¹ below 1e20 and 1000 coordinates).
    ///
    /// # Panics
    /// If a slice is shorter than that: a mistake of the caller, not of the input.
    #[inline]
    pub fn energy<T: Real>(&self, x: &[T], gradient: &mut [T]) -> T {
        let (x, gradient) = (&x[..self.dim], &mut gradient[..self.dim]);
        match &self.law {
            Law::Gaussian(law) => law.energy(x, gradient),
            Law::NormalPair(law) => law.energy(x, gradient),
            Law::Banana => banana::energy(x, gradient),
            Law::DoubleWell => double_well::energy(x, gradient),
            Law::Rosenbrock => rosenbrock::energy(x, gradient),
            Law::Rastrigin => rastrigin::energy(x, gradient),
            Law::Ackley => ackley::energy(x, gradient),
            Law::Himmelblau => himmelblau::energy(x, gradient),
            Law::Funnel => funnel::energy(x, gradient),
            Law::Potential(law) => law.energy(x, gradient),
        }
    }

    /// The law of x + σz with z ~ N(0, I): again a target for normal laws and mixtures of them.
    ///
    /// # Errors
    /// The smoothed law of another target has no closed form, or `sigma` is negative or not finite.
    pub fn smoothed(&self, sigma: f64) -> Result<Self> {
        if !(sigma >= 0.0 && sigma.is_finite()) {
            return Err(Error::input(format!("sigma is {sigma}, a law is smoothed with 0 or more")));
        }
        let law = match &self.law {
            Law::Gaussian(law) => Law::Gaussian(law.smoothed(sigma)?),
            Law::NormalPair(law) => Law::NormalPair(law.smoothed(sigma)),
            _ => {
                let message = format!("the target {} smoothed with noise has no closed form", self.name);
                return Err(Error::input(message).hint("gaussian, gmm and gmm-ncsn can be annealed"));
            }
        };
        Ok(Self { law, ..self.clone() })
    }

    /// What `constant` gives in the WGSL twin, index by index; its header says what each is.
    pub fn constants(&self) -> Vec<f32> {
        let constants = match &self.law {
            Law::Gaussian(law) => law.constants(),
            Law::NormalPair(law) => law.constants(),
            Law::DoubleWell => vec![double_well::HEIGHT],
            Law::Rosenbrock => vec![rosenbrock::SLOPE, rosenbrock::BEND],
            Law::Rastrigin => vec![rastrigin::HEIGHT],
            Law::Funnel => vec![funnel::VARIANCE],
            Law::Banana | Law::Ackley | Law::Himmelblau | Law::Potential(_) => Vec::new(),
        };
        constants.into_iter().map(|c| c as f32).collect()
    }

    /// The formula, which decides the text of a kernel.
    pub fn formula(&self) -> Formula {
        match self.law {
            Law::Gaussian(_) => Formula::Gaussian,
            Law::NormalPair(_) => Formula::Gmm,
            Law::Banana => Formula::Banana,
            Law::DoubleWell => Formula::DoubleWell,
            Law::Rosenbrock => Formula::Rosenbrock,
            Law::Rastrigin => Formula::Rastrigin,
            Law::Ackley => Formula::Ackley,
            Law::Himmelblau => Formula::Himmelblau,
            Law::Funnel => Formula::Funnel,
            Law::Potential(Potential::U1) => Formula::U1,
            Law::Potential(Potential::U2) => Formula::U2,
            Law::Potential(Potential::U3) => Formula::U3,
            Law::Potential(Potential::U4) => Formula::U4,
        }
    }

    /// The text of the WGSL twin.
    pub fn wgsl(&self) -> &'static str {
        self.formula().wgsl()
    }

    /// What is known of the law.
    pub fn facts(&self) -> Facts {
        match &self.law {
            Law::Gaussian(law) => law.facts(),
            Law::NormalPair(law) => law.facts(),
            Law::Banana => banana::facts(),
            Law::DoubleWell => double_well::facts(self.dim),
            Law::Rosenbrock => rosenbrock::facts(self.dim),
            Law::Rastrigin => rastrigin::facts(self.dim),
            Law::Ackley => ackley::facts(self.dim),
            Law::Himmelblau => himmelblau::facts(),
            Law::Funnel => funnel::facts(self.dim),
            Law::Potential(law) => law.facts(),
        }
    }
}

#[cfg(test)]
mod tests;
