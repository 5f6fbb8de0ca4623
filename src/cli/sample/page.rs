//! report.html: how chains moved, and what their draws are worth, for a person.

use ebm_gpu::error::{Error, Result};
use ebm_gpu::report::{Cell, Column, Page, Table, count, duration, quantity, with_error};
use serde_json::Value;

use super::super::output::Folder;
use super::super::page;
use super::summary::Summary;

/// Coordinates in the table; sample.json has all.
const MOST: usize = 50;

/// Writes the page, which shows what sample.json holds.
pub(super) fn write(folder: &Folder, summary: &Summary) -> Result<()> {
    let of =
        serde_json::to_value(summary).map_err(|e| Error::failed(format!("cannot list what sample.json holds: {e}")))?;
    let chains = &of["chains"];
    let mut page = Page::new(&format!("{} by {}", text(&of["subject"]), text(&of["sampler"])));
    page.lead(&format!(
        "{} chains took {} steps each: {}.",
        whole(&chains["count"]),
        whole(&chains["steps"]),
        text(&of["transition"])
    ));
    page.warnings(&summary.warnings);
    page::figures(
        &mut page,
        folder,
        &[
            ("samples", "The last positions of the chains.".into()),
            ("trajectories", "The paths of a few chains; chains.gif shows many on their way.".into()),
        ],
    )?;
    page.section("Coordinates");
    page.paragraph(
        "Mean and variance of the last positions of all chains; the mean of the draws of the first chains with its standard \
         error, and what those draws are worth: split R-hat near 1 and large effective sample sizes are good.",
    );
    page.table(&coordinates(&of));
    modes(&mut page, &of);
    page.section("Chains");
    page.facts(&facts(&of));
    page.section("Environment");
    page.facts(&page::environment(&text(&of["engine"]), &text(&of["adapter"])));
    folder.write(page::FILE, &page.finish())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToString::to_string)
}

fn whole(value: &Value) -> String {
    count(value.as_u64().unwrap_or(0))
}

fn coordinates(of: &Value) -> Table {
    let all = of["coordinates"].as_array().map_or(&[][..], Vec::as_slice);
    let from = if all.iter().any(|x| !x["data_mean"].is_null()) { "data" } else { "exact" };
    let is_smoothed = from == "data" && of["data_smoothing"].as_f64().is_some_and(|sigma| sigma > 0.0);
    let label = if is_smoothed { "smoothed data" } else { from };
    let names = ["mean", label, "variance", label, "mean of draws", "R-hat", "bulk ESS", "tail ESS"];
    let caption =
        if all.len() > MOST { format!("The first {MOST} of {} coordinates", all.len()) } else { String::new() };
    let columns = std::iter::once(Column::words("")).chain(names.map(Column::numbers)).collect();
    let mut table = Table::new(&caption, columns);
    let known = |x: &Value, what: &str| Cell::number(x[format!("{from}_{what}")].as_f64());
    let worth = |x: &Value| {
        let ess = |name: &str| Cell::text(x[name].as_f64().map_or("–".into(), |ess| count(ess as u64)));
        let r_hat = Cell::text(x["r_hat"].as_f64().map_or("–".into(), |r| format!("{r:.3}")));
        [r_hat, ess("bulk_ess"), ess("tail_ess")]
    };
    for x in all.iter().take(MOST) {
        let draws = of_draws(&x["draws_mean"], &x["mean_error"]);
        let [mean, variance] = ["mean", "variance"].map(|what| [Cell::number(x[what].as_f64()), known(x, what)]);
        let first = [Cell::text(text(&x["name"]))].into_iter().chain(mean).chain(variance);
        table.row(first.chain([draws]).chain(worth(x)).collect());
    }
    if let last @ Value::Object(_) = &of["last_energy"] {
        let (energy, none) = (&of["energy"], || Cell::number(None));
        let [mean, variance] = ["mean", "variance"].map(|what| Cell::number(last[what].as_f64()));
        let draws = of_draws(&energy["mean"], &energy["mean_error"]);
        let first = [Cell::text("E"), mean, none(), variance, none(), draws];
        table.row(first.into_iter().chain(worth(energy)).collect());
    }
    table
}

fn of_draws(mean: &Value, error: &Value) -> Cell {
    Cell::text(match (mean.as_f64(), error.as_f64()) {
        (Some(mean), Some(error)) => with_error(mean, error).join(" ± "),
        _ => "–".to_string(),
    })
}

/// Where modes are known, how many chains are at each.
fn modes(page: &mut Page, of: &Value) {
    let modes = of["modes"].as_array().map_or(&[][..], Vec::as_slice);
    if modes.is_empty() {
        return;
    }
    page.section("Modes");
    let columns =
        vec![Column::words("center"), Column::numbers("share of the chains"), Column::numbers("exact weight")];
    let mut table = Table::new("", columns);
    for mode in modes {
        let places = mode["center"].as_array().map_or(&[][..], Vec::as_slice);
        let center: Vec<f64> = places.iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect();
        let [share, weight] = ["share", "weight"].map(|what| Cell::number(mode[what].as_f64()));
        table.row(vec![Cell::text(crate::cli::place(&center)), share, weight]);
    }
    page.table(&table);
}

fn facts(of: &Value) -> Vec<(String, String)> {
    let chains = &of["chains"];
    let real = |value: &Value| quantity(value.as_f64().unwrap_or(f64::NAN), 3);
    let mut all = page::facts([
        ("chains", whole(&chains["count"])),
        ("temperatures of each", whole(&chains["replicas"])),
        ("steps of each", whole(&chains["steps"])),
        ("burn-in", whole(&of["burn_in"])),
        ("draws", whole(&of["draws"])),
        ("steps between draws", whole(&of["thin"])),
        ("refused for an infinite energy", whole(&of["broken"])),
        ("seed", text(&of["seed"])),
        ("time", duration(chains["seconds"].as_f64().unwrap_or(f64::NAN))),
        ("chain steps a second", real(&chains["chain_steps_per_second"])),
    ]);
    let would_accept = &chains["would_accept"];
    all.push(if would_accept.is_null() {
        ("acceptance".into(), real(&chains["acceptance"]))
    } else {
        ("what a Metropolis correction would accept".into(), real(would_accept))
    });
    if !of["step_factor"].is_null() {
        all.push(("adapted steps, in what was given".into(), real(&of["step_factor"])));
    }
    for (name, key) in [("noise levels", "levels"), ("exchanges, the hottest pair first", "exchanges")] {
        let values: Vec<String> = of[key].as_array().map_or(&[][..], Vec::as_slice).iter().map(&real).collect();
        if !values.is_empty() {
            all.push((name.into(), values.join(", ")));
        }
    }
    all
}
