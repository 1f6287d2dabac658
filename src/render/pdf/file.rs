//! A PDF file written front to back: objects, object streams, cross-reference stream.
//!
//! Small objects are gathered in compressed object streams, large ones go out at once. What stays in memory is one
//! number for each object.

use std::io::Write;

use flate2::{Compress, Compression, FlushCompress};
use sha2::{Digest, Sha256};

use crate::render::RenderError;

/// An object number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub u32);

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} 0 R", self.0)
    }
}

/// PDF/A-2 allows this many objects (ISO 19005-2, 6.1.13).
const OBJECT_LIMIT: u32 = 8_388_607;
/// An object stream is written when it holds this many objects or bytes.
const STREAM_OBJECTS: usize = 200;
const STREAM_BYTES: usize = 64 << 10;
/// Marks an entry as "in object stream" rather than "at offset".
const IN_STREAM: u64 = 1 << 63;

/// What is compressed grows by at most so many bytes at a time: a white picture of 100 MB becomes 100 KB.
const SQUEEZE_STEP: usize = 1 << 20;

/// The file being written.
pub struct PdfFile<'o> {
    out: &'o mut dyn Write,
    offset: u64,
    hash: Sha256,
    /// By object number: offset, or object stream and index with [`IN_STREAM`]; 0 is unused.
    entries: Vec<u64>,
    waiting: Vec<(Id, usize)>,
    waiting_bytes: Vec<u8>,
    deflate: Compress,
    squeezed: Vec<u8>,
}

impl<'o> PdfFile<'o> {
    /// Starts a PDF 1.7 file.
    pub fn start(out: &'o mut dyn Write) -> Result<PdfFile<'o>, RenderError> {
        let mut file = PdfFile {
            out,
            offset: 0,
            hash: Sha256::new(),
            entries: vec![0],
            waiting: Vec::new(),
            waiting_bytes: Vec::new(),
            deflate: Compress::new(Compression::new(LEVEL), true),
            squeezed: Vec::new(),
        };
        file.put(b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")?;
        Ok(file)
    }

    /// The next free object number.
    pub fn reserve(&mut self) -> Id {
        self.entries.push(0);
        Id(u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX))
    }

    /// Writes a dictionary or other small object, compressed together with its neighbours.
    pub fn small(&mut self, id: Id, body: &[u8]) -> Result<(), RenderError> {
        self.waiting.push((id, self.waiting_bytes.len()));
        self.waiting_bytes.extend_from_slice(body);
        self.waiting_bytes.push(b'\n');
        if self.waiting.len() >= STREAM_OBJECTS || self.waiting_bytes.len() >= STREAM_BYTES {
            self.write_waiting()?;
        }
        Ok(())
    }

    /// Writes a stream with `dict` (its entries, without length and filter), compressed.
    pub fn stream(&mut self, id: Id, dict: &str, data: &[u8]) -> Result<(), RenderError> {
        self.squeeze(data)?;
        let squeezed = std::mem::take(&mut self.squeezed);
        let result = self.raw_stream(id, &format!("{dict}/Filter/FlateDecode"), &squeezed);
        self.squeezed = squeezed;
        result
    }

    /// Writes a stream as it is.
    pub fn raw_stream(&mut self, id: Id, dict: &str, data: &[u8]) -> Result<(), RenderError> {
        if let Some(entry) = self.entries.get_mut(id.0 as usize) {
            *entry = self.offset;
        }
        let head = format!("{} 0 obj\n<<{dict}/Length {}>>stream\n", id.0, data.len());
        self.put(head.as_bytes())?;
        self.put(data)?;
        self.put(b"\nendstream\nendobj\n")
    }

    /// Writes an object that is complete between `obj` and `endobj`.
    pub fn verbatim(&mut self, id: Id, body: &[u8]) -> Result<(), RenderError> {
        if let Some(entry) = self.entries.get_mut(id.0 as usize) {
            *entry = self.offset;
        }
        self.put(format!("{} 0 obj\n", id.0).as_bytes())?;
        self.put(body)?;
        self.put(b"\nendobj\n")
    }

    /// Writes what is waiting, the cross-reference stream and the end of the file.
    pub fn finish(mut self, catalog: Id, info: Id) -> Result<(), RenderError> {
        self.write_waiting()?;
        let xref = self.reserve();
        if xref.0 > OBJECT_LIMIT {
            return Err(RenderError::Resource("too many pages for one PDF/A file; make it in parts".into()));
        }
        let start = self.offset;
        if let Some(entry) = self.entries.last_mut() {
            *entry = start;
        }
        let rows = self.rows();
        let digest = self.hash.clone().finalize();
        let id: String = digest.iter().take(16).map(|byte| format!("{byte:02X}")).collect();
        let dict =
            format!("/Type/XRef/Size {}/W[1 5 2]/Root {catalog}/Info {info}/ID[<{id}><{id}>]", self.entries.len());
        self.stream(xref, &dict, &rows)?;
        self.put(format!("startxref\n{start}\n%%EOF\n").as_bytes())?;
        Ok(self.out.flush()?)
    }

    fn rows(&self) -> Vec<u8> {
        let mut rows = Vec::with_capacity(self.entries.len() * 8);
        for (number, entry) in self.entries.iter().enumerate() {
            let (kind, place, index) = match *entry {
                0 if number == 0 => (0, 0, 0xFFFF),
                0 => (0, 0, 0),
                entry if entry & IN_STREAM != 0 => (2, (entry & !IN_STREAM) >> 16, entry & 0xFFFF),
                offset => (1, offset, 0),
            };
            rows.push(kind);
            rows.extend_from_slice(&place.to_be_bytes()[3..]);
            rows.extend_from_slice(&index.to_be_bytes()[6..]);
        }
        rows
    }

    fn write_waiting(&mut self) -> Result<(), RenderError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let stream = self.reserve();
        let mut body = Vec::with_capacity(self.waiting_bytes.len() + self.waiting.len() * 12);
        for (index, (id, offset)) in self.waiting.iter().enumerate() {
            body.extend_from_slice(format!("{} {offset} ", id.0).as_bytes());
            if let Some(entry) = self.entries.get_mut(id.0 as usize) {
                *entry = IN_STREAM | u64::from(stream.0) << 16 | index as u64;
            }
        }
        let dict = format!("/Type/ObjStm/N {}/First {}", self.waiting.len(), body.len());
        body.extend_from_slice(&self.waiting_bytes);
        self.waiting.clear();
        self.waiting_bytes.clear();
        self.stream(stream, &dict, &body)
    }

    fn squeeze(&mut self, data: &[u8]) -> Result<(), RenderError> {
        self.deflate.reset();
        self.squeezed.clear();
        squeeze(&mut self.deflate, data, &mut self.squeezed)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), RenderError> {
        self.out.write_all(bytes)?;
        self.hash.update(bytes);
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

/// Deflate level: above it, pages get hardly smaller but much slower (docs/decisions/0004-pdf-writers.md).
const LEVEL: u32 = 6;

/// `data` as a Flate stream.
pub fn squeezed(data: &[u8]) -> Result<Vec<u8>, RenderError> {
    let mut out = Vec::new();
    squeeze(&mut Compress::new(Compression::new(LEVEL), true), data, &mut out)?;
    Ok(out)
}

fn squeeze(deflate: &mut Compress, data: &[u8], out: &mut Vec<u8>) -> Result<(), RenderError> {
    let step = (data.len() / 2 + 128).min(SQUEEZE_STEP);
    loop {
        out.reserve(step);
        let taken = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
        let rest = data.get(taken..).unwrap_or_default();
        let status = deflate.compress_vec(rest, out, FlushCompress::Finish);
        if status.map_err(|error| RenderError::Write(std::io::Error::other(error)))? == flate2::Status::StreamEnd {
            return Ok(());
        }
    }
}
