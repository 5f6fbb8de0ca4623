//! Order statistics: quantiles, and the normal scores of ranks.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// The `q`-quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan 1996).
pub(super) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

/// Φ⁻¹((r − 3/8) / (S + 1/4)) for the rank r of each of S values; equal values share the mean of their ranks (Blom 1958).
pub(super) fn normal_scores(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let count = values.len() as f64;
    let mut scores = vec![0.0; values.len()];
    let mut first = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = first as f64 + 0.5 * (equal.len() + 1) as f64;
        let score = normal_quantile((rank - 0.375) / (count + 0.25));
        equal.iter().for_each(|i| scores[*i] = score);
        first += equal.len();
    }
    scores
}

/// Φ⁻¹(p) for p in (0, 1): Hastings' approximation (Abramowitz and Stegun 26.2.23, error 4.5e-4) and two steps of Halley,
/// each of which cubes the error.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let t = (-2.0 * p.ln()).sqrt();
    let top = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let bottom = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let halley = |x: f64| {
        let error = 0.5 * libm::erfc(-x * FRAC_1_SQRT_2) - p;
        let u = error * TAU.sqrt() * (0.5 * x * x).exp();
        x - u / (1.0 + 0.5 * x * u)
    };
    halley(halley(top / bottom - t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles_are_those_of_tables() {
        // to 16 digits
        for (p, want) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.05, -1.644_853_626_951_472_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-10, -6.361_340_902_404_056),
        ] {
            assert!((normal_quantile(p) - want).abs() < 4e-15 * (1.0 + want.abs()), "{p}: {}", normal_quantile(p));
        }
        for i in 1..1000 {
            let p = f64::from(i) / 1000.0;
            let back = 0.5 * libm::erfc(-normal_quantile(p) * FRAC_1_SQRT_2);
            assert!((back - p).abs() < 4e-16, "{p}");
        }
    }

    #[test]
    fn equal_values_share_their_ranks() {
        // ranks 4, 1.5, 3, 1.5 of 4
        let scores = normal_scores(&[2.0, -1.0, 0.0, -1.0]);
        let want = [3.625, 1.125, 2.625, 1.125].map(|r: f64| normal_quantile(r / 4.25));
        assert_eq!(scores, want);
        assert!(normal_scores(&[3.0; 5]).iter().all(|s| s.abs() < 1e-15));
    }

    #[test]
    fn quantiles_are_linear_between_values() {
        let sorted = [0.0, 1.0, 3.0, 7.0];
        assert_eq!([0.0, 0.5, 0.75, 1.0].map(|q| quantile(&sorted, q)), [0.0, 2.0, 4.0, 7.0]);
        assert_eq!(quantile(&[5.0], 0.5), 5.0);
    }
}
