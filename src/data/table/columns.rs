//! Columns chosen by name or by place.

use super::Part;
use crate::error::{Error, Result, nearest};
use std::path::Path;

/// The places of the chosen columns among `names`, all of them if none were chosen by name, without those that are dropped.
pub(super) fn choose(path: &Path, names: &[String], part: Part<'_>) -> Result<Vec<usize>> {
    let mut chosen = match part.columns {
        Some(columns) => places(path, names, columns)?,
        None => (0..names.len()).collect(),
    };
    let dropped = part.drop.map_or(Ok(Vec::new()), |drop| places(path, names, drop))?;
    if let Some(place) = dropped.iter().find(|place| !chosen.contains(place)) {
        let message = format!("column `{}` of {} is dropped, but was not chosen", names[*place], path.display());
        return Err(Error::input(message));
    }
    chosen.retain(|place| !dropped.contains(place));
    if chosen.is_empty() {
        return Err(Error::input(format!("all columns of {} are dropped", path.display())));
    }
    Ok(chosen)
}

/// The places of these columns.
fn places(path: &Path, names: &[String], columns: &[String]) -> Result<Vec<usize>> {
    if columns.is_empty() {
        return Err(Error::input(format!("no column of {} was chosen", path.display())));
    }
    let mut chosen: Vec<usize> = Vec::with_capacity(columns.len());
    for column in columns {
        let place = find(path, names, column)?;
        if chosen.contains(&place) {
            return Err(Error::input(format!("column `{}` of {} was chosen twice", names[place], path.display())));
        }
        chosen.push(place);
    }
    Ok(chosen)
}

/// The place of the column called `column`, or numbered so; names are without white space around them, as in files.
fn find(path: &Path, names: &[String], column: &str) -> Result<usize> {
    let column = column.trim();
    let named: Vec<usize> = (0..names.len()).filter(|i| names[*i] == column).collect();
    match (named.as_slice(), column.parse::<usize>()) {
        ([place], _) => Ok(*place),
        ([first, second, ..], _) => {
            let message = format!("columns {first} and {second} of {} are both called `{column}`", path.display());
            Err(Error::input(message).hint("choose by number, counted from 0"))
        }
        ([], Ok(place)) if place < names.len() => Ok(place),
        ([], parsed) => {
            let (count, all) = (names.len(), listing(names));
            let message = match parsed {
                Ok(_) => format!("there is no column {column} in {}: it has {count}, counted from 0", path.display()),
                Err(_) => format!("there is no column `{column}` in {}", path.display()),
            };
            if names.iter().any(|name| name.contains(',') && name.split(',').any(|part| part.trim() == column)) {
                return Err(
                    Error::input(message).hint("a name with a comma in it is chosen by its number, counted from 0")
                );
            }
            Err(Error::input(message).hint(match nearest(column, names.iter().map(String::as_str)) {
                Some(name) => format!("did you mean `{name}`? The columns are: {all}"),
                None => format!("the columns are: {all}"),
            }))
        }
    }
}

/// The names for a hint, cut after twenty.
fn listing(names: &[String]) -> String {
    let shown = names.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 20 { format!("{shown}, ... ({} in all)", names.len()) } else { shown }
}
