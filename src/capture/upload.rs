//! Uploads that may break off and go on: parts on disk until the last byte is there, then one received stream.
//!
//! A part lies as `ID.upload` in the intake folder, with a row that says how much of it is durable. What a sender hears as
//! the offset is durable; after a crash the part is cut back to it. Finishing reserves the stream's number first and links the
//! file, so that a crash at any moment leaves either the upload or the stream, and never neither. Who sends no more is
//! forgotten after a while, and nobody takes more room than is allowed.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::intake::Intake;
use super::item::{Arrival, Item};
use super::{CaptureError, rows};
use crate::archive::kv::Batch;
use crate::auth::secret;

/// Bytes after which a running upload is made durable, so that little is sent again after a crash.
const SYNC_BYTES: u64 = 64 << 20;
/// Seconds between two looks at what is left over.
const SWEEP_S: i64 = 60;
/// Bytes read at once when a part is hashed again.
const BUFFER: usize = 1 << 20;

/// An upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its secret name.
    pub id: String,
    /// The user who sends it; nobody else sees it.
    pub owner: String,
    /// The address that began it.
    pub peer: String,
    /// Name of the stream.
    pub file: String,
    /// The report definition that was named.
    pub definition: Option<String>,
    /// Bytes that will come.
    pub length: u64,
    /// Bytes that are durable.
    pub offset: u64,
    /// SHA-256 that the sender announced for all of it, lower-case hex.
    pub sha256: Option<String>,
    /// Seconds since 1970 UTC.
    pub created_at: i64,
    /// When something came last.
    pub touched_at: i64,
    /// The number of the stream that it becomes, once it is whole.
    pub item: Option<u64>,
}

impl Upload {
    /// Whether all of it is there and taken over.
    pub fn is_done(&self) -> bool {
        self.item.is_some()
    }
}

/// The uploads of an archive.
pub struct Uploads {
    intake: Intake,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    /// Somebody sends to them now.
    busy: HashSet<String>,
    /// The hash of what is there, for those that were sent to since the start.
    hashes: HashMap<String, (u64, Sha256)>,
    swept_at: i64,
}

fn nothing() -> CaptureError {
    CaptureError::Nothing(0)
}

fn quota(detail: impl Into<String>) -> CaptureError {
    CaptureError::Quota { detail: detail.into() }
}

impl Uploads {
    /// The uploads that are left of an earlier run.
    pub fn open(intake: Intake) -> Result<Arc<Uploads>, CaptureError> {
        let uploads = Uploads { intake, live: Mutex::default() };
        let mut known = HashSet::new();
        for mut upload in rows::uploads(uploads.engine())? {
            if let Some(number) = upload.item
                && uploads.intake.item(number)?.is_none()
            {
                // The process ended before it became a stream.
                upload.item = None;
                uploads.put(&upload)?;
            }
            let path = uploads.path(&upload.id);
            match path.try_exists()? {
                false if !upload.is_done() => uploads.forget(&upload.id)?,
                true if upload.is_done() => std::fs::remove_file(path)?,
                _ => {}
            }
            known.insert(upload.id);
        }
        for entry in std::fs::read_dir(uploads.intake.folder())?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.strip_suffix(".upload").is_some_and(|id| !known.contains(id)) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(Arc::new(uploads))
    }

    fn engine(&self) -> &dyn crate::archive::kv::Engine {
        &*self.intake.inner.engine
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: &str) -> PathBuf {
        self.intake.folder().join(format!("{id}.upload"))
    }

    fn put(&self, upload: &Upload) -> Result<(), CaptureError> {
        let mut batch = Batch::default();
        rows::put_upload(&mut batch, upload)?;
        Ok(self.engine().commit(batch).map(drop)?)
    }

    fn forget(&self, id: &str) -> Result<(), CaptureError> {
        match std::fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut batch = Batch::default();
        rows::remove_upload(&mut batch, id);
        Ok(self.engine().commit(batch).map(drop)?)
    }

    /// Begins an upload; `id` and times are filled in.
    pub fn create(&self, mut upload: Upload) -> Result<Upload, CaptureError> {
        let limits = &self.intake.config().http;
        self.intake.has_room_for(upload.length)?;
        self.intake.is_not_busy()?;
        // Two that begin at once must not both find the last place.
        let _live = self.live();
        let open: Vec<Upload> = rows::uploads(self.engine())?.into_iter().filter(|other| !other.is_done()).collect();
        let own = || open.iter().filter(|other| other.owner == upload.owner);
        let bytes = own().fold(upload.length, |sum, other| sum.saturating_add(other.length));
        if open.len() >= limits.uploads {
            return Err(quota(format!("{} uploads are open", open.len())));
        }
        if own().count() >= limits.uploads_per_user {
            return Err(quota(format!("{} uploads of yours are open", own().count())));
        }
        if bytes > limits.bytes_per_user {
            return Err(quota(format!("your open uploads may have {} bytes in all", limits.bytes_per_user)));
        }
        upload.id = secret::token().map_err(|error| CaptureError::Write(io::Error::other(error)))?;
        upload.created_at = self.intake.now();
        upload.touched_at = upload.created_at;
        File::options().write(true).create_new(true).open(self.path(&upload.id))?;
        File::open(self.intake.folder())?.sync_all()?;
        self.put(&upload)?;
        Ok(upload)
    }

    /// An upload of this user.
    pub fn find(&self, id: &str, owner: &str) -> Result<Upload, CaptureError> {
        let upload = rows::upload(self.engine(), id)?.filter(|upload| upload.owner == owner);
        upload.ok_or_else(nothing)
    }

    /// Gives an upload up.
    pub fn remove(&self, id: &str, owner: &str) -> Result<(), CaptureError> {
        let live = self.live();
        self.find(id, owner)?;
        if live.busy.contains(id) {
            return Err(quota("somebody sends to this upload now"));
        }
        drop(live);
        self.forget(id)
    }

    /// Goes on with an upload at this offset. With `announced`, the SHA-256 of what comes now: all of it counts only when it
    /// is that.
    pub fn resume(
        self: &Arc<Self>,
        id: &str,
        owner: &str,
        offset: u64,
        announced: Option<String>,
    ) -> Result<Sending, CaptureError> {
        let known = {
            let mut live = self.live();
            if !live.busy.insert(id.to_string()) {
                return Err(quota("somebody sends to this upload now"));
            }
            live.hashes.remove(id)
        };
        let busy = Busy { uploads: self.clone(), id: id.to_string() };
        let upload = self.find(id, owner)?;
        if upload.is_done() || upload.offset != offset {
            return Err(quota(format!("the upload is at {}", upload.offset)));
        }
        let mut file = File::options().read(true).write(true).open(self.path(id))?;
        // What is behind the offset was never acknowledged, and need not have reached the disk whole.
        file.set_len(offset)?;
        let hash = match known {
            Some((at, hash)) if at == offset => hash,
            _ => hash_of(&mut file)?,
        };
        file.seek(SeekFrom::Start(offset))?;
        let check = announced.map(|announced| Check { announced, piece: Sha256::new(), before: hash.clone() });
        Ok(Sending { busy, upload, file, hash, at: offset, looked_at: offset, check, over: false })
    }

    /// Once a minute: forgets uploads that nothing came for, and finishes those that a crash kept from it.
    pub fn sweep(self: &Arc<Self>) -> Result<(), CaptureError> {
        let now = self.intake.now();
        let keep_s = i64::try_from(self.intake.config().http.keep_s).unwrap_or(i64::MAX);
        {
            let mut live = self.live();
            if now - live.swept_at < SWEEP_S.min(keep_s) {
                return Ok(());
            }
            live.swept_at = now;
        }
        for upload in rows::uploads(self.engine())? {
            if self.live().busy.contains(&upload.id) {
                continue;
            }
            if now - upload.touched_at > keep_s {
                if !upload.is_done() {
                    tracing::warn!(
                        file = upload.file,
                        bytes = upload.offset,
                        "an upload was given up: nothing came for it"
                    );
                }
                self.forget(&upload.id)?;
            } else if !upload.is_done() && upload.offset == upload.length {
                self.resume(&upload.id, &upload.owner, upload.offset, None)?.end()?;
            }
        }
        Ok(())
    }
}

fn hash_of(file: &mut File) -> Result<Sha256, CaptureError> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; BUFFER]);
    file.rewind()?;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash),
            read => hash.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// Somebody sends to an upload, until this goes.
struct Busy {
    uploads: Arc<Uploads>,
    id: String,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.uploads.live().busy.remove(&self.id);
    }
}

/// What comes now counts only when it has this digest.
struct Check {
    announced: String,
    piece: Sha256,
    before: Sha256,
}

/// An upload that is being sent to. When it goes without an end, what came so far is kept, unless it had to have a digest.
pub struct Sending {
    busy: Busy,
    upload: Upload,
    file: File,
    hash: Sha256,
    at: u64,
    looked_at: u64,
    check: Option<Check>,
    over: bool,
}

impl Sending {
    /// Adds bytes. Fails when they are more than were announced or the disk is full.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), CaptureError> {
        if self.at.saturating_add(piece.len() as u64) > self.upload.length {
            return Err(CaptureError::TooLarge { limit: self.upload.length });
        }
        self.file.write_all(piece)?;
        self.hash.update(piece);
        self.at += piece.len() as u64;
        if let Some(check) = &mut self.check {
            check.piece.update(piece);
        }
        if self.at - self.looked_at >= SYNC_BYTES {
            self.looked_at = self.at;
            self.busy.uploads.intake.has_room()?;
            if self.check.is_none() {
                self.keep()?;
            }
        }
        Ok(())
    }

    /// Bytes that are there now.
    pub fn offset(&self) -> u64 {
        self.at
    }

    fn keep(&mut self) -> Result<(), CaptureError> {
        self.file.sync_data()?;
        (self.upload.offset, self.upload.touched_at) = (self.at, self.busy.uploads.intake.now());
        self.busy.uploads.put(&self.upload)
    }

    /// What came now does not count.
    fn revert(&mut self, check: Check) {
        self.hash = check.before;
        self.at = self.upload.offset;
    }

    /// The end of what came now. When this returns, it is durable; when it was the last, it is a received stream.
    pub fn end(mut self) -> Result<(Upload, Option<Item>), CaptureError> {
        if let Some(mut check) = self.check.take() {
            let found = secret::hex(&check.piece.finalize_reset());
            if found != check.announced {
                let announced = check.announced.clone();
                self.revert(check);
                return Err(CaptureError::Digest { found, announced });
            }
        }
        self.keep()?;
        if self.at < self.upload.length {
            self.rest();
            return Ok((self.upload.clone(), None));
        }
        let item = self.finish()?;
        Ok((self.upload.clone(), Some(item)))
    }

    fn finish(&mut self) -> Result<Item, CaptureError> {
        let uploads = self.busy.uploads.clone();
        let digest = self.hash.clone().finalize();
        let found = secret::hex(&digest);
        if let Some(announced) = self.upload.sha256.clone().filter(|announced| *announced != found) {
            // All of it must be sent again: nobody can say which part is wrong.
            (self.at, self.hash) = (0, Sha256::new());
            self.file.set_len(0)?;
            self.keep()?;
            return Err(CaptureError::Digest { found, announced });
        }
        let number = uploads.intake.reserve()?;
        self.upload.item = Some(number);
        uploads.put(&self.upload)?;
        let (path, part) = (uploads.path(&self.upload.id), uploads.intake.folder().join(format!("{number}.part")));
        std::fs::hard_link(&path, &part)?;
        let arrival = Arrival {
            receiver: "http",
            file: self.upload.file.clone(),
            definition: self.upload.definition.clone(),
            peer: self.upload.peer.clone(),
            sent_by: self.upload.owner.clone(),
            only_known: Some(false),
            number: Some(number),
            ..Arrival::default()
        };
        let accepted = uploads.intake.accept(&part, &self.file, (self.at, &digest), arrival);
        if accepted.is_err() {
            let _ = std::fs::remove_file(&part);
            self.upload.item = None;
        }
        let (item, _) = accepted?;
        self.over = true;
        super::intake::remove_bytes(&path, item.id);
        Ok(item)
    }

    /// Keeps the hash for the next time.
    fn rest(&mut self) {
        let hashed = (self.at, self.hash.clone());
        self.busy.uploads.live().hashes.insert(self.upload.id.clone(), hashed);
        self.over = true;
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if let Some(check) = self.check.take() {
            self.revert(check);
        }
        match self.keep() {
            Ok(()) => self.rest(),
            Err(error) => tracing::warn!(%error, "what came of an upload was not kept"),
        }
    }
}
