//! Writes a stream to the disk while it still comes in, so that at its end little is left to wait for.
//!
//! A thread asks the disk for what is there, again and again, while the receiver hashes and writes on. Linux tells an
//! error of writing only once for an open file: what the thread hears is kept and told by [`Ahead::finish`], without which
//! nobody may say yes.

use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Bytes of a stream behind which it is worth a thread, and between two requests to the disk.
const STEP_BYTES: u64 = 8 << 20;

/// The thread of one stream, once the stream is long enough for one. Dropped with a stream that broke off, it ends by itself.
#[derive(Default)]
pub struct Ahead {
    asked_at: u64,
    thread: Option<(SyncSender<()>, JoinHandle<io::Result<()>>)>,
}

impl Ahead {
    /// The stream has so many bytes now. Without a thread, where none can be had, all is written at the end.
    pub fn reached(&mut self, bytes: u64, file: &File) {
        if bytes - self.asked_at < STEP_BYTES {
            return;
        }
        self.asked_at = bytes;
        if self.thread.is_none() {
            self.thread = file.try_clone().and_then(start).ok();
        }
        if let Some((ask, _)) = &self.thread {
            // Busy with the last request, it writes these bytes with the next; ended by an error, `finish` tells.
            let _ = ask.try_send(());
        }
    }

    /// Waits for the thread. An error means that bytes may be lost, also when a later request to the disk succeeds.
    pub fn finish(&mut self) -> io::Result<()> {
        let Some((ask, thread)) = self.thread.take() else { return Ok(()) };
        drop(ask);
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes ahead ended")))
    }
}

fn start(file: File) -> io::Result<(SyncSender<()>, JoinHandle<io::Result<()>>)> {
    let (ask, asked) = sync_channel(1);
    let write = move || {
        for () in asked {
            file.sync_data()?;
        }
        Ok(())
    };
    Ok((ask, std::thread::Builder::new().name("write-ahead".into()).spawn(write)?))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_short_stream_has_no_thread_and_a_long_one_has_one() {
        let path = std::env::temp_dir().join(format!("greenbar-ahead-{}", std::process::id()));
        let mut file = File::create(&path).expect("a file");
        let mut ahead = Ahead::default();
        ahead.reached(STEP_BYTES - 1, &file);
        assert!(ahead.thread.is_none());
        file.write_all(b"bytes").expect("written");
        ahead.reached(STEP_BYTES, &file);
        assert!(ahead.thread.is_some());
        ahead.finish().expect("on the disk");
        assert!(ahead.thread.is_none());
        let _ = std::fs::remove_file(path);
    }

    #[test]
    fn an_error_of_the_disk_is_told_at_the_end() {
        // A pipe has nothing on a disk: EINVAL.
        let (reader, _writer) = io::pipe().expect("a pipe");
        let pipe = File::from(std::os::fd::OwnedFd::from(reader));
        let mut ahead = Ahead::default();
        ahead.reached(STEP_BYTES, &pipe);
        assert!(ahead.finish().is_err());
    }
}
