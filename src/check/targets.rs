//! Analytic targets: their energies and gradients, and chains on them.

use super::{Case, Extent, GRADIENT, chains};
use crate::engine::Engine as _;
use crate::error::Result;
use crate::points::Points;
use crate::random::{Seed, Stream, uniform};
use crate::target::{Formula, NAMES, Target};

/// Every formula, the normal law with a full covariance.
fn targets() -> Result<Vec<Target>> {
    let tilted = Target::gaussian(vec![1.0, -2.0, 0.5], vec![2.0, 0.6, -0.3, 0.6, 1.0, 0.4, -0.3, 0.4, 0.5])?;
    let mut all = vec![tilted];
    for name in NAMES {
        let target = Target::by_name(name, None)?;
        if !all.iter().any(|known: &Target| known.formula() == target.formula()) {
            all.push(target);
        }
    }
    debug_assert_eq!(all.len(), Formula::ALL.len());
    Ok(all)
}

pub(super) fn check(case: &mut Case<'_>, extent: Extent) -> Result<()> {
    let mut targets = targets()?;
    if extent == Extent::Quick {
        targets.truncate(1);
    }
    for target in targets {
        case.net = format!("{} in {}", target.name(), target.dim());
        case.activation = "-";
        let points = points(&target, 301);
        let (want, expected) = case.reference.target_energy(&target, &points)?;
        let (got, gradient) = case.engine.target_energy(&target, &points)?;
        case.find("target_energy", &got, &want, GRADIENT);
        case.find("target_energy: gradients", gradient.values(), expected.values(), GRADIENT);
        if matches!(target.formula(), Formula::Gaussian | Formula::Gmm) {
            chains::check(case, (&target).into(), true, 70)?;
        }
    }
    Ok(())
}

/// Uniform points of the target's start, the same in f32.
fn points(target: &Target, count: usize) -> Points {
    let [low, high] = target.start();
    let value = |i: usize| {
        let unit: f64 = uniform(Seed(6).words(Stream::Host, i as u32, 0, 0)[0]);
        f64::from((low + (high - low) * unit) as f32)
    };
    Points::new(target.dim(), (0..count * target.dim()).map(value).collect())
}
