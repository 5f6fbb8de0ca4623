//! The table on stdout.

use std::fmt;

use super::Summary;
use crate::cli::chains;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = &self.chains;
        writeln!(
            f,
            "chains    {} of {} steps in {:.1} s ({:.2e} chain steps a second){}",
            c.count,
            c.steps,
            c.seconds,
            c.chain_steps_per_second,
            chains::accepts(c.acceptance, c.would_accept)
        )?;
        if !self.exchanges.is_empty() {
            let all: Vec<String> = self.exchanges.iter().map(|e| format!("{e:.2}")).collect();
            writeln!(f, "exchanges {} of those tried, the hottest pair first", all.join(", "))?;
        }
        let number = |v: Option<f64>, digits: usize| match v {
            None => "-".to_string(),
            Some(v) if v.abs() >= 1e5 => format!("{v:.2e}"),
            Some(v) => format!("{v:.digits$}"),
        };
        if let Some(factor) = self.step_factor {
            writeln!(f, "steps     each chain's own after adaptation, on average {factor:.3} times what was given")?;
        }
        let watched = match c.monitored {
            0 => String::new(),
            all if all == c.count => "   (of all draws)".to_string(),
            some => format!("   (of the draws of the first {some} chains)"),
        };
        let from = if self.coordinates.iter().any(|x| x.data_mean.is_some()) { "data" } else { "exact" };
        writeln!(
            f,
            "{:<10}{:>11}{from:>11}{:>11}{from:>11}{:>13}{:>10}{:>9}{:>10}{:>10}{watched}",
            "", "last mean", "variance", "draws' mean", "± error", "R-hat", "bulk ESS", "tail ESS"
        )?;
        for x in self.coordinates.iter().take(20) {
            writeln!(
                f,
                "{:<10}{:>11}{:>11}{:>11}{:>11}{:>13}{:>10}{:>9}{:>10}{:>10}",
                x.name,
                number(Some(x.mean), 4),
                number(x.exact_mean.or(x.data_mean), 4),
                number(x.variance, 4),
                number(x.exact_variance.or(x.data_variance), 4),
                number(x.draws_mean, 4),
                number(x.mean_error, 4),
                number(x.r_hat, 3),
                number(x.bulk_ess, 0),
                number(x.tail_ess, 0)
            )?;
        }
        if self.coordinates.len() > 20 {
            writeln!(f, "... and {} more coordinates", self.coordinates.len() - 20)?;
        }
        if let Some(last) = &self.last_energy {
            let e = self.energy.as_ref();
            writeln!(
                f,
                "{:<10}{:>11}{:>11}{:>11}{:>11}{:>13}{:>10}{:>9}{:>10}{:>10}",
                "E",
                number(Some(last.mean), 4),
                "-",
                number(last.variance, 4),
                "-",
                number(e.map(|e| e.mean), 4),
                number(e.and_then(|e| e.mean_error), 4),
                number(e.and_then(|e| e.r_hat), 3),
                number(e.and_then(|e| e.bulk_ess), 0),
                number(e.and_then(|e| e.tail_ess), 0)
            )?;
        }
        for mode in &self.modes {
            let weight = mode.weight.map_or_else(String::new, |w| format!(", weight {w:.3}"));
            let place = crate::cli::place(&mode.center);
            writeln!(f, "mode      {place}: share {:.3}{weight}", mode.share)?;
        }
        write!(f, "results   {}", self.out.display())
    }
}
