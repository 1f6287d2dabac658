use super::*;
use crate::archive::kv::memory::Memory;
use crate::archive::kv::{StoreError, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

fn entry(why: &str) -> Entry<'_> {
    Entry { who: "ann", from: "10.0.0.1", kind: "read", why, ..Entry::default() }
}

fn chain(engine: &Arc<dyn Engine>) -> Chain {
    Chain::new(engine.clone(), Clock::standing(1_700_000_000))
}

fn filled(count: u64) -> (Arc<dyn Engine>, Chain) {
    let engine: Arc<dyn Engine> = Arc::new(Memory::default());
    let chain = chain(&engine);
    for number in 0..count {
        chain.append(entry(&number.to_string()), Wait::Process).expect("appended");
    }
    (engine, chain)
}

fn change(engine: &Arc<dyn Engine>, write: Write) {
    engine.commit(Batch { writes: vec![write] }).expect("changed");
}

#[test]
fn a_chain_goes_on_where_it_stood_when_the_archive_was_closed() {
    let (engine, first) = filled(3000);
    drop(first);
    let again = chain(&engine);
    assert_eq!(again.append(entry("later"), Wait::Disk).expect("appended"), 3001);
    assert_eq!(again.verify().expect("whole"), 3001);
    let newest = again.list(&Filter { limit: 2, ..Filter::default() }).expect("listed");
    assert_eq!(newest.iter().map(|r| r.why.as_str()).collect::<Vec<_>>(), ["later", "2999"]);
    let older = again.list(&Filter { limit: 1, before: Some(1001), ..Filter::default() }).expect("listed");
    assert_eq!(older[0].seq, 1000);
    assert_eq!(again.list(&Filter::default()).expect("listed").len(), 3001);
}

#[test]
fn a_changed_a_missing_and_a_cut_off_record_are_found() {
    let (engine, chain) = filled(10);
    chain.seal().expect("sealed");
    let fourth = engine.get(Family::Audit, &key(RECORD, 4)).expect("read").expect("there");
    let forged = String::from_utf8_lossy(&fourth[33..]).replace("ann", "bob");
    let forged = [&fourth[..33], forged.as_bytes()].concat();
    change(&engine, Write::Put(Family::Audit, key(RECORD, 4).to_vec(), forged));
    assert!(matches!(chain.verify(), Err(AuditError::Broken { at: 4, .. })));
    change(&engine, Write::Delete(Family::Audit, key(RECORD, 4).to_vec()));
    assert!(matches!(chain.verify(), Err(AuditError::Broken { at: 4, why: "it is missing" })));
    change(&engine, Write::Put(Family::Audit, key(RECORD, 4).to_vec(), fourth));
    assert_eq!(chain.verify().expect("whole again"), 10);
    change(&engine, Write::Delete(Family::Audit, key(RECORD, 10).to_vec()));
    assert!(matches!(chain.verify(), Err(AuditError::Broken { at: 10, .. })), "the checkpoint knows of record 10");
}

#[test]
fn a_chain_written_anew_differs_from_its_checkpoint() {
    let (engine, chain) = filled(5);
    chain.seal().expect("sealed");
    let (other, _) = filled(4);
    let forger = self::chain(&other);
    forger.append(entry("something else"), Wait::Process).expect("appended");
    for seq in 1..=5 {
        let row = other.get(Family::Audit, &key(RECORD, seq)).expect("read").expect("there");
        change(&engine, Write::Put(Family::Audit, key(RECORD, seq).to_vec(), row));
    }
    assert!(matches!(chain.verify(), Err(AuditError::Broken { at: 5, .. })));
}

#[test]
fn many_threads_make_one_chain_without_gaps() {
    let (_, chain) = filled(0);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let chain = &chain;
            scope.spawn(move || {
                for number in 0..200 {
                    let wait = if number % 10 == 0 { Wait::Disk } else { Wait::Process };
                    chain.append(entry(&format!("{thread}/{number}")), wait).expect("appended");
                }
            });
        }
    });
    assert_eq!(chain.verify().expect("whole"), 1600);
}

/// A store that fails when told to, and counts durable commits.
#[derive(Default)]
struct Shaky {
    inner: Memory,
    failing: AtomicBool,
    commits: AtomicU64,
}

impl Engine for Shaky {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(family, key)
    }
    fn scan(
        &self,
        family: Family,
        keys: Range<&[u8]>,
        each: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.inner.scan(family, keys, each)
    }
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.commit_later(batch)
    }
    fn commit_later(&self, batch: Batch) -> Result<(), StoreError> {
        if self.failing.load(Ordering::Relaxed) {
            return Err(StoreError::Full { detail: "no space".into() });
        }
        self.inner.commit(batch)
    }
    fn compact(&self) -> Result<(), StoreError> {
        Ok(())
    }
    fn checkpoint(&self, target: &std::path::Path) -> Result<(), StoreError> {
        self.inner.checkpoint(target)
    }
}

#[test]
fn a_failed_write_is_an_error_for_its_writer_and_leaves_no_gap() {
    let shaky = Arc::new(Shaky::default());
    let engine: Arc<dyn Engine> = shaky.clone();
    let chain = chain(&engine);
    chain.append(entry("1"), Wait::Disk).expect("appended");
    shaky.failing.store(true, Ordering::Relaxed);
    assert!(matches!(chain.append(entry("lost"), Wait::Process), Err(AuditError::NotWritten { .. })));
    shaky.failing.store(false, Ordering::Relaxed);
    assert_eq!(chain.append(entry("2"), Wait::Process).expect("appended"), 2);
    assert_eq!(chain.verify().expect("whole"), 2);
}

#[test]
fn sealing_twice_writes_once() {
    let shaky = Arc::new(Shaky::default());
    let engine: Arc<dyn Engine> = shaky.clone();
    let chain = chain(&engine);
    chain.append(entry("1"), Wait::Process).expect("appended");
    let before = shaky.commits.load(Ordering::Relaxed);
    chain.seal().expect("sealed");
    chain.seal().expect("sealed");
    assert_eq!(shaky.commits.load(Ordering::Relaxed) - before, 1);
}
