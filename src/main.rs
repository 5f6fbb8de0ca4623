//! `ebm-gpu`: parses, runs, and turns errors into sentences and exit codes.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{}{e}", if e.is_interruption() { "" } else { "error: " });
            if let Some(advice) = e.advice() {
                eprintln!("hint: {advice}");
            }
            ExitCode::from(e.exit_code())
        }
    }
}
