//! Objectives: what is minimised. One file per family: its hyper-parameters, what it refuses, its mathematics.

mod denoising;
mod difference;
mod implicit;
mod ladder;
mod probe;
mod program;

pub use denoising::{Denoising, Level, Weighting};
pub use difference::FdSsm;
pub use implicit::{MOST_PROBES, Probes};
pub use ladder::Ladder;
pub use probe::ProbeLaw;
pub use program::{Program, Tangents, Terms};

use std::collections::BTreeMap;

use crate::error::{Error, Result, unknown_name};
use crate::model::{Conditioning, Head, MlpSpec};

/// The names that `--loss` takes.
pub const NAMES: &[&str] = &["esm", "ssm", "ssm-vr", "fd-ssm", "dsm", "mdsm"];

/// What is minimised.
#[derive(Debug, Clone, PartialEq)]
pub enum Objective {
    /// Explicit (implicit-form) score matching, with the exact trace.
    Esm,
    /// Sliced score matching.
    Ssm(Probes),
    /// Sliced score matching with the variance-reduced norm.
    SsmVr(Probes),
    /// Finite-difference sliced score matching.
    FdSsm(FdSsm),
    /// Denoising score matching at one noise level (`dsm`) or more (`mdsm`).
    Denoising(Denoising),
}

impl Objective {
    /// The name in flags and files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Esm => "esm",
            Self::Ssm(_) => "ssm",
            Self::SsmVr(_) => "ssm-vr",
            Self::FdSsm(_) => "fd-ssm",
            Self::Denoising(denoising) if denoising.is_multi() => "mdsm",
            Self::Denoising(_) => "dsm",
        }
    }

    /// The name in words.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Esm => "explicit score matching",
            Self::Ssm(_) => "sliced score matching",
            Self::SsmVr(_) => "sliced score matching (variance-reduced)",
            Self::FdSsm(_) => "finite-difference score matching",
            Self::Denoising(denoising) if denoising.is_multi() => "multi-scale denoising score matching",
            Self::Denoising(_) => "denoising score matching",
        }
    }

    /// Refuses a name that is not an objective's.
    ///
    /// # Errors
    /// An unknown name, with the nearest valid one.
    pub fn check_name(name: &str) -> Result<()> {
        if NAMES.contains(&name) { Ok(()) } else { Err(unknown_name("loss", name, NAMES)) }
    }

    /// Refuses a network that the objective is not defined for.
    ///
    /// # Errors
    /// An activation without the derivatives that the objective needs, a head without an energy, or a network that wants a
    /// noise level where the objective has none.
    pub fn check(&self, spec: &MlpSpec) -> Result<()> {
        let (name, activation) = (self.name(), spec.activation().name());
        if matches!(self, Self::Esm | Self::Ssm(_) | Self::SsmVr(_)) && !spec.activation().is_smooth() {
            let reason = match spec.head() {
                Head::Energy => "the second derivatives of the energy, which are 0 almost everywhere",
                Head::Score => "the gradient of the field's derivatives, which misses the kinks",
            };
            return Err(Error::input(format!("{name} needs {reason} with {activation}"))
                .hint("silu, softplus, tanh and gelu are smooth"));
        }
        if matches!(self, Self::FdSsm(_)) && spec.head() == Head::Score {
            return Err(Error::input("fd-ssm is made of energies, a network with --head score has none")
                .hint("--head energy, or --loss ssm"));
        }
        if !matches!(self, Self::Denoising(_)) && spec.conditioning() != Conditioning::None {
            let conditioning = spec.conditioning().name();
            return Err(Error::input(format!(
                "--conditioning {conditioning} needs noise levels, which {name} does not have"
            ))
            .hint("--conditioning none, or --loss mdsm"));
        }
        Ok(())
    }

    /// What engines compute.
    pub fn program(&self, head: Head) -> Program<'_> {
        let none = Terms { denoising: None, full: 0.0, sliced: 0.0, curved: 0.0, tangents: Tangents::None };
        let sliced = |probes: &Probes| {
            let each = 1.0 / probes.count as f64;
            Terms { curved: each, tangents: Tangents::Probes(*probes), ..none }
        };
        Program::Matching(match self {
            Self::FdSsm(fd) => return Program::Difference(fd),
            Self::Denoising(denoising) => Terms { denoising: Some(denoising), ..none },
            // Σ (vₖ·s)² over the basis is ‖s‖² for a gradient, which lies in the row space
            Self::Esm if head == Head::Energy => Terms { sliced: 1.0, curved: 1.0, tangents: Tangents::Basis, ..none },
            Self::Esm => Terms { full: 1.0, curved: 1.0, tangents: Tangents::Axes, ..none },
            Self::Ssm(probes) => Terms { sliced: 1.0 / probes.count as f64, ..sliced(probes) },
            Self::SsmVr(probes) => Terms { full: 1.0, ..sliced(probes) },
        })
    }

    /// The columns a sample that have to go through the weights, passes and outer products together: the least work.
    pub fn least_columns(&self, spec: &MlpSpec) -> usize {
        let width = spec.dims()[1];
        match self.program(spec.head()) {
            Program::Difference(fd) => 3 * (1 + 2 * fd.probes),
            Program::Matching(terms) => {
                let tangents = terms.tangent_count(spec.dim(), width);
                match spec.head() {
                    Head::Energy => 3 * (tangents + 2),
                    Head::Score => 3 * (tangents + 1),
                }
            }
        }
    }

    /// The objective in one formula, for the record of a run.
    pub fn formula(&self) -> String {
        match self {
            Self::Esm => "1/2 |s|^2 + tr grad s".to_string(),
            Self::Ssm(probes) => format!("1/2 (v.s)^2 + v' grad s v, {}", probes.describe()),
            Self::SsmVr(probes) => format!("1/2 |s|^2 + v' grad s v, {}", probes.describe()),
            Self::FdSsm(fd) => fd.formula(),
            Self::Denoising(denoising) => denoising.formula(),
        }
    }

    /// The conventions on which papers and programs differ, for the record of a run.
    pub fn conventions(&self) -> BTreeMap<&'static str, String> {
        let mut all = BTreeMap::from([("sigma", "a standard deviation, in the units of the network".to_string())]);
        let mut say = |key, value: String| {
            all.insert(key, value);
        };
        match self {
            Self::Esm => {}
            Self::Ssm(probes) | Self::SsmVr(probes) => {
                say("probe_law", probes.law.name().to_string());
                say("probes", probes.count.to_string());
                say("probe_covariance", "E[v v'] = I".to_string());
            }
            Self::FdSsm(fd) => {
                say("probe_law", "sphere of radius epsilon".to_string());
                say("probes", fd.probes.to_string());
                say("epsilon", fd.epsilon.to_string());
            }
            Self::Denoising(denoising) => {
                say("denoising_weight", format!("1/2 sigma^{} |s + z/sigma|^2", denoising.weighting.0));
                say("ladder", denoising.ladder.to_string());
                say("level_choice", "uniform, each sample its own".to_string());
            }
        }
        all
    }

    /// The standard deviation by which the law that the objective aims at is smoothed: the model (at its smallest noise
    /// level) approaches p ∗ N(0, σ² I); 0 is p itself.
    pub fn smoothing(&self) -> f64 {
        match self {
            Self::Denoising(denoising) => denoising.ladder.smallest(),
            _ => 0.0,
        }
    }

    /// What a user should know before training `spec` with this objective.
    pub fn warnings(&self, spec: &MlpSpec) -> Vec<String> {
        match self {
            Self::Denoising(denoising) => denoising.warnings(spec),
            Self::FdSsm(_) if !spec.activation().is_smooth() => vec![format!(
                "fd-ssm stands for second derivatives, which {} does not have: it sees kinks only where probes cross them",
                spec.activation().name()
            )],
            _ => Vec::new(),
        }
    }
}
