//! Where chains were left, as a file in the folder of the results until these are complete.

use std::path::{Path, PathBuf};

use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::files::{cannot_write, moment};
use ebm_gpu::points::Points;
use ebm_gpu::sample::{SamplingPlan, SamplingState, read_sampling, write_sampling};

use super::super::autosave::Autosave;
use super::super::output::Folder;
use super::super::resume::{Origin, set_aside};
use super::args::Args;
use super::subject::Subject;
use super::trajectories::Recorder;
use crate::cli::notice::notice;

/// The file, and what it was before.
const FILE: &str = "state.safetensors";
const BEFORE: &str = "state-before.safetensors";
/// All that is there only until the results are complete: these, what is on the way to them, and what was spoilt.
pub(in crate::cli) const PASSING: &[&str] = &[
    FILE,
    BEFORE,
    "state.safetensors.part",
    "state.safetensors.before",
    "state.safetensors.left-out",
    "state-before.safetensors.left-out",
];

/// What is kept of the chains on their way, in the order of [`Recorder::TABLES`].
pub(super) type Tables = Vec<Option<Points>>;

/// Where chains were left.
pub(super) type Left = (SamplingState, Tables);

/// Saves where the chains stand.
pub(super) struct Saving {
    path: PathBuf,
    autosave: Autosave,
    origin: Origin,
    /// Steps of each chain.
    steps: u64,
}

impl Saving {
    pub(super) fn is_due(&self) -> bool {
        self.autosave.is_due()
    }

    pub(super) fn save(&mut self, state: &SamplingState, tables: &[(&str, Points)]) -> Result<()> {
        let (path, origin) = (&self.path, &self.origin);
        let standing =
            format!("after step {} of {}, which is saved in {}", state.chains.step, self.steps, path.display());
        self.autosave.save(&standing, || {
            // another name for the one that is there, which outlives its replacement; some disks have no second names
            let linked = path.with_extension("safetensors.before");
            // of a program that was killed between these two
            drop(std::fs::remove_file(&linked));
            if std::fs::hard_link(path, &linked).is_ok() {
                moment();
                drop(std::fs::rename(linked, path.with_file_name(BEFORE)));
            }
            write_sampling(path, state, tables, &origin.metadata())
        })
    }

    /// Removes the files, once everything else is there, and what a killed program was writing of them.
    pub(super) fn end(self) {
        clear(self.path.parent().unwrap_or(Path::new("")));
    }
}

/// Removes what was saved in a folder whose results are complete.
pub(super) fn clear(folder: &Path) {
    for name in PASSING {
        // often there is none, and one too many does no harm
        drop(std::fs::remove_file(folder.join(name)));
    }
}

impl Args {
    /// What config.toml holds.
    pub(super) fn config(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::failed(format!("cannot write config.toml: {e}")))
    }

    /// The folder of the results, what saves into it, and where the chains were left, if they were.
    pub(super) fn place(
        &self,
        subject: &Subject,
        plan: &SamplingPlan<'_>,
        engine: &dyn Engine,
    ) -> Result<(Folder, Saving, Option<Left>)> {
        let origin = Origin::new(self.files()?, engine);
        let interval = self.endurance.interval()?;
        let saving = |folder: &Folder| Saving {
            path: folder.file(FILE),
            autosave: Autosave::new(interval),
            origin,
            steps: plan.all_steps(),
        };
        let Some(path) = &self.resume else {
            let default = Path::new("results").join(format!("sample-{}", subject.name));
            let start = self.start.as_ref().map(PathBuf::from);
            let inputs: Vec<&Path> =
                [&self.checkpoint, &self.covariance, &start].into_iter().flatten().map(PathBuf::as_path).collect();
            let folder = Folder::create(self.out.as_deref().unwrap_or(&default), self.force, &inputs, self.quiet)?;
            let saving = saving(&folder);
            return Ok((folder, saving, None));
        };
        let folder = Folder::of_run(path)?;
        let saving = saving(&folder);
        let (mut warnings, mut left) = (Vec::new(), None);
        for file in [FILE, BEFORE].map(|name| folder.file(name)).into_iter().filter(|file| file.exists()) {
            match read_sampling(&file, Recorder::TABLES)? {
                Some((state, tables, metadata)) => {
                    // the only one that is whole is the one to be kept
                    let path = &saving.path;
                    if file != *path {
                        std::fs::rename(&file, path).map_err(|e| cannot_write(path, &e))?;
                    }
                    warnings.extend(saving.origin.check(&file, &metadata, "what the chains run on")?);
                    left = Some((state, tables));
                    break;
                }
                None => warnings.push(set_aside(&file)?),
            }
        }
        if left.is_none() {
            warnings.push(format!("{} has no whole state to go on from, so the chains start over", path.display()));
        }
        if !self.quiet {
            warnings.iter().for_each(|warning| notice!("warning: {warning}"));
            if let Some((state, _)) = &left {
                notice!("the chains go on after step {} of {}", state.chains.step, plan.all_steps());
            }
        }
        Ok((folder, saving, left))
    }

    /// What tells the files that are read from others: a checksum of their bytes.
    fn files(&self) -> Result<String> {
        let start = self.start.as_ref().map(PathBuf::from).filter(|path| path.is_file());
        let mut crc = flate2::Crc::new();
        for path in [&self.checkpoint, &self.covariance, &start].into_iter().flatten() {
            let inside = path.join("model.safetensors");
            let path = if path.is_dir() { &inside } else { path };
            let bytes =
                std::fs::read(path).map_err(|e| Error::input(format!("cannot read {}: {e}", path.display())))?;
            crc.update(&bytes);
        }
        Ok(format!("{} bytes with checksum {:08x}", crc.amount(), crc.sum()))
    }
}
