//! Writes a stream to the disk while it still comes in.
//!
//! A long stream has a thread of its own that writes what the receiver hashed and lets the disk begin with it, so that hashing,
//! writing and the disk work at the same time and little is left to wait for at the end. An error of writing reaches the
//! receiver with a later piece, at the latest by [`Writer::finish`]; that all is on the disk, only the file's own sync tells.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Bytes of a stream from which it has a thread.
const ALONE_BYTES: u64 = 1 << 20;
/// Bytes handed over at once, and how many such pieces may wait.
const PIECE: usize = 256 << 10;
const PIECES: usize = 4;
/// Bytes that the disk is let begin with at once.
const STEP_BYTES: u64 = 8 << 20;

/// The way of one stream to its file. Dropped with a stream that broke off, the thread ends by itself.
pub struct Writer {
    file: File,
    bytes: u64,
    thread: Option<Thread>,
    failed: bool,
}

impl Writer {
    /// Writes into a new file.
    pub fn new(file: File) -> Writer {
        Writer { file, bytes: 0, thread: None, failed: false }
    }

    /// Adds bytes. An error may be that of bytes before.
    pub fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("the file could not be written"));
        }
        if self.thread.is_none() && self.bytes >= ALONE_BYTES {
            // Where no thread can be had the receiver writes itself.
            self.thread = self.file.try_clone().and_then(|file| Thread::start(file, self.bytes)).ok();
        }
        self.bytes += piece.len() as u64;
        let Some(thread) = &mut self.thread else { return self.file.write_all(piece) };
        if thread.take(piece) { Ok(()) } else { self.finish() }
    }

    /// Waits until all is written.
    pub fn finish(&mut self) -> io::Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let written = thread.finish();
        self.failed = written.is_err();
        written
    }

    /// The file, of which all is written after [`Writer::finish`].
    pub fn file(&self) -> &File {
        &self.file
    }
}

/// The thread that writes.
struct Thread {
    filling: Vec<u8>,
    full: SyncSender<Vec<u8>>,
    /// Pieces that are written, to be filled again.
    empty: Receiver<Vec<u8>>,
    handle: JoinHandle<io::Result<()>>,
}

impl Thread {
    fn start(mut file: File, mut bytes: u64) -> io::Result<Thread> {
        let (full, pieces) = sync_channel::<Vec<u8>>(PIECES);
        let (give_back, empty) = sync_channel(PIECES + 1);
        let write = move || {
            let mut begun = bytes;
            for mut piece in pieces {
                file.write_all(&piece)?;
                bytes += piece.len() as u64;
                if bytes - begun >= STEP_BYTES {
                    begin(&file, begun, bytes - begun);
                    begun = bytes;
                }
                piece.clear();
                // The receiver may have ended.
                let _ = give_back.try_send(piece);
            }
            Ok(())
        };
        let handle = std::thread::Builder::new().name("greenbar-write".into()).spawn(write)?;
        Ok(Thread { filling: Vec::with_capacity(PIECE), full, empty, handle })
    }

    /// Hands bytes over; false when the thread ended.
    fn take(&mut self, mut piece: &[u8]) -> bool {
        while !piece.is_empty() {
            let (now, later) = piece.split_at(piece.len().min(PIECE - self.filling.len()));
            self.filling.extend_from_slice(now);
            piece = later;
            if self.filling.len() == PIECE {
                let next = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(PIECE));
                if self.full.send(std::mem::replace(&mut self.filling, next)).is_err() {
                    return false;
                }
            }
        }
        true
    }

    fn finish(self) -> io::Result<()> {
        let Thread { filling, full, handle, .. } = self;
        let ended = full.send(filling).is_err();
        drop(full);
        let written = handle.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes ended")));
        if ended { written.and(Err(io::Error::other("the thread that writes ended"))) } else { written }
    }
}

/// Lets the disk begin with these bytes of a file, and waits for nothing. It is advice: whether they are on the disk, and every
/// error on the way, `fsync` tells.
fn begin(file: &File, from: u64, bytes: u64) {
    #[cfg(target_os = "linux")]
    if let (Ok(from), Ok(bytes)) = (from.try_into(), bytes.try_into()) {
        use std::os::fd::AsRawFd;
        // SAFETY: the descriptor is open as long as `file` is borrowed; no memory is handed over.
        #[allow(unsafe_code)]
        let _ = unsafe { libc::sync_file_range(file.as_raw_fd(), from, bytes, libc::SYNC_FILE_RANGE_WRITE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, from, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that tells where a byte stands.
    fn stream(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at / 251 + at % 251) as u8).collect()
    }

    #[test]
    fn the_file_is_what_came_in_whatever_the_pieces() {
        let path = std::env::temp_dir().join(format!("greenbar-writer-{}", std::process::id()));
        let long = stream(STEP_BYTES as usize * 2 + 12_345);
        for (length, piece) in [
            (10, 3),
            (ALONE_BYTES as usize, 1 << 20),
            (ALONE_BYTES as usize + 1, 999_983),
            (long.len(), 100_003),
            (long.len(), 3 << 20),
        ] {
            let mut writer = Writer::new(File::create(&path).expect("a file"));
            for piece in long[..length].chunks(piece) {
                writer.write(piece).expect("written");
            }
            writer.finish().expect("all of it");
            assert!(std::fs::read(&path).expect("read") == long[..length], "{length} bytes by {piece}");
        }
        let _ = std::fs::remove_file(path);
    }

    #[test]
    fn an_error_of_writing_is_told_and_stays() {
        let full = File::options().write(true).open("/dev/full").expect("is there");
        assert!(Writer::new(full.try_clone().expect("again")).write(b"at once").is_err());
        let mut writer = Writer { bytes: ALONE_BYTES, ..Writer::new(full) };
        let pieces = std::iter::repeat_n([0_u8; 100_000], 1_000);
        let told = pieces.map(|piece| writer.write(&piece)).find_map(Result::err).expect("with a later piece");
        assert_eq!(told.kind(), io::ErrorKind::StorageFull);
        assert!(writer.write(b"more").is_err());
        let mut little = Writer {
            bytes: ALONE_BYTES,
            ..Writer::new(File::options().write(true).open("/dev/full").expect("is there"))
        };
        little.write(b"less than a piece").expect("not yet written");
        assert!(little.finish().is_err(), "at the end");
    }
}
