//! Loads encoded anew: smaller, the same, and readable at every moment in between.

use super::*;
use crate::archive::compact::{LEVEL, Recoded, Recoding};

const ROWS: Recoding = Recoding { small: false, level: LEVEL };
const COLUMNS: Recoding = Recoding { small: true, level: LEVEL };

fn codecs(archive: &Archive) -> Vec<u8> {
    let codec = |(key, value): &(Vec<u8>, Vec<u8>)| rows::unseal("block", key, value).expect("sound")[0];
    rows_of(archive, Family::Blocks).iter().map(codec).collect()
}

/// Every document, read as a reader does; the archive's caches are as they are.
fn read_all(archive: &Archive, load: LoadId, stream: &[u8]) {
    for document in all_documents(archive, load).iter().step_by(7) {
        let read = archive.read(&Permit::for_tests(document.id)).expect("opens").into_vec().expect("reads");
        assert!(read == stream[document.span.start as usize..document.span.end as usize], "{}", document.id);
    }
}

#[test]
fn loads_of_every_way_of_storing_become_smaller_and_stay_the_same() {
    for (count, sizes) in [(300, SIZES), (3_000, SIZES), (3_000, TINY)] {
        let archive = archive_on(Arc::new(Memory::default()), sizes);
        let stream = statements(count);
        let row = load(&archive, &stream);
        let (documents, changes) = (rows_of(&archive, Family::Documents), rows_of(&archive, Family::Changes));
        archive.count_figures().expect("counted");
        let mut stored = row.stored_bytes;
        for how in [ROWS, COLUMNS] {
            read_all(&archive, row.id, &stream);
            let done = archive.recode(row.id, &how).expect("encodes");
            assert!(done.replaced > 0 && done.after < done.before, "{count} {how:?}: {done:?}");
            assert_eq!(done.before, stored);
            stored = done.after;
            assert_eq!(archive.load_row(row.id).expect("there"), LoadRow { stored_bytes: stored, ..row.clone() });
            assert_eq!(archive.by_report().expect("read")[0].1.stored, stored, "the figures follow");
            read_all(&archive, row.id, &stream);
            assert!(export(&archive, row.id) == stream);
            assert_sound(&archive);
            let again = archive.recode(row.id, &how).expect("nothing to do");
            assert_eq!(again, Recoded { before: stored, after: stored, ..Recoded::default() });
        }
        assert_eq!(codecs(&archive)[0], 4, "sorted into columns");
        assert_eq!(rows_of(&archive, Family::Documents), documents, "no document's row is touched");
        assert_eq!(rows_of(&archive, Family::Changes), changes, "search has nothing to do");
        let kept: u64 = rows_of(&archive, Family::Blocks).iter().map(|(_, value)| value.len() as u64).sum();
        assert_eq!(archive.stored_load(row.id).expect("there").block_bytes, kept, "bytes are counted as they are");
        // It can be taken out and cut anew as before.
        archive.resplit(row.id, 1).expect("cut anew");
        assert_sound(&archive);
        archive.unload(row.id, "over").expect("taken out");
        assert_eq!(rows_of(&archive, Family::Blocks), Vec::new());
    }
}

#[test]
fn the_definition_in_force_says_whether_columns_are_made() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    let stream = statements(2_000);
    let row = load(&archive, &stream);
    archive.recode(row.id, &ROWS).expect("encodes");
    assert!(codecs(&archive).iter().all(|codec| *codec < 4));
    let source = format!("compression = \"small\"\n{STATEMENTS}");
    archive.add_definition(&Definition::parse(&source, "great-lakes-statement.toml").expect("sound")).expect("added");
    archive.recode(row.id, &ROWS).expect("encodes");
    assert_eq!(codecs(&archive)[..2], [4, 5]);
    // What leans on a form is not taken from it.
    archive.recode(row.id, &Recoding { small: false, level: 19 }).expect("encodes");
    assert_eq!(codecs(&archive)[..2], [4, 5]);
    assert!(export(&archive, row.id) == stream);
    assert_sound(&archive);
}

#[test]
fn a_run_that_dies_at_any_write_leaves_a_load_that_reads_and_goes_on() {
    let stream = statements(3_000);
    let prepare = |engine: Arc<dyn Engine>| {
        let archive = archive_on(engine, TINY);
        load(&archive, &stream);
        archive
    };
    let all = std::cell::Cell::new(0);
    crash::at_every_write_of(
        prepare,
        |_| {},
        |archive| archive.recode(LoadId(1), &COLUMNS).is_ok(),
        |archive, done| {
            assert!(export(archive, LoadId(1)) == stream);
            let rest = archive.recode(LoadId(1), &COLUMNS).expect("goes on");
            if all.get() == 0 {
                all.set(rest.blocks);
            }
            assert!(rest.blocks <= all.get() && (rest.blocks == 0) == done, "{rest:?}");
            assert_eq!(codecs(archive)[..2], [4, 5]);
            assert!(export(archive, LoadId(1)) == stream);
            assert_sound(archive);
        },
    );
    assert!(all.get() > 2, "several blocks");
}

#[test]
fn a_load_that_does_not_prove_is_not_touched() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    let row = load(&archive, &statements(2_000));
    let blocks = rows_of(&archive, Family::Blocks);
    let (key, mut value) = blocks[blocks.len() / 2].clone();
    value[40] ^= 1;
    let mut batch = Batch::default();
    batch.put(Family::Blocks, key, value);
    archive.engine.commit(batch).expect("commits");
    let damaged = rows_of(&archive, Family::Blocks);
    let error = archive.recode(row.id, &COLUMNS).expect_err("damaged");
    assert!(error.to_string().contains("check does not match"), "{error}");
    assert_eq!(rows_of(&archive, Family::Blocks), damaged);
}
