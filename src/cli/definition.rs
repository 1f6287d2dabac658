//! `greenbar definition`: report definitions in the archive.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::index::definition::{Definition, diff};

use super::context::{Context, gate, operator};
use super::failure::Failure;
use super::output;

/// Adds, lists, shows and compares report definitions. Every change makes a new version; old ones stay.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Add definitions from files; the same text again is the same version
    Add {
        /// TOML files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// All definitions, a line for each version
    List,
    /// The text of a definition
    Show {
        /// Its name
        name: String,
        /// The version (the newest when left out)
        #[arg(long)]
        version: Option<u32>,
    },
    /// What changed between two versions
    Diff {
        /// Its name
        name: String,
        /// The older version
        v1: u32,
        /// The newer version
        v2: u32,
    },
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let find = |name: &str, version: Option<u32>| {
            let found = archive.definition(name, version)?;
            found.ok_or_else(|| {
                let version = version.map_or(String::new(), |version| format!(" version {version}"));
                Failure::new(format!("there is no definition {name:?}{version}"))
                    .advise("`greenbar definition list` lists what there is.")
            })
        };
        match self.action {
            Action::Add { files } => {
                for file in &files {
                    let definition = read(file)?;
                    gate(&archive).record(&operator(), "add definition", &definition.name, "")?;
                    let row = archive.add_definition(&definition)?;
                    if context.json {
                        output::json_line(&row)?;
                    } else {
                        output::line(format!("{} version {}", row.name, row.version))?;
                    }
                }
                Ok(())
            }
            Action::List => {
                for row in archive.definitions()? {
                    if context.json {
                        output::json_line(&row)?;
                    } else {
                        let title = find(&row.name, Some(row.version))?.title.clone();
                        output::line(format!("{:<28} version {:<4} {title}", row.name, row.version))?;
                    }
                }
                Ok(())
            }
            Action::Show { name, version } => {
                let definition = find(&name, version)?;
                if !context.json {
                    return output::line(definition.source.trim_end());
                }
                output::json_line(&json!({
                    "name": definition.name,
                    "title": definition.title,
                    "kind": definition.kind,
                    "language": definition.language,
                    "read": definition.read,
                    "fields": definition.fields,
                    "full_text": definition.full_text,
                    "paper": definition.paper,
                    "retention": definition.retention,
                    "source": definition.source,
                }))
            }
            Action::Diff { name, v1, v2 } => {
                let lines = diff(&*find(&name, Some(v1))?, &*find(&name, Some(v2))?);
                if context.json {
                    return output::json_line(&json!({ "name": name, "from": v1, "to": v2, "changes": lines }));
                }
                if lines.is_empty() {
                    return output::line("no difference in what they do");
                }
                lines.iter().try_for_each(output::line)
            }
        }
    }
}

/// Reads and checks a definition file.
pub fn read(file: &Path) -> Result<Definition, Failure> {
    let shown = file.display();
    let bytes = std::fs::read(file).map_err(|error| Failure::new(format!("cannot read {shown}: {error}")))?;
    let source = String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len) + 1;
        Failure::new(format!("{shown}:{line}:{column}: this byte is not UTF-8 (allowed: a text file in UTF-8)"))
    })?;
    let definition = Definition::parse(&source, &shown.to_string())
        .map_err(|errors| Failure::new(errors).advise("docs/definitions.md explains every key."))?;
    crate::distribute::config::rules_of(&definition.name, &source)
        .map_err(|error| Failure::new(error).advise("docs/distribution.md explains the keys of [[distribution]]."))?;
    Ok(definition)
}
