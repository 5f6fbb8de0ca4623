//! How much work goes into one submission: sized by measured time, and never more than two submissions in flight.

use std::time::{Duration, Instant};

/// The time a submission should take: long against the cost of submitting, short against any watchdog.
const TARGET: Duration = Duration::from_millis(70);

/// Chooses the size of submissions from how long the last ones took.
#[derive(Debug)]
pub(super) struct Pace {
    target: Duration,
    size: u64,
    most: u64,
    last_end: Instant,
}

impl Pace {
    /// Starts with submissions of one unit of work; at most `most` units and `max_ms` milliseconds each.
    pub(super) fn new(most: u64, max_ms: f64) -> Self {
        let max_ms = if max_ms.is_nan() { 0.1 } else { max_ms };
        let target = TARGET.min(Duration::from_secs_f64(max_ms.clamp(0.1, 500.0) / 1e3));
        Self { target, size: 1, most, last_end: Instant::now() }
    }

    /// Units of work for the next submission.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Takes note that a submission of `size` units, submitted at `start`, has just ended. The device works on one
    /// submission at a time, so it began when the one before had ended.
    pub(super) fn ended(&mut self, size: u64, start: Instant) {
        let now = Instant::now();
        let took = now - start.max(self.last_end);
        self.last_end = now;
        let fit = self.target.as_secs_f64() / took.as_secs_f64().max(1e-6) * size as f64;
        // at most doubled: the first submissions also pay for compilation
        self.size = (fit as u64).clamp(1, 2 * size.max(1)).min(self.most);
    }
}
