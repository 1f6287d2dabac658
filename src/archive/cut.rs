//! Decodes a stream, cuts it into documents, and keeps the books: every byte and every page ends in exactly one
//! document or is set aside, or the load is refused.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::{ArchiveError, LoadError};
use super::kv::{Batch, Family};
use super::{Archive, LoadId, group, keys, rows};
use crate::decode::{Decoder, Start, Stretch, Unit, UnitKind};
use crate::index::definition::Definition;
use crate::index::split::{Cut, Splitter};
use crate::index::{Draft, SetAside};
use crate::note::{At, Note, Notes};

/// Set-aside entries listed in a load row.
const SET_ASIDE_LISTED: usize = 1_000;
/// Shared units that a load remembers.
const SHARED_UNITS: usize = 1 << 20;

/// Units that index others that a load remembers.
const INDEX_UNITS: usize = 4_096;

/// Rows on their way into the store: held back until they are many, then written ahead of the commit that makes
/// them visible, behind a durable mark by which the next opening finds them if that commit never comes.
pub(super) struct Spill<'a> {
    archive: &'a Archive,
    load: LoadId,
    generation: u16,
    batch: Batch,
    held: usize,
    marked: bool,
    /// Bytes of all rows so far.
    pub stored: u64,
}

impl<'a> Spill<'a> {
    pub fn new(archive: &'a Archive, load: LoadId, generation: u16) -> Spill<'a> {
        Spill { archive, load, generation, batch: Batch::default(), held: 0, marked: false, stored: 0 }
    }

    pub fn put(&mut self, family: Family, key: Vec<u8>, value: Vec<u8>) -> Result<(), ArchiveError> {
        self.stored += (key.len() + value.len()) as u64;
        self.held += key.len() + value.len();
        self.batch.put(family, key, value);
        // The first rows wait, because a small load is written in one batch; those of a big one are handed on soon.
        let enough = self.archive.sizes.spill_bytes / if self.marked { 8 } else { 1 };
        if self.held < enough {
            return Ok(());
        }
        self.mark()?;
        super::fault::disk_full()?;
        self.held = 0;
        Ok(self.archive.engine.commit_later(std::mem::take(&mut self.batch))?)
    }

    /// Leaves the durable mark, once.
    pub fn mark(&mut self) -> Result<(), ArchiveError> {
        if !self.marked {
            let mut mark = Batch::default();
            let key = keys::unfinished(self.load, self.generation);
            let sealed = rows::seal(&key, &[]);
            mark.put(Family::Loads, key, sealed);
            self.archive.engine.commit(mark)?;
            self.marked = true;
        }
        Ok(())
    }

    /// The rest, to be committed with the rows that make everything visible.
    pub fn into_batch(self) -> Batch {
        let mut batch = self.batch;
        if self.marked {
            batch.delete(Family::Loads, keys::unfinished(self.load, self.generation));
        }
        batch
    }
}

/// The books of one cut.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// Pages in the stream.
    pub pages: u64,
    /// Documents cut.
    pub documents: u32,
    /// Pages set aside.
    pub set_aside_pages: u64,
    /// The first set-aside entries.
    pub set_aside: Vec<SetAside>,
    /// Where the last unit ended.
    pub unit_end: u64,
    /// Where the last document or set-aside entry ended.
    pub cut_end: u64,
    /// Units that later ones need.
    pub shared: Vec<Range<u64>>,
    /// Units that index later ones.
    pub indexes: Vec<Stretch>,
    shared_left_out: u64,
    document_pages: u64,
}

impl Accounts {
    fn unit(&mut self, unit: &Unit) -> Result<(), LoadError> {
        let length = unit.span.end.checked_sub(unit.span.start);
        if unit.span.start != self.unit_end || length != Some(unit.bytes.len() as u64) {
            let detail = format!("after byte {} comes a unit of bytes {:?}", self.unit_end, unit.span);
            return Err(self.unbalanced(detail));
        }
        self.unit_end = unit.span.end;
        self.pages += u64::from(unit.kind == UnitKind::Page);
        if unit.shared && self.shared.len() < SHARED_UNITS {
            self.shared.push(unit.span.clone());
        } else if unit.shared {
            self.shared_left_out += 1;
        }
        if unit.indexes && self.indexes.len() < INDEX_UNITS {
            let Start { byte, resume: _, pages, records } = unit.start();
            self.indexes.push(Stretch { byte, bytes: unit.bytes.len() as u64, pages, records });
        } else if unit.indexes {
            self.shared_left_out += 1;
        }
        Ok(())
    }

    fn piece(&mut self, span: &Range<u64>) -> Result<(), LoadError> {
        if span.start != self.cut_end || span.end < span.start || span.end > self.unit_end {
            let detail = format!("after byte {} comes a document or set-aside entry of bytes {span:?}", self.cut_end);
            return Err(self.unbalanced(detail));
        }
        self.cut_end = span.end;
        Ok(())
    }

    /// Holds at the end of a stream of `bytes`.
    fn close(&self, bytes: u64) -> Result<(), LoadError> {
        if self.unit_end != bytes || self.cut_end != bytes {
            let (units, cuts) = (self.unit_end, self.cut_end);
            return Err(self.unbalanced(format!("{bytes} bytes came, {units} were decoded, {cuts} were cut")));
        }
        if self.document_pages + self.set_aside_pages != self.pages {
            let (pages, inside, aside) = (self.pages, self.document_pages, self.set_aside_pages);
            return Err(self.unbalanced(format!("{pages} pages came, {inside} are in documents, {aside} set aside")));
        }
        Ok(())
    }

    fn unbalanced(&self, detail: String) -> LoadError {
        LoadError::Unbalanced { detail, at: At { byte: self.cut_end, record: 0, page: self.pages } }
    }
}

/// How the documents of a cut are numbered.
///
/// A number means the same bytes for ever: links, notes and holds name it. So a new cut keeps the numbers of the cut before only
/// as long as each number stands for the same bytes; else its documents get numbers that no document of the load had.
pub(super) struct Numbers<'a> {
    /// Number of the first group.
    first_group: u32,
    /// Bytes of the documents of the cut before, in order; `None`: no number was given yet, or all are new.
    before: Option<Box<dyn Iterator<Item = Result<Range<u64>, ArchiveError>> + 'a>>,
    /// The highest number that was ever given.
    given: u32,
}

impl<'a> Numbers<'a> {
    /// From 1 on.
    pub fn first() -> Numbers<'a> {
        Numbers { first_group: 0, before: None, given: 0 }
    }

    /// Those of the cut before, whose documents stand at `before`; `given` is the highest number ever.
    pub fn kept(
        first_group: u32,
        given: u32,
        before: impl Iterator<Item = Result<Range<u64>, ArchiveError>> + 'a,
    ) -> Numbers<'a> {
        Numbers { first_group, before: Some(Box::new(before)), given }
    }

    /// Numbers behind all that were given.
    pub fn new_ones(given: u32) -> Numbers<'a> {
        Numbers { first_group: given.div_ceil(keys::GROUP), before: None, given }
    }

    /// Number of the first group.
    pub fn first_group(&self) -> u32 {
        self.first_group
    }

    /// Whether the document that is `count`th of the cut may have its number.
    fn fits(&mut self, count: u32, span: &Range<u64>) -> Result<bool, ArchiveError> {
        let Some(before) = &mut self.before else { return Ok(true) };
        match before.next().transpose()? {
            Some(had) => Ok(had == *span),
            None => Ok(self.first_group.saturating_mul(keys::GROUP).saturating_add(count) > self.given),
        }
    }
}

/// One stream being cut.
pub(super) struct Cutting<'d> {
    decoder: Box<dyn Decoder + 'd>,
    splitter: Splitter<'d>,
    unit: Unit,
    cuts: Vec<Cut>,
    notes: Notes,
    held: Vec<Draft>,
    load: LoadId,
    generation: u16,
    numbers: Numbers<'d>,
    pub accounts: Accounts,
}

impl<'d> Cutting<'d> {
    pub fn new(
        definition: &'d Definition,
        decoder: Box<dyn Decoder + 'd>,
        came: (&str, &BTreeMap<String, String>),
        (load, generation): (LoadId, u16),
        numbers: Numbers<'d>,
    ) -> Cutting<'d> {
        let (file, job) = came;
        let mut decoder = decoder;
        decoder.want_text(definition.wants_text());
        let splitter = Splitter::new(definition, decoder.code_page()).named(file).brought_by(job);
        Cutting {
            decoder,
            splitter,
            unit: Unit::default(),
            cuts: Vec::new(),
            notes: Notes::default(),
            held: Vec::new(),
            load,
            generation,
            numbers,
            accounts: Accounts::default(),
        }
    }

    /// Cuts one unit further; false at the end of the stream.
    pub fn step(&mut self, spill: &mut Spill<'_>) -> Result<bool, LoadError> {
        if !self.decoder.next(&mut self.unit, &mut self.notes)? {
            return Ok(false);
        }
        self.accounts.unit(&self.unit)?;
        self.splitter.push(&self.unit, &mut self.notes, &mut self.cuts);
        self.book(spill)?;
        Ok(true)
    }

    /// The unit of the last step.
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// Counts what is survived besides decoding.
    pub fn note(&mut self, code: &str, count: u64, detail: &str) {
        self.notes.add_many(code, count, At::default(), detail);
    }

    /// Ends the cut of a stream of `bytes`: the last rows are written and the books are closed.
    pub fn finish(mut self, bytes: u64, spill: &mut Spill<'_>) -> Result<(Accounts, Vec<Note>), LoadError> {
        self.splitter.finish(&mut self.notes, &mut self.cuts);
        self.book(spill)?;
        self.write_group(spill)?;
        self.accounts.close(bytes)?;
        if self.accounts.documents == 0 {
            let pages = self.accounts.pages;
            self.notes.add("no-documents", At::default(), format!("the definition found no document on {pages} pages"));
        }
        let left_out = self.accounts.shared_left_out;
        self.note("shared-units-forgotten", left_out, "more units with resources than a load remembers");
        Ok((self.accounts, self.notes.into_list()))
    }

    fn book(&mut self, spill: &mut Spill<'_>) -> Result<(), LoadError> {
        if self.cuts.is_empty() {
            return Ok(());
        }
        let mut cuts = std::mem::take(&mut self.cuts);
        for cut in cuts.drain(..) {
            match cut {
                Cut::Document(draft) => self.book_document(draft, spill)?,
                Cut::SetAside(aside) => {
                    self.accounts.piece(&aside.span)?;
                    self.accounts.set_aside_pages += aside.pages;
                    if self.accounts.set_aside.len() < SET_ASIDE_LISTED {
                        self.accounts.set_aside.push(aside);
                    }
                }
            }
        }
        self.cuts = cuts;
        Ok(())
    }

    fn book_document(&mut self, draft: Draft, spill: &mut Spill<'_>) -> Result<(), LoadError> {
        self.accounts.piece(&draft.span)?;
        self.accounts.document_pages += u64::from(draft.pages);
        let documents = self.accounts.documents.checked_add(1);
        self.accounts.documents = documents.ok_or(LoadError::TooMany { what: "documents" })?;
        if !self.numbers.fits(self.accounts.documents, &draft.span)? {
            return Err(LoadError::OtherDocuments);
        }
        self.held.push(draft);
        if self.held.len() == keys::GROUP as usize {
            self.write_group(spill)?;
        }
        Ok(())
    }

    fn write_group(&mut self, spill: &mut Spill<'_>) -> Result<(), LoadError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let number = self.numbers.first_group.checked_add((self.accounts.documents - 1) / keys::GROUP);
        let number = number.ok_or(LoadError::TooMany { what: "documents" })?;
        let key = keys::group(self.load, self.generation, number);
        let sealed = rows::seal(&key, &group::pack(&self.held)?);
        self.held.clear();
        spill.put(Family::Documents, key, sealed)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Books of two pages of ten bytes each, one of them in a document, one set aside.
    fn books() -> Accounts {
        let mut accounts = Accounts::default();
        for span in [0..10, 10..20] {
            accounts.unit(&page(span)).expect("follows");
        }
        accounts.piece(&(0..10)).expect("follows");
        accounts.document_pages += 1;
        accounts.piece(&(10..20)).expect("follows");
        accounts.set_aside_pages += 1;
        accounts
    }

    fn page(span: Range<u64>) -> Unit {
        let bytes = vec![0x40; usize::try_from(span.end - span.start).expect("short")];
        Unit { span, bytes, ..Unit::default() }
    }

    fn unbalanced(outcome: Result<(), LoadError>, says: &str) {
        let error = outcome.expect_err(says);
        assert!(matches!(error, LoadError::Unbalanced { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }

    #[test]
    fn books_that_balance_are_closed() {
        books().close(20).expect("balances");
    }

    #[test]
    fn bytes_that_are_missing_and_pages_that_are_nowhere_or_twice_do_not_balance() {
        unbalanced(books().close(21), "21 bytes came, 20 were decoded");
        let mut accounts = books();
        accounts.document_pages += 1;
        unbalanced(accounts.close(20), "2 pages came, 2 are in documents, 1 set aside");
        accounts.document_pages = 0;
        unbalanced(accounts.close(20), "2 pages came, 0 are in documents, 1 set aside");
        let mut accounts = books();
        accounts.unit(&page(20..30)).expect("follows");
        unbalanced(accounts.close(30), "30 were decoded, 20 were cut");
    }

    #[test]
    fn units_and_documents_that_leave_a_gap_or_overlap_do_not_balance() {
        unbalanced(books().unit(&page(21..30)), "after byte 20 comes a unit");
        unbalanced(books().unit(&page(19..30)), "after byte 20 comes a unit");
        unbalanced(books().unit(&Unit { span: 20..31, ..page(20..30) }), "after byte 20 comes a unit");
        for span in [15..20, 20..21, 21..21] {
            unbalanced(books().piece(&span), "after byte 20 comes a document");
        }
    }
}
