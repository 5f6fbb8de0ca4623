//! `gmm-banana-score`: score fields of two Gaussians and of a banana by exact, denoising and sliced score matching.
//!
//! 2-128-128-2 with softplus, 1000 steps of 10,000 points (drawn with replacement from 10,000), Adam at 1e-3; denoising
//! at σ = 1. The Fisher divergence ½ E‖s_θ − s‖² is taken over fresh points of the law that the objective aims at.
//! Where there are no data nothing holds the field: its error there is drawn.

use super::measure::{draw, normals, smoothed};
use super::recipe::Recipe;
use super::{Report, Setup};
use crate::data::Law;
use crate::data::toy::{Banana, Mixture};
use crate::error::Result;
use crate::eval::fisher;
use crate::model::{Activation, Conditioning, Head, MlpSpec, Model};
use crate::objective::{Denoising, Objective, ProbeLaw, Probes, Weighting};
use crate::optimizer::Schedule;
use crate::points::Points;
use crate::report::{Extent, Lines, Range, ScorePanel, Series, lines_figure, score_figure};

const POINTS: usize = 10_000;
const SIGMA: f64 = 1.0;
const MOST_FISHER: f64 = 0.15;
/// Half the side of the square around the law's mean on which the error is drawn.
const FAR: f64 = 15.0;

pub(super) fn run(setup: &Setup<'_>, report: &mut Report) -> Result<()> {
    let laws: [&dyn Law; 2] = [&Mixture::gmm2(), &Banana::unit()];
    let objectives = [
        Objective::Esm,
        Objective::Denoising(Denoising::single(SIGMA, Weighting::ONE)?),
        Objective::Ssm(Probes::new(1, ProbeLaw::Gaussian)?),
    ];
    for law in laws.into_iter().filter(|law| setup.wants_law(law.name())) {
        let mut profiles = Vec::new();
        for objective in objectives.iter().filter(|o| setup.wants_loss(o.name())) {
            let (sigma, what) = (objective.smoothing(), format!("{}, {}", law.name(), objective.name()));
            let values = setup.over_seeds(&what, |seed| {
                let model = trained(setup, law, objective, seed)?;
                if seed == 1 {
                    profiles.push((objective.name(), far_field(setup, law, sigma, &model, objective.name())?));
                }
                let clean = draw(law, setup.count(POINTS), seed, 1);
                let noisy = smoothed(&clean, &normals(clean.count(), 2, seed, 30), sigma);
                Ok(fisher(law, sigma, &noisy, &setup.engine.score(&model, &noisy)?).value)
            })?;
            report.judge(format!("{what}: Fisher divergence"), values, [f64::NEG_INFINITY, MOST_FISHER]);
        }
        draw_profiles(setup, law, &profiles)?;
    }
    Ok(())
}

fn trained(setup: &Setup<'_>, law: &dyn Law, objective: &Objective, seed: u64) -> Result<Model> {
    let spec = MlpSpec::hidden(2, &[128, 128], Activation::Softplus, Head::Score, Conditioning::None)?;
    let (objective, schedule) = (objective.clone(), Schedule::Constant);
    let recipe =
        Recipe { spec, objective, batch: POINTS, steps: 1000, learning_rate: 1e-3, schedule, clip: 0.0, ema: 0.0 };
    recipe.train(setup, &draw(law, setup.count(POINTS), seed, 0), seed)
}

/// Distances from the centre of the law's box, and the mean error of the score in a ring around each.
type Profile = [Vec<f64>; 2];

/// Draws s_θ − s as arrows on a square far beyond the data; the mean of its length against the distance.
fn far_field(setup: &Setup<'_>, law: &dyn Law, sigma: f64, model: &Model, name: &str) -> Result<Profile> {
    let middle: Vec<f64> = law.extent(0.0).iter().map(|[low, high]| 0.5 * (low + high)).collect();
    let side = |m: f64| Range::new(m - FAR, m + FAR);
    let positions = Extent { x: side(middle[0]), y: side(middle[1]) }.nodes(24, 24);
    let errors = errors(setup, law, sigma, model, &positions)?;
    let title = format!("error of the score, {}, {name}", law.name());
    let panel = ScorePanel { title: &title, names: &[], positions: &positions, scores: &errors, energy: None };
    setup.draw(&format!("far-field-{}-{name}", law.name()), &score_figure(&panel)?)?;
    let radii: Vec<f64> = (1..=30).map(|i| 0.5 * f64::from(i)).collect();
    let mean = |radius: &f64| -> Result<f64> {
        let at = |k: i32| {
            let (sin, cos) = (f64::from(k) * std::f64::consts::TAU / 64.0).sin_cos();
            [middle[0] + radius * cos, middle[1] + radius * sin]
        };
        let ring = Points::new(2, (0..64).flat_map(at).collect());
        let errors = self::errors(setup, law, sigma, model, &ring)?;
        Ok(errors.rows().map(|e| e[0].hypot(e[1])).sum::<f64>() / 64.0)
    };
    let means = radii.iter().map(mean).collect::<Result<Vec<_>>>()?;
    Ok([radii, means])
}

fn errors(setup: &Setup<'_>, law: &dyn Law, sigma: f64, model: &Model, positions: &Points) -> Result<Points> {
    let mut errors = setup.engine.score(model, positions)?;
    let mut score = [0.0; 2];
    for (error, x) in errors.values_mut().chunks_exact_mut(2).zip(positions.rows()) {
        law.score(x, sigma, &mut score);
        error.iter_mut().zip(score).for_each(|(e, s)| *e -= s);
    }
    Ok(errors)
}

fn draw_profiles(setup: &Setup<'_>, law: &dyn Law, profiles: &[(&str, Profile)]) -> Result<()> {
    let series: Vec<Series<'_>> =
        profiles.iter().map(|(label, [radii, means])| Series { label, x: radii, y: means }).collect();
    let title = format!("error of the score away from {}", law.name());
    let lines = Lines {
        title: &title,
        x_label: "distance from the middle of the law",
        y_label: "mean ‖s_θ − s‖",
        series: &series,
    };
    setup.draw(&format!("far-field-{}", law.name()), &lines_figure(&lines))
}
