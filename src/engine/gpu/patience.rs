//! Calls into a driver that may never come back.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::error::{Error, Result};

/// Does `work`, of which `what` says what it is, on a thread of its own, and gives up on it after `limit`.
///
/// # Errors
/// It did not end within `limit` (its thread then stays behind), or the driver panicked.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    what: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = channel();
    // that nobody waits any more is no error
    std::thread::spawn(move || drop(sender.send(work())));
    receiver.recv_timeout(limit).map_err(|e| {
        Error::failed(match e {
            RecvTimeoutError::Timeout => format!("{what} did not end within {} s", limit.as_secs_f64()),
            RecvTimeoutError::Disconnected => format!("{what} failed: the driver panicked"),
        })
        .hint("another driver or --adapter, or --engine cpu, which needs none")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_does_not_come_back_is_given_up() {
        let soon = Duration::from_millis(20);
        assert_eq!(within(Duration::from_secs(60), "opening", || 7).expect("it comes back"), 7);
        let told = |outcome: Result<()>| outcome.expect_err("it does not").to_string();
        assert_eq!(
            told(within(soon, "opening it", move || std::thread::sleep(60 * soon))),
            "opening it did not end within 0.02 s"
        );
        assert!(told(within(soon, "opening it", || std::panic::resume_unwind(Box::new(())))).contains("panicked"));
    }
}
