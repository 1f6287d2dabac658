//! On a real store: space and backup.

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
