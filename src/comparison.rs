//! Many runs side by side: the spread of each metric over seeds, the best objective of each data set, as CSV and Markdown.

use std::collections::BTreeMap;
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
    "fisher",
    "swd",
    "mmd2",
    "energy_distance",
    "neighbours",
    SECONDS,
];

/// What has to be known to read the tables.
pub const AIMS: &str = "dsm and mdsm aim at the data's law smoothed by their smallest sigma, all others at the data's own: \
                        kl_data and nll_data judge all by the same law, metrics of the law aimed at each by its own.";

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The data set.
    pub data: String,
    /// The objective.
    pub loss: String,
    /// The seed.
    pub seed: u64,
    /// Training steps.
    pub steps: u64,
    /// What it has of [`SHOWN`].
    pub values: BTreeMap<String, f64>,
    /// Why it came to nothing, if it did.
    pub failure: Option<String>,
}

/// A metric of one objective on one data set over seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// The value of each seed that has one.
    pub values: Vec<f64>,
    /// Seeds without one: their run came to nothing, or the number is not finite.
    pub missing: usize,
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

    /// Median and range in a few characters, and how many seeds failed.
    pub fn text(&self) -> String {
        let [low, high] = self.range();
        let mut text = short(self.median(), 3);
        if self.values.len() > 1 {
            text += &format!(" ({} to {})", short(low, 3), short(high, 3));
        }
        if self.missing > 0 {
            text += &format!(", {} of {} failed", self.missing, self.missing + self.values.len());
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
    /// A metric over seeds; none if no run has it.
    pub fn spread(&self, data: &str, loss: &str, metric: &str) -> Option<Spread> {
        let runs = || self.trials.iter().filter(|t| t.data == data && t.loss == loss);
        let values: Vec<f64> = runs().filter_map(|t| t.values.get(metric).copied()).collect();
        let missing = runs().count() - values.len();
        (!values.is_empty()).then_some(Spread { values, missing })
    }

    /// The objective with the best median of a metric, among those every seed of which has it.
    pub fn best(&self, data: &str, metric: &str) -> Option<&str> {
        let better = better(metric);
        let mut best: Option<(&str, f64)> = None;
        for loss in &self.losses {
            let Some(spread) = self.spread(data, loss, metric).filter(|s| s.missing == 0) else { continue };
            let median = spread.median();
            if best.is_none_or(|(_, least)| better.prefers(median, least)) {
                best = Some((loss, median));
            }
        }
        best.filter(|_| self.losses.len() > 1).map(|(loss, _)| loss)
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

    /// A table for each metric: data sets down, objectives across, the best in bold.
    pub fn markdown(&self) -> String {
        let mut text = format!("{AIMS}\n\n");
        for metric in self.metrics() {
            let _ = writeln!(text, "### {metric}\n\n{}.\n", caption(metric));
            let _ = writeln!(text, "| data | {} |", self.losses.join(" | "));
            let _ = writeln!(text, "| --- |{}", " --- |".repeat(self.losses.len()));
            for data in self.data.iter().filter(|d| self.losses.iter().any(|l| self.spread(d, l, metric).is_some())) {
                let best = self.best(data, metric);
                let cell = |loss: &String| match self.spread(data, loss, metric) {
                    Some(spread) if best == Some(loss) => format!("**{}**", spread.text()),
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
        match self.trials.iter().filter(|t| t.data == data && t.loss == loss && t.failure.is_some()).count() {
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

    fn trial(loss: &str, seed: u64, kl: Option<f64>) -> Trial {
        let values = kl.map(|kl| ("kl_data".to_string(), kl)).into_iter().collect();
        let failure = kl.is_none().then(|| "training diverged, at step 3".to_string());
        Trial { data: "moons".into(), loss: loss.into(), seed, steps: 10, values, failure }
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
        // cd has the smallest median and a seed that failed
        assert_eq!(all.best("moons", "kl_data"), Some("ed"));
        assert_eq!(all.best("moons", "swd"), None);
        assert_eq!(all.spread("moons", "esm", "kl_data"), None);
    }

    #[test]
    fn tables_say_everything() {
        let all = comparison();
        let text = all.markdown();
        assert!(text.contains("| data | dsm | ed | cd | esm |"), "{text}");
        assert!(
            text.contains("| moons | 0.2 (0.1 to 0.3) | **0.15 (0.05 to 0.5)** | 0.01, 1 of 2 failed | 1 failed |"),
            "{text}"
        );
        let csv = all.csv().expect("csv");
        assert_eq!(csv.lines().next(), Some("data,loss,seed,steps,kl_data,failure"));
        assert!(csv.contains("moons,cd,1,10,,\"training diverged, at step 3\""), "{csv}");
        assert_eq!(csv.lines().count(), 10);
    }
}
