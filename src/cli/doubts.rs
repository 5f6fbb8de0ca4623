//! What there is to doubt about data, before anything is done with them.

use ebm_gpu::data::{Dataset, Outlier, Suspects};

/// Warnings about data to be trained on.
pub(super) fn of_training(data: &Dataset) -> Vec<String> {
    [gaps(data), poverty(data), few_judges(data)].into_iter().flatten().chain(suspects(data)).collect()
}

/// How many rows of a file are left out, if some are.
pub(super) fn gaps(data: &Dataset) -> Option<String> {
    let [rows, left_out] = data.rows?;
    (left_out > 0).then(|| format!("{left_out} of {rows} rows lack a value and are left out"))
}

/// A warning where the training rows say too little: where there is one, or where coordinates have no density of their own.
fn poverty(data: &Dataset) -> Option<String> {
    let (constant, dim) = (data.train.constant_columns().count(), data.dim());
    if data.train.count() == 1 {
        return Some("one row is left for training: nothing can be learnt of a law from it".to_string());
    }
    (constant > 0).then(|| {
        format!("{constant} of {dim} columns hold one value only: only noise (as of dsm and mdsm) gives them a density")
    })
}

/// A warning where a file is so small that few of its points judge the model.
fn few_judges(data: &Dataset) -> Option<String> {
    /// The standard error of a mean of so many points is about a third of their spread.
    const FEW: usize = 10;
    let (validation, test) = (data.validation.count(), data.test.count());
    let all = data.train.count() + validation + test;
    (test < FEW || (1..FEW).contains(&validation)).then(|| {
        format!(
            "testing has {test} of {all} points and validation {validation}: what fewer than {FEW} say of a model is mostly \
             chance"
        )
    })
}

/// Warnings where a column, or a value of it, is none of the data.
fn suspects(data: &Dataset) -> Vec<String> {
    let Suspects { row_numbers, labels, outliers } = &data.suspects;
    let columns = row_numbers.join(",");
    let numbers = (!columns.is_empty()).then(|| {
        format!("`{columns}` only counts the rows and is modelled as a coordinate: --drop {columns} leaves it out")
    });
    let names = labels.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",");
    let counts: Vec<String> = labels.iter().map(|(_, count)| count.to_string()).collect();
    let (counts, hold) = (counts.join(", "), if labels.len() == 1 { "holds" } else { "hold" });
    let way = match labels.len() == data.dim() {
        true => "--dequantise spreads the steps between them".to_string(),
        false => format!("if they are labels, --drop {names} leaves them out"),
    };
    let labels = (!labels.is_empty() && data.transform.level.is_none())
        .then(|| format!("`{names}` {hold} {counts} different values only, which have no density: {way}"));
    let far = |Outlier { column, value, median, ranges }: &Outlier| {
        let median = format!("{median:.3e}").parse().unwrap_or(*median);
        format!("`{column}` holds {value}, {ranges:.0} interquartile ranges from its median {median}")
    };
    let all = outliers.iter().map(far).collect::<Vec<_>>().join("; ");
    let outliers = (!all.is_empty())
        .then(|| format!("{all}: errors, or codes for what is missing? They are trained on like the rest"));
    numbers.into_iter().chain(labels).chain(outliers).collect()
}
