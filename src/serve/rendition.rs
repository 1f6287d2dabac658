//! Renditions on their way out: small ones in memory and kept for a while, large ones in files without a name.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Bytes;
use sha2::{Digest, Sha256};

use crate::archive::DocId;
use crate::auth::gate::Sight;
use crate::auth::predicate::Subject;
use crate::auth::secret;

/// Larger renditions go to a file while they are made.
const IN_MEMORY: usize = 1 << 20;
/// Memory for kept renditions.
const KEPT_BYTES: u64 = 48 << 20;
/// Files kept open: a viewer asks for many ranges of one large document.
const KEPT_FILES: usize = 16;
/// What an entry costs besides its bytes.
const ENTRY_BYTES: u64 = 512;

/// A finished rendition.
#[derive(Debug)]
pub struct Rendition {
    /// Strong entity tag with its quotes: the SHA-256 of the bytes.
    pub etag: String,
    /// Length.
    pub len: u64,
    /// The bytes.
    pub body: Body,
    /// Media type.
    pub media_type: &'static str,
}

/// Where the bytes are.
#[derive(Debug)]
pub enum Body {
    /// Here.
    Memory(Bytes),
    /// In a file that has no name any more; the system takes it when it is closed.
    File(Arc<File>),
}

/// Takes a rendition while it is made.
pub struct Spool {
    folder: PathBuf,
    memory: Vec<u8>,
    file: Option<File>,
    hasher: Sha256,
    len: u64,
}

impl Spool {
    /// Goes to a file in `folder` when it grows.
    pub fn new(folder: &Path) -> Spool {
        Spool { folder: folder.to_path_buf(), memory: Vec::new(), file: None, hasher: Sha256::new(), len: 0 }
    }

    /// The finished rendition.
    pub fn finish(mut self, media_type: &'static str) -> io::Result<Rendition> {
        let etag = format!("\"{}\"", secret::hex(&self.hasher.finalize()));
        let body = match self.file.take() {
            None => Body::Memory(self.memory.into()),
            Some(mut file) => {
                file.write_all(&self.memory)?;
                Body::File(Arc::new(file))
            }
        };
        Ok(Rendition { etag, len: self.len, body, media_type })
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.len += bytes.len() as u64;
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > IN_MEMORY {
            if self.file.is_none() {
                self.file = Some(nameless(&self.folder)?);
            }
            if let Some(file) = &mut self.file {
                file.write_all(&self.memory)?;
                self.memory.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is gone from its folder as soon as it is open.
fn nameless(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let name = secret::token().map_err(io::Error::other)?;
    let path = folder.join(name);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// What a rendition is kept under.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The document.
    pub document: DocId,
    /// Which masks apply: nobody gets what was made for another's eyes.
    pub sight: Sight,
    /// The format's name.
    pub format: &'static str,
    /// First and last page, from 0.
    pub pages: Option<(u32, u32)>,
    /// Width in pixels.
    pub width_px: Option<u32>,
    /// Words to highlight.
    pub highlight: Vec<String>,
}

/// A kept rendition with what the gate and the header need, so that a hit asks the archive nothing.
#[derive(Debug, Clone)]
pub struct Kept {
    /// [`super::backend::Backend::generation`] when it was made.
    pub generation: u64,
    /// What the gate must know of the document.
    pub subject: Arc<Subject>,
    /// Name for downloads.
    pub file_name: String,
    /// The bytes.
    pub rendition: Arc<Rendition>,
}

/// The renditions used last.
#[derive(Debug, Default)]
pub struct Cache {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    kept: HashMap<Key, (u64, Kept)>,
    clock: u64,
    bytes: u64,
    files: usize,
}

impl Cache {
    /// The rendition, when it is here and of this generation.
    pub fn get(&self, key: &Key, generation: u64) -> Option<Kept> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let now = inner.clock;
        let (used, kept) = inner.kept.get_mut(key)?;
        if kept.generation != generation {
            return None;
        }
        *used = now;
        Some(kept.clone())
    }

    /// Keeps a rendition; those used longest ago make room.
    pub fn put(&self, key: Key, kept: Kept) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let now = inner.clock;
        inner.count(&kept, 1);
        if let Some((_, old)) = inner.kept.insert(key, (now, kept)) {
            inner.count(&old, -1);
        }
        if inner.bytes > KEPT_BYTES || inner.files > KEPT_FILES {
            inner.make_room();
        }
    }
}

impl Inner {
    fn count(&mut self, kept: &Kept, sign: i64) {
        let (bytes, files) = match &kept.rendition.body {
            Body::Memory(bytes) => (bytes.len() as u64 + ENTRY_BYTES, 0),
            Body::File(_) => (ENTRY_BYTES, 1),
        };
        if sign > 0 {
            self.bytes += bytes;
            self.files += files;
        } else {
            self.bytes -= bytes;
            self.files -= files;
        }
    }

    /// Drops the older ones until a quarter is free: sorting once for many puts keeps a put cheap.
    fn make_room(&mut self) {
        let mut order: Vec<(u64, Key)> = self.kept.iter().map(|(key, (used, _))| (*used, key.clone())).collect();
        order.sort_unstable_by_key(|(used, _)| *used);
        let newest = order.last().map(|(used, _)| *used);
        for (used, key) in order {
            if (self.bytes <= KEPT_BYTES / 4 * 3 && self.files <= KEPT_FILES / 4 * 3) || Some(used) == newest {
                break;
            }
            if let Some((_, kept)) = self.kept.remove(&key) {
                self.count(&kept, -1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LoadId;

    fn key(ordinal: u32) -> Key {
        let document = DocId { load: LoadId(1), ordinal };
        Key { document, sight: Sight::default(), format: "text", pages: None, width_px: None, highlight: Vec::new() }
    }

    fn kept(bytes: usize) -> Kept {
        let mut spool = Spool::new(&std::env::temp_dir());
        spool.write_all(&vec![b'x'; bytes]).expect("written");
        let rendition = Arc::new(spool.finish("text/plain").expect("finished"));
        let subject = Arc::new(Subject::absent(key(1).document, None));
        Kept { generation: 1, subject, file_name: String::new(), rendition }
    }

    #[test]
    fn large_renditions_lie_in_files_and_small_ones_in_memory() {
        assert!(matches!(&kept(10).rendition.body, Body::Memory(bytes) if bytes.len() == 10));
        let large = kept(3 << 20).rendition;
        assert!(matches!(&large.body, Body::File(file) if file.metadata().expect("there").len() == 3 << 20));
        assert_eq!(large.len, 3 << 20);
    }

    #[test]
    fn the_cache_forgets_what_was_used_longest_ago_and_other_generations() {
        let cache = Cache::default();
        let count = u32::try_from(KEPT_BYTES / (1 << 19)).expect("small") + 10;
        for ordinal in 1..=count {
            cache.put(key(ordinal), kept(1 << 19));
            assert!(cache.get(&key(1), 1).is_some(), "in use");
        }
        assert!(cache.get(&key(2), 1).is_none());
        assert!(cache.get(&key(count), 1).is_some());
        assert!(cache.get(&key(count), 2).is_none());
        assert!(cache.inner.lock().expect("not poisoned").bytes <= KEPT_BYTES);
    }
}
