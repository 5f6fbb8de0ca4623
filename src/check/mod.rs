//! `check`: every kernel against the f64 reference on the user's own device.
//!
//! Each case runs one kernel through the engine on small odd sizes and compares what comes back, number by number. The
//! bounds have room for f32 and for what WGSL allows a driver, not for a wrong formula: a few units in the sixth digit of
//! the largest entry.

mod chains;
mod diagnostics;
mod objectives;
pub mod startup;
mod targets;

use serde::Serialize;

use crate::engine::cpu::Reference;
use crate::engine::{Engine, Peak};
use crate::error::Result;
use crate::model::{Activation, Conditioning, Head, MlpSpec};
use crate::points::Points;
use crate::random::{Seed, Stream};

/// What one kernel gave on one network.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The kernels that the numbers went through.
    pub kernel: String,
    /// The network, or the analytic target.
    pub net: String,
    /// Its activation; `-` without one.
    pub activation: &'static str,
    /// The largest |got − want| over the largest |want| (over 1, in gradients of contrast that are smaller: they are
    /// differences of such terms); infinite if anything is NaN.
    pub worst: f64,
    /// The most that is right.
    pub bound: f64,
}

impl Finding {
    /// Within its bound. NaN is not.
    pub fn holds(&self) -> bool {
        self.worst <= self.bound
    }
}

/// Networks whose widths do not fit tiles or padding, and every activation. The first has the tiles of most networks that are
/// trained; a software driver has workgroups of 128 invocations for it, of 256 beyond widths of 128, and of 64 for the others.
const CASES: &[(&str, Activation, usize)] = &[
    ("2-128-100-1", Activation::Silu, 33),
    ("3-61-7-1", Activation::Silu, 65),
    ("37-130-129-1", Activation::Silu, 70),
    ("3-50-7-3", Activation::Silu, 45),
    ("3-130-7-3", Activation::Silu, 45),
    ("2-17-9-1", Activation::Softplus, 40),
    ("2-17-9-1", Activation::Tanh, 40),
    ("2-17-9-1", Activation::Gelu, 40),
    ("2-17-9-1", Activation::Relu, 40),
    ("2-17-9-1", Activation::LeakyRelu, 40),
];

/// Bounds relative to the largest entry. Mesa's software driver stays 7 times below them; WGSL allows a GPU's `exp` to be
/// a few times less exact than that driver's.
const FORWARD: f64 = 4e-6;
const GRADIENT: f64 = 5e-6;
/// After ten steps of Adam.
const TRAINED: f64 = 5e-6;
/// The same for gradients that are differences: of data and negatives, whose weights each sum to 1.
const CONTRASTED: f64 = 2e-5;
/// After twenty Langevin steps.
const CHAINS: f64 = 1e-5;

/// A network or a target under comparison.
struct Case<'a> {
    engine: &'a dyn Engine,
    reference: &'a Reference,
    net: String,
    activation: &'static str,
    report: &'a mut dyn FnMut(&Finding),
    good: bool,
}

impl Case<'_> {
    fn find(&mut self, kernel: &str, got: &[f64], want: &[f64], bound: f64) {
        self.find_among(kernel, got, want, bound, f64::MIN_POSITIVE);
    }

    /// The same for sums of terms that are at least of size `least`.
    fn find_among(&mut self, kernel: &str, got: &[f64], want: &[f64], bound: f64, least: f64) {
        let (net, activation) = (self.net.clone(), self.activation);
        let finding = Finding { kernel: kernel.to_string(), net, activation, worst: worst(got, want, least), bound };
        self.good &= finding.holds();
        (self.report)(&finding);
    }
}

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Every kernel on one network and one target: seconds, where the driver has them compiled.
    Quick,
    /// Every shape, activation and target too.
    All,
}

/// Runs the cases on `engine` and calls `report` with each finding as it comes.
///
/// # Errors
/// The device failed: not that it computes wrongly, which a finding says.
pub fn check(engine: &dyn Engine, extent: Extent, report: &mut dyn FnMut(&Finding)) -> Result<bool> {
    let reference = &Reference::new()?;
    let mut case = Case { engine, reference, net: String::new(), activation: "-", report, good: true };
    let cases = if extent == Extent::All { CASES } else { &CASES[..1] };
    for &(net, activation, samples) in cases {
        let head = if net.ends_with("-1") { Head::Energy } else { Head::Score };
        let model = MlpSpec::parse_conditioned(net, activation, head, Conditioning::None)?.initial(Seed(7));
        (case.net, case.activation) = (net.to_string(), activation.name());
        let points = normals(samples, model.spec.dim(), 1);
        if head == Head::Energy {
            let want = reference.energy(&model, &points)?;
            case.find("energy", &engine.energy(&model, &points)?, &want, FORWARD);
        }
        let want = reference.score(&model, &points)?;
        case.find("score", engine.score(&model, &points)?.values(), want.values(), GRADIENT);
        objectives::check_losses(&mut case, &model, &points)?;
        objectives::check_trainings(&mut case, &model, &points)?;
        chains::check(&mut case, (&model).into(), head == Head::Energy, samples)?;
    }
    targets::check(&mut case, extent)?;
    diagnostics::check(&mut case)?;
    (case.net, case.activation) = ("-".to_string(), "-");
    case.find("multiply_add", &[engine.peak()?.value], &[Peak::WANT], FORWARD);
    Ok(case.good)
}

fn normals(count: usize, dim: usize, step: u32) -> Points {
    Points::normal::<f32>(count, dim, Seed(5), Stream::Host, step)
}

/// Vectors of length √d.
fn directions(count: usize, dim: usize) -> Points {
    let mut rows = normals(count, dim, 6);
    for row in rows.values_mut().chunks_exact_mut(dim) {
        let length = (row.iter().map(|v| v * v).sum::<f64>() / dim as f64).sqrt();
        row.iter_mut().for_each(|v| *v = f64::from((*v / length) as f32));
    }
    rows
}

/// The largest error over the largest entry, or over `least`; infinite if anything is NaN or an array is short.
fn worst(got: &[f64], want: &[f64], least: f64) -> f64 {
    if got.len() != want.len() {
        return f64::INFINITY;
    }
    let scale = want.iter().fold(least, |m, w| m.max(w.abs()));
    let error = |(g, w): (&f64, &f64)| {
        let e = (g - w).abs() / scale;
        if e.is_nan() { f64::INFINITY } else { e }
    };
    got.iter().zip(want).map(error).fold(0.0, f64::max)
}
