//! A data set as training sees it: points for training and for testing, and the way back to the original units.

use std::path::Path;

use rand::seq::SliceRandom as _;

use super::law::Law;
use super::standardize::Standardizer;
use super::table::{Part, read_table};
use super::toy;
use crate::error::{Error, Result, unknown_name};
use crate::points::Points;
use crate::random::{Seed, Stream};

/// Points to train on and points to test on, in the units that the network sees.
pub struct Dataset {
    /// The toy law's name, or the file's stem.
    pub name: String,
    /// The names of the coordinates.
    pub columns: Vec<String>,
    /// For training.
    pub train: Points,
    /// Held out.
    pub test: Points,
    /// From the original units to those of the network.
    pub standardizer: Standardizer,
    /// The law that the points come from, where it is known.
    pub law: Option<Box<dyn Law>>,
}

/// Points held out of a toy law: drawn anew.
const TOY_TEST: usize = 10_000;

impl Dataset {
    /// A toy law by its name (`count` points are drawn), or a file as [`read_table`] reads it (a tenth is held out, and columns are
    /// standardised by what the training part says).
    ///
    /// # Errors
    /// No such law or file, a file that does not hold a table of numbers, or columns that are not there.
    pub fn load(source: &str, part: Part<'_>, count: usize, seed: Seed) -> Result<Self> {
        if let Some(law) = toy::by_name(source) {
            let useless = [("--columns", part.columns.is_some()), ("--array", part.array.is_some())];
            if let Some((flag, _)) = useless.iter().find(|(_, given)| *given) {
                return Err(Error::input(format!("{flag} goes with a file, `{source}` is a toy law"))
                    .hint(format!("leave {flag} out")));
            }
            return Ok(Self::from_law(law, count, seed));
        }
        let path = Path::new(source);
        if path.exists() || source.contains(['/', '.']) {
            return Self::from_file(path, part, seed);
        }
        let unknown = unknown_name("data set", source, toy::NAMES);
        let names = unknown.advice().unwrap_or_default().to_string();
        Err(unknown.hint(format!("{names}; or give a .csv, .tsv, .npy, .npz or .idx file or a folder of .png")))
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
        let columns = Self::toy_columns(&*law);
        let standardizer = Standardizer::identity(law.dim());
        Self { name: law.name().to_string(), columns, train, test, standardizer, law: Some(law) }
    }

    fn from_file(path: &Path, part: Part<'_>, seed: Seed) -> Result<Self> {
        let table = read_table(path, part)?;
        let (count, dim) = (table.points.count(), table.points.dim());
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut seed.sequence(Stream::Host, 0));
        let take =
            |rows: &[usize]| Points::new(dim, rows.iter().flat_map(|i| table.points.row(*i).iter().copied()).collect());
        let held = (count / 10).max(1);
        let (test, train) = (take(&order[..held]), take(&order[held..]));
        let standardizer = Standardizer::fit(&train);
        let wild =
            standardizer.mean.iter().zip(&standardizer.scale).position(|(m, s)| !(m.is_finite() && s.is_finite()));
        if let Some(c) = wild {
            let name = &table.names[c];
            return Err(Error::input(format!("the numbers in column {name} are too large: their spread overflows"))
                .hint("rescale the column"));
        }
        let name = path.file_stem().map_or_else(|| "data".to_string(), |s| s.to_string_lossy().into_owned());
        Ok(Self {
            name,
            columns: table.names,
            train: standardizer.apply(&train),
            test: standardizer.apply(&test),
            standardizer,
            law: None,
        })
    }

    /// The same points in the units that `standardizer` makes.
    pub fn restated(self, standardizer: Standardizer) -> Self {
        let restate = |points: &Points| standardizer.apply(&self.standardizer.undo(points));
        let (train, test) = (restate(&self.train), restate(&self.test));
        Self { train, test, standardizer, ..self }
    }

    /// The same with every point held out, the training points first: for a model that has seen none of them.
    pub fn all_held_out(self) -> Self {
        let values = [self.train.values(), self.test.values()].concat();
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
