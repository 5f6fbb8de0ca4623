//! `eval`: the metrics of a checkpoint on data.

mod page;
mod source;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ebm_gpu::data::Dataset;
use ebm_gpu::data::npy::read_npy;
use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::eval::{Evaluation, FEWEST_CHAINS, Metrics, Target, modes_by_nearest};
use ebm_gpu::model::{Conditioning, Head, metadata_list, read_checkpoint};
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;
use serde::Serialize;

use super::chains;
use super::doubts;
use super::engine::EngineArgs;
use super::figures::{self, Part};
use super::notice::notice;
use super::output::Folder;
use super::sample::{Draw, Drawn, untrained};
use super::{MOST_CHAINS, MOST_POINTS, check_count, progress};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A model: a .safetensors file as `run` writes it, or the folder of a run
    #[arg(value_name = "CHECKPOINT")]
    checkpoint: PathBuf,
    /// A toy law or a file, as for `run` [default: what the model was trained on]
    #[arg(long, value_name = "NAME|FILE")]
    data: Option<String>,
    /// Columns of the file, by name or index from 0 [default: those that the model was trained on, where the file has them by
    /// name; else all]
    #[arg(long, value_delimiter = ',', value_name = "A,B,..")]
    columns: Option<Vec<String>>,
    /// Columns of the file that are left out, such as a label
    #[arg(long, value_delimiter = ',', value_name = "A,B,..")]
    drop: Option<Vec<String>>,
    /// The first line of a .csv, .tsv or .txt file has the names of the columns, even if they are numbers
    #[arg(long)]
    header: bool,
    /// Leave out the rows of the file in which a chosen value is missing
    #[arg(long)]
    drop_missing: bool,
    /// The array of an .npz file; the only one if not given
    #[arg(long, value_name = "NAME")]
    array: Option<String>,
    /// Use every row of the file, not only those that training has held out
    #[arg(long)]
    all: bool,
    /// The noise level of a model that sees it, or that the data are smoothed by [default: what it was trained for]
    #[arg(long)]
    sigma: Option<f64>,

    /// Samples of the model, [n, d] in original units as .npy, instead of chains
    #[arg(long, value_name = "FILE", conflicts_with_all = ["chains", "sampler", "chain_steps", "step_size"])]
    samples: Option<PathBuf>,
    /// Chains run for the metrics of samples; 0 for none
    #[arg(long, default_value_t = 4096)]
    chains: usize,
    /// How chains move, as in `sample` [default: ula; annealed where the model has a ladder]
    #[arg(long)]
    sampler: Option<String>,
    /// Steps of each chain; annealed: at each level [default: 500; annealed: 100]
    #[arg(long)]
    chain_steps: Option<u64>,
    /// The step size, as in `sample`
    #[arg(long)]
    step_size: Option<f64>,
    /// Annealed importance sampling for ln Z in three dimensions and more: chains (over 50 have to carry it) and levels; 0,0 for
    /// none
    #[arg(long, value_delimiter = ',', num_args = 1, default_value = "1024,400", value_name = "CHAINS,LEVELS")]
    ais: Vec<usize>,
    /// Points drawn of a toy law to place annealed chains by
    #[arg(long, default_value_t = 100_000)]
    points: usize,
    /// Seed of everything that is drawn; the rows that training has held out stay what they are [default: that of the training]
    #[arg(long)]
    seed: Option<u64>,

    #[command(flatten)]
    engine: EngineArgs,
    /// Folder for report.html, eval.json and the figures, beside what is printed; if it exists, a number is added
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write into the folder even if it exists
    #[arg(long, requires = "out")]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// No progress and no messages on stderr
    #[arg(long)]
    quiet: bool,
}

/// What `--json` prints and eval.json holds.
#[derive(Serialize)]
struct Summary {
    version: &'static str,
    engine: &'static str,
    adapter: String,
    checkpoint: PathBuf,
    net: String,
    data: String,
    /// Which of its points are evaluated.
    rows: String,
    points: usize,
    sigma: Option<f64>,
    seed: u64,
    samples: Option<usize>,
    /// The chains that made them; none for samples of a file.
    chains: Option<Drawn>,
    metrics: Metrics,
    warnings: Vec<String>,
    modes: Option<Vec<Mode>>,
    seconds: f64,
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let start = std::time::Instant::now();
    check_count("chains", args.chains, 0, MOST_CHAINS)?;
    check_count("points", args.points, 2, MOST_POINTS)?;
    let annealing = annealing(&args.ais)?;
    let path = &args.checkpoint;
    let (model, metadata) = read_checkpoint(path)?;
    let sigma = source::noise_level(args, &model, &metadata)?;
    let trained_with = metadata.get("seed").and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let seed = args.seed.unwrap_or(trained_with);
    let (data, rows) = source::data(args, path, &model, &metadata, [trained_with, seed])?;
    let sees = model.spec.conditioning() != Conditioning::None;
    let strange = if sees { untrained(&metadata, &[sigma], path)? } else { None };
    let mut warnings: Vec<String> =
        [doubts::gaps(&data), source::another_unit(&data), strange].into_iter().flatten().collect();
    let told = |warnings: &[String]| {
        if !args.quiet {
            warnings.iter().for_each(|warning| notice!("warning: {warning}"));
        }
    };
    told(&warnings);
    let engine = args.engine.open(args.quiet)?;
    let engine = engine.as_ref();
    let data_file = args.data.as_ref().map(PathBuf::from);
    let inputs: Vec<&Path> =
        [Some(path), args.samples.as_ref(), data_file.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
    let folder = args.out.as_ref().map(|out| Folder::create(out, args.force, &inputs, args.quiet)).transpose()?;
    let level = args.sigma.filter(|_| sees);
    let (chains, drawn) = samples(args, engine, path, &data, level, seed)?.unzip();
    let drawn = drawn.flatten();
    let spinner = progress::spinner("evaluating", args.quiet);
    let model = model.at(sigma);
    let normalized = metadata.contains_key("noise_mean") && model.spec.head() == Head::Energy;
    let aim = Target { sigma, normalized };
    let chains = chains.as_ref();
    let spread = spread(&metadata, model.spec.dim(), path)?;
    let ends = chains.filter(|_| drawn.is_some());
    let far = spread.as_ref().zip(ends).and_then(|([mean, deviation], ends)| chains::far(mean, deviation, ends));
    let evaluation =
        Evaluation { engine, model: &model, data: &data, aim, chains, spread, annealing, seed: Seed(seed) };
    let metrics = evaluation.run()?;
    spinner.finish_and_clear();
    let biased = chains::biased(drawn.as_ref().and_then(|drawn| drawn.would_accept));
    let unreached = drawn.as_ref().and_then(|_| chains::unreached(&metrics));
    let of_chains: Vec<String> = [far, biased, unreached].into_iter().flatten().collect();
    told(&of_chains);
    warnings.extend(of_chains);
    let summary = Summary {
        version: env!("CARGO_PKG_VERSION"),
        engine: engine.name(),
        adapter: engine.adapter(),
        checkpoint: path.clone(),
        net: model.spec.to_string(),
        data: data.name.clone(),
        rows,
        points: data.test.count(),
        sigma: (sigma > 0.0).then_some(sigma),
        seed,
        samples: chains.map(Points::count),
        chains: drawn,
        modes: modes(&data, sigma, chains)?,
        metrics,
        warnings,
        seconds: start.elapsed().as_secs_f64(),
        out: folder.as_ref().map(|f| f.path().to_path_buf()),
    };
    if let Some(folder) = &folder {
        let title = format!("{} on {}", summary.net, data.name);
        figures::field_figures(folder, engine, &model, &data, Part::HeldOut, &title)?;
        if let Some(chains) = chains {
            let samples = data.transform.output(chains);
            figures::chain_figure(folder, &data, Part::HeldOut, &samples, "model", &title)?;
        }
        folder.write_json("eval.json", &summary)?;
        page::write(folder, &summary)?;
    }
    if args.json { super::print_json(&summary) } else { print(&summary) }
}

/// Chains and levels, or none.
fn annealing(given: &[usize]) -> Result<Option<(usize, u32)>> {
    match *given {
        [0, 0] => Ok(None),
        [chains, levels] => {
            check_count("chains of --ais", chains, FEWEST_CHAINS + 1, MOST_CHAINS)?;
            check_count("levels of --ais", levels, 2, 1_000_000)?;
            Ok(Some((chains, levels as u32)))
        }
        _ => Err(Error::input(format!("--ais takes 2 numbers, chains and levels, not {}", given.len()))
            .hint("--ais 1024,400")),
    }
}

/// Mean and deviation of the training points in the network's units, as the checkpoint has them.
fn spread(metadata: &HashMap<String, String>, dim: usize, path: &Path) -> Result<Option<[Vec<f64>; 2]>> {
    let list = |key: &str| metadata_list(metadata, key, Some(dim), path);
    let deviation = list("data_deviation")?.filter(|values| values.iter().all(|v| *v > 0.0));
    Ok(list("data_mean")?.zip(deviation).map(|(mean, deviation)| [mean, deviation]))
}

/// A mode of the law.
#[derive(Serialize)]
struct Mode {
    center: Vec<f64>,
    /// The shares of the law and of the samples that are nearest to it.
    weight: f64,
    share: f64,
}

/// The law's modes; none where it has none, or there are no samples.
fn modes(data: &Dataset, sigma: f64, samples: Option<&Points>) -> Result<Option<Vec<Mode>>> {
    let (Some(law), Some(samples)) = (&data.law, samples) else { return Ok(None) };
    let Some(modes) = modes_by_nearest(law.as_ref(), sigma)? else { return Ok(None) };
    let shares = modes.masses(samples.rows().map(|x| (x, 1.0 / samples.count() as f64)));
    let each = modes.centers.rows().zip(&modes.weights).zip(shares);
    Ok(Some(each.map(|((center, weight), share)| Mode { center: center.to_vec(), weight: *weight, share }).collect()))
}

/// Samples of the model in its units: given, or the ends of chains.
fn samples(
    args: &Args,
    engine: &dyn Engine,
    path: &Path,
    data: &Dataset,
    level: Option<f64>,
    seed: u64,
) -> Result<Option<(Points, Option<Drawn>)>> {
    if let Some(file) = &args.samples {
        let (shape, values) = read_npy(file)?;
        return match shape[..] {
            [rows, columns] if columns == data.dim() && rows > 1 => {
                if let Some(at) = values.iter().position(|x| !x.is_finite()) {
                    let (row, column) = (at / columns, at % columns);
                    return Err(Error::input(format!(
                        "{}: row {row}, column {column} (from 0) is {}, not a finite number",
                        file.display(),
                        values[at]
                    ))
                    .hint("chains that have exploded: leave their rows out, or sample with smaller steps"));
                }
                Ok(Some((data.transform.apply(&Points::new(columns, values)), None)))
            }
            _ => Err(Error::input(format!(
                "{} has shape {shape:?}, samples of the model are [n, {}] with n of 2 or more",
                file.display(),
                data.dim()
            ))),
        };
    }
    if args.chains == 0 {
        return Ok(None);
    }
    let draw = Draw {
        checkpoint: path,
        chains: args.chains,
        sampler: args.sampler.as_deref(),
        steps: args.chain_steps,
        step_size: args.step_size,
        sigma: level,
        seed,
        quiet: args.quiet,
    };
    draw.run(engine).map(|(ends, drawn)| Some((ends, Some(drawn))))
}

/// A number for a terminal, as programs read it.
fn plain(value: f64) -> String {
    let small = value != 0.0 && value.abs() < 1e-3;
    if small { format!("{value:.3e}") } else { format!("{value:.5}") }
}

fn print(summary: &Summary) -> Result<()> {
    let line = super::print_line;
    let smoothed = summary.sigma.map_or(String::new(), |s| format!(", smoothed by sigma = {s}"));
    line(&format!("model     {} ({})", summary.checkpoint.display(), summary.net))?;
    line(&format!("data      {}: {} points, {}{smoothed}", summary.data, summary.points, summary.rows))?;
    match (&summary.chains, summary.samples) {
        (Some(c), _) => {
            let (steps, accepts) = (c.steps, c.accepts());
            line(&format!("samples   the ends of {} chains of {steps} steps ({}){accepts}", c.count, c.transition))?;
        }
        (None, Some(count)) => line(&format!("samples   {count}"))?,
        (None, None) => {}
    }
    let m = &summary.metrics;
    for (name, value) in m.named() {
        let Some(value) = value else { continue };
        let mut text = format!("{name:<17} {:>12}", plain(value));
        if let Some(error) = m.standard_errors.get(name) {
            text += &format!("  ± {}", plain(*error));
        }
        if let Some([low, high]) = m.null_intervals.get(name) {
            let chance = if name == "mode_tv" { "for a sample of the law" } else { "with labels exchanged" };
            text += &format!("  ({} to {} {chance}", plain(*low), plain(*high));
            text += &m.p_values.get(name).map_or(")".into(), |p| format!("; p = {p:.3})"));
        }
        line(&text)?;
    }
    for mode in summary.modes.iter().flatten() {
        let place = super::place(&mode.center);
        line(&format!("mode at {place}: {:.4} of the samples, weight {:.4}", mode.share, mode.weight))?;
    }
    if let Some(note) = &m.note {
        line(&format!("note      {note}"))?;
    }
    match &summary.out {
        Some(out) => line(&format!("results   {}", out.display())),
        None => Ok(()),
    }
}
