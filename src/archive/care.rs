//! Care of the archive: export, unload, a new cut, figures, backup.

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cut::{Cutting, Numbers, Spill};
use super::error::{ArchiveError, LoadError};
use super::kv::{Batch, Family};
use super::library::Recorder;
use super::load::{TOO_MUCH_LIBRARY, put_units};
use super::resource::Resources;
use super::rows::{self, StoredLoad, Tombstone};
use super::verify::VerifyReport;
use super::{Archive, Change, LoadId, LoadRow, STORE, fault, keys};
use crate::decode::{Context, Start};
use crate::index::definition::Definition;
use crate::note::At;

/// Figures of an archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Loads.
    pub loads: u64,
    /// Documents in them.
    pub documents: u64,
    /// Pages in the captured streams.
    pub pages: u64,
    /// Bytes captured.
    pub captured_bytes: u64,
    /// Bytes on disk of everything but the search index.
    pub stored_bytes: u64,
}

impl Archive {
    /// Writes the captured stream of a load, byte for byte, with what is in no document.
    pub fn export_load(&self, load: LoadId, out: &mut dyn Write) -> Result<LoadRow, ArchiveError> {
        let row = self.load_row(load)?;
        let mut stream = self.stream(self.info(load)?, 0..row.bytes);
        loop {
            let chunk = stream.chunk()?;
            if chunk.is_empty() {
                break;
            }
            let written = out.write_all(chunk);
            written.map_err(|source| ArchiveError::File { path: "the output".into(), source })?;
            let taken = chunk.len();
            stream.consume(taken);
        }
        Ok(row)
    }

    /// Takes a load out: row, blocks, documents, content hash and the resources that no other load uses go in one atomic
    /// step, a tombstone stays. The space is given back before this returns. The number is never used again.
    pub fn unload(&self, load: LoadId, reason: &str) -> Result<Tombstone, ArchiveError> {
        let _reserved = self.reserve(load)?;
        let row = self.load_row(load)?;
        let stone = Tombstone {
            load,
            file: row.file,
            definition: row.definition,
            sha256: row.sha256,
            bytes: row.bytes,
            documents: row.documents,
            reason: reason.into(),
            at: self.now(),
        };
        let mut batch = Batch::default();
        batch.delete(Family::Loads, keys::load(load));
        batch.delete(Family::Loads, keys::block_table(load));
        batch.delete(Family::Loads, keys::resource_table(load));
        batch.delete_range(Family::Loads, keys::shared_tables(load));
        if let Some(hash) = from_hex(&stone.sha256) {
            batch.delete(Family::Loads, keys::content(&hash, &stone.definition));
        }
        batch.delete_range(Family::Blocks, keys::blocks(load));
        batch.delete_range(Family::Documents, keys::all_groups(load));
        rows::put(&mut batch, Family::Dispositions, keys::tombstone(load), &stone)?;
        {
            let mut catalogue = self.catalogue();
            self.release(&mut catalogue, load, &mut batch)?;
            self.commit_change(&mut catalogue, batch, Change::Unloaded(load))?;
        }
        self.forget(load);
        self.engine.compact()?;
        Ok(stone)
    }

    fn forget(&self, load: LoadId) {
        self.infos.forget(|id| *id == load);
        self.firsts.forget(|id| *id == load);
        self.forms.forget(|id| *id == load);
        self.blocks.forget(|(id, _)| *id == load);
        self.shared.forget(|id| *id == load);
    }

    /// Cuts a load anew with another version of its definition, from its stored bytes. The blocks stay as they are;
    /// the new documents replace the old ones in one atomic step. Documents of the same bytes keep their numbers; when
    /// any number would come to stand for other bytes, all documents of the load get new ones.
    pub fn resplit(&self, load: LoadId, version: u32) -> Result<LoadRow, LoadError> {
        let reserved = self.reserve(load)?;
        let info = self.info(load)?;
        let stored = self.stored_load(load)?;
        let missing = || ArchiveError::NoDefinition { name: format!("{} version {version}", stored.row.definition) };
        let definition = self.definition(&stored.row.definition, Some(version))?.ok_or_else(missing)?;
        let given = stored.numbered();
        let before = Numbers::kept(stored.first_group, given, self.spans(&stored));
        let cut = match self.cut_anew(&info, (&definition, version), stored.clone(), before) {
            Err(LoadError::OtherDocuments) => {
                self.cut_anew(&info, (&definition, version), stored, Numbers::new_ones(given))
            }
            other => other,
        };
        self.infos.forget(|id| *id == load);
        self.shared.forget(|id| *id == load);
        drop(reserved);
        cut
    }

    /// Where the documents of a load stand in its stream, in order; one group of them is in memory at a time.
    fn spans(&self, stored: &StoredLoad) -> impl Iterator<Item = Result<Range<u64>, ArchiveError>> + use<'_> {
        let (load, generation) = (stored.row.id, stored.generation);
        stored.groups().flat_map(move |number| {
            let missing = || ArchiveError::damaged(format!("document group {number} of load {load}"), "it is missing");
            match self.group(load, generation, number).and_then(|group| group.ok_or_else(missing)) {
                Ok(drafts) => drafts.into_iter().map(|draft| Ok(draft.span)).collect(),
                Err(error) => vec![Err(error)],
            }
        })
    }

    /// The next cut of a load that is reserved. What fails leaves nothing.
    fn cut_anew(
        &self,
        info: &std::sync::Arc<super::catalogue::LoadInfo>,
        (definition, version): (&Definition, u32),
        stored: StoredLoad,
        numbers: Numbers<'_>,
    ) -> Result<LoadRow, LoadError> {
        let numbered = stored.numbered();
        let StoredLoad { mut row, generation, mut block_bytes, compacted, pieces, mut library, job, .. } = stored;
        let load = row.id;
        let next = generation.checked_add(1).ok_or(LoadError::TooMany { what: "generations" })?;
        let first_group = numbers.first_group();
        fault::step("load-started");
        let head = self.head_of(info)?;
        let sample = crate::decode::Sample { head: &head, total: Some(row.bytes), name: Some(&row.file) };
        let (format, read) = self.how(&sample, &definition.read)?;
        let mut spill = Spill::new(self, load, next);
        let recorder = Recorder::new(self.libraries_of(&read, &library));
        let cut = (|| {
            let stream = self.stream(info.clone(), 0..row.bytes);
            let context = Context::new(recorder.clone(), self.limits);
            let decoder = format.open(Box::new(stream), Start::default(), &read, &context)?;
            let mut cutting = Cutting::new(definition, decoder, (&row.file, &job), (load, next), numbers);
            while cutting.step(&mut spill)? {}
            fault::step("stream-decoded");
            let (found, left_out) = recorder.take();
            cutting.note("library-resources-not-kept", left_out, TOO_MUCH_LIBRARY);
            Ok((cutting.finish(row.bytes, &mut spill)?, found))
        })();
        let ((accounts, notes), mut found) = match cut {
            Ok(cut) => cut,
            Err(error) => {
                // The first error counts; what cannot be removed now is removed at the next opening.
                let _ = self.remove_debris(load, next);
                return Err(error);
            }
        };
        fault::step("documents-written");
        row.definition_version = version;
        row.field_names = definition.fields.iter().map(|field| field.name.clone()).collect();
        row.read = read;
        row.pages = accounts.pages;
        row.documents = accounts.documents;
        row.set_aside_pages = accounts.set_aside_pages;
        row.set_aside = accounts.set_aside;
        row.stored_bytes = block_bytes + spill.stored;
        row.warnings = notes;
        found.retain(|new| !library.iter().any(|kept| (&kept.kind, &kept.name) == (&new.kind, &new.name)));
        let published = (|| {
            let mut resources = Resources::new(self, load);
            library.extend(resources.keep(found)?);
            let mut batch = spill.into_batch();
            batch.delete_range(Family::Documents, keys::groups(load, generation));
            let mut catalogue = self.catalogue();
            resources.claim(&mut catalogue, &mut batch)?;
            block_bytes += resources.stored;
            row.stored_bytes += resources.stored;
            batch.delete(Family::Loads, keys::shared_table(load, generation));
            let shared_units = put_units(&mut batch, (load, next), &accounts.shared);
            let indexes = accounts.indexes;
            let stored = StoredLoad {
                row,
                generation: next,
                first_group,
                numbered,
                block_bytes,
                compacted,
                shared_units,
                indexes,
                pieces,
                library,
                job,
            };
            self.publish(&mut catalogue, batch, &stored, Change::Loaded(load))?;
            Ok(stored.row)
        })();
        if published.is_err() {
            let _ = self.remove_debris(load, next);
        }
        published
    }

    fn head_of(&self, info: &std::sync::Arc<super::catalogue::LoadInfo>) -> Result<Vec<u8>, LoadError> {
        use std::io::Read;
        let end = info.stored.row.bytes.min(crate::decode::SAMPLE_BYTES as u64);
        let mut head = Vec::new();
        let read = self.stream(info.clone(), 0..end).read_to_end(&mut head);
        read.map_err(|source| LoadError::Read { at: At::default(), source })?;
        Ok(head)
    }

    /// Figures of the archive.
    pub fn stats(&self) -> Result<Stats, ArchiveError> {
        let mut stats = Stats::default();
        self.each_load(&mut |stored| {
            stats.loads += 1;
            stats.documents += u64::from(stored.row.documents);
            stats.pages += stored.row.pages;
            stats.captured_bytes += stored.row.bytes;
        })?;
        stats.stored_bytes = size_of(&self.dir.join(STORE))?;
        Ok(stats)
    }

    /// Copies the archive, consistent while in use, into a folder that does not exist or is empty. The search index is
    /// not copied: it is rebuilt from the archive.
    pub fn backup(&self, target: &Path) -> Result<(), ArchiveError> {
        prepare(target)?;
        Ok(self.engine.checkpoint(&target.join(STORE))?)
    }

    /// Makes an archive in an empty folder from a backup, and proves it. The report's errors say what the backup lost.
    pub fn restore(backup: &Path, target: &Path) -> Result<(Archive, VerifyReport), ArchiveError> {
        let from = backup.join(STORE);
        if !from.join("CURRENT").is_file() {
            return Err(ArchiveError::NoArchive { dir: backup.display().to_string() });
        }
        prepare(target)?;
        copy(&from, &target.join(STORE))?;
        let archive = Archive::open(target)?;
        let report = archive.verify(&|_| {});
        Ok((archive, report))
    }
}

fn prepare(target: &Path) -> Result<(), ArchiveError> {
    let used = target.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if used || target.is_file() {
        return Err(ArchiveError::NotEmpty { dir: target.display().to_string() });
    }
    std::fs::create_dir_all(target).map_err(|error| ArchiveError::file(target, error))
}

fn copy(from: &Path, to: &Path) -> Result<(), ArchiveError> {
    std::fs::create_dir_all(to).map_err(|error| ArchiveError::file(to, error))?;
    for entry in from.read_dir().map_err(|error| ArchiveError::file(from, error))? {
        let path = entry.map_err(|error| ArchiveError::file(from, error))?.path();
        let Some(name) = path.file_name().filter(|_| path.is_file()) else { continue };
        let target = to.join(name);
        let copied = std::fs::copy(&path, &target).and_then(|_| std::fs::File::open(&target)?.sync_all());
        copied.map_err(|error| ArchiveError::file(&target, error))?;
    }
    Ok(())
}

fn size_of(folder: &Path) -> Result<u64, ArchiveError> {
    let mut bytes = 0;
    // An archive in memory has no folder; a file may go while it is counted.
    let Ok(entries) = folder.read_dir() else { return Ok(0) };
    for entry in entries.flatten() {
        bytes += entry.metadata().map_or(0, |data| if data.is_file() { data.len() } else { 0 });
    }
    Ok(bytes)
}

pub(super) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
