//! A stream on its way to the disk.

use std::fs::File;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::intake::Intake;
use super::item::{Arrival, Item};
use super::pace::Pace;
use super::writer::Writer;
use super::{CaptureError, Stop};
use crate::auth::secret;

/// Bytes between two looks at the free space.
const LOOK_BYTES: u64 = 16 << 20;

/// A stream that is being received: a temporary file, which is removed unless the stream is accepted.
pub struct Spool {
    intake: Intake,
    path: PathBuf,
    writer: Writer,
    hasher: Sha256,
    bytes: u64,
    limit: u64,
    looked_at: u64,
    pace: Pace,
    stop: Stop,
    kept: bool,
}

impl Spool {
    pub(super) fn new(intake: Intake, limit: u64) -> Result<Spool, CaptureError> {
        let name = secret::token().map_err(|error| CaptureError::Write(std::io::Error::other(error)))?;
        let path = intake.folder().join(format!("{name}.part"));
        let file = File::options().write(true).create_new(true).open(&path)?;
        let (writer, hasher, pace, stop) = (Writer::new(file), Sha256::new(), Pace::new(0), Stop::default());
        Ok(Spool { intake, path, writer, hasher, bytes: 0, limit, looked_at: 0, pace, stop, kept: false })
    }

    /// Writes at most so many bytes a second; a pause ends early when `stop` says so.
    #[must_use]
    pub fn paced(mut self, bytes_per_s: u64, stop: &Stop) -> Spool {
        (self.pace, self.stop) = (Pace::new(bytes_per_s), stop.clone());
        self
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds bytes. Fails when they are more than is allowed or the disk is full; then nothing of the stream is kept.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), CaptureError> {
        if self.bytes + piece.len() as u64 > self.limit {
            return Err(CaptureError::TooLarge { limit: self.limit });
        }
        self.writer.write(piece)?;
        self.hasher.update(piece);
        self.bytes += piece.len() as u64;
        if self.bytes - self.looked_at >= LOOK_BYTES {
            self.looked_at = self.bytes;
            self.intake.has_room()?;
        }
        let mut pause = self.pace.after(piece.len());
        while !pause.is_zero() && !self.stop.is_now() {
            std::thread::sleep(pause);
            pause = self.pace.after(0);
        }
        Ok(())
    }

    /// Takes the stream over. When this returns, bytes and row survive a power cut, and the sender may hear yes.
    pub fn accept(mut self, arrival: Arrival) -> Result<Item, CaptureError> {
        if self.bytes == 0 {
            return Err(CaptureError::Empty);
        }
        let digest = self.hasher.finalize_reset();
        let found = secret::hex(&digest);
        if let Some(announced) = arrival.sha256.as_ref().filter(|announced| **announced != found) {
            return Err(CaptureError::Digest { found, announced: announced.clone() });
        }
        self.writer.finish()?;
        let (item, new) = self.intake.accept(&self.path, self.writer.file(), (self.bytes, &digest), arrival)?;
        self.kept = new;
        Ok(item)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
