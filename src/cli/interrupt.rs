//! Ctrl-C and SIGTERM: the first ends the work, after a save where there is something to save; a second ends it at once.

use crate::cli::notice::notice;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use ebm_gpu::error::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a program that was interrupted.
const CODE: i32 = 130;
/// How soon a part of the program that does not heed the signal is ended.
const SOON: Duration = Duration::from_millis(50);

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Parts of the program that look at [`asked`] themselves.
static HEEDING: AtomicUsize = AtomicUsize::new(0);
static ADVICE: OnceLock<String> = OnceLock::new();

/// Begins to listen. Where nothing [`heed`]s, the program ends with a sentence.
pub(super) fn listen() -> Result<()> {
    let cannot = |e: std::io::Error| Error::failed(format!("cannot listen for Ctrl-C: {e}"));
    for signal in [SIGINT, SIGTERM] {
        // in this order: the first signal finds the flag down, the second finds it up
        flag::register_conditional_shutdown(signal, CODE, ASKED.clone()).map_err(cannot)?;
        flag::register(signal, ASKED.clone()).map_err(cannot)?;
    }
    std::thread::spawn(|| {
        while !(asked() && HEEDING.load(Ordering::SeqCst) == 0) {
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
    // what has been interrupted says so itself, on its way out of the program
    if !done.as_ref().is_err_and(Error::is_interruption) {
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
