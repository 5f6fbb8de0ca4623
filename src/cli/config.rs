//! `--config FILE`: a TOML file of flags. Its entries become arguments that stand before the given ones, so that the
//! parser checks them like any others and what is given on the command line wins.

use std::ffi::OsString;
use std::path::Path;

use ebm_gpu::error::{Error, Result};

/// Puts the entries of the file that `--config` names behind the subcommand's name.
pub(super) fn expand(args: Vec<OsString>) -> Result<Vec<OsString>> {
    let Some(path) = named_file(&args) else { return Ok(args) };
    let name = path.to_string_lossy().into_owned();
    let text = std::fs::read_to_string(Path::new(&path))
        .map_err(|e| Error::input(format!("cannot read the configuration {name}: {e}")))?;
    let table: toml::Table = toml::from_str(&text).map_err(|e| {
        let reason = e.message().to_string();
        let line = e.span().map_or(1, |s| 1 + text[..s.start].matches('\n').count());
        Error::input(format!("line {line} of {name} is not TOML: {reason}"))
    })?;
    let mut flags = Vec::new();
    for (key, value) in &table {
        flags.extend(flag(key, value).ok_or_else(|| {
            Error::input(format!("`{key}` in {name} is a table, flags are numbers, text or true and false"))
        })?);
    }
    let at = args.len().min(2);
    Ok([&args[..at], &flags, &args[at..]].concat())
}

fn named_file(args: &[OsString]) -> Option<OsString> {
    let at = args.iter().position(|a| a == "--config" || a.to_string_lossy().starts_with("--config="))?;
    match args[at].to_string_lossy().strip_prefix("--config=") {
        Some(path) => Some(path.into()),
        None => args.get(at + 1).cloned(),
    }
}

/// `key = value` as an argument; nothing for `false`, `None` for what no flag takes.
fn flag(key: &str, value: &toml::Value) -> Option<Vec<OsString>> {
    let text = match value {
        toml::Value::Boolean(true) => return Some(vec![format!("--{key}").into()]),
        toml::Value::Boolean(false) => return Some(Vec::new()),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Option<Vec<_>>>()?.join(","),
        other => plain(other)?,
    };
    Some(vec![format!("--{key}={text}").into()])
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}
