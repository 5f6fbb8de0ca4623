//! `sample`: chains from a model or an analytic target, and what their draws are worth.

mod args;
mod draw;
mod figure;
mod page;
mod plan;
mod saved;
mod start;
mod subject;
mod summary;
mod trajectories;

use ebm_gpu::check::startup;
use ebm_gpu::data::NpyStream;
use ebm_gpu::data::npy::write_npy_samples;
use ebm_gpu::engine::Engine;
use ebm_gpu::error::Result;
use ebm_gpu::points::Points;
use ebm_gpu::sample::{Listen, SamplingPlan, SamplingState};
use ebm_gpu::sampler::Transition;
use indicatif::ProgressBar;

use super::endurance::Enduring;
use super::interrupt;
use super::output::Folder;
use super::progress;
use super::resume::{is_complete, refuse_another};
use crate::cli::notice::notice;
pub(super) use args::Args;
pub(super) use draw::{Draw, Drawn};
pub(super) use saved::PASSING;
use saved::{Saving, Tables};
use subject::Subject;
pub(super) use subject::untrained;
use summary::Summary;
use trajectories::Recorder;

/// What is written last.
const SUMMARY: &str = "sample.json";

pub(super) fn run(mut args: Args) -> Result<()> {
    let config = args.config()?;
    if let Some(folder) = &args.resume {
        refuse_another(folder, &config)?;
        if is_complete(folder, SUMMARY, args.json)? {
            // of a program that was killed in between
            saved::clear(folder);
            return Ok(());
        }
    }
    let subject = args.subject()?;
    let plan = args.plan(&subject)?;
    let start = args.starting_points(&subject, replicas(&plan))?;
    let (flags, endurance) = (args.engine.clone(), args.endurance.clone());
    if let Some(doubt) = subject.doubt.as_ref().filter(|_| !args.quiet) {
        // before the hours that it is about
        notice!("warning: {doubt}");
    }
    let mut engine = Enduring::open(&flags, &endurance, args.quiet)?;
    let summary =
        engine.during(|engine, losses| carried_out(&mut args, &config, &subject, &plan, &start, engine, losses))?;
    if !args.quiet {
        let others = summary.warnings.iter().filter(|w| Some(*w) != subject.doubt.as_ref());
        others.for_each(|w| notice!("warning: {w}"));
    }
    if args.json { super::print_json(&summary) } else { super::print_line(&summary.to_string()) }
}

/// All chains from the start, or from where they were left. Once there is a folder, the same again goes on with what lies
/// there.
fn carried_out(
    args: &mut Args,
    config: &str,
    subject: &Subject,
    plan: &SamplingPlan<'_>,
    start: &Points,
    engine: &dyn Engine,
    losses: &[String],
) -> Result<Summary> {
    // what does not fit the device is refused before anything is written
    let first = &plan.stages[0];
    let mut chains = engine.chains(first.landscape, &first.transition, start, plan.seed)?;
    if plan.draws() > 0 {
        chains.watch(plan.draws() as usize)?;
    }
    drop(chains);
    if engine.name() == "gpu" && !args.endurance.no_check {
        startup::chains(engine, first.landscape, &first.transition, start, plan.seed)?;
    }
    let (folder, saving, left) = args.place(subject, plan, engine)?;
    args.resume = Some(folder.path().to_path_buf());
    let args = &*args;
    folder.write("config.toml", config)?;
    interrupt::advise(|| format!("`ebm-gpu sample --resume {}` goes on", folder.path().display()));
    let (state, tables) = left.map_or((None, None), |(state, tables)| (Some(state), Some(tables)));
    let mut listener = Listener::new(args, plan, subject, &folder, saving, state.as_ref().zip(tables))?;
    // what becomes of chains that are done is written although someone wants the program to end: the chains are not kept
    interrupt::heed(|| {
        let sampled = plan.resume(engine, start, state, &mut listener)?;
        let (recorder, saving) = listener.finish()?;
        let samples = subject.transform.output(&sampled.positions);
        write_npy_samples(&folder.file("samples.npy"), &samples, subject.transform.is_identity())?;
        folder.write("moments.jsonl", &summary::moment_lines(&sampled.moments, subject)?)?;
        figure::draw(&folder, engine, subject, plan, &samples)?;
        if let Some(recorder) = &recorder {
            let spinner = progress::spinner("drawing the chains on their way", args.quiet);
            trajectories::draw(&folder, engine, subject, plan, recorder)?;
            spinner.finish_and_clear();
        }
        let mut summary = Summary::new(args, subject, plan, engine, &sampled, &samples, &folder)?;
        summary.warnings.extend_from_slice(losses);
        summary.warnings.extend(subject.doubt.clone());
        page::write(&folder, &summary)?;
        folder.write_json(SUMMARY, &summary)?;
        saving.end();
        Ok(summary)
    })
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
    saving: Saving,
    subject: &'a Subject,
}

impl<'a> Listener<'a> {
    /// Before the first step, or where the run was `left`.
    fn new(
        args: &Args,
        plan: &SamplingPlan<'_>,
        subject: &'a Subject,
        folder: &Folder,
        saving: Saving,
        left: Option<(&SamplingState, Tables)>,
    ) -> Result<Self> {
        let bar = progress::bar("chains", plan.all_steps(), args.quiet);
        let (path, shape, all) = (folder.file("draws.npy"), [args.chains, subject.dim()], plan.draws() as usize);
        let stream = || match &left {
            Some((state, _)) if state.draws() > 0 => NpyStream::resume(&path, shape, all, state.draws()),
            _ => NpyStream::create(&path, shape, all),
        };
        let draws = args.draws.then(stream).transpose()?;
        let mut recorder = args.trajectories.map(|paths| Recorder::new(paths, args.chains, &plan.frames));
        if let Some((recorder, (_, tables))) = recorder.as_mut().zip(left) {
            recorder.restore(&tables, subject.dim())?;
        }
        Ok(Self { bar, draws, recorder, saving, subject })
    }

    fn finish(self) -> Result<(Option<Recorder>, Saving)> {
        self.bar.finish_and_clear();
        self.draws.map_or(Ok(()), NpyStream::finish)?;
        Ok((self.recorder, self.saving))
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

    fn wants_state(&self) -> bool {
        self.saving.is_due()
    }

    fn state(&mut self, state: &SamplingState) -> Result<()> {
        // the draws first: a state that counts draws which are not there would be none
        self.draws.as_mut().map_or(Ok(()), NpyStream::keep)?;
        self.saving.save(state, &self.recorder.as_ref().map_or(Vec::new(), Recorder::tables))
    }
}
