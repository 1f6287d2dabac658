//! What a field changes for what comes behind it: groups, tags, medium maps, index objects; and what it asks for that is not
//! there.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;

use super::{AfpDecoder, GRAPHICS_BYTES, Mode, SEEN};
use crate::decode::Stretch;
use crate::decode::afp::field::{Field, FieldId};
use crate::decode::afp::fontmap::maps_fonts;
use crate::decode::afp::framing::{Kind, Record};
use crate::decode::afp::index_object::{IndexObject, Of, Place};
use crate::decode::afp::object::{graphics, image};
use crate::decode::afp::store::{kind, kind_word};
use crate::decode::afp::text::{Charset, begin_name, token};
use crate::decode::afp::{detect, id, references, triplet};
use crate::note::Notes;

/// Whether walking looks at the data of a field.
#[inline]
pub(super) fn is_followed(id: FieldId) -> bool {
    match id {
        id::BAG | id::EAG | id::PGD | id::PTD | id::BPT | id::PTX | id::EPT | id::EPG | id::NOP | id::OCD => false,
        id::BPG | id::BNG | id::ENG | id::BDT | id::EDT | id::BRS | id::TLE | id::IMM | id::BDI | id::EDI | id::IEL => {
            true
        }
        id::IPO | id::IPS | id::IOB | id::MPO | id::MPS | id::MCF | id::MCF1 | id::MDR | id::IPD => true,
        id::BGR | id::GAD | id::EGR => true,
        other => !id::is_known(other),
    }
}

impl<R: Read + Send> AfpDecoder<R> {
    /// What a field that stands `at` changes for what comes behind it.
    pub(super) fn follow(&mut self, mode: Mode, field: Field<'_>, at: Stretch, notes: &mut Notes) {
        let charset = self.store().charset(self.state.document);
        match field.id {
            id::BPG => self.begin_page(&field, charset),
            id::BDT => self.begin_document(notes),
            id::BNG => self.begin_group(&field, at, charset),
            id::ENG if mode != Mode::Page => self.groups.close(&mut self.state.depth),
            id::EDT => self.end_document(notes),
            id::TLE => self.take_tag(mode, field.data, at, notes),
            id::IMM => self.invoke_map(field.data, notes),
            id::BDI => self.begin_index(field.data, notes),
            id::IEL if mode == Mode::Index => {
                let fits = self.index.as_mut().is_none_or(|index| index.element(field.data));
                self.note_index_limit(fits, notes);
            }
            id::BRS => {
                let kind = triplet::find(field.data.get(10..).unwrap_or_default(), triplet::RESOURCE_TYPE);
                self.in_document_resource = kind.and_then(<[u8]>::first) == Some(&kind::DOCUMENT);
            }
            id::IPD => self.look_at_image(field.data, notes),
            id::BGR => self.graphics.clear(),
            id::GAD if self.graphics.len() < GRAPHICS_BYTES => self.graphics.extend_from_slice(field.data),
            id::GAD => {}
            id::EGR => self.look_at_graphics(notes),
            // What resources include is looked up when they are included themselves.
            _ if matches!(mode, Mode::Resource(_)) => self.note_unknown(field.id, notes),
            id::IPO | id::IPS | id::IOB | id::MPO | id::MPS => self.look_up(&field, 0, notes),
            fonts if maps_fonts(fonts) => self.look_up_fonts(&field, charset, notes),
            other => self.note_unknown(other, notes),
        }
    }

    fn note_unknown(&self, id: FieldId, notes: &mut Notes) {
        if !id::is_known(id) {
            notes.add_named("afp-unknown-field", self.at(), &id::letters(id));
        }
    }

    fn note_index_limit(&self, fits: bool, notes: &mut Notes) {
        if !fits {
            notes.add("afp-limit", self.at(), "an index object with more entries than are kept");
        }
    }

    fn begin_index(&mut self, data: &[u8], notes: &mut Notes) {
        self.drop_index(notes);
        self.index = Some(Box::new(IndexObject::begin(data, self.store().limits.index_bytes)));
        self.document.is_indexed = self.document.is_open;
    }

    fn begin_document(&mut self, notes: &mut Notes) {
        self.structure.documents += 1;
        if self.document.is_indexed {
            // The index was that of the document before.
            self.drop_index(notes);
        }
        self.document = super::DocumentPlace {
            byte: self.source.offset(),
            record: self.records,
            page: self.pages,
            is_open: true,
            is_indexed: self.index.is_some(),
        };
        self.groups.reset();
        (self.state.map, self.state.sheet_page, self.state.depth) = (0, 0, 0);
    }

    fn end_document(&mut self, notes: &mut Notes) {
        self.drop_index(notes);
        self.document.is_open = false;
        self.groups.reset();
    }

    /// The document that the index is about is over.
    pub(super) fn drop_index(&mut self, notes: &mut Notes) {
        let Some(index) = self.index.take() else { return };
        (self.document.is_indexed, self.index_ended) = (false, true);
        let (all, unused) = (index.len(), index.unused());
        let detail = format_args!("entries of an index object of {all} that nothing in the document fits");
        notes.add_many("afp-index-unmatched", unused, self.at(), detail);
    }

    /// Where the present field stands in its document.
    fn place(&self) -> Place {
        let raw = self.source.offset().saturating_sub(self.document.byte);
        let fields = self.records.saturating_sub(self.document.record);
        Place::new(self.framing, raw, fields, self.pages.saturating_sub(self.document.page))
    }

    fn begin_page(&mut self, field: &Field<'_>, charset: Charset) {
        self.structure.pages += 1;
        let place = self.place();
        let Some(index) = &mut self.index else { return };
        let name = begin_name(field.data, 8, charset).unwrap_or_default();
        let own_charset = index.charset();
        if let Some(entry) = index.find(Of::Page, &name, place) {
            index.tags(entry).for_each(|data| self.groups.add_indexed_to_page(data, own_charset));
        }
        if self.groups.may_begin_indexed(place.page)
            && let Some(known) = index.group_at(place)
        {
            self.structure.page_groups += 1;
            self.groups.begin_indexed(index.name(known.entry), known.until);
            index.tags(known.entry).for_each(|data| self.groups.add_indexed(data, own_charset));
        }
    }

    fn begin_group(&mut self, field: &Field<'_>, at: Stretch, charset: Charset) {
        self.structure.page_groups += 1;
        let name = begin_name(field.data, 8, charset);
        let place = self.place();
        self.groups.open(name.as_deref(), at, &mut self.state.depth);
        let Some(index) = &mut self.index else { return };
        let own_charset = index.charset();
        if let Some(entry) = index.find(Of::Group, name.as_deref().unwrap_or_default(), place) {
            index.tags(entry).for_each(|data| self.groups.add_indexed(data, own_charset));
        }
    }

    fn take_tag(&mut self, mode: Mode, data: &[u8], at: Stretch, notes: &mut Notes) {
        self.structure.tags += 1;
        let charset = self.store().charset(self.state.document);
        match mode {
            Mode::Resource(_) => {}
            Mode::Index => {
                let fits = self.index.as_mut().is_none_or(|index| index.tag(data));
                self.note_index_limit(fits, notes);
            }
            _ => {
                let fits = match mode {
                    Mode::Page => self.groups.add_own(data, charset),
                    _ => self.groups.add(data, at, charset),
                };
                if !fits {
                    notes.add("afp-limit", self.at(), "more tags than are kept for one page");
                }
            }
        }
    }

    fn invoke_map(&mut self, data: &[u8], notes: &mut Notes) {
        let name = token(data, Charset::Default).unwrap_or_default();
        let epoch = self.state.epoch;
        (self.state.map, self.state.sheet_page) = (self.store().map_number(&name, epoch), 0);
        if self.state.map == 0 && self.is_new(&(id::IMM, &name)) {
            notes.add_named("afp-missing-resource", self.at(), &format!("medium-map {name}"));
        }
    }

    /// Whether something was not looked up before.
    fn is_new(&mut self, what: &impl Hash) -> bool {
        let mut hash = DefaultHasher::new();
        (self.state.epoch, what).hash(&mut hash);
        if self.seen.len() >= SEEN {
            self.seen.clear();
        }
        self.seen.insert(hash.finish())
    }

    /// Notes an include whose resource is not there, and what is missing in the resource; each name is looked up once.
    fn look_up(&mut self, field: &Field<'_>, depth: usize, notes: &mut Notes) {
        let names_in = match field.id {
            id::IOB => field.data.get(27..).unwrap_or_default(),
            id::MPO | id::MPS => field.data,
            _ => &[],
        };
        let token_bytes = if field.id == id::IOB { 10 } else { 8 };
        let token_bytes = field.data.get(..token_bytes).unwrap_or(field.data);
        if !self.is_new(&(field.id, token_bytes, names_in)) {
            return;
        }
        let visible = self.store().visible(self.state.epoch);
        let charset = self.store().charset(self.state.document);
        for (kinds, names) in references::of_include(field, charset) {
            match names.iter().find_map(|name| self.store().find(kinds, name, visible)) {
                Some(found) if depth < self.store().limits.nesting => {
                    for inner in found.fields.iter() {
                        match inner.id {
                            id::IPO | id::IPS | id::IOB => self.look_up(&inner, depth + 1, notes),
                            fonts if maps_fonts(fonts) => self.look_up_fonts(&inner, charset, notes),
                            _ => {}
                        }
                    }
                }
                Some(_) => {}
                None => {
                    if let (Some(name), Some(kind)) = (names.first(), kinds.first()) {
                        let missing = format!("{} {name}", kind_word(*kind));
                        notes.add_named("afp-missing-resource", self.at(), &missing);
                    }
                }
            }
        }
    }

    /// Notes an image that will not be shown.
    fn look_at_image(&mut self, data: &[u8], notes: &mut Notes) {
        const BEGIN_SEGMENT: u8 = 0x70;
        if data.first() != Some(&BEGIN_SEGMENT) {
            return;
        }
        if let Some(why) = image::unreadable(data)
            && self.is_new(&(id::IPD, &why))
        {
            notes.add_named("afp-image-compression", self.at(), &why);
        }
    }

    /// Notes what of a graphics object will not be drawn as it says.
    fn look_at_graphics(&mut self, notes: &mut Notes) {
        let gad = std::mem::take(&mut self.graphics);
        for (detail, code) in graphics::unreadable(&gad) {
            if self.is_new(&(id::GAD, &detail)) {
                notes.add_named(code, self.at(), &detail);
            }
        }
        self.graphics = gad;
        self.graphics.clear();
    }

    /// Opens the fonts of a mapping that was not seen before, to say what is missing or substituted.
    fn look_up_fonts(&mut self, field: &Field<'_>, charset: Charset, notes: &mut Notes) {
        if self.last_fonts == field.data {
            return;
        }
        self.last_fonts.clear();
        self.last_fonts.extend_from_slice(field.data);
        if !self.is_new(&(field.id, field.data)) {
            return;
        }
        let (store, at) = (self.store(), self.at());
        let visible = store.visible(self.state.epoch);
        for mapped in store.font_map(&[field], visible, charset).iter() {
            let opened = store.open_font(mapped, visible);
            opened.replay(&mut |code, detail| notes.add_named(code, at, &detail));
        }
    }

    /// Notes what is no field.
    pub(super) fn note_broken(&self, record: &Record, notes: &mut Notes) {
        let bytes = self.source.window().get(..record.raw).unwrap_or_default();
        if self.records == 0 && detect::is_translated(bytes) {
            return notes.add(
                "afp-translated",
                self.at(),
                "translated from EBCDIC to ASCII on the way; send it as binary",
            );
        }
        match record.kind {
            Kind::Junk => {
                let what = bytes.get(..16).unwrap_or(bytes);
                let named = what.windows(3).find_map(|id| {
                    let id = FieldId(*id.first_chunk()?);
                    id::is_known(id).then(|| id::letters(id))
                });
                let named = named.map(|name| format!(" ({name})")).unwrap_or_default();
                notes.add(
                    "afp-broken-field",
                    self.at(),
                    format_args!("{} bytes are no structured field{named}", bytes.len()),
                );
            }
            Kind::CutShort(id) => {
                let name = id::letters(id);
                notes.add(
                    "afp-broken-field",
                    self.at(),
                    format_args!("{name} is cut short, {} bytes are left", bytes.len()),
                );
            }
            Kind::Field(_) | Kind::Filler => {}
        }
    }
}
