//! What an experiment found: a line for each number that is judged or worth knowing, and tables.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::Setup;
use crate::error::{Error, Result};
use crate::files::write_atomically;

/// One measured number.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// What was measured.
    pub what: String,
    /// One value a seed.
    pub values: Vec<f64>,
    /// Their median; NaN if one of them is.
    pub median: f64,
    /// Where the median has to lie, ends included; none for a number that is only told. An infinite end is null in JSON.
    pub range: Option<[f64; 2]>,
    /// Whether it lies there; true for a number that is only told.
    pub pass: bool,
}

/// Rows of numbers under names.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// What the table shows.
    pub title: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The names of the rows; empty where their first number is enough.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// A row's numbers, one a column.
    pub rows: Vec<Vec<f64>>,
}

/// All that an experiment found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The experiment.
    pub name: String,
    /// The engine that computed, and its device in words.
    pub engine: [String; 2],
    /// Repetitions.
    pub seeds: u64,
    /// By how much numbers of steps, points and chains were divided: 1 for the experiment itself.
    pub reduce: usize,
    /// Time spent, in seconds.
    pub seconds: f64,
    /// The numbers.
    pub lines: Vec<Line>,
    /// The tables.
    pub tables: Vec<Table>,
}

/// The median, the mean of the middle two for an even count; NaN if a value is, or if there are none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() || sorted.iter().any(|v| v.is_nan()) {
        return f64::NAN;
    }
    0.5 * (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2])
}

impl Report {
    pub(super) fn new(name: &str, setup: &Setup<'_>) -> Self {
        let engine = [setup.engine.name().to_string(), setup.engine.adapter()];
        let (lines, tables) = (Vec::new(), Vec::new());
        Self { name: name.to_string(), engine, seeds: setup.seeds, reduce: setup.reduce, seconds: 0.0, lines, tables }
    }

    /// A number that is judged: its median has to lie in `low ..= high`.
    pub(super) fn judge(&mut self, what: impl Into<String>, values: Vec<f64>, [low, high]: [f64; 2]) {
        let median = median(&values);
        let pass = low <= median && median <= high;
        self.lines.push(Line { what: what.into(), values, median, range: Some([low, high]), pass });
    }

    /// A number that is only told.
    pub(super) fn tell(&mut self, what: impl Into<String>, values: Vec<f64>) {
        let median = median(&values);
        self.lines.push(Line { what: what.into(), values, median, range: None, pass: true });
    }

    pub(super) fn table(&mut self, title: &str, columns: &[&str], rows: Vec<Vec<f64>>) {
        self.named_table(title, columns, &[], rows);
    }

    /// A table whose rows have names.
    pub(super) fn named_table(&mut self, title: &str, columns: &[&str], names: &[&str], rows: Vec<Vec<f64>>) {
        let texts = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        self.tables.push(Table { title: title.to_string(), columns: texts(columns), names: texts(names), rows });
    }

    /// How many lines fail.
    pub fn failures(&self) -> usize {
        self.lines.iter().filter(|line| !line.pass).count()
    }

    /// How many lines are judged.
    pub fn judged(&self) -> usize {
        self.lines.iter().filter(|line| line.range.is_some()).count()
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| Error::failed(format!("cannot write the report as JSON: {e}")))?;
        write_atomically(&folder.join("report.json"), (text + "\n").as_bytes())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match (self.range, self.pass) {
            (None, _) => "    ",
            (_, true) => "pass",
            (_, false) => "FAIL",
        };
        write!(f, "{verdict}  {}: {}", self.what, Short(self.median))?;
        match self.range {
            Some([f64::NEG_INFINITY, high]) => write!(f, " (at most {})", Short(high))?,
            Some([low, f64::INFINITY]) => write!(f, " (at least {})", Short(low))?,
            Some([low, high]) if low == high => write!(f, " (exactly {})", Short(low))?,
            Some([low, high]) => write!(f, " ({} to {})", Short(low), Short(high))?,
            None => {}
        }
        if self.values.len() > 1 {
            let all: Vec<String> = self.values.iter().map(|v| Short(*v).to_string()).collect();
            write!(f, "  [{}]", all.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        // a row may have none of a number
        let text = |value: &f64| if value.is_nan() { "–".to_string() } else { Short(*value).to_string() };
        let texts = |row: &Vec<f64>| row.iter().map(text).collect::<Vec<_>>();
        let cells = std::iter::once(self.columns.clone()).chain(self.rows.iter().map(texts));
        let widest = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let names = std::iter::once("").chain(self.names.iter().map(String::as_str)).chain(std::iter::repeat(""));
        for (row, name) in cells.zip(names) {
            write!(f, "\n    {name:<widest$}")?;
            for (text, column) in row.iter().zip(&self.columns) {
                write!(f, "{text:>width$}  ", width = column.chars().count().max(10))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reduce > 1 {
            writeln!(f, "reduced by {}: what passes or fails means nothing", self.reduce)?;
        }
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        for table in &self.tables {
            writeln!(f, "{table}")?;
        }
        let (good, all) = (self.judged() - self.failures(), self.judged());
        write!(f, "{}: {good} of {all} lines pass, medians of {} seeds, {:.0} s", self.name, self.seeds, self.seconds)
    }
}

/// A number with four significant digits.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if self.0 == 0.0 || !self.0.is_finite() {
            return write!(f, "{}", self.0);
        }
        if !(1e-3..1e6).contains(&size) {
            return write!(f, "{:.3e}", self.0);
        }
        let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
        let text = format!("{:.decimals$}", self.0);
        f.write_str(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_refuse_nan() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0]), 2.5);
        assert!(median(&[1.0, f64::NAN, 2.0]).is_nan() && median(&[]).is_nan());
    }

    #[test]
    fn a_line_says_its_verdict_and_its_range() {
        let line = |median: f64, range| {
            let pass = range == [0.0, 1.0] && (0.0..=1.0).contains(&median);
            Line { what: "x".into(), values: vec![median], median, range: Some(range), pass }.to_string()
        };
        assert_eq!(line(0.51239, [0.0, 1.0]), "pass  x: 0.5124 (0 to 1)");
        assert_eq!(line(180.04, [f64::NEG_INFINITY, 100.0]), "FAIL  x: 180 (at most 100)");
        assert_eq!(line(f64::NAN, [0.0, 1.0]), "FAIL  x: NaN (0 to 1)");
    }
}
