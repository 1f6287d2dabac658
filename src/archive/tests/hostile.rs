//! Flipped bits and rows that are not what they were: found by `verify`, answered with errors, never with a panic.

use super::*;

/// Changes one byte of a stored value.
fn flip(archive: &Archive, family: Family, key: &[u8], at: usize, bit: u8) {
    let mut value = archive.engine.get(family, key).expect("reads").expect("is there");
    value[at] ^= 1 << bit;
    let mut batch = Batch::default();
    batch.put(family, key, value);
    archive.engine.commit(batch).expect("commits");
}

fn forget_everything(archive: &Archive) {
    archive.infos.forget(|_| true);
    archive.blocks.forget(|_| true);
    archive.firsts.forget(|_| true);
    archive.forms.forget(|_| true);
}

fn errors(archive: &Archive) -> Vec<String> {
    forget_everything(archive);
    archive.verify(&|_| {}).errors.into_iter().map(|error| error.message).collect()
}

/// Reads all that can be read; errors are fine here, panics are not.
fn read_everything(archive: &Archive) {
    forget_everything(archive);
    for id in [LoadId(1), LoadId(2)] {
        let _ = archive.export_load(id, &mut Vec::new());
        let _ = archive.documents(id, &mut |_| ControlFlow::Continue(()));
        let permit = Permit::for_tests(DocId { load: id, ordinal: 2 });
        let _ = archive.read(&permit).and_then(DocumentBytes::into_vec);
        let _ = archive.texts(&permit, &mut |_, _| ControlFlow::Continue(()));
    }
    let _ = archive.changes_after(Seq(0));
}

#[test]
fn verify_finds_any_flipped_bit_and_reading_never_panics() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    load(&archive, &statements(1_000));
    load(&archive, &statements(10));
    assert_eq!(errors(&archive), Vec::<String>::new());
    let mut seed = 1_usize;
    for family in [Family::Blocks, Family::Documents, Family::Loads, Family::Changes, Family::Definitions] {
        for (key, value) in rows_of(&archive, family) {
            for _ in 0..6 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (at, bit) = ((seed >> 33) % value.len(), (seed >> 24) as u8 % 8);
                flip(&archive, family, &key, at, bit);
                assert!(!errors(&archive).is_empty(), "{family:?} {key:?}: bit {bit} of byte {at}");
                read_everything(&archive);
                flip(&archive, family, &key, at, bit);
            }
        }
    }
    assert_eq!(errors(&archive), Vec::<String>::new());
}

#[test]
fn verify_finds_rows_that_are_missing_strange_or_in_the_wrong_place() {
    let archive = archive_on(Arc::new(Memory::default()), TINY);
    load(&archive, &statements(1_000));
    for family in [Family::Blocks, Family::Documents] {
        for (key, value) in rows_of(&archive, family) {
            let mut batch = Batch::default();
            batch.delete(family, key.clone());
            archive.engine.commit(batch).expect("commits");
            let found = errors(&archive);
            assert!(found.iter().any(|error| error.contains("missing") || error.contains("read")), "{found:?}");
            read_everything(&archive);
            let mut batch = Batch::default();
            batch.put(family, key, value);
            archive.engine.commit(batch).expect("commits");
        }
    }
    let blocks = rows_of(&archive, Family::Blocks);
    let (one, two) = (&blocks[0], &blocks[1]);
    let swap = |left: &[u8], right: &[u8]| {
        let batch = Batch {
            writes: vec![
                Write::Put(Family::Blocks, one.0.clone(), left.to_vec()),
                Write::Put(Family::Blocks, two.0.clone(), right.to_vec()),
            ],
        };
        archive.engine.commit(batch).expect("commits");
    };
    swap(&two.1, &one.1);
    assert!(!errors(&archive).is_empty(), "two blocks changed places");
    swap(&one.1, &two.1);
    let mut batch = Batch::default();
    batch.put(Family::Blocks, keys::block(LoadId(77), 0), one.1.clone());
    archive.engine.commit(batch).expect("commits");
    assert_eq!(errors(&archive), ["rows of blocks belong to no load"]);
}

#[test]
fn an_archive_of_a_later_layout_says_so() {
    let engine = Arc::new(Memory::default());
    drop(archive_on(engine.clone(), SIZES));
    let mut batch = Batch::default();
    rows::put_number(&mut batch, Family::Settings, keys::LAYOUT_KEY.to_vec(), 99);
    engine.commit(batch).expect("commits");
    let error = Archive::on_engine(engine, Path::new("nowhere")).expect_err("unknown layout");
    assert_eq!(error.to_string(), "the archive has layout 99, this greenbar knows layouts up to 2");
}
