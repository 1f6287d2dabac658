//! `greenbar loads`: what was loaded, with its accounting.

use std::path::PathBuf;

use crate::archive::{LoadId, LoadRow};
use crate::render::sheet::{Section, Sheet};

use super::context::{Context, load_id};
use super::failure::Failure;
use super::output::{self, bytes, grouped};

/// Lists the loads of the archive; with a number, tells everything about one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One load
    #[arg(value_parser = load_id)]
    load: Option<LoadId>,
    /// Write the accounting of the load as a PDF sheet, to file with the run
    #[arg(long, value_name = "FILE", requires = "load")]
    sheet: Option<PathBuf>,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let rows = match self.load {
            Some(id) => vec![archive.load_row(id)?],
            None => archive.loads()?,
        };
        if let (Some(path), Some(row)) = (&self.sheet, rows.first()) {
            return output::to_file_or_stdout(Some(path), |out| Ok(out.write_all(&sheet(row).pdf())?));
        }
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

/// The accounting of a load as a sheet of paper.
fn sheet(row: &LoadRow) -> Sheet {
    let entry = |label: &str, value: String| (label.to_string(), value);
    let inside = row.pages.saturating_sub(row.set_aside_pages);
    let stream = vec![
        entry("File", row.file.clone()),
        entry("SHA-256", row.sha256.clone()),
        entry("Bytes captured", grouped(row.bytes)),
        entry("Report definition", format!("{}, version {}", row.definition, row.definition_version)),
        entry("Loaded at (UTC)", crate::auth::clock::iso(row.loaded_at)),
    ];
    let mut pages = vec![
        entry("Pages in", grouped(row.pages)),
        entry("Pages in documents", format!("{} in {} documents", grouped(inside), grouped(u64::from(row.documents)))),
        entry("Pages set aside", grouped(row.set_aside_pages)),
    ];
    pages.extend(row.set_aside.iter().filter(|part| part.pages > 0).map(|part| {
        let last = part.first_page + part.pages - 1;
        entry(&format!("  pages {} to {last}", part.first_page), part.reason.clone())
    }));
    let mut warnings: Vec<(String, String)> = row
        .warnings
        .iter()
        .map(|note| {
            (note.code.clone(), format!("{} times, first at {}: {}", grouped(note.count), note.first, note.detail))
        })
        .collect();
    if warnings.is_empty() {
        warnings.push(entry("None", "every byte was understood".into()));
    }
    Sheet {
        title: format!("Accounting of load {}", row.id),
        lead:
            "Pages in equal pages in documents plus pages set aside; the archive refuses a load that does not balance."
                .into(),
        sections: vec![
            Section { heading: "Stream".into(), rows: stream },
            Section { heading: "Pages".into(), rows: pages },
            Section { heading: "Warnings".into(), rows: warnings },
        ],
    }
}
