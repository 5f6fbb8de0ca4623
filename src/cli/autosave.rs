//! When work that goes on is saved: from time to time, and when the program is asked to end.

use std::time::{Duration, Instant};

use ebm_gpu::error::Result;

use super::interrupt;

/// The most that is lost where nothing else is said.
const INTERVAL: Duration = Duration::from_secs(30);
/// Of the time between saves, a save takes at most this part.
const PART: u32 = 50;

/// The time since the last save, and how long that took.
pub(super) struct Autosave {
    last: Instant,
    took: Duration,
}

impl Autosave {
    pub(super) fn new() -> Self {
        Self { last: Instant::now(), took: Duration::ZERO }
    }

    /// Whether to save as soon as that can be done.
    pub(super) fn is_due(&self) -> bool {
        interrupt::asked() || self.last.elapsed() >= self.wait()
    }

    fn wait(&self) -> Duration {
        INTERVAL.max(PART * self.took)
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
        *self = Self { last: Instant::now(), took: start.elapsed() };
        if asked { Err(interrupt::ended(standing)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saves_are_not_most_of_the_work() {
        let ago = |seconds, took| Autosave {
            last: Instant::now().checked_sub(Duration::from_secs(seconds)).expect("a clock that has run"),
            took: Duration::from_millis(took),
        };
        let due = [(29, 0), (31, 0), (31, 700), (36, 700)].map(|(seconds, took)| ago(seconds, took).is_due());
        assert_eq!(due, [false, true, false, true]);
    }
}
