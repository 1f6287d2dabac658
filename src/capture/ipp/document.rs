//! The document of a job on its way into the intake, unpacked when it comes compressed.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status as Deflated};

use super::status::{Refusal, Status};
use crate::capture::{CaptureError, Spool};

/// Bytes unpacked at once.
const UNPACKED: usize = 64 << 10;

/// Names of the compressions, as the printer tells them.
pub const COMPRESSIONS: &[&str] = &["none", "gzip", "deflate"];

/// A document that is being received.
pub enum Document {
    /// As it comes.
    Plain(Spool),
    /// RFC 1952.
    Gzip(Box<MultiGzDecoder<Unpacked>>),
    /// RFC 1951; the flag says that its end was seen.
    Deflate(Box<Decompress>, Spool, bool),
}

/// Takes what was unpacked.
pub struct Unpacked(Spool);

impl Write for Unpacked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn damaged(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(Status::CompressionError, format!("the compressed document is damaged: {error}"))
}

/// Why unpacking failed: the spool refused, or the document is damaged.
fn unpacking(error: io::Error) -> Refusal {
    match error.downcast::<CaptureError>() {
        Ok(error) => error.into(),
        Err(error) => damaged(&error),
    }
}

impl Document {
    /// A document of this compression. The limit of the spool holds for what is unpacked.
    pub fn new(compression: &str, spool: Spool) -> Result<Document, Refusal> {
        match compression {
            "none" => Ok(Document::Plain(spool)),
            "gzip" => Ok(Document::Gzip(Box::new(MultiGzDecoder::new(Unpacked(spool))))),
            "deflate" => Ok(Document::Deflate(Box::new(Decompress::new(false)), spool, false)),
            other => Err(Refusal::new(Status::CompressionNotSupported, format!("there is no compression {other}"))),
        }
    }

    /// Adds bytes as they came.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        match self {
            Document::Plain(spool) => Ok(spool.write(piece)?),
            Document::Gzip(unpacker) => unpacker.write_all(piece).map_err(unpacking),
            Document::Deflate(unpacker, spool, ended) => inflate(unpacker, spool, ended, piece),
        }
    }

    /// All of it, unpacked. Fails when a compressed document has no end.
    pub fn finish(self) -> Result<Spool, Refusal> {
        match self {
            Document::Plain(spool) => Ok(spool),
            Document::Gzip(unpacker) => unpacker.finish().map(|unpacked| unpacked.0).map_err(unpacking),
            Document::Deflate(_, _, false) => Err(damaged(&"it has no end")),
            Document::Deflate(_, spool, true) => Ok(spool),
        }
    }
}

fn inflate(unpacker: &mut Decompress, spool: &mut Spool, ended: &mut bool, piece: &[u8]) -> Result<(), Refusal> {
    let mut unpacked = vec![0; UNPACKED];
    let mut rest = piece;
    loop {
        if *ended {
            return if rest.is_empty() { Ok(()) } else { Err(damaged(&"it goes on behind its end")) };
        }
        let (taken, made) = (unpacker.total_in(), unpacker.total_out());
        let state = unpacker.decompress(rest, &mut unpacked, FlushDecompress::None).map_err(|error| damaged(&error))?;
        let count = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let (taken, made) = (count(unpacker.total_in() - taken), count(unpacker.total_out() - made));
        spool.write(unpacked.get(..made).unwrap_or_default())?;
        rest = rest.get(taken..).unwrap_or_default();
        *ended = state == Deflated::StreamEnd;
        // All was taken, and what it makes was made: the buffer was not filled.
        if rest.is_empty() && made < UNPACKED && !*ended {
            return Ok(());
        }
        if taken == 0 && made == 0 && !*ended {
            return Err(damaged(&"it does not go on"));
        }
    }
}
