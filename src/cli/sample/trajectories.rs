//! `--trajectories`: what is kept of chains on their way, and the pictures of it.

use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::points::Points;
use ebm_gpu::report::{Backdrop, ChainsPanel, Extent, Grid, Particles, Trace, paths_figure, write_gif};
use ebm_gpu::sample::{Frames, SamplingPlan};

use super::super::figures::integrated;
use super::super::output::Folder;
use super::figure::{NODES, energies, within_walls};
use super::subject::{Ground, Subject};

/// More paths than this are a carpet.
const MOST_PATHS: usize = 1000;
/// Chains that move in the animation.
const PARTICLES: usize = 1500;
/// Frames of the animation, at most one more.
const FRAMES: u64 = 100;
/// Pieces of a path, and of all of them together.
const PIECES: u64 = 200;
const ALL_PIECES: u64 = 20_000;
/// Arrows of a score field along each axis.
const ARROWS: usize = 21;
/// How long a frame is shown, and the last one, in milliseconds.
const PACE: [u32; 2] = [60, 1500];

/// The looks at the chains that the pictures of `paths` paths need.
pub(super) fn frames(paths: usize, chains: usize, all_steps: u64) -> Result<Frames> {
    if paths == 0 {
        return Err(Error::input("--trajectories 0 draws no path").hint("--trajectories 10, or none of it"));
    }
    if paths > chains {
        return Err(Error::input(format!("--trajectories {paths}: there are {chains} chains"))
            .hint("fewer trajectories, or more --chains"));
    }
    if paths > MOST_PATHS {
        return Err(Error::input(format!("--trajectories {paths}: more than {MOST_PATHS} paths hide each other"))
            .hint("--trajectories 10; chains.gif shows up to 1500 chains in any case"));
    }
    let pieces = (ALL_PIECES / paths as u64).clamp(FRAMES, PIECES).min(all_steps);
    // every frame of the animation is a point of the paths
    let pieces = pieces - pieces % pieces.div_ceil(FRAMES);
    Ok(Frames::even(paths.max(chains.min(PARTICLES)), all_steps, pieces))
}

/// The first coordinates of the first chains.
fn corner(positions: &Points, chains: usize) -> Points {
    let dim = positions.dim().min(2);
    let rows = positions.rows().take(chains).flat_map(|row| row[..dim].iter().copied());
    Points::new(dim, rows.collect())
}

/// What the pictures show, in original units.
pub(super) struct Recorder {
    chains: usize,
    paths: Trace,
    path_count: usize,
    particles: Trace,
    /// Every so many looks are a frame of the animation.
    stride: usize,
}

impl Recorder {
    pub(super) fn new(path_count: usize, chains: usize, frames: &Frames) -> Self {
        let stride = (frames.steps.len() - 1).div_ceil(FRAMES as usize).max(1);
        Self { chains, paths: Trace::default(), path_count, particles: Trace::default(), stride }
    }

    /// What the tables are called.
    pub(super) const TABLES: &[&str] = &["paths", "particles"];

    /// Everything so far as tables: the step and the positions of a look in each row.
    pub(super) fn tables(&self) -> Vec<(&'static str, Points)> {
        let table = |trace: &Trace| {
            let rows = trace.steps.iter().zip(&trace.positions);
            let values =
                rows.flat_map(|(step, points)| [*step as f64].into_iter().chain(points.values().iter().copied()));
            Points::new(1 + trace.positions.first().map_or(0, |points| points.values().len()), values.collect())
        };
        Self::TABLES.iter().copied().zip([&self.paths, &self.particles].map(table)).collect()
    }

    /// Takes up such tables of points of `dim` coordinates.
    ///
    /// # Errors
    /// Their rows are no step and points.
    pub(super) fn restore(&mut self, tables: &[Option<Points>], dim: usize) -> Result<()> {
        for (trace, table) in [&mut self.paths, &mut self.particles].into_iter().zip(tables.iter().flatten()) {
            if table.dim() % dim.min(2) != 1 % dim.min(2) {
                let (width, d) = (table.dim(), dim.min(2));
                return Err(Error::input(format!("rows of {width} numbers are no step and points of {d} coordinates")));
            }
            trace.steps = table.rows().map(|row| row[0] as u64).collect();
            trace.positions = table.rows().map(|row| Points::new(dim.min(2), row[1..].to_vec())).collect();
        }
        Ok(())
    }

    pub(super) fn take(&mut self, step: u64, positions: &Points) {
        if self.paths.steps.len().is_multiple_of(self.stride) {
            self.particles.steps.push(step);
            self.particles.positions.push(corner(positions, PARTICLES));
        }
        self.paths.steps.push(step);
        self.paths.positions.push(corner(positions, self.path_count));
    }
}

/// Writes trajectories.png, trajectories.svg and chains.gif.
pub(super) fn draw(
    folder: &Folder,
    engine: &dyn Engine,
    subject: &Subject,
    plan: &SamplingPlan<'_>,
    recorder: &Recorder,
) -> Result<()> {
    let extent = within_walls(recorder.particles.extent(), subject, plan);
    let field = Field::new(engine, subject, extent)?;
    let times = Times::new(subject, plan);
    let title = |shown: usize| format!("{}: {shown} of {} chains", subject.name, recorder.chains);
    let energy_name = match subject.levels.last() {
        Some((sigma, _)) if subject.levels.len() > 1 => format!("E(x) − min E at σ = {} (nats)", short(*sigma)),
        _ => "E(x) − min E (nats)".to_string(),
    };
    let trace = &recorder.particles;
    let [of_paths, of_particles] = [recorder.path_count, trace.chains()].map(title);
    let panel = ChainsPanel {
        title: &of_paths,
        names: &subject.columns,
        dim: subject.dim(),
        trace: &recorder.paths,
        extent,
        backdrop: field.backdrop(),
        energy_name: &energy_name,
        marks: (&times.ends[..times.ends.len() - 1], times.marked),
    };
    paths_figure(&panel)?.write(&folder.file("trajectories"))?;
    let particles = Particles::new(&ChainsPanel { title: &of_particles, trace, ..panel })?;
    let frame = |i: usize| particles.frame(i, &times.label(trace.steps[i]));
    write_gif(&folder.file("chains.gif"), trace.steps.len(), PACE, frame)
}

/// What the chains move over, in original units.
enum Field {
    Plain,
    Energy(Grid),
    Line([Vec<f64>; 2]),
    Score([Points; 2]),
}

impl Field {
    fn new(engine: &dyn Engine, subject: &Subject, extent: Extent) -> Result<Self> {
        match subject.dim() {
            1 => {
                let range = extent.x.padded(0.02);
                let x: Vec<f64> = (0..=1000).map(|i| range.lo() + range.width() * f64::from(i) / 1000.0).collect();
                let places = Points::new(1, x.clone());
                let energy = match energies(engine, subject, &places)? {
                    Some(energy) => energy,
                    None => integrated(&x, scores(engine, subject, &places)?.values()),
                };
                Ok(Self::Line([x, energy]))
            }
            2 => match energies(engine, subject, &extent.nodes(NODES, NODES))? {
                Some(energy) => Ok(Self::Energy(Grid::new(extent, NODES, NODES, energy)?)),
                None => {
                    let positions = extent.nodes(ARROWS, ARROWS);
                    let scores = scores(engine, subject, &positions)?;
                    Ok(Self::Score([positions, scores]))
                }
            },
            _ => Ok(Self::Plain),
        }
    }

    fn backdrop(&self) -> Backdrop<'_> {
        match self {
            Self::Plain => Backdrop::Plain,
            Self::Energy(grid) => Backdrop::Energy(grid),
            Self::Line([x, energy]) => Backdrop::Line { x, energy },
            Self::Score([positions, scores]) => Backdrop::Score { positions, scores },
        }
    }
}

/// s at points in original units, in those units; 0 for a target, which has an energy.
pub(super) fn scores(engine: &dyn Engine, subject: &Subject, points: &Points) -> Result<Points> {
    let Ground::Network(model) = subject.last() else {
        return Ok(Points::new(points.dim(), vec![0.0; points.values().len()]));
    };
    let mut scores = engine.score(model, &subject.transform.apply(points))?;
    subject.transform.scores_outside(points, &mut scores);
    Ok(scores)
}

/// A noise level to three decimals, without zeros at its end.
fn short(sigma: f64) -> String {
    let text = format!("{sigma:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// The parts of a run.
struct Times {
    /// The last step of each.
    ends: Vec<u64>,
    /// What each is called; nothing if there is one.
    names: Vec<String>,
    /// What an end is called.
    marked: &'static str,
}

impl Times {
    fn new(subject: &Subject, plan: &SamplingPlan<'_>) -> Self {
        let (burns, levels) = (plan.burn_in > 0, plan.stages.len() > 1);
        let (mut ends, mut names, mut end) = (Vec::new(), Vec::new(), 0);
        if burns {
            end = plan.burn_in;
            ends.push(end);
            names.push("burn-in".to_string());
        }
        for (stage, (sigma, _)) in plan.stages.iter().zip(&subject.levels) {
            end += stage.steps;
            ends.push(end);
            names.push(if levels { format!("σ = {}", short(*sigma)) } else { String::new() });
        }
        let marked = match (burns, levels) {
            (true, true) => "end of burn-in, next σ",
            (false, true) => "next σ",
            _ => "end of burn-in",
        };
        Self { ends, names, marked }
    }

    /// When a step is.
    fn label(&self, step: u64) -> String {
        let part = self.ends.iter().position(|end| step <= *end).unwrap_or(self.ends.len() - 1);
        let comma = if self.names[part].is_empty() { "" } else { ", " };
        format!("{}{comma}step {step} of {}", self.names[part], self.ends[self.ends.len() - 1])
    }
}
