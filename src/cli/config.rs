//! `--config FILE`: a TOML file of flags. Its entries become arguments, so that the parser checks them like any others; what
//! is given on the command line wins. `--resume DIR` takes the file that the run in the folder was begun with.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use ebm_gpu::error::{Error, Result, nearest};

use super::resume::begun_with;

/// Puts the entries of the file that `--config` names behind the subcommand's name.
pub(super) fn expand(args: Vec<OsString>) -> Result<Vec<OsString>> {
    let Some(path) = named_file(&args) else { return Ok(args) };
    let name = path.display().to_string();
    let text = match value(&args, "--resume") {
        Some(folder) if value(&args, "--config").is_none() => begun_with(&folder)?,
        _ => std::fs::read_to_string(&path)
            .map_err(|e| Error::input(format!("cannot read the configuration {name}: {e}")))?,
    };
    let table: toml::Table = toml::from_str(&text).map_err(|e| {
        let reason = e.message().to_string();
        let line = e.span().map_or(1, |s| 1 + text[..s.start].matches('\n').count());
        Error::input(format!("line {line} of {name} is not TOML: {reason}"))
    })?;
    let (start, given) = args.split_at(args.len().min(2));
    let command = super::command();
    let sub = start.get(1).and_then(|name| command.find_subcommand(name));
    let is_positional = |key: &str| sub.is_some_and(|sub| sub.get_positionals().any(|arg| arg.get_id() == key));
    let mut flags = Vec::new();
    for (key, value) in &table {
        let args = match value {
            toml::Value::String(text) if is_positional(key) => Some(vec![text.into()]),
            _ => flag(key, value).filter(|_| key != "config"),
        };
        let args = args.ok_or_else(|| {
            Error::input(format!("`{key}` in {name} is no flag: flags are numbers, text, lists, or true and false"))
        })?;
        flags.push((key.as_str(), args));
    }
    check(start, &flags, &name)?;
    // another engine has no use for the adapter of the one before
    let is_replaced = |key: &str| is_given(key, given) || (key == "adapter" && is_given("engine", given));
    let kept = flags.into_iter().filter(|(key, _)| !is_replaced(key)).flat_map(|(_, args)| args);
    Ok(start.iter().cloned().chain(kept).chain(given.iter().cloned()).collect())
}

/// Parses the file's flags alone, so that what is wrong with them is said of the file.
fn check(start: &[OsString], flags: &[(&str, Vec<OsString>)], name: &str) -> Result<()> {
    let command = super::command();
    let Some(sub) = start.get(1).and_then(|s| command.find_subcommand(s)) else { return Ok(()) };
    let positional = sub.get_positionals().map(|arg| arg.get_id().as_str());
    let known: Vec<&str> = sub.get_arguments().filter_map(clap::Arg::get_long).chain(positional).collect();
    if let Some((key, _)) = flags.iter().find(|(key, _)| !known.contains(key)) {
        let error = Error::input(format!("`{key}` in {name} is no flag of `{}`", sub.get_name()));
        return Err(match nearest(key, known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        });
    }
    let all = start.iter().chain(flags.iter().flat_map(|(_, args)| args));
    match super::command().try_get_matches_from(all) {
        Ok(_) => Ok(()),
        Err(e) => {
            let refused = super::refusal::restated(&e, sub.get_name()).unwrap_or_else(|| Error::input(e.to_string()));
            Err(Error::input(format!("{name}: {refused}")))
        }
    }
}

/// Is the flag, or the other way to say the same, on the command line?
fn is_given(key: &str, given: &[OsString]) -> bool {
    let names: &[&str] = match key {
        "net" | "hidden" => &["net", "hidden"],
        _ => &[key],
    };
    let flag = |arg: &OsString| {
        let arg = arg.to_string_lossy().into_owned();
        arg.strip_prefix("--").map(|a| a.split('=').next().unwrap_or_default().to_string())
    };
    given.iter().filter_map(flag).any(|arg| names.contains(&arg.as_str()))
}

fn named_file(args: &[OsString]) -> Option<PathBuf> {
    let of_run = || Some(value(args, "--resume")?.join("config.toml"));
    value(args, "--config").or_else(of_run)
}

/// The value of a flag.
fn value(args: &[OsString], flag: &str) -> Option<PathBuf> {
    let rest = |arg: &OsString| arg.to_string_lossy().strip_prefix(flag).map(str::to_string);
    let (at, rest) = args
        .iter()
        .enumerate()
        .find_map(|(i, arg)| Some((i, rest(arg).filter(|r| r.is_empty() || r.starts_with('='))?)))?;
    match rest.strip_prefix('=') {
        Some(path) => Some(path.into()),
        None => args.get(at + 1).map(PathBuf::from),
    }
}

/// In what two files of flags differ: the flag, and a sentence.
pub(super) fn differences(there: &str, here: &str) -> Vec<(String, String)> {
    let [there, here] = [there, here].map(|text| text.parse::<toml::Table>().unwrap_or_default());
    let text = |value: Option<&toml::Value>| value.map_or("not set".to_string(), toml::Value::to_string);
    let keys: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
    let differs = keys.into_iter().filter(|key| there.get(*key) != here.get(*key));
    let sentence = |key: &String| format!("{key} is {} there, {} here", text(there.get(key)), text(here.get(key)));
    differs.map(|key| (key.clone(), sentence(key))).collect()
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
