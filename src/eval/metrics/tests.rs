//! The metrics of densities against closed forms: networks whose exp(−E) is a product of logistic laws.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::data::law::normal;
use crate::data::table::Part;
use crate::data::testing::SplitMix64;
use crate::data::transform::{Linear, Transform, TransformKind};
use crate::engine::cpu::Reference;
use crate::eval::cells;
use crate::model::{Activation, MlpSpec};

/// E = Σ ln(1 + e^u) + ln(1 + e^−u), u = (x − center) / scale along each axis: ∫ exp(−E) is the product of the scales.
fn logistic(dim: usize, center: f64, scale: f64) -> Model {
    let spec = MlpSpec::new(vec![dim, 2 * dim, 1], Activation::Softplus).unwrap();
    let mut parameters = vec![0.0; spec.parameter_count()];
    let layers = spec.layers();
    for axis in 0..dim {
        for (unit, sign) in [(2 * axis, 1.0), (2 * axis + 1, -1.0)] {
            parameters[layers[0].weight.start + unit * dim + axis] = sign / scale;
            parameters[layers[0].bias.start + unit] = -sign * center / scale;
            parameters[layers[1].weight.start + unit] = 1.0;
        }
    }
    Model { spec, parameters }
}

fn energy(x: &[f64], scale: f64) -> f64 {
    x.iter().map(|x| (x / scale).exp().ln_1p() + (-x / scale).exp().ln_1p()).sum()
}

/// The mass of the logistic law of this scale between the ends.
fn between([low, high]: [f64; 2], scale: f64) -> f64 {
    let below = |x: f64| 1.0 / (1.0 + (-x / scale).exp());
    below(high) - below(low)
}

fn file(train: Points, test: Points) -> Dataset {
    let dim = train.dim();
    Dataset {
        name: "file".into(),
        columns: (0..dim).map(|n| format!("x{n}")).collect(),
        suspects: crate::data::Suspects::default(),
        validation: Points::new(dim, vec![]),
        transform: Transform::identity(dim),
        image: None,
        range: None,
        rows: None,
        law: None,
        train,
        test,
    }
}

fn measured(model: &Model, data: &Dataset) -> Metrics {
    smoothed(model, data, 0.0, None)
}

fn smoothed(model: &Model, data: &Dataset, sigma: f64, chains: Option<&Points>) -> Metrics {
    let engine = Reference::new().unwrap();
    let (aim, seed) = (Target { sigma, normalized: false }, Seed(1));
    let annealing = (data.dim() > 2).then_some((2000, 200));
    Evaluation { engine: &engine, model, data, aim, chains, spread: None, annealing, seed }.run().unwrap()
}

fn close(got: Option<f64>, want: f64, bound: f64) {
    assert!(got.is_some_and(|got| (got - want).abs() <= bound), "{got:?}, not {want}");
}

#[test]
fn a_normal_file_has_the_nll_and_the_mass_outside_of_their_closed_forms() {
    for dim in [1, 2] {
        let mut rng = SplitMix64(7);
        let mut points =
            |count: usize| Points::new(dim, (0..count * dim).map(|_| 0.8 * normal(&mut rng) + 0.1).collect());
        let data = file(points(500), points(300));
        let (scale, found) = (0.9, measured(&logistic(dim, 0.0, 0.9), &data));
        // the box of the data with a tenth to spare holds the grid, three times that box what lies around
        let (mut inside, mut all) = (1.0, 1.0);
        for axis in 0..dim {
            let column = data.train.rows().chain(data.test.rows()).map(|x| x[axis]);
            let [low, high] = column.fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], x| [l.min(x), h.max(x)]);
            let (middle, half) = (0.5 * (low + high), 0.6 * (high - low));
            inside *= between([middle - half, middle + half], scale);
            all *= between([middle - 3.0 * half, middle + 3.0 * half], scale);
        }
        let log_z = (scale.powi(dim as i32) * all).ln();
        close(found.log_z, log_z, 1e-5);
        let outside = (all - inside) / all;
        assert!(outside > 0.05, "{outside}");
        close(found.outside_mass, outside, 1e-5);
        let nll: Vec<f64> = data.test.rows().map(|x| energy(x, scale) + log_z).collect();
        close(found.nll, nll.iter().sum::<f64>() / 300.0, 1e-5);
        close(found.nll_data, nll.iter().sum::<f64>() / 300.0, 1e-5);
        assert_eq!(found.note, None);
    }
}

#[test]
fn the_energy_of_chains_is_held_against_that_of_the_model() {
    for (law, dim) in [("mix1d", 1), ("8gaussians", 2)] {
        let data = Dataset::load(law, Part::default(), 200, Seed(1)).unwrap();
        let (scale, mut rng) = (0.4, SplitMix64(3));
        // of a logistic law, −ln u(1 − u) with a uniform u has the mean 2 and the variance 4 − π²/3
        let (mean, deviation) = (2.0 * dim as f64, (dim as f64 * (4.0 - std::f64::consts::PI.powi(2) / 3.0)).sqrt());
        for wider in [1.0, 1.5] {
            let mut draw = || {
                let u = crate::data::law::uniform(&mut rng);
                wider * scale * (u / (1.0 - u)).ln()
            };
            let chains = Points::new(dim, (0..4000 * dim).map(|_| draw()).collect());
            let found = smoothed(&logistic(dim, 0.0, scale), &data, 0.0, Some(&chains));
            let own = chains.rows().map(|x| energy(x, scale)).sum::<f64>() / 4000.0;
            close(found.chains_energy, (own - mean) / deviation, 1e-3);
            let error = found.standard_errors["chains_energy"];
            assert!((0.01..0.05).contains(&error), "{error}");
            let excess = found.chains_energy.unwrap();
            assert!(
                if wider == 1.0 { excess.abs() < 4.0 * error } else { excess > 0.3 },
                "{wider}: {excess} ± {error}"
            );
            // a model that reaches beyond the grid: of both, what is within counts
            let grid = super::super::Grid::around_law(data.law.as_deref().unwrap(), 0.0, 50).unwrap();
            let reach = grid.points().values().iter().fold(0.0, |reach: f64, x| reach.max(x.abs()));
            let [scale, factor] = [reach / 4.0, reach / 4.0 / scale];
            let chains = Points::new(dim, chains.values().iter().map(|x| factor * x).collect());
            let found = smoothed(&logistic(dim, 0.0, scale), &data, 0.0, Some(&chains));
            let (excess, error) = (found.chains_energy.unwrap(), found.standard_errors["chains_energy"]);
            assert!(found.note.is_some_and(|note| note.contains("outermost")), "the grid of {law} holds it all");
            assert!(if wider == 1.0 { excess.abs() < 4.0 * error } else { excess > 5.0 * error }, "{excess} ± {error}");
            let gone = Points::new(dim, chains.values().iter().map(|x| 1e3 + x).collect());
            let found = smoothed(&logistic(dim, 0.0, scale), &data, 0.0, Some(&gone));
            assert!(found.chains_energy.is_none() && found.note.is_some_and(|note| note.contains("0 of 4000 samples")));
        }
        assert_eq!(smoothed(&logistic(dim, 0.0, scale), &data, 0.0, None).chains_energy, None);
    }
}

#[test]
fn mass_beyond_the_box_of_a_law_is_counted_and_the_rest_told() {
    let data = Dataset::load("25gaussians", Part::default(), 200, Seed(1)).unwrap();
    let reach = 6.0;
    for (scale, is_told) in [(2.0, true), (0.3, false)] {
        let found = measured(&logistic(2, 0.0, scale), &data);
        let held = between([-reach, reach], scale).powi(2);
        close(found.log_z, (scale * scale * held).ln(), 1e-5);
        let told = found.note.as_ref().is_some_and(|note| note.contains("beyond"));
        assert_eq!(told, is_told, "{:?}", found.note);
        // what lies outside of [-5, 5]², of which no point is near a mode
        if is_told {
            let beyond = 1.0 - between([-5.0, 5.0], scale).powi(2) / held;
            assert!(found.outside_mass.unwrap() > beyond && beyond > 0.1, "{found:?}");
        }
    }
}

/// Points at both ends of a line and some around the origin.
fn with_ends(end: f64, around: f64) -> Dataset {
    let mut rng = SplitMix64(3);
    let mut near = |count: usize| (0..count).map(|_| around + 0.1 * normal(&mut rng)).collect::<Vec<f64>>();
    let train = [vec![-end, end], near(2000)].concat();
    file(Points::new(1, train), Points::new(1, near(200)))
}

#[test]
fn numbers_of_a_grid_that_does_not_resolve_the_model_are_left_out() {
    // an outlier that the cells of a line still bear
    close(measured(&logistic(1, 0.0, 0.1), &with_ends(1000.0, 0.0)).log_z, 0.1f64.ln(), 1e-3);
    let refused = |found: Metrics, why: &str| {
        let numbers = [found.log_z, found.nll, found.nll_data, found.outside_mass, found.kl];
        assert!(numbers.iter().all(Option::is_none), "{numbers:?}");
        assert!(found.note.as_ref().is_some_and(|note| note.contains(why)), "{:?}", found.note);
    };
    // and one that they do not
    let cell = 2.0 * 1.2 * 1e5 / cells(1) as f64;
    refused(measured(&logistic(1, 0.3 * cell, 0.1), &with_ends(1e5, 0.3 * cell)), "by every other cell");
    // a model at the edge of two cells, which agree on a wrong number
    refused(measured(&logistic(1, 0.0, 0.1), &with_ends(1e5, 0.0)), "around a point of the data");
}

#[test]
fn an_energy_that_is_not_finite_has_no_numbers() {
    let mut model = logistic(1, 0.0, 1.0);
    model.parameters[0] = f64::NAN;
    let found = measured(&model, &with_ends(3.0, 0.0));
    assert!(found.log_z.is_none() && found.note.is_some(), "{found:?}");
}

/// ∫ p f over the line for p = N(0, v), by cells of a thousandth of its deviation.
fn over_normal(variance: f64, f: impl Fn(f64) -> f64) -> f64 {
    let step = 1e-3 * variance.sqrt();
    let cell = |i: i32| {
        let x = f64::from(i) * step;
        (-0.5 * x * x / variance).exp() * f(x)
    };
    (-12_000..=12_000).map(cell).sum::<f64>() * step / (std::f64::consts::TAU * variance).sqrt()
}

#[test]
fn every_number_of_a_known_law_is_that_of_its_own_quadrature() {
    let (scale, sigma, center) = (0.6, 0.5, 0.3);
    let data = Dataset::load("gauss1d", Part::default(), 200, Seed(1)).unwrap();
    let found = smoothed(&logistic(1, center, scale), &data, sigma, None);
    let log_q = |x: f64| -energy(&[x - center], scale) - scale.ln();
    let entropy = |variance: f64| 0.5 * (std::f64::consts::TAU * std::f64::consts::E * variance).ln();
    let aimed = 1.0 + sigma * sigma;
    close(found.log_z, scale.ln(), 1e-5);
    for (variance, nll, kl) in [(aimed, found.nll, found.kl), (1.0, found.nll_data, found.kl_data)] {
        let want = -over_normal(variance, log_q);
        close(nll, want, 1e-5);
        close(kl, want - entropy(variance), 1e-5);
    }
    let far = 5.0 * aimed.sqrt();
    close(found.outside_mass, 1.0 - between([-far - center, far - center], scale), 1e-5);
    let score = |x: f64| -((x - center) / (2.0 * scale)).tanh() / scale;
    let fisher = over_normal(aimed, |x| 0.5 * (score(x) + x / aimed).powi(2));
    let log_p = |x: f64| -0.5 * x * x / aimed - 0.5 * (std::f64::consts::TAU * aimed).ln();
    let mse = over_normal(aimed, |x| (log_p(x) - log_q(x)).powi(2));
    for (name, got, want) in [("fisher", found.fisher, fisher), ("log_density_mse", found.log_density_mse, mse)] {
        let error = found.standard_errors[name];
        assert!(error > 0.0 && error < 0.1 * want, "{name}: {error} of {want}");
        close(got, want, 5.0 * error);
    }
}

#[test]
fn beyond_the_plane_ln_z_and_nll_have_their_closed_forms_and_errors() {
    let mut rng = SplitMix64(8);
    let mut points = |count: usize| Points::new(3, (0..3 * count).map(|_| 1.2 * normal(&mut rng)).collect());
    let data = file(points(2000), points(400));
    let found = measured(&logistic(3, 0.0, 0.9), &data);
    let errors = &found.standard_errors;
    assert!(errors["log_z"] > 0.0 && errors["log_z"] < 0.03, "{errors:?}");
    close(found.log_z, 3.0 * 0.9f64.ln(), 4.0 * errors["log_z"]);
    let energies: Vec<f64> = data.test.rows().map(|x| energy(x, 0.9)).collect();
    let mean = energies.iter().sum::<f64>() / 400.0;
    let spread = energies.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / 399.0;
    close(found.nll_data, mean + found.log_z.unwrap(), 1e-5);
    close(errors.get("nll_data").copied(), (spread / 400.0).sqrt().hypot(errors["log_z"]), 1e-5);
    assert!((found.nll, errors["nll"]) == (found.nll_data, errors["nll_data"]));
}

/// Where a column is not lost beside one of larger scale.
#[test]
fn distances_of_samples_are_in_the_units_of_the_network() {
    let mut rng = SplitMix64(9);
    let mut points = |count: usize, shift: f64| {
        let row = |_| {
            let (a, b) = (normal(&mut rng), normal(&mut rng));
            [30.0 * a, 0.02 * a + 0.01 * b + shift]
        };
        Points::new(2, (0..count).flat_map(row).collect())
    };
    let (train, test, chains) = (points(500, 0.0), points(300, 0.0), points(300, 0.02));
    let names = ["a", "b"].map(String::from);
    let transform =
        Transform { linear: Linear::fit(TransformKind::Whiten, &train, &names).unwrap(), ..Transform::identity(2) };
    let data = Dataset {
        test: transform.apply(&test),
        transform: transform.clone(),
        ..file(transform.apply(&train), test.clone())
    };
    let found = smoothed(&logistic(2, 0.0, 1.0), &data, 0.0, Some(&transform.apply(&chains)));
    let want = compare(&transform.apply(&chains), &transform.apply(&test), Seed(1)).unwrap();
    let pairs = [
        ("swd", found.swd, want.swd),
        ("mmd2", found.mmd2, want.mmd2),
        ("energy_distance", found.energy_distance, want.energy_distance),
        ("neighbours", found.neighbours, want.neighbours),
    ];
    for (name, got, want) in pairs {
        close(got, want.value, 1e-9 * want.value.abs());
        assert_eq!(found.p_values[name], want.p_value, "{name}");
    }
    let raw = compare(&chains, &test, Seed(1)).unwrap();
    assert!(want.swd.p_value < 0.01 && raw.swd.p_value > 0.05, "{want:?}, {raw:?}");
}
