//! `--resume DIR`: whether what lies in a folder can be gone on with.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::files::cannot_write;

use super::config::differences;

/// Flags that say where work is done and how it is watched over, not what it is; another device is warned of.
const FREE: &[&str] =
    &["adapter", "checkpoint-every", "engine", "fallback", "keep", "max-submit-ms", "no-check", "save-every"];

/// Renames a file that this program cannot go on from, and says so. Nothing takes it for where work stands then, and it is not
/// thrown away either: it may be all that is left.
pub(super) fn set_aside(path: &Path) -> Result<String> {
    let aside = path.with_extension("safetensors.left-out");
    std::fs::rename(path, &aside).map_err(|e| cannot_write(&aside, &e))?;
    Ok(format!("{} is cut short or changed, so it is left out; it is {} now", path.display(), aside.display()))
}

/// The flags that the work in a folder was begun with, as config.toml has them.
///
/// # Errors
/// Nothing was begun there, or the file cannot be read.
pub(super) fn begun_with(folder: &Path) -> Result<String> {
    let (path, name) = (folder.join("config.toml"), folder.display());
    std::fs::read_to_string(&path).map_err(|e| match e.kind() {
        ErrorKind::NotFound if is_comparison(folder) => {
            Error::input(format!("{name} is the folder of a comparison, which is not gone on with by --resume"))
                .hint("the same `ebm-gpu compare` command again goes on")
        }
        ErrorKind::NotFound if folder.is_dir() => {
            Error::input(format!("nothing was begun in {name}: it has no config.toml"))
                .hint("begin anew, with --out FOLDER in place of --resume")
        }
        ErrorKind::NotFound => Error::input(format!("nothing was begun in {name}: there is no such folder")),
        _ => Error::input(format!("cannot read the configuration {}: {e}", path.display())),
    })
}

/// Whether the runs of a comparison lie in the folder, complete or not: DATA/LOSS/seed-0, ...
fn is_comparison(folder: &Path) -> bool {
    let inside = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    inside(folder.to_path_buf()).flat_map(inside).any(|loss| loss.join("seed-0").is_dir())
}

/// Refuses flags (as config.toml has them) that make other work than that in the folder.
pub(super) fn refuse_another(folder: &Path, config: &str) -> Result<()> {
    let there = begun_with(folder)?;
    let mut others = differences(&there, config);
    others.retain(|(key, _)| !FREE.contains(&key.as_str()));
    if others.is_empty() {
        return Ok(());
    }
    let all: Vec<String> = others.into_iter().map(|(_, sentence)| sentence).collect();
    Err(Error::input(format!("--resume goes on with what {} was begun with: {}", folder.display(), all.join("; ")))
        .hint("leave the flag out, or begin anew without --resume"))
}

/// If the folder has the file that is written last, says that there is nothing to go on with.
pub(super) fn is_complete(folder: &Path, last: &str, json: bool) -> Result<bool> {
    let path = folder.join(last);
    if !path.exists() {
        return Ok(false);
    }
    let wrong = |e: &dyn std::fmt::Display| {
        Error::input(format!("cannot read {}: {e}", path.display())).hint("remove it, and --resume makes it again")
    };
    let text = std::fs::read_to_string(&path).map_err(|e| wrong(&e))?;
    let summary: serde_json::Value = serde_json::from_str(&text).map_err(|e| wrong(&e))?;
    if json {
        super::print_json(&summary)?;
    } else {
        super::print_line(&format!("results   {}  (complete already)", folder.display()))?;
    }
    Ok(true)
}

/// What made a state, beside the flags.
pub(super) struct Origin {
    /// What tells the files that were read from others.
    input: String,
    device: String,
}

const KEYS: [&str; 3] = ["input", "device", "version"];

impl Origin {
    /// That of this program on this engine, which has read `input`.
    pub(super) fn new(input: String, engine: &dyn Engine) -> Self {
        Self { input, device: format!("{} ({})", engine.name(), engine.arithmetic()) }
    }

    /// As the metadata of a file hold it.
    pub(super) fn metadata(&self) -> [(&'static str, String); 3] {
        let [input, device, version] = KEYS;
        let own = env!("CARGO_PKG_VERSION").to_string();
        [(input, self.input.clone()), (device, self.device.clone()), (version, own)]
    }

    /// Refuses to go on from the file `path` with other `input`, named so, or another version of the program; a warning if it
    /// is on another device.
    pub(super) fn check(&self, path: &Path, metadata: &HashMap<String, String>, input: &str) -> Result<Option<String>> {
        let [was_input, was_device, was_version] = KEYS.map(|key| metadata.get(key).map_or("unknown", String::as_str));
        let (name, version) = (path.display(), env!("CARGO_PKG_VERSION"));
        if was_input != self.input {
            let is = &self.input;
            return Err(Error::input(format!(
                "{input} has changed since {name} was written: {was_input} then, {is} now"
            ))
            .hint("begin anew without --resume, or bring back what there was"));
        }
        if was_version != version {
            return Err(Error::input(format!("{name} is of ebm-gpu {was_version}, this is {version}"))
                .hint("begin anew without --resume, or go on with that version"));
        }
        let is = &self.device;
        Ok((was_device != is).then(|| {
            format!(
                "{name} was written on {was_device}, and this is {is}: the last digits will not be those of one device"
            )
        }))
    }
}
