//! Every transform against its inverse, its determinant by differences, and what it says of itself.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::random::{Seed, Stream};

/// 400 points in three correlated, skewed dimensions, all in (0, 1).
fn points() -> Points {
    let mut points = Points::normal::<f64>(400, 3, Seed(4), Stream::Host, 7);
    for row in points.values_mut().chunks_exact_mut(3) {
        row[1] += 0.8 * row[0];
        row[2] += row[0] * row[1] - 0.5 * row[1];
        row.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp()));
    }
    points
}

fn names() -> Vec<String> {
    ["a", "b", "c"].map(str::to_string).to_vec()
}

fn all() -> Vec<Transform> {
    use TransformKind::{Joint, None as Nothing, Standardise, Whiten};
    let mut all = Vec::new();
    for kind in [Standardise, Joint, Whiten, Nothing] {
        for logit in [None, Some(Logit::new(0.05, [-0.5, 1.25]).unwrap())] {
            let level = logit.map(|_| 0.25);
            let mut transform = Transform { level, logit, ..Transform::identity(3) };
            transform.linear = Linear::fit(kind, &transform.apply(&points()), &names()).unwrap();
            all.push(transform);
        }
    }
    all
}

fn close(a: &[f64], b: &[f64], bound: f64) {
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= bound * (1.0 + b.abs()), "{a} is not {b}");
    }
}

#[test]
fn undo_returns_and_metadata_repeat_the_transform() {
    for transform in all() {
        let inside = transform.apply(&points());
        close(transform.undo(&inside).values(), points().values(), 1e-12);
        let metadata = transform.metadata().into_iter().map(|(k, v)| (k.to_string(), v)).collect();
        assert_eq!(Transform::from_metadata(&metadata, 3, Path::new("m")).unwrap(), transform);
    }
}

#[test]
fn each_kind_gives_the_moments_that_it_promises() {
    let covariance = |kind| {
        let map = Linear::fit(kind, &points(), &names()).unwrap();
        let mut z = points();
        map.apply_to(&mut z);
        let n = z.count() as f64;
        let mean: Vec<f64> = (0..3).map(|a| z.rows().map(|x| x[a]).sum::<f64>() / n).collect();
        let entry = |a: usize, b: usize| z.rows().map(|x| (x[a] - mean[a]) * (x[b] - mean[b])).sum::<f64>() / n;
        ((0..9).map(|k| entry(k / 3, k % 3)).collect::<Vec<_>>(), mean)
    };
    let (whitened, mean) = covariance(TransformKind::Whiten);
    close(&whitened, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 1e-12);
    close(&mean, &[0.0; 3], 1e-13);
    let (standard, _) = covariance(TransformKind::Standardise);
    close(&[standard[0], standard[4], standard[8]], &[1.0; 3], 1e-13);
    assert!(standard[1].abs() > 0.1, "standardising leaves correlations");
    let (joint, mean) = covariance(TransformKind::Joint);
    let all = joint[0] + joint[4] + joint[8] + mean.iter().map(|m| m * m).sum::<f64>();
    close(&[all / 3.0, mean.iter().sum()], &[1.0, 0.0], 1e-13);
}

/// ln |det ∂z/∂x| and the chain rule of scores against central differences.
#[test]
fn stretches_and_scores_are_derivatives() {
    let step = 1e-5;
    for transform in all() {
        for row in points().rows().take(5) {
            let x = Points::new(3, row.to_vec());
            let moved = |axis: usize, by: f64| {
                let mut x = x.clone();
                x.values_mut()[axis] += by;
                transform.apply(&x)
            };
            let mut jacobian = [[0.0; 3]; 3];
            for (axis, column) in jacobian.iter_mut().enumerate() {
                let (above, below) = (moved(axis, step), moved(axis, -step));
                for (entry, (a, b)) in column.iter_mut().zip(above.values().iter().zip(below.values())) {
                    *entry = (a - b) / (2.0 * step);
                }
            }
            let [a, b, c] = jacobian;
            let minor = |i: usize, j: usize| b[i] * c[j] - b[j] * c[i];
            let determinant = a[0] * minor(1, 2) - a[1] * minor(0, 2) + a[2] * minor(0, 1);
            close(&transform.log_stretches(&transform.apply(&x)), &[determinant.abs().ln()], 1e-7);

            // q(z) is standard normal
            let log = |z: &Points| -0.5 * z.values().iter().map(|v| v * v).sum::<f64>() + transform.log_stretches(z)[0];
            let slope = |axis: usize| (log(&moved(axis, step)) - log(&moved(axis, -step))) / (2.0 * step);
            let mut scores = transform.apply(&x);
            scores.values_mut().iter_mut().for_each(|v| *v = -*v);
            transform.scores_outside(&x, &mut scores);
            close(scores.values(), &[slope(0), slope(1), slope(2)], 1e-6);

            let z = transform.apply(&x);
            let mut energies = vec![0.5 * z.values().iter().map(|v| v * v).sum::<f64>()];
            transform.energies_outside(&z, &mut energies);
            let constant = if transform.logit.is_some() { 0.0 } else { transform.log_stretches(&z)[0] };
            close(&energies, &[constant - log(&z)], 1e-12);
        }
    }
}

#[test]
fn moments_go_through_linear_maps() {
    let map = Linear::fit(TransformKind::Whiten, &points(), &names()).unwrap();
    let [mean, variance] = map.moments(&[0.0; 3], &[1.0; 3]);
    let standard = Standardizer::fit(&points());
    close(&mean, &standard.mean, 1e-12);
    close(&variance, &standard.scale.iter().map(|s| s * s).collect::<Vec<_>>(), 1e-12);
}

#[test]
fn dequantised_output_is_rounded_down() {
    let transform = Transform { level: Some(0.25), ..Transform::identity(1) };
    let points = Points::new(1, vec![0.26, 0.49, 0.5, -0.1]);
    assert_eq!(transform.output(&points).values(), [0.25, 0.25, 0.5, -0.25]);
    assert_eq!(transform.undo(&points), points);
    // uniform on [0, 64] in two dimensions: 256 steps each
    let bits = transform.bits_per_dim(2.0 * 64f64.ln(), 2).unwrap();
    assert!((bits - 8.0).abs() < 1e-12, "{bits}");
    assert_eq!(Transform::identity(2).bits_per_dim(1.0, 2), None);
}

#[test]
fn what_cannot_be_whitened_is_named() {
    let says = |row: fn(f64, f64) -> [f64; 3]| {
        let values: Vec<f64> = points().rows().flat_map(|x| row(x[0], x[1])).collect();
        Whitening::fit(&Points::new(3, values), &names()).unwrap_err().to_string()
    };
    assert!(says(|a, b| [a, b, a - b]).ends_with("column `c` is a combination of the columns before it"));
    // the same, rounded to f32
    assert!(says(|a, b| [a, b, f64::from((a - b) as f32)]).ends_with("`c` is a combination of the columns before it"));
    assert!(says(|a, b| [a, 0.0, b]).ends_with("column `b` holds one value only"));
    assert!(says(|a, b| [1e200 * a, 0.0, b]).ends_with("column `a` is too large"));
}

#[test]
fn metadata_that_is_broken() {
    let says = |entries: &[(&str, &str)]| {
        let metadata = entries.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect();
        Transform::from_metadata(&metadata, 2, Path::new("m.safetensors")).unwrap_err().to_string()
    };
    let pair = "do not go together";
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("mean", "[0, 1]")], pair),
        (&[("scale", "[1, 1]")], pair),
        (&[("mean", "[0, 0]"), ("scale", "[1, 0]")], pair),
        (&[("mean", "[0, 0]"), ("scale", "[1, 1]"), ("factor", "[1, 0, 1]")], pair),
        (&[("mean", "[0, 0, 0]")], "its mean are no 2 numbers"),
        (&[("mean", "[0, 0]"), ("factor", "[1, 0]")], "its factor are no 3 numbers"),
        (&[("mean", "[0, 0]"), ("factor", "[1, 0, -1]")], "no positive diagonal"),
        (&[("logit", "0.1")], "its logit has no range"),
        (&[("logit", "0.7"), ("range", "[0, 1]")], "alpha is 0.7"),
        (&[("logit", "0.1"), ("range", "[1, 1]")], "range 1 to 1"),
        (&[("level", "-1")], "its level is -1"),
        (&[("level", "oak")], "its level are no 1 numbers: oak"),
    ];
    for (entries, sentence) in cases {
        let said = says(entries);
        assert!(said.starts_with("m.safetensors") && said.contains(sentence), "{entries:?}: {said}");
    }
    // what other programs and earlier versions write
    let old = [("mean".to_string(), "[1.0, 2.0]".to_string()), ("scale".to_string(), "[3.0, 4.0]".to_string())];
    let read = |metadata| Transform::from_metadata(&metadata, 2, Path::new("m")).unwrap();
    assert_eq!(read(old.into()).columns().unwrap().scale, [3.0, 4.0]);
    assert_eq!(read(HashMap::new()), Transform::identity(2));
}
