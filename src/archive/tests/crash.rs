//! A store that stops working after some writes stands for a killed process: what it took is there, the rest is not.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// Takes `writes` more batches, then fails each.
struct Failing {
    inner: Arc<Memory>,
    writes: AtomicU32,
    full: bool,
}

impl Failing {
    fn write(&self) -> Result<(), StoreError> {
        let left = self.writes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        let detail = String::from("told so by the test");
        match (left, self.full) {
            (Ok(_), _) => Ok(()),
            (Err(_), true) => Err(StoreError::Full { detail }),
            (Err(_), false) => Err(StoreError::Failed { detail }),
        }
    }
}

impl Engine for Failing {
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
        self.write()?;
        self.inner.commit(batch)
    }
    fn commit_later(&self, batch: Batch) -> Result<(), StoreError> {
        self.write()?;
        self.inner.commit_later(batch)
    }
    fn compact(&self) -> Result<(), StoreError> {
        self.inner.compact()
    }
    fn checkpoint(&self, target: &Path) -> Result<(), StoreError> {
        self.inner.checkpoint(target)
    }
}

fn reopened(inner: &Arc<Memory>) -> Archive {
    let mut archive = Archive::on_engine(inner.clone(), Path::new("nowhere")).expect("opens");
    archive.sizes = TINY;
    archive
}

/// Runs `work` against stores that die after 0, 1, 2 ... writes, until it gets through; checks each after reopening.
fn at_every_write(work: impl Fn(&Archive) -> bool, check: impl Fn(&Archive, bool)) {
    let prepare = |engine: Arc<dyn Engine>| {
        let archive = archive_on(engine, TINY);
        load(&archive, &statements(40));
        archive
    };
    at_every_write_of(prepare, |_| {}, work, check);
}

/// The same with archives that `prepare` makes; `again` is done to each that is opened anew.
pub(super) fn at_every_write_of(
    prepare: impl Fn(Arc<dyn Engine>) -> Archive,
    again: impl Fn(&mut Archive),
    work: impl Fn(&Archive) -> bool,
    check: impl Fn(&Archive, bool),
) {
    for writes in 0..500 {
        let inner = Arc::new(Memory::default());
        let prepared = prepare(inner.clone());
        let failing = Failing { inner: inner.clone(), writes: AtomicU32::new(writes), full: writes % 2 == 0 };
        let mut archive = prepared;
        archive.engine = Arc::new(failing);
        let done = work(&archive);
        drop(archive);
        let mut opened = reopened(&inner);
        again(&mut opened);
        assert_sound(&opened);
        assert!(rows_of(&opened, Family::Loads).iter().all(|(key, _)| !key.starts_with(b"P")), "no mark is left");
        check(&opened, done);
        if done {
            assert!(writes > 2, "the work wrote several times");
            return;
        }
    }
    panic!("the work never got through");
}

#[test]
fn a_load_that_dies_at_any_write_is_all_there_or_not_at_all() {
    let bytes = statements(1_200);
    at_every_write(
        |archive| try_load(archive, &bytes, Some(NAME)).is_ok(),
        |archive, done| {
            let documents = archive.stats().expect("figures").documents;
            assert_eq!(documents, if done { 1_240 } else { 40 });
            let again = try_load(archive, &bytes, Some(NAME)).expect("the second try succeeds");
            assert_eq!(again.duplicate, done);
            assert!(export(archive, again.row.id) == bytes);
            assert_sound(archive);
        },
    );
}

#[test]
fn a_new_cut_that_dies_at_any_write_leaves_the_old_one() {
    let newer = STATEMENTS.replace("{name} {account} {date}", "Statement {account}");
    let newer = Definition::parse(&newer, "newer.toml").expect("sound");
    at_every_write(
        |archive| {
            let cut = archive
                .add_definition(&newer)
                .map_err(LoadError::from)
                .and_then(|row| archive.resplit(LoadId(1), row.version));
            // Enough writes for the assertion on several of them come from a load before.
            cut.is_ok() && try_load(archive, &statements(900), Some(NAME)).is_ok()
        },
        |archive, done| {
            let documents = all_documents(archive, LoadId(1));
            let version = archive.load_row(LoadId(1)).expect("there").definition_version;
            let title = if version == 2 { "Statement 000001-0001-1" } else { "Person 1 000001-0001-1 2024-02-28" };
            assert_eq!((documents.len(), documents[0].title.as_str()), (40, title));
            assert!(!done || version == 2);
        },
    );
}

#[test]
fn a_full_disk_is_said_and_harms_nothing() {
    let inner = Arc::new(Memory::default());
    drop(archive_on(inner.clone(), TINY));
    let mut archive = reopened(&inner);
    let kept = load(&archive, &statements(30));
    archive.engine = Arc::new(Failing { inner: inner.clone(), writes: AtomicU32::new(3), full: true });
    let error = try_load(&archive, &statements(2_000), Some(NAME)).expect_err("no room");
    assert!(error.to_string().contains("the disk is full"), "{error}");
    let archive = reopened(&inner);
    assert!(export(&archive, kept.id) == statements(30));
    assert_sound(&archive);
    assert_eq!(load(&archive, &statements(2_000)).documents, 2_000);
}
