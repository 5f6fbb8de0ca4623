//! `ed-myopia`: how loudly energy discrepancy tells of a wrong weight of two distant modes, where score matching hardly
//! does. Nothing is trained.
//!
//! The data are 0.2 N(−5, 1) + 0.8 N(5, 1), the model ρ N(−5, 1) + (1 − ρ) N(5, 1). The excess L(ρ) − L(0.2) of energy
//! discrepancy (M = 4, w = 1) is estimated from paired draws and compared with the same computed elsewhere from 400,000
//! draws; the Fisher divergence (which the first published comparison took for 0) and the KL divergence by quadrature.
//! Losses are in the authors' form, without −ln M.

use super::measure::normals;
use super::{Report, Setup};
use crate::data::law::uniform;
use crate::error::Result;
use crate::objective::Form;
use crate::random::{Seed, Stream};
use crate::report::{Lines, Series, lines_figure};

const POINTS: usize = 400_000;
const NEGATIVES: usize = 4;
const TRUE_WEIGHT: f64 = 0.2;
/// The perturbations' variances, and L(0.2) of each, known to 0.001.
const TIMES: [(f64, f64); 4] = [(2.0, 1.200), (4.0, 1.032), (8.0, 0.879), (32.0, 0.650)];
/// Standard errors that two estimates of one number may be apart.
const APART: f64 = 4.0;

/// ρ; ½ E‖s_ρ − s‖²; KL; the excess at each time with its standard error.
type Row = (f64, f64, f64, [[f64; 2]; 4]);
const KNOWN: [Row; 8] = [
    (0.01, 1.38e-5, 0.42867, [[0.00164, 0.00011], [0.0120, 0.0003], [0.0450, 0.0006], [0.1448, 0.0012]]),
    (0.05, 2.87e-6, 0.13978, [[0.00037, 0.00005], [0.0032, 0.0001], [0.0124, 0.0003], [0.0426, 0.0005]]),
    (0.1, 7.57e-7, 0.04440, [[0.00010, 0.00002], [0.00095, 0.00007], [0.0036, 0.0001], [0.0127, 0.0003]]),
    (0.3, 3.36e-7, 0.02573, [[0.00006, 0.00002], [0.00035, 0.00005], [0.0020, 0.0001], [0.0072, 0.0002]]),
    (0.5, 2.31e-6, 0.19274, [[0.00039, 0.00004], [0.0028, 0.0001], [0.0141, 0.0003], [0.0510, 0.0005]]),
    (0.8, 1.04e-5, 0.83178, [[0.00167, 0.00010], [0.0128, 0.0003], [0.0616, 0.0006], [0.2218, 0.0011]]),
    (0.9, 1.91e-5, 1.36274, [[0.00298, 0.00013], [0.0227, 0.0004], [0.1060, 0.0008], [0.3763, 0.0015]]),
    (0.98, 5.39e-5, 2.63325, [[0.0076, 0.0002], [0.0550, 0.0007], [0.2357, 0.0014], [0.797, 0.0025]]),
];

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let mut medians = Vec::new();
    for (at, (t, level)) in TIMES.into_iter().enumerate() {
        let found =
            setup.over_seeds(&format!("t = {t}"), |seed| Ok(Draws::new(setup.count(POINTS), t, seed).measure()))?;
        let column = |value: &dyn Fn(&Found) -> f64| found.iter().map(value).collect::<Vec<_>>();
        let apart = |f: &Found| {
            let cells = KNOWN.iter().zip(&f.excess);
            cells.map(|(known, ours)| standard_errors(known.3[at], *ours)).fold(0.0, f64::max)
        };
        report.judge(
            format!("t = {t}: the excess farthest from the table, in standard errors"),
            column(&apart),
            [0.0, APART],
        );
        // 4 standard errors of 0.001 and of ours
        report.judge(format!("t = {t}: L(0.2)"), column(&|f| f.level), [level - 0.005, level + 0.005]);
        if t >= 4.0 {
            report.judge(format!("t = {t}: the weight of least loss"), column(&|f| f.best), [0.18, 0.22]);
        }
        medians.push((0..KNOWN.len()).map(|i| super::report::median(&column(&|f| f.excess[i][0]))).collect::<Vec<_>>());
    }
    let exact: Vec<[f64; 2]> = KNOWN.iter().map(|known| divergences(known.0)).collect();
    let off = |value: &dyn Fn(usize) -> f64| (0..KNOWN.len()).map(|i| (value(i) - 1.0).abs()).fold(0.0, f64::max);
    report.judge(
        "Fisher divergence: the largest relative distance from the table",
        vec![off(&|i| exact[i][0] / KNOWN[i].1)],
        [0.0, 0.02],
    );
    report.judge(
        "KL divergence: the largest relative distance from the table",
        vec![off(&|i| exact[i][1] / KNOWN[i].2)],
        [0.0, 0.02],
    );
    draw(setup, &medians)?;
    let row = |i: usize| {
        let excess = medians.iter().map(|m| m[i]);
        [KNOWN[i].0, exact[i][0], exact[i][1]].into_iter().chain(excess).collect()
    };
    let names = ["rho", "Fisher", "KL", "t = 2", "t = 4", "t = 8", "t = 32"];
    report.table("excess over the true weight, medians", &names, (0..KNOWN.len()).map(row).collect());
    Ok(())
}

/// How far two estimates with their standard errors are apart.
fn standard_errors([a, error_a]: [f64; 2], [b, error_b]: [f64; 2]) -> f64 {
    (a - b).abs() / error_a.hypot(error_b)
}

/// What the draws of one time say.
struct Found {
    /// L(ρ) − L(0.2) of each row, with its standard error.
    excess: Vec<[f64; 2]>,
    /// L(0.2).
    level: f64,
    /// The ρ of least loss among 0.1, 0.11, .. 0.3.
    best: f64,
}

/// A point as the energy of every ρ sees it: −ln of the nearer component's density, which component that is, and the
/// density of the other relative to it.
#[derive(Clone, Copy)]
struct Place {
    base: f64,
    left: bool,
    other: f64,
}

impl Place {
    fn new(x: f64) -> Self {
        let left = x < 0.0;
        let distance = if left { x + 5.0 } else { x - 5.0 };
        // (x − 5)² − (x + 5)² = −20 x
        Self { base: 0.5 * distance * distance, left, other: (-10.0 * x.abs()).exp() }
    }

    fn energy(self, rho: f64) -> f64 {
        let (near, far) = if self.left { (rho, 1.0 - rho) } else { (1.0 - rho, rho) };
        self.base - (near + far * self.other).ln()
    }
}

/// Data points, each followed by its negatives.
struct Draws(Vec<Place>);

impl Draws {
    fn new(count: usize, t: f64, seed: u64) -> Self {
        let mut rng = Seed(seed).sequence(Stream::Data, 0);
        let noise = normals(count, NEGATIVES + 2, seed, 30);
        let each = |z: &[f64]| {
            let x = z[0] + if uniform(&mut rng) < TRUE_WEIGHT { -5.0 } else { 5.0 };
            let z: Vec<f64> = z.to_vec();
            std::iter::once(x).chain((2..z.len()).map(move |j| x + t.sqrt() * (z[1] + z[j]))).map(Place::new)
        };
        Self(noise.rows().flat_map(each).collect())
    }

    fn losses(&self, rho: f64) -> Vec<f64> {
        let form = Form::Ranking { w: 1.0 };
        let each = |places: &[Place]| {
            let mut energies: [f64; NEGATIVES + 1] = std::array::from_fn(|j| places[j].energy(rho));
            form.loss(&mut energies) + (NEGATIVES as f64).ln()
        };
        self.0.chunks_exact(NEGATIVES + 1).map(each).collect()
    }

    fn measure(&self) -> Found {
        let truth = self.losses(TRUE_WEIGHT);
        let count = truth.len() as f64;
        let excess = |rho: f64| {
            let gaps: Vec<f64> = self.losses(rho).iter().zip(&truth).map(|(a, b)| a - b).collect();
            let mean = gaps.iter().sum::<f64>() / count;
            let variance = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (count - 1.0);
            [mean, (variance / count).sqrt()]
        };
        let near = (10..=30).map(|i| f64::from(i) / 100.0).map(|rho| (rho, excess(rho)[0]));
        Found {
            excess: KNOWN.iter().map(|known| excess(known.0)).collect(),
            level: truth.iter().sum::<f64>() / count,
            best: near.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(f64::NAN, |(rho, _)| rho),
        }
    }
}

/// ½ E (s_ρ − s)² and KL from the true weight, by the midpoint rule.
fn divergences(rho: f64) -> [f64; 2] {
    const CELLS: usize = 40_000;
    let width = 40.0 / CELLS as f64;
    let mut sums = [0.0; 2];
    for i in 0..CELLS {
        let x = -20.0 + width * (i as f64 + 0.5);
        let place = Place::new(x);
        let density = |weight: f64| (-place.energy(weight)).exp() / std::f64::consts::TAU.sqrt();
        // the score is 5 − x less 10 times the share of the left component
        let share = |weight: f64| weight * (-0.5 * (x + 5.0).powi(2) + place.energy(weight)).exp();
        let p = density(TRUE_WEIGHT) * width;
        sums[0] += p * 50.0 * (share(rho) - share(TRUE_WEIGHT)).powi(2);
        sums[1] += p * (place.energy(rho) - place.energy(TRUE_WEIGHT));
    }
    sums
}

fn draw(setup: &Setup<'_>, medians: &[Vec<f64>]) -> Result<()> {
    // the true weight stands between the third row and the fourth
    let with_truth = |mut values: Vec<f64>, truth: f64| {
        values.insert(3, truth);
        values
    };
    let x = with_truth(KNOWN.iter().map(|known| known.0).collect(), TRUE_WEIGHT);
    let columns: Vec<Vec<f64>> = medians.iter().map(|m| with_truth(m.clone(), 0.0)).collect();
    let labels = TIMES.map(|(t, _)| format!("t = {t}"));
    let series: Vec<Series<'_>> = labels.iter().zip(&columns).map(|(label, y)| Series { label, x: &x, y }).collect();
    let lines = Lines {
        title: "energy discrepancy of a wrong weight",
        x_label: "ρ, the weight of the left mode",
        y_label: "loss above that of 0.2",
        series: &series,
    };
    setup.draw("excess", &lines_figure(&lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_energy_is_that_of_the_mixture() {
        for x in [-7.0, -0.3, 0.0, 0.2, 4.0] {
            for rho in [0.01, 0.2, 0.9] {
                let bell = |m: f64| (-0.5 * (x - m) * (x - m)).exp();
                let want = -(rho * bell(-5.0) + (1.0 - rho) * bell(5.0)).ln();
                assert!((Place::new(x).energy(rho) - want).abs() < 1e-12, "{x} {rho}");
            }
        }
    }

    #[test]
    fn divergences_vanish_at_the_truth_alone() {
        assert_eq!(divergences(TRUE_WEIGHT), [0.0, 0.0]);
        // E ln p/p_ρ is close to that of two weights, as the components hardly touch
        let want = 0.2 * (0.2 / 0.5_f64).ln() + 0.8 * (0.8 / 0.5_f64).ln();
        assert!((divergences(0.5)[1] - want).abs() < 1e-4);
    }
}
