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
    /// Whether the last unit took longer than a submission should.
    long: bool,
    last_end: Instant,
}

impl Pace {
    /// Starts with submissions of one unit of work; at most `most` units and `max_ms` milliseconds each.
    pub(super) fn new(most: u64, max_ms: f64) -> Self {
        let max_ms = if max_ms.is_nan() { 0.1 } else { max_ms };
        let target = TARGET.min(Duration::from_secs_f64(max_ms.clamp(0.1, 500.0) / 1e3));
        Self { target, size: 1, most, long: false, last_end: Instant::now() }
    }

    /// The same where even a unit is taken to be too long until one has been seen.
    pub(super) fn cautious(self) -> Self {
        Self { long: true, ..self }
    }

    /// Whether a unit is longer than a submission should be.
    pub(super) fn is_long(&self) -> bool {
        self.long
    }

    /// Units of work for the next submission.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Takes note that a submission of `size` units, submitted at `start`, has just ended. The device works on one
    /// submission at a time, so it began when the one before had ended.
    pub(super) fn ended(&mut self, size: u64, start: Instant) {
        self.ended_at(size, start, Instant::now());
    }

    fn ended_at(&mut self, size: u64, start: Instant, now: Instant) {
        let took = now - start.max(self.last_end);
        self.last_end = now;
        let fit = self.target.as_secs_f64() / took.as_secs_f64().max(1e-6) * size as f64;
        self.long = fit < 1.0;
        // at most doubled: the first submissions also pay for compilation
        self.size = (fit as u64).clamp(1, 2 * size.max(1)).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds that submissions take on a device that needs `unit` seconds for each unit; the next is sent at `start`.
    fn take(pace: &mut Pace, unit: f64, count: usize) -> Vec<f64> {
        let mut seconds = Vec::new();
        for _ in 0..count {
            let (size, start) = (pace.size(), pace.last_end);
            seconds.push(size as f64 * unit);
            // sent while the one before was on its way: the device begins later
            let sent = start.checked_sub(Duration::from_millis(1)).unwrap_or(start);
            pace.ended_at(size, sent, start + Duration::from_secs_f64(size as f64 * unit));
        }
        seconds
    }

    #[test]
    fn submissions_take_what_was_asked_for() {
        let mut pace = Pace::new(u64::MAX, 20.0);
        let fast = take(&mut pace, 1e-5, 30);
        assert_eq!(fast[0], 1e-5);
        assert!(fast.windows(2).all(|pair| pair[1] <= 2.0 * pair[0]), "{fast:?}");
        assert!(fast.iter().all(|seconds| *seconds < 0.0201) && fast[29] > 0.019, "{fast:?}");
        // a device that slows down is noticed by one submission
        let slow = take(&mut pace, 1e-3, 5);
        assert!(slow[1..].iter().all(|seconds| (0.018..0.0201).contains(seconds)), "{slow:?}");
        // a unit that takes longer is sent alone
        assert_eq!(take(&mut pace, 0.5, 3)[1..], [0.5, 0.5]);
        assert!(pace.is_long());
        take(&mut pace, 1e-3, 1);
        assert!(!pace.is_long() && Pace::new(1, 20.0).cautious().is_long());
    }

    #[test]
    fn submissions_have_no_more_units_than_there_are() {
        let mut pace = Pace::new(5, 500.0);
        take(&mut pace, 1e-6, 10);
        assert_eq!(pace.size(), 5);
        // longest of all, and what is no number
        for (asked, target) in
            [(1e9, TARGET), (f64::NAN, Duration::from_micros(100)), (-3.0, Duration::from_micros(100))]
        {
            assert_eq!(Pace::new(1, asked).target, target, "{asked} ms");
        }
    }
}
