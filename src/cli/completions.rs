//! `greenbar completions`: completion scripts.

use std::io::{self, Write};

use clap_complete::Shell;

use super::failure::Failure;

/// Prints a completion script: `greenbar completions bash > /etc/bash_completion.d/greenbar`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    pub fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "greenbar", &mut script);
        Ok(io::stdout().lock().write_all(&script)?)
    }
}
