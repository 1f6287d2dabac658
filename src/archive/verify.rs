//! Proves that everything in the archive is as it was stored.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ahead::Ahead;
use super::block::Unpacker;
use super::care::from_hex;
use super::catalogue::LoadInfo;
use super::definitions::hex;
use super::error::ArchiveError;
use super::group::{self, Outline};
use super::kv::Family;
use super::resource::{Placed, unpack_piece};
use super::stream::StoredBlock;
use super::{Archive, LoadId, keys, rows};

/// What was looked at and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Documents looked at.
    pub documents: u64,
    /// Blocks unpacked.
    pub blocks: u64,
    /// What does not hold; empty when the archive is sound.
    pub errors: Vec<VerifyError>,
}

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyError {
    /// The load it is in, if it is in one.
    pub load: Option<LoadId>,
    /// What does not hold.
    pub message: String,
}

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyProgress {
    /// The load being verified.
    pub load: LoadId,
    /// Bytes of streams proved.
    pub bytes: u64,
    /// Bytes there are.
    pub total: u64,
}

impl VerifyReport {
    fn wrong(&mut self, load: Option<LoadId>, message: impl ToString) {
        self.errors.push(VerifyError { load, message: message.to_string() });
    }

    fn unreadable(&mut self, family: Family, error: &ArchiveError) {
        self.wrong(None, format!("the rows of {}: {error}", family.name()));
    }
}

impl Archive {
    /// Unpacks every block and proves every load's hash, books and rows. What cannot be read is in the report, too, and what
    /// lies behind it is read all the same.
    pub fn verify(&self, progress: &dyn Fn(VerifyProgress)) -> VerifyReport {
        let mut report = VerifyReport::default();
        let (loads, complete) = self.verify_rows(&mut report);
        let total = loads.iter().map(|info| info.stored.row.bytes).sum();
        let mut bytes = 0;
        let uses = self.verify_resources(&loads, complete, &mut report);
        for info in &loads {
            let load = info.stored.row.id;
            progress(VerifyProgress { load, bytes, total });
            self.verify_uses(info, uses.get(&load).map_or(&[], Vec::as_slice), &mut report);
            self.verify_blocks(info, &mut report);
            self.verify_documents(info, &mut report);
            bytes += info.stored.row.bytes;
            progress(VerifyProgress { load, bytes, total });
        }
        // What belongs to nobody is known only when everybody is.
        if complete && let Err(error) = self.verify_strays(&loads, &mut report) {
            report.wrong(None, error);
        }
        self.read_others(&mut report);
        report
    }

    /// Reads the rows of customers, users and the rest, which carry no seal: the store proves them with its own checksums.
    fn read_others(&self, report: &mut VerifyReport) {
        for family in [
            Family::Intake,
            Family::Customers,
            Family::Accounts,
            Family::Activity,
            Family::Holds,
            Family::Audit,
            Family::Users,
            Family::Settings,
            Family::Outbox,
        ] {
            if let Err(error) = self.each_row(family, &[], &mut |_, _| Ok(())) {
                report.unreadable(family, &error);
            }
        }
    }

    /// Proves the rows of definitions, dictionaries, changes and tombstones, and reads those of the loads. Says whether all
    /// loads could be read.
    fn verify_rows(&self, report: &mut VerifyReport) -> (Vec<Arc<LoadInfo>>, bool) {
        for family in
            [Family::Definitions, Family::Dictionaries, Family::Changes, Family::Dispositions, Family::Settings]
        {
            // Others keep settings of their own beside the archive's, whose keys start with a zero.
            let prefix: &[u8] = if family == Family::Settings { &[0] } else { &[] };
            let read = self.each_row(family, prefix, &mut |key, value| {
                if let Err(error) = rows::unseal(&format!("a row of {}", family.name()), key, value) {
                    report.wrong(None, error);
                }
                Ok(())
            });
            read.unwrap_or_else(|error| report.unreadable(family, &error));
        }
        let mut ids = Vec::new();
        let read = self.each_row(Family::Loads, &[], &mut |key, value| {
            let what = String::from_utf8_lossy(key.get(..1).unwrap_or_default()).into_owned();
            if let Err(error) = rows::unseal(&format!("a row of loads ({what})"), key, value) {
                report.wrong(keys::load_of(key).filter(|_| what != "H"), error);
            }
            ids.extend(keys::load_of(key).filter(|_| what == "L"));
            Ok(())
        });
        let mut complete = read.is_ok();
        read.unwrap_or_else(|error| report.unreadable(Family::Loads, &error));
        let mut loads = Vec::new();
        for id in ids {
            self.infos.forget(|load| *load == id);
            match self.info(id) {
                Ok(info) => loads.push(info),
                // Unloaded since the rows were listed.
                Err(ArchiveError::NoLoad(_)) => {}
                Err(error) => {
                    complete = false;
                    report.wrong(Some(id), error);
                }
            }
        }
        (loads, complete)
    }

    pub(super) fn verify_blocks(&self, info: &LoadInfo, report: &mut VerifyReport) {
        let row = &info.stored.row;
        let mut stream = Joined { sha: Sha256::new(), at: 0, whole: true };
        let mut pieces = info.pieces.iter();
        let walked = self.each_block(info, &mut |number, raw| {
            let raw = match raw {
                Ok(raw) => raw,
                Err(error) => {
                    report.wrong(Some(row.id), error);
                    stream.whole = false;
                    return;
                }
            };
            report.blocks += 1;
            let start = info.starts.get(number as usize).copied().unwrap_or_default();
            let end = info.starts.get(number as usize + 1).copied().unwrap_or(info.in_blocks());
            if start + raw.len() as u64 != end {
                report.wrong(Some(row.id), format!("block {number} does not end where the next one starts"));
            }
            self.join_block(raw, &mut pieces, &mut stream);
        });
        if let Err(error) = walked {
            report.wrong(Some(row.id), error);
            stream.whole = false;
        }
        pieces.for_each(|piece| self.join_piece(piece, &mut stream));
        let sha256 = hex(&stream.sha.finalize());
        if stream.whole && sha256 != row.sha256 {
            report.wrong(Some(row.id), format!("the stream's sha-256 is {sha256}, it was {}", row.sha256));
        }
        let content = from_hex(&row.sha256).map(|hash| keys::content(&hash, &row.definition));
        let known = content.map(|key| self.engine.get(Family::Loads, &key));
        if !matches!(known, Some(Ok(Some(_)))) {
            report.wrong(Some(row.id), "its content hash is not in the catalogue");
        }
    }

    /// Reads all blocks of a load from the store and unpacks them, one after the other in the same memory.
    fn each_block(
        &self,
        info: &LoadInfo,
        each: &mut dyn FnMut(u32, Result<&[u8], ArchiveError>),
    ) -> Result<(), ArchiveError> {
        let load = info.stored.row.id;
        // What is in memory proves nothing of what is stored.
        self.forms.forget(|of| *of == load);
        let mut ahead = Ahead::new(&*self.engine, Family::Blocks, keys::blocks(load).end);
        let mut unpacker = Unpacker::new()?;
        let (mut raw, mut first) = (Vec::new(), None::<Arc<Vec<u8>>>);
        for number in (0_u32..).take(info.starts.len()) {
            let context = || first.clone().ok_or_else(|| ArchiveError::damaged("block 0", "it could not be read"));
            let unpacked = ahead.take(&keys::block(load, number)).map_err(ArchiveError::from).and_then(|value| {
                let block = StoredBlock { load, definition: &info.definition, number, value };
                self.unpack_stored(block, context, &mut unpacker, &mut raw)
            });
            let sound = unpacked.is_ok();
            each(number, unpacked.map(|()| raw.as_slice()));
            if number == 0 && sound {
                first = Some(Arc::new(std::mem::take(&mut raw)));
            }
        }
        Ok(())
    }

    /// Adds a block to a stream, with the pieces that were taken out of it.
    fn join_block(&self, mut rest: &[u8], pieces: &mut std::slice::Iter<'_, Placed>, stream: &mut Joined) {
        while !rest.is_empty() {
            let next = pieces.as_slice().first();
            let until = next.map_or(u64::MAX, |piece| piece.start.saturating_sub(stream.at));
            if until == 0 {
                pieces.next();
                next.into_iter().for_each(|piece| self.join_piece(piece, stream));
                continue;
            }
            let (now, later) = rest.split_at(usize::try_from(until).unwrap_or(usize::MAX).min(rest.len()));
            stream.add(now);
            rest = later;
        }
    }

    /// Adds a piece to a stream; one that cannot be read was reported already.
    fn join_piece(&self, piece: &Placed, stream: &mut Joined) {
        match unpack_piece(&*self.engine, &piece.hash) {
            Ok(bytes) => stream.add(&bytes),
            Err(_) => stream.whole = false,
        }
    }

    /// Unpacks every resource and proves its hash, and that the marks of who uses it hold in both directions. Returns the
    /// resources that each load has marks on. Who owns a resource is looked at when `all` loads are known.
    fn verify_resources(&self, loads: &[Arc<LoadInfo>], all: bool, report: &mut VerifyReport) -> Uses {
        let (mut used, mut uses, mut there) = (HashMap::<[u8; 32], Vec<LoadId>>::new(), Uses::new(), Vec::new());
        let read = self.each_row(Family::Resources, &[], &mut |key, value| {
            if let Err(error) = rows::unseal("a row of resources", key, value) {
                report.wrong(None, error);
            }
            match key.first() {
                Some(b'R') => there.extend(key.get(1..).and_then(|hash| <[u8; 32]>::try_from(hash).ok())),
                Some(b'U') => {
                    if let Some((hash, load)) = keys::resource_use_of(key) {
                        used.entry(hash).or_default().push(load);
                    }
                }
                Some(b'L') => {
                    if let Some((load, hash)) = keys::load_resource_of(key) {
                        uses.entry(load).or_default().push(hash);
                    }
                }
                _ => report.wrong(None, "a row of resources has a key that does not read"),
            }
            Ok(())
        });
        let all = all && read.is_ok();
        read.unwrap_or_else(|error| report.unreadable(Family::Resources, &error));
        if let Err(error) = self.verify_marks(loads, (&there, &used, &uses), all, report) {
            report.wrong(None, error);
        }
        uses
    }

    fn verify_marks(
        &self,
        loads: &[Arc<LoadInfo>],
        (there, used, uses): (&[[u8; 32]], &HashMap<[u8; 32], Vec<LoadId>>, &Uses),
        all: bool,
        report: &mut VerifyReport,
    ) -> Result<(), ArchiveError> {
        for hash in there {
            let what = format!("resource {}", hex(hash));
            match unpack_piece(&*self.engine, hash) {
                Ok(bytes) if Sha256::digest(&bytes).as_slice() == hash => report.blocks += 1,
                Ok(_) => report.wrong(None, format!("{what} holds other bytes")),
                // Taken out since the rows were listed.
                Err(_) if self.engine.get(Family::Resources, &keys::resource(hash))?.is_none() => {}
                Err(error) => report.wrong(None, error),
            }
            let gone = |load: &LoadId| {
                let known = loads.iter().any(|info| info.stored.row.id == *load);
                !known && !self.catalogue().busy.contains(load)
            };
            let users = used.get(hash).map_or(&[][..], Vec::as_slice);
            if all && users.iter().all(gone) && !self.was_released(hash, users)? {
                report.wrong(users.first().copied(), format!("{what} belongs to no load"));
            }
        }
        for (hash, users) in used.iter().filter(|_| all) {
            for load in users.iter().filter(|load| !uses.get(*load).is_some_and(|all| all.contains(hash))) {
                if self.engine.get(Family::Resources, &keys::resource_use(hash, *load))?.is_some() {
                    report.wrong(Some(*load), format!("the marks on resource {} do not agree", hex(hash)));
                }
            }
        }
        Ok(())
    }

    /// Whether the last of a resource's users was unloaded since the rows were listed.
    fn was_released(&self, hash: &[u8; 32], users: &[LoadId]) -> Result<bool, ArchiveError> {
        let there = self.engine.get(Family::Resources, &keys::resource(hash))?.is_some();
        let mut visible = false;
        for load in users {
            visible |= self.has_load(*load)?;
        }
        Ok(!there || visible)
    }

    /// Proves that a load has marks on every resource that it needs, and that they are there.
    fn verify_uses(&self, info: &LoadInfo, marked: &[[u8; 32]], report: &mut VerifyReport) {
        let stored = &info.stored;
        let kept = stored.library.iter().filter_map(|kept| from_hex(&kept.sha256));
        let mut needed: Vec<[u8; 32]> = info.pieces.iter().map(|piece| piece.hash).chain(kept).collect();
        needed.sort_unstable();
        needed.dedup();
        let id = stored.row.id;
        for hash in needed {
            let what = hex(&hash);
            if !marked.contains(&hash) {
                report.wrong(Some(id), format!("load {id} has no mark on resource {what}"));
            }
            match self.engine.get(Family::Resources, &keys::resource(&hash)) {
                Ok(Some(_)) => {}
                Ok(None) => report.wrong(Some(id), format!("resource {what} is missing")),
                Err(error) => report.wrong(Some(id), error),
            }
        }
    }

    fn verify_documents(&self, info: &LoadInfo, report: &mut VerifyReport) {
        let row = &info.stored.row;
        let (mut documents, mut pages, mut end, mut whole) = (0_u64, 0_u64, 0_u64, true);
        let first = u64::from(info.stored.first_group) * u64::from(keys::GROUP);
        let mut misplaced_ones = Vec::new();
        let walked = self.each_group(info, &mut |one| {
            documents += 1;
            pages += u64::from(one.pages);
            if let Some(wrong) = misplaced(one, end, row.bytes, row.field_names.len()) {
                misplaced_ones.push(format!("document {}-{} {wrong}", row.id, first + documents));
            }
            end = one.span.end;
        });
        for error in walked {
            report.wrong(Some(row.id), error);
            whole = false;
        }
        misplaced_ones.into_iter().for_each(|wrong| report.wrong(Some(row.id), wrong));
        report.documents += documents;
        if whole && documents != u64::from(row.documents) {
            report.wrong(Some(row.id), format!("{documents} documents are there, {} were cut", row.documents));
        }
        if whole && pages + row.set_aside_pages != row.pages {
            let (all, aside) = (row.pages, row.set_aside_pages);
            report.wrong(Some(row.id), format!("{all} pages came, {pages} are in documents, {aside} set aside"));
        }
    }

    /// Reads all document groups of a load; what could not be read.
    fn each_group(&self, info: &LoadInfo, each: &mut dyn FnMut(&Outline)) -> Vec<ArchiveError> {
        let (load, generation) = (info.stored.row.id, info.stored.generation);
        let mut ahead = Ahead::new(&*self.engine, Family::Documents, keys::groups(load, generation).end);
        let (mut raw, mut errors) = (Vec::new(), Vec::new());
        let mut unpacker = match Unpacker::new() {
            Ok(unpacker) => unpacker,
            Err(error) => return vec![error],
        };
        for number in info.stored.groups() {
            let what = format!("document group {number} of load {load}");
            let key = keys::group(load, generation, number);
            let proved = ahead.take(&key).map_err(ArchiveError::from).and_then(|value| {
                let value = value.ok_or_else(|| ArchiveError::damaged(&what, "it is missing"))?;
                group::prove(&what, rows::unseal(&what, &key, &value)?, (&mut unpacker, &mut raw), each)
            });
            errors.extend(proved.err());
        }
        errors
    }

    /// Finds blocks and document groups that no load owns, and marks of loads that nobody works on.
    fn verify_strays(&self, loads: &[Arc<LoadInfo>], report: &mut VerifyReport) -> Result<(), ArchiveError> {
        for family in [Family::Blocks, Family::Documents] {
            let mut from = LoadId(0);
            while let Some(owner) = self.first_owner(family, from)? {
                let known = loads.iter().any(|info| info.stored.row.id == owner);
                let busy = self.catalogue().busy.contains(&owner);
                if !known && !busy && matches!(self.stored_load(owner), Err(ArchiveError::NoLoad(_))) {
                    report.wrong(Some(owner), format!("rows of {} belong to no load", family.name()));
                }
                let Some(next) = owner.0.checked_add(1) else { break };
                from = LoadId(next);
            }
        }
        Ok(())
    }

    fn first_owner(&self, family: Family, from: LoadId) -> Result<Option<LoadId>, ArchiveError> {
        let mut owner = None;
        self.engine.scan(family, &from.0.to_be_bytes()..&[], &mut |key, _| {
            owner = key.get(..4).and_then(|head| head.try_into().ok()).map(|head| LoadId(u32::from_be_bytes(head)));
            std::ops::ControlFlow::Break(())
        })?;
        Ok(owner)
    }
}

/// The resources that loads have marks on.
type Uses = HashMap<LoadId, Vec<[u8; 32]>>;

/// A stream put together again from blocks and resources.
struct Joined {
    sha: Sha256,
    at: u64,
    whole: bool,
}

impl Joined {
    fn add(&mut self, bytes: &[u8]) {
        self.sha.update(bytes);
        self.at += bytes.len() as u64;
    }
}

/// What is wrong with a document's place, if anything.
fn misplaced(draft: &Outline, after: u64, bytes: u64, fields: usize) -> Option<&'static str> {
    if draft.span.start < after {
        return Some("overlaps the one before");
    }
    if draft.span.end > bytes {
        return Some("ends behind the stream");
    }
    if draft.marks.iter().any(|mark| mark.page >= draft.pages || !draft.span.contains(&mark.byte)) {
        return Some("has a page mark outside of it");
    }
    if draft.last_field.is_some_and(|position| usize::from(position) >= fields) {
        return Some("has a field that its definition does not know");
    }
    None
}
