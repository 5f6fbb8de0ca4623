//! What the metrics of a run mean: the one place that pages, tables and the README have it from.

/// Which values of a number are good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Better {
    /// Small ones.
    Lower,
    /// Large ones.
    Higher,
    /// Those near to this one.
    Near(f64),
    /// It says nothing of that.
    Neither,
}

impl Better {
    /// In a word or two; nothing for neither.
    pub fn name(self) -> String {
        match self {
            Self::Lower => "lower".to_string(),
            Self::Higher => "higher".to_string(),
            Self::Near(value) => format!("near {value}"),
            Self::Neither => String::new(),
        }
    }

    /// Whether `a` is better than `b`: NaN never is, and every number is better than NaN.
    pub fn prefers(self, a: f64, b: f64) -> bool {
        match self {
            Self::Neither => false,
            _ if a.is_nan() => false,
            _ if b.is_nan() => true,
            Self::Lower => a < b,
            Self::Higher => a > b,
            Self::Near(value) => (a - value).abs() < (b - value).abs(),
        }
    }
}

/// What a number says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meaning {
    /// Its key in `run.json`.
    pub name: &'static str,
    /// What it is.
    pub is: &'static str,
    /// Its unit; empty for a pure number.
    pub unit: &'static str,
    /// Which values are good.
    pub better: Better,
    /// Whether it may be negative: its axis is linear, whatever the signs that it happens to have.
    pub signed: bool,
}

const fn lower(name: &'static str, is: &'static str, unit: &'static str) -> Meaning {
    Meaning { name, is, unit, better: Better::Lower, signed: false }
}

impl Meaning {
    const fn signed(self) -> Self {
        Self { signed: true, ..self }
    }
}

/// The metrics of `run.json`, in the order in which they are shown.
pub const METRICS: &[Meaning] = &[
    lower(
        "nll",
        "−E ln q over the law aimed at: for toy laws by a grid that reaches from −6 to 6 at least, of 600 x 600 cells or more \
         (30,000 on a line), for files the mean over held-out points, with ln Z by a grid in 1 and 2 dimensions and by annealed \
         importance sampling beyond",
        "nats",
    )
    .signed(),
    lower("kl", "KL(p ‖ q) from the law aimed at to the model, by the same grid", "nats"),
    lower("nll_data", "−E ln q over the data's own law, which is not smoothed: what compares objectives", "nats").signed(),
    lower("kl_data", "KL(p ‖ q) from the data's own law to the model: what compares objectives", "nats"),
    lower(
        "log_density_mse",
        "E (ln p − ln q)² over 5,000 points of the law aimed at, with Z from those points",
        "nats²",
    ),
    lower("fisher", "½ E‖s_model − s‖² over 5,000 points of the law aimed at", "1 / unit²"),
    lower(
        "outside_mass",
        "mass of q farther than 5 standard deviations from the support of the law aimed at; for files, outside a box around the \
         data with a tenth of their range to spare",
        "",
    ),
    lower(
        "mode_tv",
        "total variation between the shares of the law aimed at and of the chains that are nearest to each mode of a mixture",
        "",
    ),
    Meaning {
        name: "chains_energy",
        is: "mean E of the chains less that of q itself, both within the grid, in standard deviations of E under q: beyond some 0.2, they do \
             not show the model",
        unit: "",
        better: Better::Near(0.0),
        signed: true,
    },
    lower(
        "mmd2",
        "squared maximum mean discrepancy of chains and held-out points of the law aimed at: Gaussian kernel, median \
         bandwidth, unbiased, so it may be negative",
        "",
    )
    .signed(),
    lower(
        "swd",
        "sliced Wasserstein-2 distance of chains from held-out points of the law aimed at, over 100 directions",
        "units of the network",
    ),
    lower(
        "energy_distance",
        "energy distance of chains from held-out points of the law aimed at, unbiased, so it may be negative",
        "units of the network",
    )
    .signed(),
    Meaning {
        name: "neighbours",
        is: "share of the 5 nearest neighbours of chains and held-out points that are of the point's own kind: about 0.5 for \
             one law, 1 for samples apart",
        unit: "",
        better: Better::Near(0.5),
        signed: false,
    },
    Meaning {
        name: "log_z",
        is: "ln Z of exp(−E) in the units of the network: by the grid, or by annealed importance sampling",
        unit: "nats",
        better: Better::Neither,
        signed: true,
    },
];

/// The meaning of a metric.
pub fn meaning(name: &str) -> Option<&'static Meaning> {
    METRICS.iter().find(|meaning| meaning.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_them_from_here() {
        let readme = include_str!("../../README.md");
        for Meaning { name, is, unit, better, .. } in METRICS {
            let row = format!("| `{name}` | {is} | {unit} | {} |", better.name());
            assert!(readme.lines().any(|line| line == row), "the README lacks the line\n{row}");
        }
    }

    #[test]
    fn every_metric_has_a_meaning() {
        let metrics = serde_json::to_value(crate::eval::Metrics::default()).expect("metrics as JSON");
        let about_others = ["standard_errors", "null_intervals", "p_values", "note"];
        let names =
            metrics.as_object().expect("an object").keys().filter(|name| !about_others.contains(&name.as_str()));
        for name in names {
            assert!(meaning(name).is_some(), "{name} is not in METRICS");
        }
        assert!(METRICS.iter().all(|meaning| metrics.get(meaning.name).is_some()), "not all of METRICS exist");
    }

    #[test]
    fn what_says_that_it_may_be_negative_is_signed() {
        assert!(METRICS.iter().all(|meaning| meaning.signed || !meaning.is.contains("may be negative")));
        assert!(meaning("mmd2").is_some_and(|m| m.signed) && meaning("swd").is_some_and(|m| !m.signed));
    }

    #[test]
    fn nan_is_never_better() {
        assert!(Better::Lower.prefers(1.0, 2.0) && Better::Higher.prefers(2.0, 1.0));
        assert!(Better::Near(0.5).prefers(0.6, 0.3) && !Better::Neither.prefers(1.0, 2.0));
        assert!(Better::Lower.prefers(1.0, f64::NAN) && !Better::Lower.prefers(f64::NAN, 1.0));
    }
}
