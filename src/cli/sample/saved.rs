//! Where chains were left, as a file in the folder of the results until these are complete.

use std::path::{Path, PathBuf};

use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::points::Points;
use ebm_gpu::sample::{SamplingPlan, SamplingState, read_sampling, write_sampling};

use super::super::autosave::Autosave;
use super::super::output::Folder;
use super::super::resume::Origin;
use super::args::Args;
use super::subject::Subject;
use super::trajectories::Recorder;
use crate::cli::notice::notice;

/// The file.
const FILE: &str = "state.safetensors";

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
        self.autosave.save(&standing, || write_sampling(path, state, tables, &origin.metadata()))
    }

    /// Removes the file, once everything else is there, and what a killed program was writing of it.
    pub(super) fn end(self) {
        // often there is none, and one too many does no harm
        drop(std::fs::remove_file(self.path.with_extension("safetensors.part")));
        drop(std::fs::remove_file(&self.path));
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
        let saving = |folder: &Folder| Saving {
            path: folder.file(FILE),
            autosave: Autosave::new(),
            origin,
            steps: plan.all_steps(),
        };
        let Some(path) = &self.resume else {
            let default = Path::new("results").join(format!("sample-{}", subject.name));
            let start = self.start.as_ref().map(PathBuf::from);
            let inputs: Vec<&Path> =
                [&self.checkpoint, &self.covariance, &start].into_iter().flatten().map(PathBuf::as_path).collect();
            let folder = Folder::create(self.out.as_deref().unwrap_or(&default), self.force, &inputs)?;
            let saving = saving(&folder);
            return Ok((folder, saving, None));
        };
        let folder = Folder::of_run(path)?;
        let saving = saving(&folder);
        let state = if saving.path.exists() { read_sampling(&saving.path, Recorder::TABLES)? } else { None };
        let warning = match &state {
            Some((_, _, metadata)) => saving.origin.check(&saving.path, metadata, "what the chains run on")?,
            None => Some(format!("{} has no whole state to go on from, so the chains start over", path.display())),
        };
        if let Some(warning) = warning.filter(|_| !self.quiet) {
            notice!("warning: {warning}");
        }
        Ok((folder, saving, state.map(|(state, tables, _)| (state, tables))))
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
