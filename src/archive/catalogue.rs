//! What the catalogue knows: loads, documents, changes, and small tables of others.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::error::ArchiveError;
use super::kv::{Batch, Family};
use super::resource::{Placed, unpack_table};
use super::rows::{self, StoredLoad, Tombstone, put_varint, take_varint};
use super::{Archive, Change, DocId, Document, LoadId, LoadRow, Seq, group, keys};
use crate::index::Draft;

/// What reading a load's documents needs.
#[derive(Debug)]
pub(super) struct LoadInfo {
    pub stored: StoredLoad,
    pub definition: Arc<str>,
    /// Where each block starts in the stream without its resources; the last one ends with it.
    pub starts: Vec<u64>,
    /// The resources of the stream.
    pub pieces: Vec<Placed>,
    /// Its shared units.
    pub shared: Vec<Range<u64>>,
}

/// Where a byte of a stream is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In this piece.
    Piece(Placed),
    /// In the blocks, at this byte of them; the next piece starts at byte `until` of the stream.
    Blocks { at: u64, until: u64 },
}

impl LoadInfo {
    /// Where a byte of the stream is stored.
    pub fn place(&self, byte: u64) -> Place {
        let after = self.pieces.partition_point(|piece| piece.start <= byte);
        let until = self.pieces.get(after).map_or(self.stored.row.bytes, |next| next.start);
        match after.checked_sub(1).and_then(|last| self.pieces.get(last)) {
            Some(piece) if byte < piece.end() => Place::Piece(*piece),
            Some(piece) => Place::Blocks { at: byte - piece.before - piece.length, until },
            None => Place::Blocks { at: byte, until },
        }
    }

    /// Bytes of the stream without its resources.
    pub fn in_blocks(&self) -> u64 {
        let resources = self.pieces.last().map_or(0, |last| last.before + last.length);
        self.stored.row.bytes.saturating_sub(resources)
    }

    /// The block that holds a byte, or `None` behind the end; resources are not counted.
    pub fn block_at(&self, byte: u64) -> Option<u32> {
        if byte >= self.in_blocks() {
            return None;
        }
        let after = self.starts.partition_point(|start| *start <= byte);
        u32::try_from(after.checked_sub(1)?).ok()
    }
}

/// The value of a block table row.
pub(super) fn pack_starts(key: &[u8], starts: &[u64]) -> Vec<u8> {
    let mut content = Vec::with_capacity(starts.len() * 3);
    let mut before = 0;
    for start in starts {
        put_varint(&mut content, start - before);
        before = *start;
    }
    rows::seal(key, &content)
}

fn unpack_starts(what: &str, mut content: &[u8]) -> Result<Vec<u64>, ArchiveError> {
    let mut starts = Vec::new();
    let mut before = 0_u64;
    while !content.is_empty() {
        let next = take_varint(&mut content).and_then(|step| before.checked_add(step));
        before = next.ok_or_else(|| ArchiveError::damaged(what, "its numbers do not read"))?;
        starts.push(before);
    }
    Ok(starts)
}

/// The value of a row of shared units.
pub(super) fn pack_units(key: &[u8], units: &[Range<u64>]) -> Vec<u8> {
    let (mut content, mut end) = (Vec::with_capacity(units.len() * 4), 0);
    for unit in units {
        put_varint(&mut content, unit.start - end);
        put_varint(&mut content, unit.end - unit.start);
        end = unit.end;
    }
    rows::seal(key, &content)
}

fn unpack_units(what: &str, mut content: &[u8]) -> Result<Vec<Range<u64>>, ArchiveError> {
    let (mut units, mut end) = (Vec::new(), 0_u64);
    while !content.is_empty() {
        let start = take_varint(&mut content).and_then(|gap| end.checked_add(gap));
        let unit = start.and_then(|start| Some(start..start.checked_add(take_varint(&mut content)?)?));
        let unit = unit.ok_or_else(|| ArchiveError::damaged(what, "its numbers do not read"))?;
        end = unit.end;
        units.push(unit);
    }
    Ok(units)
}

pub(super) fn document(id: DocId, definition: &Arc<str>, draft: Draft) -> Document {
    let Draft { span, resume, first_page, records_before, pages, marks, around, title, date, account, fields } = draft;
    Document {
        id,
        definition: definition.clone(),
        span,
        resume,
        first_page,
        records_before,
        pages,
        marks,
        around,
        title,
        date,
        account,
        fields,
    }
}

impl Archive {
    /// All loads, by number.
    pub fn loads(&self) -> Result<Vec<LoadRow>, ArchiveError> {
        let mut loads = Vec::new();
        self.each_load(&mut |stored| loads.push(stored.row))?;
        Ok(loads)
    }

    /// Visits loads with numbers below `before` (`None`: all), newest first, until `each` breaks.
    pub fn loads_before(
        &self,
        before: Option<LoadId>,
        each: &mut dyn FnMut(LoadRow) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        let last = self.catalogue().last_load;
        let newest = before.map_or(last, |before| before.0.saturating_sub(1).min(last));
        for number in (1..=newest).rev() {
            match self.stored_load(LoadId(number)) {
                Ok(stored) => {
                    if each(stored.row).is_break() {
                        break;
                    }
                }
                Err(ArchiveError::NoLoad(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What was known of the job that brought a load; empty when it was loaded by hand.
    pub fn job_of(&self, id: LoadId) -> Result<std::collections::BTreeMap<String, String>, ArchiveError> {
        Ok(self.stored_load(id)?.job)
    }

    pub(super) fn each_load(&self, each: &mut dyn FnMut(StoredLoad)) -> Result<(), ArchiveError> {
        self.each_row(Family::Loads, b"L", &mut |key, value| {
            each(rows::parse("a load row", key, value)?);
            Ok(())
        })
    }

    /// Visits the rows under a prefix; stops at the first error.
    pub(super) fn each_row(
        &self,
        family: Family,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8], &[u8]) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        let range = keys::below(prefix);
        let mut failed = None;
        self.engine.scan(family, &range.start..&range.end, &mut |key, value| match each(key, value) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// One load.
    pub fn load_row(&self, id: LoadId) -> Result<LoadRow, ArchiveError> {
        Ok(self.stored_load(id)?.row)
    }

    /// Whether a load is visible.
    pub fn has_load(&self, id: LoadId) -> Result<bool, ArchiveError> {
        Ok(self.engine.get(Family::Loads, &keys::load(id))?.is_some())
    }

    pub(super) fn stored_load(&self, id: LoadId) -> Result<StoredLoad, ArchiveError> {
        let what = format!("the row of load {id}");
        rows::get(&*self.engine, Family::Loads, &what, &keys::load(id))?.ok_or(ArchiveError::NoLoad(id))
    }

    pub(super) fn info(&self, id: LoadId) -> Result<Arc<LoadInfo>, ArchiveError> {
        if let Some(info) = self.infos.get(&id) {
            return Ok(info);
        }
        let stored = self.stored_load(id)?;
        let what = format!("the block table of load {id}");
        let key = keys::block_table(id);
        let value =
            self.engine.get(Family::Loads, &key)?.ok_or_else(|| ArchiveError::damaged(&what, "it is missing"))?;
        let starts = unpack_starts(&what, rows::unseal(&what, &key, &value)?)?;
        let pieces = self.resource_table(&stored)?;
        let shared = self.shared_table(&stored)?;
        let info = LoadInfo { definition: stored.row.definition.as_str().into(), stored, starts, pieces, shared };
        let weight = info.starts.len() * 8 + info.pieces.len() * 56 + info.shared.len() * 16 + 4096;
        let info = Arc::new(info);
        self.infos.put(id, info.clone(), weight);
        Ok(info)
    }

    fn resource_table(&self, stored: &StoredLoad) -> Result<Vec<Placed>, ArchiveError> {
        if stored.pieces == 0 {
            return Ok(Vec::new());
        }
        let id = stored.row.id;
        let what = format!("the resource table of load {id}");
        let key = keys::resource_table(id);
        let value =
            self.engine.get(Family::Loads, &key)?.ok_or_else(|| ArchiveError::damaged(&what, "it is missing"))?;
        let pieces = unpack_table(&what, rows::unseal(&what, &key, &value)?, stored.row.bytes)?;
        if pieces.len() as u64 != u64::from(stored.pieces) {
            let detail = format!("it has {} pieces, not {}", pieces.len(), stored.pieces);
            return Err(ArchiveError::damaged(what, detail));
        }
        Ok(pieces)
    }

    fn shared_table(&self, stored: &StoredLoad) -> Result<Vec<Range<u64>>, ArchiveError> {
        if stored.shared_units == 0 {
            return Ok(Vec::new());
        }
        let id = stored.row.id;
        let what = format!("the shared units of load {id}");
        let key = keys::shared_table(id, stored.generation);
        let value =
            self.engine.get(Family::Loads, &key)?.ok_or_else(|| ArchiveError::damaged(&what, "they are missing"))?;
        let units = unpack_units(&what, rows::unseal(&what, &key, &value)?)?;
        let counted = units.len() as u64 == u64::from(stored.shared_units);
        if !counted || units.last().is_some_and(|last| last.end > stored.row.bytes) {
            return Err(ArchiveError::damaged(what, "they do not fit the load"));
        }
        Ok(units)
    }

    /// One document.
    pub fn document(&self, id: DocId) -> Result<Document, ArchiveError> {
        let gone = || ArchiveError::NoDocument(id);
        let no_load = |error| if matches!(error, ArchiveError::NoLoad(_)) { gone() } else { error };
        let number = id.ordinal.checked_sub(1).ok_or_else(gone)?;
        for fresh in [false, true] {
            if fresh {
                // The load may have been cut anew or unloaded since its row was cached.
                self.infos.forget(|load| *load == id.load);
            }
            let info = self.info(id.load).map_err(no_load)?;
            let group = number / keys::GROUP;
            let key = keys::group(id.load, info.stored.generation, group);
            if let Some(value) = self.engine.get(Family::Documents, &key)? {
                let what = format!("document group {group} of load {}", id.load);
                let content = rows::unseal(&what, &key, &value)?;
                let draft = group::unpack_one(&what, content, number % keys::GROUP)?.ok_or_else(gone)?;
                return Ok(document(id, &info.definition, draft));
            }
        }
        Err(gone())
    }

    pub(super) fn group(&self, load: LoadId, generation: u16, number: u32) -> Result<Option<Vec<Draft>>, ArchiveError> {
        let key = keys::group(load, generation, number);
        let Some(value) = self.engine.get_once(Family::Documents, &key)? else { return Ok(None) };
        let what = format!("document group {number} of load {load}");
        group::unpack(&what, rows::unseal(&what, &key, &value)?).map(Some)
    }

    /// Visits the documents of a load in stream order until `each` breaks. Memory holds one group of them at a time.
    pub fn documents(
        &self,
        load: LoadId,
        each: &mut dyn FnMut(Document) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        let stored = self.stored_load(load)?;
        let definition: Arc<str> = stored.row.definition.as_str().into();
        let mut ordinal = stored.first_group.saturating_mul(keys::GROUP);
        for number in stored.groups() {
            let missing = || ArchiveError::damaged(format!("document group {number} of load {load}"), "it is missing");
            for draft in self.group(load, stored.generation, number)?.ok_or_else(missing)? {
                ordinal += 1;
                if each(document(DocId { load, ordinal }, &definition, draft)).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The changes of the catalogue after `seq`, in order.
    pub fn changes_after(&self, seq: Seq) -> Result<Vec<(Seq, Change)>, ArchiveError> {
        let from = keys::change(Seq(seq.0.saturating_add(1)));
        let mut changes = Vec::new();
        let mut failed = None;
        self.engine.scan(Family::Changes, &from..&[], &mut |key, value| {
            let number: Option<[u8; 8]> = key.try_into().ok();
            let read = number.ok_or_else(|| ArchiveError::damaged("a change row", "its key is no number"));
            match read
                .and_then(|number| Ok((Seq(u64::from_be_bytes(number)), rows::parse("a change row", key, value)?)))
            {
                Ok(change) => {
                    changes.push(change);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failed.map_or(Ok(changes), Err)
    }

    /// Number of the last change.
    pub fn last_seq(&self) -> Seq {
        Seq(self.catalogue().last_seq)
    }

    /// What is left of unloaded loads, by number.
    pub fn tombstones(&self) -> Result<Vec<Tombstone>, ArchiveError> {
        let mut stones = Vec::new();
        self.each_row(Family::Dispositions, b"T", &mut |key, value| {
            stones.push(rows::parse("a tombstone", key, value)?);
            Ok(())
        })?;
        Ok(stones)
    }

    /// Keeps a small value under a key; durable when it returns. Keys that start with a zero byte are the archive's own.
    pub fn put_json<T: Serialize>(&self, family: Family, key: &str, value: &T) -> Result<(), ArchiveError> {
        self.put_json_all(family, &[(key, Some(value))])
    }

    /// Keeps (`Some`) or removes (`None`) several values in one atomic step.
    pub fn put_json_all<T: Serialize>(
        &self,
        family: Family,
        values: &[(&str, Option<&T>)],
    ) -> Result<(), ArchiveError> {
        let mut batch = Batch::default();
        for (key, value) in values {
            match value {
                Some(value) => rows::put(&mut batch, family, key.as_bytes().to_vec(), value)?,
                None => batch.delete(family, key.as_bytes()),
            }
        }
        Ok(self.engine.commit(batch)?)
    }

    /// Reads what [`Archive::put_json`] kept.
    pub fn get_json<T: DeserializeOwned>(&self, family: Family, key: &str) -> Result<Option<T>, ArchiveError> {
        rows::get(&*self.engine, family, &format!("a row of {}", family.name()), key.as_bytes())
    }

    /// Removes a value; nothing happens when it is not there.
    pub fn delete_json(&self, family: Family, key: &str) -> Result<(), ArchiveError> {
        let mut batch = Batch::default();
        batch.delete(family, key.as_bytes());
        Ok(self.engine.commit(batch)?)
    }

    /// All values whose key starts with `prefix` (which must not be empty), in key order.
    pub fn scan_json<T: DeserializeOwned>(
        &self,
        family: Family,
        prefix: &str,
    ) -> Result<Vec<(String, T)>, ArchiveError> {
        let what = format!("a row of {}", family.name());
        let mut values = Vec::new();
        self.each_row(family, prefix.as_bytes(), &mut |key, value| {
            values.push((String::from_utf8_lossy(key).into_owned(), rows::parse(&what, key, value)?));
            Ok(())
        })?;
        Ok(values)
    }
}
