//! `greenbar search`: hit lists.

use crate::search::{Query, Sort, Window};

use super::context::{self, Context};
use super::failure::Failure;
use super::output;
use crate::archive::Document;
use crate::serve::hit_json;

/// Finds documents: plain words search the text, `field:value` the index fields.
///
/// Examples: `account:4711`, `amount:>100`, `date:[2024-01-01 TO 2024-12-31]`, `"late fee"`, `name:tay*`,
/// `definition:bank-statement -closing`. docs/search.md tells all.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The query
    query: String,
    /// How many hits at most
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// How many hits to pass over first
    #[arg(long, default_value_t = 0)]
    offset: usize,
    /// Only documents of this report
    #[arg(long, value_name = "NAME")]
    definition: Option<String>,
    /// Newest first, oldest first, or best first
    #[arg(long, value_enum, default_value = "newest")]
    sort: SortBy,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SortBy {
    Newest,
    Oldest,
    Best,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let (archive, search) = context.open_with_search()?;
        let gate = context::gate(&archive);
        let who = context::operator();
        let scope = gate.scope(&who);
        let query = search.parse(&*archive, &self.query, self.definition.as_deref())?;
        gate.record(&who, "search", "", &self.query)?;
        let sort = match self.sort {
            SortBy::Newest => Sort::DateDescending,
            SortBy::Oldest => Sort::DateAscending,
            SortBy::Best => Sort::Relevance,
        };
        let mut told = Ok(());
        let total = search.for_each_hit(&*archive, &query, &scope, sort, self.offset, self.limit, &mut |document, score| {
            told = self.tell(context, &archive, document, score);
            if told.is_ok() { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
        })?;
        told?;
        if !context.json {
            let shown = total.saturating_sub(self.offset as u64).min(self.limit as u64);
            output::line(format!("{shown} of {total} documents"))?;
        }
        Ok(())
    }
}
