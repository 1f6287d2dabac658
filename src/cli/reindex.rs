//! `greenbar reindex`: the search index anew, or old loads cut anew.

use crate::archive::LoadId;
use crate::search::{Archived, Search};

use super::context::{self, Context, load_id, search_dir};
use super::failure::Failure;
use super::output::{self, count_bar, grouped};

/// Rebuilds the search index from the archive. With --definition, first cuts the loads of that report anew with the
/// newest (or the given) version of its definition; the stored bytes are not touched.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Cut the loads of this report anew
    #[arg(long, value_name = "NAME")]
    definition: Option<String>,
    /// The version to cut with (the newest when left out)
    #[arg(long, requires = "definition")]
    version: Option<u32>,
    /// Only this load
    #[arg(long, requires = "definition", value_parser = load_id)]
    load: Option<LoadId>,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let dir = search_dir(context.dir()?);
        let Some(name) = &self.definition else {
            let bar = count_bar(Some(archive.stats()?.documents), "documents");
            let search = Search::open(&dir)?;
            let fed = search.rebuild(&Archived::new(archive), &mut |step| bar.set_position(step.documents))?;
            bar.finish_and_clear();
            return tell(context, "documents indexed", fed.documents);
        };
        let versions = archive.definitions()?.into_iter().filter(|row| row.name == *name);
        let newest = versions.max_by_key(|row| row.version);
        let Some(version) = self.version.or(newest.map(|row| row.version)) else {
            return Err(Failure::new(format!("there is no definition {name:?}")));
        };
        let mut cut = 0_u64;
        for row in archive.loads()? {
            if row.definition != *name || self.load.is_some_and(|only| only != row.id) {
                continue;
            }
            archive.resplit(row.id, version)?;
            cut += 1;
        }
        if cut == 0 {
            return Err(Failure::new(format!("no load was made with the definition {name:?}")));
        }
        context::open_search(&archive, context.dir()?)?;
        tell(context, "loads cut anew", cut)
    }
}

fn tell(context: &Context, what: &str, count: u64) -> Result<(), Failure> {
    if context.json {
        return output::json_line(&serde_json::json!({ what.replace(' ', "_"): count }));
    }
    output::line(format!("{} {what}", grouped(count)))
}
