//! The metrics of densities against closed forms: networks whose exp(−E) is a product of logistic laws.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::data::Transform;
use crate::data::law::normal;
use crate::data::table::Part;
use crate::data::testing::SplitMix64;
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
        validation: Points::new(dim, vec![]),
        transform: Transform::identity(dim),
        image: None,
        range: None,
        law: None,
        train,
        test,
    }
}

fn measured(model: &Model, data: &Dataset) -> Metrics {
    let engine = Reference::new().unwrap();
    let aim = Target { sigma: 0.0, normalized: false };
    let seed = Seed(1);
    Evaluation { engine: &engine, model, data, aim, chains: None, spread: None, annealing: None, seed }.run().unwrap()
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
