//! Where a run goes, and what it goes on from.

use std::path::{Path, PathBuf};

use ebm_gpu::error::Result;

use super::super::output::Folder;
use super::args::{Args, Plan};
use super::checkpoints::Saved;
use crate::cli::notice::notice;

/// The folder of the run, and what it goes on from, if anything.
pub(super) fn place(args: &Args, plan: &Plan) -> Result<(Folder, Option<Saved>)> {
    let Some(path) = &args.resume else {
        let default = PathBuf::from("results").join(format!("{}-{}", args.objective.loss, plan.data.name));
        let out = args.out.as_deref().unwrap_or(&default);
        return Ok((Folder::create(out, args.force, &[Path::new(&args.source.data)], args.quiet)?, None));
    };
    let folder = Folder::of_run(path)?;
    let (saved, mut notes) = Saved::newest(&folder)?;
    if saved.is_none() {
        notes.push(format!("{} has no checkpoint to go on from, so the run starts over", path.display()));
    }
    if !args.quiet {
        notes.iter().for_each(|note| notice!("warning: {note}"));
        if let Some(saved) = &saved {
            notice!("training goes on after step {} of {}", saved.progress.state.step, plan.training.steps);
        }
    }
    Ok((folder, saved))
}
