//! Resources of libraries: what a load finds there is kept with it, so that its documents look the same for ever.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use super::Archive;
use super::block::BLOCK_LIMIT;
use super::kv::Engine;
use super::rows::KeptResource;
use crate::decode::{Context, Libraries, ReadSpec};

/// Resources that are kept for one load.
const KEPT: usize = 1_024;
/// Their bytes.
const KEPT_BYTES: usize = 64 << 20;

/// A resource that a load asked for and a library had.
pub(super) struct Found {
    pub kind: String,
    pub name: String,
    pub bytes: Arc<[u8]>,
}

/// Passes on what a library has, and remembers it.
pub(super) struct Recorder {
    inner: Arc<dyn Libraries>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    found: HashMap<(String, String), Arc<[u8]>>,
    bytes: usize,
    left_out: u64,
}

impl Recorder {
    pub fn new(inner: Arc<dyn Libraries>) -> Arc<Recorder> {
        Arc::new(Recorder { inner, seen: Mutex::default() })
    }

    /// What was found, by kind and name, and how many of them are too many or too big to be kept.
    pub fn take(&self) -> (Vec<Found>, u64) {
        let Seen { found, left_out, .. } = std::mem::take(&mut *self.seen());
        let mut found: Vec<Found> =
            found.into_iter().map(|((kind, name), bytes)| Found { kind, name, bytes }).collect();
        found.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
        (found, left_out)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Libraries for Recorder {
    fn find(&self, kind: &str, name: &str) -> Option<Arc<[u8]>> {
        let asked = (kind.to_owned(), name.to_owned());
        if let Some(bytes) = self.seen().found.get(&asked) {
            return Some(bytes.clone());
        }
        let bytes = self.inner.find(kind, name)?;
        let mut seen = self.seen();
        let fits = seen.found.len() < KEPT && seen.bytes + bytes.len() <= KEPT_BYTES && bytes.len() <= BLOCK_LIMIT;
        if !fits {
            seen.left_out += 1;
        } else if let Entry::Vacant(free) = seen.found.entry(asked) {
            free.insert(bytes.clone());
            seen.bytes += bytes.len();
        }
        Some(bytes)
    }
}

/// What a load kept, then what the libraries have now.
struct Kept {
    engine: Arc<dyn Engine>,
    kept: Vec<KeptResource>,
    now: Arc<dyn Libraries>,
}

impl Libraries for Kept {
    fn find(&self, kind: &str, name: &str) -> Option<Arc<[u8]>> {
        let kept = self.kept.iter().find(|kept| kept.kind == kind && kept.name == name);
        // A kept resource that cannot be read is an error of `verify`; here the library's is better than none.
        let bytes = kept.and_then(|kept| Archive::kept_resource(&*self.engine, kept).ok());
        bytes.or_else(|| self.now.find(kind, name))
    }
}

impl Archive {
    /// What a stream that is read like this is given besides its bytes.
    pub fn context_for(&self, read: &ReadSpec) -> Context {
        Context::new(self.libraries_for(read), self.limits)
    }

    /// Where a stream that is read like this looks for resources.
    pub(super) fn libraries_for(&self, read: &ReadSpec) -> Arc<dyn Libraries> {
        let section = read.resources.as_deref().and_then(|name| self.libraries.section(name));
        section.unwrap_or_else(|| self.libraries.clone())
    }

    /// The same for a stored load: first what it kept.
    pub(super) fn libraries_of(&self, read: &ReadSpec, kept: &[KeptResource]) -> Arc<dyn Libraries> {
        let now = self.libraries_for(read);
        if kept.is_empty() {
            return now;
        }
        Arc::new(Kept { engine: self.engine.clone(), kept: kept.to_vec(), now })
    }
}
