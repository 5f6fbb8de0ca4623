//! What `sample` samples from: a checkpoint or an analytic target.

use std::collections::HashMap;
use std::path::Path;

use ebm_gpu::data::npy::read_npy;
use ebm_gpu::data::{ImageShape, Transform};
use ebm_gpu::engine::Landscape;
use ebm_gpu::error::{Error, Result, unknown_name};
use ebm_gpu::model::{Conditioning, Model, metadata_list, read_checkpoint};
use ebm_gpu::objective::Ladder;
use ebm_gpu::target::Target;

use super::args::{Args, SAMPLERS};

/// What is sampled from, with everything that goes with it.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// From the original units to those of the landscape.
    pub(super) transform: Transform,
    /// Mean and standard deviation of the data in the units of the landscape.
    pub(super) data: Option<[Vec<f64>; 2]>,
    /// The standard deviation by which the model smooths them.
    pub(super) smoothing: f64,
    /// What a point is and the range of its values, if it is an image.
    pub(super) image: Option<(ImageShape, [f64; 2])>,
    /// What has to be told of the levels that were asked for.
    pub(super) doubt: Option<String>,
    /// The levels and the landscape at each, the largest first; one if it has none.
    pub(super) levels: Vec<(f64, Ground)>,
}

/// An owned landscape.
pub(super) enum Ground {
    Network(Model),
    Target(Target),
}

impl Ground {
    pub(super) fn landscape(&self) -> Landscape<'_> {
        match self {
            Self::Network(model) => model.into(),
            Self::Target(target) => target.into(),
        }
    }
}

impl Subject {
    pub(super) fn dim(&self) -> usize {
        self.columns.len()
    }

    /// The landscape at the last level.
    pub(super) fn last(&self) -> &Ground {
        &self.levels[self.levels.len() - 1].1
    }
}

/// Numbers joined by commas.
pub(super) fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(|s| s.trim().parse().ok()).collect()
}

/// A warning where a network that sees the noise level is asked for one beyond those that it was trained at.
pub(in crate::cli) fn untrained(
    metadata: &HashMap<String, String>,
    asked: &[f64],
    path: &Path,
) -> Result<Option<String>> {
    /// Beyond the ladder, this is still near it.
    const NEAR: f64 = 1.001;
    let Some(ladder) = metadata_list(metadata, "ladder", None, path)?.filter(|ladder| !ladder.is_empty()) else {
        return Ok(None);
    };
    let [low, high] =
        [ladder.iter().copied().fold(f64::INFINITY, f64::min), ladder.iter().copied().fold(0.0, f64::max)];
    let beyond = |sigma: &&f64| **sigma > high * NEAR || **sigma * NEAR < low;
    Ok(asked.iter().find(beyond).map(|sigma| {
        format!("the network was trained at noise levels from {low} to {high} and has never seen σ = {sigma}")
    }))
}

/// What the metadata of a checkpoint say of images of `dim` values.
fn image_of(metadata: &HashMap<String, String>, dim: usize, path: &Path) -> Result<Option<(ImageShape, [f64; 2])>> {
    let list = |key: &str, count: usize| metadata_list(metadata, key, Some(count), path);
    let image = list("image", 3)?.and_then(|sides| ImageShape::of(sides[0] as usize, sides[1] as usize, dim));
    Ok(image.zip(list("image_range", 2)?.map(|range| [range[0], range[1]]).filter(|[low, high]| low < high)))
}

impl Args {
    /// Reads the checkpoint or makes the target.
    pub(super) fn subject(&self) -> Result<Subject> {
        if let Some(name) = self.sampler.as_deref().filter(|name| !SAMPLERS.contains(name)) {
            return Err(unknown_name("sampler", name, SAMPLERS));
        }
        let ladder = self.ladder.as_deref().map(|text| Ladder::parse(text, 1.0, 0.1, 2)).transpose()?;
        match (&self.target, &self.checkpoint) {
            (Some(name), _) => self.target_subject(name, ladder),
            (None, Some(_)) if self.dim.is_some() || self.covariance.is_some() => {
                Err(Error::input("--dim and --covariance are for targets, a checkpoint has its own"))
            }
            (None, Some(path)) => self.model_subject(path, ladder),
            (None, None) => Err(Error::input("there is nothing to sample from").hint("a CHECKPOINT, or --target NAME")),
        }
    }

    fn target_subject(&self, name: &str, ladder: Option<Ladder>) -> Result<Subject> {
        if let Some(sigma) = self.sigma {
            return Err(Error::input(format!("--sigma {sigma} is for models that see a noise level"))
                .hint("--ladder anneals a target"));
        }
        let target = match &self.covariance {
            Some(_) if name != "gaussian" => {
                return Err(Error::input(format!("--covariance is for --target gaussian, not {name}")));
            }
            Some(path) => {
                let (shape, covariance) = read_npy(path)?;
                let [d, columns] = shape[..] else {
                    return Err(Error::input(format!(
                        "{} has shape {shape:?}, a covariance is [d, d]",
                        path.display()
                    )));
                };
                if d != columns || self.dim.is_some_and(|dim| dim != d) {
                    return Err(Error::input(format!("{} is {d} x {columns}", path.display()))
                        .hint("a covariance is square, and --dim is its size"));
                }
                Target::gaussian(vec![0.0; d], covariance)?
            }
            None => Target::by_name(name, self.dim)?,
        };
        let levels = match ladder {
            Some(ladder) => {
                let at = |sigma: &f64| Ok((*sigma, Ground::Target(target.smoothed(*sigma)?)));
                ladder.levels().iter().map(at).collect::<Result<Vec<_>>>()?
            }
            None => vec![(0.0, Ground::Target(target.clone()))],
        };
        let columns = (1..=target.dim()).map(|i| format!("x{i}")).collect();
        let transform = Transform::identity(target.dim());
        Ok(Subject {
            name: name.to_string(),
            columns,
            transform,
            data: None,
            smoothing: 0.0,
            image: None,
            doubt: None,
            levels,
        })
    }

    fn model_subject(&self, path: &Path, ladder: Option<Ladder>) -> Result<Subject> {
        let (model, metadata) = read_checkpoint(path)?;
        let d = model.spec.dim();
        let list = |key: &str, count: Option<usize>| metadata_list(&metadata, key, count, path);
        let transform = Transform::from_metadata(&metadata, d, path)?;
        let data = list("data_mean", Some(d))?
            .zip(list("data_deviation", Some(d))?)
            .map(|(mean, deviation)| [mean, deviation]);
        let names: Vec<String> =
            metadata.get("columns").map_or_else(Vec::new, |c| c.split(',').map(Into::into).collect());
        let columns = if names.len() == d { names } else { (1..=d).map(|i| format!("x{i}")).collect() };
        let trained = list("ladder", None)?.filter(|levels| levels.len() > 1);
        let sees = model.spec.conditioning() != Conditioning::None;
        // one network for all levels is annealed by its steps alone
        let anneals = sees || trained.is_some();
        let asked = ladder.map(|l| l.levels().to_vec());
        if asked.is_some() && !anneals {
            return Err(Error::input(format!(
                "{} does not see a noise level, so it cannot be annealed",
                path.display()
            ))
            .hint("train it with --loss mdsm --conditioning concat"));
        }
        let annealing = self.sampler.as_deref().is_none_or(|s| s == "annealed");
        let levels = match (asked.or(trained), self.sigma) {
            (Some(levels), None) if anneals && annealing => levels,
            (levels, sigma) if sees => {
                let smallest = levels.and_then(|l| l.last().copied());
                let stored = metadata.get("sigma").and_then(|s| s.parse().ok());
                vec![sigma.or(smallest).or(stored).ok_or_else(|| {
                    Error::input(format!("{} sees a noise level and names none", path.display())).hint("--sigma S")
                })?]
            }
            (_, Some(sigma)) => {
                return Err(Error::input(format!("--sigma {sigma}: {} does not see a noise level", path.display())));
            }
            _ => vec![0.0],
        };
        if let Some(bad) = levels.iter().find(|s| !(**s == 0.0 || (1e-6..=1e6).contains(*s))) {
            return Err(Error::input(format!("sigma is {bad}, it has to be from 1e-6 to 1e6")));
        }
        let doubt = if sees { untrained(&metadata, &levels, path)? } else { None };
        let stored = metadata.get("sigma").and_then(|s| s.parse().ok());
        let smoothing = levels.last().copied().filter(|_| sees).or(stored).unwrap_or(0.0);
        let levels = levels.into_iter().map(|sigma| (sigma, Ground::Network(model.at(sigma)))).collect();
        let inside = path.join("model.safetensors");
        let file = if path.is_dir() { &inside } else { path };
        let name = file.parent().and_then(Path::file_name).or(file.file_stem()).unwrap_or(file.as_os_str());
        Ok(Subject {
            name: name.to_string_lossy().into_owned(),
            columns,
            transform,
            data,
            smoothing,
            image: image_of(&metadata, d, path)?,
            doubt,
            levels,
        })
    }
}
