//! Ctrl-C and SIGTERM: the first ends the work, after a save where there is something to save; a second, a quarter of a second later or
//! more, ends it at once.

use crate::cli::notice::notice;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

use ebm_gpu::error::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a program that was interrupted.
const CODE: i32 = 130;
/// How soon a signal is seen.
const SOON: Duration = Duration::from_millis(20);
/// Signals closer to the first are the same wish: `timeout` and schedulers signal a program and then its group, this program too.
const APART: Duration = Duration::from_millis(250);

/// Whether a signal has come since the last look.
static ARRIVED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static ASKED: AtomicBool = AtomicBool::new(false);
/// Parts of the program that look at [`asked`] themselves.
static HEEDING: AtomicUsize = AtomicUsize::new(0);
static ADVICE: OnceLock<String> = OnceLock::new();

/// Begins to listen. Where nothing [`heed`]s, the program ends with a sentence.
pub(super) fn listen() -> Result<()> {
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, ARRIVED.clone()).map_err(|e| Error::failed(format!("cannot listen for Ctrl-C: {e}")))?;
    }
    std::thread::spawn(|| {
        // when the first was seen, and whether none was at the look before this
        let (mut first, mut is_quiet) = (None::<Instant>, true);
        while !(asked() && HEEDING.load(Ordering::SeqCst) == 0) {
            let has_arrived = ARRIVED.swap(false, Ordering::SeqCst);
            if has_arrived && is_quiet && first.is_some_and(|first| first.elapsed() >= APART) {
                signal_hook::low_level::exit(CODE);
            }
            if has_arrived {
                first.get_or_insert_with(Instant::now);
                ASKED.store(true, Ordering::SeqCst);
            }
            is_quiet = !has_arrived;
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
    if !(done.as_ref().is_err_and(|e| !e.is_loss()) && asked()) {
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
