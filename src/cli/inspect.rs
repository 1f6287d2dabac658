//! `greenbar inspect`: what a print stream is.

use std::path::{Path, PathBuf};

use crate::decode::inspect::{Inspection, inspect};
use crate::index::draft::draft;

use super::context::{Context, outside};
use super::failure::Failure;
use super::output::{self, grouped};
use super::stream::Stream;

/// Detects the format of a print stream, its code page, record format and carriage control, counts records and pages and
/// shows the first page.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file; `-` is standard input
    file: PathBuf,
    /// Print a report definition to start from, with a field for each tag of the stream, instead of the report
    #[arg(long)]
    draft: bool,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let shown = self.file.display();
        let file = Stream::named("inspect", &self.file)?;
        let report = inspect(file.path(), &outside(&crate::decode::ReadSpec::default())?)
            .map_err(|error| Failure::from(error).at(shown))?;
        if self.draft {
            return output::line(drafted(&report, &self.file).trim_end());
        }
        if context.json { output::json_line(&report) } else { tell(&report) }
    }
}

/// A definition to start from, named for the file.
pub(super) fn drafted(report: &Inspection, file: &Path) -> String {
    let name = file.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    draft(report, &name)
}

/// The page groups and tags of a stream: what each line is about, and what it says.
pub(super) fn structure(report: &Inspection) -> Vec<(String, String)> {
    let groups = (1..).zip(&report.group_levels).map(|(level, groups)| {
        (format!("groups, level {level}"), format!("{}: {}", grouped(groups.count), groups.samples.join(", ")))
    });
    let tags = report
        .tag_names
        .iter()
        .map(|tag| ("tag".into(), format!("{} ({}): {}", tag.name, grouped(tag.count), tag.samples.join(" | "))));
    groups.chain(tags).collect()
}

fn tell(report: &Inspection) -> Result<(), Failure> {
    let entry =
        |name: &str, value: &str| if value.is_empty() { Ok(()) } else { output::line(format!("{name:<18}{value}")) };
    entry("format", &format!("{} (confidence {:.2})", report.format, report.confidence))?;
    entry("bytes", &grouped(report.bytes))?;
    let json = serde_json::to_value(report).map_err(Failure::new)?;
    for key in [
        "records",
        "pages",
        "code_page",
        "record_format",
        "framing",
        "record_length",
        "carriage_control",
        "trc",
        "lines_per_page",
        "documents",
        "page_groups",
        "tags",
    ] {
        match &json[key] {
            serde_json::Value::Number(number) => {
                entry(key, &number.as_u64().map_or_else(|| number.to_string(), grouped))?
            }
            serde_json::Value::String(text) => entry(key, text)?,
            serde_json::Value::Bool(yes) => entry(key, if *yes { "yes" } else { "no" })?,
            _ => {}
        }
    }
    for (name, value) in structure(report) {
        entry(&name, &value)?;
    }
    for sentence in &report.evidence {
        entry("because", sentence)?;
    }
    for note in &report.notes {
        let count = grouped(note.count);
        entry("warning", &format!("{count} x {} first at {}: {}", note.code, note.first, note.detail))?;
    }
    if let Some(page) = &report.first_page {
        output::line("first page:")?;
        for row in page.lines() {
            output::line(format!("  {row}"))?;
        }
    }
    Ok(())
}
