//! `ebm-gpu`: parses, runs, and turns errors into sentences and exit codes.

#![warn(clippy::print_stderr, clippy::print_stdout)]

mod cli;

use std::process::ExitCode;

use cli::notice::notice;

fn main() -> ExitCode {
    match cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            notice!("{}{e}", if e.is_interruption() { "" } else { "error: " });
            if let Some(advice) = e.advice() {
                notice!("hint: {advice}");
            }
            ExitCode::from(e.exit_code())
        }
    }
}
