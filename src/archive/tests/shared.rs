//! What units share: a small format of our own whose pages need the resources before them.

use std::any::Any;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering as Order};

use super::crash::at_every_write_of;
use super::*;
use crate::decode::{
    Before, Context, DecodeError, Decoder, Format, Libraries, ReadSpec, Sample, Shared, Sniff, Start, Unit, UnitKind,
};
use crate::frame::codepage::CodePage;
use crate::note::Notes;
use crate::page::{Color, Element, Lu, Page, Rule};

/// Units are a letter, eight digits of length, and that many bytes: `R` is a resource, `P` a page, `J` junk. A page that
/// says `lib:NAME` needs an overlay of a library.
struct Fake;

static FAKE: Fake = Fake;
static FORMATS_OF_TEST: &[&dyn Format] = &[&FAKE];
/// How often shared units were taken apart, all tests together.
static SHARES: AtomicUsize = AtomicUsize::new(0);

const HEAD: usize = 9;

/// A sum over the bytes of the first, of the first two ... resources: enough to tell whether a page saw the right ones.
/// How many it may see is the page's `resume`.
#[derive(Clone, Default)]
struct Known(Vec<u64>);

impl Known {
    fn learn(&mut self, unit: &[u8]) {
        self.0.push(mixed(self.of(self.0.len()), unit));
    }

    fn of(&self, count: usize) -> u64 {
        count.checked_sub(1).and_then(|last| self.0.get(last)).copied().unwrap_or(0)
    }
}

fn mixed(sum: u64, unit: &[u8]) -> u64 {
    unit.iter().fold(sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
}

impl Shared for Known {
    fn weight(&self) -> usize {
        8
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct FakeDecoder {
    bytes: Vec<u8>,
    at: usize,
    start: Start,
    pages: u64,
    known: Known,
    resume: u64,
    libraries: Arc<dyn Libraries>,
    text: bool,
}

fn unit_length(bytes: &[u8]) -> usize {
    let digits = bytes.get(1..HEAD).and_then(|digits| std::str::from_utf8(digits).ok());
    let length = digits.and_then(|digits| digits.parse::<usize>().ok());
    length.map_or(bytes.len(), |length| (HEAD + length).min(bytes.len()))
}

impl Format for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn sniff(&self, _: &Sample<'_>, hint: &ReadSpec) -> Sniff {
        let read = ReadSpec { format: Some("fake".into()), ..hint.clone() };
        Sniff { confidence: 1.0, read, evidence: Vec::new() }
    }
    fn open<'a>(
        &self,
        mut input: Box<dyn Read + Send + 'a>,
        start: Start,
        _: &ReadSpec,
        context: &Context,
    ) -> Result<Box<dyn Decoder + 'a>, DecodeError> {
        let mut bytes = Vec::new();
        let read = input.read_to_end(&mut bytes);
        read.map_err(|source| DecodeError::Read { at: Default::default(), source })?;
        let shared = context.shared.as_ref().and_then(|shared| shared.as_any().downcast_ref::<Known>());
        let known = shared.cloned().unwrap_or_default();
        let libraries = context.libraries.clone();
        Ok(Box::new(FakeDecoder {
            bytes,
            at: 0,
            start,
            pages: start.pages,
            known,
            resume: start.resume,
            libraries,
            text: true,
        }))
    }
    fn share(
        &self,
        units: &mut dyn Iterator<Item = Vec<u8>>,
        _: &ReadSpec,
        _: &Context,
    ) -> Result<Option<Arc<dyn Shared>>, DecodeError> {
        SHARES.fetch_add(1, Order::Relaxed);
        let mut known = Known::default();
        units.for_each(|units| known.learn(&units));
        Ok(Some(Arc::new(known)))
    }
    fn encloses(&self) -> bool {
        true
    }
    fn standalone(
        &self,
        before: Before<'_>,
        document: Vec<u8>,
        _: Start,
        _: &ReadSpec,
        _: &Context,
    ) -> Result<Vec<u8>, DecodeError> {
        let mut whole: Vec<u8> = before.shared.flatten().collect();
        whole.extend(document);
        Ok(whole)
    }
}

impl Decoder for FakeDecoder {
    fn code_page(&self) -> &'static CodePage {
        CodePage::find("iso-8859-1").expect("a known page")
    }
    fn next(&mut self, unit: &mut Unit, _: &mut Notes) -> Result<bool, DecodeError> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return Ok(false);
        }
        let bytes = rest[..unit_length(rest)].to_vec();
        let from = self.start.byte + self.at as u64;
        self.at += bytes.len();
        let kind = if bytes[0] == b'P' { UnitKind::Page } else { UnitKind::Outside };
        self.pages += u64::from(kind == UnitKind::Page);
        let shared = bytes[0] == b'R';
        if shared {
            self.resume += 1;
            if self.known.0.len() < self.resume as usize {
                self.known.learn(&bytes);
            }
        }
        if let Some(name) = library_name(&bytes) {
            self.libraries.find("overlay", name);
        }
        *unit =
            Unit { kind, span: from..from + bytes.len() as u64, page: self.pages, shared, bytes, ..Unit::default() };
        Ok(true)
    }
    fn want_text(&mut self, wanted: bool) {
        self.text = wanted;
    }
    fn page(&self, unit: &Unit, _: &mut Notes) -> Page {
        let mut sum = self.known.of(unit.resume as usize);
        if let Some(found) = library_name(&unit.bytes).and_then(|name| self.libraries.find("overlay", name)) {
            sum = mixed(sum, &found);
        }
        sum = mixed(sum, &unit.bytes);
        let size = |shift: u32| Lu((sum >> shift) as u32 as i32);
        let rule =
            Rule { x: size(0), y: size(32), width: Lu(1), height: Lu(1), color: Color::BLACK, decoration: false };
        Page { width: Lu(1), height: Lu(1), elements: vec![Element::Rule(rule)] }
    }
}

fn library_name(unit: &[u8]) -> Option<&str> {
    std::str::from_utf8(unit).ok()?.get(HEAD..)?.strip_prefix("lib:")?.split(' ').next()
}

fn unit(kind: char, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{kind}{:08}", payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Resources, then pages with a small resource in their middle.
fn stream(resources: &[Vec<u8>], pages: u32, what: &str) -> Vec<u8> {
    let mut bytes = unit('J', b"leading junk");
    for resource in resources {
        bytes.extend(unit('R', resource));
    }
    for page in 1..=pages {
        bytes.extend(unit('P', format!("page {page} of {what} {}", "text ".repeat(200)).as_bytes()));
        if page == pages / 2 {
            bytes.extend(unit('R', b"a small resource"));
            bytes.extend(unit('R', &noise(20_000, 77)));
        }
    }
    bytes
}

/// A document a page.
const PAGES: &str = "name = \"pages\"\ntitle = \"Pages\"\n[document]\nstart = \"pages\"\npages = 1\n";

fn prepared(engine: Arc<dyn Engine>, sizes: Sizes) -> Archive {
    let mut archive = archive_on(engine, sizes);
    archive.formats = FORMATS_OF_TEST;
    archive.add_definition(&Definition::parse(PAGES, "pages.toml").expect("sound")).expect("added");
    archive
}

fn fake(sizes: Sizes) -> Archive {
    prepared(Arc::new(Memory::default()), sizes)
}

fn load_pages(archive: &Archive, bytes: &[u8]) -> LoadRow {
    let outcome = try_load(archive, bytes, Some("pages")).expect("loads");
    assert!(!outcome.duplicate);
    outcome.row
}

fn resource_bytes(archive: &Archive) -> usize {
    rows_of(archive, Family::Resources).iter().map(|(key, value)| key.len() + value.len()).sum()
}

fn page_of(archive: &Archive, id: DocId) -> Page {
    archive.pages(&Permit::for_tests(id)).expect("opens").get(0).expect("a page")
}

/// The pages of a whole stream, decoded from its beginning.
fn pages_of(bytes: &[u8]) -> Vec<Page> {
    let read = ReadSpec::default();
    let opened = FAKE.open(Box::new(bytes), Start::default(), &read, &Context::default());
    let (mut decoder, mut unit, mut notes) = (opened.expect("opens"), Unit::default(), Notes::default());
    let mut pages = Vec::new();
    while decoder.next(&mut unit, &mut notes).expect("decodes") {
        if unit.kind == UnitKind::Page {
            pages.push(decoder.page(&unit, &mut notes));
        }
    }
    pages
}

const BIG: Sizes = Sizes { context_bytes: 300_000, spill_bytes: 100_000, training_bytes: 1 << 30 };

#[test]
fn a_page_cut_from_the_middle_looks_as_in_its_stream() {
    for sizes in [SIZES, TINY, BIG] {
        let archive = fake(sizes);
        let bytes = stream(&[noise(1 << 20, 1), noise(3_000, 2), noise(70_000, 3)], 400, "first");
        let row = load_pages(&archive, &bytes);
        assert_eq!((row.documents, row.pages), (400, 400));
        let pages = pages_of(&bytes);
        assert_ne!(pages[0].elements, pages[300].elements);
        for ordinal in [1, 2, 199, 200, 201, 202, 399, 400] {
            let page = page_of(&archive, DocId { load: row.id, ordinal });
            assert!(page == pages[ordinal as usize - 1], "page {ordinal}");
        }
        assert!(export(&archive, row.id) == bytes);
        assert_sound(&archive);
    }
}

#[test]
fn what_units_share_is_taken_apart_once_for_many_documents() {
    let archive = fake(SIZES);
    let row = load_pages(&archive, &stream(&[noise(100_000, 4)], 100, "cached"));
    assert_eq!(archive.info(row.id).expect("there").shared.len(), 3);
    let before = SHARES.load(Order::Relaxed);
    for ordinal in 1..=50 {
        page_of(&archive, DocId { load: row.id, ordinal });
    }
    // Other tests run beside this one and count too; fifty documents of one load do not make fifty.
    let cached = archive.shared.get(&row.id).expect("kept");
    assert!(cached.is_some() && SHARES.load(Order::Relaxed) >= before);
    let shared = archive.context(&archive.info(row.id).expect("there"), &FAKE).expect("a context").shared;
    let again = archive.context(&archive.info(row.id).expect("there"), &FAKE).expect("a context").shared;
    assert!(Arc::ptr_eq(&shared.expect("shared"), &again.expect("shared")));
}

#[test]
fn two_loads_with_the_same_resources_store_them_once_and_each_outlives_the_other() {
    for sizes in [SIZES, BIG] {
        let archive = fake(sizes);
        let resources = [noise(1 << 20, 5)];
        let (first, second) = (stream(&resources, 50, "one"), stream(&resources, 60, "two"));
        let one = load_pages(&archive, &first);
        let alone = resource_bytes(&archive);
        assert!(alone > 1 << 20);
        let two = load_pages(&archive, &second);
        let both = resource_bytes(&archive);
        assert!(both < alone + 4_000, "{alone} alone, {both} both");
        assert!(two.stored_bytes < 100_000 && one.stored_bytes > 1 << 20, "the first to bring them is charged");
        assert_sound(&archive);
        archive.unload(one.id, "test").expect("unloads");
        assert!(export(&archive, two.id) == second);
        assert_eq!(page_of(&archive, DocId { load: two.id, ordinal: 60 }), pages_of(&second)[59]);
        assert_sound(&archive);
        let again = load_pages(&archive, &first);
        assert!(resource_bytes(&archive) < alone + 4_000);
        archive.unload(two.id, "test").expect("unloads");
        assert!(export(&archive, again.id) == first);
        archive.unload(again.id, "test").expect("unloads");
        assert_eq!(rows_of(&archive, Family::Resources), Vec::new(), "nothing is left");
        assert_sound(&archive);
    }
}

#[test]
fn a_stream_of_resources_alone_and_one_that_repeats_them_come_back() {
    let archive = fake(TINY);
    let resource = unit('R', &noise(200_000, 6));
    let mut repeated = Vec::new();
    for page in 0..20 {
        repeated.extend_from_slice(&resource);
        repeated.extend(unit('P', format!("page {page}").as_bytes()));
    }
    for bytes in [resource.clone(), repeated] {
        let row = load_pages(&archive, &bytes);
        assert!(export(&archive, row.id) == bytes);
        assert!(resource_bytes(&archive) < 210_000);
    }
    assert_sound(&archive);
}

#[test]
fn a_load_with_resources_that_dies_at_any_write_harms_no_other() {
    let resources = [noise(600_000, 7), noise(50_000, 8)];
    let (first, second) = (stream(&resources, 20, "kept"), stream(&resources[..1], 2_000, "dies"));
    at_every_write_of(
        |engine| {
            let archive = prepared(engine, TINY);
            load_pages(&archive, &first);
            archive
        },
        |archive| archive.formats = FORMATS_OF_TEST,
        |archive| try_load(archive, &second, Some("pages")).is_ok() && archive.unload(LoadId(1), "test").is_ok(),
        |archive, done| {
            let kept = archive.load_row(LoadId(1));
            assert!(!done || kept.is_err());
            if kept.is_ok() {
                assert!(export(archive, LoadId(1)) == first);
            }
            let again = try_load(archive, &second, Some("pages")).expect("the second try succeeds");
            assert!(export(archive, again.row.id) == second);
            archive.unload(again.row.id, "test").expect("unloads");
            if kept.is_ok() {
                archive.unload(LoadId(1), "test").expect("unloads");
            }
            assert_eq!(rows_of(archive, Family::Resources), Vec::new());
            assert_sound(archive);
        },
    );
}

#[test]
fn loads_that_bring_the_same_resources_at_once_and_unloads_between_them_agree() {
    let archive = fake(TINY);
    let resources = [noise(400_000, 9)];
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (archive, resources) = (&archive, &resources);
            scope.spawn(move || {
                for turn in 0..4 {
                    let bytes = stream(resources, 30, &format!("{thread} {turn}"));
                    let row = load_pages(archive, &bytes);
                    assert!(export(archive, row.id) == bytes);
                    if turn < 3 {
                        archive.unload(row.id, "test").expect("unloads");
                    }
                }
            });
        }
    });
    assert_eq!(archive.stats().expect("figures").loads, 4);
    assert!(resource_bytes(&archive) < 450_000);
    assert_sound(&archive);
}

#[test]
fn a_flipped_bit_and_a_lost_mark_of_a_resource_are_found() {
    let archive = fake(SIZES);
    let row = load_pages(&archive, &stream(&[noise(300_000, 10)], 3, "checked"));
    for (key, value) in rows_of(&archive, Family::Resources) {
        let put = |value: &[u8]| {
            let mut batch = Batch::default();
            batch.put(Family::Resources, key.clone(), value);
            archive.engine.commit(batch).expect("writes");
        };
        let mut flipped = value.clone();
        let last = flipped.len() - 1;
        flipped[last] ^= 1;
        put(&flipped);
        assert!(!archive.verify(&|_| {}).errors.is_empty());
        let mut batch = Batch::default();
        batch.delete(Family::Resources, key.clone());
        archive.engine.commit(batch).expect("writes");
        assert!(!archive.verify(&|_| {}).errors.is_empty());
        put(&value);
    }
    assert_sound(&archive);
    let mut batch = Batch::default();
    batch.delete(Family::Loads, keys::resource_table(row.id));
    archive.engine.commit(batch).expect("writes");
    assert!(!archive.verify(&|_| {}).errors.is_empty());
}

#[test]
fn a_document_stands_alone_with_what_it_needs_before_it() {
    let archive = fake(SIZES);
    let bytes = stream(&[noise(50_000, 11)], 40, "alone");
    let row = load_pages(&archive, &bytes);
    let pages = pages_of(&bytes);
    for ordinal in [1, 20, 21, 40] {
        let permit = Permit::for_tests(DocId { load: row.id, ordinal });
        let whole = archive.standalone(&permit).expect("stands alone").expect("is made");
        assert_eq!(pages_of(&whole), pages[ordinal as usize - 1..ordinal as usize], "document {ordinal}");
        let raw = archive.read(&permit).expect("opens").into_vec().expect("reads");
        assert!(raw.len() < 2_000 && whole.ends_with(&raw));
    }
}

/// A library whose overlays change.
struct Shelf(Mutex<Vec<u8>>);

impl Libraries for Shelf {
    fn find(&self, kind: &str, name: &str) -> Option<Arc<[u8]>> {
        let content = self.0.lock().expect("no panic").clone();
        (kind == "overlay" && name == "FORM1" && !content.is_empty()).then(|| content.into())
    }
}

#[test]
fn what_a_load_took_from_a_library_is_kept_with_it() {
    let shelf = Arc::new(Shelf(Mutex::new(b"the form of March".to_vec())));
    let archive = fake(SIZES).with_libraries(shelf.clone());
    let bytes: Vec<u8> = [unit('P', b"lib:FORM1 a page"), unit('P', b"lib:OTHER a page")].concat();
    let row = load_pages(&archive, &bytes);
    let page = page_of(&archive, DocId { load: row.id, ordinal: 1 });
    assert_eq!(archive.info(row.id).expect("there").stored.library.len(), 1);
    let change = |content: &[u8]| *shelf.0.lock().expect("no panic") = content.to_vec();
    change(b"the form of April");
    assert_eq!(page_of(&archive, DocId { load: row.id, ordinal: 1 }), page, "it looks as it did when it was loaded");
    let newer = PAGES.replace("\"Pages\"", "\"Pages anew\"");
    archive.add_definition(&Definition::parse(&newer, "pages.toml").expect("sound")).expect("added");
    archive.resplit(row.id, 2).expect("cuts anew");
    assert_eq!(page_of(&archive, DocId { load: row.id, ordinal: 1 }), page);
    assert_eq!(archive.info(row.id).expect("there").stored.library.len(), 1);
    let later = load_pages(&archive, &[bytes.clone(), unit('P', b"one more")].concat());
    assert_ne!(page_of(&archive, DocId { load: later.id, ordinal: 1 }), page);
    assert_sound(&archive);
    archive.unload(row.id, "test").expect("unloads");
    archive.unload(later.id, "test").expect("unloads");
    assert_eq!(rows_of(&archive, Family::Resources), Vec::new());
}

#[test]
fn an_archive_without_resources_keeps_the_first_layout() {
    let engine = Arc::new(Memory::default());
    let mut batch = Batch::default();
    rows::put_number(&mut batch, Family::Settings, keys::LAYOUT_KEY.to_vec(), 1);
    engine.commit(batch).expect("writes");
    let mut archive = Archive::on_engine(engine, Path::new("nowhere")).expect("opens");
    archive.formats = FORMATS_OF_TEST;
    archive.add_definition(&Definition::parse(PAGES, "pages.toml").expect("sound")).expect("added");
    let layout = |archive: &Archive| {
        let value = archive.engine.get(Family::Settings, keys::LAYOUT_KEY).expect("reads").expect("there");
        rows::number("layout", keys::LAYOUT_KEY, &value).expect("a number")
    };
    load_pages(&archive, &stream(&[], 1, "small"));
    assert_eq!(layout(&archive), 1);
    load_pages(&archive, &stream(&[noise(10_000, 12)], 1, "with"));
    assert_eq!(layout(&archive), 2);
}
