//! `greenbar search`: hit lists.

use std::ops::ControlFlow;

use crate::archive::{Archive, DocId};
use crate::auth::permission::Permission;
use crate::search::{Query, Sort};
use crate::view::json;

use super::context::{self, Context};
use super::failure::Failure;
use super::output;

/// Finds documents: plain words search the text, `field:value` the index fields.
///
/// Examples: `account:4711`, `amount:>100`, `date:[2024-01-01 TO 2024-12-31]`, `"late fee"`, `name:tay*`,
/// `definition:bank-statement -closing`. docs/search.md tells all.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The query
    #[arg(allow_hyphen_values = true, value_parser = query)]
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
    /// The order
    #[arg(long, value_enum, default_value = "newest")]
    sort: SortBy,
}

/// A query as typed. `-word` excludes the word; two hyphens are an option that nobody knows.
fn query(text: &str) -> Result<String, String> {
    if text.starts_with("--") { Err("there is no such option".into()) } else { Ok(text.into()) }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SortBy {
    /// Newest document first
    Newest,
    /// Oldest document first
    Oldest,
    /// Best match first
    Best,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let (archive, search, catalogue) = context.open_with_search()?;
        let gate = context::gate(&archive);
        let who = context::operator();
        let mut query = Query::parse(&self.query).map_err(crate::search::SearchError::from)?;
        if let Some(name) = &self.definition {
            query = query.and_field("definition", name);
        }
        gate.record_by(&who, Permission::DocumentRead, "search", "", &self.query)?;
        let sort = match self.sort {
            SortBy::Newest => Sort::DateDescending,
            SortBy::Oldest => Sort::DateAscending,
            SortBy::Best => Sort::Relevance,
        };
        let (mut passed, mut told, mut more) = (0, 0, false);
        let mut result = Ok(());
        if self.limit > 0 {
            search.for_each_hit(&catalogue, &query, &gate.scope(&who), sort, &mut |hit| {
                passed += 1;
                if passed <= self.offset {
                    return ControlFlow::Continue(());
                }
                if told == self.limit {
                    more = true;
                    return ControlFlow::Break(());
                }
                result = tell(context, &archive, hit.id);
                told += 1;
                if result.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        result?;
        if !context.json && told == 0 {
            output::line("nothing found")?;
        }
        if !context.json && more {
            output::aside(format!("there are more; --limit shows more than {} of them", self.limit));
        }
        Ok(())
    }
}

fn tell(context: &Context, archive: &Archive, id: DocId) -> Result<(), Failure> {
    let document = archive.document(id)?;
    let load = archive.load_row(id.load)?;
    let definition = archive.definition(&load.definition, Some(load.definition_version))?;
    let kind = definition.as_ref().map_or("report", |definition| definition.kind.as_str());
    let row = json::hit(&document, kind, &load.field_names);
    if context.json {
        return output::json_line(&row);
    }
    let date = row["date"].as_str().unwrap_or("-");
    output::line(format!(
        "{:<12} {date:<10} {:>4} p  {:<26} {}",
        document.id, document.pages, document.definition, document.title
    ))
}
