//! `data`: the toy laws, and points of them as a file.

use std::path::PathBuf;

use ebm_gpu::data::toy::{self, Toy};
use ebm_gpu::data::{Dataset, ExportFormat};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::random::Seed;

use super::{MOST_POINTS, check_count};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// The toy laws, with their dimension, entropy, mean and variance
    List(ListArgs),
    /// Points of a toy law, written to a file: those that `run` trains on with the same name, number and seed
    Make(MakeArgs),
}

#[derive(clap::Args)]
struct ListArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct MakeArgs {
    /// The law, by a name of `data list`
    name: String,
    /// Points
    #[arg(long, default_value_t = 100_000)]
    n: usize,
    /// Seed of the points, as in `run`
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The file: .npy (an array [n, d] of f8) or .csv (with a header)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write the file even if it exists
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::List(args) => list(args),
        What::Make(args) => make(args),
    }
}

fn list(args: &ListArgs) -> Result<()> {
    if args.json {
        let entry = |toy: &Toy| {
            let law = toy.law();
            let [mean, variance] = law.moments().map_or([None, None], |moments| moments.map(Some));
            let modes = law.modes().map(|m| m.weights.len());
            serde_json::json!({
                "name": toy.name, "dim": law.dim(), "entropy": law.entropy(), "mean": mean, "variance": variance,
                "modes": modes, "box": law.extent(0.0), "about": toy.about,
            })
        };
        return super::print_json(&serde_json::json!({ "laws": toy::ALL.iter().map(entry).collect::<Vec<_>>() }));
    }
    super::print_line(&format!("{:<21} {:>3} {:>8}  {:<12}  {}", "name", "dim", "entropy", "mean", "variance"))?;
    // without the sign of what rounds to 0
    let number = |v: &f64| format!("{v:.2}").replace("-0.00", "0.00");
    let list = |values: &[f64]| values.iter().map(number).collect::<Vec<_>>().join(", ");
    for toy in toy::ALL {
        let (law, name, about) = (toy.law(), toy.name, toy.about);
        let [mean, variance] = law.moments().map_or_else(Default::default, |moments| moments.map(|m| list(&m)));
        let (dim, entropy) = (law.dim(), law.entropy());
        super::print_line(&format!("{name:<21} {dim:>3} {entropy:>8.4}  {mean:<12}  {variance:<12}  {about}"))?;
    }
    Ok(())
}

fn make(args: &MakeArgs) -> Result<()> {
    let format = ExportFormat::of(&args.out)?;
    let out = args.out.display();
    if args.out.is_dir() {
        return Err(Error::input(format!("{out} is a directory, not a file")));
    }
    if args.out.exists() && !args.force {
        return Err(Error::input(format!("{out} exists")).hint("--force writes over it"));
    }
    check_count("n", args.n, 1, MOST_POINTS)?;
    let toy = Dataset::toy(&args.name)?;
    let points = Dataset::training_points(&*toy, args.n, Seed(args.seed));
    format.write(&args.out, &Dataset::toy_columns(&*toy), &points)?;
    if args.json {
        return super::print_json(&serde_json::json!({
            "name": args.name, "n": args.n, "dim": points.dim(), "seed": args.seed, "out": args.out,
        }));
    }
    let dimensions = if points.dim() == 1 { "1 dimension".into() } else { format!("{} dimensions", points.dim()) };
    super::print_line(&format!("{out}: {} points of {} in {dimensions}", args.n, args.name))
}
