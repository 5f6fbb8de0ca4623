//! What in a table is probably none of the data: told, never changed.

use super::table::Table;

/// Columns of a file that ask for a second look.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suspects {
    /// Those, of several, in which every value is one more than the one above it, but for rows that are left out, as programs
    /// write them beside a table.
    pub row_numbers: Vec<String>,
    /// Those of few values that come again and again, as labels do, and how many.
    pub labels: Vec<(String, usize)>,
    /// Those with a value far from the others, as errors are and codes for what is missing.
    pub outliers: Vec<Outlier>,
}

/// The value of a column that is farthest from its median.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlier {
    /// The column.
    pub column: String,
    /// The value.
    pub value: f64,
    /// The median.
    pub median: f64,
    /// How many interquartile ranges lie between them.
    pub ranges: f64,
}

/// The most values of a label.
const LABELS: usize = 10;
/// The fewest rows of which so few values say something.
const ROWS: usize = 100;
/// Interquartile ranges from the median at which a value is far: 40 standard deviations of a normal law, and beyond the worst
/// day of a century of stocks.
const FAR: f64 = 30.0;
/// Rows that quartiles are taken of.
const SAMPLE: usize = 4096;

impl Suspects {
    /// Those of a table; images have none.
    pub(super) fn of(table: &Table) -> Self {
        let (points, d) = (&table.points, table.points.dim());
        if table.image.is_some() {
            return Self::default();
        }
        let column = |c: usize| points.rows().map(move |row| row[c]);
        let name = |c: usize| table.names[c].clone();
        let is_told = d > 1 && points.count() > 2;
        let gaps = table.rows_read - points.count();
        let row_numbers: Vec<usize> = (0..d).filter(|c| is_told && counts(column(*c), gaps)).collect();
        let labels = (0..d).filter(|_| points.count() >= ROWS);
        let labels = labels.filter_map(|c| Some((name(c), few(column(c))?))).collect();
        let every = points.count().div_ceil(SAMPLE).max(1);
        let quartiles: Vec<_> = (0..d).map(|c| quartiles(column(c).step_by(every).collect())).collect();
        // row by row, as they lie in memory
        let mut farthest: Vec<f64> = quartiles.iter().map(|[_, median, _]| *median).collect();
        for row in points.rows() {
            for ((far, value), [_, median, _]) in farthest.iter_mut().zip(row).zip(&quartiles) {
                *far = if (value - median).abs() > (*far - median).abs() { *value } else { *far };
            }
        }
        let outliers = farthest.into_iter().zip(quartiles).enumerate();
        let outliers = outliers.filter_map(|(c, (value, quartiles))| outlier(name(c), value, quartiles)).collect();
        Self { outliers, labels, row_numbers: row_numbers.into_iter().map(name).collect() }
    }
}

/// Whether values count up, with so many steps left out at most.
fn counts(values: impl Iterator<Item = f64>, gaps: usize) -> bool {
    let mut ahead = values.zip(0u32..).map(|(value, i)| value - f64::from(i));
    let first = ahead.next().unwrap_or(0.0);
    let mut last = first;
    ahead.all(|ahead| ahead.fract() == first.fract() && ahead >= std::mem::replace(&mut last, ahead))
        && last - first <= gaps as f64
}

/// How many values there are, if there are from two to [`LABELS`].
fn few(values: impl Iterator<Item = f64>) -> Option<usize> {
    let mut found = Vec::with_capacity(LABELS);
    for value in values {
        if !found.contains(&value) {
            if found.len() == LABELS {
                return None;
            }
            found.push(value);
        }
    }
    (found.len() > 1).then_some(found.len())
}

/// The quartiles of some values; 0 of none.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    [last / 4, last / 2, last - last / 4].map(|at| values.get(at).copied().unwrap_or(0.0))
}

fn outlier(column: String, value: f64, [low, median, high]: [f64; 3]) -> Option<Outlier> {
    let ranges = (value - median).abs() / (high - low);
    (high > low && ranges > FAR).then_some(Outlier { column, value, median, ranges })
}
