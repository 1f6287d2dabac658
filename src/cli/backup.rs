//! `greenbar backup` and `greenbar restore`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::archive::Archive;
use crate::auth::clock::Clock;
use crate::capture::{CaptureConfig, Intake, operate};

use super::context::{self, Context};
use super::failure::Failure;
use super::output;

/// Makes a consistent copy of the archive in a new folder, with what arrived and waits. No server may run on it. The search index is not copied: it
/// is rebuilt; neither is `greenbar.toml`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The folder to make
    target: PathBuf,
}

impl BackupArgs {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let dir = context.dir()?;
        let intake = Intake::open(archive.engine(), dir, Clock::default(), CaptureConfig::read(dir)?)?;
        archive.backup(&self.target)?;
        let waiting = intake.back_up(&self.target)?;
        let target = self.target.display().to_string();
        if waiting > 0 && !context.json {
            output::line(format!("{waiting} arrivals that wait are in it"))?;
        }
        let object = serde_json::json!({ "backup": target, "arrivals": waiting });
        output::done(context.json, &object, format!("backup made in {target}"))
    }
}

/// Makes an archive from a backup: copies it to a new folder, verifies it and rebuilds the search index.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The backup's folder
    backup: PathBuf,
    /// The archive's new folder
    target: PathBuf,
}

impl RestoreArgs {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let (archive, report) = Archive::restore(&self.backup, &self.target)?;
        let archive = Arc::new(archive);
        if let Some(error) = report.errors.first() {
            let all = report.errors.len();
            return Err(Failure::new(format!("the backup is damaged: {} ({all} errors)", error.message)));
        }
        let waiting = operate::restore(&self.backup, &self.target)
            .map_err(|error| Failure::new(format!("what waits in the intake cannot be restored: {error}")))?;
        if waiting > 0 && !context.json {
            output::line(format!("{waiting} arrivals that wait were restored; the server loads them"))?;
        }
        context::open_search(&archive, &self.target)?;
        let target = self.target.display().to_string();
        let object = serde_json::json!({ "archive": target, "documents": report.documents, "arrivals": waiting });
        let text = format!("{} documents restored to {target} and verified", report.documents);
        output::done(context.json, &object, text)
    }
}
