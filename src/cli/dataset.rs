//! The flags that say what the data are and what is done to them before training.

use std::collections::HashMap;

use ebm_gpu::data::{Dataset, Level, Part, Preparation, Split, Transform, TransformKind, toy};
use ebm_gpu::error::{Error, Result};
use ebm_gpu::random::Seed;
use serde::{Deserialize, Serialize};

use super::{MOST_POINTS, check_count};

/// The size of a file, and when it was last changed, in seconds since 1970.
#[derive(Serialize, Clone, Copy)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: u64,
}

/// Which part of a file is taken.
#[derive(Clone, Copy)]
pub(crate) struct Chosen<'a> {
    pub(crate) columns: Option<&'a [String]>,
    pub(crate) drop: Option<&'a [String]>,
    pub(crate) header: bool,
    pub(crate) drop_missing: bool,
    pub(crate) array: Option<&'a str>,
}

#[derive(clap::Args, Serialize, Deserialize, Clone, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct DataArgs {
    /// A toy law (`data list` says what they are): 8gaussians, 25gaussians, gmm8, 3clusters, gmm2, gmm2-unequal, gmm-ncsn,
    /// gaussian, star, 2spirals, swissroll, moons, moons-maf, line, cos, rings, circles, rings4, checkerboard, pinwheel,
    /// banana, banana-maf, u1, u2, u3, u4; those of torchebm 8gaussians-torchebm, gmm8-torchebm, moons-torchebm,
    /// checkerboard-torchebm, circle-torchebm, swissroll-torchebm, pinwheel-torchebm; on the line gauss1d, mix1d; or a file
    /// (.csv, .tsv, .txt, .idx, and these as .gz, .npy, .npz), or a folder of .png images; bytes of .idx and .png files become grey
    /// levels from 0 to 1
    #[arg(long, default_value = "8gaussians", value_name = "NAME|FILE")]
    pub(crate) data: String,
    /// Columns of the file, by name or index from 0; all if not given
    #[arg(long, value_delimiter = ',', value_name = "A,B,..")]
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<String>>,
    /// Columns of the file that are left out, such as a label
    #[arg(long, value_delimiter = ',', value_name = "A,B,..")]
    #[serde(skip_serializing_if = "Option::is_none")]
    drop: Option<Vec<String>>,
    /// The first line of a .csv, .tsv or .txt file has the names of the columns, even if they are numbers
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    header: bool,
    /// Leave out the rows of the file in which a chosen value is missing: an empty cell, NA, NaN and the like; what is no number
    /// otherwise is refused
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    drop_missing: bool,
    /// The array of an .npz file; the only one if not given
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    array: Option<String>,
    /// The rows of a table are images of this size, grey or RGB; .png and .idx files know theirs
    #[arg(long, value_name = "HxW")]
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// What the network sees of a file, fitted to its training rows: standardise (each column), joint (all columns by one mean
    /// and one scale), whiten (covariance I) or none [default: standardise; images: joint]
    #[arg(long, value_name = "KIND")]
    #[serde(skip_serializing_if = "Option::is_none")]
    transform: Option<String>,
    /// Add uniform noise of one step between values: the file's own (grey levels, integers), or =STEP
    #[arg(long, value_name = "STEP", num_args = 0..=1, require_equals = true, default_missing_value = "own")]
    #[serde(skip_serializing_if = "Option::is_none")]
    dequantise: Option<String>,
    /// x becomes logit(α + (1 − 2α) x), x from 0 to 1 over the range of the values
    #[arg(long, value_name = "ALPHA")]
    #[serde(skip_serializing_if = "Option::is_none")]
    logit: Option<f64>,
    /// The range of the values of a table; images know theirs
    #[arg(long, value_delimiter = ',', num_args = 1, value_name = "LOW,HIGH", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Vec<f64>>,
    /// The share of a file's rows, chosen by the seed, that is kept for validation [default: 0.1]
    #[arg(long, value_name = "SHARE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<f64>,
    /// The share that is kept for testing [default: 0.1]
    #[arg(long, value_name = "SHARE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<f64>,
    /// Points drawn from a toy law
    #[arg(long, default_value_t = 100_000)]
    points: usize,
}

impl DataArgs {
    /// The key of a checkpoint's metadata that holds these flags as JSON.
    pub(crate) const KEY: &str = "data_flags";

    /// What the metadata of a checkpoint say that it was trained on.
    pub(crate) fn of_checkpoint(metadata: &HashMap<String, String>) -> Option<Self> {
        serde_json::from_str(metadata.get(Self::KEY)?).ok()
    }

    /// Other data for a model that sees them by `transform`: as they are, but for noise where the model has seen noise.
    pub(crate) fn raw(data: &str, part: Chosen<'_>, points: usize, transform: &Transform) -> Self {
        Self {
            data: data.to_string(),
            columns: part.columns.map(Into::into),
            drop: part.drop.map(Into::into),
            header: part.header,
            drop_missing: part.drop_missing,
            array: part.array.map(Into::into),
            dequantise: transform.level.map(|level| level.to_string()),
            transform: (!toy::NAMES.contains(&data)).then(|| "none".to_string()),
            points,
            ..Self::default()
        }
    }

    /// The same with the range of a model's logit, where it has one: values outside are refused by their row.
    pub(crate) fn within(self, transform: &Transform) -> Self {
        let range = transform.logit.map(|logit| {
            // the logit's range ends a step after the largest value; without what the sum was rounded by
            let high = logit.high - transform.level.unwrap_or(0.0);
            vec![logit.low, (high * 1e12).round() / 1e12]
        });
        Self { range: range.or(self.range), ..self }
    }

    /// The same with other columns, a header, gaps or another array of the file, where they are given.
    pub(crate) fn with_part(self, part: Chosen<'_>) -> Self {
        let columns = part.columns.map(<[String]>::to_vec).or(self.columns);
        let drop = part.drop.map(<[String]>::to_vec).or(self.drop);
        let array = part.array.map(str::to_string).or(self.array);
        let (header, drop_missing) = (part.header || self.header, part.drop_missing || self.drop_missing);
        Self { columns, drop, header, drop_missing, array, ..self }
    }

    /// The same in another place.
    pub(crate) fn at(self, data: String) -> Self {
        Self { data, ..self }
    }

    /// The same with another number of points of a toy law.
    pub(crate) fn with_points(self, points: usize) -> Self {
        Self { points, ..self }
    }

    /// What tells one state of a file from another; none for a toy law.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        let file = std::fs::metadata(&self.data).ok().filter(|_| !self.is_law())?;
        let modified = file.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Stamp { bytes: file.len(), modified: modified.as_secs() })
    }

    /// Whether the data are a toy law.
    pub(crate) fn is_law(&self) -> bool {
        toy::NAMES.contains(&self.data.as_str())
    }

    /// Refuses what is wrong whatever the data is; reads nothing.
    pub(crate) fn check(&self) -> Result<()> {
        check_count("points", self.points, 2, MOST_POINTS)?;
        self.size()?;
        let toy = toy::NAMES.contains(&self.data.as_str());
        let useless = [("--validation", self.validation), ("--test", self.test)];
        if let Some((flag, _)) = useless.iter().find(|(_, share)| toy && share.is_some()) {
            return Err(Error::input(format!("{flag} goes with a file, points of `{}` are drawn anew", self.data))
                .hint(format!("leave {flag} out")));
        }
        self.preparation().map(drop)
    }

    /// Reads the file or draws the points.
    pub(crate) fn load(&self, seed: Seed) -> Result<Dataset> {
        let part = Part {
            columns: self.columns.as_deref(),
            drop: self.drop.as_deref(),
            header: self.header,
            drop_missing: self.drop_missing,
            array: self.array.as_deref(),
            image: self.size()?,
        };
        Dataset::prepared(&self.data, part, &self.preparation()?, self.points, seed)
    }

    fn size(&self) -> Result<Option<[usize; 2]>> {
        let Some(text) = &self.image else { return Ok(None) };
        let sides = text.split_once('x').and_then(|(h, w)| Some([h.parse().ok()?, w.parse().ok()?]));
        match sides {
            Some(sides) if sides.iter().all(|side| *side > 0) => Ok(Some(sides)),
            _ => Err(Error::input(format!("--image {text}: a size is a height and a width")).hint("--image 8x8")),
        }
    }

    fn preparation(&self) -> Result<Preparation> {
        let dequantise = match self.dequantise.as_deref() {
            None => None,
            Some("own") => Some(Level::Own),
            Some(text) => Some(Level::Step(text.parse().map_err(|_| {
                Error::input(format!("--dequantise={text}: the step between values is a number"))
                    .hint("--dequantise=0.5")
            })?)),
        };
        let range = match self.range.as_deref() {
            None => None,
            Some(&[low, high]) => Some([low, high]),
            Some(ends) => {
                return Err(
                    Error::input(format!("the range has {} ends, it needs 2", ends.len())).hint("--range 0,255")
                );
            }
        };
        let usual = Split::default();
        let split =
            Split { validation: self.validation.unwrap_or(usual.validation), test: self.test.unwrap_or(usual.test) };
        // shares are wrong or right whatever they are of
        split.rows(usize::MAX)?;
        let transform = self.transform.as_deref().map(TransformKind::by_name).transpose()?;
        Ok(Preparation { transform, dequantise, logit: self.logit, range, split })
    }
}
