//! `sample`: chains from a model or an analytic target, and what their draws are worth.

mod args;
mod draw;
mod figure;
mod page;
mod plan;
mod start;
mod subject;
mod summary;
mod trajectories;

use std::path::Path;

use ebm_gpu::data::NpyStream;
use ebm_gpu::data::npy::write_npy_f32;
use ebm_gpu::error::Result;
use ebm_gpu::points::Points;
use ebm_gpu::sample::{Listen, SamplingPlan};
use ebm_gpu::sampler::Transition;
use indicatif::ProgressBar;

use super::output::Folder;
use super::progress;
pub(super) use args::Args;
pub(super) use draw::Draw;
use subject::Subject;
use summary::Summary;
use trajectories::Recorder;

pub(super) fn run(args: &Args) -> Result<()> {
    let subject = args.subject()?;
    let plan = args.plan(&subject)?;
    let start = args.starting_points(&subject, replicas(&plan))?;
    let engine = args.engine.open(args.quiet)?.engine;
    // what does not fit the device is refused before anything is written
    let first = &plan.stages[0];
    let mut chains = engine.chains(first.landscape, &first.transition, &start, plan.seed)?;
    if plan.draws() > 0 {
        chains.watch(plan.draws() as usize)?;
    }
    drop(chains);
    let default = Path::new("results").join(format!("sample-{}", subject.name));
    let folder = Folder::create(args.out.as_deref().unwrap_or(&default), args.force)?;
    let mut listener = Listener::new(args, &plan, &subject, &folder)?;
    let sampled = plan.run(engine.as_ref(), &start, &mut listener)?;
    let recorder = listener.finish()?;
    let samples = subject.transform.output(&sampled.positions);
    let shape = [samples.count(), samples.dim()];
    write_npy_f32(&folder.file("samples.npy"), &shape, &to_f32(&samples))?;
    folder.write("moments.jsonl", &summary::moment_lines(&sampled.moments, &subject)?)?;
    figure::draw(&folder, engine.as_ref(), &subject, &samples)?;
    if let Some(recorder) = &recorder {
        let spinner = progress::spinner("drawing the chains on their way", args.quiet);
        trajectories::draw(&folder, engine.as_ref(), &subject, &plan, recorder)?;
        spinner.finish_and_clear();
    }
    let summary = Summary::new(args, &subject, &plan, engine.as_ref(), &sampled, &samples, &folder)?;
    folder.write_json("sample.json", &summary)?;
    page::write(&folder, &summary)?;
    if !args.quiet {
        summary.warnings.iter().for_each(|w| eprintln!("warning: {w}"));
    }
    if args.json { super::print_json(&summary) } else { super::print_line(&summary.to_string()) }
}

/// Columns of a chain.
fn replicas(plan: &SamplingPlan<'_>) -> usize {
    match &plan.stages[0].transition {
        Transition::Hamiltonian(h) => h.replicas(),
        Transition::Langevin(_) => 1,
    }
}

fn to_f32(points: &Points) -> Vec<f32> {
    points.values().iter().map(|v| *v as f32).collect()
}

/// Moves the progress bar, writes draws in original units and keeps what is drawn of the chains on their way.
struct Listener<'a> {
    bar: ProgressBar,
    draws: Option<NpyStream>,
    recorder: Option<Recorder>,
    subject: &'a Subject,
}

impl<'a> Listener<'a> {
    fn new(args: &Args, plan: &SamplingPlan<'_>, subject: &'a Subject, folder: &Folder) -> Result<Self> {
        let bar = progress::bar("chains", plan.all_steps(), args.quiet);
        let stream =
            || NpyStream::create(&folder.file("draws.npy"), [args.chains, subject.dim()], plan.draws() as usize);
        let draws = args.draws.then(stream).transpose()?;
        let recorder = args.trajectories.map(|paths| Recorder::new(paths, args.chains, &plan.frames));
        Ok(Self { bar, draws, recorder, subject })
    }

    fn finish(self) -> Result<Option<Recorder>> {
        self.bar.finish_and_clear();
        self.draws.map_or(Ok(()), NpyStream::finish)?;
        Ok(self.recorder)
    }
}

impl Listen for Listener<'_> {
    fn steps(&mut self, done: u64) {
        self.bar.set_position(done);
    }

    fn wants_draws(&self) -> bool {
        self.draws.is_some()
    }

    fn draw(&mut self, positions: &Points) -> Result<()> {
        match &mut self.draws {
            Some(draws) => draws.append(&to_f32(&self.subject.transform.output(positions))),
            None => Ok(()),
        }
    }

    fn frame(&mut self, step: u64, positions: &Points) -> Result<()> {
        if let Some(recorder) = &mut self.recorder {
            recorder.take(step, &self.subject.transform.undo(positions));
        }
        Ok(())
    }
}
