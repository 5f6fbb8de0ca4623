//! Published experiments repeated: each trains what its source trains and compares what comes out with what must.
//!
//! | name | source | subject |
//! | --- | --- | --- |
//! | `tutorial` | the usual tutorial on score matching | denoising and sliced score matching on three clusters |
//! | `tutorial-multiscale` | its exercise on noise levels | one network for four noise levels |
//! | `gmm-banana-score` | Hyvärinen 2005, Vincent 2011, Song et al. 2019 (arXiv:1905.07088) | score fields on two laws |
//! | `ncsn-toy` | Song and Ermon 2019 (arXiv:1907.05600), section 3.2 | weights of modes, with and without noise levels |
//! | `ncsn-toy-langevin`, `gmm-banana-langevin`, `gmm-banana-anneal` | the same, and a course project on two Gaussians | chains on exact scores |
//! | `mala-banana` | Roberts and Tweedie 1996 | acceptance and moments |
//! | `u1` to `u4` | Rezende and Mohamed 2015 (arXiv:1505.05770) | moments and ln Z in a box |
//! | `dim-scaling` | Song et al. 2019 (arXiv:1905.07088), section 5 | exact and sliced score matching against dimension |
//! | `esm-vs-dsm` | Vincent 2011 | the gradient of denoising against that of score matching, over σ |
//! | `ed-myopia` | Schröder et al. 2023 (arXiv:2307.06431), figure 1 | weights of distant modes: energy discrepancy, Fisher, KL |
//! | `ed-w` | the same, figure 2 | the curvature that energy discrepancy learns, over w |
//! | `ed-25g` | the same, figure 3 | the error of the log-density that three objectives learn |
//! | `toy-grid` | the usual toy laws | ten objectives side by side |
//! | `returns` | the tutorial's exercise | two stock indices: an energy, a copula, a normal law |
//! | `nce-logz` | Gutmann and Hyvärinen 2010 | the normalising constant that noise contrast learns |
//!
//! A line of a [`Report`] holds a measured number, one value a seed, and the range in which its median has to lie.
//! Ranges are set beforehand; a line outside its range fails and stays so.

mod copula;
mod dim_scaling;
mod ed_25g;
mod ed_myopia;
mod ed_w;
mod esm_vs_dsm;
mod exact_scores;
mod gmm_banana;
mod mala_banana;
mod measure;
mod multiscale;
mod nce_logz;
mod ncsn_toy;
mod potentials;
mod recipe;
mod report;
mod returns;
mod toy_grid;
mod tutorial;

use std::path::PathBuf;
use std::time::Instant;

pub use report::{Line, Report, Table};

use crate::engine::Engine;
use crate::error::{Error, Result, unknown_name};
use crate::report::Figure;

/// An experiment: what it is called, what it shows, what can be left out of it.
pub struct Experiment {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, in one line.
    pub about: &'static str,
    /// The objectives that it compares, where one alone can be asked for.
    pub losses: &'static [&'static str],
    /// The laws that it trains on, where one alone can be asked for.
    pub laws: &'static [&'static str],
    run: fn(&Setup<'_>, &mut Report) -> Result<()>,
}

/// All experiments.
pub const EXPERIMENTS: &[Experiment] = &[
    Experiment {
        name: "tutorial",
        about: "denoising and sliced score matching of three clusters",
        losses: &["dsm", "ssm"],
        laws: &[],
        run: tutorial::run,
    },
    Experiment {
        name: "tutorial-multiscale",
        about: "one network for four noise levels",
        losses: &[],
        laws: &[],
        run: multiscale::run,
    },
    Experiment {
        name: "gmm-banana-score",
        about: "score fields of two Gaussians and of a banana by three objectives",
        losses: &["esm", "dsm", "ssm"],
        laws: &["gmm2", "banana"],
        run: gmm_banana::run,
    },
    Experiment {
        name: "ncsn-toy",
        about: "the weights of modes, found by annealed chains alone",
        losses: &["ssm-vr", "mdsm"],
        laws: &[],
        run: ncsn_toy::run,
    },
    Experiment {
        name: "dim-scaling",
        about: "the floor of the loss and the time of a step against dimension",
        losses: &[],
        laws: &[],
        run: dim_scaling::run,
    },
    Experiment {
        name: "ncsn-toy-langevin",
        about: "the same weights with the exact score: naive and annealed chains",
        losses: &[],
        laws: &[],
        run: exact_scores::ncsn_toy,
    },
    Experiment {
        name: "gmm-banana-langevin",
        about: "Langevin chains with the exact score: the variance in each mode, the weights that they miss",
        losses: &[],
        laws: &[],
        run: exact_scores::gmm_langevin,
    },
    Experiment {
        name: "gmm-banana-anneal",
        about: "annealed chains with the exact score: how large the largest noise level has to be",
        losses: &[],
        laws: &[],
        run: exact_scores::gmm_annealed,
    },
    Experiment {
        name: "mala-banana",
        about: "acceptance and moments of MALA on the banana",
        losses: &[],
        laws: &[],
        run: mala_banana::run,
    },
    Experiment {
        name: "u1",
        about: "moments and ln Z of the potential u1 in its box, by tempered HMC and annealed importance sampling",
        losses: &[],
        laws: &[],
        run: potentials::u1,
    },
    Experiment { name: "u2", about: "the same of u2", losses: &[], laws: &[], run: potentials::u2 },
    Experiment { name: "u3", about: "the same of u3", losses: &[], laws: &[], run: potentials::u3 },
    Experiment { name: "u4", about: "the same of u4", losses: &[], laws: &[], run: potentials::u4 },
    Experiment {
        name: "esm-vs-dsm",
        about: "the gradient of denoising against that of exact score matching, over sigma",
        losses: &[],
        laws: &[],
        run: esm_vs_dsm::run,
    },
    Experiment {
        name: "ed-myopia",
        about: "energy discrepancy, Fisher and KL divergence of a wrong weight of distant modes",
        losses: &[],
        laws: &[],
        run: ed_myopia::run,
    },
    Experiment {
        name: "ed-w",
        about: "the curvature that energy discrepancy learns of a Gaussian, over w",
        losses: &[],
        laws: &[],
        run: ed_w::run,
    },
    Experiment {
        name: "ed-25g",
        about: "the error of the log-density of 25 Gaussians: energy discrepancy, score matching, contrastive divergence",
        losses: &["ed", "esm", "cd", "pcd"],
        laws: &[],
        run: ed_25g::run,
    },
    Experiment {
        name: "toy-grid",
        about: "ten objectives on ten toy laws: KL divergence, NLL, mass outside, weights of modes, time",
        losses: toy_grid::LOSSES,
        laws: toy_grid::LAWS,
        run: toy_grid::run,
    },
    Experiment {
        name: "returns",
        about: "daily returns of two stock indices: an energy against a Gaussian copula and a normal law",
        losses: &[],
        laws: &[],
        run: returns::run,
    },
    Experiment {
        name: "nce-logz",
        about: "the normalising constant that noise-contrastive estimation learns",
        losses: &[],
        laws: &[],
        run: nce_logz::run,
    },
];

/// What an experiment runs with.
pub struct Setup<'a> {
    /// Where the arithmetic is done.
    pub engine: &'a dyn Engine,
    /// Independent repetitions; their medians are judged.
    pub seeds: u64,
    /// Divides the numbers of steps, points and chains: 1 for the experiment itself, more to see only that it runs.
    pub reduce: usize,
    /// The only objective to run; all if not given.
    pub loss: Option<String>,
    /// The only law to run; all if not given.
    pub law: Option<String>,
    /// The folder for `report.json` and figures.
    pub out: PathBuf,
    /// Hears what is being done.
    pub progress: &'a dyn Fn(&str),
}

impl Setup<'_> {
    /// A number of steps, points or chains, reduced; at least 16.
    fn count(&self, full: usize) -> usize {
        full.div_ceil(self.reduce).max(16.min(full))
    }

    /// Whether this objective is asked for.
    fn wants_loss(&self, name: &str) -> bool {
        self.loss.as_deref().is_none_or(|only| only == name)
    }

    /// Whether this law is asked for.
    fn wants_law(&self, name: &str) -> bool {
        self.law.as_deref().is_none_or(|only| only == name)
    }

    /// What `value` gives for each seed, in order.
    fn over_seeds<R>(&self, what: &str, mut value: impl FnMut(u64) -> Result<R>) -> Result<Vec<R>> {
        (1..=self.seeds)
            .map(|seed| {
                (self.progress)(&format!("{what}: seed {seed} of {}", self.seeds));
                value(seed)
            })
            .collect()
    }

    fn draw(&self, name: &str, figure: &Figure) -> Result<()> {
        figure.write(&self.out.join(name))
    }
}

/// The name of an objective here, of one in the literature: `sm`, or `ism` for the implicit form, is [`Objective::Esm`].
///
/// [`Objective::Esm`]: crate::objective::Objective::Esm
pub fn objective_name(name: &str) -> &str {
    match name {
        "sm" | "ism" => "esm",
        other => other,
    }
}

/// The experiment of that name, once it is clear that it can be run as `loss` and `law` ask.
///
/// # Errors
/// There is no such experiment, or it has no such objective or law.
pub fn find(name: &str, loss: Option<&str>, law: Option<&str>) -> Result<&'static Experiment> {
    let names: Vec<&str> = EXPERIMENTS.iter().map(|e| e.name).collect();
    let experiment =
        EXPERIMENTS.iter().find(|e| e.name == name).ok_or_else(|| unknown_name("experiment", name, &names))?;
    for (flag, asked, known) in [("loss", loss, experiment.losses), ("data", law, experiment.laws)] {
        match asked {
            Some(_) if known.is_empty() => {
                return Err(Error::input(format!("{name} has no choice of --{flag}")).hint("leave it out"));
            }
            Some(asked) if !known.contains(&asked) => {
                return Err(Error::input(format!("{name} does not run --{flag} {asked}"))
                    .hint(format!("it runs {}", known.join(", "))));
            }
            _ => {}
        }
    }
    Ok(experiment)
}

impl Experiment {
    /// Runs the experiment and writes its report and figures into the setup's folder, which has to exist.
    ///
    /// # Errors
    /// No seeds, training diverged, the folder cannot be written, or the device failed. A line that fails is no error
    /// here: see [`Report::failures`].
    pub fn run(&self, setup: &Setup<'_>) -> Result<Report> {
        for (name, count) in [("seeds", setup.seeds), ("reduce", setup.reduce as u64)] {
            if !(1..=10_000).contains(&count) {
                return Err(Error::input(format!("{name} is {count}, it has to be from 1 to 10000")));
            }
        }
        let start = Instant::now();
        let mut report = Report::new(self.name, setup);
        (self.run)(setup, &mut report)?;
        report.seconds = start.elapsed().as_secs_f64();
        report.write(&setup.out)?;
        Ok(report)
    }
}
