//! What an energy is put against on two columns of data: a bivariate normal, and a Gaussian copula with the columns' own
//! margins.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use crate::points::Points;
use crate::sampler::diagnostics::normal_quantile;

/// A normal law in the plane, fitted by maximum likelihood.
#[derive(Debug, Clone)]
pub(super) struct BivariateNormal {
    mean: [f64; 2],
    deviation: [f64; 2],
    correlation: f64,
}

impl BivariateNormal {
    pub(super) fn fit(points: &Points) -> Self {
        let count = points.count() as f64;
        let mean = [0, 1].map(|n| points.rows().map(|x| x[n]).sum::<f64>() / count);
        let moment =
            |m: usize, n: usize| points.rows().map(|x| (x[m] - mean[m]) * (x[n] - mean[n])).sum::<f64>() / count;
        let deviation = [moment(0, 0).sqrt(), moment(1, 1).sqrt()];
        Self { mean, deviation, correlation: moment(0, 1) / (deviation[0] * deviation[1]) }
    }

    pub(super) fn log_density(&self, x: &[f64]) -> f64 {
        let z = [0, 1].map(|n| (x[n] - self.mean[n]) / self.deviation[n]);
        log_copula(z, self.correlation)
            - 0.5 * (z[0] * z[0] + z[1] * z[1])
            - TAU.ln()
            - (self.deviation[0] * self.deviation[1]).ln()
    }
}

/// ln of the density of the Gaussian copula of this correlation at the normal scores `z`.
fn log_copula(z: [f64; 2], correlation: f64) -> f64 {
    let rest = 1.0 - correlation * correlation;
    let quadratic = correlation * correlation * (z[0] * z[0] + z[1] * z[1]) - 2.0 * correlation * z[0] * z[1];
    -0.5 * (rest.ln() + quadratic / rest)
}

/// The margins of the data joined by a Gaussian copula, whose correlation is that of the normal scores.
#[derive(Debug, Clone)]
pub(super) struct GaussianCopula {
    margins: [Margin; 2],
    correlation: f64,
}

impl GaussianCopula {
    pub(super) fn fit(points: &Points) -> Self {
        let margins = [0, 1].map(|n| Margin::fit(points.rows().map(|x| x[n]).collect()));
        let scores = points.rows().map(|x| [margins[0].score(x[0]), margins[1].score(x[1])]);
        let [mut squares, mut cross] = [[0.0; 2], [0.0; 2]];
        for z in scores {
            squares = [squares[0] + z[0] * z[0], squares[1] + z[1] * z[1]];
            cross[0] += z[0] * z[1];
        }
        Self { margins, correlation: cross[0] / (squares[0] * squares[1]).sqrt() }
    }

    pub(super) fn log_density(&self, x: &[f64]) -> f64 {
        let [a, b] = [0, 1].map(|n| self.margins[n].at(x[n]));
        a.log_density + b.log_density + log_copula([a.score, b.score], self.correlation)
    }

    /// ln q at all pairs of `x` and `y`, the last fastest.
    pub(super) fn on_axes(&self, x: &[f64], y: &[f64]) -> Vec<f64> {
        let [a, b] = [(x, 0), (y, 1)].map(|(at, n)| at.iter().map(|v| self.margins[n].at(*v)).collect::<Vec<_>>());
        let pair =
            |a: &Place, b: &Place| a.log_density + b.log_density + log_copula([a.score, b.score], self.correlation);
        a.iter().flat_map(|a| b.iter().map(move |b| pair(a, b))).collect()
    }
}

/// Shares of the widest usual bandwidth that are tried.
const BANDWIDTHS: [f64; 8] = [0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0];

/// The empirical law of a column, smoothed by a normal kernel that is wider where points are rare (Abramson 1982), of the
/// bandwidth that gives the points left out one by one the highest likelihood.
#[derive(Debug, Clone)]
struct Margin {
    points: Vec<f64>,
    widths: Vec<f64>,
}

/// A margin at one place.
#[derive(Debug, Clone, Copy)]
struct Place {
    log_density: f64,
    /// Φ⁻¹ of the distribution function.
    score: f64,
}

/// A tail below this counts as this: scores end at 37.
const LEAST_TAIL: f64 = 1e-300;

impl Margin {
    fn fit(points: Vec<f64>) -> Self {
        let count = points.len() as f64;
        let mean = points.iter().sum::<f64>() / count;
        let deviation = (points.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
        // what suits a normal law (Silverman 1986)
        let usual = 1.06 * deviation * count.powf(-0.2);
        let pilot = Self { widths: vec![0.5 * usual; points.len()], points };
        let roots: Vec<f64> = pilot.points.iter().map(|x| (-0.5 * pilot.at(*x).log_density).exp()).collect();
        let typical = (roots.iter().map(|r| r.ln()).sum::<f64>() / count).exp();
        let at = |share: f64| Self {
            widths: roots.iter().map(|r| share * usual * r / typical).collect(),
            points: pilot.points.clone(),
        };
        let tried = BANDWIDTHS.map(|share| (share, at(share).left_out()));
        let (best, _) = tried.into_iter().fold((1.0, f64::NEG_INFINITY), |a, b| if b.1 > a.1 { b } else { a });
        at(best)
    }

    /// The mean ln density of each point by the others.
    fn left_out(&self) -> f64 {
        let each = |i: usize| {
            let own = 1.0 / (self.widths[i] * TAU.sqrt());
            let others = self.sum(self.points[i]) - own;
            (others / (self.points.len() - 1) as f64).ln()
        };
        (0..self.points.len()).map(each).sum::<f64>() / self.points.len() as f64
    }

    /// The kernels' sum.
    fn sum(&self, x: f64) -> f64 {
        let kernel = |(p, h): (&f64, &f64)| (-0.5 * ((x - p) / h).powi(2)).exp() / (h * TAU.sqrt());
        self.points.iter().zip(&self.widths).map(kernel).sum()
    }

    fn score(&self, x: f64) -> f64 {
        self.at(x).score
    }

    fn at(&self, x: f64) -> Place {
        let count = self.points.len() as f64;
        // the smaller tail, so that neither rounds to 1
        let tail = |sign: f64| {
            let kernel = |(p, h): (&f64, &f64)| 0.5 * libm::erfc(sign * (x - p) / h * FRAC_1_SQRT_2);
            (self.points.iter().zip(&self.widths).map(kernel).sum::<f64>() / count).max(LEAST_TAIL)
        };
        let above = tail(1.0);
        let score = if above < 0.5 { -normal_quantile(above) } else { normal_quantile(tail(-1.0)) };
        Place { log_density: (self.sum(x) / count).ln(), score }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::law::normal;
    use crate::data::testing::SplitMix64;

    /// Correlated normal numbers pushed through x³/4 + x, so that the copula is Gaussian and the margins are not normal.
    fn bent(count: usize, correlation: f64, seed: u64) -> Points {
        let mut rng = SplitMix64(seed);
        let rest = (1.0 - correlation * correlation).sqrt();
        let rows = (0..count).flat_map(|_| {
            let (a, b) = (normal(&mut rng), normal(&mut rng));
            [a, correlation * a + rest * b].map(|z| 0.25 * z * z * z + z)
        });
        Points::new(2, rows.collect())
    }

    #[test]
    fn a_normal_law_is_fitted_with_its_density() {
        let points = Points::new(2, vec![1.0, 0.0, 3.0, 4.0, 5.0, 2.0]);
        let fitted = BivariateNormal::fit(&points);
        let (vx, vy, cov) = (8.0f64 / 3.0, 8.0f64 / 3.0, 4.0f64 / 3.0);
        let det = vx * vy - cov * cov;
        let [u, v] = [0.5 - 3.0, 1.0 - 2.0];
        let want = -TAU.ln() - 0.5 * det.ln() - 0.5 * (vy * u * u - 2.0 * cov * u * v + vx * v * v) / det;
        assert!((fitted.log_density(&[0.5, 1.0]) - want).abs() < 1e-12);
    }

    #[test]
    fn the_density_of_a_copula_is_that_of_one_score_given_the_other() {
        for correlation in [-0.7_f64, 0.0, 0.4, 0.95] {
            let deviation = (1.0 - correlation * correlation).sqrt();
            for [a, b] in [[0.0, 0.0], [1.3, -0.4], [-2.0, -1.5], [0.7, 3.1]] {
                let off = (b - correlation * a) / deviation;
                let want = 0.5 * (b * b - off * off) - deviation.ln();
                let got = log_copula([a, b], correlation);
                assert!((got - want).abs() < 1e-12, "{correlation} at {a}, {b}: {got}, not {want}");
            }
        }
    }

    #[test]
    fn densities_on_axes_are_those_of_their_points() {
        let fitted = GaussianCopula::fit(&bent(200, 0.6, 5));
        let (x, y) = ([-2.5, -0.3, 0.1, 0.8, 4.0], [-1.0, 0.2, 7.0]);
        let want = x.iter().flat_map(|x| y.iter().map(|y| fitted.log_density(&[*x, *y])).collect::<Vec<_>>());
        assert_eq!(fitted.on_axes(&x, &y), want.collect::<Vec<_>>());
    }

    #[test]
    fn a_copula_finds_the_correlation_of_the_scores_and_nearly_the_law() {
        let correlation = 0.8;
        let fitted = GaussianCopula::fit(&bent(2000, correlation, 3));
        assert!((fitted.correlation - correlation).abs() < 0.03, "{}", fitted.correlation);
        // E ln p - ln q over fresh points, with the law's own density by the change of variables
        let inverse = |x: f64| {
            let mut z = 0.0f64;
            for _ in 0..100 {
                z -= (0.25 * z * z * z + z - x) / (0.75 * z * z + 1.0);
            }
            z
        };
        let fresh = bent(2000, correlation, 4);
        let gap = |x: &[f64]| {
            let z = [inverse(x[0]), inverse(x[1])];
            let own = log_copula(z, correlation) - 0.5 * (z[0] * z[0] + z[1] * z[1]) - TAU.ln();
            own - z.iter().map(|z| (0.75 * z * z + 1.0).ln()).sum::<f64>() - fitted.log_density(x)
        };
        let kl = fresh.rows().map(gap).sum::<f64>() / fresh.count() as f64;
        assert!((0.0..0.06).contains(&kl), "{kl}");
    }

    #[test]
    fn margins_have_mass_one_and_agree_with_their_scores() {
        let margin = Margin::fit(bent(300, 0.0, 9).rows().map(|x| x[0]).collect());
        let step = 0.01;
        let cells = || (-4000..4000).map(|i| f64::from(i) * step);
        let mass: f64 = cells().map(|x| margin.at(x).log_density.exp() * step).sum();
        assert!((mass - 1.0).abs() < 1e-6, "{mass}");
        let below: f64 = cells().take_while(|x| *x < 1.0).map(|x| margin.at(x).log_density.exp() * step).sum();
        let score = 0.5 * libm::erfc(-margin.score(1.0 - 0.5 * step) * FRAC_1_SQRT_2);
        assert!((below - score).abs() < 1e-4, "{below} {score}");
        // far out, where the distribution function rounds to 1
        assert!(margin.score(40.0).is_finite() && margin.score(40.0) > margin.score(20.0));
    }
}
