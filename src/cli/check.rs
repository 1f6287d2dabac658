//! `greenbar check`: a dry run of a definition.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::decode::ReadSpec;
use crate::decode::inspect::inspect;
use crate::index::check::{CheckReport, check_brought};

use super::context::{Context, outside};
use super::definition::read;
use super::failure::Failure;
use super::output::{self, counted, grouped};
use super::stream::Stream;

/// Shows what a report definition would make of a stream: documents, fields, pages set aside, warnings. With a stream alone,
/// lists its page groups and tags and drafts a definition of them. Needs no archive.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The definition's file; or the sample, when there is no definition yet
    definition: PathBuf,
    /// A sample of the stream; `-` is standard input
    file: Option<PathBuf>,
    /// How many documents to show
    #[arg(long, default_value_t = 10)]
    limit: usize,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let Some(file) = &self.file else { return self.without_definition(context) };
        let definition = read(&self.definition)?;
        let file = Stream::named("read", file)?;
        let mut opened = super::convert::open_stream(file.path(), &definition.read)?;
        let name = self.file.as_ref().and_then(|file| file.file_name()).map(|name| name.to_string_lossy().into_owned());
        let brought = (name.as_deref().unwrap_or_default(), &BTreeMap::new());
        let mut report = CheckReport { definition: definition.name.clone(), ..CheckReport::default() };
        check_brought(&definition, opened.decoder.as_mut(), brought, self.limit, &mut report)?;
        if context.json { output::json_line(&report) } else { tell(&report) }
    }

    /// What is in the stream, as comments in front of the draft, so that all of it can be kept as the definition's file.
    fn without_definition(&self, context: &Context) -> Result<(), Failure> {
        let shown = self.definition.display();
        if self.definition.extension().is_some_and(|extension| extension == "toml") {
            let advice = "Name a sample behind the definition.";
            let message = format!("{shown} is a definition, and there is no sample to try it on");
            return Err(Failure::usage(message).advise(advice));
        }
        let file = Stream::named("read", &self.definition)?;
        let report =
            inspect(file.path(), &outside(&ReadSpec::default())?).map_err(|error| Failure::from(error).at(shown))?;
        let draft = super::inspect::drafted(&report, &self.definition);
        if context.json {
            return output::json_line(&serde_json::json!({
                "page_groups": report.group_levels, "tags": report.tag_names, "draft": draft,
            }));
        }
        for (name, value) in super::inspect::structure(&report) {
            output::line(format!("# {name:<18}{value}"))?;
        }
        output::line(draft.trim_end())
    }
}

/// The report, for people.
pub fn tell(report: &CheckReport) -> Result<(), Failure> {
    for document in &report.first_documents {
        let pages = counted(document.pages.into(), "page ", "pages");
        output::line(format!("page {:>6}  {pages:>9}  {}", document.first_page, document.title))?;
        for (name, value) in &document.fields {
            output::line(format!("             {name:<20} {value}"))?;
        }
    }
    for part in report.set_aside.iter().filter(|part| part.pages > 0) {
        let pages = counted(part.pages, "page", "pages");
        output::line(format!("set aside: {pages} from page {}: {}", part.first_page, part.reason))?;
    }
    for note in &report.warnings {
        output::line(format!(
            "warning: {} x {} first at {}: {}",
            grouped(note.count),
            note.code,
            note.first,
            note.detail
        ))?;
    }
    output::line(format!(
        "{} = {} in {} + {} set aside",
        counted(report.pages, "page", "pages"),
        grouped(report.document_pages),
        counted(report.documents, "document", "documents"),
        grouped(report.set_aside_pages)
    ))
}
