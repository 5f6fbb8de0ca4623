//! The fastest multiply-adds of a device: what shares of the machine are measured against.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// Every number of the loop starts here and goes on as x ← [`FACTOR`] x + [`TERM`].
pub(super) const START: f64 = 3.0;
/// The factor.
pub(super) const FACTOR: f64 = 0.5;
/// The term.
pub(super) const TERM: f64 = 0.25;

/// What a loop of multiply-adds gave.
#[derive(Debug, Clone, Copy)]
pub struct Peak {
    /// Multiply-adds a second; each is two floating-point operations.
    pub multiply_adds_per_second: f64,
    /// The mean of the loop's numbers when it ended, which can only be right if all of it was done.
    pub value: f64,
}

impl Peak {
    /// Where x ← x / 2 + 1/4 leads from anywhere, exactly in any binary arithmetic.
    pub const WANT: f64 = TERM / (1.0 - FACTOR);

    /// The best of runs of `count` multiply-adds over `span` of wall time, three of them at least; `run` returns the mean of
    /// its numbers and the seconds that it took.
    pub(super) fn best(span: Duration, count: f64, mut run: impl FnMut() -> Result<(f64, f64)>) -> Result<Self> {
        let start = Instant::now();
        let mut best = Self { multiply_adds_per_second: 0.0, value: f64::NAN };
        for turn in 0.. {
            if turn >= 3 && start.elapsed() > span {
                break;
            }
            let (value, seconds) = run()?;
            let speed = count / seconds;
            if speed > best.multiply_adds_per_second {
                best = Self { multiply_adds_per_second: speed, value };
            }
        }
        if (best.value - Self::WANT).abs() > 1e-6 {
            return Err(Error::failed(format!(
                "a loop of multiply-adds ended at {}, it has to end at {}",
                best.value,
                Self::WANT
            )));
        }
        Ok(best)
    }

    /// Floating-point operations a second, in units of 10⁹.
    pub fn gflops(&self) -> f64 {
        2e-9 * self.multiply_adds_per_second
    }
}
