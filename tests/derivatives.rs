//! Derivatives of the f64 reference against dual numbers and central differences; f32 against the reference.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{network, normal_points, scale, worst};
use ebm_gpu::engine::cpu::{Cpu, Reference};
use ebm_gpu::engine::{Engine, Jet, JetGradient};
use ebm_gpu::model::{Activation, MlpSpec, Model};
use ebm_gpu::objective::{Dsm, Objective, Weighting};
use ebm_gpu::points::Points;
use num_dual::{Dual, Dual2, DualNum, third_derivative};

/// Small networks with widths that are odd and differ.
const NETS: [&str; 5] = ["1-3-1", "2-5-4-1", "3-7-2-1", "4-1-6-1", "2-3-5-3-1"];
/// Tangents and how many of them are curved: all of K = 0, 1, 2, 3, 5.
const JETS: [Jet; 16] = {
    let mut jets = [Jet::VALUE; 16];
    let (counts, mut at, mut i) = ([0, 1, 2, 3, 5], 0, 0);
    while i < counts.len() {
        let mut curved = 0;
        while curved <= counts[i] {
            jets[at] = Jet { tangents: counts[i], curved };
            (at, curved) = (at + 1, curved + 1);
        }
        i += 1;
    }
    assert!(at == jets.len());
    jets
};

fn smooth() -> impl Iterator<Item = Activation> {
    Activation::ALL.into_iter().filter(|a| a.is_smooth())
}

fn reference() -> Reference {
    Reference::new().expect("threads")
}

fn run_jet(engine: &dyn Engine, model: &Model, jet: Jet, at: &Points, along: &Points, weights: &[f64]) -> JetGradient {
    engine.jet_gradient(model, jet, at, along, weights).expect("jet")
}

/// φ from its definition, for any kind of number.
fn phi<D: DualNum<Primitive = f64> + Copy>(activation: Activation, z: D) -> D {
    let (negative, one) = (z.re() < 0.0, D::one());
    // exp(-|z|), which does not overflow
    let e = (if negative { z } else { -z }).exp();
    let logistic = if negative { e / (e + 1.0) } else { one / (e + 1.0) };
    match activation {
        Activation::Silu => z * logistic,
        Activation::Softplus if negative => e.ln_1p(),
        Activation::Softplus => z + e.ln_1p(),
        Activation::Tanh if negative => (e * e - 1.0) / (e * e + 1.0),
        Activation::Tanh => (one - e * e) / (e * e + 1.0),
        Activation::Gelu => z * normal_distribution(z),
        Activation::Relu if negative => D::zero(),
        Activation::LeakyRelu if negative => z * 0.01,
        Activation::Relu | Activation::LeakyRelu => z,
    }
}

/// Φ(z) = Φ(z₀) + ∫ pdf from z₀ = Re z to z: Simpson's rule is exact for its derivatives up to the fourth.
fn normal_distribution<D: DualNum<Primitive = f64> + Copy>(z: D) -> D {
    let z0 = z.re();
    let h = z - z0;
    let bell = |t: D| (t * t * -0.5).exp();
    let integral = h * (bell(z - h) + bell(z - h * 0.5) * 4.0 + bell(z)) / (6.0 * std::f64::consts::TAU.sqrt());
    integral + 0.5 * libm::erfc(-z0 * std::f64::consts::FRAC_1_SQRT_2)
}

/// E(x) by the definition of an MLP, parameters and point of any kind of number.
fn energy<D: DualNum<Primitive = f64> + Copy>(spec: &MlpSpec, parameters: &[D], x: &[D]) -> D {
    let layers = spec.layers();
    let mut a = x.to_vec();
    for (l, layer) in layers.iter().enumerate() {
        let (weight, bias) = (&parameters[layer.weight.clone()], &parameters[layer.bias.clone()]);
        let z = weight
            .chunks(layer.input)
            .zip(bias)
            .map(|(row, b)| row.iter().zip(&a).fold(*b, |sum, (w, a)| sum + *w * *a));
        a = z.map(|z| if l + 1 < layers.len() { phi(spec.activation(), z) } else { z }).collect();
    }
    a[0]
}

/// φ, φ′, φ″, φ‴ at z by an engine: E = φ(x + b) of a network with one hidden neuron, along the tangent 1.
fn engine_phi(activation: Activation, z: f64, jet: impl Fn(&Model, &Points, &[f64]) -> JetGradient) -> [f64; 4] {
    let spec = MlpSpec::new(vec![1, 1, 1], activation).expect("widths");
    let model = Model { spec, parameters: vec![1.0, 0.25, 1.0, 0.0] };
    let at = Points::new(1, vec![z - 0.25]);
    let curvature = jet(&model, &at, &[0.0, 0.0, 1.0]);
    [curvature.values[0], curvature.values[1], curvature.values[2], curvature.gradient[1]]
}

#[test]
fn activations_have_the_derivatives_of_their_definitions() {
    let (reference, cpu) = (reference(), Cpu::new().expect("threads"));
    let (jet, tangent) = (Jet { tangents: 1, curved: 1 }, Points::new(1, vec![1.0]));
    let mut at: Vec<f64> = (-96..=96).map(|i| f64::from(i) / 8.0).collect();
    at.extend([1e-3, -1e-3, 40.0, -40.0, 700.0, -700.0]);
    for activation in Activation::ALL {
        let kinked = !activation.is_smooth();
        let points: Vec<f64> = at.iter().copied().filter(|z| !(kinked && *z == 0.0)).collect();
        let (mut want, mut double, mut single) = (Vec::new(), Vec::new(), Vec::new());
        for z in points {
            let (f, d1, d2, d3) = third_derivative(|z| phi(activation, z), z);
            want.extend([f, d1, d2, d3]);
            double.extend(engine_phi(activation, z, |m, p, w| run_jet(&reference, m, jet, p, &tangent, w)));
            single.extend(engine_phi(activation, z, |m, p, w| run_jet(&cpu, m, jet, p, &tangent, w)));
        }
        eprintln!("{}", activation.name());
        // f64: 1 - tail loses what is below 1e-16, and z (up to 12 where it matters) multiplies that
        assert!(worst(&double, &want, 1e-14, 2e-15) <= 1.0, "{} in f64", activation.name());
        // f32: the same with 6e-8; erf is good to 1.2e-7
        assert!(worst(&single, &want, 1e-6, 1e-6) <= 1.0, "{} in f32", activation.name());
    }
}

/// (E, v·∇E, vᵀHv) at x, each with its derivative by one parameter, from E(x + t v).
fn dual_values(model: &Model, x: &[f64], v: &[f64], parameter: usize) -> [Dual<f64>; 3] {
    let constant = |re| Dual::new(re, 0.0);
    let mut parameters: Vec<_> = model.parameters.iter().map(|p| Dual2::from_re(constant(*p))).collect();
    parameters[parameter].re.eps = 1.0;
    let line = x.iter().zip(v).map(|(x, v)| Dual2::new(constant(*x), constant(*v), constant(0.0)));
    let e = energy(&model.spec, &parameters, &line.collect::<Vec<_>>());
    [e.re, e.v1, e.v2]
}

/// What `jet_gradient` gives, by dual numbers.
fn dual_jet(model: &Model, jet: Jet, points: &Points, tangents: &Points, weights: &[f64]) -> JetGradient {
    let (k, channels) = (jet.tangents, jet.channels());
    let mut values = vec![0.0; points.count() * channels];
    let mut gradient = vec![0.0; model.parameters.len()];
    let zero = vec![0.0; points.dim()];
    for (parameter, total) in gradient.iter_mut().enumerate() {
        for (s, x) in points.rows().enumerate() {
            let mut jets = vec![Dual::new(0.0, 0.0); channels];
            jets[0] = dual_values(model, x, &zero, parameter)[0];
            for t in 0..k {
                let [_, slope, curvature] = dual_values(model, x, tangents.row(s * k + t), parameter);
                jets[1 + t] = slope;
                if t < jet.curved {
                    jets[1 + k] += curvature;
                }
            }
            for (c, value) in jets.iter().enumerate() {
                values[s * channels + c] = value.re;
                *total += weights[s * channels + c] * value.eps;
            }
        }
    }
    JetGradient { values, gradient }
}

/// `samples` points, their tangents, and weights of all channels.
fn jet_inputs(jet: Jet, samples: usize, dim: usize) -> (Points, Points, Vec<f64>) {
    let tangents = normal_points(samples * jet.tangents, dim, 22);
    (normal_points(samples, dim, 21), tangents, normal_points(samples * jet.channels(), 1, 23).values().to_vec())
}

#[test]
fn jets_and_their_parameter_gradients_agree_with_dual_numbers() {
    let reference = reference();
    for (net, activation) in NETS.into_iter().flat_map(|net| smooth().map(move |a| (net, a))) {
        let model = network(net, activation, 31);
        eprintln!("{net} {}", activation.name());
        let (mut got, mut want) = (Vec::new(), Vec::new());
        for jet in JETS {
            let (points, tangents, weights) = jet_inputs(jet, 3, model.spec.dim());
            let engine = run_jet(&reference, &model, jet, &points, &tangents, &weights);
            let dual = dual_jet(&model, jet, &points, &tangents, &weights);
            got.extend([engine.values, engine.gradient].concat());
            want.extend([dual.values, dual.gradient].concat());
        }
        // sums of some hundred products of size 1 to 30, each good to 1e-16 of itself
        assert!(worst(&got, &want, 1e-13, 1e-13) <= 1.0, "{net} {}", activation.name());
    }
}

/// f′(0) by central differences of fourth order: with h = 2⁻¹⁰ and f of size and scale 1, good to 1e-12.
fn slope(f: impl Fn(f64) -> f64) -> f64 {
    let h = 1.0 / 1024.0;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

fn shifted(points: &Points, direction: &[f64], h: f64) -> Points {
    let values = points.values().chunks(points.dim()).flat_map(|x| x.iter().zip(direction).map(|(x, v)| x + h * v));
    Points::new(points.dim(), values.collect())
}

fn unit(dim: usize, n: usize) -> Vec<f64> {
    (0..dim).map(|i| f64::from(u8::from(i == n))).collect()
}

/// The derivative of f by each parameter, by central differences.
fn parameter_slopes(model: &Model, f: impl Fn(&Model) -> f64) -> Vec<f64> {
    let by = |i: usize| {
        slope(|h| {
            let mut moved = model.clone();
            moved.parameters[i] += h;
            f(&moved)
        })
    };
    (0..model.parameters.len()).map(by).collect()
}

#[test]
fn the_score_is_minus_the_slope_of_the_energy() {
    let reference = reference();
    for (net, activation) in NETS.into_iter().flat_map(|net| smooth().map(move |a| (net, a))) {
        let model = network(net, activation, 32);
        let d = model.spec.dim();
        let points = normal_points(9, d, 24);
        let score = reference.score(&model, &points).expect("score");
        let mut slopes = vec![0.0; score.values().len()];
        for (i, out) in slopes.iter_mut().enumerate() {
            let at = Points::new(d, points.row(i / d).to_vec());
            *out = -slope(|h| reference.energy(&model, &shifted(&at, &unit(d, i % d), h)).expect("energy")[0]);
        }
        assert!(worst(score.values(), &slopes, 0.0, 4e-12) <= 1.0, "{net} {}", activation.name());
    }
}

#[test]
fn parameter_gradients_of_jets_agree_with_central_differences() {
    let reference = reference();
    for (net, activation) in NETS.into_iter().flat_map(|net| smooth().map(move |a| (net, a))) {
        let model = network(net, activation, 33);
        let (mut got, mut want) = (Vec::new(), Vec::new());
        for jet in JETS {
            let (points, tangents, weights) = jet_inputs(jet, 2, model.spec.dim());
            let run = |model: &Model| run_jet(&reference, model, jet, &points, &tangents, &weights);
            got.extend(run(&model).gradient);
            want.extend(parameter_slopes(&model, |m| run(m).values.iter().zip(&weights).map(|(v, w)| v * w).sum()));
        }
        // fifth derivatives of curvatures along up to five tangents reach a few thousand, times h^4 / 30 = 3e-14
        assert!(worst(&got, &want, 1e-9, 1e-9) <= 1.0, "{net} {}", activation.name());
    }
}

/// Σ vᵀHv over `directions` at each point.
fn curvature(reference: &Reference, model: &Model, points: &Points, directions: &[Vec<f64>]) -> Vec<f64> {
    let jet = Jet { tangents: directions.len(), curved: directions.len() };
    let rows: Vec<f64> = points.rows().flat_map(|_| directions.concat()).collect();
    let weights = vec![0.0; points.count() * jet.channels()];
    let values = run_jet(reference, model, jet, points, &Points::new(points.dim(), rows), &weights).values;
    values.chunks(jet.channels()).map(|v| v[jet.tangents + 1]).collect()
}

#[test]
fn curvatures_add_up_to_the_trace_in_any_orthonormal_basis() {
    let reference = reference();
    for activation in smooth() {
        let model = network("3-7-2-1", activation, 34);
        let points = normal_points(7, 3, 25);
        let trace: Vec<f64> = points
            .rows()
            .map(|x| {
                let x = Points::new(3, x.to_vec());
                let score = |n: usize, h: f64| {
                    reference.score(&model, &shifted(&x, &unit(3, n), h)).expect("score").values()[n]
                };
                -(0..3).map(|n| slope(|h| score(n, h))).sum::<f64>()
            })
            .collect();
        let axes: Vec<_> = (0..3).map(|n| unit(3, n)).collect();
        let turned = [[2.0, 2.0, 1.0], [-2.0, 1.0, 2.0], [1.0, -2.0, 2.0]].map(|v| v.map(|v| v / 3.0).to_vec());
        for basis in [&axes[..], &turned[..]] {
            let got = curvature(&reference, &model, &points, basis);
            assert!(worst(&got, &trace, 0.0, 1e-12) <= 1.0, "{}", activation.name());
        }
    }
}

#[test]
fn the_hessian_is_symmetric() {
    let reference = reference();
    let (u, v) = (vec![0.5, -1.25, 2.0], vec![1.5, 0.75, -0.25]);
    let plus: Vec<f64> = u.iter().zip(&v).map(|(u, v)| u + v).collect();
    let minus: Vec<f64> = u.iter().zip(&v).map(|(u, v)| u - v).collect();
    for activation in smooth() {
        let model = network("3-7-2-1", activation, 35);
        let points = normal_points(7, 3, 26);
        // uᵀHv by polarisation, and by the change of one component of the score along the other direction
        let [big, small] = [plus.clone(), minus.clone()].map(|w| curvature(&reference, &model, &points, &[w]));
        let polarised: Vec<f64> = big.iter().zip(&small).map(|(b, s)| (b - s) / 4.0).collect();
        for (along, component) in [(&u, &v), (&v, &u)] {
            let product = |x: &Points, h: f64| -> f64 {
                let score = reference.score(&model, &shifted(x, along, h)).expect("score");
                -score.values().iter().zip(component).map(|(s, c)| s * c).sum::<f64>()
            };
            let want: Vec<f64> = points.rows().map(|x| slope(|h| product(&Points::new(3, x.to_vec()), h))).collect();
            assert!(worst(&polarised, &want, 0.0, 1e-11) <= 1.0, "{}", activation.name());
        }
    }
}

#[test]
fn jets_in_f32_agree_with_f64() {
    let (reference, cpu) = (reference(), Cpu::new().expect("threads"));
    for (activation, jet) in smooth().flat_map(|a| JETS.map(|jet| (a, jet))) {
        let model = network("3-65-33-1", activation, 36);
        let (points, tangents, weights) = jet_inputs(jet, 70, 3);
        let want = run_jet(&reference, &model, jet, &points, &tangents, &weights);
        let got = run_jet(&cpu, &model, jet, &points, &tangents, &weights);
        let what = format!("{} {jet:?}", activation.name());
        // a few units of 6e-8 of the largest term of each sum
        assert!(worst(&got.values, &want.values, 0.0, 2e-6 * scale(&want.values)) <= 1.0, "values, {what}");
        assert!(worst(&got.gradient, &want.gradient, 0.0, 2e-6 * scale(&want.gradient)) <= 1.0, "gradient, {what}");
    }
}

#[test]
fn dsm_is_its_definition() {
    let reference = reference();
    let (points, noise) = (normal_points(70, 3, 27), normal_points(70, 3, 28));
    for activation in Activation::ALL {
        let model = network("3-7-2-1", activation, 37);
        for sigma in [0.07, 0.3, 1.7] {
            let noisy = points.values().iter().zip(noise.values()).map(|(x, z)| x + sigma * z).collect();
            let score = reference.score(&model, &Points::new(3, noisy)).expect("score");
            let square = |(s, z): (&[f64], &[f64])| s.iter().zip(z).map(|(s, z)| (s + z / sigma).powi(2)).sum::<f64>();
            let one: Vec<f64> = score.rows().zip(noise.rows()).map(|pair| 0.5 * square(pair)).collect();
            for (weighting, factor) in
                [(Weighting::One, 1.0), (Weighting::Sigma2, sigma.powi(2)), (Weighting::Sigma4, sigma.powi(4))]
            {
                let objective = Objective::Dsm(Dsm::new(sigma, weighting).expect("sigma"));
                let got = reference.loss_gradient(&model, &objective, &points, &noise).expect("dsm");
                let want: Vec<f64> = one.iter().map(|l| factor * l).collect();
                assert!(worst(&got.losses, &want, 1e-14, 0.0) <= 1.0, "{} {objective:?}", activation.name());
            }
        }
    }
}

#[test]
fn the_gradient_of_dsm_agrees_with_central_differences() {
    let reference = reference();
    // 70 samples are two tiles
    for (net, batch) in [("1-3-1", 1), ("2-5-4-1", 5), ("3-7-2-1", 70), ("2-3-5-3-1", 3)] {
        for (activation, weighting) in
            smooth().zip([Weighting::One, Weighting::Sigma2, Weighting::Sigma4, Weighting::One])
        {
            let model = network(net, activation, 38);
            let d = model.spec.dim();
            let (points, noise) = (normal_points(batch, d, 29), normal_points(batch, d, 30));
            let objective = Objective::Dsm(Dsm::new(0.4, weighting).expect("sigma"));
            let run = |model: &Model| reference.loss_gradient(model, &objective, &points, &noise).expect("dsm");
            let want = parameter_slopes(&model, |m| run(m).loss());
            assert!(worst(&run(&model).gradient, &want, 1e-9, 1e-10) <= 1.0, "{net} {}", activation.name());
        }
    }
}
