//! Which points of a pool are called the first sample: as drawn, and as relabelled at random.

use crate::data::law::index;
use rand::Rng;

/// Labels of a pool of `first` points of one sample, then `second` of another: labelling 0 is the true one.
#[derive(Debug, Clone)]
pub(super) struct Labels {
    /// Points called the first sample.
    pub(super) first: usize,
    /// Points called the second.
    pub(super) second: usize,
    /// `[points][labellings]`: 1 for the first sample, 0 for the second.
    in_first: Vec<f64>,
    count: usize,
}

impl Labels {
    /// The true labels and `relabelled` random ones.
    pub(super) fn draw(first: usize, second: usize, relabelled: usize, rng: &mut dyn Rng) -> Self {
        let count = relabelled + 1;
        let mut in_first = vec![0.0; (first + second) * count];
        let mut order: Vec<usize> = (0..first + second).collect();
        for labelling in 0..count {
            // the first places of a shuffled order (Fisher and Yates): labelling 0 is not shuffled
            for place in 0..if labelling == 0 { 0 } else { first } {
                let other = place + index(rng, order.len() - place);
                order.swap(place, other);
            }
            order[..first].iter().for_each(|point| in_first[point * count + labelling] = 1.0);
        }
        Self { first, second, in_first, count }
    }

    /// Labellings, the true one included.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Points of the pool.
    pub(super) fn points(&self) -> usize {
        self.first + self.second
    }

    /// 1 where a labelling calls this point one of the first sample, one number a labelling.
    pub(super) fn of(&self, point: usize) -> &[f64] {
        &self.in_first[point * self.count..(point + 1) * self.count]
    }
}
