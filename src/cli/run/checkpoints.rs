//! The checkpoints of a run: the last ones, the best, and what tells whether a run can go on from one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ebm_gpu::data::Standardizer;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::model::{MlpSpec, Model, write_checkpoint};
use ebm_gpu::objective::Objective;
use ebm_gpu::train::{Best, Progress, read_progress, write_progress};

use super::super::dataset::DataArgs;
use super::super::output::Folder;
use super::super::resume::{Origin, set_aside};
use super::args::Plan;
use super::rollback::Rollbacks;

/// The folder in that of the run.
const FOLDER: &str = "checkpoints";
/// The network that has been best on held-out points, where they are watched.
const BEST: &str = "best.safetensors";

/// A checkpoint that a run can go on from.
pub(super) struct Saved {
    pub(super) progress: Progress,
    pub(super) metadata: HashMap<String, String>,
    spec: MlpSpec,
    path: PathBuf,
}

impl Saved {
    /// The newest checkpoint in the folder of a run that is whole, and warnings of those that are not: these get another name.
    ///
    /// # Errors
    /// The folder or a checkpoint cannot be read: that there is none would not follow.
    pub(super) fn newest(folder: &Folder) -> Result<(Option<Self>, Vec<String>)> {
        let mut warnings = Vec::new();
        for (_, path) in steps(&folder.file(FOLDER))?.into_iter().rev() {
            match read_progress(&path)? {
                Some((progress, spec, metadata)) => {
                    return Ok((Some(Self { progress, metadata, spec, path }), warnings));
                }
                None => warnings.push(set_aside(&path)?),
            }
        }
        Ok((None, warnings))
    }

    /// Removes it.
    pub(super) fn discard(self) {
        // one that stays is gone to once more
        drop(std::fs::remove_file(self.path));
    }

    /// Refuses to go on with other data, named so, or another program; a warning if it is on another device.
    pub(super) fn check(&self, plan: &Plan, origin: &Origin, data: &str) -> Result<Option<String>> {
        let warning = origin.check(&self.path, &self.metadata, data)?;
        let (name, was, is) = (self.path.display(), &self.spec, &plan.spec);
        if was != is {
            return Err(Error::input(format!("{name} is of a {was} network, the run of a {is} network")));
        }
        let (step, steps) = (self.progress.state.step, plan.training.steps);
        if step > steps {
            return Err(Error::input(format!("{name} is of step {step}, the run has {steps}")));
        }
        Ok(warning)
    }
}

/// Writes checkpoints and removes those that are not kept.
pub(super) struct Checkpoints<'a> {
    path: PathBuf,
    keep: u64,
    plan: &'a Plan,
    origin: &'a Origin,
    rollbacks: &'a Rollbacks,
    best: Option<Best>,
}

impl<'a> Checkpoints<'a> {
    /// The key of the metadata that holds what was said of the log's last line.
    pub(super) const SAID: &'static str = "metrics_line";

    pub(super) fn new(
        folder: &Folder,
        keep: u64,
        plan: &'a Plan,
        origin: &'a Origin,
        rollbacks: &'a Rollbacks,
    ) -> Result<Self> {
        Ok(Self { path: folder.subfolder(FOLDER)?, keep, plan, origin, rollbacks, best: None })
    }

    /// Where they lie.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one with what was `said` of the log's last line, and the best network if it is another than before.
    pub(super) fn write(&mut self, progress: &Progress, model: &Model, said: String) -> Result<()> {
        let step = progress.state.step;
        let own = self.origin.metadata().into_iter().chain([(Self::SAID, said), self.rollbacks.metadata()?]);
        let extra: Vec<_> = metadata(self.plan, step).into_iter().chain(own).collect();
        // the best first: a run that is killed behind its last checkpoint writes none any more
        self.write_best(progress, model)?;
        write_progress(&self.path.join(format!("step-{step:08}.safetensors")), model, progress, &extra)?;
        self.prune(step);
        Ok(())
    }

    /// Writes the best network if it is another than before.
    fn write_best(&mut self, progress: &Progress, model: &Model) -> Result<()> {
        if let Some((best, parameters)) = progress.looks.best.as_ref().filter(|(best, _)| self.best != Some(*best)) {
            let model = Model { spec: model.spec.clone(), parameters: parameters.clone() };
            write_checkpoint(&self.path.join(BEST), &model, &metadata(self.plan, best.step))?;
            self.best = Some(*best);
        }
        Ok(())
    }

    /// Removes all but the last ones up to `step`, and what a killed program was writing.
    pub(super) fn prune(&self, step: u64) {
        // in a folder that cannot be listed, all stay
        let (Ok(all), Ok(files)) = (steps(&self.path), files(&self.path)) else { return };
        let (kept, beyond): (Vec<_>, Vec<_>) = all.into_iter().partition(|(of, _)| *of <= step);
        let old = kept.into_iter().rev().skip(self.keep as usize).chain(beyond).map(|(_, path)| path);
        let half_written = files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "part"));
        for path in old.chain(half_written) {
            // one too many does no harm
            drop(std::fs::remove_file(path));
        }
    }
}

/// The checkpoints of a folder with their steps, the oldest first.
fn steps(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let with_step = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.strip_prefix("step-")?.strip_suffix(".safetensors")?;
        Some((name.parse().ok()?, path))
    };
    let mut all: Vec<(u64, PathBuf)> = files(folder)?.into_iter().filter_map(with_step).collect();
    all.sort();
    Ok(all)
}

/// The files of a folder; none if there is no folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = |e: std::io::Error| Error::failed(format!("cannot list the folder {}: {e}", folder.display()));
    match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(cannot(e)),
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path()).map_err(cannot)).collect(),
    }
}

/// What a checkpoint says beside the network's shape.
pub(super) fn metadata(plan: &Plan, step: u64) -> Vec<(&'static str, String)> {
    let list = |values: &[f64]| format!("{values:?}");
    // where chains start
    let data = Standardizer::fit(&plan.data.train);
    let sigma = plan.training.objective.smoothing();
    let level = (sigma > 0.0).then(|| ("sigma", sigma.to_string()));
    let ladder = match &plan.training.objective {
        Objective::Denoising(denoising) => Some(("ladder", list(denoising.ladder.levels()))),
        _ => None,
    };
    let noise = match &plan.training.objective {
        Objective::Nce(nce) => {
            vec![("noise_mean", list(nce.noise.origin())), ("noise_std", list(nce.noise.scale()))]
        }
        _ => Vec::new(),
    };
    let shared = [
        ("objective", plan.training.objective.formula()),
        ("step", step.to_string()),
        (DataArgs::KEY, plan.source.clone()),
        ("seed", plan.seed.0.to_string()),
        ("columns", plan.data.columns.join(",")),
        ("data_mean", list(&data.mean)),
        ("data_deviation", list(&data.scale)),
    ];
    let rows = plan.data.rows.into_iter().flat_map(|[rows, left_out]| {
        [("data_rows", (rows - left_out).to_string()), ("data_identity", plan.data.identity())]
    });
    let transform = plan.data.transform.metadata();
    let image = plan.data.image.zip(plan.data.range).map(|(shape, range)| {
        let sides = [shape.height, shape.width, shape.channels];
        [("image", format!("{sides:?}")), ("image_range", list(&range))]
    });
    shared
        .into_iter()
        .chain(rows)
        .chain(transform)
        .chain(image.into_iter().flatten())
        .chain(level)
        .chain(ladder)
        .chain(noise)
        .collect()
}
