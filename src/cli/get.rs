//! `greenbar get`: one rendition of a document.

use std::path::PathBuf;

use crate::archive::DocId;
use crate::auth::gate::Use;
use crate::auth::predicate::{Facts, Subject};
use crate::render::RenderOptions;
use crate::view::{ORIGINAL, View};

use super::context::{Context, document_id, gate, operator, page_range};
use super::failure::Failure;
use super::output;

/// Writes one rendition of a document: pdf, html, text, png, csv, json, or the original bytes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The document's id, such as 7-123
    #[arg(value_parser = document_id)]
    document: DocId,
    /// What to make
    #[arg(long, value_parser = format_names())]
    format: String,
    /// Only these pages, such as 2-4
    #[arg(long, value_parser = page_range)]
    pages: Option<(u32, u32)>,
    /// Width of a PNG in pixels
    #[arg(long)]
    width: Option<u32>,
    /// Where to (standard output when left out)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn format_names() -> clap::builder::PossibleValuesParser {
    View::formats().map(|format| format.name).collect::<Vec<_>>().into()
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        if self.format == ORIGINAL && self.pages.is_some() {
            return Err(Failure::usage("the original of a document is whole; --pages goes with the other formats"));
        }
        let archive = context.open()?;
        let view = View::new(archive.clone());
        let document = archive.document(self.document)?;
        let load = archive.load_row(document.id.load)?;
        let kind = &view.definition(&load)?.kind;
        let subject = Subject::found(Facts::of(&document, &load.field_names, kind));
        let used = if self.format == ORIGINAL { Use::ORIGINAL } else { Use::DOWNLOAD };
        let permit = gate(&archive).open(&operator(), used, &subject, &self.format)?;
        let how = RenderOptions { pages: self.pages, width_px: self.width, ..RenderOptions::default() };
        output::to_file_or_stdout(self.output.as_deref(), |out| {
            let rendered = view.render(&permit, &self.format, &how, out)?;
            output::warn_of(&rendered);
            Ok(())
        })?;
        output::written(context.json, self.output.as_deref())
    }
}
