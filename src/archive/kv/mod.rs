//! The seam to the store: ordered keys in families, atomic batches.
//!
//! Nothing above this module names RocksDB. [`rocks::Rocks`] is the store of an embedded archive,
//! [`memory::Memory`] the one for tests; `contract.rs` holds both to the same promises.

#[cfg(test)]
pub(super) mod contract;
pub mod memory;
pub mod rocks;

use std::ops::{ControlFlow, Range};

/// A column family: a key space of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Captured streams that wait to be loaded.
    Intake,
    /// Loads, their accounting and the content hashes that make them idempotent.
    Loads,
    /// Documents, in compressed groups.
    Documents,
    /// Compressed stream bytes.
    Blocks,
    /// Shared resources by content hash.
    Resources,
    /// Compression dictionaries, kept for ever.
    Dictionaries,
    /// Report definitions, every version.
    Definitions,
    /// Catalogue changes by sequence number; what search follows.
    Changes,
    /// Customers.
    Customers,
    /// Accounts.
    Accounts,
    /// What passed between the organisation and its customers.
    Activity,
    /// Legal holds.
    Holds,
    /// Dispositions and tombstones.
    Dispositions,
    /// The audit chain.
    Audit,
    /// Users, sessions, API keys.
    Users,
    /// Settings and counters.
    Settings,
    /// What waits to be sent.
    Outbox,
}

impl Family {
    /// All families.
    pub const ALL: [Family; 17] = [
        Family::Intake,
        Family::Loads,
        Family::Documents,
        Family::Blocks,
        Family::Resources,
        Family::Dictionaries,
        Family::Definitions,
        Family::Changes,
        Family::Customers,
        Family::Accounts,
        Family::Activity,
        Family::Holds,
        Family::Dispositions,
        Family::Audit,
        Family::Users,
        Family::Settings,
        Family::Outbox,
    ];

    /// Its name on disk.
    pub fn name(self) -> &'static str {
        match self {
            Family::Intake => "intake",
            Family::Loads => "loads",
            Family::Documents => "documents",
            Family::Blocks => "blocks",
            Family::Resources => "resources",
            Family::Dictionaries => "dictionaries",
            Family::Definitions => "definitions",
            Family::Changes => "changes",
            Family::Customers => "customers",
            Family::Accounts => "accounts",
            Family::Activity => "activity",
            Family::Holds => "holds",
            Family::Dispositions => "dispositions",
            Family::Audit => "audit",
            Family::Users => "users",
            Family::Settings => "settings",
            Family::Outbox => "outbox",
        }
    }
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a key.
    Put(Family, Vec<u8>, Vec<u8>),
    /// Removes a key.
    Delete(Family, Vec<u8>),
    /// Removes all keys from the first (included) to the second (excluded).
    DeleteRange(Family, Vec<u8>, Vec<u8>),
}

/// Changes that happen together or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// In order; a later one wins.
    pub writes: Vec<Write>,
}

impl Batch {
    /// Sets a key.
    pub fn put(&mut self, family: Family, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.writes.push(Write::Put(family, key.into(), value.into()));
    }

    /// Removes a key.
    pub fn delete(&mut self, family: Family, key: impl Into<Vec<u8>>) {
        self.writes.push(Write::Delete(family, key.into()));
    }

    /// Removes all keys in a range.
    pub fn delete_range(&mut self, family: Family, keys: Range<Vec<u8>>) {
        self.writes.push(Write::DeleteRange(family, keys.start, keys.end));
    }
}

/// Ordered keys, atomic batches.
pub trait Engine: Send + Sync {
    /// The value of a key.
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// The same for who walks over many keys and reads each once: what other reads keep in memory stays there.
    fn get_once(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(family, key)
    }
    /// Visits all keys in a range in order (an empty end means "to the last key") until `each` breaks.
    fn scan(
        &self,
        family: Family,
        keys: Range<&[u8]>,
        each: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;
    /// Applies a batch; when it returns, the batch survives a power cut.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;
    /// Applies a batch atomically without waiting for the disk; the next [`Engine::commit`] makes it durable.
    fn commit_later(&self, batch: Batch) -> Result<(), StoreError>;
    /// Applies a batch atomically and hands it to the operating system: it survives the end of the process at once, and a
    /// power cut after the next [`Engine::commit`].
    fn commit_logged(&self, batch: Batch) -> Result<(), StoreError> {
        self.commit(batch)
    }
    /// Says that most rows of a range were replaced: the next [`Engine::compact`] gives the space of the old ones back.
    fn replaced(&self, _family: Family, _keys: Range<Vec<u8>>) {}
    /// Gives the space of removed keys back to the disk.
    fn compact(&self) -> Result<(), StoreError>;
    /// Makes a consistent copy in a folder that does not exist yet.
    fn checkpoint(&self, target: &std::path::Path) -> Result<(), StoreError>;
}

/// What the store can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the archive open.
    #[error("another process has the archive open ({path})")]
    Locked {
        /// The store's folder.
        path: String,
    },
    /// The disk is full.
    #[error("the disk is full: {detail}")]
    Full {
        /// What the store said.
        detail: String,
    },
    /// Anything else; the text is the store's.
    #[error("the store failed: {detail}")]
    Failed {
        /// What the store said.
        detail: String,
    },
}
