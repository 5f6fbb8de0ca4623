//! `bench scale`: how time and memory grow, measured, fitted and drawn. Each size is measured in a process of its own, whose
//! peak of memory is that size's alone.

use crate::cli::notice::notice;
use std::fmt::Write as _;
use std::path::PathBuf;

use ebm_gpu::bench::{affine, power};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::files::write_atomically;
use ebm_gpu::report::{Lines, Series, scaling_figure};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Folder of the table scale.md and the figures scale-*.png and .svg
    #[arg(long, default_value = "results/bench", value_name = "DIR")]
    out: PathBuf,
    /// Where to compute: gpu, cpu or reference
    #[arg(long, default_value = "cpu", value_name = "ENGINE")]
    engine: String,
    /// Wall time to measure each size of training for
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Measure this many sizes of each kind alone, the smallest first
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true, value_name = "N")]
    sizes: usize,
}

/// One thing that grows while all else stays.
struct Sweep {
    name: &'static str,
    unit: &'static str,
    /// What is measured, with its unit.
    measured: &'static str,
    sizes: &'static [usize],
    /// The arguments of `bench` for a size.
    arguments: fn(usize) -> String,
}

const SWEEPS: [Sweep; 5] = [
    Sweep {
        name: "chains",
        unit: "chains",
        measured: "ms for a step of all chains",
        sizes: &[1_000, 3_162, 10_000, 31_623, 100_000, 316_228, 1_000_000, 3_162_278, 10_000_000],
        // about two million chain steps a round, at least one of each chain
        arguments: |n| format!("chains --chains {n} --steps {} --rounds 3", (2_000_000 / n).max(1)),
    },
    Sweep {
        name: "batch",
        unit: "samples of a step",
        measured: "ms a training step",
        sizes: &[32, 64, 128, 256, 512, 1024, 4096, 16_384, 65_536],
        arguments: |n| format!("train --batch {n}"),
    },
    Sweep {
        name: "width",
        unit: "neurons of each of two hidden layers",
        measured: "ms a training step",
        sizes: &[16, 32, 64, 128, 256, 512, 1024],
        arguments: |n| format!("train --net 2-{n}-{n}-1"),
    },
    Sweep {
        name: "depth",
        unit: "hidden layers of 128",
        measured: "ms a training step",
        sizes: &[1, 2, 3, 4, 6, 8],
        arguments: |n| format!("train --net 2{}-1", "-128".repeat(n)),
    },
    Sweep {
        name: "dimension",
        unit: "coordinates of a point",
        measured: "ms a training step",
        sizes: &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
        arguments: |n| format!("train --net {n}-128-128-1"),
    },
];

/// What was measured of one size.
struct Point {
    size: f64,
    ms: f64,
    share: f64,
    bytes: Option<f64>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    if args.sizes < 2 {
        return Err(Error::input(format!("sizes is {}, a law needs 2 at the least", args.sizes)));
    }
    std::fs::create_dir_all(&args.out)
        .map_err(|e| Error::input(format!("cannot make the folder {}: {e}", args.out.display())))?;
    let mut page = format!(
        "# How time and memory grow\n\nEngine {}, 2-128-128-1 with SiLU, denoising score matching in batches of 256 and unadjusted \
         Langevin chains unless said. `ebm-gpu bench scale --engine {}` measures it anew.\n",
        args.engine, args.engine
    );
    for sweep in &SWEEPS {
        let points: Vec<Point> =
            sweep.sizes.iter().take(args.sizes).map(|size| measure(args, sweep, *size)).collect::<Result<_>>()?;
        page += &section(sweep, &points);
        draw(args, sweep, &points)?;
    }
    let path = args.out.join("scale.md");
    write_atomically(&path, page.as_bytes())?;
    super::print_line(&path.display().to_string())
}

/// Runs `bench` on one size.
fn measure(args: &Args, sweep: &Sweep, size: usize) -> Result<Point> {
    let mut words = format!("bench {} --engine {} --json", (sweep.arguments)(size), args.engine);
    if words.contains(" train ") {
        let _ = write!(words, " --seconds {}", args.seconds);
    }
    notice!("{words}");
    let failed = |why: String| Error::failed(format!("`{words}` failed: {why}"));
    let program = std::env::current_exe().map_err(|e| failed(e.to_string()))?;
    let output = std::process::Command::new(program)
        .args(words.split_whitespace())
        .output()
        .map_err(|e| failed(e.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_string()));
    }
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|e| failed(e.to_string()))?;
    let number = |key: &str| json[key].as_f64();
    let ms = number("ms_per_step").or_else(|| Some(1e3 * size as f64 / number("chain_steps_per_second")?));
    match (ms, number("share_of_peak")) {
        (Some(ms), Some(share)) => Ok(Point { size: size as f64, ms, share, bytes: number("peak_bytes") }),
        _ => Err(failed("it printed no time".to_string())),
    }
}

fn times(points: &[Point]) -> Vec<(f64, f64)> {
    points.iter().map(|p| (p.size, p.ms)).collect()
}

fn memories(points: &[Point]) -> Vec<(f64, f64)> {
    points.iter().filter_map(|p| Some((p.size, p.bytes?))).collect()
}

/// The table of a sweep with its laws.
fn section(sweep: &Sweep, points: &[Point]) -> String {
    let mut text = format!(
        "\n## {}\n\n| {} | {} | share of the peak | memory, MB |\n| --- | --- | --- | --- |\n",
        sweep.name, sweep.unit, sweep.measured
    );
    for p in points {
        let memory = p.bytes.map_or_else(String::new, |bytes| format!("{:.1}", 1e-6 * bytes));
        // writing to a string cannot fail
        let _ = writeln!(text, "| {} | {:.4} | {:.0} % | {memory} |", p.size, p.ms, 100.0 * p.share);
    }
    if let (Some(law), Some(exponent)) = (affine(&times(points)), power(&times(points))) {
        let _ = writeln!(
            text,
            "\nTime: {:.3e} + {:.3e} n ms; the larger half grows as n to the power {exponent:.2}.",
            law.fixed, law.each
        );
    }
    if let Some(law) = affine(&memories(points)) {
        let _ = writeln!(text, "Memory: {:.1} MB + {:.1} bytes each.", 1e-6 * law.fixed, law.each);
    }
    let _ = writeln!(text, "\n![{}](scale-{}.png)", sweep.name, sweep.name);
    text
}

/// The measurements and the law of their time.
fn draw(args: &Args, sweep: &Sweep, points: &[Point]) -> Result<()> {
    let (x, y): (Vec<f64>, Vec<f64>) = times(points).into_iter().unzip();
    let fitted: Vec<f64> = affine(&times(points)).map_or_else(Vec::new, |law| x.iter().map(|x| law.at(*x)).collect());
    let measured = Series { label: "measured", x: &x, y: &y };
    let law = Series { label: "a + b n", x: &x[..fitted.len()], y: &fitted };
    let title = format!("time over {}, engine {}", sweep.name, args.engine);
    let lines = Lines { title: &title, x_label: sweep.unit, y_label: sweep.measured, series: &[measured, law] };
    scaling_figure(&lines).write(&args.out.join(format!("scale-{}", sweep.name)))
}
