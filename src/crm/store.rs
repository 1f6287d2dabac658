//! Rows with a version and a history, their index rows, and ids that sort by time.

use std::ops::{ControlFlow, Deref};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Crm, CrmError, Time};
use crate::archive::kv::{Batch, Family, StoreError};
use crate::auth::AuthError;

/// First byte of every row of this layout.
const VERSION: u8 = 1;
/// Parts the parts of a key; ids and values in keys hold none.
pub(super) const NUL: u8 = 0;

/// A kind of row.
pub(super) trait Data: Serialize + DeserializeOwned + Clone {
    /// Where it is kept.
    const FAMILY: Family;
    /// First byte of its keys.
    const LETTER: u8;
    /// For messages.
    const WHAT: &'static str;
    /// The keys by which it is found, beside its own.
    fn entries(&self, id: &str) -> Vec<Entry>;
}

/// An index row: family, key. Its value is empty.
pub(super) type Entry = (Family, Vec<u8>);

/// A row as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept<D> {
    /// Its id: for accounts the number, else 26 characters that sort by the time of making.
    pub id: String,
    /// Counts changes, from 1.
    pub version: u64,
    /// When it was made.
    pub created_at: Time,
    /// By whom.
    pub created_by: String,
    /// When it was last changed.
    pub changed_at: Time,
    /// By whom.
    pub changed_by: String,
    /// What it says.
    pub data: D,
}

impl<D> Deref for Kept<D> {
    type Target = D;

    fn deref(&self) -> &D {
        &self.data
    }
}

impl<D: Serialize> Kept<D> {
    /// As one JSON object: the data's members beside `id`, `version` and the times.
    pub fn json(&self) -> Json {
        let mut json = serde_json::to_value(&self.data).unwrap_or(Json::Null);
        if let Json::Object(members) = &mut json {
            members.insert("id".into(), self.id.as_str().into());
            members.insert("version".into(), self.version.into());
            members.insert("created_at".into(), self.created_at.to_string().into());
            members.insert("created_by".into(), self.created_by.as_str().into());
            members.insert("changed_at".into(), self.changed_at.to_string().into());
            members.insert("changed_by".into(), self.changed_by.as_str().into());
        }
        json
    }
}

/// What one change did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The version it made.
    pub version: u64,
    /// When.
    pub at: Time,
    /// Who.
    pub by: String,
    /// The fields that changed.
    pub fields: Vec<FieldChange>,
}

/// A field before and after; `null`: not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Its name, as in JSON.
    pub field: String,
    /// Before.
    pub before: Json,
    /// After.
    pub after: Json,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// For the next page; `None` after the last.
    pub next_cursor: Option<String>,
}

/// A row as stored.
pub(super) fn encode<T: Serialize>(row: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, row).map_err(|error| StoreError::Failed { detail: error.to_string() })?;
    Ok(bytes)
}

/// A row as it was.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json)
            .map_err(|error| StoreError::Failed { detail: format!("a broken row: {error}") }),
        _ => Err(StoreError::Failed {
            detail: "a row of an unknown version; a newer greenbar may have written it".into(),
        }),
    }
}

/// A key of parts, with a zero byte between them.
pub(super) fn key(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![letter];
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            key.push(NUL);
        }
        key.extend_from_slice(part);
    }
    key
}

/// The end of the key range that starts with `prefix`.
pub(super) fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xFF {
            end.push(last + 1);
            break;
        }
    }
    end
}

/// Big-endian bytes that sort later times first.
pub(super) fn newest_first(at: Time) -> [u8; 8] {
    // The sign bit is flipped, so that times before 1970 keep their order too.
    (!((at.0 as u64) ^ (1 << 63))).to_be_bytes()
}

/// Undoes [`newest_first`].
pub(super) fn time_of(bytes: [u8; 8]) -> Time {
    Time((!u64::from_be_bytes(bytes) ^ (1 << 63)) as i64)
}

/// The part of a key behind its last zero byte.
pub(super) fn last_part(key: &[u8]) -> Option<String> {
    let at = key.iter().rposition(|byte| *byte == NUL)?;
    String::from_utf8(key.get(at + 1..)?.to_vec()).ok()
}

/// 26 characters: 48 bits of time in milliseconds, 16 bits that count within the process, 64 random bits.
pub(super) fn new_id(at: Time) -> Result<String, AuthError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(|error| AuthError::Random { detail: error.to_string() })?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed) & 0xFFFF;
    let millis = (at.0.max(0) as u64).saturating_mul(1000) & 0xFFFF_FFFF_FFFF;
    let high = (u128::from(millis) << 80) | (u128::from(count) << 64);
    let mut rest = high | u128::from(u64::from_be_bytes(random));
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut text = [b'0'; 26];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[(rest & 31) as usize];
        rest >>= 5;
    }
    Ok(text.iter().map(|byte| char::from(*byte)).collect())
}

fn row_key<D: Data>(id: &str) -> Vec<u8> {
    [&[D::LETTER, b'/'][..], id.as_bytes()].concat()
}

fn history_prefix<D: Data>(id: &str) -> Vec<u8> {
    [&[b'h', D::LETTER, b'/'][..], id.as_bytes(), &[NUL]].concat()
}

fn compare(before: &Json, after: &Json) -> Vec<FieldChange> {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else { return Vec::new() };
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    let value = |members: &serde_json::Map<String, Json>, name: &str| members.get(name).cloned().unwrap_or(Json::Null);
    let changes =
        names.map(|name| FieldChange { field: name.clone(), before: value(old, name), after: value(new, name) });
    changes.filter(|change| change.before != change.after).collect()
}

impl Crm {
    /// Held from reading what decides about a change to writing it.
    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find<D: Data>(&self, id: &str) -> Result<Option<Kept<D>>, CrmError> {
        match self.engine.get(D::FAMILY, &row_key::<D>(id))? {
            Some(bytes) => Ok(Some(decode(&bytes)?)),
            None => Ok(None),
        }
    }

    pub(super) fn need<D: Data>(&self, id: &str) -> Result<Kept<D>, CrmError> {
        self.find(id)?.ok_or(CrmError::NotFound { what: D::WHAT })
    }

    /// Puts a new row with its index rows and the start of its history.
    pub(super) fn insert<D: Data>(
        &self,
        batch: &mut Batch,
        by: &str,
        id: Option<&str>,
        data: D,
    ) -> Result<Kept<D>, CrmError> {
        let now = self.now();
        let id = id.map_or_else(|| new_id(now), |id| Ok(id.to_string()))?;
        let row = Kept {
            id,
            version: 1,
            created_at: now,
            created_by: by.to_string(),
            changed_at: now,
            changed_by: by.to_string(),
            data,
        };
        for (family, key) in row.data.entries(&row.id) {
            batch.put(family, key, Vec::new());
        }
        self.put(batch, &row, Vec::new())?;
        Ok(row)
    }

    /// Puts the next version of a row; nothing happens when nothing changed.
    pub(super) fn update<D: Data>(
        &self,
        batch: &mut Batch,
        by: &str,
        before: &Kept<D>,
        data: D,
    ) -> Result<Kept<D>, CrmError> {
        let json = |data: &D| serde_json::to_value(data).unwrap_or(Json::Null);
        let fields = compare(&json(&before.data), &json(&data));
        if fields.is_empty() {
            return Ok(before.clone());
        }
        let row = Kept {
            version: before.version + 1,
            changed_at: self.now(),
            changed_by: by.to_string(),
            data,
            ..before.clone()
        };
        for (family, key) in before.data.entries(&row.id) {
            batch.delete(family, key);
        }
        for (family, key) in row.data.entries(&row.id) {
            batch.put(family, key, Vec::new());
        }
        self.put(batch, &row, fields)?;
        Ok(row)
    }

    /// Takes a row away with its index rows; its history stays and says so.
    pub(super) fn remove<D: Data>(&self, batch: &mut Batch, by: &str, before: &Kept<D>) -> Result<(), CrmError> {
        for (family, key) in before.data.entries(&before.id) {
            batch.delete(family, key);
        }
        batch.delete(D::FAMILY, row_key::<D>(&before.id));
        let version = before.version + 1;
        let json = serde_json::to_value(&before.data).unwrap_or(Json::Null);
        let fields = compare(&json, &Json::Object(serde_json::Map::new()));
        let change = Change { version, at: self.now(), by: by.to_string(), fields };
        let history = [history_prefix::<D>(&before.id).as_slice(), &version.to_be_bytes()].concat();
        batch.put(D::FAMILY, history, encode(&change)?);
        Ok(())
    }

    fn put<D: Data>(&self, batch: &mut Batch, row: &Kept<D>, fields: Vec<FieldChange>) -> Result<(), CrmError> {
        let change = Change { version: row.version, at: row.changed_at, by: row.changed_by.clone(), fields };
        let history = [history_prefix::<D>(&row.id).as_slice(), &row.version.to_be_bytes()].concat();
        batch.put(D::FAMILY, history, encode(&change)?);
        batch.put(D::FAMILY, row_key::<D>(&row.id), encode(row)?);
        Ok(())
    }

    /// Makes a row in one step.
    pub(super) fn add<D: Data>(&self, by: &str, data: D) -> Result<Kept<D>, CrmError> {
        let mut batch = Batch::default();
        let row = self.insert(&mut batch, by, None, data)?;
        self.engine.commit(batch)?;
        Ok(row)
    }

    /// Changes a row in one step; `expected` is the version that the change was made from.
    pub(super) fn change<D: Data>(
        &self,
        by: &str,
        id: &str,
        expected: Option<u64>,
        change: impl FnOnce(&mut D) -> Result<(), CrmError>,
    ) -> Result<Kept<D>, CrmError> {
        let _turn = self.lock();
        let before = self.expect::<D>(id, expected)?;
        let mut data = before.data.clone();
        change(&mut data)?;
        let mut batch = Batch::default();
        let row = self.update(&mut batch, by, &before, data)?;
        if !batch.writes.is_empty() {
            self.engine.commit(batch)?;
        }
        Ok(row)
    }

    /// The row, when it has the version that is expected.
    pub(super) fn expect<D: Data>(&self, id: &str, expected: Option<u64>) -> Result<Kept<D>, CrmError> {
        let row = self.need::<D>(id)?;
        match expected {
            Some(version) if version != row.version => Err(CrmError::Conflict { what: D::WHAT, found: row.version }),
            _ => Ok(row),
        }
    }

    pub(super) fn changes<D: Data>(&self, id: &str) -> Result<Vec<Change>, CrmError> {
        let prefix = history_prefix::<D>(id);
        let mut changes = Vec::new();
        self.visit(D::FAMILY, &prefix, &mut |_, value| {
            changes.push(decode(value));
            ControlFlow::Continue(())
        })?;
        Ok(changes.into_iter().collect::<Result<_, _>>()?)
    }

    /// Visits the keys that start with `prefix`, in order.
    pub(super) fn visit(
        &self,
        family: Family,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.engine.scan(family, prefix..prefix_end(prefix).as_slice(), each)
    }

    /// At most `limit` ids at the ends of the index keys that start with `prefix`.
    pub(super) fn ids(&self, family: Family, prefix: &[u8], limit: usize) -> Result<Vec<String>, StoreError> {
        let mut ids = Vec::new();
        if limit == 0 {
            return Ok(ids);
        }
        self.visit(family, prefix, &mut |key, _| {
            ids.extend(last_part(key));
            if ids.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(ids)
    }

    /// The rows of ids; those that are gone are left out.
    pub(super) fn rows<D: Data>(&self, ids: &[String]) -> Result<Vec<Kept<D>>, CrmError> {
        let found: Vec<Option<Kept<D>>> = ids.iter().map(|id| self.find(id)).collect::<Result<_, _>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// A page of index keys behind `prefix`, whose ids stand at their ends. The cursor is the key's rest in hexadecimal.
    pub(super) fn page_of<D: Data>(
        &self,
        family: Family,
        prefix: &[u8],
        cursor: Option<&str>,
        limit: usize,
        wanted: impl Fn(&Kept<D>) -> bool,
    ) -> Result<Page<Kept<D>>, CrmError> {
        let start = match cursor {
            Some(text) => {
                let rest = unhex(text).ok_or_else(|| CrmError::invalid("cursor", "it belongs to no list"))?;
                [prefix, &rest, &[NUL]].concat()
            }
            None => prefix.to_vec(),
        };
        let end = prefix_end(prefix);
        let mut page = Page { items: Vec::new(), next_cursor: None };
        let (mut start, mut last) = (start, Vec::new());
        loop {
            let keys = self.keys(family, &start, &end, limit + 1)?;
            for key in &keys {
                let row = last_part(key).map(|id| self.find::<D>(&id)).transpose()?.flatten();
                let Some(row) = row.filter(|row| wanted(row)) else { continue };
                if page.items.len() == limit {
                    page.next_cursor = Some(hex(&last));
                    return Ok(page);
                }
                last = key.get(prefix.len()..).unwrap_or_default().to_vec();
                page.items.push(row);
            }
            match keys.last() {
                Some(key) if keys.len() > limit => start = [key.as_slice(), &[NUL]].concat(),
                _ => return Ok(page),
            }
        }
    }

    /// At most `limit` keys of a range. What they lead to is read afterwards: a scan may hold the store's lock.
    pub(super) fn keys(
        &self,
        family: Family,
        start: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut keys = Vec::new();
        self.engine.scan(family, start..end, &mut |key, _| {
            keys.push(key.to_vec());
            if keys.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(keys)
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    crate::auth::secret::hex(bytes)
}

/// Undoes [`hex`].
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) || text.len() > 4096 {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn later_times_sort_first(a: i64, b: i64) {
            prop_assert_eq!(newest_first(Time(a)).cmp(&newest_first(Time(b))), b.cmp(&a));
            prop_assert_eq!(time_of(newest_first(Time(a))), Time(a));
        }

        #[test]
        fn hexadecimal_reads_back(bytes in prop::collection::vec(any::<u8>(), 0..40), text in "\\PC{0,20}") {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
            let _ = unhex(&text);
        }
    }

    #[test]
    fn ids_differ_and_sort_by_time() {
        let (a, b) = (new_id(Time(1_000)).expect("made"), new_id(Time(1_001)).expect("made"));
        assert!(a.len() == 26 && a < b, "{a} {b}");
        assert!(new_id(Time(1_001)).expect("made") > b, "in the same second they count");
    }
}
