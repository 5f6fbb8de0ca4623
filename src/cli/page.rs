//! What the pages of all commands have in common: metrics, figures from their files, flags, and where it was computed.

use ebm_gpu::error::{Error, Result};
use ebm_gpu::eval::Metrics;
use ebm_gpu::report::{Cell, Column, Figure, METRICS, Meaning, Page, Table, Width, quantity, with_error};
use serde_json::Value;

use super::output::Folder;
use super::unused;

/// The name of a page in its folder.
pub(super) const FILE: &str = "report.html";

/// A figure of this shape (across over down) has two panels side by side, which need the whole width of a page.
const WIDE: f64 = 1.6;

/// Adds those of the figures, by stem and caption, that the folder holds as SVG; no heading where there are none.
pub(super) fn figures(page: &mut Page, folder: &Folder, stems: &[(&str, String)]) -> Result<()> {
    let mut found = Vec::new();
    for (stem, caption) in stems {
        let path = folder.file(&format!("{stem}.svg"));
        match std::fs::read_to_string(&path) {
            Ok(svg) => {
                let figure = Figure { svg };
                let [across, down] = figure.size()?;
                found.push((figure, caption.clone(), if across > WIDE * down { Width::Full } else { Width::Half }));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::failed(format!("cannot read {}: {e}", path.display()))),
        }
    }
    if !found.is_empty() {
        page.section("Figures");
        page.figures(&found)?;
    }
    Ok(())
}

/// The metrics of a model with their meanings; `aim` is how a sentence names the law p that they are against, the data's own or
/// that smoothed by `sigma`.
pub(super) fn metrics(page: &mut Page, metrics: &Metrics, aim: &str, sigma: Option<f64>) -> Result<()> {
    let values = serde_json::to_value(metrics).map_err(|e| Error::failed(format!("cannot list the metrics: {e}")))?;
    page.section("Metrics");
    let law = sigma.map_or("the data's own".to_string(), |sigma| {
        format!("the data's, smoothed by a normal law of standard deviation σ = {sigma}")
    });
    page.paragraph(&format!(
        "{aim} is {law}; q is the model's density. A dash stands where a number is not defined; ± is a standard error. By \
         chance: where 95 of 100 values lie for a sample of p in place of the chains (mode_tv), or with the labels of chains and \
         held-out points exchanged (distances), and as p-value how likely chance gives as large a value."
    ));
    let columns = vec![Column::words("metric"), Column::numbers("value"), Column::numbers("by chance")];
    let mut table = Table::new("", columns);
    for meaning in METRICS {
        let better = meaning.better.name();
        let better = if better.is_empty() { better } else { format!("; {better} is better") };
        let name = Cell::text(meaning.name).noted(format!("{}{better}", meaning.is));
        table.row(vec![name, value(&values, meaning), by_chance(&values, meaning.name)]);
    }
    page.table(&table);
    Ok(())
}

/// A metric with its standard error, where that is known.
fn value(metrics: &Value, meaning: &Meaning) -> Cell {
    let error = metrics["standard_errors"][meaning.name].as_f64();
    match (metrics[meaning.name].as_f64(), error) {
        (None, _) => Cell::number(None),
        (value, None) => Cell::number(value).noted(meaning.unit),
        (Some(value), Some(error)) => Cell::text(with_error(value, error).join(" ± ")).noted(meaning.unit),
    }
}

/// Where a metric lies by chance, and how likely that gives as large a value.
fn by_chance(metrics: &Value, name: &str) -> Cell {
    let interval = &metrics["null_intervals"][name];
    let (Some(low), Some(high)) = (interval[0].as_f64(), interval[1].as_f64()) else { return Cell::default() };
    let p = metrics["p_values"][name].as_f64().map_or(String::new(), |p| format!("p-value {}", quantity(p, 2)));
    Cell::text(format!("{} to {}", quantity(low, 3), quantity(high, 3))).noted(p)
}

/// The flags in a file of them, without those that its objective, if it has one, does not use.
pub(super) fn flags(toml: &str) -> Result<Vec<(String, String)>> {
    let table: toml::Table =
        toml.parse().map_err(|e| Error::failed(format!("cannot read what was written as TOML: {e}")))?;
    let plain = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => {
            items.iter().map(|item| item.to_string().replace('"', "")).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    let idle = table.get("loss").and_then(toml::Value::as_str).map_or(Vec::new(), unused::idle);
    let used = table.iter().filter(|(name, _)| !idle.contains(name));
    Ok(used.map(|(name, value)| (format!("--{name}"), plain(value))).collect())
}

/// The program, the engine and the machine.
pub(super) fn environment(engine: &str, adapter: &str) -> Vec<(String, String)> {
    let threads = std::thread::available_parallelism().map_or("unknown".to_string(), |n| n.to_string());
    let machine = format!("{}, {}", std::env::consts::OS, std::env::consts::ARCH);
    facts([
        ("version", env!("CARGO_PKG_VERSION").to_string()),
        ("engine", engine.to_string()),
        ("adapter", adapter.to_string()),
        ("threads of the machine", threads),
        ("system", machine),
    ])
}

/// Names and values as a page takes them.
pub(super) fn facts<const N: usize>(facts: [(&str, String); N]) -> Vec<(String, String)> {
    facts.map(|(name, value)| (name.to_string(), value)).to_vec()
}
