//! On a real store: space, backup, and (when asked) the bars of size and speed on a big file.

use std::time::Instant;

use super::*;
use crate::archive::kv::contract::Scratch;

fn on_disk(name: &str) -> (Scratch, Archive) {
    let folder = Scratch::new(name);
    let archive = Archive::init(&folder.0).expect("a new archive");
    let definition = Definition::parse(STATEMENTS, "great-lakes-statement.toml").expect("sound");
    archive.add_definition(&definition).expect("added");
    (folder, archive)
}

#[test]
fn unloading_gives_the_space_back() {
    let (_folder, mut archive) = on_disk("space");
    archive.sizes.spill_bytes = 50_000;
    let size = |archive: &Archive| archive.stats().expect("figures").stored_bytes;
    let bytes = statements(8_000);
    let row = load(&archive, &bytes);
    assert!(row.stored_bytes > 300_000, "{}", row.stored_bytes);
    let with = size(&archive);
    archive.unload(row.id, "test").expect("unloads");
    let base = size(&archive);
    assert!(base + row.stored_bytes / 2 < with, "{base} after, {with} before");
    for _ in 0..3 {
        let row = load(&archive, &bytes);
        archive.unload(row.id, "test").expect("unloads");
    }
    assert!(size(&archive) < base + 200_000, "from {base} to {}", size(&archive));
    assert_sound(&archive);
}

#[test]
fn an_archive_opens_again_and_a_backup_restores_to_the_same() {
    let (folder, archive) = on_disk("reopen");
    let bytes = statements(300);
    let row = load(&archive, &bytes);
    let copy = Scratch::new("backup");
    archive.backup(&copy.0).expect("copies");
    assert!(matches!(archive.backup(&copy.0), Err(ArchiveError::NotEmpty { .. })));
    drop(archive);
    let archive = Archive::open(&folder.0).expect("opens");
    assert_eq!(archive.load_row(row.id).expect("there"), row);
    let back = Scratch::new("restored");
    let (restored, report) = Archive::restore(&copy.0, &back.0).expect("restores");
    assert_eq!((report.documents, report.errors), (300, Vec::new()));
    assert_eq!(restored.loads().expect("loads"), vec![row.clone()]);
    assert!(export(&restored, row.id) == bytes);
    assert!(matches!(Archive::open(&copy.0.join("none")), Err(ArchiveError::NoArchive { .. })));
    assert!(matches!(Archive::init(&folder.0), Err(ArchiveError::NotEmpty { .. })));
}

/// Run with `GREENBAR_LARGE=<file of make-large.py> cargo test --release --lib large_file -- --ignored --nocapture`.
#[test]
#[ignore = "needs a file of 512 MB; `make bench` has the figures that count"]
fn a_large_file_is_stored_small_and_its_documents_are_near() {
    let path = std::env::var("GREENBAR_LARGE").expect("GREENBAR_LARGE names the file");
    let (_folder, archive) = on_disk("large");
    let file = std::fs::File::open(&path).expect("opens");
    let source = LoadSource { name: path, reader: Box::new(file), total: None };
    let started = Instant::now();
    let row = archive.load(source, Some(NAME), &|_| {}).expect("loads").row;
    let seconds = started.elapsed().as_secs_f64();
    let stats = archive.stats().expect("figures");
    println!(
        "{} MB in {seconds:.2} s, {} documents, {} on disk, {} in rows",
        row.bytes / 1_000_000,
        row.documents,
        stats.stored_bytes,
        row.stored_bytes
    );
    for (family, name) in [(Family::Blocks, "blocks"), (Family::Documents, "documents")] {
        println!(
            "{name}: {}",
            rows_of(&archive, family).iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
        );
    }
    assert!(stats.stored_bytes * 15 < row.bytes, "at most 1.15 x what zstd -3 makes of the whole file");
    let mut micros = Vec::new();
    let mut seed = 1_u64;
    for _ in 0..2_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let ordinal = (seed >> 33) as u32 % row.documents + 1;
        let asked = Instant::now();
        let permit = Permit::for_tests(DocId { load: row.id, ordinal });
        let bytes = archive.read(&permit).expect("opens").into_vec().expect("reads");
        micros.push(asked.elapsed().as_micros());
        assert!(!bytes.is_empty());
    }
    micros.sort_unstable();
    println!("one document: p50 {} us, p99 {} us", micros[1_000], micros[1_980]);
    assert!(micros[1_000] < 500 && micros[1_980] < 2_000);
}
