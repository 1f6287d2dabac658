//! The rows of the intake family: items, what of them is open, previews, rules, transmissions.
//!
//! | key | value |
//! |---|---|
//! | number of the item, 8 bytes, big-endian | a version byte, then the [`Item`] as JSON |
//! | `n` | the last number given, 8 bytes |
//! | `o`, number | empty: the item is not loaded or given up |
//! | `p`, number | a [`Preview`](super::work::Preview) as JSON |
//! | `j`, number of a job, number of an item | empty: the item is a further document of the job |
//! | `l`, number of a load, number of an item | empty: the item became this load, or was it already |
//! | `g`, number of a rule, its version (4 bytes each) | a [`Rule`] as JSON |
//! | `m` | the last number reserved for an item that is to come, 8 bytes |
//! | `t`, SHA-256 over sender's key and content | number of the item and when, 16 bytes |
//! | `q`, lower-case name of a queue | its [`Switches`] as JSON |
//! | `u`, name of the upload | an [`Upload`] as JSON |
//!
//! Numbers stay below 2^56, so that keys of items come before all others.

use std::ops::ControlFlow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::item::{Item, State};
use super::rule::Rule;
use super::switches::{self, Switches};
use super::upload::Upload;
use crate::archive::kv::{Batch, Engine, Family, StoreError};

const VERSION: u8 = 1;
const LAST: &[u8] = b"n";
const RESERVED: &[u8] = b"m";
const ITEMS_END: &[u8] = &[1];

fn broken(what: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed { detail: format!("a broken {what}: {error}") }
}

fn numbered(prefix: u8, id: u64) -> Vec<u8> {
    [&[prefix][..], &id.to_be_bytes()].concat()
}

pub fn put_item(batch: &mut Batch, item: &Item) -> Result<(), StoreError> {
    let mut value = vec![VERSION];
    serde_json::to_writer(&mut value, item).map_err(|error| broken("item", &error))?;
    batch.put(Family::Intake, item.id.to_be_bytes(), value);
    let open = numbered(b'o', item.id);
    if item.state.keeps_bytes() {
        batch.put(Family::Intake, open, Vec::new());
    } else {
        batch.delete(Family::Intake, open);
    }
    if item.state != State::Unidentified {
        batch.delete(Family::Intake, numbered(b'p', item.id));
    }
    Ok(())
}

pub fn put_last(batch: &mut Batch, id: u64) {
    batch.put(Family::Intake, LAST, id.to_be_bytes());
}

/// Call with the numbers locked: this row never goes back.
pub fn put_reserved(batch: &mut Batch, id: u64) {
    batch.put(Family::Intake, RESERVED, id.to_be_bytes());
}

pub fn item(engine: &dyn Engine, id: u64) -> Result<Option<Item>, StoreError> {
    engine.get(Family::Intake, &id.to_be_bytes())?.map(|value| decode(&value)).transpose()
}

fn decode(value: &[u8]) -> Result<Item, StoreError> {
    match value.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|error| broken("intake row", &error)),
        _ => Err(StoreError::Failed { detail: "an intake row of an unknown version".into() }),
    }
}

/// The last number given, and the items that are not loaded or given up. An archive of an older release has neither
/// row: then all its items are looked at, once.
pub fn open_items(engine: &dyn Engine) -> Result<(u64, Vec<Item>), StoreError> {
    let Some(last) = engine.get(Family::Intake, LAST)? else { return older(engine) };
    let reserved = engine.get(Family::Intake, RESERVED)?.map_or(Ok(0), |reserved| number(&reserved))?;
    let mut last = number(&last)?.max(reserved);
    let mut ids = Vec::new();
    engine.scan(Family::Intake, b"o"..b"p", &mut |key, _| {
        ids.extend(key.get(1..).and_then(|id| number(id).ok()));
        ControlFlow::Continue(())
    })?;
    // Commits overtake each other, and so an older number may have been written last: items behind it tell.
    let from = last.to_be_bytes();
    engine.scan(Family::Intake, from.as_slice()..ITEMS_END, &mut |key, _| {
        last = last.max(number(key).unwrap_or(0));
        ControlFlow::Continue(())
    })?;
    let mut items = Vec::new();
    for id in ids {
        last = last.max(id);
        items.extend(item(engine, id)?);
    }
    Ok((last, items))
}

fn older(engine: &dyn Engine) -> Result<(u64, Vec<Item>), StoreError> {
    let (mut last, mut items, mut failed) = (0, Vec::new(), None);
    engine.scan(Family::Intake, &[]..ITEMS_END, &mut |_, value| match decode(value) {
        Ok(item) => {
            last = last.max(item.id);
            if item.state.keeps_bytes() {
                items.push(item);
            }
            ControlFlow::Continue(())
        }
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok((last, items)), Err)
}

fn number(value: &[u8]) -> Result<u64, StoreError> {
    value.try_into().map(u64::from_be_bytes).map_err(|_| broken("number", &"it has not 8 bytes"))
}

pub fn put_preview(batch: &mut Batch, id: u64, preview: &impl Serialize) -> Result<(), StoreError> {
    let value = serde_json::to_vec(preview).map_err(|error| broken("preview", &error))?;
    batch.put(Family::Intake, numbered(b'p', id), value);
    Ok(())
}

pub fn preview<T: DeserializeOwned>(engine: &dyn Engine, id: u64) -> Result<Option<T>, StoreError> {
    let value = engine.get(Family::Intake, &numbered(b'p', id))?;
    value.map(|value| serde_json::from_slice(&value).map_err(|error| broken("preview", &error))).transpose()
}

/// A new version of a rule, or a new rule.
pub fn put_rule(batch: &mut Batch, rule: &Rule) -> Result<(), StoreError> {
    let value = serde_json::to_vec(rule).map_err(|error| broken("rule", &error))?;
    let key = [&b"g"[..], &rule.number.to_be_bytes(), &rule.version.to_be_bytes()].concat();
    batch.put(Family::Intake, key, value);
    Ok(())
}

/// All versions of all rules, by number and version.
pub fn rules(engine: &dyn Engine) -> Result<Vec<Rule>, StoreError> {
    let (mut rules, mut failed) = (Vec::new(), None);
    engine.scan(Family::Intake, b"g"..b"h", &mut |_, value| match serde_json::from_slice(value) {
        Ok(rule) => {
            rules.push(rule);
            ControlFlow::Continue(())
        }
        Err(error) => {
            failed = Some(broken("rule", &error));
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(rules), Err)
}

/// How a queue is switched.
pub fn put_switches(batch: &mut Batch, queue: &str, switches: &Switches) -> Result<(), StoreError> {
    let value = serde_json::to_vec(switches).map_err(|error| broken("switch of a queue", &error))?;
    batch.put(Family::Intake, [b"q", queue.as_bytes()].concat(), value);
    Ok(())
}

/// How all queues are switched.
pub fn switches(engine: &dyn Engine) -> Result<switches::Table, StoreError> {
    let (mut all, mut failed) = (switches::Table::new(), None);
    engine.scan(Family::Intake, b"q"..b"r", &mut |key, value| match serde_json::from_slice(value) {
        Ok(one) => {
            all.insert(String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned(), one);
            ControlFlow::Continue(())
        }
        Err(error) => {
            failed = Some(broken("switch of a queue", &error));
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(all), Err)
}

fn of_load(load: u32) -> Vec<u8> {
    [&b"l"[..], &load.to_be_bytes()].concat()
}

/// Notes that an item became a load, or brought the stream of one again.
pub fn put_of_load(batch: &mut Batch, load: u32, id: u64) {
    batch.put(Family::Intake, [of_load(load), id.to_be_bytes().to_vec()].concat(), Vec::new());
}

/// The items that brought the stream of a load, oldest first, at most so many.
pub fn items_of_load(engine: &dyn Engine, load: u32, most: usize) -> Result<Vec<u64>, StoreError> {
    let (mut ids, from) = (Vec::new(), of_load(load));
    let until = load.checked_add(1).map_or_else(|| b"m".to_vec(), of_load);
    engine.scan(Family::Intake, from.as_slice()..until.as_slice(), &mut |key, _| {
        ids.extend(key.get(5..).and_then(|id| number(id).ok()));
        if ids.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(ids)
}

fn of_job(job: u64) -> Vec<u8> {
    [&b"j"[..], &job.to_be_bytes()].concat()
}

/// Notes that an item is a further document of a job.
pub fn put_document(batch: &mut Batch, job: u64, id: u64) {
    batch.put(Family::Intake, [of_job(job), id.to_be_bytes().to_vec()].concat(), Vec::new());
}

/// The items that are further documents of a job, in their order.
pub fn documents(engine: &dyn Engine, job: u64) -> Result<Vec<u64>, StoreError> {
    let (mut ids, from) = (Vec::new(), of_job(job));
    let until = job.checked_add(1).map_or_else(|| b"k".to_vec(), of_job);
    engine.scan(Family::Intake, from.as_slice()..until.as_slice(), &mut |key, _| {
        ids.extend(key.get(9..).and_then(|id| number(id).ok()));
        ControlFlow::Continue(())
    })?;
    Ok(ids)
}

/// Key of a transmission: who sent what.
pub fn transmission_key(transmission: &str, content: &[u8]) -> Vec<u8> {
    let digest = Sha256::new().chain_update(transmission.as_bytes()).chain_update([0]).chain_update(content).finalize();
    [b"t", digest.as_slice()].concat()
}

pub fn put_transmission(batch: &mut Batch, key: Vec<u8>, id: u64, at: i64) {
    batch.put(Family::Intake, key, [id.to_be_bytes(), at.to_be_bytes()].concat());
}

/// The item that a transmission became, unless that is longer ago than `since`.
pub fn transmission(engine: &dyn Engine, key: &[u8], since: i64) -> Result<Option<u64>, StoreError> {
    let value = engine.get(Family::Intake, key)?;
    Ok(value.and_then(|value| transmitted(&value)).filter(|(_, at)| *at >= since).map(|(id, _)| id))
}

fn transmitted(value: &[u8]) -> Option<(u64, i64)> {
    let (id, at) = value.split_at_checked(8)?;
    Some((u64::from_be_bytes(id.try_into().ok()?), i64::from_be_bytes(at.try_into().ok()?)))
}

/// Forgets transmissions from before `since`.
pub fn forget_transmissions(engine: &dyn Engine, since: i64) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    engine.scan(Family::Intake, b"t"..b"u", &mut |key, value| {
        if transmitted(value).is_none_or(|(_, at)| at < since) {
            batch.delete(Family::Intake, key);
        }
        ControlFlow::Continue(())
    })?;
    if batch.writes.is_empty() { Ok(()) } else { engine.commit_logged(batch) }
}

fn upload_key(id: &str) -> Vec<u8> {
    [b"u", id.as_bytes()].concat()
}

pub fn put_upload(batch: &mut Batch, upload: &Upload) -> Result<(), StoreError> {
    let value = serde_json::to_vec(upload).map_err(|error| broken("upload", &error))?;
    batch.put(Family::Intake, upload_key(&upload.id), value);
    Ok(())
}

pub fn remove_upload(batch: &mut Batch, id: &str) {
    batch.delete(Family::Intake, upload_key(id));
}

pub fn upload(engine: &dyn Engine, id: &str) -> Result<Option<Upload>, StoreError> {
    let value = engine.get(Family::Intake, &upload_key(id))?;
    value.map(|value| serde_json::from_slice(&value).map_err(|error| broken("upload", &error))).transpose()
}

pub fn uploads(engine: &dyn Engine) -> Result<Vec<Upload>, StoreError> {
    let mut uploads = Vec::new();
    engine.scan(Family::Intake, b"u"..b"v", &mut |_, value| {
        uploads.extend(serde_json::from_slice(value).ok());
        ControlFlow::Continue(())
    })?;
    Ok(uploads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::kv::memory::Memory;

    #[test]
    fn a_number_is_not_given_twice_when_a_later_one_was_committed_first() {
        let engine = Memory::default();
        let mut batch = Batch::default();
        for id in [5_u64, 6] {
            let row = serde_json::json!({
                "id": id, "state": "loaded", "file": "", "definition": null, "bytes": 1, "sha256": "", "sent_by": "",
                "received_at": 0, "load": 1, "duplicate": false, "error": null
            });
            put_item(&mut batch, &serde_json::from_value(row).expect("an item")).expect("a row");
        }
        put_last(&mut batch, 5);
        engine.commit(batch).expect("committed");
        assert_eq!(open_items(&engine).expect("read").0, 6);
    }
}
