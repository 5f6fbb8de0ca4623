//! A data set as training sees it: points for training and for testing, and the way back to the original units.

use std::path::Path;

use super::images::ImageShape;
use super::law::Law;
use super::prepare::{Preparation, Prepared};
use super::suspects::Suspects;
use super::table::{Part, read_table};
use super::toy;
use super::transform::{Logit, Transform};
use crate::error::{Error, Result, unknown_name};
use crate::points::Points;
use crate::random::{Seed, Stream};

/// Points to train on and points to test on, in the units that the network sees.
pub struct Dataset {
    /// The toy law's name, or the file's stem.
    pub name: String,
    /// The names of the coordinates.
    pub columns: Vec<String>,
    /// What in a file asks for a second look.
    pub suspects: Suspects,
    /// Rows of the file, and how many of them are left out, as they lack a value; none of a toy law.
    pub rows: Option<[usize; 2]>,
    /// For training.
    pub train: Points,
    /// Held out for decisions during training; a small file has none.
    pub validation: Points,
    /// Held out for judgement.
    pub test: Points,
    /// From the data's own units to those of the network.
    pub transform: Transform,
    /// What a point is, if it is an image.
    pub image: Option<ImageShape>,
    /// The range of the values in the data's own units, where it is known; for images as it is found, if it is not.
    pub range: Option<[f64; 2]>,
    /// The law that the points come from, where it is known.
    pub law: Option<Box<dyn Law>>,
}

/// Points of a toy law for testing, and as many for validation: drawn anew.
const TOY_TEST: usize = 10_000;

impl Dataset {
    /// What tells data from others: their sizes and a checksum of every number, transformed and split.
    pub fn identity(&self) -> String {
        let mut crc = flate2::Crc::new();
        let parts = [&self.train, &self.validation, &self.test];
        parts.iter().for_each(|points| crc.update(bytemuck::cast_slice(points.values())));
        let rows: usize = parts.iter().map(|points| points.count()).sum();
        format!("{rows} rows of {} columns with checksum {:08x}", self.dim(), crc.sum())
    }

    /// [`prepared`](Self::prepared) in the usual way.
    ///
    /// # Errors
    /// As there.
    pub fn load(source: &str, part: Part<'_>, count: usize, seed: Seed) -> Result<Self> {
        Self::prepared(source, part, &Preparation::default(), count, seed)
    }

    /// A toy law by its name (`count` points are drawn), or a file as [`read_table`] reads it, split and transformed.
    ///
    /// # Errors
    /// No such law or file, a file that does not hold a table of numbers, columns that are not there, or a preparation that
    /// does not fit.
    pub fn prepared(source: &str, part: Part<'_>, preparation: &Preparation, count: usize, seed: Seed) -> Result<Self> {
        if let Some(law) = toy::by_name(source) {
            let useless = [
                ("--columns", part.columns.is_some()),
                ("--drop", part.drop.is_some()),
                ("--header", part.header),
                ("--drop-missing", part.drop_missing),
                ("--array", part.array.is_some()),
                ("--image", part.image.is_some()),
                ("--transform", preparation.transform.is_some()),
                ("--dequantise", preparation.dequantise.is_some()),
                ("--logit", preparation.logit.is_some()),
                ("--range", preparation.range.is_some()),
            ];
            if let Some((flag, _)) = useless.iter().find(|(_, given)| *given) {
                return Err(Error::input(format!("{flag} goes with a file, `{source}` is a toy law"))
                    .hint(format!("leave {flag} out")));
            }
            return Ok(Self::from_law(law, count, seed));
        }
        let path = Path::new(source);
        if path.exists() || source.contains(['/', '.']) {
            return Self::from_file(path, part, preparation, seed);
        }
        if source.contains(',') {
            return Err(Error::input(format!("`{source}` is no data set: one is trained on at a time"))
                .hint(format!("`ebm-gpu compare --data {source}` takes several")));
        }
        let unknown = unknown_name("data set", source, toy::NAMES);
        let names = unknown.advice().unwrap_or_default().to_string();
        Err(unknown.hint(format!("{names}; or give a .csv, .tsv, .txt, .npy, .npz or .idx file or a folder of .png")))
    }

    /// The toy law called `name`.
    ///
    /// # Errors
    /// If there is none.
    pub fn toy(name: &str) -> Result<Box<dyn Law>> {
        toy::by_name(name).ok_or_else(|| unknown_name("toy law", name, toy::NAMES))
    }

    /// The names of a toy law's coordinates: `x1`, `x2`, ...
    pub fn toy_columns(law: &dyn Law) -> Vec<String> {
        (1..=law.dim()).map(|i| format!("x{i}")).collect()
    }

    /// The `count` points of a toy law that training sees; the first of them do not depend on how many there are.
    pub fn training_points(law: &dyn Law, count: usize, seed: Seed) -> Points {
        law.draw(count, &mut seed.sequence(Stream::Data, 0))
    }

    fn from_law(law: Box<dyn Law>, count: usize, seed: Seed) -> Self {
        let train = Self::training_points(&*law, count, seed);
        let test = law.draw(TOY_TEST, &mut seed.sequence(Stream::Data, 1));
        let validation = law.draw(TOY_TEST, &mut seed.sequence(Stream::Data, 2));
        let (name, columns) = (law.name().to_string(), Self::toy_columns(&*law));
        let transform = Transform::identity(law.dim());
        Self {
            name,
            columns,
            suspects: Suspects::default(),
            rows: None,
            train,
            validation,
            test,
            transform,
            image: None,
            range: None,
            law: Some(law),
        }
    }

    /// What a file is called: its name without its ending, `.gz` included.
    pub fn file_name(path: &Path) -> String {
        let unpacked = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
            path.with_extension("")
        } else {
            path.into()
        };
        unpacked.file_stem().map_or_else(|| "data".to_string(), |s| s.to_string_lossy().into_owned())
    }

    fn from_file(path: &Path, part: Part<'_>, preparation: &Preparation, seed: Seed) -> Result<Self> {
        let table = read_table(path, part)?;
        let name = Self::file_name(path);
        let found = |values: &[f64]| {
            values.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(*v), high.max(*v)])
        };
        let image = table.image;
        let range = preparation.range(&table).or_else(|| image.map(|_| found(table.points.values())));
        let (columns, suspects) = (table.names.clone(), Suspects::of(&table));
        let rows = Some([table.rows_read, table.rows_read - table.points.count()]);
        let Prepared { train, validation, test, transform } =
            preparation.prepare(table, &path.display().to_string(), seed)?;
        Ok(Self { name, columns, suspects, rows, train, validation, test, transform, image, range, law: None })
    }

    /// The same points in the units that `transform` makes; the law stays with them only if that changes nothing, as it speaks
    /// of its own units.
    ///
    /// # Errors
    /// If a value lies outside the range of the transform's logit.
    pub fn restated(self, transform: Transform) -> Result<Self> {
        let restate = |points: &Points| {
            let mut points = self.transform.undo(points);
            self.check_range(&points, &transform)?;
            transform.apply_to(&mut points);
            Ok(points)
        };
        let (train, validation, test) = (restate(&self.train)?, restate(&self.validation)?, restate(&self.test)?);
        let same = transform == Transform::identity(self.train.dim());
        let law = self.law.filter(|_| same);
        Ok(Self { train, validation, test, transform, law, ..self })
    }

    /// Refuses points in the data's units that the transform's logit is not made for.
    fn check_range(&self, points: &Points, transform: &Transform) -> Result<()> {
        let Some(Logit { low, high, .. }) = transform.logit else { return Ok(()) };
        // points that came through the logit and back are off by their rounding
        let slack = 1e-9 * (high - low);
        match points.values().iter().position(|v| !(low - slack..=high + slack).contains(v)) {
            Some(at) => {
                let (value, column) = (points.values()[at], &self.columns[at % points.dim()]);
                Err(Error::input(format!(
                    "{}, column `{column}`: {value} lies outside the range {low} to {high} of the model's logit",
                    self.name
                )))
            }
            None => Ok(()),
        }
    }

    /// The same with every point held out, the training points first: for a model that has seen none of them.
    pub fn all_held_out(self) -> Self {
        let values = [self.train.values(), self.validation.values(), self.test.values()].concat();
        Self { test: Points::new(self.dim(), values), ..self }
    }

    /// The dimension of the points.
    pub fn dim(&self) -> usize {
        self.train.dim()
    }

    /// The held-out points, smoothed by noise of standard deviation `sigma`: a sample of what an objective aims at.
    pub fn smoothed_test(&self, sigma: f64, seed: Seed) -> Points {
        let noise = Points::normal::<f64>(self.test.count(), self.dim(), seed, Stream::Host, 1);
        let mut points = self.test.clone();
        points.values_mut().iter_mut().zip(noise.values()).for_each(|(x, z)| *x += sigma * z);
        points
    }
}
