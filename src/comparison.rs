//! Many runs side by side: the spread of each metric over seeds, the best objectives of each data set, as CSV and Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::error::{Error, Result};
use crate::report::{Better, Meaning, meaning, short};

/// The seconds that training took, among the values of a [`Trial`].
pub const SECONDS: &str = "train_seconds";

/// The metrics that tables show, in this order, each where a run has it.
pub const SHOWN: &[&str] = &[
    "kl_data",
    "nll_data",
    "outside_mass",
    "mode_tv",
    "log_density_mse",
    "fisher",
    "swd",
    "mmd2",
    "energy_distance",
    "neighbours",
    SECONDS,
];

/// Metrics that judge all objectives by the same law, or by none.
const COMMON: &[&str] = &["kl_data", "nll_data", SECONDS];

/// What has to be known to read the tables.
pub const AIMS: &str = "dsm and mdsm aim at the data's law smoothed by their smallest sigma, all others at the data's own: \
                        kl_data and nll_data judge all by the same law, metrics of the law aimed at each by its own.";

/// What bold means.
pub const BOLD: &str = "Bold is the best median of the objectives every seed of which has the number, and objectives a quarter of \
                        whose seeds or more reach it. Where some do as well as chance in half of their seeds or more, all of these \
                        are bold, and no others. One seed has no best, nor have metrics of the law aimed at on data where \
                        objectives aim at different laws.";

/// One run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trial {
    /// The data set.
    pub data: String,
    /// The objective.
    pub loss: String,
    /// The seed.
    pub seed: u64,
    /// Training steps.
    pub steps: u64,
    /// The smoothing of the law that its objective aims at; 0 for the data's own.
    pub sigma: f64,
    /// What it has of [`SHOWN`].
    pub values: BTreeMap<String, f64>,
    /// Those of them that lie where they do by chance.
    pub by_chance: BTreeSet<String>,
    /// Why it came to nothing, if it did.
    pub failure: Option<String>,
}

impl Trial {
    /// Takes in a metric; `chance` is where 95 of 100 values lie by chance.
    pub fn measured(&mut self, metric: &str, value: f64, chance: Option<[f64; 2]>) {
        self.values.insert(metric.to_string(), value);
        let is_near = matches!(better(metric), Better::Near(_));
        // below the interval of a distance there is nothing but more luck
        if chance.is_some_and(|[low, high]| value <= high && (value >= low || !is_near)) {
            self.by_chance.insert(metric.to_string());
        }
    }
}

/// A metric of one objective on one data set over seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// The value of each seed that has one.
    pub values: Vec<f64>,
    /// Seeds whose run came to nothing.
    pub failed: usize,
    /// Seeds whose run has no such number: it is not finite, or a note of the run says why it is left out.
    pub withheld: usize,
}

impl Spread {
    /// The median; NaN for no values.
    pub fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            n => 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]),
        }
    }

    /// The least and the largest value.
    pub fn range(&self) -> [f64; 2] {
        self.values.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(*v), high.max(*v)])
    }

    /// Whether every seed has a value.
    pub fn is_whole(&self) -> bool {
        self.failed + self.withheld == 0
    }

    /// How many seeds have no value, and why; nothing if all have one.
    pub fn gaps(&self) -> String {
        let all = self.values.len() + self.failed + self.withheld;
        let gaps = [(self.failed, "failed"), (self.withheld, "withheld")];
        let texts = gaps.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} of {all} {what}"));
        texts.collect::<Vec<_>>().join(", ")
    }

    /// Median and range in a few characters, and how many seeds have none.
    pub fn text(&self) -> String {
        let [low, high] = self.range();
        let mut text = short(self.median(), 4);
        if self.values.len() > 1 {
            text += &format!(" ({} to {})", short(low, 4), short(high, 4));
        }
        if !self.is_whole() {
            text += &format!(", {}", self.gaps());
        }
        text
    }
}

/// All runs of a comparison.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// The data sets, in the order of rows.
    pub data: Vec<String>,
    /// The objectives, in the order of columns.
    pub losses: Vec<String>,
    /// The runs.
    pub trials: Vec<Trial>,
}

impl Comparison {
    fn runs<'a>(&'a self, data: &'a str, loss: &'a str) -> impl Iterator<Item = &'a Trial> {
        self.trials.iter().filter(move |t| t.data == data && t.loss == loss)
    }

    /// A metric over seeds; none if no run has it.
    pub fn spread(&self, data: &str, loss: &str, metric: &str) -> Option<Spread> {
        let values: Vec<f64> = self.runs(data, loss).filter_map(|t| t.values.get(metric).copied()).collect();
        let without = || self.runs(data, loss).filter(|t| !t.values.contains_key(metric));
        let failed = without().filter(|t| t.failure.is_some()).count();
        let withheld = without().count() - failed;
        (!values.is_empty()).then_some(Spread { values, failed, withheld })
    }

    /// The objectives with the best median of a metric, among those every seed of which has it, and those that come near: see
    /// [`BOLD`]. None where there is nothing to choose.
    pub fn best(&self, data: &str, metric: &str) -> Vec<&str> {
        let whole = |loss: &str| self.spread(data, loss, metric).filter(|s| s.is_whole() && s.values.len() > 1);
        let all: Vec<(&str, Spread)> = self.losses.iter().filter_map(|l| Some((l.as_str(), whole(l)?))).collect();
        let mut aims = all.iter().flat_map(|(loss, _)| self.runs(data, loss)).map(|t| t.sigma);
        let first = aims.next();
        let is_fair = COMMON.contains(&metric) || aims.all(|sigma| Some(sigma) == first);
        if self.losses.len() < 2 || !is_fair {
            return Vec::new();
        }
        let by_chance = |loss: &str| self.runs(data, loss).filter(|t| t.by_chance.contains(metric)).count();
        let tied = |loss: &str| 2 * by_chance(loss) >= self.runs(data, loss).count();
        if all.iter().any(|(loss, _)| tied(loss)) {
            return all.iter().map(|(loss, _)| *loss).filter(|loss| tied(loss)).collect();
        }
        let better = better(metric);
        let medians = all.iter().map(|(_, spread)| spread.median());
        let Some(best) = medians.reduce(|a, b| if better.prefers(b, a) { b } else { a }) else { return Vec::new() };
        let reaches = |spread: &Spread| {
            4 * spread.values.iter().filter(|value| !better.prefers(best, **value)).count() >= spread.values.len()
        };
        all.iter().filter(|(_, spread)| reaches(spread)).map(|(loss, _)| *loss).collect()
    }

    /// The metrics that some run has.
    pub fn metrics(&self) -> impl Iterator<Item = &'static str> {
        SHOWN.iter().copied().filter(|metric| self.trials.iter().any(|t| t.values.contains_key(*metric)))
    }

    /// A line for each run, with a header.
    ///
    /// # Errors
    /// Never in practice: the writer is memory.
    pub fn csv(&self) -> Result<String> {
        let broken = |e: String| Error::failed(format!("cannot write the comparison as CSV: {e}"));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let metrics: Vec<&str> = self.metrics().collect();
        let header = ["data", "loss", "seed", "steps"].into_iter().chain(metrics.iter().copied()).chain(["failure"]);
        writer.write_record(header).map_err(|e| broken(e.to_string()))?;
        for trial in &self.trials {
            let mut row = vec![trial.data.clone(), trial.loss.clone(), trial.seed.to_string(), trial.steps.to_string()];
            row.extend(metrics.iter().map(|m| trial.values.get(*m).map_or(String::new(), f64::to_string)));
            row.push(trial.failure.clone().unwrap_or_default());
            writer.write_record(row).map_err(|e| broken(e.to_string()))?;
        }
        let bytes = writer.into_inner().map_err(|e| broken(e.to_string()))?;
        String::from_utf8(bytes).map_err(|e| broken(e.to_string()))
    }

    /// A table for each metric: data sets down, objectives across, the [best](Self::best) in bold.
    pub fn markdown(&self) -> String {
        let mut text = format!("{AIMS}\n\n{BOLD}\n\n");
        for metric in self.metrics() {
            let _ = writeln!(text, "### {metric}\n\n{}.\n", caption(metric));
            let _ = writeln!(text, "| data | {} |", self.losses.join(" | "));
            let _ = writeln!(text, "| --- |{}", " --- |".repeat(self.losses.len()));
            for data in self.data.iter().filter(|d| self.losses.iter().any(|l| self.spread(d, l, metric).is_some())) {
                let best = self.best(data, metric);
                let cell = |loss: &String| match self.spread(data, loss, metric) {
                    Some(spread) if best.contains(&loss.as_str()) => format!("**{}**", spread.text()),
                    Some(spread) => spread.text(),
                    None => self.failures(data, loss),
                };
                let cells: Vec<String> = self.losses.iter().map(cell).collect();
                let _ = writeln!(text, "| {data} | {} |", cells.join(" | "));
            }
            text.push('\n');
        }
        for trial in self.trials.iter().filter(|t| t.failure.is_some()) {
            let why = trial.failure.as_deref().unwrap_or_default();
            let _ = writeln!(text, "- {} on {}, seed {}: {why}", trial.loss, trial.data, trial.seed);
        }
        text
    }

    /// What stands where an objective has no value.
    pub fn failures(&self, data: &str, loss: &str) -> String {
        match self.runs(data, loss).filter(|t| t.failure.is_some()).count() {
            0 => "–".to_string(),
            failed => format!("{failed} failed"),
        }
    }
}

/// Which values of a metric are good.
pub fn better(metric: &str) -> Better {
    meaning(metric).map_or(Better::Lower, |m| m.better)
}

/// What a metric is, for the line above its table.
pub fn caption(metric: &str) -> String {
    match meaning(metric) {
        Some(Meaning { is, unit: "", .. }) => format!("Median and range over seeds: {is}"),
        Some(Meaning { is, unit, .. }) => format!("Median and range over seeds: {is} ({unit})"),
        None => "Median and range over seeds: seconds of training".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::METRICS;

    fn trial(loss: &str, seed: u64, kl: Option<f64>) -> Trial {
        let values = kl.map(|kl| ("kl_data".to_string(), kl)).into_iter().collect();
        let failure = kl.is_none().then(|| "training diverged, at step 3".to_string());
        Trial { data: "moons".into(), loss: loss.into(), seed, steps: 10, values, failure, ..Trial::default() }
    }

    fn comparison() -> Comparison {
        let trials = [("dsm", [0.3, 0.1, 0.2]), ("ed", [0.05, 0.5, 0.15])];
        let mut all: Vec<Trial> = trials
            .iter()
            .flat_map(|(loss, values)| (0..).zip(values).map(|(seed, kl)| trial(loss, seed, Some(*kl))))
            .collect();
        all.extend([trial("cd", 0, Some(0.01)), trial("cd", 1, None), trial("esm", 0, None)]);
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Comparison { data: names(&["moons"]), losses: names(&["dsm", "ed", "cd", "esm"]), trials: all }
    }

    #[test]
    fn medians_ranges_and_the_best() {
        let all = comparison();
        let spread = all.spread("moons", "dsm", "kl_data").expect("spread");
        assert_eq!((spread.median(), spread.range()), (0.2, [0.1, 0.3]));
        // cd has the smallest median and a seed that failed; a seed of dsm is better than the median of ed
        assert_eq!(all.best("moons", "kl_data"), ["dsm", "ed"]);
        assert!(all.best("moons", "swd").is_empty());
        assert_eq!(all.spread("moons", "esm", "kl_data"), None);
    }

    /// Three seeds of each of two objectives that aim at laws smoothed by `sigmas`.
    fn rivals(metric: &str, sigmas: [f64; 2], values: [[f64; 3]; 2], chance: Option<[f64; 2]>) -> Comparison {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let mut all = Comparison { data: names(&["moons"]), losses: names(&["a", "b"]), trials: Vec::new() };
        for ((loss, sigma), values) in ["a", "b"].iter().zip(sigmas).zip(values) {
            for (seed, value) in (0..).zip(values) {
                let mut trial = Trial { sigma, ..trial(loss, seed, Some(1.0)) };
                trial.measured(metric, value, chance);
                all.trials.push(trial);
            }
        }
        all
    }

    #[test]
    fn the_best_is_fair() {
        let (small, large) = ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]);
        let best = |metric: &str, sigmas, values, chance| -> Vec<String> {
            let all = rivals(metric, sigmas, values, chance);
            all.best("moons", metric).into_iter().map(ToString::to_string).collect()
        };
        assert_eq!(best("swd", [0.0, 0.0], [small, large], None), ["a"]);
        assert_eq!(best("swd", [0.0, 0.0], [small, [0.2, 0.5, 0.6]], None), ["a", "b"]);
        assert_eq!(best("swd", [0.0, 0.0], [small, [0.21, 0.5, 0.6]], None), ["a"]);
        // distances from different laws are not compared, those from the data's own law are
        assert!(best("swd", [0.3, 0.0], [small, large], None).is_empty());
        assert!(best("outside_mass", [0.3, 0.0], [small, large], None).is_empty());
        assert_eq!(best("nll_data", [0.3, 0.0], [small, large], None), ["a"]);
        // what chance gives as well is no better for being smaller, even below nothing
        let chance = Some([-0.2, 0.2]);
        assert_eq!(best("mmd2", [0.0, 0.0], [[-0.3, -0.1, 0.9], [0.0, 0.1, 0.1]], chance), ["a", "b"]);
        assert_eq!(best("mmd2", [0.0, 0.0], [[-0.3, 0.5, 0.9], [0.0, 0.1, 0.1]], chance), ["b"]);
        assert_eq!(best("mmd2", [0.0, 0.0], [[0.3, 0.5, 0.9], [0.6, 0.7, 0.8]], chance), ["a"]);
        // a share of neighbours far below a half is no luck
        let near = Some([0.45, 0.55]);
        assert_eq!(best("neighbours", [0.0, 0.0], [[0.5, 0.5, 0.5], [0.1, 0.1, 0.1]], near), ["a"]);
        assert_eq!(best("outside_mass", [0.0, 0.0], [[0.0; 3], [0.0; 3]], None), ["a", "b"]);
    }

    #[test]
    fn a_seed_of_many_is_not_enough() {
        let best = |others: &[f64]| -> usize {
            let mut all = rivals("swd", [0.0, 0.0], [[0.1, 0.2, 0.3], [0.4; 3]], None);
            all.trials.truncate(3);
            all.trials.extend((0..).zip(others).map(|(seed, value)| {
                let mut trial = trial("b", seed, Some(1.0));
                trial.measured("swd", *value, None);
                trial
            }));
            all.best("moons", "swd").len()
        };
        assert_eq!(
            [best(&[0.2, 0.5, 0.6, 0.7]), best(&[0.2, 0.5, 0.6, 0.7, 0.8]), best(&[0.2, 0.2, 0.6, 0.7, 0.8])],
            [2, 1, 2]
        );
        let mut one = rivals("swd", [0.0, 0.0], [[0.1; 3], [0.4; 3]], None);
        one.trials.retain(|trial| trial.seed == 0);
        assert!(one.best("moons", "swd").is_empty());
    }

    #[test]
    fn a_number_that_is_left_out_is_no_failure() {
        let mut all = rivals("swd", [0.0, 0.0], [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], None);
        all.trials[2].values.remove("swd");
        assert_eq!(all.spread("moons", "a", "swd").expect("spread").text(), "0.15 (0.1 to 0.2), 1 of 3 withheld");
        all.trials[1] = trial("a", 1, None);
        let text = all.spread("moons", "a", "swd").expect("spread").text();
        assert_eq!(text, "0.1, 1 of 3 failed, 1 of 3 withheld");
        assert_eq!(all.best("moons", "swd"), ["b"]);
        assert!(all.markdown().contains(BOLD));
    }

    #[test]
    fn what_runs_measure_is_shown() {
        let left: Vec<&str> = METRICS.iter().map(|m| m.name).filter(|name| !SHOWN.contains(name)).collect();
        // the first two have a twin that is of the same law for all objectives, and chains are not what is compared
        assert_eq!(left, ["nll", "kl", "chains_energy", "log_z"]);
        assert!(SHOWN.iter().all(|name| *name == SECONDS || meaning(name).is_some()));
        let best = |sigmas| {
            let all = rivals("log_density_mse", sigmas, [[0.1; 3], [0.2; 3]], None);
            all.best("moons", "log_density_mse").len()
        };
        assert_eq!([best([0.0, 0.0]), best([0.3, 0.0])], [1, 0]);
    }

    #[test]
    fn tables_say_everything() {
        let all = comparison();
        let text = all.markdown();
        assert!(text.contains("| data | dsm | ed | cd | esm |"), "{text}");
        assert!(
            text.contains("| moons | **0.2 (0.1 to 0.3)** | **0.15 (0.05 to 0.5)** | 0.01, 1 of 2 failed | 1 failed |"),
            "{text}"
        );
        let csv = all.csv().expect("csv");
        assert_eq!(csv.lines().next(), Some("data,loss,seed,steps,kl_data,failure"));
        assert!(csv.contains("moons,cd,1,10,,\"training diverged, at step 3\""), "{csv}");
        assert_eq!(csv.lines().count(), 10);
    }
}
