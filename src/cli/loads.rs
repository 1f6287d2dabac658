//! `greenbar loads`: what was loaded, with its accounting.

use crate::archive::{LoadId, LoadRow};

use super::context::{Context, load_id};
use super::failure::Failure;
use super::output::{self, bytes, grouped};

/// Lists the loads of the archive; with a number, tells everything about one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One load
    #[arg(value_parser = load_id)]
    load: Option<LoadId>,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let rows = match self.load {
            Some(id) => vec![archive.load_row(id)?],
            None => archive.loads()?,
        };
        for row in &rows {
            if context.json {
                output::json_line(&super::load::report(row, &row.file, false))?;
            } else if self.load.is_some() {
                tell(row)?;
            } else {
                output::line(format!(
                    "{:>5}  {:<28} {:>10} {:>9} documents {:>9} pages {:>5} warnings  {}",
                    row.id,
                    row.definition,
                    bytes(row.bytes),
                    grouped(u64::from(row.documents)),
                    grouped(row.pages),
                    grouped(row.warnings.iter().map(|note| note.count).sum()),
                    row.file
                ))?;
            }
        }
        Ok(())
    }
}

/// Everything about one load, for people.
pub fn tell(row: &LoadRow) -> Result<(), Failure> {
    output::line(format!("load        {}", row.id))?;
    output::line(format!("file        {}", row.file))?;
    output::line(format!("definition  {} version {}", row.definition, row.definition_version))?;
    output::line(format!("sha-256     {}", row.sha256))?;
    output::line(format!("bytes       {} captured, {} stored", grouped(row.bytes), grouped(row.stored_bytes)))?;
    let inside = row.pages.saturating_sub(row.set_aside_pages);
    output::line(format!(
        "pages       {} = {} in {} documents + {} set aside",
        grouped(row.pages),
        grouped(inside),
        grouped(u64::from(row.documents)),
        grouped(row.set_aside_pages)
    ))?;
    for part in row.set_aside.iter().filter(|part| part.pages > 0) {
        output::line(format!(
            "            set aside: {} from page {} (byte {}): {}",
            count(part.pages, "page"),
            part.first_page,
            part.span.start,
            part.reason
        ))?;
    }
    for note in &row.warnings {
        output::line(format!(
            "warning     {} x {} first at {}: {}",
            grouped(note.count),
            note.code,
            note.first,
            note.detail
        ))?;
    }
    Ok(())
}

fn count(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}
