use super::*;
use crate::archive::kv::memory::Memory;
use crate::archive::kv::{StoreError, Write};
use crate::audit::{DONE, REFUSED};
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

fn named<'a>(who: &'a str, kind: &'a str, load: u32, account: &'a str) -> Entry<'a> {
    let document = Some(crate::archive::DocId { load: crate::archive::LoadId(load), ordinal: 3 });
    Entry { who, kind, document, account: Some(account), from: "10.0.0.9", ..Entry::default() }
}

/// Records by two people on documents of ten loads; every seventh was refused.
fn mixed(chain: &Chain, count: u32) {
    for number in 0..count {
        let who = if number % 3 == 0 { "ann" } else { "bob" };
        let kind = if number % 7 == 0 { "refused" } else { "read" };
        chain.append(named(who, kind, number % 10, &format!("a{}", number % 5)), Wait::Process).expect("appended");
    }
}

#[test]
fn a_search_by_index_finds_what_walking_the_chain_finds() {
    let (_, chain) = filled(0);
    mixed(&chain, 700);
    let all = chain.list(&Filter::default()).expect("listed");
    let document = Some(crate::archive::DocId { load: crate::archive::LoadId(4), ordinal: 3 });
    let text = |text: &str| Some(text.to_string());
    for filter in [
        Filter { who: text("ann"), ..Filter::default() },
        Filter { kind: text("refused"), who: text("bob"), ..Filter::default() },
        Filter { outcome: text(REFUSED), load: text("4"), ..Filter::default() },
        Filter { outcome: text(DONE), load: text("4"), ..Filter::default() },
        Filter { document, ..Filter::default() },
        Filter { accounts: vec!["a1".into(), "a4".into()], before: Some(500), ..Filter::default() },
        Filter { from: text("10.0.0.9"), kind: text("read"), ..Filter::default() },
        Filter { who: text("nobody"), ..Filter::default() },
    ] {
        let wanted = all.iter().filter(|r| filter.wants(r) && filter.before.is_none_or(|before| r.seq < before));
        let wanted: Vec<u64> = wanted.map(|record| record.seq).collect();
        let mut paged = Filter { limit: 7, ..filter.clone() };
        let mut found = Vec::new();
        loop {
            let page = chain.search(&paged).expect("searched");
            assert!(page.records.len() <= 7);
            found.extend(page.records.iter().map(|record| record.seq));
            paged.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(found, wanted, "{filter:?}");
    }
}

#[test]
fn records_of_an_archive_without_index_rows_are_found_too() {
    let (engine, first) = filled(0);
    mixed(&first, 50);
    let mut gone = Vec::new();
    engine
        .scan(Family::Audit, &b"i"[..]..&b"j"[..], &mut |key, _| {
            gone.push(key.to_vec());
            ControlFlow::Continue(())
        })
        .expect("scanned");
    gone.push(b"x".to_vec());
    let writes = gone.into_iter().map(|key| Write::Delete(Family::Audit, key)).collect();
    engine.commit(Batch { writes }).expect("as an earlier greenbar left it");
    drop(first);
    let chain = chain(&engine);
    mixed(&chain, 30);
    let filter = Filter { who: Some("ann".into()), ..Filter::default() };
    assert_eq!(chain.list(&filter).expect("listed").len(), 17 + 10);
    assert_eq!(chain.verify().expect("index rows are no part of the chain"), 80);
}

#[test]
fn a_search_looks_at_a_bounded_number_of_records_and_goes_on_from_there() {
    let (_, chain) = filled(index::MOST_LOOKED_AT as u64 + 100);
    let filter = Filter { text: Some("no such text".into()), limit: 10, ..Filter::default() };
    let page = chain.search(&filter).expect("searched");
    assert_eq!((page.records.len(), page.next), (0, Some(101)));
    let filter = Filter { before: page.next, ..filter };
    assert_eq!(chain.search(&filter).expect("searched").next, None);
}

#[test]
fn a_time_bounds_the_search_by_halving() {
    let engine: Arc<dyn Engine> = Arc::new(Memory::default());
    for day in 0..10 {
        let chain = Chain::new(engine.clone(), Clock::standing(1_700_000_000 + day * 86_400));
        mixed(&chain, 5);
    }
    let chain = chain(&engine);
    let days = |since: &str, until: &str| {
        let filter = Filter { since: Some(since.into()), until: Some(until.into()), ..Filter::default() };
        chain.list(&filter).expect("listed").iter().map(|record| record.seq).collect::<Vec<_>>()
    };
    assert_eq!(days("2023-11-16", "2023-11-17"), (11..=15).rev().collect::<Vec<_>>());
    assert_eq!(days("2024-01-01", "2024-01-02"), [0_u64; 0]);
    assert_eq!(days("2000-01-01", "2100-01-01").len(), 50);
}

#[test]
fn days_are_counted_with_their_records_and_go_on_after_a_restart() {
    let (engine, first) = filled(0);
    mixed(&first, 7);
    drop(first);
    let again = chain(&engine);
    mixed(&again, 7);
    let day = 1_700_000_000 / 86_400;
    let counts = Counts { read: 12, refused: 2, ..Counts::default() };
    assert_eq!(again.daily(day, day).expect("read"), [(day, counts)]);
    assert_eq!(again.daily(day + 1, day + 9).expect("read"), []);
}
