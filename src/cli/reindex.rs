//! `greenbar reindex`: the search index anew, or old loads cut anew.

use std::sync::Arc;

use crate::archive::{Archive, LoadId, LoadRow};
use crate::auth::permission::Permission;
use crate::search::{Archived, Search};

use super::context::{self, Context, load_id, record_change, search_dir};
use super::failure::Failure;
use super::output::{self, count_bar, counted, grouped};

/// Rebuilds the search index from the archive. With --definition, first cuts the loads of that report anew with the
/// newest (or the given) version of its definition; the stored bytes are not touched.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Cut the loads of this report anew that were cut with another version
    #[arg(long, value_name = "NAME")]
    definition: Option<String>,
    /// The version to cut with (the newest when left out)
    #[arg(long, requires = "definition")]
    version: Option<u32>,
    /// Only this load, whatever version it was cut with
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
        let mut loads = archive.loads()?;
        loads.retain(|row| row.definition == *name && self.load.is_none_or(|only| only == row.id));
        if loads.is_empty() {
            let load = self.load.map_or_else(|| "no load".into(), |load| format!("there is no load {load} that"));
            return Err(Failure::new(format!("{load} was made with the definition {name:?}")));
        }
        // What was cut with this version already stays, so that a run that was interrupted goes on where it stopped.
        let all = loads.len();
        loads.retain(|row| row.definition_version != version || self.load.is_some());
        let cut = cut_anew(&archive, &loads, version);
        context::open_search(&archive, context.dir()?)?;
        let (cut, held) = cut?;
        let kept = (all - loads.len()) as u64;
        if context.json {
            return output::json_line(
                &serde_json::json!({ "loads_cut_anew": cut, "loads_kept": kept, "loads_held": held, "version": version }),
            );
        }
        let kept = match kept {
            0 => String::new(),
            kept => format!(", {} cut with it already", grouped(kept)),
        };
        output::line(format!("{} cut anew with version {version}{kept}", counted(cut, "load", "loads")))?;
        if held > 0 { Err(Failure::reported()) } else { Ok(()) }
    }
}

/// Cuts loads anew that no hold covers; how many were, and how many are held. Says of each what came out.
fn cut_anew(archive: &Arc<Archive>, loads: &[LoadRow], version: u32) -> Result<(u64, u64), Failure> {
    let (mut cut, mut held) = (0, 0);
    for row in loads {
        let why = format!("{} version {version} for {}", row.definition, row.definition_version);
        if let Err(failure) = record_change(archive, Permission::LoadWrite, "cut anew", row.id, &why) {
            failure.print();
            held += 1;
            continue;
        }
        let now = crate::records::cut_anew(archive, row.id, version)?;
        cut += 1;
        let (documents, before) = (grouped(now.documents.into()), grouped(row.documents.into()));
        output::aside(format!("load {}: {documents} documents (before {before})", row.id));
        for note in &now.warnings {
            output::aside(format!(
                "  warning: {} x {} first at {}: {}",
                grouped(note.count),
                note.code,
                note.first,
                note.detail
            ));
        }
    }
    Ok((cut, held))
}

fn tell(context: &Context, what: &str, count: u64) -> Result<(), Failure> {
    if context.json {
        return output::json_line(&serde_json::json!({ what.replace(' ', "_"): count }));
    }
    output::line(format!("{} {what}", grouped(count)))
}
