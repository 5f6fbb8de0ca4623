//! The replay buffer of persistent contrastive divergence (Tieleman 2008; Du and Mordatch 2019, arXiv:1903.08689): chains
//! that go on from where an earlier step left them.

use super::SeparableLaw;
use crate::error::{Error, Result};
use crate::random::{Seed, Stream, pick};

/// Hyper-parameters of a replay buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Chains that are kept.
    pub slots: usize,
    /// The probability that a chain begins anew at a step.
    pub restart: f64,
    /// Where chains begin.
    pub start: SeparableLaw,
}

/// Restart probabilities are whole multiples of 2⁻²³, so that all engines decide alike.
const RESTART_BITS: u32 = 23;

/// The most slots: twice one still fits 32 bits.
const MOST_SLOTS: usize = 1 << 28;

impl Replay {
    /// Checks the size and the probability.
    ///
    /// # Errors
    /// No slots, too many, or a probability outside 0 to 1.
    pub fn new(slots: usize, restart: f64, start: SeparableLaw) -> Result<Self> {
        if !(1..=MOST_SLOTS).contains(&slots) {
            return Err(Error::input(format!(
                "a replay buffer of {slots} chains: it has to be from 1 to {MOST_SLOTS}"
            )));
        }
        if !(0.0..=1.0).contains(&restart) {
            return Err(Error::input(format!("the restart probability is {restart}, it has to be from 0 to 1")));
        }
        Ok(Self { slots, restart, start })
    }

    /// The restart probability in units of 2⁻²³: a chain begins anew if the high 23 bits of its word are below.
    pub(crate) fn restart_limit(&self) -> u32 {
        (self.restart * f64::from(1u32 << RESTART_BITS)).round() as u32
    }

    /// Whether the chain of sample `sample` begins anew at `step`.
    pub(crate) fn restarts(&self, seed: Seed, sample: u32, step: u32) -> bool {
        seed.words(Stream::Replay, sample, step, 1)[0] >> (32 - RESTART_BITS) < self.restart_limit()
    }
}

/// Which slot each sample of a step takes: sample s takes (multiplier · s + offset) mod slots, with a multiplier that has
/// no divisor in common with the number of slots, so that up to that many samples take different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotOrder {
    pub(crate) slots: u32,
    pub(crate) multiplier: u32,
    pub(crate) offset: u32,
}

impl SlotOrder {
    /// The order of a step.
    pub(crate) fn new(seed: Seed, step: u32, slots: usize) -> Self {
        let slots = slots as u32;
        let words = seed.words(Stream::Replay, 0, step, 0);
        let mut multiplier = 1 + pick(words[1], slots);
        while greatest_divisor(multiplier, slots) != 1 {
            multiplier += 1;
        }
        Self { slots, multiplier: multiplier % slots, offset: pick(words[0], slots) }
    }

    /// The slot of a sample.
    pub(crate) fn slot(self, sample: usize) -> usize {
        ((u64::from(self.multiplier) * sample as u64 + u64::from(self.offset)) % u64::from(self.slots)) as usize
    }
}

fn greatest_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_a_step_are_distinct_and_change() {
        for slots in [1, 2, 7, 30, 64, 10_000] {
            let orders: Vec<_> = (1..40).map(|step| SlotOrder::new(Seed(9), step, slots)).collect();
            for order in &orders {
                let mut taken: Vec<usize> = (0..slots).map(|s| order.slot(s)).collect();
                taken.sort_unstable();
                assert!(taken.into_iter().eq(0..slots), "{order:?}");
            }
            assert!(slots < 7 || orders.windows(2).any(|w| w[0] != w[1]), "{slots} slots in the same order");
        }
    }

    #[test]
    fn every_slot_is_as_likely_for_every_sample() {
        // 40,000 steps, 40 slots: 1000 each, five standard deviations of a binomial number are 157
        for sample in [0, 1, 17] {
            let mut counts = [0u32; 40];
            (0..40_000).for_each(|step| counts[SlotOrder::new(Seed(10), step, 40).slot(sample)] += 1);
            assert!(counts.iter().all(|c| c.abs_diff(1000) < 157), "{counts:?}");
        }
    }

    #[test]
    fn chains_restart_as_often_as_asked() {
        let start = SeparableLaw::isotropic(1, 1.0).expect("law");
        for (restart, want) in [(0.0, 0..=0), (1.0, 100_000..=100_000), (0.05, 4655..=5345)] {
            let replay = Replay::new(100, restart, start.clone()).expect("replay");
            let count = (0..100_000).filter(|s| replay.restarts(Seed(11), *s, 3)).count();
            // five standard deviations of 69
            assert!(want.contains(&count), "{count} of 100,000 at {restart}");
        }
    }
}
