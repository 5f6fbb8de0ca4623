//! Calls into a driver that may never come back, or panic.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::error::{Error, Result};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in a call whose panic is caught and told as an error: a panic hook has nothing to say of it.
pub fn is_contained() -> bool {
    CONTAINED.get()
}

static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// Whether a driver has been given up that did not come back in time: its threads are still there, and what it does at the end of
/// the program may wait for them without end.
pub fn has_given_up() -> bool {
    GIVEN_UP.load(Ordering::SeqCst)
}

/// Takes note of a driver that did not come back in time.
pub(super) fn give_up() {
    GIVEN_UP.store(true, Ordering::SeqCst);
}

/// Does `work` inside a driver's library, which may panic.
pub(super) fn contained<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    let before = CONTAINED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(before);
    done
}

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
    // that nobody waits any more is no error, and a panic drops the sender
    std::thread::spawn(move || contained(work).map(|done| drop(sender.send(done))).ok());
    receiver.recv_timeout(limit).map_err(|e| {
        Error::failed(match e {
            RecvTimeoutError::Timeout => {
                give_up();
                format!("{what} did not end within {} s", limit.as_secs_f64())
            }
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
        assert!(has_given_up());
        assert!(told(within(3000 * soon, "opening it", || panic!("as drivers do"))).contains("the driver panicked"));
    }

    #[test]
    fn panics_are_known_to_be_contained_while_they_are() {
        assert!(contained(|| contained(is_contained).is_ok_and(|inner| inner) && is_contained()).expect("no panic"));
        assert!(contained(|| panic!("as wgpu does")).is_err() && !is_contained());
    }
}
