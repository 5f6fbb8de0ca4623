//! report.html: what a run was and what came of it, for a person.

use ebm_gpu::error::Result;
use ebm_gpu::report::{Page, count, duration, quantity};

use super::super::output::Folder;
use super::super::page;
use super::summary::{ChainSummary, Summary};

/// Writes the page; `objective` is its name in words, and `flags` what config.toml holds.
pub(super) fn write(folder: &Folder, summary: &Summary, objective: &str, flags: &str) -> Result<()> {
    let data = data_name(&summary.data);
    let mut page = Page::new(&format!("{} on {data}", capital(objective)));
    page.lead(&lead(summary, objective));
    page.warnings(&summary.warnings);
    metrics(&mut page, summary)?;
    page::figures(&mut page, folder, &captions(summary))?;
    page.section("Training");
    page.facts(&training(summary));
    page.section("Chains");
    match &summary.chains {
        Some(chains) => {
            page.facts(&chain_facts(chains));
            page.paragraph(&format!("They start at {}; samples.npy holds where they end.", summary.chains_start));
        }
        None => page.paragraph("None were run."),
    }
    page.section("Configuration");
    page.paragraph(&format!(
        "Every flag that {} uses, as config.toml holds it: `ebm-gpu run --config config.toml` repeats the run.",
        summary.loss
    ));
    page.facts(&page::flags(flags)?);
    page.section("Conventions");
    let owned = |(name, text): (&&str, &String)| (name.replace('_', " "), text.clone());
    page.definitions(&summary.conventions.iter().map(owned).collect::<Vec<_>>());
    page.section("Environment");
    let mut environment = page::environment(summary.engine, &summary.adapter);
    environment.push(("whole run".into(), duration(summary.total_seconds)));
    page.facts(&environment);
    folder.write(page::FILE, &page.finish())
}

/// A toy law's name, or a file's without its folder.
fn data_name(data: &str) -> String {
    std::path::Path::new(data).file_name().map_or(data.to_string(), |name| name.to_string_lossy().into_owned())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn level(summary: &Summary) -> String {
    summary.sigma.map_or(String::new(), |sigma| format!(" at σ = {sigma}"))
}

fn lead(summary: &Summary, objective: &str) -> String {
    let what = if summary.head == "score" { "a score field" } else { "an energy" };
    let chains = summary.chains.as_ref().map_or(String::new(), |c| {
        format!("; {} chains of {} steps ({}) then sampled it", count(c.count as u64), count(c.steps), c.sampler)
    });
    format!(
        "A network {} with {} learned {what} from {} points of {} by {objective}{}, in {} steps of {}{chains}.",
        summary.net,
        summary.activation,
        count(summary.train_points as u64),
        data_name(&summary.data),
        level(summary),
        count(summary.steps),
        count(summary.batch as u64),
    )
}

fn metrics(page: &mut Page, summary: &Summary) -> Result<()> {
    let aim = format!("The law p that {} aims at", summary.loss);
    page::metrics(page, &summary.metrics, &aim, summary.sigma)
}

fn captions(summary: &Summary) -> [(&'static str, String); 4] {
    let loss = if matches!(summary.loss, "cd" | "pcd") {
        "The loss over training: the gap between the energies of data and chains, which is no measure of the model."
    } else {
        "The loss over training: every recorded value, and their running mean."
    };
    [
        ("samples", "Data and the last positions of the chains, on the same axes.".into()),
        ("energy", "The model's energy, with some of the data.".into()),
        ("score", "The model's score: arrows point to where the density grows.".into()),
        ("loss", loss.into()),
    ]
}

fn training(summary: &Summary) -> Vec<(String, String)> {
    let mut all = page::facts([
        ("objective", summary.loss.to_string()),
        ("training points", count(summary.train_points as u64)),
        ("held-out points", count(summary.test_points as u64)),
        ("columns", summary.columns.join(", ")),
        ("steps", count(summary.steps)),
        ("samples of a step", count(summary.batch as u64)),
        ("final loss", quantity(summary.final_loss, 4)),
        ("time", duration(summary.train_seconds)),
        ("steps a second", quantity(summary.steps_per_second, 3)),
        ("seed", summary.seed.to_string()),
    ]);
    all.extend(summary.log_z.map(|log_z| ("learnt ln Z".to_string(), quantity(log_z, 4))));
    all
}

fn chain_facts(chains: &ChainSummary) -> Vec<(String, String)> {
    page::facts([
        ("sampler", chains.sampler.to_string()),
        ("chains", count(chains.count as u64)),
        ("steps of each", count(chains.steps)),
        ("step size η", chains.step_size.to_string()),
        ("temperature T", chains.temperature.to_string()),
        ("last step without noise", if chains.denoised { "yes" } else { "no" }.to_string()),
        ("what a Metropolis correction would accept", chains.would_accept.map_or("-".into(), |a| quantity(a, 3))),
        ("time", duration(chains.seconds)),
        ("chain steps a second", quantity(chains.chain_steps_per_second, 3)),
    ])
}
