//! `ebm-gpu`: parses, runs, and turns errors into sentences and exit codes.

#![warn(clippy::print_stderr, clippy::print_stdout)]

mod cli;
mod memory;

use std::io::Write as _;
use std::process::ExitCode;

use cli::notice::notice;
use ebm_gpu::engine::gpu::{has_given_up, is_contained};

fn main() -> ExitCode {
    // a line for a fault of the program or of a driver's library, not a page
    std::panic::set_hook(Box::new(|fault| {
        if !is_contained() {
            notice!("error: a fault of the program, {}", one_line(&fault.to_string()));
        }
    }));
    let code = match std::panic::catch_unwind(cli::main) {
        Err(_) => 1,
        Ok(Ok(())) => 0,
        Ok(Err(e)) => {
            notice!("{}{e}", if e.is_interruption() { "" } else { "error: " });
            if let Some(advice) = e.advice() {
                notice!("hint: {advice}");
            }
            e.exit_code()
        }
    };
    if has_given_up() {
        // without the exit handlers of drivers; what cannot be flushed now could not be then
        drop(std::io::stdout().flush());
        signal_hook::low_level::exit(code.into());
    }
    ExitCode::from(code)
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
