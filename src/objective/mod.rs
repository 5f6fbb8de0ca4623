//! Objectives: what is minimised. One file per family: its hyper-parameters, what it refuses, its mathematics.

mod contrast;
mod contrastive;
mod denoising;
mod difference;
mod discrepancy;
mod implicit;
mod ladder;
mod noise_contrastive;
mod probe;
mod program;
mod replay;
mod separable;
mod work;

pub use contrast::{Contrast, Form, Proposal};
pub use contrastive::Contrastive;
pub use denoising::{Denoising, Level, Weighting};
pub use difference::FdSsm;
pub use discrepancy::{Discrepancy, MOST_NEGATIVES};
pub use implicit::{MOST_PROBES, Probes};
pub use ladder::Ladder;
pub use noise_contrastive::NoiseContrastive;
pub use probe::ProbeLaw;
pub use program::{Program, Tangents, Terms};
pub use replay::Replay;
pub(crate) use replay::SlotOrder;
pub use separable::{Coordinate, SeparableLaw};

use std::collections::BTreeMap;

use crate::error::{Error, Result, unknown_name};
use crate::model::{Conditioning, Head, MlpSpec};

/// The names that `--loss` takes.
pub const NAMES: &[&str] = &["esm", "ssm", "ssm-vr", "fd-ssm", "dsm", "mdsm", "cd", "pcd", "ed", "nce"];

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
    /// Contrastive divergence.
    Cd(Contrastive),
    /// Persistent contrastive divergence.
    Pcd(Contrastive, Replay),
    /// Energy discrepancy.
    Ed(Discrepancy),
    /// Noise-contrastive estimation.
    Nce(NoiseContrastive),
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
            Self::Cd(_) => "cd",
            Self::Pcd(..) => "pcd",
            Self::Ed(_) => "ed",
            Self::Nce(_) => "nce",
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
            Self::Cd(_) => "contrastive divergence",
            Self::Pcd(..) => "persistent contrastive divergence",
            Self::Ed(_) => "energy discrepancy",
            Self::Nce(_) => "noise-contrastive estimation",
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
        if matches!(self.program(spec.head()), Program::Contrast(_)) && spec.head() == Head::Score {
            return Err(Error::input(format!("{name} compares energies, a network with --head score has none"))
                .hint("--head energy, or --loss dsm"));
        }
        let laws = match self {
            Self::Pcd(_, replay) => Some(("replay buffer starts", &replay.start)),
            Self::Nce(nce) => Some(("noise lies", &nce.noise)),
            _ => None,
        };
        if let Some((what, law)) = laws.filter(|(_, law)| law.dim() != spec.dim()) {
            let (has, want) = (law.dim(), spec.dim());
            return Err(Error::input(format!("the {what} in {has} dimensions, the network takes {want}")));
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
            Self::Cd(cd) => return Program::Contrast(chained(cd, None)),
            Self::Pcd(cd, replay) => return Program::Contrast(chained(cd, Some(replay))),
            Self::Ed(Discrepancy { t, negatives, w }) => {
                return Program::Contrast(Contrast {
                    negatives: *negatives,
                    form: Form::Ranking { w: *w },
                    proposal: Proposal::Perturbed { t: *t },
                    data_noise: 0.0,
                });
            }
            Self::Nce(NoiseContrastive { negatives, noise }) => {
                return Program::Contrast(Contrast {
                    negatives: *negatives,
                    form: Form::Classification,
                    proposal: Proposal::Law(noise),
                    data_noise: 0.0,
                });
            }
            Self::Denoising(denoising) => Terms { denoising: Some(denoising), ..none },
            // Σ (vₖ·s)² over the basis is ‖s‖² for a gradient, which lies in the row space
            Self::Esm if head == Head::Energy => Terms { sliced: 1.0, curved: 1.0, tangents: Tangents::Basis, ..none },
            Self::Esm => Terms { full: 1.0, curved: 1.0, tangents: Tangents::Axes, ..none },
            Self::Ssm(probes) => Terms { sliced: 1.0 / probes.count as f64, ..sliced(probes) },
            Self::SsmVr(probes) => Terms { full: 1.0, ..sliced(probes) },
        })
    }

    /// The objective in one formula, for the record of a run.
    pub fn formula(&self) -> String {
        match self {
            Self::Esm => "1/2 |s|^2 + tr grad s".to_string(),
            Self::Ssm(probes) => format!("{SLICED}, {}", probes.describe()),
            Self::SsmVr(probes) => format!("{REDUCED}, {}", probes.describe()),
            Self::FdSsm(fd) => fd.formula(),
            Self::Denoising(denoising) => denoising.formula(),
            Self::Cd(cd) => cd.formula(None),
            Self::Pcd(cd, replay) => cd.formula(Some(replay)),
            Self::Ed(ed) => ed.formula(),
            Self::Nce(nce) => nce.formula(),
        }
    }

    /// The same for a batch whose random numbers are given, wherever they come from.
    pub fn formula_of_given(&self) -> String {
        match self.program(Head::Energy) {
            Program::Contrast(contrast) => {
                let law = contrast.noise_law().map_or(String::new(), |law| format!(", q {}", law.describe()));
                format!("{}, y given{law}", contrast.form.formula(contrast.negatives))
            }
            _ => match self {
                Self::Ssm(probes) => format!("{SLICED}, {} v a sample, given", probes.count),
                Self::SsmVr(probes) => format!("{REDUCED}, {} v a sample, given", probes.count),
                Self::FdSsm(fd) => format!("{}, eps = |v|, {} v a sample, given", difference::FORM, fd.probes),
                Self::Denoising(denoising) if denoising.is_multi() => {
                    format!("{}, z and sigma given", denoising.form())
                }
                Self::Denoising(_) => format!("{}, z given", self.formula()),
                _ => self.formula(),
            },
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
            Self::Cd(cd) => all.extend(cd.conventions(None)),
            Self::Pcd(cd, replay) => all.extend(cd.conventions(Some(replay))),
            Self::Ed(ed) => all.extend(ed.conventions()),
            Self::Nce(nce) => all.extend(nce.conventions()),
        }
        all
    }

    /// The standard deviation by which the law that the objective aims at is smoothed: the model (at its smallest noise
    /// level) approaches p ∗ N(0, σ² I); 0 is p itself.
    pub fn smoothing(&self) -> f64 {
        match self {
            Self::Denoising(denoising) => denoising.ladder.smallest(),
            Self::Cd(cd) | Self::Pcd(cd, _) => cd.data_noise,
            _ => 0.0,
        }
    }

    /// Whether −E is itself a normalised log-density at the objective's minimum.
    pub fn normalizes(&self) -> bool {
        matches!(self, Self::Nce(_))
    }

    /// What a user should know before training `spec` with this objective.
    pub fn warnings(&self, spec: &MlpSpec) -> Vec<String> {
        match self {
            Self::Denoising(denoising) => denoising.warnings(spec),
            Self::Cd(cd) | Self::Pcd(cd, _) => cd.warnings(),
            Self::Ed(ed) => ed.warnings(),
            Self::FdSsm(_) if !spec.activation().is_smooth() => vec![format!(
                "fd-ssm stands for second derivatives, which {} does not have: it sees kinks only where probes cross them",
                spec.activation().name()
            )],
            _ => Vec::new(),
        }
    }
}

/// The losses of a direction.
const SLICED: &str = "1/2 (v.s)^2 + v' grad s v";
const REDUCED: &str = "1/2 |s|^2 + v' grad s v";

/// One chain a sample, from the data or from a replay buffer.
fn chained<'a>(cd: &'a Contrastive, replay: Option<&'a Replay>) -> Contrast<'a> {
    let (form, proposal) = (Form::Difference { alpha: cd.alpha }, Proposal::Chains(cd, replay));
    Contrast { negatives: 1, form, proposal, data_noise: cd.data_noise }
}
