//! `greenbar stats`: figures of the archive.

use super::context::{Context, search_dir};
use super::failure::Failure;
use super::output::{self, bytes, grouped};

/// Prints how much is in the archive and what it takes.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let stats = archive.stats()?;
        let index_bytes = folder_bytes(&search_dir(context.dir()?));
        if context.json {
            return output::json_line(&serde_json::json!({
                "loads": stats.loads,
                "documents": stats.documents,
                "pages": stats.pages,
                "captured_bytes": stats.captured_bytes,
                "stored_bytes": stats.stored_bytes,
                "index_bytes": index_bytes,
            }));
        }
        output::line(format!("loads      {:>15}", grouped(stats.loads)))?;
        output::line(format!("documents  {:>15}", grouped(stats.documents)))?;
        output::line(format!("pages      {:>15}", grouped(stats.pages)))?;
        output::line(format!("captured   {:>15}", bytes(stats.captured_bytes)))?;
        output::line(format!("stored     {:>15}", bytes(stats.stored_bytes)))?;
        output::line(format!("index      {:>15}", bytes(index_bytes)))?;
        if stats.stored_bytes > 0 {
            let ratio = stats.captured_bytes as f64 / stats.stored_bytes as f64;
            output::line(format!("ratio      {ratio:>15.2}"))?;
        }
        Ok(())
    }
}

/// Bytes of all files below a folder; 0 when there is none.
pub fn folder_bytes(dir: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
