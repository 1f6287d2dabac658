//! What the units of a load share: found in its bytes, taken apart by its format once, kept while there is room.

use std::cell::Cell;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use super::Archive;
use super::catalogue::LoadInfo;
use super::error::ArchiveError;
use crate::auth::gate::Permit;
use crate::decode::{Before, Context, Format, Shared, Start, Stretch};

/// What a format made of a load's shared units.
pub(super) type Entry = Option<Arc<dyn Shared>>;

/// Longest document that is made a stream of its own in memory.
const STANDALONE_BYTES: u64 = 64 << 20;
/// What an entry weighs besides what it holds.
const ENTRY_WEIGHT: usize = 256;

impl Archive {
    /// What a decoder needs that starts somewhere in a load's stream.
    pub(super) fn context(&self, info: &Arc<LoadInfo>, format: &dyn Format) -> Result<Context, ArchiveError> {
        let stored = &info.stored;
        let outside = self.outside(info);
        // Also of no units at all: a format may find out things once for all documents of a load.
        if let Some(entry) = self.shared.get(&stored.row.id) {
            return Ok(Context { shared: (*entry).clone(), ..outside });
        }
        let mut units = Units { archive: self, info, spans: info.shared.iter(), failed: None };
        let shared = format.share(&mut units, &stored.row.read, &outside)?;
        if let Some(error) = units.failed {
            return Err(error);
        }
        let weight = ENTRY_WEIGHT + shared.as_ref().map_or(0, |shared| shared.weight());
        self.shared.put(stored.row.id, Arc::new(shared.clone()), weight);
        Ok(Context { shared, ..outside })
    }

    /// What a decoder of a stored load is given at the beginning of the stream.
    fn outside(&self, info: &LoadInfo) -> Context {
        let stored = &info.stored;
        Context::new(self.libraries_of(&stored.row.read, &stored.library), self.limits)
    }

    /// A document as a stream of its own, made by its format; `None` where its bytes are one as they are.
    pub fn standalone(&self, permit: &Permit) -> Result<Option<Vec<u8>>, ArchiveError> {
        let document = self.document(permit.document())?;
        if self.masker(permit, &document)?.is_some() {
            return Err(ArchiveError::Masked(document.id));
        }
        let info = self.info(permit.document().load)?;
        let read = &info.stored.row.read;
        let format = self.format_of(read)?;
        if !format.encloses() {
            return Ok(None);
        }
        let span = &document.span;
        if span.end - span.start > STANDALONE_BYTES {
            let (bytes, most) = (span.end - span.start, STANDALONE_BYTES);
            return Err(ArchiveError::TooLong { document: document.id, bytes, most });
        }
        let pages = document.first_page.saturating_sub(1);
        let start = Start { byte: span.start, resume: document.resume, pages, records: document.records_before };
        let bytes = self.bytes_of(&info, span)?;
        let before = info.shared.partition_point(|unit| unit.end <= span.start);
        let spans = info.shared.get(..before).unwrap_or_default();
        let mut units = Units { archive: self, info: &info, spans: spans.iter(), failed: None };
        let failed = Cell::new(None);
        let read_stretch = |stretch: &Stretch| {
            let read = self.bytes_of(&info, &(stretch.byte..stretch.byte.checked_add(stretch.bytes)?));
            read.map(|bytes| (stretch.start(), bytes)).map_err(|error| failed.set(Some(error))).ok()
        };
        let indexes = &info.stored.indexes;
        let before = indexes.partition_point(|unit| unit.byte < span.start);
        let before = Before {
            shared: &mut units,
            indexes: &mut indexes.iter().take(before).rev().map_while(read_stretch),
            around: &mut document.around.iter().map_while(read_stretch),
        };
        let whole = format.standalone(before, bytes, start, read, &self.outside(&info))?;
        match units.failed.or(failed.take()) {
            Some(error) => Err(error),
            None => Ok(Some(whole)),
        }
    }

    fn bytes_of(&self, info: &Arc<LoadInfo>, span: &Range<u64>) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::with_capacity(usize::try_from(span.end - span.start).unwrap_or_default());
        let read = self.stream(info.clone(), span.clone()).read_to_end(&mut bytes);
        read.map_err(|error| ArchiveError::damaged(format!("load {}", info.stored.row.id), error.to_string()))?;
        Ok(bytes)
    }
}

/// Shared units as bytes, read when they are asked for.
struct Units<'a> {
    archive: &'a Archive,
    info: &'a Arc<LoadInfo>,
    spans: std::slice::Iter<'a, Range<u64>>,
    failed: Option<ArchiveError>,
}

impl Iterator for Units<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let span = self.spans.next()?;
        match self.archive.bytes_of(self.info, span) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.failed = Some(error);
                self.spans = [].iter();
                None
            }
        }
    }
}
