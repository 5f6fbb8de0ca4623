//! report.html of a comparison: its tables, its figures, and a way to each run.

use ebm_gpu::comparison::{AIMS, BOLD, Comparison, caption};
use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::report::{Cell, Column, Figure, Page, Standing, Table, Width, short};

use super::super::page;
use super::super::run;
use super::{Args, configuration, curves};

/// Writes the page; `first` are the runs of the first seed, in the order of data sets and objectives, and `left_out` says whose
/// models have no panels.
pub(super) fn write(
    args: &Args,
    comparison: &Comparison,
    first: &[run::Args],
    engine: &dyn Engine,
    left_out: Option<&str>,
) -> Result<()> {
    let seeds = args.seeds()?.end;
    let mut page = Page::new("Objectives compared");
    page.lead(&format!(
        "{} on {}: {seeds} runs of each, {} of training.",
        comparison.losses.join(", "),
        comparison.data.join(", "),
        args.budget_in_words(),
    ));
    page.paragraph(&format!("Settings: {}.", args.settings()));
    page.paragraph(AIMS);
    page.paragraph(BOLD);
    let failures: Vec<String> = comparison
        .trials
        .iter()
        .filter_map(|t| Some(format!("{} on {}, seed {}: {}", t.loss, t.data, t.seed, t.failure.as_ref()?)))
        .collect();
    page.warnings(&failures);
    page.section("Models");
    let models = "The data, and the model of seed 0 for each objective: E above its minimum, with samples.";
    figure(&mut page, args, "models", models)?;
    left_out.into_iter().for_each(|sentence| page.paragraph(sentence));
    for metric in comparison.metrics() {
        page.section(metric);
        page.paragraph(&format!("{}.", caption(metric)));
        page.table(&table(comparison, metric));
        figure(&mut page, args, metric, "A dot for each seed, a bar for their median.")?;
    }
    losses(&mut page, args, comparison)?;
    configuration::add(&mut page, comparison, first)?;
    page.section("Runs");
    page.table(&runs(comparison));
    page.section("Environment");
    page.facts(&page::environment(engine.name(), &engine.adapter()));
    super::write(&args.out.join(page::FILE), &page.finish())
}

fn figure(page: &mut Page, args: &Args, stem: &str, caption: &str) -> Result<()> {
    let Some(figure) = drawn(args, stem)? else { return Ok(()) };
    page.figures(&[(figure, caption.to_string(), Width::Full)])
}

/// The figure of that stem; none if it was not drawn.
fn drawn(args: &Args, stem: &str) -> Result<Option<Figure>> {
    let path = args.out.join(format!("{stem}.svg"));
    match std::fs::read_to_string(&path) {
        Ok(svg) => Ok(Some(Figure { svg })),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::failed(format!("cannot read {}: {e}", path.display()))),
    }
}

/// The losses over training.
fn losses(page: &mut Page, args: &Args, comparison: &Comparison) -> Result<()> {
    page.section("Training");
    page.paragraph("The loss of seed 0 over training in means of a hundredth of the steps, a line for each data set. Losses of different objectives have no common scale.");
    let mut all = Vec::new();
    for loss in &comparison.losses {
        let what = if matches!(loss.as_str(), "cd" | "pcd") {
            ": the gap between the energies of data and chains, which is no measure of the model"
        } else {
            ""
        };
        all.extend(drawn(args, &curves::stem(loss))?.map(|figure| (figure, format!("{loss}{what}."), Width::Half)));
    }
    page.figures(&all)
}

fn table(comparison: &Comparison, metric: &str) -> Table {
    let columns = std::iter::once(Column::words("data")).chain(comparison.losses.iter().map(|l| Column::numbers(l)));
    let mut table = Table::new("", columns.collect());
    for data in &comparison.data {
        let best = comparison.best(data, metric);
        let cell = |loss: &String| match comparison.spread(data, loss, metric) {
            None => Cell::text(comparison.failures(data, loss)),
            Some(spread) => {
                let [low, high] = spread.range();
                let standing = if best.contains(&loss.as_str()) { Standing::Best } else { Standing::Plain };
                let range = (spread.values.len() > 1).then(|| format!("{} to {}", short(low, 4), short(high, 4)));
                let gaps = Some(spread.gaps()).filter(|gaps| !gaps.is_empty());
                let note = range.into_iter().chain(gaps).collect::<Vec<_>>().join(", ");
                Cell::text(short(spread.median(), 4)).noted(note).standing(standing)
            }
        };
        table.row(std::iter::once(Cell::text(data)).chain(comparison.losses.iter().map(cell)).collect());
    }
    table
}

/// Every run, with a link to its page.
fn runs(comparison: &Comparison) -> Table {
    let mut table = Table::new("", vec![Column::words("run"), Column::numbers("steps"), Column::words("")]);
    for trial in &comparison.trials {
        let path = format!("{}/{}/seed-{}", trial.data, trial.loss, trial.seed);
        let end = match &trial.failure {
            None => Cell::text("page").linked(&format!("{path}/{}", page::FILE)),
            Some(why) => Cell::text("failed").noted(why.clone()).standing(Standing::Fail),
        };
        let name = format!("{} on {}, seed {}", trial.loss, trial.data, trial.seed);
        table.row(vec![Cell::text(name), Cell::text(trial.steps.to_string()), end]);
    }
    table
}
