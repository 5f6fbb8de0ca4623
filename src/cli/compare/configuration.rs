//! What the runs of a comparison were run with, for its page: each objective in full, the flags that all have in common, and a
//! table of those that they do not.

use std::collections::BTreeSet;

use ebm_gpu::comparison::Comparison;
use ebm_gpu::error::Result;
use ebm_gpu::report::{Cell, Column, Page, Table};
use serde_json::Value;

use super::super::page;
use super::super::run;

/// What tells runs of a comparison apart, whatever their settings.
const OWN: &[&str] = &["--data", "--loss", "--seed"];

/// Adds the section; `runs` are those of the first seed, in the order of data sets and objectives.
pub(super) fn add(page: &mut Page, comparison: &Comparison, runs: &[run::Args]) -> Result<()> {
    page.section("Configuration");
    let across = comparison.losses.len();
    let names = |i: usize| (comparison.data[i / across].as_str(), comparison.losses[i % across].as_str());
    let mut formulas: Vec<Setting<'_>> = Vec::new();
    let mut flags: Vec<(String, Setting<'_>)> = Vec::new();
    for (i, run) in runs.iter().enumerate() {
        let (data, loss) = names(i);
        formulas.extend(formula(run).map(|value| Setting { data, loss, value }));
        let own = page::flags(&run.config()?)?.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
        flags.extend(own.map(|(name, value)| (name, Setting { data, loss, value })));
    }
    let of = |loss: &String| formulas.iter().filter(move |s| s.loss == loss).collect::<Vec<_>>();
    let definitions = comparison.losses.iter().map(|loss| (loss.clone(), in_words(&of(loss))));
    page.definitions(&definitions.filter(|(_, text)| !text.is_empty()).collect::<Vec<_>>());

    let mut differing = vec![Column::words("flag")];
    differing.extend(comparison.losses.iter().map(|loss| Column::words(loss)));
    let (mut common, mut table, mut rows) = (Vec::new(), Table::new("", differing), 0);
    for name in flags.iter().map(|(name, _)| name).collect::<BTreeSet<_>>() {
        let all: Vec<&Setting<'_>> = flags.iter().filter(|(n, _)| n == name).map(|(_, setting)| setting).collect();
        if all.len() == runs.len() && all.iter().all(|s| s.value == all[0].value) {
            common.push((name.clone(), all[0].value.clone()));
            continue;
        }
        let cell = |loss: &String| {
            let own: Vec<&Setting<'_>> = all.iter().copied().filter(|s| s.loss == loss).collect();
            Cell::text(if own.is_empty() { "–".to_string() } else { in_words(&own) })
        };
        table.row(std::iter::once(Cell::text(name)).chain(comparison.losses.iter().map(cell)).collect());
        rows += 1;
    }
    if rows > 0 {
        page.paragraph("Flags of `run` in which objectives differ:");
        page.table(&table);
    }
    page.paragraph("Flags that all runs have in common; config.toml in the folder of each has all of its own.");
    page.facts(&common);
    Ok(())
}

/// A value of one objective on one data set.
struct Setting<'a> {
    data: &'a str,
    loss: &'a str,
    value: String,
}

/// The objective as the run has written it out; none if the run has failed.
fn formula(run: &run::Args) -> Option<String> {
    let summary: Value = serde_json::from_slice(&std::fs::read(run.folder().join("run.json")).ok()?).ok()?;
    summary["objective"].as_str().map(str::to_string)
}

/// One value, or each with its data set where they differ.
fn in_words(settings: &[&Setting<'_>]) -> String {
    match settings {
        [] => String::new(),
        [first, rest @ ..] if rest.iter().all(|s| s.value == first.value) => first.value.clone(),
        all => all.iter().map(|s| format!("{} ({})", s.value, s.data)).collect::<Vec<_>>().join("; "),
    }
}
