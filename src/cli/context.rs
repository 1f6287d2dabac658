//! What every command shares: where the archive is, who acts, how to print.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::kv::StoreError;
use crate::archive::{Archive, ArchiveError, DocId, LoadId};
use crate::auth::gate::{Gate, Principal};
use crate::auth::permission::Permission;
use crate::decode::library::Folders;
use crate::decode::limits::Limits;
use crate::decode::{self, Libraries, NoLibraries, ReadSpec};
use crate::search::{Archived, Search};

use super::failure::{Failure, chain};

/// The options that stand before or after any command.
#[derive(Debug)]
pub struct Context {
    /// `--data` or `GREENBAR_DATA`.
    pub data: Option<PathBuf>,
    /// `--json`.
    pub json: bool,
}

impl Context {
    /// The archive's folder, as named.
    pub fn dir(&self) -> Result<&Path, Failure> {
        self.data.as_deref().ok_or_else(|| {
            Failure::usage("no archive was named")
                .advise("Give --data DIR or set GREENBAR_DATA; `greenbar init DIR` makes an archive.")
        })
    }

    /// Opens the archive.
    pub fn open(&self) -> Result<Arc<Archive>, Failure> {
        open(self.dir()?)
    }

    /// Opens the archive and its search index, which is brought up to date first.
    pub fn open_with_search(&self) -> Result<(Arc<Archive>, Search, Archived), Failure> {
        let archive = self.open()?;
        let search = open_search(&archive, self.dir()?)?;
        let catalogue = Archived::new(Arc::clone(&archive));
        Ok((archive, search, catalogue))
    }
}

/// Folders of resources that streams name and do not bring (overlays, fonts), separated as in `PATH`.
const RESOURCES: &str = "GREENBAR_RESOURCES";

/// The resource libraries of this machine.
pub fn libraries() -> Arc<dyn Libraries> {
    match std::env::var_os(RESOURCES) {
        Some(list) => Arc::new(Folders::from_list(&list)),
        None => Arc::new(NoLibraries),
    }
}

/// The same for a stream that is read like this.
pub fn libraries_for(read: &ReadSpec) -> Arc<dyn Libraries> {
    let all = libraries();
    read.resources.as_deref().and_then(|name| all.section(name)).unwrap_or(all)
}

/// What streams may make decoders do on this machine: `nesting=4,pages=1000`.
const LIMITS: &str = "GREENBAR_LIMITS";

/// The limits of this machine.
pub fn limits() -> Result<Limits, Failure> {
    let text = std::env::var(LIMITS).unwrap_or_default();
    Limits::of_text(&text).map_err(|error| Failure::usage(format!("{LIMITS}: {error}")))
}

/// What a decoder of a file is given.
pub fn outside(read: &ReadSpec) -> Result<decode::Context, Failure> {
    Ok(decode::Context::new(libraries_for(read), limits()?))
}

/// Opens an archive.
pub fn open(dir: &Path) -> Result<Arc<Archive>, Failure> {
    try_open(dir)?.map_err(|error| unopened(dir, error))
}

/// The same for those who tell why it cannot be opened; [`unopened`] says it to people.
pub fn try_open(dir: &Path) -> Result<Result<Arc<Archive>, ArchiveError>, Failure> {
    let limits = limits()?;
    Ok(Archive::open(dir).map(|archive| Arc::new(archive.with_libraries(libraries()).with_limits(limits))))
}

/// Why an archive cannot be opened, and what to do.
pub fn unopened(dir: &Path, error: ArchiveError) -> Failure {
    match error {
        ArchiveError::Store(StoreError::Locked { .. }) => {
            Failure::new(format!("another process has the archive in {} open", dir.display()))
                .advise("Probably `greenbar serve` runs on it: use its API or pages, or stop the server first.")
        }
        error @ ArchiveError::NoArchive { .. } => Failure::from(error).advise("`greenbar init DIR` makes an archive."),
        error => Failure::from(error),
    }
}

/// The folder of the search index in an archive's folder.
pub fn search_dir(dir: &Path) -> PathBuf {
    dir.join("search")
}

/// Opens the search index of an archive and brings it up to date.
pub fn open_search(archive: &Arc<Archive>, dir: &Path) -> Result<Search, Failure> {
    let search = Search::open(&search_dir(dir))?;
    search.catch_up(&Archived::new(Arc::clone(archive)), &mut |_| {})?;
    Ok(search)
}

/// Who acts on the command line: the operating system's user, with an administrator's rights.
pub fn operator() -> Principal {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".into());
    Principal::operator(format!("operator:{user}"), "cli")
}

/// The gate of an archive.
pub fn gate(archive: &Arc<Archive>) -> Gate {
    Gate::new(archive.engine())
}

/// Records that the operator changes a load as a whole: as refused, with the hold as the error, when a legal hold covers it.
pub fn record_change(
    archive: &Arc<Archive>,
    right: Permission,
    kind: &str,
    load: LoadId,
    why: &str,
) -> Result<(), Failure> {
    let (gate, who, what) = (gate(archive), operator(), format!("load {load}"));
    if let Err(held) = crate::records::not_held(archive, load) {
        gate.record_refused(&who, right, kind, &what, why)?;
        return Err(held.into());
    }
    Ok(gate.record_by(&who, right, kind, &what, why)?)
}

/// A document id as typed.
pub fn document_id(text: &str) -> Result<DocId, String> {
    text.parse().map_err(|()| "a document id looks like 7-123 (load, hyphen, place in the load)".to_string())
}

/// A load number as typed.
pub fn load_id(text: &str) -> Result<LoadId, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(LoadId(number)),
        _ => Err("a load is named by its number, such as 7".to_string()),
    }
}

/// `--pages 3-5`, `--pages 3`: from 1, both included; returned from 0.
pub fn page_range(text: &str) -> Result<(u32, u32), String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    match (from.trim().parse::<u32>(), to.trim().parse::<u32>()) {
        (Ok(from), Ok(to)) if from >= 1 && from <= to => Ok((from - 1, to - 1)),
        _ => Err("pages are given as A-B, both from 1, such as 2-4".to_string()),
    }
}

macro_rules! failures {
    ($($error:ty),+ $(,)?) => { $(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::caused_by(&error)
            }
        }
    )+ };
}

failures!(
    crate::archive::ArchiveError,
    crate::archive::LoadError,
    crate::archive::kv::StoreError,
    crate::audit::AuditError,
    crate::capture::CaptureError,
    crate::auth::AuthError,
    crate::auth::gate::Denied,
    crate::decode::DecodeError,
    crate::distribute::DistributeError,
    crate::records::RecordsError,
    crate::render::RenderError,
    crate::view::ViewError,
);

impl From<crate::search::SearchError> for Failure {
    fn from(error: crate::search::SearchError) -> Failure {
        let failure = Failure::new(chain(&error));
        match error {
            crate::search::SearchError::Query(query) => failure.advise(query.advice),
            crate::search::SearchError::Full => failure
                .advise("What was loaded is in the archive; make room, and the next command completes the index."),
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_ranges_count_from_one_on_the_command_line() {
        assert_eq!(page_range("2-4"), Ok((1, 3)));
        assert_eq!(page_range("7"), Ok((6, 6)));
        for bad in ["0", "3-2", "a-b", "1-", ""] {
            assert!(page_range(bad).is_err(), "{bad}");
        }
    }
}
