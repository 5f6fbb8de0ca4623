//! `repro`: published experiments, repeated.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ebm_gpu::error::{Error, Result};
use ebm_gpu::report::{Cell, Column, Page, Standing, Table, count, duration, quantity, short};
use ebm_gpu::repro::{EXPERIMENTS, Report, Setup, find, objective_name};

use super::engine::EngineArgs;
use super::output::Folder;
use super::page;
use super::progress;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The experiment; `--list` tells of all
    #[arg(value_name = "NAME", required_unless_present = "list")]
    name: Option<String>,
    /// What the experiments are
    #[arg(long)]
    list: bool,
    /// Run this objective alone, where the experiment compares several; sm is esm, exact score matching
    #[arg(long)]
    loss: Option<String>,
    /// Run this law alone, where the experiment has several
    #[arg(long)]
    data: Option<String>,
    /// Independent repetitions, whose medians are judged
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Divide numbers of steps, points, chains and the batch by this, to see only that the experiment runs: what its lines say
    /// then means nothing
    #[arg(long, default_value_t = 1, value_name = "N")]
    reduce: usize,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder of the results [default: results/repro-<name>]; if it exists, a number is added
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write into the folder even if it exists
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// No progress and no messages on stderr
    #[arg(long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let Some(name) = args.name.as_deref().filter(|_| !args.list) else { return list(args.json) };
    let loss = args.loss.as_deref().map(objective_name);
    let experiment = find(name, loss, args.data.as_deref())?;
    for (name, count) in [("seeds", args.seeds), ("reduce", args.reduce as u64)] {
        super::check_count(name, count as usize, 1, 10_000)?;
    }
    let engine = args.engine.open(args.quiet)?;
    let default = Path::new("results").join(format!("repro-{name}"));
    let folder = Folder::create(args.out.as_deref().unwrap_or(&default), args.force, &[], args.quiet)?;
    let spinner = progress::spinner(name, args.quiet);
    let setup = Setup {
        engine: engine.as_ref(),
        seeds: args.seeds,
        reduce: args.reduce,
        loss: loss.map(str::to_string),
        law: args.data.clone(),
        out: folder.path().to_path_buf(),
        progress: &|what| spinner.set_message(format!("{name}: {what}")),
    };
    // clocks of files may lag behind by a tick
    let start = SystemTime::now() - Duration::from_millis(20);
    let report = experiment.run(&setup)?;
    spinner.finish_and_clear();
    write_page(&folder, start, &report)?;
    if args.json {
        super::print_json(&report)?;
    } else {
        super::print_line(&format!("{report}\nresults   {}", folder.path().display()))?;
    }
    verdict(&report)
}

/// Fails if a line does, unless the experiment was reduced, which says nothing.
fn verdict(report: &Report) -> Result<()> {
    match report.failures() {
        0 => Ok(()),
        _ if report.reduce > 1 => Ok(()),
        failed => Err(Error::failed(format!("{failed} of {} lines of {} fail", report.judged(), report.name))),
    }
}

fn list(json: bool) -> Result<()> {
    if json {
        let all = EXPERIMENTS.iter().map(|e| serde_json::json!({ "name": e.name, "about": e.about }));
        return super::print_json(&serde_json::json!({ "experiments": all.collect::<Vec<_>>() }));
    }
    for experiment in EXPERIMENTS {
        super::print_line(&format!("{:<22} {}", experiment.name, experiment.about))?;
    }
    Ok(())
}

/// Writes report.html.
fn write_page(folder: &Folder, start: SystemTime, report: &Report) -> Result<()> {
    let mut page = Page::new(&format!("Experiment {}", report.name));
    let passed = report.judged() - report.failures();
    page.lead(&format!(
        "{passed} of {} numbers lie where they have to, by medians of {} seeds.",
        report.judged(),
        report.seeds
    ));
    if report.reduce > 1 {
        let by = report.reduce;
        page.warnings(&[format!("Steps, points and chains were divided by {by}: the numbers mean nothing.")]);
    }
    page.section("Numbers");
    let names = [Column::words("number"), Column::words("verdict"), Column::numbers("median")];
    let mut table =
        Table::new("", names.into_iter().chain([Column::numbers("seeds"), Column::numbers("has to lie")]).collect());
    for line in &report.lines {
        let verdict = match (line.range, line.pass) {
            (None, _) => Cell::text("told"),
            (_, true) => Cell::text("✓ pass").standing(Standing::Pass),
            (_, false) => Cell::text("✗ fail").standing(Standing::Fail),
        };
        let [low, high] = [f64::min, f64::max].map(|end| line.values.iter().copied().fold(f64::NAN, end));
        let seeds = format!("{} to {}", quantity(low, 4), quantity(high, 4));
        let median = Cell::number(Some(line.median));
        table.row(vec![Cell::text(&line.what), verdict, median, Cell::text(seeds), Cell::text(wanted(line.range))]);
    }
    page.table(&table);
    let stems = folder.figures_since(start)?;
    let captions: Vec<(&str, String)> =
        stems.iter().map(|stem| (stem.as_str(), stem.replace(['-', '_'], " "))).collect();
    page::figures(&mut page, folder, &captions)?;
    if !report.tables.is_empty() {
        page.section("Tables");
    }
    for given in &report.tables {
        page.table(&on_page(given));
    }
    page.section("Environment");
    let mut environment = page::environment(&report.engine[0], &report.engine[1]);
    environment.extend(page::facts([("seeds", count(report.seeds)), ("time", duration(report.seconds))]));
    page.facts(&environment);
    folder.write(page::FILE, &page.finish())
}

/// A table of an experiment, its rows by name where they have one.
fn on_page(given: &ebm_gpu::repro::Table) -> Table {
    let named = !given.names.is_empty();
    let first = named.then(|| Column::words(""));
    let columns = first.into_iter().chain(given.columns.iter().map(|name| Column::numbers(name)));
    let mut table = Table::new(&given.title, columns.collect());
    for (i, row) in given.rows.iter().enumerate() {
        let name = named.then(|| Cell::text(given.names.get(i).map_or("", String::as_str)));
        table.row(name.into_iter().chain(row.iter().map(|value| Cell::number(Some(*value)))).collect());
    }
    table
}

/// A range in words.
fn wanted(range: Option<[f64; 2]>) -> String {
    match range {
        None => String::new(),
        Some([f64::NEG_INFINITY, high]) => format!("at most {}", short(high, 4)),
        Some([low, f64::INFINITY]) => format!("at least {}", short(low, 4)),
        Some([low, high]) if low == high => format!("exactly {}", short(low, 4)),
        Some([low, high]) => format!("{} to {}", short(low, 4), short(high, 4)),
    }
}

#[cfg(test)]
mod tests {
    use ebm_gpu::repro::Line;

    use super::*;

    #[test]
    fn an_experiment_fails_if_a_line_does() {
        let report = |pass, reduce| {
            let line = Line { what: "x".into(), values: vec![2.0], median: 2.0, range: Some([0.0, 1.0]), pass };
            let engine = ["cpu".to_string(), String::new()];
            Report { name: "u1".into(), engine, seeds: 1, reduce, seconds: 0.0, lines: vec![line], tables: Vec::new() }
        };
        assert!(verdict(&report(true, 1)).is_ok() && verdict(&report(false, 10)).is_ok());
        let error = verdict(&report(false, 1)).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.exit_code()), ("1 of 1 lines of u1 fail", 1));
    }
}
