//! `greenbar unload`: takes a load out of the archive.

use crate::archive::LoadId;
use crate::auth::clock::Clock;
use crate::auth::permission::Permission;
use crate::capture::{CaptureConfig, Intake};
use crate::distribute::ledger::Ledger;

use super::context::{Context, load_id, open_search, operator, record_change};
use super::failure::Failure;
use super::output;

/// Takes a load with all its documents out of the archive, for a load that was made by mistake.
///
/// The reason stays in the archive and in the audit; the same stream can be loaded again and gets a new number.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The load's number
    #[arg(value_parser = load_id)]
    load: LoadId,
    /// Why; kept
    #[arg(long)]
    reason: String,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        record_change(&archive, Permission::LoadDelete, "unload", self.load, &self.reason)?;
        crate::records::remove(&archive, self.load, &self.reason)?;
        let dir = context.dir()?;
        let intake = Intake::open(archive.engine(), dir, Clock::default(), CaptureConfig::read(dir)?)?;
        intake.unloaded(self.load.0, &operator().name, &self.reason)?;
        Ledger::new(archive.engine()).unloaded(self.load.0, &self.reason)?;
        open_search(&archive, dir)?;
        if context.json {
            return output::json_line(&serde_json::json!({ "load": self.load, "unloaded": true }));
        }
        output::line(format!("load {} is no longer in the archive", self.load))
    }
}
