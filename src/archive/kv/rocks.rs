//! RocksDB: the only file that names it.
//!
//! One column family for each [`Family`]. Values of `Blocks` and `Documents` come compressed and are kept as they
//! are; the other families are compressed by the store. Big values written with [`Engine::commit_later`] skip the
//! write-ahead log; the next [`Engine::commit`] first puts their tables on disk and then its own batch in the
//! synced log, so the bytes are written once and the order holds.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    BlockBasedOptions, BottommostLevelCompaction, Cache, ColumnFamily, ColumnFamilyDescriptor, CompactOptions, DB,
    DBCompressionType, FlushOptions, LogLevel, Options, ReadOptions, WriteBatch, WriteOptions,
};

use super::{Batch, Engine, Family, StoreError, Write};

/// Bytes of table blocks, indexes and filters kept in memory, all families together.
const CACHE_BYTES: usize = 32 << 20;
/// Bytes of writes kept in memory before a table is made, all families together.
const WRITE_BUFFER_BYTES: usize = 32 << 20;
/// Values of the outbox from this size on lie in files of their own, not among the rows.
const OWN_FILE_FROM: u64 = 4 << 10;
/// Open table files; each costs a descriptor and a little memory.
const OPEN_FILES: i32 = 512;

/// An embedded store in a folder.
pub struct Rocks {
    db: DB,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Something was written without the log since the last flush.
    unsynced: bool,
    /// Key ranges removed since the last compaction.
    removed: Vec<(Family, Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Rocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rocks").field("path", &self.db.path()).finish()
    }
}

impl Rocks {
    /// Opens the store in `path`; with `create`, makes it when there is none.
    pub fn open(path: &Path, create: bool) -> Result<Rocks, StoreError> {
        let cache = Cache::new_lru_cache(CACHE_BYTES);
        let families =
            Family::ALL.map(|family| ColumnFamilyDescriptor::new(family.name(), family_options(family, &cache)));
        let db =
            DB::open_cf_descriptors(&store_options(create), path, families).map_err(|error| failure(error, path))?;
        Ok(Rocks { db, state: Mutex::default() })
    }

    fn family(&self, family: Family) -> Result<&ColumnFamily, StoreError> {
        let missing = || StoreError::Failed { detail: format!("family {} is missing", family.name()) };
        self.db.cf_handle(family.name()).ok_or_else(missing)
    }

    fn failed(&self, error: rocksdb::Error) -> StoreError {
        failure(error, self.db.path())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn batch(&self, batch: Batch) -> Result<WriteBatch, StoreError> {
        let mut out = WriteBatch::default();
        for write in batch.writes {
            match write {
                Write::Put(family, key, value) => out.put_cf(self.family(family)?, key, value),
                Write::Delete(family, key) => out.delete_cf(self.family(family)?, key),
                Write::DeleteRange(family, from, to) => {
                    out.delete_range_cf(self.family(family)?, &from, &to);
                    self.state().removed.push((family, from, to));
                }
            }
        }
        Ok(out)
    }

    /// Puts on disk what was written without the log. Others that commit meanwhile wait, because their
    /// writes may be among it.
    fn flush_unsynced(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        if !state.unsynced {
            return Ok(());
        }
        self.flush_all()?;
        state.unsynced = false;
        Ok(())
    }

    pub(super) fn flush_all(&self) -> Result<(), StoreError> {
        let mut wait = FlushOptions::default();
        wait.set_wait(true);
        for family in Family::ALL {
            self.db.flush_cf_opt(self.family(family)?, &wait).map_err(|error| self.failed(error))?;
        }
        Ok(())
    }
}

fn store_options(create: bool) -> Options {
    let mut options = Options::default();
    options.create_if_missing(create);
    options.create_missing_column_families(true);
    options.set_max_open_files(OPEN_FILES);
    options.set_db_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_total_wal_size(16 << 20);
    options.set_max_background_jobs(2);
    options.set_bytes_per_sync(1 << 20);
    // For each table that a compaction reads.
    options.set_compaction_readahead_size(256 << 10);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(1 << 20);
    options.set_max_manifest_file_size(4 << 20);
    options.set_log_level(LogLevel::Warn);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

fn family_options(family: Family, cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_cache_index_and_filter_blocks(true);
    table.set_block_size(16 << 10);
    table.set_format_version(5);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_level_compaction_dynamic_level_bytes(true);
    let (buffer, compression) = match family {
        Family::Blocks | Family::Documents | Family::Dictionaries | Family::Resources => {
            (2 << 20, DBCompressionType::None)
        }
        // Rows of these come at all places of their families, many a second: small tables would be merged again and again.
        Family::Audit | Family::Activity | Family::Outbox | Family::Intake => (8 << 20, DBCompressionType::Zstd),
        _ => (1 << 20, DBCompressionType::Zstd),
    };
    if family == Family::Outbox {
        // What goes out is written once and read once or twice; merged with the rows around it again and again, it took a third of
        // the time of sending. It is compressed already (PDF).
        options.set_enable_blob_files(true);
        options.set_min_blob_size(OWN_FILE_FROM);
        options.set_blob_file_size(32 << 20);
        options.set_enable_blob_gc(true);
    }
    options.set_write_buffer_size(buffer);
    options.set_max_write_buffer_number(2);
    options.set_target_file_size_base(32 << 20);
    options.set_compression_type(compression);
    options
}

/// Ranges of one family that are compacted one by one; more of them are taken together.
const RANGES: usize = 16;

/// Key ranges to compact: where a family has many, all from the first to the last of them.
fn joined(ranges: Vec<(Family, Vec<u8>, Vec<u8>)>) -> Vec<(Family, Vec<u8>, Vec<u8>)> {
    let mut out = Vec::new();
    for family in Family::ALL {
        let mut of_family: Vec<_> = ranges.iter().filter(|(of, _, _)| *of == family).cloned().collect();
        if of_family.len() > RANGES {
            let first = of_family.iter().map(|(_, from, _)| from.clone()).min();
            let last = of_family.iter().map(|(_, _, to)| to.clone()).max();
            of_family = first.zip(last).map(|(from, to)| (family, from, to)).into_iter().collect();
        }
        out.extend(of_family);
    }
    out
}

fn failure(error: rocksdb::Error, path: &Path) -> StoreError {
    let detail = error.into_string();
    if detail.contains("lock file") || detail.contains("lock hold by") {
        return StoreError::Locked { path: path.display().to_string() };
    }
    if detail.contains("No space left") || detail.contains("NoSpace") {
        return StoreError::Full { detail };
    }
    StoreError::Failed { detail }
}

impl Engine for Rocks {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get_cf(self.family(family)?, key).map_err(|error| self.failed(error))
    }

    fn get_once(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        self.db.get_cf_opt(self.family(family)?, key, &options).map_err(|error| self.failed(error))
    }

    fn scan(
        &self,
        family: Family,
        keys: Range<&[u8]>,
        each: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        // Who walks over many rows reads each once; what single reads keep in memory stays there.
        options.fill_cache(false);
        if !keys.end.is_empty() {
            options.set_iterate_upper_bound(keys.end);
        }
        // Rows are shown where they lie.
        let mut rows = self.db.raw_iterator_cf_opt(self.family(family)?, options);
        rows.seek(keys.start);
        while let Some((key, value)) = rows.item() {
            if each(key, value).is_break() {
                break;
            }
            rows.next();
        }
        rows.status().map_err(|error| self.failed(error))
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let batch = self.batch(batch)?;
        self.flush_unsynced()?;
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(|error| self.failed(error))
    }

    fn commit_later(&self, batch: Batch) -> Result<(), StoreError> {
        let batch = self.batch(batch)?;
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.db.write_opt(batch, &options).map_err(|error| self.failed(error))?;
        self.state().unsynced = true;
        Ok(())
    }

    fn commit_logged(&self, batch: Batch) -> Result<(), StoreError> {
        let batch = self.batch(batch)?;
        self.db.write(batch).map_err(|error| self.failed(error))
    }

    fn replaced(&self, family: Family, keys: Range<Vec<u8>>) {
        self.state().removed.push((family, keys.start, keys.end));
    }

    fn compact(&self) -> Result<(), StoreError> {
        let removed = std::mem::take(&mut self.state().removed);
        self.flush_all()?;
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
        if removed.is_empty() {
            for family in Family::ALL {
                self.db.compact_range_cf_opt(self.family(family)?, None::<&[u8]>, None::<&[u8]>, &options);
            }
        }
        for (family, from, to) in joined(removed) {
            self.db.compact_range_cf_opt(self.family(family)?, Some(from), Some(to), &options);
        }
        Ok(())
    }

    fn checkpoint(&self, target: &Path) -> Result<(), StoreError> {
        let made = Checkpoint::new(&self.db).and_then(|checkpoint| checkpoint.create_checkpoint(target));
        made.map_err(|error| failure(error, target))
    }
}
