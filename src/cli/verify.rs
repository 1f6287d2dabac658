//! `greenbar verify`: proves that the archive is as it was stored.

use std::path::Path;

use crate::archive::ArchiveError;
use crate::archive::kv::StoreError;

use super::context::{self, Context};
use super::failure::Failure;
use super::output::{self, byte_bar, grouped};

/// Reads every block and every document of every load, checks them against what was recorded when they were stored,
/// and walks the audit chain. Exit code 1 when anything differs.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let dir = context.dir()?;
        let archive = match context::try_open(dir)? {
            Ok(archive) => archive,
            Err(error) => return unreadable(context, dir, error),
        };
        let bar = byte_bar(None, "verify");
        let report = archive.verify(&|progress| {
            bar.set_length(progress.total);
            bar.set_position(progress.bytes);
        });
        bar.finish_and_clear();
        let mut errors: Vec<String> = report
            .errors
            .iter()
            .map(|error| match error.load {
                Some(load) => format!("load {load}: {}", error.message),
                None => error.message.clone(),
            })
            .collect();
        let audit = context::gate(&archive).verify_audit();
        let records = match audit {
            Ok(records) => records,
            Err(error) => {
                errors.push(format!("audit: {error}"));
                0
            }
        };
        if context.json {
            output::json_line(&serde_json::json!({
                "documents": report.documents,
                "blocks": report.blocks,
                "audit_records": records,
                "errors": errors,
            }))?;
        } else {
            for error in &errors {
                output::line(format!("error: {error}"))?;
            }
            output::line(format!(
                "{} documents, {} blocks, {} audit records: {}",
                grouped(report.documents),
                grouped(report.blocks),
                grouped(records),
                if errors.is_empty() {
                    "everything is as it was stored".into()
                } else {
                    format!("{} errors", errors.len())
                }
            ))?;
        }
        if errors.is_empty() { Ok(()) } else { Err(Failure::reported()) }
    }
}

/// An archive whose catalogue cannot even be opened is one that is not as it was stored: programs are told so.
fn unreadable(context: &Context, dir: &Path, error: ArchiveError) -> Result<(), Failure> {
    let is_there = !matches!(error, ArchiveError::Store(StoreError::Locked { .. }) | ArchiveError::NoArchive { .. });
    if context.json && is_there {
        let errors = [error.to_string()];
        output::json_line(&serde_json::json!({ "documents": 0, "blocks": 0, "audit_records": 0, "errors": errors }))?;
    }
    Err(context::unopened(dir, error))
}
