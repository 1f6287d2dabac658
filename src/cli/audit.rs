//! `greenbar audit`: the audit trail.

use crate::audit::Filter;

use super::context::{Context, gate};
use super::failure::Failure;
use super::output::{self, grouped};

/// Reads the audit trail, and verifies that nothing in it was changed, removed or put in between.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Who did what, oldest first
    List {
        /// Only of this user
        #[arg(long)]
        who: Option<String>,
        /// Only of this kind: read, download, print, send, refused, search, sign-in ...
        #[arg(long)]
        kind: Option<String>,
        /// Only about this document
        #[arg(long)]
        document: Option<String>,
        /// Only from this address
        #[arg(long)]
        address: Option<String>,
        /// Not before this day or time (ISO 8601, UTC)
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Before this day or time
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// Only with this text in what was done, what for or by which right
        #[arg(long)]
        text: Option<String>,
        /// The newest so many
        #[arg(long, default_value_t = 1_000)]
        limit: usize,
    },
    /// Walk the chain
    Verify,
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let gate = gate(&archive);
        match self.action {
            Action::List { who, kind, document, address, since, until, text, limit } => {
                let document =
                    document.map(|id| super::context::document_id(&id)).transpose().map_err(Failure::usage)?;
                let filter =
                    Filter { who, kind, document, from: address, since, until, text, limit, ..Filter::default() };
                let mut records = gate.audit(&filter)?;
                records.sort_by_key(|record| record.seq);
                for record in records {
                    if context.json {
                        output::json_line(&record)?;
                    } else {
                        output::line(format!(
                            "{:>8} {} {:<20} {:<12} {:<10} {} {} ({})",
                            record.seq,
                            record.time,
                            record.who,
                            record.kind,
                            record.document.as_deref().unwrap_or("-"),
                            record.what,
                            record.why,
                            if record.right.is_empty() { "-" } else { &record.right }
                        ))?;
                    }
                }
                Ok(())
            }
            Action::Verify => {
                let records = gate.verify_audit()?;
                if context.json {
                    return output::json_line(&serde_json::json!({ "records": records }));
                }
                output::line(format!("{} records, unbroken", grouped(records)))
            }
        }
    }
}
