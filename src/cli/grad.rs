//! `grad`: loss and parameter gradient of an objective on given points and given noise.

use std::path::{Path, PathBuf};

use ebm_gpu::data::npy::read_npy;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::model::{read_checkpoint, write_gradient};
use ebm_gpu::objective::{Dsm, Objective, Weighting};
use ebm_gpu::points::Points;

use super::engine::EngineArgs;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The model: a .safetensors file as `run` writes it
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// The objective: dsm
    #[arg(long, default_value = "dsm")]
    loss: String,
    /// Points x, [B, d] as .npy, in the units that the network sees (standardised, for a model of a file)
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Noise z of dsm, [B, d] as .npy: the network sees x + sigma z
    #[arg(long, value_name = "FILE")]
    noise: Option<PathBuf>,
    /// Standard deviation of dsm's noise [default: the checkpoint's own, or 0.3 if it names none]
    #[arg(long)]
    sigma: Option<f64>,
    /// The factor of dsm's ½|s + z/σ|²: one, sigma2 or sigma4
    #[arg(long, default_value = "sigma2")]
    weighting: String,
    #[command(flatten)]
    engine: EngineArgs,
    /// Where to write the gradient, under the parameters' names (F64 from the reference, else F32)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<()> {
    Objective::check_name(&args.loss)?;
    let weighting = Weighting::by_name(&args.weighting)?;
    let (model, metadata) = read_checkpoint(&args.checkpoint)?;
    let stored = metadata.get("sigma").and_then(|s| s.parse().ok());
    let sigma = args.sigma.or(stored).unwrap_or(0.3);
    let objective = Objective::Dsm(Dsm::new(sigma, weighting)?);
    let d = model.spec.dim();
    let points = read_points(&args.data, d)?;
    let path = args.noise.as_ref().ok_or_else(|| {
        Error::input("dsm needs its noise z").hint("--noise z.npy, of the shape of the data, standard normal")
    })?;
    let noise = read_points(path, d)?;
    if noise.count() != points.count() {
        let (has, want) = (noise.count(), points.count());
        return Err(Error::input(format!("{} has {has} rows, {} has {want}", path.display(), args.data.display())));
    }
    let engine = args.engine.open(args.json)?.engine;
    let result = engine.loss_gradient(&model, &objective, &points, &noise)?;
    let norm = result.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    if !(result.loss().is_finite() && norm.is_finite()) {
        return Err(Error::failed(format!("the loss is {}, the norm of its gradient {norm}", result.loss()))
            .hint("the numbers leave what the engine can hold: --engine reference computes in f64"));
    }
    if let Some(out) = &args.out {
        write_gradient(out, &model.spec, &result.gradient, engine.name() == "reference")?;
    }
    if args.json {
        return super::print_json(&serde_json::json!({
            "loss": result.loss(), "gradient_norm": norm, "objective": objective.formula(), "engine": engine.name(),
            "net": model.spec.to_string(), "batch": points.count(),
        }));
    }
    super::print_line(&format!("loss {}\ngradient norm {norm}\n{}", result.loss(), objective.formula()))
}

/// Rows of `dim` numbers from an .npy file.
fn read_points(path: &Path, dim: usize) -> Result<Points> {
    let (shape, values) = read_npy(path)?;
    let name = path.display();
    match shape[..] {
        [0, _] => Err(Error::input(format!("{name} has no rows"))),
        [_, columns] if columns == dim => match values.iter().position(|v| !v.is_finite()) {
            Some(i) => Err(Error::input(format!("row {}, column {} of {name} is {}", i / dim, i % dim, values[i]))),
            None => Ok(Points::new(dim, values)),
        },
        [_, columns] => Err(Error::input(format!("{name} has {columns} columns, the model was trained on {dim}"))),
        _ => Err(Error::input(format!("{name} has shape {shape:?}, points are [B, {dim}]"))),
    }
}
