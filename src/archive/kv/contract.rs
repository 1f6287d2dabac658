//! What every store promises; run against each implementation.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::{Batch, Engine, Family, memory::Memory, rocks::Rocks};

/// A folder that goes away with its test.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).expect("random bytes");
        let path = std::env::temp_dir().join(format!("greenbar-{name}-{:016x}", u64::from_ne_bytes(bytes)));
        std::fs::create_dir_all(&path).expect("a folder");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn on_every_engine(check: impl Fn(&dyn Engine)) {
    check(&Memory::default());
    let folder = Scratch::new("contract");
    check(&Rocks::open(&folder.0, true).expect("a new store opens"));
}

fn batch(fill: impl FnOnce(&mut Batch)) -> Batch {
    let mut batch = Batch::default();
    fill(&mut batch);
    batch
}

fn keys(engine: &dyn Engine, from: &[u8], to: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let mut each = |key: &[u8], _: &[u8]| {
        keys.push(key.to_vec());
        ControlFlow::Continue(())
    };
    engine.scan(Family::Loads, from..to, &mut each).expect("scans");
    keys
}

#[test]
fn families_are_key_spaces_of_their_own() {
    on_every_engine(|engine| {
        engine.commit(batch(|b| b.put(Family::Loads, *b"k", *b"1"))).expect("commits");
        assert_eq!(engine.get(Family::Loads, b"k").expect("reads").as_deref(), Some(&b"1"[..]));
        assert_eq!(engine.get(Family::Blocks, b"k").expect("reads"), None);
    });
}

#[test]
fn scans_are_in_byte_order_and_leave_the_end_out() {
    on_every_engine(|engine| {
        let all: [&[u8]; 5] = [b"\x00", b"a", b"a\x00", b"b", b"\xff\xff"];
        engine.commit(batch(|b| all.iter().rev().for_each(|key| b.put(Family::Loads, *key, *b"")))).expect("commits");
        assert_eq!(keys(engine, b"", b""), all);
        assert_eq!(keys(engine, b"a", b"b"), [&b"a"[..], b"a\x00"]);
        let mut seen = 0;
        let mut stop = |_: &[u8], _: &[u8]| {
            seen += 1;
            ControlFlow::Break(())
        };
        engine.scan(Family::Loads, b"".as_slice()..b"".as_slice(), &mut stop).expect("scans");
        assert_eq!(seen, 1, "a visitor that breaks is not called again");
    });
}

#[test]
fn in_a_batch_the_later_write_wins_and_ranges_leave_their_end() {
    on_every_engine(|engine| {
        let first = batch(|b| {
            b.put(Family::Loads, *b"a", *b"old");
            b.put(Family::Loads, *b"b", *b"old");
            b.put(Family::Loads, *b"c", *b"old");
        });
        engine.commit_later(first).expect("commits");
        let second = batch(|b| {
            b.delete_range(Family::Loads, b"a".to_vec()..b"c".to_vec());
            b.put(Family::Loads, *b"b", *b"new");
            b.delete(Family::Loads, *b"missing");
        });
        engine.commit(second).expect("commits");
        assert_eq!(keys(engine, b"", b""), [b"b", b"c"]);
        assert_eq!(engine.get(Family::Loads, b"b").expect("reads").as_deref(), Some(&b"new"[..]));
        engine.compact().expect("compacts");
        assert_eq!(keys(engine, b"", b""), [b"b", b"c"]);
    });
}

#[test]
fn what_went_out_leaves_the_disk_with_its_rows() {
    let folder = Scratch::new("outbox");
    let store = Rocks::open(&folder.0, true).expect("opens");
    let on_disk = || -> u64 {
        let files = std::fs::read_dir(&folder.0).expect("there").flatten();
        // The log is given back when it is full, whatever is in it.
        let kept = files.filter(|file| !file.file_name().to_string_lossy().ends_with(".log"));
        kept.map(|file| file.metadata().map_or(0, |data| data.len())).sum()
    };
    let (mut noise, before) = (1_u64, on_disk());
    for number in 0..400_u32 {
        let mut value = Vec::new();
        while value.len() < 20_000 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            value.extend(noise.to_be_bytes());
        }
        let small = batch(|b| b.put(Family::Outbox, *b"row", number.to_be_bytes()));
        store.commit_logged(small).expect("commits");
        store
            .commit_logged(batch(|b| b.put(Family::Outbox, [b"b", &number.to_be_bytes()[..]].concat(), value)))
            .expect("commits");
    }
    store.flush_all().expect("flushes");
    assert!(on_disk() - before > 7_000_000, "{}", on_disk());
    store.commit(batch(|b| b.delete_range(Family::Outbox, b"b".to_vec()..b"c".to_vec()))).expect("commits");
    store.compact().expect("compacts");
    assert!(on_disk() - before < 500_000, "{}", on_disk());
    assert_eq!(store.get(Family::Outbox, b"row").expect("reads"), Some(399_u32.to_be_bytes().to_vec()));
}

#[test]
fn a_second_opening_of_a_store_says_that_it_is_locked() {
    let folder = Scratch::new("locked");
    let _open = Rocks::open(&folder.0, true).expect("opens");
    let again = Rocks::open(&folder.0, true).expect_err("one process, one store");
    assert!(matches!(again, super::StoreError::Locked { .. }), "{again}");
}

#[test]
fn what_was_committed_is_there_after_opening_again_and_in_a_checkpoint() {
    let folder = Scratch::new("reopen");
    let store = folder.0.join("store");
    let copy = folder.0.join("copy");
    {
        let rocks = Rocks::open(&store, true).expect("opens");
        rocks.commit_later(batch(|b| b.put(Family::Blocks, *b"big", vec![7; 100_000]))).expect("commits");
        rocks.commit(batch(|b| b.put(Family::Loads, *b"row", *b"1"))).expect("commits");
        rocks.checkpoint(&copy).expect("copies");
        // Left open on purpose: dropping would flush and hide what commit has to guarantee.
        std::mem::forget(rocks);
    }
    let rocks = Rocks::open(&copy, false).expect("the copy opens");
    assert_eq!(rocks.get(Family::Blocks, b"big").expect("reads").map(|value| value.len()), Some(100_000));
    assert_eq!(rocks.get(Family::Loads, b"row").expect("reads").as_deref(), Some(&b"1"[..]));
    assert!(Rocks::open(&folder.0.join("nowhere"), false).is_err(), "opening does not make a store unless asked");
}
