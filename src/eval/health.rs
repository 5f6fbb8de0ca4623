//! How well the chains of contrastive divergence follow the data.

use serde::Serialize;

use crate::engine::Engine;
use crate::error::Result;
use crate::model::Model;
use crate::points::Points;

/// Points of each kind that are looked at: pairs of them are some ten thousand.
const SOME: usize = 256;

/// What negatives say about a run. None of the three is a measure of quality: they tell of chains that have collapsed, left
/// the data or stopped moving.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Health {
    /// Mean E of data less mean E of negatives: around 0 while chains follow the data.
    pub energy_gap: f64,
    /// The mean of ‖∇E‖ at the negatives.
    pub gradient_at_negatives: f64,
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
        data: &Points,
        negatives: &Points,
        replay: Option<&Points>,
    ) -> Result<Self> {
        let (data, negatives) = (some(data), some(negatives));
        let kept = replay.map_or_else(|| negatives.clone(), some);
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let scores = engine.score(model, &negatives)?;
        let norms = scores.rows().map(|s| s.iter().map(|v| v * v).sum::<f64>().sqrt()).collect();
        Ok(Self {
            energy_gap: mean(engine.energy(model, &data)?) - mean(engine.energy(model, &negatives)?),
            gradient_at_negatives: mean(norms),
            diversity: mean_distance(&kept) / mean_distance(&data),
            distinct: distinct(&kept),
        })
    }
}

fn some(points: &Points) -> Points {
    let count = SOME.min(points.count());
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
    fn distances_are_averaged_over_pairs() {
        let triangle = Points::new(2, vec![0.0, 0.0, 3.0, 0.0, 0.0, 4.0]);
        assert_eq!(mean_distance(&triangle), 4.0);
        let twice = Points::new(2, vec![0.0, 1.0, 0.0, 1.0, 0.0, 2.0, 0.0, 1.0]);
        assert_eq!((distinct(&triangle), distinct(&twice)), (1.0, 0.5));
    }
}
