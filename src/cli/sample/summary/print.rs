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
        if let Some(factor) = self.step_factor {
            writeln!(f, "steps     each chain's own after adaptation, on average {factor:.3} times what was given")?;
        }
        let watched = match c.monitored {
            0 => String::new(),
            all if all == c.count => "   (of all draws)".to_string(),
            some => format!("   (of the draws of the first {some} chains)"),
        };
        let from = match self.coordinates.iter().any(|x| x.data_mean.is_some()) {
            true if self.data_smoothing > 0.0 => "smoothed data",
            true => "data",
            false => "exact",
        };
        let mut table = vec![
            ["", "last mean", from, "variance", from, "draws' mean", "± error", "R-hat", "bulk ESS", "tail ESS"]
                .map(str::to_string),
        ];
        table.extend(self.coordinates.iter().take(20).map(|x| {
            [
                x.name.clone(),
                number(Some(x.mean), 4),
                number(x.exact_mean.or(x.data_mean), 4),
                number(x.variance, 4),
                number(x.exact_variance.or(x.data_variance), 4),
                number(x.draws_mean, 4),
                number(x.mean_error, 4),
                number(x.r_hat, 3),
                number(x.bulk_ess, 0),
                number(x.tail_ess, 0),
            ]
        }));
        let shown = table.len();
        if let Some(last) = &self.last_energy {
            let e = self.energy.as_ref();
            table.push([
                "E".to_string(),
                number(Some(last.mean), 4),
                number(None, 4),
                number(last.variance, 4),
                number(None, 4),
                number(e.map(|e| e.mean), 4),
                number(e.and_then(|e| e.mean_error), 4),
                number(e.and_then(|e| e.r_hat), 3),
                number(e.and_then(|e| e.bulk_ess), 0),
                number(e.and_then(|e| e.tail_ess), 0),
            ]);
        }
        for (at, line) in aligned(&table).iter().enumerate() {
            if at == shown && self.coordinates.len() > 20 {
                writeln!(f, "... and {} more coordinates", self.coordinates.len() - 20)?;
            }
            writeln!(f, "{line}{}", if at == 0 { &watched } else { "" })?;
        }
        if shown == table.len() && self.coordinates.len() > 20 {
            writeln!(f, "... and {} more coordinates", self.coordinates.len() - 20)?;
        }
        for mode in &self.modes {
            let weight = mode.weight.map_or_else(String::new, |w| format!(", weight {w:.3}"));
            let place = crate::cli::place(&mode.center);
            writeln!(f, "mode      {place}: share {:.3}{weight}", mode.share)?;
        }
        write!(f, "results   {}", self.out.display())
    }
}

/// A number with so many decimals, or in three digits where these would say nothing or too much of it.
fn number(value: Option<f64>, decimals: usize) -> String {
    match value {
        None => "-".to_string(),
        Some(v) if v != 0.0 && v.is_finite() && (v.abs() >= 1e5 || v.abs() < 1e-3) && decimals > 0 => {
            format!("{v:.2e}")
        }
        Some(v) if v.abs() >= 1e6 => format!("{v:.2e}"),
        Some(v) => format!("{v:.decimals$}"),
    }
}

/// The lines of a table whose first column is of words.
fn aligned<const N: usize>(table: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(|column| width(column).max(8));
    let cell = |(column, text): (usize, &String)| match column {
        0 => format!("{text:<width$}", width = widths[0]),
        _ => format!("  {text:>width$}", width = widths[column]),
    };
    table.iter().map(|row| row.iter().enumerate().map(cell).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_apart_however_long_their_numbers_are() {
        let numbers = [1.0, -0.00012, 25_762.5, 1e9, 0.0].map(|v| number(Some(v), 4));
        assert_eq!(numbers, ["1.0000", "-1.20e-4", "25762.5000", "1.00e9", "0.0000"]);
        let [a, b, c, d, e] = numbers;
        let lines = aligned(&[
            ["x1".to_string(), a, b],
            ["a long name".to_string(), c, d],
            ["E".to_string(), e, number(None, 4)],
        ]);
        assert_eq!(lines[0], "x1               1.0000  -1.20e-4");
        assert_eq!(lines[1], "a long name  25762.5000    1.00e9");
        assert_eq!(lines[2], "E                0.0000         -");
    }
}
