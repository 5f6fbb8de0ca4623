//! The losses of the first seed over training: a figure for each objective, a line for each data set.

use std::path::Path;

use ebm_gpu::comparison::Comparison;
use ebm_gpu::error::Result;
use ebm_gpu::report::{Lines, Series, lines_figure};

use super::super::metrics;
use super::super::run;

/// The most points of a line.
const POINTS: usize = 100;

/// The stem of an objective's figure.
pub(super) fn stem(loss: &str) -> String {
    format!("loss-{loss}")
}

/// Draws them, `runs` in the order of data sets and objectives. Objectives have scales of their own, so each has its figure.
pub(super) fn draw(comparison: &Comparison, runs: &[run::Args], out: &Path) -> Result<()> {
    for (column, loss) in comparison.losses.iter().enumerate() {
        let runs = runs.iter().skip(column).step_by(comparison.losses.len());
        let lines = runs.map(|run| curve(&run.folder())).collect::<Result<Vec<_>>>()?;
        let named = comparison.data.iter().zip(&lines);
        let series: Vec<Series<'_>> = named.map(|(label, [x, y])| Series { label, x, y }).collect();
        let y_label = format!("loss of {loss}");
        let lines = Lines { title: "", x_label: "step", y_label: &y_label, series: &series };
        lines_figure(&lines).write(&out.join(stem(loss)))?;
    }
    Ok(())
}

/// Steps and losses, each the mean of as many lines of the log; none where a run has failed before its first.
fn curve(folder: &Path) -> Result<[Vec<f64>; 2]> {
    let path = folder.join(metrics::FILE);
    let lines = if path.exists() { metrics::losses(&path)? } else { Vec::new() };
    let mean = |part: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| part.iter().map(of).sum::<f64>() / part.len() as f64;
    let parts: Vec<&[(f64, f64)]> = lines.chunks(lines.len().div_ceil(POINTS).max(1)).collect();
    Ok([parts.iter().map(|p| mean(p, |l| l.0)).collect(), parts.iter().map(|p| mean(p, |l| l.1)).collect()])
}
