//! What the pages of a stream share: resources by type and name, form maps, code pages of documents; and what was made of
//! them (open fonts, overlays as forms), so that it is made once.
//!
//! In: the shared units of a stream, one after the other. Out: a resource as a page sees it, which is what was brought before
//! the page; a later resource group shadows an earlier one, in one group the first of a name wins. What the stream does not
//! bring is looked for in the libraries of the site.
//!
//! Promises: bounded by [`Limits::resource_bytes`]; what is made of resources can be dropped and made again at any time.

mod caches;
pub mod kind;

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::caches::{Caches, FONTS_CACHED};
pub use self::caches::{Drawn, FormKey, IncludeKey, Included};
use super::field::{Field, Fields};
use super::font::{ActiveFont, FontRequest, FontSource};
use super::fontmap::{FontMap, Mapped, Opened};
use super::formdef::{MediumMap, medium_maps};
use super::framing::Framing;
use super::state::MAPS;
use super::text::{Charset, full_name, token};
use super::triplet::{self, Triplets, name_type};
use super::{Limits, Report, id, read};
use crate::decode::{Context, Libraries, Shared};
use crate::page::ContentId;

/// The word for a type of resource: for people, and for [`Libraries::find`].
pub fn kind_word(kind: u8) -> &'static str {
    match kind {
        kind::GRAPHICS => "graphics",
        kind::BAR_CODE => "bar-code",
        kind::IMAGE => "image",
        kind::CHARACTER_SET => "character-set",
        kind::CODE_PAGE => "code-page",
        kind::CODED_FONT => "coded-font",
        kind::CONTAINER => "object",
        kind::TEXT => "text",
        kind::DOCUMENT => "document",
        kind::SEGMENT => "page-segment",
        kind::OVERLAY => "overlay",
        kind::PAGE_MAP => "page-definition",
        kind::FORM_MAP => "form-definition",
        kind::MEDIUM_MAP => "medium-map",
        _ => "resource",
    }
}

/// Begin Documents that are told apart at most.
const DOCUMENTS: usize = 255;

/// A resource that the stream brought.
struct Resource {
    kind: u8,
    epoch: u32,
    group: u32,
    /// The number of the first resource with the same content.
    key: usize,
    fields: Arc<Fields>,
}

/// A resource that was found.
#[derive(Clone)]
pub struct Found {
    /// What tells it from others, for caches.
    pub key: u64,
    /// Its fields, Begin and End included.
    pub fields: Arc<Fields>,
}

/// What matters of a Begin Document.
struct Document {
    epoch: u32,
    triplets: Vec<u8>,
    charset: Charset,
}

/// A medium map and when it was brought.
struct BroughtMap {
    epoch: u32,
    group: u32,
    map: Arc<MediumMap>,
    /// The first of its form map.
    is_first: bool,
}

/// Everything that pages share.
pub struct Store {
    /// How the stream holds its fields.
    pub framing: Framing,
    /// What is allowed.
    pub limits: Limits,
    libraries: Arc<dyn Libraries>,
    resources: Vec<Resource>,
    by_name: HashMap<String, Vec<usize>>,
    by_content: HashMap<ContentId, usize>,
    documents: Vec<Document>,
    maps: Vec<BroughtMap>,
    maps_by_name: HashMap<String, Vec<usize>>,
    /// What brought maps last.
    last_maps: Option<ContentId>,
    epoch: u32,
    group: u32,
    bytes: usize,
    caches: Mutex<Caches>,
}

impl Store {
    /// Nothing yet.
    pub fn new(framing: Framing, context: &Context) -> Store {
        Store {
            framing,
            limits: context.limits,
            libraries: context.libraries.clone(),
            resources: Vec::new(),
            by_name: HashMap::new(),
            by_content: HashMap::new(),
            documents: Vec::new(),
            maps: Vec::new(),
            maps_by_name: HashMap::new(),
            last_maps: None,
            epoch: 0,
            group: 0,
            bytes: 0,
            caches: Mutex::default(),
        }
    }

    fn caches(&self) -> MutexGuard<'_, Caches> {
        self.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a shared unit.
    pub fn learn(&mut self, unit: &[u8], report: &mut Report<'_>) {
        self.epoch = self.epoch.saturating_add(1);
        let all = read::fields(unit, self.framing, 0);
        let fields: Vec<Field<'_>> = all.iter().collect();
        let mut at = 0;
        while let Some(field) = fields.get(at) {
            at += 1;
            match field.id {
                id::BRG => self.group = self.group.saturating_add(1),
                id::BDT => self.learn_document(field.data, report),
                id::BRS => {
                    let end = end(&fields, at, id::ERS);
                    self.learn_resource(Some(field), fields.get(at..end).unwrap_or_default(), report);
                    at = end;
                }
                begin if bare_kind(begin).is_some() => {
                    let end = end(&fields, at, id::end_of(begin));
                    let whole = fields.get(at - 1..(end + 1).min(fields.len())).unwrap_or_default();
                    self.learn_resource(None, whole, report);
                    at = end;
                }
                _ => {}
            }
        }
    }

    fn learn_document(&mut self, data: &[u8], report: &mut Report<'_>) {
        let triplets = document_triplets(data);
        if triplets.is_empty() || self.documents.iter().any(|known| known.triplets == triplets) {
            return;
        }
        if self.documents.len() >= DOCUMENTS {
            return report("afp-limit", "more kinds of documents (BDT) than can be told apart".into());
        }
        let charset = Charset::of(&triplets, Charset::Default);
        self.documents.push(Document { epoch: self.epoch, triplets, charset });
    }

    fn learn_resource(&mut self, begin: Option<&Field<'_>>, fields: &[Field<'_>], report: &mut Report<'_>) {
        let first = fields.iter().find(|field| bare_kind(field.id).is_some());
        let by_type = begin.and_then(|begin| triplet::find(begin.data.get(10..)?, triplet::RESOURCE_TYPE)?.first());
        let Some(kind) = by_type.copied().or_else(|| bare_kind(first?.id)) else { return };
        // Streams that were put together bring the same resources again and again.
        let content = content_of(fields);
        let known = self.by_content.get(&content).and_then(|at| Some((*at, self.resources.get(*at)?)));
        let known = known.map(|(at, resource)| (at, resource.fields.clone()));
        let size = if known.is_some() { 48 } else { fields.iter().map(|field| field.data.len() + 48).sum() };
        if self.bytes.saturating_add(size) > self.limits.resource_bytes {
            return report("afp-limit", format!("resources of more than {} bytes", self.limits.resource_bytes));
        }
        self.bytes += size;
        let mut names = begin.map(|begin| names_of(begin.data, 10)).unwrap_or_default();
        names.extend(first.map(|first| names_of(first.data, 8)).unwrap_or_default());
        names.sort();
        names.dedup();
        if matches!(kind, kind::FORM_MAP | kind::MEDIUM_MAP) && self.last_maps != Some(content) {
            self.last_maps = Some(content);
            self.learn_maps(fields, report);
        }
        let number = self.resources.len();
        for name in names {
            self.by_name.entry(name).or_default().push(number);
        }
        let (key, fields) = known.unwrap_or_else(|| {
            let mut kept = Fields::default();
            fields.iter().for_each(|field| kept.push(*field));
            self.by_content.insert(content, number);
            (number, Arc::new(kept))
        });
        self.resources.push(Resource { kind, epoch: self.epoch, group: self.group, key, fields });
    }

    fn learn_maps(&mut self, fields: &[Field<'_>], report: &mut Report<'_>) {
        let in_form_map = fields.iter().any(|field| field.id == id::BFM);
        for (number, map) in medium_maps(fields.iter().copied()).into_iter().enumerate() {
            let latest = self.maps_by_name.get(&map.name).and_then(|numbers| self.maps.get(*numbers.last()?));
            if !in_form_map && latest.is_some_and(|latest| *latest.map == map) {
                continue;
            }
            if self.maps.len() >= usize::from(MAPS) {
                return report("afp-limit", "more medium maps than can be told apart".into());
            }
            let is_first = in_form_map && number == 0;
            let (epoch, group) = (self.epoch, self.group);
            self.maps_by_name.entry(map.name.clone()).or_default().push(self.maps.len());
            self.maps.push(BroughtMap { epoch, group, map: Arc::new(map), is_first });
        }
    }

    /// Whether no shared unit up to `epoch` said the same as this Begin Document; then it must be shared.
    pub fn is_new_document(&self, data: &[u8], epoch: u32) -> bool {
        let triplets = document_triplets(data);
        let known = self.documents.iter().find(|known| known.triplets == triplets);
        !triplets.is_empty() && known.map_or(self.documents.len() < DOCUMENTS, |known| known.epoch > epoch)
    }

    /// The number of a Begin Document, from 1; 0 when it is not known.
    pub fn document(&self, data: &[u8]) -> u8 {
        let triplets = document_triplets(data);
        let at = self.documents.iter().position(|known| known.triplets == triplets);
        at.and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0)
    }

    /// The triplets of a Begin Document by its number.
    pub fn document_triplets(&self, document: u8) -> &[u8] {
        let at = usize::from(document).checked_sub(1);
        at.and_then(|at| self.documents.get(at)).map_or(&[], |document| &document.triplets)
    }

    /// The character set of names in a document.
    pub fn charset(&self, document: u8) -> Charset {
        let at = usize::from(document).checked_sub(1);
        at.and_then(|at| self.documents.get(at)).map_or(Charset::Default, |document| document.charset)
    }

    /// Units that were taken in.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// How many resources a page sees that has so many shared units before it.
    pub fn visible(&self, epoch: u32) -> usize {
        self.resources.partition_point(|resource| resource.epoch <= epoch)
    }

    /// The number of the medium map of this name, from 1; 0 when there is none.
    pub fn map_number(&self, name: &str, epoch: u32) -> u16 {
        // Epochs and groups never go down: the last one that is seen is it.
        let numbers = self.maps_by_name.get(name).map_or(&[][..], Vec::as_slice);
        let seen = numbers.partition_point(|at| self.maps.get(*at).is_some_and(|one| one.epoch <= epoch));
        let best = seen.checked_sub(1).and_then(|last| numbers.get(last));
        best.and_then(|at| u16::try_from(at + 1).ok()).unwrap_or(0)
    }

    /// The medium map of a number; for 0 the first of the form map in force, if there is one.
    pub fn map(&self, number: u16, epoch: u32) -> Option<Arc<MediumMap>> {
        let found = match usize::from(number).checked_sub(1) {
            Some(at) => self.maps.get(at),
            None => {
                let first = self.maps.iter().enumerate().filter(|(_, one)| one.is_first && one.epoch <= epoch);
                first.max_by_key(|(at, one)| (one.group, std::cmp::Reverse(*at))).map(|(_, one)| one)
            }
        };
        found.map(|one| one.map.clone())
    }

    /// A resource of one of these types, the first type that has the name; then from the libraries.
    pub fn find(&self, kinds: &[u8], name: &str, visible: usize) -> Option<Found> {
        kinds
            .iter()
            .find_map(|kind| self.find_in_stream(*kind, name, visible))
            .or_else(|| kinds.iter().find_map(|kind| self.find_in_library(*kind, name)))
    }

    fn find_in_stream(&self, kind: u8, name: &str, visible: usize) -> Option<Found> {
        let numbers = self.by_name.get(name)?;
        let seen = numbers.get(..numbers.partition_point(|number| *number < visible))?;
        // Groups never go down: of the last group that has it, the first one.
        let mut of_kind =
            seen.iter().rev().filter_map(|number| self.resources.get(*number)).filter(|one| one.kind == kind);
        let mut best = of_kind.next()?;
        best = of_kind.take_while(|one| one.group == best.group).last().unwrap_or(best);
        Some(Found { key: best.key as u64, fields: best.fields.clone() })
    }

    /// A resource of the libraries: the first type that has the name.
    pub fn find_outside(&self, kinds: &[u8], name: &str) -> Option<(u8, Found)> {
        kinds.iter().find_map(|kind| Some((*kind, self.find_in_library(*kind, name)?)))
    }

    fn find_in_library(&self, kind: u8, name: &str) -> Option<Found> {
        let key = (kind, name.to_owned());
        if let Some(known) = self.caches().library.get(&key) {
            return known.clone();
        }
        let file = self.libraries.find(kind_word(kind), name).filter(|file| file.len() <= self.limits.object_bytes);
        let mut caches = self.caches();
        let found = file.map(|file| {
            // Keys of library resources lie above those of the stream's.
            caches.library_keys += 1;
            let key = (1 << 32) + caches.library_keys;
            let mut fields = read::file(&file);
            if fields.is_empty() {
                // A file without structured fields: the bare object, such as a TrueType font.
                fields.push(Field { id: id::OCD, data: &file, offset: 0 });
            }
            Found { key, fields: Arc::new(fields) }
        });
        caches.take_file(found.as_ref().map_or(0, |found| found.fields.bytes()));
        caches.library.insert(key, found.clone());
        found
    }

    /// The fonts that these fields map; made once for each different mapping.
    pub fn font_map(&self, fields: &[&Field<'_>], visible: usize, charset: Charset) -> Arc<FontMap> {
        let mut key = Vec::with_capacity(fields.iter().map(|field| field.data.len() + 8).sum());
        for field in fields {
            key.extend_from_slice(&field.id.0);
            key.extend_from_slice(&field.data.len().to_be_bytes());
            key.extend_from_slice(field.data);
        }
        let key = (key, visible);
        if let Some(known) = self.caches().maps.get(&key) {
            return known.clone();
        }
        let made = Arc::new(FontMap::of(fields.iter().map(|field| **field), charset));
        let mut caches = self.caches();
        if caches.maps.len() >= FONTS_CACHED {
            caches.maps.clear();
        }
        caches.maps.insert(key, made.clone());
        made
    }

    /// The font that a local id is mapped to.
    pub fn open_font(&self, mapped: &Mapped, visible: usize) -> Arc<Opened> {
        mapped.opened.get_or_init(|| self.font(&mapped.request, visible)).clone()
    }

    fn font(&self, request: &FontRequest, visible: usize) -> Arc<Opened> {
        let key = (request.clone(), visible);
        if let Some(known) = self.caches().fonts.get(&key) {
            return known.clone();
        }
        let mut reports = Vec::new();
        let font = ActiveFont::open(request, &View { store: self, visible }, &mut |code, detail| {
            reports.push((code, detail));
        });
        let opened = Arc::new(Opened { font: Arc::new(font), reports });
        let mut caches = self.caches();
        if caches.fonts.len() >= FONTS_CACHED {
            caches.fonts.clear();
        }
        caches.fonts.insert(key, opened.clone());
        opened
    }

    /// The font of text that selects none.
    pub fn default_font(&self) -> Arc<ActiveFont> {
        if let Some(known) = &self.caches().default_font {
            return known.clone();
        }
        let source = View { store: self, visible: 0 };
        let font = Arc::new(ActiveFont::open(&FontRequest::default(), &source, &mut |_, _| {}));
        self.caches().default_font = Some(font.clone());
        font
    }

    /// A form, drawn by `draw` when nobody did before.
    pub fn form(&self, key: FormKey, draw: impl FnOnce() -> Drawn) -> Arc<Drawn> {
        if let Some(known) = self.caches().forms.get(&key) {
            return known.clone();
        }
        // Not under the lock: forms include forms. Two threads may draw the same one; both are right.
        let drawn = Arc::new(draw());
        let mut caches = self.caches();
        if drawn.keep && caches.take_drawn(&drawn.form.elements) {
            caches.forms.insert(key, drawn.clone());
        }
        drawn
    }

    /// Elements of an included object, drawn by `draw` when nobody did before.
    pub fn include(&self, key: IncludeKey, draw: impl FnOnce() -> Included) -> Arc<Included> {
        if let Some(known) = self.caches().includes.get(&key) {
            return known.clone();
        }
        let drawn = Arc::new(draw());
        let mut caches = self.caches();
        if drawn.keep && caches.take_drawn(&drawn.elements) {
            caches.includes.insert(key, drawn.clone());
        }
        drawn
    }
}

/// What the pages of one stream share, for everyone who decodes a part of it.
pub struct SharedStore(pub Arc<Store>);

impl Shared for SharedStore {
    fn weight(&self) -> usize {
        // Open fonts and decoded pictures take about as much again as what they were made from.
        let caches = self.0.caches();
        let kept = caches.library_bytes.saturating_add(caches.drawn_bytes);
        self.0.bytes.saturating_mul(2).saturating_add(kept)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What tells resources of the same bytes.
fn content_of(fields: &[Field<'_>]) -> ContentId {
    let mut parts: Vec<&[u8]> = Vec::with_capacity(fields.len() * 2);
    for field in fields {
        parts.push(&field.id.0);
        parts.push(field.data);
    }
    ContentId::of(&parts)
}

/// Where the End field `end` stands in `fields` from `at` on; their number when it is missing.
pub fn end(fields: &[Field<'_>], at: usize, end: super::field::FieldId) -> usize {
    let rest = fields.get(at..).unwrap_or_default();
    rest.iter().position(|field| field.id == end).map_or(fields.len(), |found| at + found)
}

/// The triplets of a Begin Document that change how it is read.
pub fn document_triplets(data: &[u8]) -> Vec<u8> {
    const INTERCHANGE_SET: u8 = 0x18;
    let mut kept = Vec::new();
    for one in Triplets(data.get(10..).unwrap_or_default()) {
        if matches!(one.id, triplet::CHARACTER_SET | INTERCHANGE_SET) {
            kept.push(u8::try_from(one.data.len() + 2).unwrap_or(0));
            kept.push(one.id);
            kept.extend_from_slice(one.data);
        }
    }
    kept
}

/// The type of a resource by the field that it begins with.
pub fn bare_kind(begin: super::field::FieldId) -> Option<u8> {
    Some(match begin {
        id::BFN => kind::CHARACTER_SET,
        id::BCP => kind::CODE_PAGE,
        id::BCF => kind::CODED_FONT,
        id::BMO => kind::OVERLAY,
        id::BPS => kind::SEGMENT,
        id::BFM => kind::FORM_MAP,
        id::BPM => kind::PAGE_MAP,
        id::BMM => kind::MEDIUM_MAP,
        id::BOC => kind::CONTAINER,
        id::BIM | id::BII => kind::IMAGE,
        id::BGR => kind::GRAPHICS,
        id::BBC => kind::BAR_CODE,
        id::BPT => kind::TEXT,
        _ => return None,
    })
}

/// All names of a Begin field: its token, and what fully qualified names call it.
pub fn names_of(data: &[u8], triplets_at: usize) -> Vec<String> {
    let triplets = data.get(triplets_at..).unwrap_or_default();
    let mut names: Vec<String> = token(data, Charset::Default).into_iter().collect();
    for (kind, name) in triplet::names(triplets) {
        if matches!(kind, name_type::REPLACE | name_type::OTHER_OBJECT | name_type::EXTERNAL | name_type::RESOURCE) {
            names.push(full_name(name, triplets, Charset::Default));
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Fonts as a page finds them.
struct View<'s> {
    store: &'s Store,
    visible: usize,
}

impl FontSource for View<'_> {
    fn font_resource(&self, kind: u8, name: &str) -> Option<Arc<Fields>> {
        self.store.find(&[kind], name, self.visible).map(|found| found.fields)
    }

    fn font_file(&self, name: &str) -> Option<Arc<Vec<u8>>> {
        let found = self.store.find(&[kind::CONTAINER], name, self.visible)?;
        if let Some(known) = self.store.caches().files.get(&found.key) {
            return Some(known.clone());
        }
        let file = Arc::new(found.fields.joined(id::OCD));
        let mut caches = self.store.caches();
        caches.take_file(file.len());
        caches.files.insert(found.key, file.clone());
        Some(file)
    }
}
