//! `grad`: loss and parameter gradient of an objective on given points, noise and probes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ebm_gpu::data::npy::{read_npy, write_npy_f64};
use ebm_gpu::engine::Given;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::model::{MlpSpec, read_checkpoint, write_gradient};
use ebm_gpu::objective::{Denoising, FdSsm, Ladder, Objective, ProbeLaw, Probes, SeparableLaw, Weighting};
use ebm_gpu::points::Points;

use super::contrast::FormArgs;
use super::engine::EngineArgs;
use crate::cli::notice::notice;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The model: a .safetensors file as `run` writes it
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// The objective: esm, ssm, ssm-vr, fd-ssm, dsm, mdsm, cd, pcd, ed or nce
    #[arg(long, default_value = "dsm")]
    loss: String,
    /// Points x, [B, d] as .npy, in the units that the network sees (standardised, for a model of a file)
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Noise z of dsm and mdsm, [B, d] as .npy: the network sees x + sigma z
    #[arg(long, value_name = "FILE")]
    noise: Option<PathBuf>,
    /// Directions v of ssm, ssm-vr and fd-ssm, [B, K, d] or [B, d] as .npy; the ε of fd-ssm is each one's own length
    #[arg(long, value_name = "FILE")]
    probes: Option<PathBuf>,
    /// Negative points y of cd, pcd, ed and nce, [B, M, d] or (all that cd and pcd take) [B, d] as .npy, where chains or noise
    /// have left them
    #[arg(long, value_name = "FILE")]
    negatives: Option<PathBuf>,
    /// nce: ν, the negatives of a sample [default: as many as are given]
    #[arg(long)]
    nu: Option<usize>,
    #[command(flatten)]
    form: FormArgs,
    /// dsm, mdsm: standard deviation of the noise: a number, or [B] as .npy [default: the checkpoint's own (of a ladder, the
    /// smallest), or 0.3 if it names none; mdsm needs it]
    #[arg(long, value_name = "S|FILE")]
    sigma: Option<String>,
    /// The factor of ½|s + z/σ|²: one, sigma2, sigma4, or the exponent of σ
    #[arg(long, default_value = "sigma2")]
    weighting: String,
    #[command(flatten)]
    engine: EngineArgs,
    /// Where to write the gradient, under the parameters' names (F64 from the reference, else F32)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where to write the loss of each sample, [B] as .npy
    #[arg(long, value_name = "FILE")]
    losses: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<()> {
    Objective::check_name(&args.loss)?;
    Weighting::by_name(&args.weighting)?;
    let (model, metadata) = read_checkpoint(&args.checkpoint)?;
    let d = model.spec.dim();
    let points = read_points(&args.data, d)?;
    let noise = args.noise.as_deref().map(|path| read_points(path, d)).transpose()?;
    if let Some((path, noise)) = args.noise.as_ref().zip(noise.as_ref()).filter(|(_, z)| z.count() != points.count()) {
        let (has, want) = (noise.count(), points.count());
        return Err(Error::input(format!("{} has {has} rows, {} has {want}", path.display(), args.data.display())));
    }
    let read_vectors = |path: &PathBuf, what| read_vectors(path, what, points.count(), d);
    let probes = args.probes.as_ref().map(|path| read_vectors(path, "probes")).transpose()?;
    let negatives = args.negatives.as_ref().map(|path| read_vectors(path, "negatives")).transpose()?;
    let stored = metadata.get("sigma").and_then(|s| s.parse().ok()).unwrap_or(0.3);
    let sigmas = match &args.sigma {
        None if args.loss == "mdsm" => None,
        None => Some(vec![stored; points.count()]),
        Some(text) => Some(match text.parse() {
            Ok(sigma) => vec![sigma; points.count()],
            Err(_) => read_levels(Path::new(text), points.count())?,
        }),
    };
    let there = negatives.as_ref().map_or(1, |y| y.count() / points.count());
    let each = args.nu.filter(|_| args.loss == "nce").unwrap_or(there);
    let own = noise_law(&metadata)?;
    let objective = match args.form.given(&args.loss, each, own, &points)? {
        Some(objective) => objective,
        None => matching(args, stored, sigmas.as_deref(), probes.as_ref(), points.count())?,
    };
    let given = Given {
        points: &points,
        noise: noise.as_ref(),
        sigmas: sigmas.as_deref(),
        probes: probes.as_ref(),
        negatives: negatives.as_ref(),
    };
    given.check(&objective, &model.spec)?;
    for warning in warnings(args, &objective, &model.spec) {
        notice!("warning: {warning}");
    }
    let engine = args.engine.open(args.json)?;
    let result = engine.loss_gradient(&model, &objective, &given)?;
    let norm = result.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    if !(result.loss().is_finite() && norm.is_finite()) {
        let broken = Error::failed(format!("the loss is {}, the norm of its gradient {norm}", result.loss()));
        return Err(match engine.name() {
            "reference" => broken.hint("the numbers leave what f64 can hold: look at the points and at the weights"),
            _ => broken.hint("the numbers leave what f32 can hold: --engine reference computes in f64"),
        });
    }
    let formula = objective.formula_of_given();
    if let Some(out) = &args.out {
        write_gradient(out, &model.spec, &result.gradient, engine.name() == "reference")?;
    }
    if let Some(path) = &args.losses {
        write_npy_f64(path, &[result.losses.len()], &result.losses)?;
    }
    if args.json {
        return super::print_json(&serde_json::json!({
            "loss": result.loss(), "gradient_norm": norm, "objective": formula, "engine": engine.name(),
            "net": model.spec.to_string(), "batch": points.count(),
        }));
    }
    super::print_line(&format!("loss {}\ngradient norm {norm}\n{formula}", result.loss()))
}

/// What is not right with what is given: flags that the objective has no use for, and its own warnings.
fn warnings(args: &Args, objective: &Objective, spec: &MlpSpec) -> Vec<String> {
    let loss = args.loss.as_str();
    let denoises = matches!(loss, "dsm" | "mdsm");
    let contrasts = matches!(loss, "cd" | "pcd" | "ed" | "nce");
    let form = &args.form;
    let flags = [
        ("--noise", args.noise.is_some(), denoises),
        ("--sigma", args.sigma.is_some(), denoises),
        ("--probes", args.probes.is_some(), matches!(loss, "ssm" | "ssm-vr" | "fd-ssm")),
        ("--negatives", args.negatives.is_some(), contrasts),
        ("--nu", args.nu.is_some(), loss == "nce"),
        ("--noise-scale", form.noise_scale.is_some(), loss == "nce"),
        ("--noise-std", form.noise_std.is_some(), loss == "nce"),
        ("--alpha", form.alpha != 0.0, matches!(loss, "cd" | "pcd")),
    ];
    let idle = flags.iter().filter(|(_, set, used)| *set && !used);
    let mut all: Vec<String> = idle.map(|(flag, ..)| format!("{loss} has no use for {flag}")).collect();
    all.extend(objective.warnings(spec));
    all
}

/// The objective that matches scores, for what is given.
fn matching(
    args: &Args,
    stored: f64,
    sigmas: Option<&[f64]>,
    probes: Option<&Points>,
    batch: usize,
) -> Result<Objective> {
    let weighting = Weighting::by_name(&args.weighting)?;
    let count = probes.map_or(1, |p| p.count() / batch);
    // the law of given probes does not matter, only their number
    let given_probes = Probes::new(count, ProbeLaw::Rademacher)?;
    Ok(match args.loss.as_str() {
        "esm" => Objective::Esm,
        "ssm" => Objective::Ssm(given_probes),
        "ssm-vr" => Objective::SsmVr(given_probes),
        "fd-ssm" => {
            let length = probes.map(|p| p.row(0).iter().map(|v| v * v).sum::<f64>().sqrt());
            Objective::FdSsm(FdSsm::new(count, length.unwrap_or(0.1))?)
        }
        "mdsm" => Objective::Denoising(Denoising { ladder: ladder_of(sigmas)?, weighting }),
        _ if sigmas.is_some_and(|s| s.iter().any(|v| *v != s[0])) => {
            Objective::Denoising(Denoising { ladder: ladder_of(sigmas)?, weighting })
        }
        _ => Objective::Denoising(Denoising::single(sigmas.map_or(stored, |s| s[0]), weighting)?),
    })
}

/// The levels that occur among the samples', and one more if there is only one: mdsm is made of several.
fn ladder_of(sigmas: Option<&[f64]>) -> Result<Ladder> {
    let mut levels = sigmas.unwrap_or(&[1.0, 0.5]).to_vec();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    if let [only] = levels[..] {
        levels.push(2.0 * only);
    }
    levels.truncate(4096);
    Ladder::explicit(levels)
}

/// The noise law that the checkpoint's network has learnt against, if it names one.
fn noise_law(metadata: &HashMap<String, String>) -> Result<Option<SeparableLaw>> {
    let list = |name: &str| serde_json::from_str(metadata.get(name)?).ok();
    let named = list("noise_mean").zip(list("noise_std"));
    named.map(|(mean, deviation)| SeparableLaw::normal(mean, deviation)).transpose()
}

/// Vectors of `dim` numbers, [B, K, dim] or [B, dim].
fn read_vectors(path: &Path, what: &str, batch: usize, dim: usize) -> Result<Points> {
    let (shape, values) = read_npy(path)?;
    let name = path.display();
    let fits = matches!(shape[..], [rows, k, columns] if rows == batch && columns == dim && k > 0)
        || matches!(shape[..], [rows, columns] if rows == batch && columns == dim);
    if !fits {
        return Err(Error::input(format!(
            "{name} has shape {shape:?}, the {what} of {batch} points are [{batch}, K, {dim}]"
        )));
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(i) => Err(Error::input(format!("number {i} of {name} is {}", values[i]))),
        None => Ok(Points::new(dim, values)),
    }
}

/// A noise level for each of `batch` points, [B] or [B, 1]; the objective refuses what is no level.
fn read_levels(path: &Path, batch: usize) -> Result<Vec<f64>> {
    let (shape, values) = read_npy(path)?;
    if matches!(shape[..], [rows] | [rows, 1] if rows == batch) {
        return Ok(values);
    }
    let name = path.display();
    Err(Error::input(format!("{name} has shape {shape:?}, the noise levels of {batch} points are [{batch}]")))
}

/// Rows of `dim` numbers from an .npy file; a plain list is taken for rows of one.
fn read_points(path: &Path, dim: usize) -> Result<Points> {
    let (shape, values) = read_npy(path)?;
    let name = path.display();
    match shape[..] {
        [0, ..] => Err(Error::input(format!("{name} has no rows"))),
        [_] | [_, 1] if dim == 1 => match values.iter().position(|v| !v.is_finite()) {
            Some(i) => Err(Error::input(format!("row {i} of {name} is {}", values[i]))),
            None => Ok(Points::new(1, values)),
        },
        [_, columns] if columns == dim => match values.iter().position(|v| !v.is_finite()) {
            Some(i) => Err(Error::input(format!("row {}, column {} of {name} is {}", i / dim, i % dim, values[i]))),
            None => Ok(Points::new(dim, values)),
        },
        [_, columns] => Err(Error::input(format!("{name} has {columns} columns, the model was trained on {dim}"))),
        _ => Err(Error::input(format!("{name} has shape {shape:?}, points are [B, {dim}]"))),
    }
}
