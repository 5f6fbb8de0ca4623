//! What is done to the points of a file before training: dequantisation, the split, and the transform fitted to its training
//! part.

use rand::seq::SliceRandom as _;

use super::table::Table;
use super::transform::{Linear, Logit, Transform, TransformKind};
use crate::error::{Error, Result};
use crate::points::Points;
use crate::random::{Seed, Stream, uniform};

/// Which shares of the rows are kept from training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// For decisions during training: rounded down, so that small files have none.
    pub validation: f64,
    /// For judgement after it: rounded down, but at least one row.
    pub test: f64,
}

impl Default for Split {
    fn default() -> Self {
        Self { validation: 0.1, test: 0.1 }
    }
}

impl Split {
    /// The rows of validation and test out of `count`.
    ///
    /// # Errors
    /// If a share is not one, or nothing is left for training.
    pub fn rows(self, count: usize) -> Result<[usize; 2]> {
        let Self { validation, test } = self;
        if !(0.0..1.0).contains(&validation) {
            return Err(Error::input(format!("validation is {validation}, it is a share from 0 to below 1")));
        }
        if !(test > 0.0 && test < 1.0) {
            return Err(Error::input(format!("test is {test}, it is a share above 0 and below 1"))
                .hint("models are judged by points that they have not seen"));
        }
        let share = |share: f64| (share * count as f64) as usize;
        let rows = [share(validation), share(test).max(1)];
        if rows[0] + rows[1] >= count {
            return Err(Error::input(format!(
                "{} rows for validation and {} for testing of {count} leave none for training",
                rows[0], rows[1]
            ))
            .hint("smaller --validation and --test"));
        }
        Ok(rows)
    }
}

/// The step of uniform noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Level {
    /// That between the values of the file: of the grey levels of images, 1 for integers.
    Own,
    /// This one.
    Step(f64),
}

/// Everything that is done.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Preparation {
    /// The linear map; if not given, `Joint` for images and `Standardise` for tables.
    pub transform: Option<TransformKind>,
    /// Uniform noise of one step on every value.
    pub dequantise: Option<Level>,
    /// α of the logit.
    pub logit: Option<f64>,
    /// The range of the values; images know their own.
    pub range: Option<[f64; 2]>,
    /// What is held out.
    pub split: Split,
}

/// Points in the network's units, and the way there.
pub(super) struct Prepared {
    pub(super) train: Points,
    pub(super) validation: Points,
    pub(super) test: Points,
    pub(super) transform: Transform,
}

impl Preparation {
    /// The range that is given, or the table's own.
    pub(super) fn range(&self, table: &Table) -> Option<[f64; 2]> {
        self.range.or(table.level.map(|_| [0.0, 1.0]))
    }

    /// What `table`, read from `source`, becomes; nothing that is held out has a say in the transform.
    pub(super) fn prepare(&self, table: Table, source: &str, seed: Seed) -> Result<Prepared> {
        let [validation, test] = self.split.rows(table.points.count())?;
        let range = self.range(&table);
        check_range(&table, source, range)?;
        check_size(&table, source)?;
        let level = self.dequantise.map(|level| step_of(level, &table, source)).transpose()?;
        let logit = match (self.logit, range) {
            (Some(alpha), Some([low, high])) => Some(Logit::new(alpha, [low, high + level.unwrap_or(0.0)])?),
            (Some(_), None) => {
                return Err(Error::input(format!("--logit needs the range of the values of {source}"))
                    .hint("--range LOW,HIGH says it"));
            }
            (None, _) => None,
        };
        let usual = if table.image.is_some() { TransformKind::Joint } else { TransformKind::Standardise };
        let kind = self.transform.unwrap_or(usual);
        let mut points = table.points;
        if let Some(level) = level {
            dequantise(&mut points, level, seed);
        }
        if let Some(logit) = &logit {
            points.values_mut().iter_mut().for_each(|v| *v = logit.apply(*v));
        }
        let mut order: Vec<usize> = (0..points.count()).collect();
        order.shuffle(&mut seed.sequence(Stream::Host, 0));
        // test, validation and training rows in this order, as they were shuffled; cut off from the end, so that no more than
        // what is held out is copied
        order.rotate_left(test + validation);
        order[points.count() - test - validation..].rotate_left(test);
        points.permute(order);
        let mut test = points.split_off(points.count() - test);
        let mut validation = points.split_off(points.count() - validation);
        let linear = Linear::fit(kind, &points, &table.names)?;
        let transform = Transform { level, logit, linear };
        for part in [&mut points, &mut validation, &mut test] {
            transform.linear.apply_to(part);
        }
        Ok(Prepared { train: points, validation, test, transform })
    }
}

/// Refuses numbers that samples in the same unit, written in single precision, could not reach with room to spare.
fn check_size(table: &Table, source: &str) -> Result<()> {
    const MOST: f64 = 1e30;
    let Some(at) = table.points.values().iter().position(|value| value.abs() > MOST) else { return Ok(()) };
    let (value, dim) = (table.points.values()[at], table.points.dim());
    let (row, name) = (row_of(table, at), &table.names[at % dim]);
    Err(Error::input(format!(
        "{source}, {row}, column `{name}`: {value:e} is beyond {MOST:e}: samples are written in single precision, which ends at 3.4e38"
    ))
    .hint("state the column in a larger unit, or mend the row"))
}

/// The row of the value at a place.
fn row_of(table: &Table, at: usize) -> String {
    let of = if table.rows_read > table.points.count() { " of those that lack no value" } else { "" };
    format!("row {}{of}", at / table.points.dim())
}

fn check_range(table: &Table, source: &str, range: Option<[f64; 2]>) -> Result<()> {
    let Some([low, high]) = range else { return Ok(()) };
    if !(low < high && (high - low).is_finite()) {
        return Err(Error::input(format!("--range {low},{high}: a range runs from a number to a larger one")));
    }
    match table.points.values().iter().position(|v| !(low..=high).contains(v)) {
        Some(at) => {
            let (row, column) = (row_of(table, at), at % table.points.dim());
            let (value, name) = (table.points.values()[at], &table.names[column]);
            Err(Error::input(format!(
                "{source}, {row}, column `{name}`: {value} lies outside the range {low} to {high}"
            )))
        }
        None => Ok(()),
    }
}

fn step_of(level: Level, table: &Table, source: &str) -> Result<f64> {
    match (level, table.level) {
        (Level::Step(step), _) if step > 0.0 && step.is_finite() => Ok(step),
        (Level::Step(step), _) => {
            Err(Error::input(format!("--dequantise {step}: the step between values has to be above 0")))
        }
        (Level::Own, Some(step)) => Ok(step),
        (Level::Own, None) => match table.points.values().iter().find(|v| v.fract() != 0.0) {
            None => Ok(1.0),
            Some(value) => Err(Error::input(format!("{source} holds {value}: only integers have a step of their own"))
                .hint("--dequantise=STEP says what the step between values is")),
        },
    }
}

/// Adds `level` u to every value, u uniform in (0, 1), by the place of its row in the file.
fn dequantise(points: &mut Points, level: f64, seed: Seed) {
    let dim = points.dim();
    for (i, row) in (0u64..).zip(points.values_mut().chunks_exact_mut(dim)) {
        for (block, values) in (0u32..).zip(row.chunks_mut(4)) {
            let words = seed.words(Stream::Dequantise, i as u32, (i >> 32) as u32, block);
            values.iter_mut().zip(words).for_each(|(v, word)| *v += level * uniform::<f64>(word));
        }
    }
}

#[cfg(test)]
mod tests;
