//! report.html of `eval`: the numbers of a model on data, with their meanings, for a person.

use ebm_gpu::error::Result;
use ebm_gpu::report::{Cell, Column, Page, Table, count, duration};

use super::super::output::Folder;
use super::super::page;
use super::Summary;

/// Writes the page, which shows what eval.json holds.
pub(super) fn write(folder: &Folder, summary: &Summary) -> Result<()> {
    let checkpoint = summary.checkpoint.display().to_string();
    let mut page = Page::new(&format!("{checkpoint} on {}", summary.data));
    let samples = summary.samples.map_or(String::new(), |n| format!(", and by {} samples of it", count(n as u64)));
    page.lead(&format!(
        "The network {} judged by {} points of {} ({}){samples}.",
        summary.net,
        count(summary.points as u64),
        summary.data,
        summary.rows
    ));
    page.warnings(&[summary.warnings.as_slice(), summary.metrics.note.as_slice()].concat());
    page::metrics(&mut page, &summary.metrics, "The law p that the model is held against", summary.sigma)?;
    modes(&mut page, summary);
    page::figures(
        &mut page,
        folder,
        &[
            ("samples", "Held-out data and samples of the model, on the same axes.".into()),
            ("energy", "The model's energy, with some of the held-out data.".into()),
            ("score", "The model's score: arrows point to where the density grows.".into()),
        ],
    )?;
    page.section("Environment");
    let mut environment = page::environment(summary.engine, &summary.adapter);
    environment.push(("seed".into(), summary.seed.to_string()));
    environment.push(("whole evaluation".into(), duration(summary.seconds)));
    page.facts(&environment);
    folder.write(page::FILE, &page.finish())
}

/// The shares of the law and of the samples by its modes; nothing where it has none.
fn modes(page: &mut Page, summary: &Summary) {
    let Some(modes) = summary.modes.as_ref().filter(|modes| modes.len() > 1) else { return };
    page.section("Modes");
    let columns =
        vec![Column::words("mode at"), Column::numbers("share of the law"), Column::numbers("of the samples")];
    let mut table = Table::new("", columns);
    for mode in modes {
        table.row(vec![
            Cell::text(crate::cli::place(&mode.center)),
            Cell::number(Some(mode.weight)),
            Cell::number(Some(mode.share)),
        ]);
    }
    page.table(&table);
}
