//! What a model is judged on: the data that it was trained on, or others, in its units, and the noise level that they are seen
//! at.

use std::collections::HashMap;
use std::path::Path;

use ebm_gpu::data::{Dataset, Transform};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::model::{Conditioning, Model};
use ebm_gpu::random::Seed;

use super::Args;
use crate::cli::dataset::{Chosen, DataArgs};

/// The standard deviation that the data are smoothed by and that the network sees, if it sees one.
pub(super) fn noise_level(args: &Args, model: &Model, metadata: &HashMap<String, String>) -> Result<f64> {
    let trained = metadata.get("sigma").and_then(|s| s.parse().ok());
    match args.sigma.or(trained) {
        Some(sigma) if sigma == 0.0 || (1e-6..=1e6).contains(&sigma) => Ok(sigma),
        Some(sigma) => Err(Error::input(format!("sigma is {sigma}, it has to be from 1e-6 to 1e6, or 0"))),
        None if model.spec.conditioning() != Conditioning::None => {
            let path = args.checkpoint.display();
            Err(Error::input(format!("{path} sees a noise level and names none")).hint("--sigma S"))
        }
        None => Ok(0.0),
    }
}

/// The data in the units of the network, and which of its points are evaluated.
pub(super) fn data(
    args: &Args,
    path: &Path,
    model: &Model,
    metadata: &HashMap<String, String>,
    [trained_with, seed]: [u64; 2],
) -> Result<(Dataset, String)> {
    let transform = Transform::from_metadata(metadata, model.spec.dim(), path)?;
    let trained_on = DataArgs::of_checkpoint(metadata);
    let (columns, drop, array) = (args.columns.as_deref(), args.drop.as_deref(), args.array.as_deref());
    let part = Chosen { columns, drop, header: args.header, drop_missing: args.drop_missing, array };
    let part_is_own = columns.is_none() && drop.is_none() && array.is_none() && !args.header && !args.drop_missing;
    let own = trained_on.filter(|flags| args.data.as_ref().is_none_or(|data| same_source(data, &flags.data)));
    let is_moved =
        own.as_ref().is_some_and(|own| args.data.is_some() && !own.is_law() && !Path::new(&own.data).exists());
    let (flags, is_own) = match (own, &args.data) {
        (Some(flags), data) => {
            let place = data.clone().unwrap_or_else(|| flags.data.clone());
            (flags.with_part(part).with_points(args.points).at(place), true)
        }
        (None, Some(data)) => (DataArgs::raw(data, part, args.points, &transform), false),
        (None, None) => {
            return Err(Error::input(format!("{} does not say what it was trained on", path.display()))
                .hint("--data NAME or FILE"));
        }
    };
    flags.check()?;
    let by_name = (!is_own && !flags.is_law() && part.columns.is_none() && part.drop.is_none())
        .then(|| metadata.get("columns").map(|names| names.split(',').map(str::to_string).collect::<Vec<_>>()))
        .flatten()
        .and_then(|names| {
            let named = Chosen { columns: Some(&names), ..part };
            let flags = DataArgs::raw(&flags.data, named, args.points, &transform);
            flags.load(Seed(seed)).ok().map(|data| (flags, data))
        });
    let rows_by = Seed(if is_own && !flags.is_law() { trained_with } else { seed });
    let (flags, mut data) = match by_name {
        Some(found) => found,
        None => {
            let is_lost = is_own && !flags.is_law() && !Path::new(&flags.data).exists();
            let data = flags.load(rows_by).map_err(|e| match is_lost {
                true => {
                    e.hint("the model was trained on it, from another folder perhaps: --data PATH says where it is")
                }
                false => e,
            })?;
            (flags, data)
        }
    };
    if data.dim() != model.spec.dim() {
        return Err(Error::input(format!(
            "{} has {} columns, the model was trained on {}",
            flags.data,
            data.dim(),
            model.spec.dim()
        ))
        .hint(if flags.is_law() {
            "a law or file of as many coordinates"
        } else {
            "--columns A,B,.. or --drop A,B,.."
        }));
    }
    if transform.logit.is_some() && !is_own && !flags.is_law() {
        // read again, now that its columns are known to be the model's
        data = flags.clone().within(&transform).load(rows_by)?;
    }
    let identity = data.identity();
    let data = data.restated(transform)?;
    if flags.is_law() {
        let unknown =
            if data.law.is_some() { "" } else { ", whose density is not used as the model sees them transformed" };
        return Ok((data, format!("points of the law that training has not seen{unknown}")));
    }
    // which rows are kept depends on how many there are
    let kept = data.rows.map(|[rows, left_out]| (rows - left_out).to_string());
    let trained = metadata.get("data_rows").filter(|trained| is_own && kept.as_ref() != Some(trained));
    if let Some((trained, kept)) = trained.zip(kept) {
        let changed = format!("{} has {kept} now, it had {trained} when the model was trained on it", flags.data);
        return Ok((data.all_held_out(), format!("every row: {changed}")));
    }
    // which they are depends on their order, and of other columns than in training nothing is known
    let as_trained = is_own && part_is_own;
    if metadata.get("data_identity").is_some_and(|trained| as_trained && *trained != identity) {
        let changed =
            format!("{} has other numbers or another order than when the model was trained on it", flags.data);
        return Ok((data.all_held_out(), format!("every row: {changed}")));
    }
    if is_own && !args.all {
        let by_name = match is_moved {
            true => format!(" ({} is taken for the file that it was trained on, by its name)", flags.data),
            false => String::new(),
        };
        return Ok((data, format!("the rows kept for testing by seed {trained_with}{by_name}")));
    }
    Ok((data.all_held_out(), "every row".into()))
}

/// Whether a name is of the law or file that a model was trained on: a file of that name where it was, or, if there is none seen
/// from here, in folders that are called so.
fn same_source(name: &str, trained_on: &str) -> bool {
    let place = |name: &str| std::fs::canonicalize(name).ok();
    let below = trained_on.trim_start_matches("./");
    name == trained_on
        || place(name).is_some_and(|here| match place(trained_on) {
            Some(there) => here == there,
            None => !ebm_gpu::data::toy::NAMES.contains(&below) && !below.is_empty() && here.ends_with(below),
        })
}

/// A warning where the held-out points lie nowhere near those that a model's transform was fitted to, whose root mean square is
/// 1 in the model's units.
pub(super) fn another_unit(data: &Dataset) -> Option<String> {
    const FAR: f64 = 30.0;
    if data.transform.linear == Transform::identity(data.dim()).linear {
        return None;
    }
    let values = data.test.values();
    let size = (values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64).sqrt();
    (size > FAR).then(|| {
        format!(
            "the root mean square of these points is {size:.0} in the model's units, that of its training data 1: are \
             they in another unit (images of .png and .idx files run from 0 to 1)?"
        )
    })
}
