//! The `greenbar` program: parses the command line, runs the command, says what went wrong.

use std::process::ExitCode;

fn main() -> ExitCode {
    greenbar::cli::main(std::env::args_os())
}
