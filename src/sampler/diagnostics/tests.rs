//! Diagnostics against numbers from a separate transcription of the published algorithm, against the closed form for
//! autoregressive chains, and on draws that are no good.

use super::*;
use crate::random::{Seed, Stream, normals};

/// x ← ρ x + u with u from a linear congruence, so that any language repeats it exactly.
fn congruent(seed: u64, draws: usize, rho: f64) -> Vec<f64> {
    let (mut state, mut x) = (seed, 0.0);
    let mut next = || {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        x = rho * x + (state as f64 / (1u64 << 31) as f64 - 0.5);
        x
    };
    (0..draws).map(|_| next()).collect()
}

/// Chains as `[draws, chains, 1]`.
fn together(chains: &[Vec<f64>]) -> (Vec<f64>, [usize; 3]) {
    let draws = chains[0].len();
    let values = (0..draws).flat_map(|i| chains.iter().map(move |c| c[i])).collect();
    (values, [draws, chains.len(), 1])
}

fn of(chains: &[Vec<f64>]) -> Coordinate {
    let (values, shape) = together(chains);
    diagnose(&values, shape).expect("draws").coordinates[0]
}

#[test]
fn the_numbers_are_those_of_a_separate_transcription() {
    let plain = |seeds: std::ops::Range<u64>, draws, rho| seeds.map(|s| congruent(s, draws, rho)).collect::<Vec<_>>();
    let changed = |mut chains: Vec<Vec<f64>>, f: fn(f64, f64) -> f64| {
        for (c, chain) in chains.iter_mut().enumerate() {
            chain.iter_mut().for_each(|v| *v = f(c as f64, *v));
        }
        chains
    };
    // mean error, R-hat, bulk and tail ESS, from chains of odd and even length
    let cases = [
        (plain(1..5, 101, 0.6), [0.035_569_403_293_5, 1.021_162_788_57, 107.973_007_064, 128.078_925_613]),
        (
            changed(plain(1..4, 60, 0.6), |c, v| 0.3 * c + v),
            [0.073_598_939_218_4, 1.098_701_959_24, 36.280_828_657_7, 60.583_510_870_6],
        ),
        (
            changed(plain(1..4, 200, 0.6), |c, v| (1.0 + 2.0 * c) * v),
            [0.096_172_179_783_5, 1.263_021_169_4, 181.339_371_089, 71.766_790_284_1],
        ),
        (plain(7..8, 50, -0.5), [0.037_629_721_211_9, 0.980_070_486_461, 84.948_500_216_8, 62.536_699_941_3]),
        (
            changed(plain(1..3, 81, 0.6), |_, v| (4.0 * v).round_ties_even() / 4.0),
            [0.065_501_881_165_4, 1.016_690_451_66, 40.049_809_609_3, 99.187_105_230_1],
        ),
        (plain(3..5, 40, 0.98), [0.314_165_305_56, 1.526_376_712_2, 4.288_570_858_37, 29.901_639_344_3]),
    ];
    for (i, (chains, want)) in cases.iter().enumerate() {
        let c = of(chains);
        for (got, want) in [c.mean_error, c.r_hat, c.bulk_ess, c.tail_ess].into_iter().zip(want) {
            assert!((got / want - 1.0).abs() < 1e-10, "case {i}: {got}, not {want}");
        }
    }
}

/// x ← ρ x + √(1 − ρ²) z, from the stationary law.
fn autoregressive(chains: usize, draws: usize, rho: f64, seed: u64) -> Vec<f64> {
    let normal = |c: usize, i: usize| normals::<f64>(Seed(seed).words(Stream::Host, c as u32, i as u32, 0))[0];
    let mut x: Vec<f64> = (0..chains).map(|c| normal(c, 0)).collect();
    let mut values = x.clone();
    for i in 1..draws {
        x.iter_mut().enumerate().for_each(|(c, x)| *x = rho * *x + (1.0 - rho * rho).sqrt() * normal(c, i));
        values.extend_from_slice(&x);
    }
    values
}

#[test]
fn autoregressive_chains_have_their_known_ess() {
    let (chains, draws) = (8, 5000);
    for rho in [0.0, 0.5, 0.9, -0.4] {
        let values = autoregressive(chains, draws, rho, 71);
        let c = diagnose(&values, [draws, chains, 1]).expect("draws").coordinates[0];
        let total = (chains * draws) as f64;
        let want = total * (1.0 - rho) / (1.0 + rho);
        // The variance of a sum of W correlations is about 4 W τ² / N (Sokal 1997, eq. 3.19), with the sum cut after W
        // lags; noise is cut where ρ^W is below the error 1 / √N of a correlation: W = ln N / 2 |ln ρ|, at least 4.
        let window = (0.5 * total.ln() / -rho.abs().max(1e-6).ln()).max(4.0);
        let error = (4.0 * window / total).sqrt();
        eprintln!("rho {rho}: bulk {:.0}, exact {want:.0}, error {:.0}", c.bulk_ess, error * want);
        assert!((c.bulk_ess / want - 1.0).abs() < 5.0 * error, "rho {rho}: {} for {want}", c.bulk_ess);
        // the same in the error of the mean, which itself is within 5 of them
        let exact = (1.0 / want).sqrt();
        assert!((c.mean_error / exact - 1.0).abs() < 2.5 * error + 5.0 / (2.0 * want).sqrt(), "rho {rho}");
        assert!(c.mean.abs() < 5.0 * exact, "rho {rho}: mean {}", c.mean);
        // R-hat − 1 is about χ² / 2 n of a half's ESS
        assert!((0.999..1.005).contains(&c.r_hat), "rho {rho}: R-hat {}", c.r_hat);
        assert!(c.tail_ess > 0.3 * want && c.tail_ess < 1.3 * total, "rho {rho}: tail {}", c.tail_ess);
    }
}

#[test]
fn chains_that_disagree_are_seen() {
    let (chains, draws) = (4, 500);
    let mut values = autoregressive(chains, draws, 0.2, 72);
    let fine = diagnose(&values, [draws, chains, 1]).expect("draws");
    assert!(fine.warnings().is_empty(), "{:?}", fine.warnings());
    values.iter_mut().enumerate().for_each(|(i, v)| *v += 0.8 * (i % chains) as f64);
    let shifted = diagnose(&values, [draws, chains, 1]).expect("draws");
    assert!(shifted.coordinates[0].r_hat > 1.1);
    assert!(shifted.warnings()[0].starts_with("R-hat of coordinate 1 is 1."), "{:?}", shifted.warnings());
    assert!(shifted.warnings()[1].starts_with("the bulk ESS of coordinate 1 is "), "{:?}", shifted.warnings());

    // chains of equal mean and different spread, and one chain that drifts
    let mut values = autoregressive(chains, draws, 0.2, 73);
    values.iter_mut().enumerate().for_each(|(i, v)| *v *= (1 + i % chains) as f64);
    assert!(diagnose(&values, [draws, chains, 1]).expect("draws").coordinates[0].r_hat > 1.1);
    let mut values = autoregressive(1, draws, 0.2, 74);
    values.iter_mut().enumerate().for_each(|(i, v)| *v += 0.004 * i as f64);
    assert!(diagnose(&values, [draws, 1, 1]).expect("draws").coordinates[0].r_hat > 1.1);
}

#[test]
fn coordinates_are_kept_apart_and_f32_will_do() {
    let (chains, draws) = (3, 40);
    let columns = [75, 76].map(|seed| autoregressive(chains, draws, 0.5, seed));
    let both: Vec<f32> = columns[0].iter().zip(&columns[1]).flat_map(|(a, b)| [*a as f32, *b as f32]).collect();
    let got = diagnose(&both, [draws, chains, 2]).expect("draws");
    for (n, column) in columns.iter().enumerate() {
        let single: Vec<f32> = column.iter().map(|v| *v as f32).collect();
        let want = diagnose(&single, [draws, chains, 1]).expect("draws").coordinates[0];
        assert_eq!(got.coordinates[n], want);
        assert!((want.bulk_ess / of_f64(column, draws, chains).bulk_ess - 1.0).abs() < 1e-5);
    }
}

fn of_f64(values: &[f64], draws: usize, chains: usize) -> Coordinate {
    diagnose(values, [draws, chains, 1]).expect("draws").coordinates[0]
}

#[test]
fn draws_that_are_no_good_are_told_apart() {
    let (chains, draws) = (4, 50);
    let good = autoregressive(chains, draws, 0.0, 77);
    let says = |values: &[f64], shape| diagnose(values, shape).expect("draws").warnings().join("\n");

    let mut poisoned = good.clone();
    (poisoned[7], poisoned[9]) = (f64::NAN, f64::INFINITY);
    let told = says(&poisoned, [draws, chains, 1]);
    assert_eq!(told, "2 of 200 numbers are not finite: the chains diverged, a smaller step may help");
    assert!(of_f64(&poisoned, draws, chains).mean.is_nan());

    let mut stuck = good.clone();
    stuck.iter_mut().skip(2).step_by(chains).for_each(|v| *v = 0.25);
    assert!(says(&stuck, [draws, chains, 1]).starts_with("1 of 4 chains never moved: they are stuck"));
    let constant = diagnose(&[1.5; 200], [draws, chains, 1]).expect("draws");
    let told = constant.warnings().join("\n");
    assert_eq!(told, "all 4 chains never moved: they are stuck, or every proposal was rejected");
    assert!(constant.coordinates[0].r_hat.is_nan() && constant.coordinates[0].mean == 1.5);
    let apart: Vec<f64> = (0..200).map(|i| f64::from(i % 4)).collect();
    assert!(of_f64(&apart, draws, chains).r_hat > 1e6);

    let few = "5 draws of each chain are too few: R-hat and ESS need 20 or more";
    assert_eq!(says(&good[..20], [5, chains, 1]), few);
    assert_eq!(says(&[0.5], [1, 1, 1]), "1 draws of each chain are too few: R-hat and ESS need 20 or more");
    let short = says(&good[..80], [20, chains, 1]);
    assert!(short.contains("the bulk ESS of coordinate 1 is "), "{short}");

    let walled: Vec<f64> = good.iter().map(|v| v.min(0.3)).collect();
    let told = says(&walled, [draws, chains, 1]);
    assert!(told.contains("1 of 1 coordinates have no tail ESS"), "{told}");

    assert!(diagnose::<f64>(&[], [0, 4, 1]).is_err());
    let wrong = diagnose(&good, [draws, chains, 2]).expect_err("refused").to_string();
    assert_eq!(wrong, "200 values are no 50 draws of 4 chains in 2 coordinates");
}

#[test]
fn many_coordinates_make_one_sentence() {
    let coordinate = |r_hat, bulk_ess| Coordinate {
        mean: 0.0,
        standard_deviation: 1.0,
        mean_error: 0.1,
        r_hat,
        bulk_ess,
        tail_ess: 500.0,
        not_finite: 0,
        still: 0,
    };
    let coordinates = vec![coordinate(1.5, 20.0), coordinate(1.0, 500.0), coordinate(1.75, 7.25)];
    let told = Diagnostics { draws: 100, chains: 4, coordinates }.warnings();
    let want = [
        "R-hat of 2 of 3 coordinates (coordinate 3: 1.750) is above 1.01, the chains disagree as if each saw a law of its own: run the chains longer",
        "the bulk ESS of 2 of 3 coordinates (coordinate 3: 7.250) is below 400: run the chains longer",
    ];
    assert_eq!(told, want);
    // many short chains may have forgotten all, long ones have not
    for (bulk_ess, words) in [
        (
            500.0,
            "1.050, above 1.01, and each chain is short, of about 5.0 independent draws: R-hat is as large for chains that",
        ),
        (20_000.0, "1.050, above 1.01, the chains have not quite forgotten where they started: run the chains longer"),
    ] {
        let told = Diagnostics { draws: 400, chains: 100, coordinates: vec![coordinate(1.05, bulk_ess)] }.warnings();
        assert!(told.len() == 1 && told[0].starts_with(&format!("R-hat of coordinate 1 is {words}")), "{told:?}");
    }
    let stuck = Coordinate { still: 4, ..coordinate(1.05, 20.0) };
    let told = Diagnostics { draws: 100, chains: 4, coordinates: vec![stuck] }.warnings();
    assert_eq!(told, ["all 4 chains never moved: they are stuck, or every proposal was rejected"]);
    let alone = Diagnostics { draws: 100, chains: 1, coordinates: vec![coordinate(1.5, 500.0)] }.warnings();
    assert_eq!(
        alone,
        ["R-hat of coordinate 1 is 1.500, above 1.01, the halves of the chain disagree: run the chains longer"]
    );
}
