//! Corners of the plane against normal laws, whose mass there is known, and against points that are counted by hand.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2, TAU};

use super::*;
use crate::data::law::normal_pair;
use crate::data::testing::SplitMix64;

const CORRELATIONS: [f64; 3] = [-0.6, 0.0, 0.8];

/// The mass of a bivariate normal law below both of its medians (Sheppard 1899).
fn orthant(correlation: f64) -> f64 {
    0.25 + correlation.asin() / TAU
}

/// The normal law of unit deviations: four points have its moments.
fn normal_law(correlation: f64) -> BivariateNormal {
    let (sum, difference) = ((1.0 + correlation).sqrt(), (1.0 - correlation).sqrt());
    let (a, b) = ((sum + difference) / SQRT_2, (sum - difference) / SQRT_2);
    BivariateNormal::fit(&Points::new(2, vec![a, b, -a, -b, b, a, -b, -a]))
}

#[test]
fn quantiles_have_their_share_below() {
    let values = [4.0, -1.0, 3.0, 9.0, 2.0];
    for (share, want) in [(0.0, -1.0), (0.2, 2.0), (0.39, 2.0), (0.6, 4.0), (0.8, 9.0)] {
        assert_eq!(quantile(values.to_vec(), share), want, "{share}");
    }
}

#[test]
fn joint_tails_of_ten_points_are_counted_as_by_hand() {
    let y = [9.0, 0.0, 1.0, 3.0, 4.0, 5.0, 7.0, 6.0, 8.0, 2.0];
    let points = Points::new(2, y.iter().enumerate().flat_map(|(x, y)| [x as f64, *y]).collect());
    // three rows are least in x and three in y, of which two are the same; of those that are greatest one
    for (side, end, share) in [(Side::Lower, 3.0, 0.2), (Side::Upper, 6.0, 0.1)] {
        let corner = Corner::beyond(&points, side, 0.3);
        assert_eq!((corner.ends, corner.share(&points)), ([end; 2], share), "{side:?}");
    }
}

#[test]
fn joint_tails_of_normal_draws_at_the_median_are_the_orthants() {
    let count = 20_000;
    for correlation in CORRELATIONS {
        let (mut rng, rest) = (SplitMix64(5), (1.0 - correlation * correlation).sqrt());
        let row = |_: usize| {
            let [a, b] = normal_pair(&mut rng);
            [a, correlation * a + rest * b]
        };
        let points = Points::new(2, (0..count).flat_map(row).collect());
        let want = orthant(correlation);
        // beyond medians of the sample itself the share is hypergeometric for independent columns, and has this variance
        // for all
        let error = (want * (0.5 - want) / count as f64).sqrt();
        for side in SIDES {
            let share = Corner::beyond(&points, side, 0.5).share(&points);
            assert!((share - want).abs() <= 5.0 * error, "{side:?} {correlation}: {share}, not {want} +- {error}");
        }
    }
}

#[test]
fn the_mass_of_normal_laws_in_corners_is_known() {
    let grid = Grid::covering(&[[-8.0, 8.0]; 2], 800).unwrap();
    let (cells, volume) = (grid.points(), grid.cell_volume());
    let mass = |correlation: f64, side: Side, ends: [f64; 2]| {
        let law = normal_law(correlation);
        let logs: Vec<f64> = cells.rows().map(|x| law.log_density(x)).collect();
        Corner { side, ends }.mass(&cells, &logs, volume)
    };
    // what the midpoint rule misses at an edge through the middle, h²/12 ρ / (2π √(1 − ρ²)), is 7e-6 at most
    for correlation in CORRELATIONS {
        for side in SIDES {
            let (got, want) = (mass(correlation, side, [0.0; 2]), orthant(correlation));
            assert!((got - want).abs() < 1e-5, "{side:?} {correlation}: {got}, not {want}");
        }
    }
    // ends that are not alike tell below from above
    let below = |x: f64| 0.5 * libm::erfc(-x * FRAC_1_SQRT_2);
    for (side, want) in [(Side::Lower, below(0.5) * below(-0.3)), (Side::Upper, below(-0.5) * below(0.3))] {
        let got = mass(0.0, side, [0.5, -0.3]);
        assert!((got - want).abs() < 1e-5, "{side:?}: {got}, not {want}");
    }
}
