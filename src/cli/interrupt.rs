//! Ctrl-C and SIGTERM: the first ends the work, after a save where there is something to save; a second, a quarter of a second later or
//! more, ends it at once.

use crate::cli::notice::notice;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ebm_gpu::error::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The exit code of a program that was interrupted.
const CODE: i32 = 130;
/// How soon a signal is seen.
const SOON: Duration = Duration::from_millis(20);
/// Signals closer to the first are the same wish: `timeout` and schedulers signal a program and then its group, this program too.
const APART: Duration = Duration::from_millis(250);

static ASKED: AtomicBool = AtomicBool::new(false);
/// Parts of the program that look at [`asked`] themselves.
static HEEDING: AtomicUsize = AtomicUsize::new(0);
static ADVICE: OnceLock<String> = OnceLock::new();

/// Begins to listen. Where nothing [`heed`]s, the program ends with a sentence.
pub(super) fn listen() -> Result<()> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM]).map_err(|e| Error::failed(format!("cannot listen for Ctrl-C: {e}")))?;
    std::thread::spawn(move || {
        let mut first: Option<Instant> = None;
        while !(asked() && HEEDING.load(Ordering::SeqCst) == 0) {
            for _ in signals.pending() {
                if first.get_or_insert_with(Instant::now).elapsed() >= APART {
                    signal_hook::low_level::exit(CODE);
                }
                ASKED.store(true, Ordering::SeqCst);
            }
            std::thread::sleep(SOON);
        }
        notice!("interrupted");
        if let Some(advice) = ADVICE.get() {
            notice!("hint: {advice}");
        }
        signal_hook::low_level::exit(CODE);
    });
    Ok(())
}

/// Whether someone wants the program to end.
pub(super) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// Says how an interrupted program goes on; only the first advice is given.
pub(super) fn advise(how: impl FnOnce() -> String) {
    ADVICE.get_or_init(how);
}

/// Does work that looks at [`asked`] often, and ends with [`ended`] once it is saved.
pub(super) fn heed<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    HEEDING.fetch_add(1, Ordering::SeqCst);
    let done = work();
    // what ends the program after the wish says itself what it was, on its way out: an interruption, or that nothing was saved
    if !(done.is_err() && asked()) {
        HEEDING.fetch_sub(1, Ordering::SeqCst);
    }
    done
}

/// That the work has been ended, and where it stands.
pub(super) fn ended(standing: &str) -> Error {
    let error = Error::interrupted(format!("interrupted {standing}"));
    match ADVICE.get() {
        Some(advice) => error.hint(advice.clone()),
        None => error,
    }
}
