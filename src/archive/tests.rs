//! The archive's promises, on both stores where that matters.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use super::kv::memory::Memory;
use super::kv::{StoreError, Write};
use super::*;
use crate::auth::gate::Permit;
use crate::render::Pages;

mod columns;
mod compact;
mod crash;
mod detect;
mod hostile;
mod large;
mod shared;

const STATEMENTS: &str = include_str!("../../indexers/great-lakes-statement.toml");
const NAME: &str = "great-lakes-statement";

/// Statements in the layout of Great Lakes Mutual Bank; every third has two pages.
fn statements(count: u32) -> Vec<u8> {
    let mut out = String::new();
    for n in 1..=count {
        let pages = if n % 3 == 0 { 2 } else { 1 };
        for page in 1..=pages {
            out +=
                &format!("1GREAT LAKES MUTUAL BANK{:<40}STATEMENT OF ACCOUNT{:<16}PAGE {page:>3} OF {pages}\n", "", "");
            out += &format!(
                " ACCOUNT NO  {:<20} STATEMENT DATE {:02}/28/2024\n",
                format!("{n:06}-{:04}-{}", n % 10_000, n % 10),
                n % 12 + 1
            );
            if page == 1 {
                out += &format!("-    Person {n}\n     {n} Birch St\n     Dayton OH 45402\n");
                out += &format!("0{:<69}{:>16}\n", "BALANCE FORWARD", "100.00");
            }
            out += &format!("0DATE   DESCRIPTION{:<60}AMOUNT\n", "");
            for row in 0..5 {
                let hash = u64::from(n * 10 + row).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                out += &format!(
                    "  01/{:02}  CARD PURCHASE {hash:<50}{:>16}\n",
                    row + 1,
                    format!("{}.{:02}-", hash % 999, hash % 100)
                );
            }
        }
        out += &format!("0{:<69}{:>16}\n", "CLOSING BALANCE", format!("{}.{:02}", n * 3, n % 100));
    }
    out.into_bytes()
}

/// Small sizes, so that a small stream goes the way of a big one.
const TINY: Sizes = Sizes { context_bytes: 300_000, spill_bytes: 2_000, training_bytes: 100_000 };

fn archive_on(engine: Arc<dyn Engine>, sizes: Sizes) -> Archive {
    let mut archive = Archive::on_new_engine(engine, Path::new("nowhere")).expect("an archive");
    archive.sizes = sizes;
    let definition = Definition::parse(STATEMENTS, "great-lakes-statement.toml").expect("a sound definition");
    archive.add_definition(&definition).expect("added");
    archive
}

fn in_memory() -> Archive {
    archive_on(Arc::new(Memory::default()), SIZES)
}

fn try_load(archive: &Archive, bytes: &[u8], definition: Option<&str>) -> Result<LoadOutcome, LoadError> {
    let source = LoadSource { name: "s.txt".into(), reader: Box::new(bytes), total: Some(bytes.len() as u64) };
    archive.load(source, definition, &|_| {})
}

fn load(archive: &Archive, bytes: &[u8]) -> LoadRow {
    let outcome = try_load(archive, bytes, Some(NAME)).expect("loads");
    assert!(!outcome.duplicate);
    outcome.row
}

fn export(archive: &Archive, load: LoadId) -> Vec<u8> {
    let mut out = Vec::new();
    archive.export_load(load, &mut out).expect("exports");
    out
}

fn assert_sound(archive: &Archive) {
    let report = archive.verify(&|_| {});
    assert_eq!(report.errors, Vec::new());
}

fn all_documents(archive: &Archive, load: LoadId) -> Vec<Document> {
    let mut all = Vec::new();
    let mut each = |document| {
        all.push(document);
        ControlFlow::Continue(())
    };
    archive.documents(load, &mut each).expect("documents");
    all
}

/// Every key and value of a family.
fn rows_of(archive: &Archive, family: Family) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    let mut each = |key: &[u8], value: &[u8]| {
        rows.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    };
    archive.engine.scan(family, &[]..&[], &mut each).expect("scans");
    rows
}

#[test]
fn a_stream_comes_back_byte_for_byte_on_every_way_of_storing() {
    for (count, sizes) in [(3, SIZES), (700, SIZES), (3_000, SIZES), (3_000, TINY), (6_000, SIZES)] {
        let archive = archive_on(Arc::new(Memory::default()), sizes);
        let bytes = statements(count);
        let row = load(&archive, &bytes);
        assert_eq!((row.documents, row.bytes), (count, bytes.len() as u64));
        assert_eq!(row.pages, u64::from(count + count / 3));
        assert!(export(&archive, row.id) == bytes, "{count} statements");
        assert_sound(&archive);
    }
}

#[test]
fn documents_are_where_the_catalogue_says_with_their_fields() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    let bytes = statements(2_000);
    let row = load(&archive, &bytes);
    let all = all_documents(&archive, row.id);
    assert_eq!(all.len(), 2_000);
    for ordinal in [1, 2, 3, 255, 256, 257, 1_999, 2_000] {
        let id = DocId { load: row.id, ordinal };
        let document = archive.document(id).expect("there");
        assert_eq!(document, all[ordinal as usize - 1]);
        let account = format!("{ordinal:06}-{:04}-{}", ordinal % 10_000, ordinal % 10);
        assert_eq!(document.account.as_deref(), Some(account.as_str()));
        let read = archive.read(&Permit::for_tests(id)).expect("opens").into_vec().expect("reads");
        let span = document.span.start as usize..document.span.end as usize;
        assert!(read == bytes[span]);
        assert!(String::from_utf8_lossy(&read).contains(&account));
    }
    for ordinal in [0, 2_001, u32::MAX] {
        let missing = archive.document(DocId { load: row.id, ordinal });
        assert!(matches!(missing, Err(ArchiveError::NoDocument(_))), "{ordinal}");
    }
    assert!(matches!(archive.document(DocId { load: LoadId(9), ordinal: 1 }), Err(ArchiveError::NoDocument(_))));
}

#[test]
fn pages_and_texts_of_a_document_are_its_own() {
    let archive = in_memory();
    let row = load(&archive, &statements(30));
    let permit = Permit::for_tests(DocId { load: row.id, ordinal: 6 });
    let mut pages = archive.pages(&permit).expect("opens");
    assert_eq!(pages.count(), 2);
    let second = pages.get(1).expect("the second page");
    let first = pages.get(0).expect("back to the first");
    assert_ne!(first, second);
    assert!(pages.get(2).is_err());
    let mut texts = Vec::new();
    let mut each = |number, text: &str| {
        texts.push((number, text.to_string()));
        ControlFlow::Continue(())
    };
    archive.texts(&permit, &mut each).expect("reads");
    assert_eq!(texts.len(), 2);
    assert!(texts[0].1.contains("000006-0006-6") && texts[0].1.contains("PAGE   1 OF 2"), "{}", texts[0].1);
    assert!(texts[1].1.contains("PAGE   2 OF 2") && texts[1].1.contains("CLOSING BALANCE"), "{}", texts[1].1);
}

#[test]
fn any_page_of_a_long_document_is_read_without_the_others() {
    let mut bytes = Vec::new();
    for page in 1..=1_000 {
        bytes.extend(format!("1THE LONG REPORT, PAGE {page}\n").into_bytes());
        (0..40).for_each(|row| bytes.extend(format!("  row {row} of page {page}\n").into_bytes()));
    }
    let archive = in_memory();
    let row = try_load(&archive, &bytes, None).expect("loads").row;
    assert_eq!((row.definition.as_str(), row.documents, row.pages), ("unidentified", 1, 1_000));
    let permit = Permit::for_tests(DocId { load: row.id, ordinal: 1 });
    let document = archive.document(permit.document()).expect("there");
    let mut pages = archive.pages(&permit).expect("opens");
    let (mark, start) = pages.start_of(700);
    assert!(mark > 700 - crate::index::PAGES_PER_MARK && start > document.span.end / 2, "page {mark}, byte {start}");
    for number in [700, 701, 3, 999, 0] {
        let page = format!("{:?}", pages.get(number).expect("a page"));
        assert!(
            page.contains(&format!("THE LONG REPORT, PAGE {}\\\"", number + 1))
                || page.contains(&format!("PAGE {}\"", number + 1)),
            "{number}: {page}"
        );
    }
}

#[test]
fn the_same_stream_for_the_same_definition_loads_once() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    let bytes = statements(1_000);
    let first = load(&archive, &bytes);
    let (blocks, changes) = (rows_of(&archive, Family::Blocks), archive.last_seq());
    let again = try_load(&archive, &bytes, Some(NAME)).expect("loads");
    assert_eq!((again.duplicate, &again.row), (true, &first));
    assert_eq!(rows_of(&archive, Family::Blocks), blocks);
    assert_eq!(archive.last_seq(), changes);
    let whole = try_load(&archive, &bytes, Some("unidentified")).expect("loads");
    assert!(!whole.duplicate, "another definition is another load");
    assert_eq!(archive.stats().expect("figures").loads, 2);
    assert_sound(&archive);
}

#[test]
fn a_definition_recognises_its_stream_and_other_streams_are_kept_whole() {
    let archive = in_memory();
    let known = try_load(&archive, &statements(5), None).expect("loads").row;
    assert_eq!((known.definition.as_str(), known.definition_version, known.documents), (NAME, 1, 5));
    let other = try_load(&archive, b"1SOMETHING ELSE\n  entirely\n", None).expect("loads").row;
    assert_eq!((other.definition.as_str(), other.documents), ("unidentified", 1));
    assert!(matches!(try_load(&archive, b"", None), Err(LoadError::Empty)));
    assert!(matches!(
        try_load(&archive, b"x", Some("no-such-report")),
        Err(LoadError::Archive(ArchiveError::NoDefinition { .. }))
    ));
}

#[test]
fn bytes_that_nobody_understands_come_back_too() {
    let archive = in_memory();
    let mut seed = 7_u64;
    let noise: Vec<u8> = (0..300_000)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        })
        .collect();
    for bytes in [noise, vec![0x1A], vec![0; 70_000], b"\x0c\x0c\x0c\n\x0c".to_vec()] {
        let row = try_load(&archive, &bytes, None).expect("loads").row;
        assert!(export(&archive, row.id) == bytes);
    }
    assert_sound(&archive);
}

#[test]
fn an_unloaded_load_leaves_nothing_but_a_tombstone_and_can_come_again() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    let kept = load(&archive, &statements(20));
    let gone = load(&archive, &statements(1_000));
    let before = archive.last_seq();
    let stone = archive.unload(gone.id, "loaded by mistake").expect("unloads");
    assert_eq!((stone.load, stone.documents, stone.reason.as_str()), (gone.id, 1_000, "loaded by mistake"));
    assert_eq!(archive.tombstones().expect("reads"), vec![stone]);
    assert_eq!(archive.changes_after(before).expect("reads"), vec![(Seq(before.0 + 1), Change::Unloaded(gone.id))]);
    let prefix = gone.id.0.to_be_bytes();
    for family in [Family::Blocks, Family::Documents] {
        assert!(rows_of(&archive, family).iter().all(|(key, _)| !key.starts_with(&prefix)), "{family:?}");
    }
    assert!(matches!(archive.export_load(gone.id, &mut Vec::new()), Err(ArchiveError::NoLoad(_))));
    assert!(archive.read(&Permit::for_tests(DocId { load: gone.id, ordinal: 1 })).is_err());
    assert!(matches!(archive.unload(gone.id, "twice"), Err(ArchiveError::NoLoad(_))));
    let again = load(&archive, &statements(1_000));
    assert!(again.id > gone.id, "a number is never used again");
    assert_eq!(export(&archive, kept.id), statements(20));
    assert_sound(&archive);
}

#[test]
fn a_new_cut_changes_documents_and_leaves_the_blocks_alone() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    let bytes = statements(600);
    let row = load(&archive, &bytes);
    let blocks = rows_of(&archive, Family::Blocks);
    let newer = STATEMENTS.replace("title = \"{name} {account} {date}\"", "title = \"Statement {account}\"");
    assert_ne!(newer, STATEMENTS);
    let newer = Definition::parse(&newer, "newer.toml").expect("sound");
    assert_eq!(archive.add_definition(&newer).expect("added").version, 2);
    assert_eq!(archive.add_definition(&newer).expect("added").version, 2, "the same source is the same version");
    let before = archive.last_seq();
    let cut = archive.resplit(row.id, 2).expect("cuts anew");
    assert_eq!((cut.definition_version, cut.documents, &cut.sha256), (2, 600, &row.sha256));
    assert_eq!(rows_of(&archive, Family::Blocks), blocks);
    let documents = all_documents(&archive, row.id);
    assert_eq!(documents[41].title, "Statement 000042-0042-2");
    assert_eq!(archive.document(documents[41].id).expect("there"), documents[41]);
    assert_eq!(archive.changes_after(before).expect("reads"), vec![(Seq(before.0 + 1), Change::Loaded(row.id))]);
    assert_eq!(rows_of(&archive, Family::Documents).len(), 3, "the old groups are gone");
    assert!(export(&archive, row.id) == bytes);
    assert_sound(&archive);
}

#[test]
fn a_number_never_comes_to_stand_for_other_bytes() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    let bytes = statements(600);
    let row = load(&archive, &bytes);
    let first = all_documents(&archive, row.id);
    let versions = [
        format!("{STATEMENTS}\n[[exclude]]\nname = \"some\"\ntext = \"000003-0003-3\"\n"),
        format!("{STATEMENTS}\n[[exclude]]\nname = \"all\"\ntext = \"-\"\n"),
        format!("{STATEMENTS}\n# as before\n"),
    ];
    for source in &versions {
        archive
            .add_definition(&Definition::parse(source, "newer.toml").unwrap_or_else(|e| panic!("{e}")))
            .expect("added");
    }
    let some = archive.resplit(row.id, 2).expect("cuts anew");
    assert!(some.documents < 600 && some.documents > 0, "{}", some.documents);
    let second = all_documents(&archive, row.id);
    let known: std::collections::HashSet<_> = first.iter().map(|document| document.id).collect();
    assert!(second.iter().all(|document| !known.contains(&document.id)), "{:?}", second[0].id);
    assert_eq!(archive.document(second[5].id).expect("there"), second[5]);
    assert!(matches!(archive.document(first[0].id), Err(ArchiveError::NoDocument(_))));
    assert_sound(&archive);
    assert_eq!(archive.resplit(row.id, 3).expect("cuts anew").documents, 0);
    archive.resplit(row.id, 4).expect("cuts anew");
    let fourth = all_documents(&archive, row.id);
    assert_eq!(fourth.len(), 600);
    let known: std::collections::HashSet<_> = first.iter().chain(&second).map(|document| document.id).collect();
    assert!(
        fourth.iter().all(|document| !known.contains(&document.id)),
        "numbers of cuts before last are not used again"
    );
    assert_sound(&archive);
    // The same cut again keeps the numbers.
    archive.resplit(row.id, 4).expect("cuts anew");
    let ids = |documents: &[Document]| documents.iter().map(|document| document.id).collect::<Vec<_>>();
    assert_eq!(ids(&all_documents(&archive, row.id)), ids(&fourth));
}

#[test]
fn a_dictionary_is_trained_once_and_kept_for_later_loads() {
    let archive = in_memory();
    let first = load(&archive, &statements(2_500));
    assert!(
        first.bytes as usize >= SIZES.training_bytes && (first.bytes as usize) < SIZES.context_bytes,
        "{}",
        first.bytes
    );
    let dictionaries = rows_of(&archive, Family::Dictionaries);
    assert_eq!(dictionaries.len(), 1);
    let later = load(&archive, &statements(12));
    let alone = load(&in_memory(), &statements(12));
    assert!(
        later.stored_bytes * 10 < alone.stored_bytes * 9,
        "{} with, {} without",
        later.stored_bytes,
        alone.stored_bytes
    );
    archive.unload(first.id, "test").expect("unloads");
    assert_eq!(rows_of(&archive, Family::Dictionaries), dictionaries);
    assert!(export(&archive, later.id) == statements(12));
    assert_sound(&archive);
}

#[test]
fn loads_run_at_once_and_each_is_whole() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    std::thread::scope(|scope| {
        for count in 500..506 {
            let archive = &archive;
            scope.spawn(move || load(archive, &statements(count)));
        }
        // Twice the same at the same time: one of them is the duplicate.
        let twice = [(); 2].map(|()| scope.spawn(|| try_load(&archive, &statements(900), Some(NAME)).expect("loads")));
        let [one, two] = twice.map(|thread| thread.join().expect("no panic"));
        assert_eq!((one.duplicate ^ two.duplicate, one.row.id), (true, two.row.id));
    });
    let loads = archive.loads().expect("loads");
    assert_eq!(loads.len(), 7);
    let numbers: Vec<u64> = archive.changes_after(Seq(0)).expect("changes").iter().map(|(seq, _)| seq.0).collect();
    assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
    for row in loads {
        assert!(export(&archive, row.id) == statements(row.documents));
    }
    assert_sound(&archive);
}

#[test]
fn the_clock_is_the_callers() {
    static NOW: AtomicI64 = AtomicI64::new(1_700_000_000);
    let archive = in_memory().with_clock(Arc::new(|| NOW.load(Ordering::Relaxed)));
    assert_eq!(load(&archive, &statements(1)).loaded_at, 1_700_000_000);
    NOW.store(1_800_000_000, Ordering::Relaxed);
    assert_eq!(load(&archive, &statements(2)).loaded_at, 1_800_000_000);
}

#[test]
fn small_tables_keep_values_by_key() {
    let archive = in_memory();
    archive.put_json(Family::Users, "user/ann", &vec![1, 2]).expect("kept");
    archive.put_json(Family::Users, "user/bob", &vec![3]).expect("kept");
    archive.put_json(Family::Users, "key/1", &vec![4]).expect("kept");
    assert_eq!(archive.get_json::<Vec<i32>>(Family::Users, "user/ann").expect("reads"), Some(vec![1, 2]));
    let users = archive.scan_json::<Vec<i32>>(Family::Users, "user/").expect("reads");
    assert_eq!(users, vec![("user/ann".into(), vec![1, 2]), ("user/bob".into(), vec![3])]);
    archive.delete_json(Family::Users, "user/ann").expect("removed");
    assert_eq!(archive.get_json::<Vec<i32>>(Family::Users, "user/ann").expect("reads"), None);
}

#[test]
fn figures_follow_what_is_loaded_and_unloaded() {
    let archive = in_memory();
    let counted = || {
        archive.count_figures().expect("counted");
        let days = archive.daily(i32::MIN, i32::MAX - 1).expect("read");
        (days, archive.by_report().expect("read"))
    };
    assert_eq!(counted(), (Vec::new(), Vec::new()));
    let (first, second) = (load(&archive, &statements(20)), load(&archive, &statements(30)));
    let (days, reports) = counted();
    let sums = days.first().expect("a day").1;
    assert_eq!((sums.loads, sums.documents, sums.bytes), (2, 50, first.bytes + second.bytes));
    assert_eq!(reports, [(NAME.to_string(), sums)]);
    assert_eq!(counted(), (days, reports), "nothing is counted twice");
    archive.unload(first.id, "a test").expect("unloaded");
    let (_, reports) = counted();
    assert_eq!((reports[0].1.loads, reports[0].1.documents, reports[0].1.bytes), (1, 30, second.bytes));
    archive.unload(second.id, "a test").expect("unloaded");
    assert_eq!(counted().1, []);
}
