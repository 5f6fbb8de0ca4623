//! Progress bars on stderr; nothing where stderr is not a terminal.

use ebm_gpu::sample::Listen;
use indicatif::{ProgressBar, ProgressStyle};

/// A line that says what goes on, for work whose end is not known; hidden if `quiet`.
pub(super) fn spinner(what: &str, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message(what.to_string());
    spinner.enable_steady_tick(std::time::Duration::from_millis(120));
    spinner
}

/// A bar for `count` units of work called `what`; hidden if `quiet`.
pub(super) fn bar(what: &str, count: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count);
    let template = "{prefix:>9} {wide_bar:.cyan/dim} {human_pos}/{human_len}  {per_sec}  {eta} left  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_string());
    bar
}

/// Moves a progress bar with the steps of chains.
pub(super) struct ChainBar(pub(super) ProgressBar);

impl Listen for ChainBar {
    fn steps(&mut self, done: u64) {
        self.0.set_position(done);
    }
}
