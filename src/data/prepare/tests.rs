//! What is held out, what the transform has seen, and the noise of dequantisation.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;

/// `n` rows of (i, i²/n).
fn table(n: usize) -> Table {
    let values = (0..n).flat_map(|i| [i as f64, (i * i) as f64 / n as f64]).collect();
    let names = ["i", "square"].map(str::to_string).to_vec();
    Table { names, points: Points::new(2, values), image: None, level: None, rows_read: n }
}

fn first_column(points: &Points) -> Vec<i64> {
    points.rows().map(|x| x[0].round() as i64).collect()
}

#[test]
fn every_row_is_in_one_part_by_the_seed() {
    let split = Split { validation: 0.25, test: 0.1 };
    let parts = |split, seed| {
        let preparation = Preparation { split, transform: Some(TransformKind::None), ..Preparation::default() };
        let p = preparation.prepare(table(50), "t", Seed(seed)).unwrap();
        [p.train, p.validation, p.test].map(|points| first_column(&points))
    };
    let found = parts(split, 3);
    assert_eq!(found.each_ref().map(Vec::len), [33, 12, 5]);
    let mut all = found.concat();
    all.sort_unstable();
    assert_eq!(all, (0..50).collect::<Vec<_>>());
    assert_eq!(parts(split, 3), found);
    assert_ne!(parts(split, 4)[2], found[2]);
    // the test rows do not depend on how many are for validation
    assert_eq!(parts(Split { validation: 0.0, test: 0.1 }, 3)[2], found[2]);
}

#[test]
fn rows_stay_whole_and_the_transform_sees_training_rows_alone() {
    for kind in [None, Some(TransformKind::Whiten)] {
        let preparation = Preparation { transform: kind, ..Preparation::default() };
        let prepared = preparation.prepare(table(200), "t", Seed(1)).unwrap();
        for points in [&prepared.train, &prepared.validation, &prepared.test] {
            for x in prepared.transform.undo(points).rows() {
                assert!((x[0] * x[0] / 200.0 - x[1]).abs() < 1e-9, "{x:?}");
            }
        }
        let standard = super::super::Standardizer::fit(&prepared.train);
        let sizes = standard.mean.iter().map(|m| m.abs()).chain(standard.scale.iter().map(|s| (s - 1.0).abs()));
        assert!(sizes.fold(0.0, f64::max) < 1e-12, "{standard:?}");
        assert!(super::super::Standardizer::fit(&prepared.test).mean[0].abs() > 1e-3);
        let together: f64 = prepared.train.rows().map(|x| x[0] * x[1]).sum::<f64>() / prepared.train.count() as f64;
        assert_eq!(together.abs() < 1e-9, kind.is_some(), "{together}");
    }
}

#[test]
fn shares_that_are_none() {
    let says = |validation, test, count| Split { validation, test }.rows(count).unwrap_err().to_string();
    assert!(says(-0.1, 0.1, 50).starts_with("validation is -0.1"));
    assert!(says(1.0, 0.1, 50).starts_with("validation is 1"));
    assert!(says(f64::NAN, 0.1, 50).starts_with("validation is NaN"));
    assert!(says(0.1, 0.0, 50).starts_with("test is 0,"));
    assert!(says(0.1, f64::NAN, 50).starts_with("test is NaN"));
    assert_eq!(says(0.5, 0.5, 50), "25 rows for validation and 25 for testing of 50 leave none for training");
    assert_eq!(Split::default().rows(2).unwrap(), [0, 1]);
    assert_eq!(Split::default().rows(100).unwrap(), [10, 10]);
}

#[test]
fn noise_of_one_level_is_uniform_and_undone() {
    let n = 20_000;
    let integers = Points::new(3, (0..3 * n).map(|i: u64| (i * i % 7) as f64).collect());
    let names = ["a", "b", "c"].map(str::to_string).to_vec();
    let table = Table { names, points: integers, image: None, level: None, rows_read: n as usize };
    let preparation = Preparation {
        dequantise: Some(Level::Own),
        logit: Some(0.05),
        range: Some([0.0, 6.0]),
        ..Preparation::default()
    };
    let prepared = preparation.prepare(table.clone(), "t", Seed(9)).unwrap();
    let back = prepared.transform.undo(&prepared.train);
    let noise: Vec<f64> = back.values().iter().map(|v| v.fract()).collect();
    let count = noise.len() as f64;
    let mean = noise.iter().sum::<f64>() / count;
    let square = noise.iter().map(|u| (u - 0.5).powi(2)).sum::<f64>() / count;
    // five standard errors
    assert!((mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / count).sqrt(), "{mean}");
    assert!((square - 1.0 / 12.0).abs() < 5.0 * (1.0 / 180.0 / count).sqrt(), "{square}");
    // neighbours are independent
    let product = noise.windows(2).map(|p| (p[0] - 0.5) * (p[1] - 0.5)).sum::<f64>() / count;
    assert!(product.abs() < 5.0 / 12.0 / count.sqrt(), "{product}");
    let out = prepared.transform.output(&prepared.train);
    assert!(out.values().iter().all(|v| v.fract() == 0.0 && (0.0..=6.0).contains(v)));
    let again = preparation.prepare(table, "t", Seed(9)).unwrap();
    assert_eq!(again.train, prepared.train);
}

#[test]
fn ranges_and_steps_that_do_not_fit() {
    let says = |change: fn(&mut Preparation)| {
        let mut preparation = Preparation::default();
        change(&mut preparation);
        preparation.prepare(table(10), "t.csv", Seed(0)).err().unwrap().to_string()
    };
    assert!(says(|p| p.logit = Some(0.1)).starts_with("--logit needs the range of the values of t.csv"));
    assert!(says(|p| p.range = Some([2.0, 1.0])).starts_with("--range 2,1"));
    assert!(says(|p| p.range = Some([f64::NAN, 1.0])).starts_with("--range NaN,1"));
    let outside = says(|p| p.range = Some([0.0, 8.0]));
    assert_eq!(outside, "t.csv, row 9, column `i`: 9 lies outside the range 0 to 8");
    assert!(says(|p| p.dequantise = Some(Level::Own)).starts_with("t.csv holds 0.1: only integers"));
    assert!(says(|p| p.dequantise = Some(Level::Step(0.0))).starts_with("--dequantise 0"));
    assert!(says(|p| p.dequantise = Some(Level::Step(f64::NAN))).starts_with("--dequantise NaN"));
    let both = says(|p| (p.logit, p.range) = (Some(0.5), Some([0.0, 10.0])));
    assert!(both.starts_with("the logit's alpha is 0.5"), "{both}");
}
