//! `greenbar load`: print streams into the archive.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::archive::kv::StoreError;
use crate::archive::{Archive, ArchiveError, LoadError, LoadRow, LoadSource, Progress};
use crate::decode::ReadSpec;

use super::beside::{Before, Input};
use super::context::{self, Context};
use super::failure::Failure;
use super::output::{self, byte_bar, bytes, counted, grouped};

/// Loads print streams: each is cut into documents, indexed and archived in one step that happens whole or not at all.
///
/// The report definition is found by what the stream looks like, or named. A stream that no definition fits is kept
/// whole, one document. The same stream loads once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The report definition (recognised by content when left out)
    #[arg(long, value_name = "NAME")]
    definition: Option<String>,
    #[command(flatten)]
    before: Before,
    /// The files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let mut failed = false;
        for file in &self.files {
            match load_file(&archive, file, self.definition.as_deref(), &self.before) {
                Ok((row, duplicate)) => tell(context, &row, file, duplicate)?,
                Err(failure) => {
                    failed = true;
                    failure.print();
                }
            }
        }
        context::open_search(&archive, context.dir()?)?;
        if failed { Err(Failure::reported()) } else { Ok(()) }
    }
}

fn tell(context: &Context, row: &LoadRow, file: &Path, duplicate: bool) -> Result<(), Failure> {
    let file = file.to_string_lossy();
    if context.json {
        return output::json_line(&report(row, &file, duplicate));
    }
    if duplicate {
        return output::line(format!("{file}: already in the archive as load {}", row.id));
    }
    output::line(format!(
        "{file}: load {}, {}, {} ({} set aside), {} stored of {}, {} in {:.1} s",
        row.id,
        counted(u64::from(row.documents), "document", "documents"),
        counted(row.pages, "page", "pages"),
        grouped(row.set_aside_pages),
        bytes(row.stored_bytes),
        bytes(row.bytes),
        row.definition,
        row.seconds
    ))?;
    for note in &row.warnings {
        output::line(format!(
            "  warning: {} x {} first at {}: {}",
            grouped(note.count),
            note.code,
            note.first,
            note.detail
        ))?;
    }
    Ok(())
}

/// Loads one file.
pub fn load_file(
    archive: &Archive,
    file: &Path,
    definition: Option<&str>,
    before: &Before,
) -> Result<(LoadRow, bool), Failure> {
    let shown = file.display();
    let cannot = |why: &dyn std::fmt::Display| Failure::new(format!("cannot load {shown}: {why}"));
    let file = if file == Path::new("-") { Path::new("/dev/stdin") } else { file };
    let meta = std::fs::metadata(file).map_err(|error| cannot(&error))?;
    if meta.is_dir() {
        return Err(cannot(&"it is a directory").advise("Name the files in it."));
    }
    if meta.is_file() && meta.len() == 0 {
        return Err(cannot(&"it is empty").advise("The transfer may have failed; send it again."));
    }
    let read = match definition {
        Some(name) => archive.definition(name, None)?.map(|known| known.read.clone()).unwrap_or_default(),
        None => ReadSpec::default(),
    };
    let Input { reader, total } = before.open(file, &read)?;
    let bar = byte_bar(total, &shown.to_string());
    let name = file.file_name().map_or_else(|| shown.to_string(), |name| name.to_string_lossy().into_owned());
    let outcome = archive
        .load(LoadSource { name, reader, total }, definition, &|progress: Progress| bar.set_position(progress.bytes));
    bar.finish_and_clear();
    let outcome = outcome.map_err(|error| refused(archive, error).at(shown))?;
    Ok((outcome.row, outcome.duplicate))
}

/// Why a load failed, with what to do about it.
fn refused(archive: &Archive, error: LoadError) -> Failure {
    let unknown = matches!(&error, LoadError::Archive(ArchiveError::NoDefinition { .. }));
    let ambiguous = matches!(&error, LoadError::Ambiguous { .. });
    let full = matches!(&error, LoadError::Archive(ArchiveError::Store(StoreError::Full { .. })));
    let failure = Failure::from(error);
    if unknown {
        let mut names: Vec<String> =
            archive.definitions().unwrap_or_default().into_iter().map(|row| row.name).collect();
        names.dedup();
        return failure
            .advise(format!("The archive has: {}. Add others with `greenbar definition add FILE`.", names.join(", ")));
    }
    if ambiguous {
        return failure.advise("Name one with --definition.");
    }
    if full {
        return failure.advise("Nothing of the load was kept and the archive is intact; make room and load it again.");
    }
    failure
}

/// The report of a load, as other programs read it.
pub fn report(row: &LoadRow, file: &str, duplicate: bool) -> Value {
    json!({
        "load": row.id,
        "file": file,
        "definition": row.definition,
        "definition_version": row.definition_version,
        "sha256": row.sha256,
        "bytes": row.bytes,
        "pages": row.pages,
        "documents": row.documents,
        "set_aside_pages": row.set_aside_pages,
        "set_aside": row.set_aside.iter().filter(|part| part.pages > 0).collect::<Vec<_>>(),
        "stored_bytes": row.stored_bytes,
        "duplicate": duplicate,
        "warnings": row.warnings,
        "read": row.read,
        "seconds": row.seconds,
    })
}
