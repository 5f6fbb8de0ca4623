//! All metrics of a trained model: what an engine computes, put against the law or the held-out points.

mod densities;
pub use densities::FEWEST_CHAINS;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Statistic, compare, fisher, log_density_mse, mode_tv, mode_tv_null, modes_by_nearest};
use crate::data::{Dataset, Law};
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{Head, Model};
use crate::points::Points;
use crate::random::{Seed, Stream};

/// Points for metrics that are averages over the law.
const POINTS: usize = 5000;

/// How good a model is. Densities are in the original units, nats; `None` where a number is not defined.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Metrics {
    /// Mean −ln q over the law that the objective aims at (for dsm: the data's law smoothed by σ).
    pub nll: Option<f64>,
    /// KL divergence of q from that law.
    pub kl: Option<f64>,
    /// Mean −ln q over the data's own law.
    pub nll_data: Option<f64>,
    /// KL divergence of q from the data's own law.
    pub kl_data: Option<f64>,
    /// Mean squared error of ln q at points of the law aimed at, with Z from those points.
    pub log_density_mse: Option<f64>,
    /// ½ E‖s_θ − s‖² over the law aimed at.
    pub fisher: Option<f64>,
    /// Total variation between the shares of the law aimed at and of the chains that are nearest to each of its modes.
    pub mode_tv: Option<f64>,
    /// Mass of q farther than 5 standard deviations from the support of the law aimed at; of a file, outside a box around its
    /// points with a tenth of their range to spare on each side.
    pub outside_mass: Option<f64>,
    /// Mean E of the chains less that of q itself, in standard deviations of E under q.
    pub chains_energy: Option<f64>,
    /// Squared maximum mean discrepancy between chains and held-out points of the law aimed at, unbiased.
    pub mmd2: Option<f64>,
    /// Sliced Wasserstein-2 distance between the same, in the units of the network.
    pub swd: Option<f64>,
    /// Energy distance between the same, unbiased, in the units of the network.
    pub energy_distance: Option<f64>,
    /// The share of the 5 nearest neighbours of chains and held-out points that are of the point's own kind.
    pub neighbours: Option<f64>,
    /// ln Z of exp(−E) in the units of the network: by the grid, or by annealed importance sampling.
    pub log_z: Option<f64>,
    /// Standard errors of the metrics above that are averages over points or chains.
    pub standard_errors: BTreeMap<&'static str, f64>,
    /// Where 95 of 100 values of a metric lie by chance: for `mode_tv` those of samples of the law itself in the chains' place, for
    /// distances those that exchange the labels of chains and held-out points.
    pub null_intervals: BTreeMap<&'static str, [f64; 2]>,
    /// How likely it is that chance gives as large a value.
    pub p_values: BTreeMap<&'static str, f64>,
    /// Why a density-based number is missing, or what to think of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The mass in the rim of the grid from which on a note says that there is more beyond.
const RIM_MASS: f64 = 1e-3;
/// What an objective makes of the data's law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The model approaches the law smoothed by this standard deviation.
    pub sigma: f64,
    /// −E is a normalised log-density as it is.
    pub normalized: bool,
}

/// What is evaluated, and how.
pub struct Evaluation<'a> {
    /// Where the arithmetic is done.
    pub engine: &'a dyn Engine,
    /// A network without conditioning: see [`Model::at`].
    pub model: &'a Model,
    /// What it is put against.
    pub data: &'a Dataset,
    /// What its objective aimed at.
    pub aim: Target,
    /// Positions of its chains, in the network's units.
    pub chains: Option<&'a Points>,
    /// Mean and standard deviation of the points that the model was trained on, in the network's units, where annealed chains
    /// start; those of `data` if they are not known.
    pub spread: Option<[Vec<f64>; 2]>,
    /// Chains and levels of annealed importance sampling, where no grid gives ln Z; none to leave it out.
    pub annealing: Option<(usize, u32)>,
    /// The seed of everything that is drawn.
    pub seed: Seed,
}

impl Evaluation<'_> {
    /// All metrics that are defined.
    ///
    /// # Errors
    /// The device failed.
    pub fn run(&self) -> Result<Metrics> {
        let mut metrics = Metrics::default();
        let target = self.data.smoothed_test(self.aim.sigma, self.seed);
        if self.model.spec.head() == Head::Energy {
            self.densities(&target, &mut metrics)?;
        } else {
            metrics.note = Some(
                "a score field has no energy: NLL, KL and the other numbers of densities are left out".to_string(),
            );
        }
        if let Some(law) = &self.data.law {
            self.against_law(law.as_ref(), &target, &mut metrics)?;
        }
        let finite = |chains: &&Points| chains.values().iter().all(|v| v.is_finite());
        if self.chains.is_some_and(|chains| !finite(&chains)) {
            metrics.note("some samples are not finite: there are no distances between samples".to_string());
        }
        if let Some(chains) = self.chains.filter(finite) {
            // in the network's units, where no column is lost beside another
            metrics.two_samples(chains, &target, self.seed);
        }
        // one point has a mean without an error
        metrics.standard_errors.retain(|_, error| error.is_finite());
        Ok(metrics)
    }

    /// What needs the law's density or score at points.
    fn against_law(&self, law: &dyn Law, target: &Points, metrics: &mut Metrics) -> Result<()> {
        let sigma = self.aim.sigma;
        let some = POINTS.min(target.count());
        let points = Points::new(target.dim(), target.values()[..some * target.dim()].to_vec());
        if self.model.spec.head() == Head::Energy {
            let found = log_density_mse(law, sigma, &points, &self.engine.energy(self.model, &points)?);
            metrics.log_density_mse = Some(found.value);
            metrics.standard_errors.insert("log_density_mse", found.error);
        }
        let found = fisher(law, sigma, &points, &self.engine.score(self.model, &points)?);
        metrics.fisher = Some(found.value);
        metrics.standard_errors.insert("fisher", found.error);
        let Some(chains) = self.chains else { return Ok(()) };
        if let Some(modes) = modes_by_nearest(law, sigma)? {
            let value = mode_tv(&modes, chains);
            let (null, p) = mode_tv_null(&modes, chains.count(), value, &mut self.seed.sequence(Stream::Host, 3));
            metrics.mode_tv = Some(value);
            metrics.null_intervals.insert("mode_tv", null);
            metrics.p_values.insert("mode_tv", p);
        }
        Ok(())
    }
}

impl Metrics {
    /// The metrics by name, in the order in which a person reads them.
    pub fn named(&self) -> [(&'static str, Option<f64>); 14] {
        [
            ("nll", self.nll),
            ("kl", self.kl),
            ("nll_data", self.nll_data),
            ("kl_data", self.kl_data),
            ("log_z", self.log_z),
            ("outside_mass", self.outside_mass),
            ("log_density_mse", self.log_density_mse),
            ("fisher", self.fisher),
            ("mode_tv", self.mode_tv),
            ("chains_energy", self.chains_energy),
            ("swd", self.swd),
            ("mmd2", self.mmd2),
            ("energy_distance", self.energy_distance),
            ("neighbours", self.neighbours),
        ]
    }

    /// Takes back the mean energy of chains that are not to follow the model.
    pub fn leave_out_chains_energy(&mut self) {
        self.chains_energy = None;
        self.standard_errors.remove("chains_energy");
    }

    /// Adds a sentence to the note.
    fn note(&mut self, sentence: String) {
        self.note = Some(match self.note.take() {
            Some(before) => format!("{before}; {sentence}"),
            None => sentence,
        });
    }

    /// Says so where the model reaches beyond the grid.
    fn note_rim(&mut self, mass: f64) {
        if mass > RIM_MASS {
            self.note(format!(
                "the model has {:.1} % of its mass in the outermost fiftieth of the grid's box: what lies beyond is not counted",
                100.0 * mass
            ));
        }
    }

    /// The statistics of two samples.
    fn two_samples(&mut self, chains: &Points, target: &Points, seed: Seed) {
        let Some(found) = compare(chains, target, seed) else { return };
        let named = [
            ("swd", &mut self.swd, found.swd),
            ("mmd2", &mut self.mmd2, found.mmd2),
            ("energy_distance", &mut self.energy_distance, found.energy_distance),
            ("neighbours", &mut self.neighbours, found.neighbours),
        ];
        for (name, place, Statistic { value, null, p_value }) in named {
            *place = Some(value);
            self.null_intervals.insert(name, null);
            self.p_values.insert(name, p_value);
        }
    }
}
