//! `greenbar init`: a new archive and its first administrator.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use crate::archive::Archive;
use crate::auth::role::ADMINISTRATOR;
use crate::auth::user::{NewUser, Users};

use super::context::{self, Context};
use super::failure::Failure;
use super::output;

/// Makes an archive in a new folder, with a first administrator.
///
/// On a terminal it asks for name and password; otherwise it makes the user `admin` and prints a generated password once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to make
    dir: PathBuf,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let asked =
            if io::stdin().is_terminal() && io::stderr().is_terminal() && !context.json { Some(ask()?) } else { None };
        let archive = Archive::init(&self.dir)
            .map_err(|error| Failure::from(error).advise("Give a folder that is empty or does not exist yet."))?;
        let generated = asked.is_none();
        let (name, password) = match asked {
            Some(answers) => answers,
            None => ("admin".to_string(), generate()?),
        };
        let administrator = NewUser {
            name: name.clone(),
            role: ADMINISTRATOR.into(),
            accounts: Vec::new(),
            display_name: "Administrator".into(),
            language: String::new(),
            password: Some(password.clone()),
        };
        Users::new(archive.engine(), Default::default()).add(administrator)?;
        context::gate(&std::sync::Arc::new(archive)).record(&context::operator(), "init", &name, "")?;
        let dir = self.dir.display();
        if context.json {
            let shown = generated.then_some(&password);
            return output::json_line(&serde_json::json!({ "archive": self.dir, "user": name, "password": shown }));
        }
        output::line(format!("archive made in {dir}"))?;
        if generated {
            output::line(format!("administrator: {name}, password (shown once): {password}"))?;
        }
        Ok(())
    }
}

/// A password of 80 random bits in letters that cannot be mistaken for each other.
pub fn generate() -> Result<String, Failure> {
    const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::new(format!("no random numbers: {error}")))?;
    let signs: Vec<char> = bytes.iter().map(|byte| char::from(SIGNS[usize::from(byte % 32)])).collect();
    Ok(signs.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

fn ask() -> Result<(String, String), Failure> {
    let line = |prompt: &str| -> Result<String, Failure> {
        write!(io::stderr(), "{prompt}")?;
        io::stderr().flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(answer.trim().to_string())
    };
    let name = line("Name of the administrator [admin]: ")?;
    let name = if name.is_empty() { "admin".to_string() } else { name };
    loop {
        let password = hidden(|| line("Password (at least 12 characters; it is not shown): "))?;
        if password.chars().count() < 12 {
            writeln!(io::stderr(), "\nThat is too short.")?;
            continue;
        }
        let again = hidden(|| line("\nThe same again: "))?;
        writeln!(io::stderr())?;
        if again == password {
            return Ok((name, password));
        }
        writeln!(io::stderr(), "They differ.")?;
    }
}

/// Reads without showing what is typed, by the system's `stty`.
fn hidden<T>(read: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let stty = |word: &str| std::process::Command::new("stty").arg(word).status();
    let _ = stty("-echo");
    let answer = read();
    let _ = stty("echo");
    answer
}
