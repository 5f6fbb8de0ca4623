//! Objectives that learn by contrast against what is known of them: identities, floors at the true density, the curvature
//! that they learn of a Gaussian, the fixed point of contrastive divergence, and what a replay buffer does.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{network, normal_points, worst};
use ebm_gpu::data::Law;
use ebm_gpu::data::toy::Mixture;
use ebm_gpu::engine::cpu::Reference;
use ebm_gpu::engine::{Engine, Given, TrainingPlan, TrainingState};
use ebm_gpu::model::{Activation, MlpSpec, Model};
use ebm_gpu::objective::{
    Contrastive, Discrepancy, Form, MOST_NEGATIVES, NoiseContrastive, Objective, Replay, SeparableLaw,
};
use ebm_gpu::optimizer::Optimizer;
use ebm_gpu::points::Points;
use ebm_gpu::random::{Seed, Stream};

fn reference() -> Reference {
    Reference::new().expect("threads")
}

fn ed(negatives: usize, w: f64) -> Objective {
    Objective::Ed(Discrepancy::new(1.0, negatives, w).expect("numbers"))
}

fn cd(steps: usize, step_size: f64, data_noise: f64) -> Contrastive {
    Contrastive::new(steps, step_size, 0.0, data_noise).expect("numbers")
}

/// The mean and its standard error.
fn mean(values: &[f64]) -> [f64; 2] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    [mean, (variance / n).sqrt()]
}

/// Five standard errors (once in two million seeds), beside the error of the known number itself.
fn is_mean(what: &str, values: &[f64], want: f64, known_to: f64) {
    let [got, error] = mean(values);
    eprintln!("{what}: {got:.5}, want {want:.5}, standard error {error:.5}");
    assert!((got - want).abs() <= 5.0 * error + known_to, "{what}: {got}, want {want}, standard error {error}");
}

/// How far the inputs of [`quadratic`]'s neurons are scaled down.
const SMALL: f64 = 1e-3;

/// ½ a x² + c on a line: softplus(δx) + softplus(−δx) = 2 ln 2 + δ²x²/4 − δ⁴x⁴/96, times 2a/δ², less the constant. Slopes
/// are off by δ²x²/12 of themselves; energies, sums of numbers of size 1e6, by 1e-9.
fn quadratic(a: f64, c: f64) -> Model {
    let spec = MlpSpec::new(vec![1, 2, 1], Activation::Softplus).expect("widths");
    let out = 2.0 * a / SMALL.powi(2);
    Model { spec, parameters: vec![SMALL, -SMALL, 0.0, 0.0, out, out, c - 2.0 * out * 2.0_f64.ln()] }
}

/// A run of the reference that moves no parameter: the mean loss of each step, and what is left at the end.
fn drawn(
    model: &Model,
    objective: Objective,
    data: &Points,
    batch: usize,
    steps: u64,
) -> (Vec<f64>, TrainingState, Option<Points>) {
    let optimizer = Optimizer::adam(0.0);
    let reference = reference();
    let plan = TrainingPlan { objective, batch, optimizer, steps, seed: Seed(91) };
    let mut training = reference.train(model, &plan, data, TrainingState::start(model)).expect("plan");
    let mut losses = Vec::new();
    while (losses.len() as u64) < steps {
        losses.extend(training.advance(steps).expect("steps").iter().map(|r| r.loss));
    }
    let negatives = training.negatives().expect("negatives");
    (losses, training.state().expect("state"), negatives)
}

#[test]
fn one_negative_of_discrepancy_is_a_logistic_loss() {
    let (reference, model) = (reference(), network("3-7-5-1", Activation::Silu, 92));
    for i in 0..5 {
        let [x, y] = [93, 94].map(|seed| Points::new(3, normal_points(5, 3, seed).row(i).to_vec()));
        let given = Given::contrasted(&x, &y);
        let got = reference.loss_gradient(&model, &ed(1, 1.0), &given).expect("ed");
        let gap = reference.loss_gradient(&model, &Objective::Cd(cd(1, 0.01, 0.0)), &given).expect("cd");
        let z = gap.losses[0];
        assert!(worst(&got.losses, &[z.exp().ln_1p()], 1e-14, 1e-15) <= 1.0, "softplus of the difference");
        let weight = 1.0 / (1.0 + (-z).exp());
        let want: Vec<f64> = gap.gradient.iter().map(|g| weight * g).collect();
        assert!(worst(&got.gradient, &want, 1e-13, 1e-15) <= 1.0, "its slope times the gradient of the difference");
    }
}

#[test]
fn discrepancy_does_not_see_a_constant() {
    let (reference, model) = (reference(), network("3-7-5-1", Activation::Gelu, 95));
    let (x, y) = (normal_points(9, 3, 96), normal_points(36, 3, 97));
    let mut shifted = model.clone();
    *shifted.parameters.last_mut().expect("bias") += 64.0;
    for w in [0.0, 0.5, 1.0] {
        let [plain, moved] =
            [&model, &shifted].map(|m| reference.loss_gradient(m, &ed(4, w), &Given::contrasted(&x, &y)).expect("ed"));
        // energies of size 64 are rounded to 1e-14
        assert!(worst(&moved.losses, &plain.losses, 0.0, 1e-13) <= 1.0);
        assert!(worst(&moved.gradient, &plain.gradient, 0.0, 1e-13) <= 1.0);
        assert!(plain.gradient.last().expect("bias").abs() < 1e-15, "no gradient by the constant");
    }
}

#[test]
fn flat_energies_have_the_loss_of_their_count() {
    let reference = reference();
    let mut model = network("2-5-1", Activation::Tanh, 98);
    model.parameters.iter_mut().for_each(|p| *p = 0.0);
    let points = normal_points(3, 2, 99);
    for negatives in [1, 4, 700] {
        let y = normal_points(3 * negatives, 2, 100);
        let loss = |objective| {
            reference.loss_gradient(&model, &objective, &Given::contrasted(&points, &y)).expect("loss").losses
        };
        let m = negatives as f64;
        for w in [0.0, 1.0, 4.0] {
            assert!(worst(&loss(ed(negatives, w)), &[((m + w) / m).ln(); 3], 1e-13, 1e-13) <= 1.0, "{negatives} {w}");
        }
    }
}

/// A law in the plane with noise drawn on the host: energies −ln p of each x and of its negatives.
fn perturbed(law: &dyn Law, x: &Points, t: f64, negatives: usize, seed: u64) -> Vec<Vec<f64>> {
    let (d, root) = (x.dim(), t.sqrt());
    let noise = Points::normal::<f64>(x.count() * (negatives + 1), d, Seed(seed), Stream::Host, 0);
    let each = |(i, x): (usize, &[f64])| {
        let shared = noise.row(i * (negatives + 1));
        let at = |j: usize| {
            let own = noise.row(i * (negatives + 1) + j);
            let y: Vec<f64> = (0..d).map(|n| x[n] + root * (shared[n] + own[n])).collect();
            -law.log_density(&y, 0.0)
        };
        std::iter::once(-law.log_density(x, 0.0)).chain((1..=negatives).map(at)).collect()
    };
    x.rows().enumerate().map(each).collect()
}

fn losses_of(form: Form, energies: &[Vec<f64>]) -> Vec<f64> {
    energies.iter().map(|e| form.loss(&mut e.clone())).collect()
}

/// Floors of the loss at the true density, in the authors' form, which has no −ln M; they are known to 0.005.
#[test]
fn floors_of_discrepancy_are_known() {
    let form = Form::Ranking { w: 1.0 };
    for (law, floors) in [
        (Mixture::twenty_five_gaussians(), [0.1017, 0.3511, 0.998, 0.4327, 0.2369]),
        (Mixture::eight_gaussians(), [0.2074, 0.6484, 1.544, 0.9689, 0.4271]),
        (Mixture::three_clusters(), [0.1089, 0.3766, 1.048, 0.7602, 0.1905]),
    ] {
        let points = law.draw(60_000, &mut Seed(101).sequence(Stream::Data, 0));
        for ((negatives, t), floor) in [(1, 1.0), (4, 1.0), (16, 1.0), (4, 0.25), (4, 4.0)].into_iter().zip(floors) {
            let losses = losses_of(form, &perturbed(&law, &points, t, negatives, 102));
            let code: Vec<f64> = losses.iter().map(|l| l + (negatives as f64).ln()).collect();
            is_mean(&format!("{} M = {negatives}, t = {t}", law.name()), &code, floor, 0.005);
        }
    }
}

#[test]
fn floors_of_noise_contrast_are_known_and_the_constant_is_at_rest_there() {
    let law = Mixture::three_clusters();
    let deviation = 2.813;
    let center = [0.0, 2.0 / 3.0];
    let noise = SeparableLaw::normal(center.to_vec(), vec![deviation; 2]).expect("law");
    let count = 200_000;
    let x = law.draw(count, &mut Seed(103).sequence(Stream::Data, 0));
    for (nu, floor) in [(1, 0.3430), (5, 0.8884)] {
        let z = Points::normal::<f64>(count * nu, 2, Seed(104), Stream::Host, 0);
        let value = |at: &[f64]| noise.log_density(at) - law.log_density(at, 0.0);
        let negative = |j: usize| value(&[center[0] + deviation * z.row(j)[0], center[1] + deviation * z.row(j)[1]]);
        let (mut losses, mut slopes, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
        for (i, x) in x.rows().enumerate() {
            let values: Vec<f64> = std::iter::once(value(x)).chain((0..nu).map(|j| negative(i * nu + j))).collect();
            let mut slope = values.clone();
            losses.push(Form::Classification.loss(&mut slope));
            slopes.push(slope.iter().sum());
            // ln ν with the wrong sign is a constant of −2 ln ν
            let mut shifted: Vec<f64> = values.iter().map(|v| v - 2.0 * (nu as f64).ln()).collect();
            Form::Classification.loss(&mut shifted);
            wrong.push(shifted.iter().sum());
        }
        is_mean(&format!("floor, nu = {nu}"), &losses, floor, 0.0005);
        is_mean(&format!("slope by ln Z, nu = {nu}"), &slopes, 0.0, 0.0);
        let [off, error] = mean(&wrong);
        assert!(nu == 1 || off.abs() > 50.0 * error, "the wrong sign is seen: {off}");
    }
}

/// The curvature a at which the mean slope of the loss by a vanishes, for E = ½ a x² and x ~ N(0, 1), t = 1: (M, [(w, a)]).
const CURVATURES: [(usize, &[(f64, f64)]); 3] = [
    (1, &[(0.1, 2.44), (0.5, 1.33), (1.0, 1.0), (4.0, 0.66)]),
    (4, &[(0.0, 3.25), (0.1, 1.47), (0.5, 1.15), (1.0, 1.0), (2.0, 0.87), (4.0, 0.75)]),
    (16, &[(0.0, 1.18), (0.1, 1.11), (1.0, 1.0), (4.0, 0.87), (16.0, 0.70)]),
];

#[test]
fn discrepancy_learns_the_known_curvatures() {
    for (negatives, row) in CURVATURES {
        let count = 1_600_000 / (negatives + 3);
        let z = Points::normal::<f64>(count * (negatives + 2), 1, Seed(105), Stream::Host, negatives as u32);
        let places = |z: &[f64]| {
            let own = z[2..].iter().map(|own| z[0] + z[1] + own);
            std::iter::once(z[0]).chain(own).map(|x| 0.5 * x * x).collect::<Vec<f64>>()
        };
        let halves: Vec<Vec<f64>> = z.values().chunks(negatives + 2).map(places).collect();
        let slopes = |form: Form, a: f64| -> Vec<f64> {
            let each = |half: &Vec<f64>| {
                let mut values: Vec<f64> = half.iter().map(|h| a * h).collect();
                form.loss(&mut values);
                values.iter().zip(half).map(|(slope, h)| slope * h).sum()
            };
            halves.iter().map(each).collect()
        };
        for &(w, curvature) in row {
            let form = Form::Ranking { w };
            // the table is good to a hundredth, and w = 1 is exact; the slope grows with a
            let known_to = if w == 1.0 { 0.0 } else { 0.015 * f64::max(1.0, curvature) };
            let [low, high] = [curvature - known_to, curvature + known_to].map(|a| mean(&slopes(form, a)));
            eprintln!("M = {negatives}, w = {w}: slopes {low:.5?} and {high:.5?} around {curvature}");
            assert!(low[0] <= 5.0 * low[1] && high[0] >= -5.0 * high[1], "M = {negatives}, w = {w}: {low:?} {high:?}");
            // and a test that would take any curvature is none
            let far = [0.85, 1.15].map(|factor| mean(&slopes(form, factor * curvature)));
            assert!(far[0][0] < -5.0 * far[0][1] && far[1][0] > 5.0 * far[1][1], "M = {negatives}, w = {w}: {far:?}");
        }
    }
}

/// Chains of k steps from N(0, 1) on E = ½ a x² have the variance cᵏ + 2η (1 − cᵏ)/(1 − c) with c = (1 − ηa)², so the mean
/// loss is ½ a (1 − variance). It vanishes at a* = (2/h)(1 − √(1 − h)), h = 2η, for every k.
#[test]
fn contrastive_divergence_has_its_fixed_point() {
    let data = Points::normal::<f64>(50_000, 1, Seed(106), Stream::Host, 0);
    let square = data.values().iter().map(|x| x * x).sum::<f64>() / data.count() as f64;
    for (eta, steps) in [(0.05_f64, 1), (0.05, 10), (0.2, 5)] {
        let h = 2.0 * eta;
        let fixed = 2.0 / h * (1.0 - (1.0 - h).sqrt());
        for a in [0.5, fixed, 2.0] {
            let c = (1.0 - eta * a).powi(2);
            let ck = c.powi(steps as i32);
            // from the data's own second moment, not the law's
            let variance = ck * square + 2.0 * eta * (1.0 - ck) / (1.0 - c);
            let want = 0.5 * a * (square - variance);
            let at_rest = 0.5 * a * (1.0 - (ck + 2.0 * eta * (1.0 - ck) / (1.0 - c)));
            assert_eq!(at_rest.abs() < 1e-12, a == fixed, "{at_rest}");
            let (losses, ..) = drawn(&quadratic(a, 0.0), Objective::Cd(cd(steps, eta, 0.0)), &data, 50, 2000);
            is_mean(&format!("cd, k = {steps}, eta = {eta}, a = {a:.4}"), &losses, want, 1e-6);
        }
    }
}

/// What engines draw for energy discrepancy and noise contrast, against draws of the host in the same closed forms.
#[test]
fn engines_draw_negatives_of_the_law() {
    let data = Points::normal::<f64>(100_000, 1, Seed(107), Stream::Host, 0);
    let a = 1.3;
    let half = |x: f64| 0.5 * a * x * x;
    for (t, negatives) in [(1.0, 1), (0.25, 3)] {
        let each = negatives + 1;
        let z = Points::normal::<f64>(data.count() * each, 1, Seed(108), Stream::Host, 0);
        let root = f64::sqrt(t);
        let host: Vec<f64> = data
            .values()
            .iter()
            .zip(z.values().chunks(each))
            .map(|(x, z)| {
                let far = z[1..].iter().map(|own| half(x + root * (z[0] + own)));
                Form::Ranking { w: 1.0 }.loss(&mut std::iter::once(half(*x)).chain(far).collect::<Vec<_>>())
            })
            .collect();
        let objective = Objective::Ed(Discrepancy::new(t, negatives, 1.0).expect("numbers"));
        let [want, error] = mean(&host);
        let (losses, ..) = drawn(&quadratic(a, 0.0), objective, &data, 50, 2000);
        is_mean(&format!("drawn ed, t = {t}, M = {negatives}"), &losses, want, 5.0 * error);
    }
    let noise = SeparableLaw::normal(vec![0.5], vec![2.0]).expect("law");
    let nu = 3;
    let z = Points::normal::<f64>(data.count() * nu, 1, Seed(109), Stream::Host, 0);
    let value = |x: f64| half(x) + 0.7 + noise.log_density(&[x]);
    let host: Vec<f64> = data
        .values()
        .iter()
        .zip(z.values().chunks(nu))
        .map(|(x, z)| {
            let far = z.iter().map(|z| value(0.5 + 2.0 * z));
            Form::Classification.loss(&mut std::iter::once(value(*x)).chain(far).collect::<Vec<_>>())
        })
        .collect();
    let objective = Objective::Nce(NoiseContrastive::new(nu, noise.clone()).expect("negatives"));
    let [want, error] = mean(&host);
    let (losses, ..) = drawn(&quadratic(a, 0.7), objective, &data, 50, 2000);
    is_mean("drawn nce", &losses, want, 5.0 * error);
}

/// Chains that hardly move tell where they start: from noisy data, or from the law of a buffer.
#[test]
fn chains_start_where_they_should() {
    let still = quadratic(1.0, 0.0);
    let one = Points::new(1, vec![2.5]);
    let check = |what: &str, objective: Objective, center: f64, variance: f64, fourth: f64| {
        let (.., negatives) = drawn(&still, objective, &one, 20_000, 1);
        let values = negatives.expect("chains").values().to_vec();
        is_mean(&format!("{what}: mean"), &values, center, 1e-4);
        let squares: Vec<f64> = values.iter().map(|x| (x - center).powi(2)).collect();
        is_mean(&format!("{what}: variance"), &squares, variance, 1e-4);
        let fourths: Vec<f64> = values.iter().map(|x| (x - center).powi(4)).collect();
        is_mean(&format!("{what}: fourth moment"), &fourths, fourth, 1e-4);
    };
    let quiet = |noise| cd(1, 1e-12, noise);
    check("noisy data", Objective::Cd(quiet(0.5)), 2.5, 0.25, 3.0 * 0.0625);
    let normal = SeparableLaw::normal(vec![-1.0], vec![2.0]).expect("law");
    let uniform = SeparableLaw::around(&Points::new(1, vec![1.0, 4.0])).expect("box");
    for restart in [0.0, 1.0] {
        let pcd = |start: &SeparableLaw| {
            Objective::Pcd(quiet(0.0), Replay::new(20_000, restart, start.clone()).expect("replay"))
        };
        check(&format!("normal start, restart {restart}"), pcd(&normal), -1.0, 4.0, 48.0);
        check(&format!("uniform start, restart {restart}"), pcd(&uniform), 2.5, 0.75, 81.0 / 80.0);
    }
}

#[test]
fn chains_go_back_to_slots_of_their_own() {
    let (slots, batch) = (41, 17);
    let start = SeparableLaw::isotropic(1, 1.0).expect("law");
    let pcd = || Objective::Pcd(cd(3, 0.05, 0.0), Replay::new(slots, 0.0, start.clone()).expect("replay"));
    let data = normal_points(10, 1, 110);
    let run = |steps| {
        let (_, state, negatives) = drawn(&quadratic(1.0, 0.0), pcd(), &data, batch, steps);
        (state.replay.expect("buffer"), negatives.expect("chains"))
    };
    let after: Vec<_> = (1..=4).map(run).collect();
    for pair in after.windows(2) {
        let (before, (now, ends)) = (&pair[0].0, &pair[1]);
        let moved: Vec<usize> = (0..slots).filter(|i| before.row(*i) != now.row(*i)).collect();
        assert_eq!(moved.len(), batch, "as many slots as samples have changed");
        for end in ends.rows() {
            let places = moved.iter().filter(|i| now.row(**i) == end).count();
            assert_eq!(places, 1, "each chain is in one slot");
        }
    }
}

#[test]
fn numbers_outside_their_range_are_refused() {
    fn refused<T>(result: ebm_gpu::error::Result<T>, says: &str) {
        let error = result.err().map(|e| e.to_string()).expect("refused");
        assert!(error.contains(says), "`{error}` does not say `{says}`");
    }
    let law = || SeparableLaw::isotropic(2, 1.0).expect("law");
    refused(Contrastive::new(0, 0.01, 0.0, 0.0), "k is 0");
    refused(Contrastive::new(1, 0.0, 0.0, 0.0), "eta is 0");
    refused(Contrastive::new(1, f64::NAN, 0.0, 0.0), "eta is NaN");
    refused(Contrastive::new(1, 0.01, -1.0, 0.0), "alpha is -1");
    refused(Contrastive::new(1, 0.01, 0.0, f64::INFINITY), "data-noise is inf");
    refused(Replay::new(0, 0.1, law()), "0 chains");
    refused(Replay::new(10, 1.5, law()), "restart probability is 1.5");
    refused(Replay::new(10, f64::NAN, law()), "restart probability is NaN");
    refused(Discrepancy::new(0.0, 4, 1.0), "t is 0");
    refused(Discrepancy::new(1.0, 0, 1.0), "M is 0");
    refused(Discrepancy::new(1.0, MOST_NEGATIVES + 1, 1.0), "M is 4097");
    refused(Discrepancy::new(1.0, 4, -0.1), "w is -0.1");
    refused(NoiseContrastive::new(0, law()), "nu is 0");
    let uniform = SeparableLaw::around(&normal_points(3, 2, 111)).expect("box");
    refused(NoiseContrastive::new(1, uniform), "a normal law");
    let spec = network("2-5-1", Activation::Silu, 112).spec;
    let (x, y) = (normal_points(5, 2, 113), normal_points(19, 2, 114));
    refused(Given::points(&x).check(&ed(4, 1.0), &spec), "negative points y");
    refused(Given::contrasted(&x, &y).check(&ed(4, 1.0), &spec), "19 points of 2, 5 points with 4 each need 20");
    let small = Objective::Pcd(cd(1, 0.01, 0.0), Replay::new(4, 0.0, law()).expect("replay"));
    let optimizer = Optimizer::adam(1e-3);
    let plan = TrainingPlan { objective: small, batch: 5, optimizer, steps: 1, seed: Seed(1) };
    refused(plan.check(&spec), "4 chains for a batch of 5");
    let model = network("2-5-1", Activation::Silu, 112);
    let state = TrainingState { replay: Some(normal_points(3, 2, 115)), ..TrainingState::start(&model) };
    let plan = TrainingPlan { batch: 2, ..plan };
    refused(
        reference().train(&model, &plan, &x, state),
        "left with a replay buffer of 3 x 2, it is to go on with 4 x 2",
    );
}
