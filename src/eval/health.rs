//! How well the chains of contrastive divergence follow the data.

use serde::Serialize;

use crate::engine::{Engine, advance_by};
use crate::error::Result;
use crate::model::Model;
use crate::objective::Contrastive;
use crate::points::Points;
use crate::random::Seed;
use crate::sampler::Langevin;

/// Points of each kind that are looked at: pairs of them are some ten thousand.
const SOME: usize = 256;

/// Chains that are followed along their steps, and places on the way where ‖∇E‖ is looked at, both ends included.
const FOLLOWED: usize = 64;
const STOPS: usize = 5;

/// What negatives say about a run. None of it is a measure of quality: they tell of chains that have collapsed, left
/// the data or stopped moving.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Health {
    /// Mean E of data less mean E of negatives: around 0 while chains follow the data.
    pub energy_gap: f64,
    /// The mean of ‖∇E‖ at five places along chains like those of the step, evenly from start to end.
    pub gradient_along_chain: [f64; STOPS],
    /// The mean distance between chains (those of the replay buffer, where there is one) over that between data: far below 1
    /// where they have collapsed.
    pub diversity: f64,
    /// The share of these chains that are at places of their own.
    pub distinct: f64,
}

impl Health {
    /// Looks at some of the negatives, of the replay buffer and of the data, with the network as it is now.
    ///
    /// # Errors
    /// The device failed.
    pub fn of(
        engine: &dyn Engine,
        model: &Model,
        cd: &Contrastive,
        data: &Points,
        negatives: &Points,
        replay: Option<&Points>,
    ) -> Result<Self> {
        let (data, negatives) = (some(data, SOME), some(negatives, SOME));
        let kept = replay.map_or_else(|| negatives.clone(), |replay| some(replay, SOME));
        let start = some(replay.map_or(&data, |_| &kept), FOLLOWED);
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        Ok(Self {
            energy_gap: mean(engine.energy(model, &data)?) - mean(engine.energy(model, &negatives)?),
            gradient_along_chain: gradients(engine, model, cd, &start)?,
            diversity: mean_distance(&kept) / mean_distance(&data),
            distinct: distinct(&kept),
        })
    }
}

/// The mean of ‖∇E‖ along chains from `start`.
fn gradients(engine: &dyn Engine, model: &Model, cd: &Contrastive, start: &Points) -> Result<[f64; STOPS]> {
    let langevin = Langevin::new(cd.step_size, 1.0)?;
    let mut chains = engine.chains(model.into(), &langevin.into(), start, Seed(0))?;
    let mut done = 0;
    let mut found = [0.0; STOPS];
    for (i, mean) in found.iter_mut().enumerate() {
        let stop = (cd.steps * i / (STOPS - 1)) as u64;
        advance_by(chains.as_mut(), stop - done)?;
        done = stop;
        let scores = engine.score(model, &chains.positions()?)?;
        let norms = scores.rows().map(|s| s.iter().map(|v| v * v).sum::<f64>().sqrt());
        *mean = norms.sum::<f64>() / start.count() as f64;
    }
    Ok(found)
}

fn some(points: &Points, most: usize) -> Points {
    let count = most.min(points.count());
    Points::new(points.dim(), points.values()[..count * points.dim()].to_vec())
}

/// The share of points that no point before them equals.
fn distinct(points: &Points) -> f64 {
    let rows: Vec<&[f64]> = points.rows().collect();
    let new = rows.iter().enumerate().filter(|(i, row)| !rows[..*i].contains(row)).count();
    new as f64 / rows.len() as f64
}

/// The mean distance between two different points; NaN for one alone.
fn mean_distance(points: &Points) -> f64 {
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let pairs = points.rows().enumerate().flat_map(|(i, a)| points.rows().skip(i + 1).map(move |b| distance(a, b)));
    let count = points.count() as f64;
    pairs.sum::<f64>() / (0.5 * count * (count - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_those_of_the_chains() {
        let engine = crate::engine::cpu::Reference::new().expect("threads");
        let spec = crate::model::MlpSpec::parse("1-3-1", crate::model::Activation::Softplus).expect("widths");
        let model = spec.initial(Seed(1));
        let cd = Contrastive::new(8, 1e-6, 0.0, 0.0).expect("numbers");
        let start = Points::new(1, vec![0.5, 1.5]);
        let found = gradients(&engine, &model, &cd, &start).expect("gradients");
        let scores = engine.score(&model, &start).expect("scores");
        let want = 0.5 * (scores.values()[0].abs() + scores.values()[1].abs());
        // so short a step that chains stay where they are
        assert!(found.iter().all(|g| (g - want).abs() < 0.02 * want), "{found:?}, want {want}");
        assert!(found[0] == want && found[4] != found[0], "{found:?}");
    }

    #[test]
    fn distances_are_averaged_over_pairs() {
        let triangle = Points::new(2, vec![0.0, 0.0, 3.0, 0.0, 0.0, 4.0]);
        assert_eq!(mean_distance(&triangle), 4.0);
        let twice = Points::new(2, vec![0.0, 1.0, 0.0, 1.0, 0.0, 2.0, 0.0, 1.0]);
        assert_eq!((distinct(&triangle), distinct(&twice)), (1.0, 0.5));
    }
}
