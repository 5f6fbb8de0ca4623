//! When work that goes on is saved: from time to time, and when the program is asked to end.

use std::time::{Duration, Instant};

use ebm_gpu::error::Result;

use super::interrupt;

/// Of the time between saves, a save takes at most this part.
const PART: u32 = 50;

/// The time since the last save, and how long that took.
pub(super) struct Autosave {
    interval: Duration,
    last: Instant,
    took: Duration,
}

impl Autosave {
    /// The first save is due after `interval`, the most that is lost.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, last: Instant::now(), took: Duration::ZERO }
    }

    /// Whether to save as soon as that can be done.
    pub(super) fn is_due(&self) -> bool {
        interrupt::asked() || self.last.elapsed() >= self.wait()
    }

    fn wait(&self) -> Duration {
        self.interval.max(PART * self.took)
    }

    /// Saves by `write`; if the program is asked to end, the work ends here, `standing` as the words say.
    ///
    /// # Errors
    /// It cannot be written, or the work is to end.
    pub(super) fn save(&mut self, standing: &str, write: impl FnOnce() -> Result<()>) -> Result<()> {
        // a wish that comes later wants a save of its own
        let asked = interrupt::asked();
        let start = Instant::now();
        write()?;
        (self.last, self.took) = (Instant::now(), start.elapsed());
        if asked { Err(interrupt::ended(standing)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saves_are_not_most_of_the_work() {
        let ago = |seconds, took| Autosave {
            interval: Duration::from_secs(30),
            last: Instant::now().checked_sub(Duration::from_secs(seconds)).expect("a clock that has run"),
            took: Duration::from_millis(took),
        };
        let due = [(29, 0), (31, 0), (31, 700), (36, 700)].map(|(seconds, took)| ago(seconds, took).is_due());
        assert_eq!(due, [false, true, false, true]);
    }
}
