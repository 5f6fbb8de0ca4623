#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::pairs::PairSums;
use super::relabel::Labels;
use super::sliced::Projections;
use super::{Statistic, TwoSamples, compare};
use crate::data::law::normal;
use crate::data::testing::SplitMix64;
use crate::points::Points;
use crate::random::Seed;

fn gaussian_points(count: usize, dim: usize, seed: u64, shift: f64) -> Points {
    let mut rng = SplitMix64(seed);
    Points::new(dim, (0..count * dim).map(|_| shift + normal(&mut rng)).collect())
}

fn line(values: &[f64]) -> Points {
    Points::new(1, values.to_vec())
}

fn sliced(a: &Points, b: &Points, directions: usize) -> f64 {
    let in_first: Vec<bool> = (0..a.count() + b.count()).map(|i| i < a.count()).collect();
    let rows = |points: &'static Points| points.rows().collect::<Vec<&[f64]>>();
    let leak = |points: &Points| -> &'static Points { Box::leak(Box::new(points.clone())) };
    Projections::new(&rows(leak(a)), &rows(leak(b)), directions, &mut SplitMix64(7)).distance(&in_first)
}

#[test]
fn sliced_wasserstein_of_a_shift_and_of_unequal_counts() {
    // quantiles of {0, 1} and {0, 1, 5}: (0-0)² / 3 + (0-1)² / 6 + (1-1)² / 6 + (1-5)² / 3
    let got = sliced(&line(&[1.0, 0.0]), &line(&[5.0, 0.0, 1.0]), 3);
    assert!((got - (1.0f64 / 6.0 + 16.0 / 3.0).sqrt()).abs() < 1e-12, "{got}");
    // a shift by m projects to m cos: the mean square is ‖m‖² / 2 in the plane
    let (a, b) = (gaussian_points(500, 2, 8, 0.0), gaussian_points(500, 2, 8, 3.0));
    let got = sliced(&a, &b, 20_000).powi(2);
    assert!((got - 9.0).abs() < 5.0 * 9.0 / 2f64.sqrt() / 20_000f64.sqrt(), "{got}");
    assert!(sliced(&a, &Points::new(2, vec![]), 3).is_nan());
}

/// The statistics of a few points, by hand from all pairs of them: [mmd2, energy distance].
fn by_hand(a: &[f64], b: &[f64]) -> [f64; 2] {
    let pool = [a, b].concat();
    let mut squares: Vec<f64> =
        (0..pool.len()).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| (pool[i] - pool[j]).powi(2)).collect();
    squares.sort_by(f64::total_cmp);
    let width = squares[squares.len() / 2];
    let mean = |x: &[f64], y: &[f64], f: &dyn Fn(f64) -> f64| {
        let own = x.as_ptr() == y.as_ptr();
        let pairs = (0..x.len()).flat_map(|i| (0..y.len()).map(move |j| (i, j))).filter(|(i, j)| !own || i != j);
        let values: Vec<f64> = pairs.map(|(i, j)| f((x[i] - y[j]).powi(2))).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let kernel = |s: f64| (-0.5 * s / width).exp();
    let of = |f: &dyn Fn(f64) -> f64| mean(a, a, f) + mean(b, b, f) - 2.0 * mean(a, b, f);
    [of(&kernel), -of(&f64::sqrt)]
}

fn sums(a: &[f64], b: &[f64]) -> PairSums {
    let rows = |values: &'static [f64]| values.chunks(1).collect::<Vec<_>>();
    let leak = |values: &[f64]| -> &'static [f64] { values.to_vec().leak() };
    let labels = Labels::draw(a.len(), b.len(), 20, &mut SplitMix64(3));
    PairSums::new(&rows(leak(a)), &rows(leak(b)), &labels)
}

#[test]
fn statistics_of_pairs_are_those_of_their_definition() {
    let (a, b) = ([0.0, 1.0, 4.0, -2.0], [0.5, 1.5, 7.0]);
    let (got, want) = (sums(&a, &b), by_hand(&a, &b));
    assert!((got.mmd2().value - want[0]).abs() < 1e-14, "{:?} {want:?}", got.mmd2());
    assert!((got.energy_distance().value - want[1]).abs() < 1e-14, "{:?} {want:?}", got.energy_distance());
    // two clusters of 6: all neighbours are alike where they are the samples, and half of them where they are not
    let near: Vec<f64> = (0..6).map(f64::from).collect();
    let far: Vec<f64> = (0..6).map(|i| 100.0 + f64::from(i)).collect();
    assert_eq!(sums(&near, &far).neighbours().value, 1.0);
    let (even, odd): (Vec<f64>, Vec<f64>) =
        ((0..40).map(|i| f64::from(2 * i)).collect(), (0..40).map(|i| f64::from(2 * i + 1)).collect());
    let mixed = sums(&even, &odd).neighbours().value;
    // the five nearest on a line of alternating labels: two on each side and one beyond, of which two or three are alike
    assert!((0.35..0.5).contains(&mixed), "{mixed}");
}

#[test]
fn neighbours_are_counted_as_by_hand() {
    let (a, b) = (gaussian_points(37, 3, 11, 0.0), gaussian_points(37, 3, 12, 0.7));
    let pool: Vec<&[f64]> = a.rows().chain(b.rows()).collect();
    let apart = |i: usize, j: usize| pool[i].iter().zip(pool[j]).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    // point j is among the five nearest of i if fewer than five others are nearer
    let nearer = |i: usize, j: usize| (0..74).filter(|k| *k != i && apart(i, *k) < apart(i, j)).count();
    let pairs = (0..74).flat_map(|i| (0..74).map(move |j| (i, j))).filter(|(i, j)| i != j);
    let neighbours: Vec<(usize, usize)> = pairs.filter(|(i, j)| nearer(*i, *j) < 5).collect();
    assert_eq!(neighbours.len(), 5 * 74);
    let alike = neighbours.iter().filter(|(i, j)| (*i < 37) == (*j < 37)).count();
    let got = compare(&a, &b, Seed(2)).unwrap().neighbours.value;
    assert!((got - alike as f64 / 370.0).abs() < 1e-12 && got > 0.55, "{got} {alike}");
}

#[test]
fn relabelled_pools_keep_their_counts_and_differ() {
    let labels = Labels::draw(30, 50, 40, &mut SplitMix64(5));
    let of = |l: usize| (0..80).map(|i| labels.of(i)[l]).collect::<Vec<_>>();
    assert!(of(0).iter().enumerate().all(|(i, u)| (*u == 1.0) == (i < 30)));
    for l in 1..labels.count() {
        assert_eq!(of(l).iter().sum::<f64>(), 30.0);
        assert_ne!(of(l), of(l - 1));
    }
    // each point is in the first sample in 30 of 80 labellings: over 40, at most 5 standard deviations off
    for i in 0..80 {
        let share = labels.of(i)[1..].iter().sum::<f64>() / 40.0;
        assert!((share - 0.375).abs() < 5.0 * (0.375f64 * 0.625 / 40.0).sqrt(), "{i}: {share}");
    }
}

fn all(found: TwoSamples) -> [(&'static str, Statistic); 4] {
    [
        ("swd", found.swd),
        ("mmd2", found.mmd2),
        ("energy_distance", found.energy_distance),
        ("neighbours", found.neighbours),
    ]
}

#[test]
fn two_samples_of_one_law_lie_in_their_null_intervals_and_others_do_not() {
    let repeats = 100;
    let mut inside = [0; 4];
    let mut small = [0; 4];
    for i in 0..repeats {
        let found =
            compare(&gaussian_points(60, 2, 2 * i, 0.0), &gaussian_points(80, 2, 2 * i + 1, 0.0), Seed(i)).unwrap();
        for (k, (_, s)) in all(found).into_iter().enumerate() {
            inside[k] += usize::from((s.null[0]..=s.null[1]).contains(&s.value));
            small[k] += usize::from(s.p_value <= 0.05);
        }
    }
    // binomial with 95 and 5 of 100: 5 standard deviations are 11
    assert!(inside.iter().all(|n| *n >= 84) && inside.iter().sum::<usize>() < 398, "{inside:?}");
    assert!(small.iter().all(|n| *n <= 16), "{small:?}");
    assert!(small.iter().sum::<usize>() > 0, "{small:?}");
    let moved = compare(&gaussian_points(300, 2, 900, 0.0), &gaussian_points(300, 2, 901, 0.6), Seed(1)).unwrap();
    for (name, s) in all(moved) {
        assert!(s.value > s.null[1] && s.p_value == 1.0 / 120.0, "{name}: {s:?}");
    }
}

#[test]
fn unbiased_statistics_average_to_nothing_under_one_law() {
    let repeats = 200;
    let found = (0..repeats).map(|i| {
        let found =
            compare(&gaussian_points(20, 2, 2 * i, 0.0), &gaussian_points(30, 2, 2 * i + 1, 0.0), Seed(i)).unwrap();
        [found.mmd2.value, found.energy_distance.value]
    });
    let found: Vec<[f64; 2]> = found.collect();
    for k in 0..2 {
        let mean = found.iter().map(|f| f[k]).sum::<f64>() / repeats as f64;
        let deviation = (found.iter().map(|f| (f[k] - mean).powi(2)).sum::<f64>() / repeats as f64).sqrt();
        assert!(mean.abs() < 5.0 * deviation / (repeats as f64).sqrt(), "{k}: {mean} {deviation}");
        assert!(found.iter().any(|f| f[k] < 0.0));
    }
}

#[test]
fn two_samples_at_their_edges() {
    let same = Points::new(2, vec![1.0; 12]);
    let found = compare(&same, &same, Seed(1)).unwrap();
    assert_eq!((found.mmd2.value, found.energy_distance.value, found.swd.value), (0.0, 0.0, 0.0));
    // equal distances do not favour a sample
    let many = Points::new(2, vec![1.0; 400]);
    let share = compare(&many, &many, Seed(1)).unwrap().neighbours.value;
    assert!((0.4..0.6).contains(&share), "{share}");
    assert!(compare(&same, &Points::new(2, vec![1.0, 1.0]), Seed(1)).is_none());
    assert!(compare(&same, &Points::new(2, vec![1.0, f64::INFINITY, 0.0, 0.0]), Seed(1)).is_none());
}

#[test]
fn the_same_bits_whatever_the_threads() {
    let (a, b) = (gaussian_points(400, 3, 1, 0.0), gaussian_points(300, 3, 2, 0.1));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| compare(&a, &b, Seed(4)))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn intervals_hold_95_of_100() {
    let values = |n: usize| (1..=n).map(|i| i as f64).collect::<Vec<_>>();
    // of 40, 120 and 200 equally likely places of one more value 1, 3 and 5 lie beyond each end
    assert_eq!(super::central(&values(39)), [1.0, 39.0]);
    assert_eq!(super::central(&values(119)), [3.0, 117.0]);
    assert_eq!(super::central(&values(199)), [5.0, 195.0]);
}

/// More rows than are looked at, in the order of their values: those that are kept have to stand for all.
#[test]
fn long_samples_are_thinned_evenly() {
    let in_order = |seed: u64, shift: f64| {
        let mut values = gaussian_points(12_001, 1, seed, shift).values().to_vec();
        values.sort_unstable_by(f64::total_cmp);
        line(&values)
    };
    for (shift, same) in [(0.0, true), (0.2, false)] {
        let found = compare(&in_order(21, shift), &gaussian_points(12_001, 1, 22, 0.0), Seed(3)).unwrap();
        for statistic in [found.swd, found.mmd2, found.energy_distance] {
            assert_eq!(statistic.p_value > 0.02, same, "{statistic:?}");
        }
        assert!(found.neighbours.p_value > 0.02 || !same, "{:?}", found.neighbours);
        assert!(same || (found.swd.value - shift).abs() < 0.05, "{:?}", found.swd);
    }
}
