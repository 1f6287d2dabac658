//! Blocks stored anew: the same bytes, fewer of them on the disk, and sound whenever it ends.

use super::crash::at_every_write_of;
use super::*;
use crate::index::definition::Compression;

fn codecs(archive: &Archive) -> Vec<u8> {
    let codec = |(key, value): &(Vec<u8>, Vec<u8>)| rows::unseal("block", key, value).expect("sound")[0];
    rows_of(archive, Family::Blocks).iter().map(codec).collect()
}

fn compact(archive: &Archive, compression: Compression) -> Compacted {
    archive.compact_load(LoadId(1), compression, &|_| {}).expect("stored anew")
}

/// What nobody may see a difference of.
fn outside(archive: &Archive) -> (Vec<u8>, Vec<Document>, LoadRow) {
    let row = LoadRow { stored_bytes: 0, ..archive.load_row(LoadId(1)).expect("there") };
    (export(archive, LoadId(1)), all_documents(archive, LoadId(1)), row)
}

#[test]
fn blocks_become_columns_and_hold_the_same_bytes() {
    for (count, sizes) in [(300, SIZES), (3_000, TINY), (2, SIZES)] {
        let archive = archive_on(Arc::new(Memory::default()), sizes);
        load(&archive, &statements(count));
        archive.count_figures().expect("counted");
        let (before, stored) = (outside(&archive), archive.load_row(LoadId(1)).expect("there").stored_bytes);
        let rows = rows_of(&archive, Family::Blocks).len() as u64;
        let done = compact(&archive, Compression::Small);
        assert_eq!(done.blocks, rows, "{count}");
        assert!(count == 2 || done.after < done.before && done.stored_anew == rows, "{count}: {done:?}");
        assert!(outside(&archive) == before, "{count}");
        assert_sound(&archive);
        let now = archive.load_row(LoadId(1)).expect("there").stored_bytes;
        assert_eq!(stored - now, done.before - done.after, "its row says what is stored");
        archive.count_figures().expect("counted");
        assert_eq!(archive.by_report().expect("read")[0].1.stored, now, "and so do the figures");
        let again = compact(&archive, Compression::Small);
        assert_eq!(
            (again.stored_anew, again.before, again.after),
            (0, done.after, done.after),
            "nothing is left to do"
        );
        // A big load's other blocks have the columns of the first as context.
        let wanted = if sizes.context_bytes == TINY.context_bytes { vec![4, 5] } else { vec![4] };
        let mut found = codecs(&archive);
        found.dedup();
        assert!(count == 2 || found == wanted, "{found:?}");
    }
}

#[test]
fn a_report_that_wants_rows_keeps_rows() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    load(&archive, &statements(3_000));
    let before = codecs(&archive);
    assert_eq!(compact(&archive, Compression::Fast).stored_anew, 0);
    assert_eq!(codecs(&archive), before);
}

#[test]
fn small_loads_get_the_dictionary_that_came_after_them() {
    let archive = in_memory();
    load(&archive, &statements(20));
    assert_eq!(codecs(&archive), [1], "the first load of a report has no dictionary");
    load(&archive, &statements(2_500));
    assert!(archive.newest_dictionary(NAME).expect("read").is_some(), "one was trained");
    let before = outside(&archive);
    assert!(compact(&archive, Compression::Fast).stored_anew > 0);
    assert_eq!(codecs(&archive)[0], 2);
    assert!(outside(&archive) == before);
    assert_sound(&archive);
}

#[test]
fn an_end_at_any_write_leaves_a_sound_load_and_the_next_run_goes_on() {
    let bytes = statements(1_500);
    let prepare = |engine: Arc<dyn Engine>| {
        let archive = archive_on(engine, TINY);
        load(&archive, &bytes);
        archive
    };
    let work = |archive: &Archive| archive.compact_load(LoadId(1), Compression::Small, &|_| {}).is_ok();
    at_every_write_of(
        prepare,
        |_| {},
        work,
        |archive, done| {
            assert!(export(archive, LoadId(1)) == bytes);
            let rest = compact(archive, Compression::Small);
            assert!(!done || rest.stored_anew == 0);
            assert!(export(archive, LoadId(1)) == bytes);
            assert_sound(archive);
            let blocks: u64 = rows_of(archive, Family::Blocks).iter().map(|(_, value)| value.len() as u64).sum();
            assert_eq!(
                archive.stored_load(LoadId(1)).expect("there").block_bytes,
                blocks,
                "what it says was kept with them"
            );
        },
    );
}

#[test]
fn a_damaged_block_is_an_error_and_nothing_is_replaced_by_it() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    load(&archive, &statements(3_000));
    let (key, mut value) = rows_of(&archive, Family::Blocks).remove(3);
    let last = value.len() - 1;
    value[last] ^= 1;
    let mut batch = crate::archive::kv::Batch::default();
    batch.put(Family::Blocks, key.clone(), value.clone());
    archive.engine.commit(batch).expect("written");
    assert!(archive.compact_load(LoadId(1), Compression::Small, &|_| {}).is_err());
    assert_eq!(archive.engine.get(Family::Blocks, &key).expect("read"), Some(value), "the evidence stays");
}
