//! Who saw the documents of an account: an index beside the chain, written with the records it is made from.
//!
//! A row for each reader, document and quarter of an hour: pages that are turned and renditions that are fetched in it are
//! one view. Newest first, because the store reads forward only. Key in [`Family::Audit`]: `v`, account, zero byte, the
//! complement of the quarter's start in seconds (8 bytes, big-endian), document, zero byte, reader. Value: a version byte
//! and a [`View`] as JSON. The rows are derived: the chain proves what was read, they only find it.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::archive::kv::{Engine, Family, StoreError};

const VERSION: u8 = 1;
const PREFIX: u8 = b'v';
/// Seconds that make one view.
pub const TOGETHER_S: i64 = 15 * 60;

/// A document that somebody saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Seconds since 1970 UTC of the last read in its quarter of an hour.
    pub at: i64,
    /// User name of the reader.
    pub who: String,
    /// Whether the reader acted as a customer.
    pub customer: bool,
    /// The document's id.
    pub document: String,
    /// What was read last: the rendition.
    pub why: String,
}

/// Start of the quarter of an hour that a moment is in.
pub fn quarter(at: i64) -> i64 {
    at.div_euclid(TOGETHER_S) * TOGETHER_S
}

fn prefix(account: &str) -> Vec<u8> {
    [&[PREFIX], account.as_bytes(), &[0]].concat()
}

fn from(account: &str, quarter: i64) -> Vec<u8> {
    [prefix(account).as_slice(), &(!((quarter as u64) ^ (1 << 63))).to_be_bytes()].concat()
}

/// The row of a view.
pub(super) fn row(account: &str, view: &View) -> Option<(Vec<u8>, Vec<u8>)> {
    if account.contains('\0') {
        return None;
    }
    let key =
        [from(account, quarter(view.at)).as_slice(), view.document.as_bytes(), &[0], view.who.as_bytes()].concat();
    let mut value = vec![VERSION];
    serde_json::to_writer(&mut value, view).ok()?;
    Some((key, value))
}

/// At least `wanted` views of an account's documents (as far as there are any), newest quarter first, from the quarter of
/// `upto` on, and the quarter to go on with. A quarter is read to its end; within it views are in no order.
pub fn read(
    engine: &dyn Engine,
    account: &str,
    upto: i64,
    wanted: usize,
) -> Result<(Vec<View>, Option<i64>), StoreError> {
    let mut end = prefix(account);
    if let Some(last) = end.last_mut() {
        *last = 1;
    }
    let (mut views, mut next) = (Vec::<View>::new(), None);
    engine.scan(Family::Audit, from(account, quarter(upto)).as_slice()..end.as_slice(), &mut |_, value| {
        let json = value.split_first().filter(|(version, _)| **version == VERSION).map(|(_, json)| json);
        // A row of a later greenbar is passed over: the chain still has the record.
        let Some(view) = json.and_then(|json| serde_json::from_slice::<View>(json).ok()) else {
            return ControlFlow::Continue(());
        };
        let new_quarter = views.last().is_none_or(|last| quarter(last.at) != quarter(view.at));
        if new_quarter && views.len() >= wanted {
            next = Some(view.at);
            return ControlFlow::Break(());
        }
        views.push(view);
        ControlFlow::Continue(())
    })?;
    Ok((views, next))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::archive::kv::Batch;
    use crate::archive::kv::memory::Memory;

    fn view(at: i64, who: &str, document: &str) -> View {
        View { at, who: who.into(), customer: false, document: document.into(), why: "pdf".into() }
    }

    #[test]
    fn views_of_a_quarter_are_one_and_accounts_are_apart() {
        let engine: Arc<dyn Engine> = Arc::new(Memory::default());
        let mut batch = Batch::default();
        for (account, view) in [
            ("1", view(1000, "ann", "7-1")),
            ("1", view(1100, "ann", "7-1")),
            ("1", view(1200, "bob", "7-1")),
            ("1", view(-5, "ann", "7-1")),
            ("10", view(1000, "ann", "7-9")),
        ] {
            let (key, value) = row(account, &view).expect("a row");
            batch.put(Family::Audit, key, value);
        }
        engine.commit(batch).expect("kept");
        let all = |upto, wanted| read(&*engine, "1", upto, wanted).expect("read");
        assert_eq!(all(5000, 9).0.iter().map(|v| v.at).collect::<Vec<_>>(), [1100, 1200, -5]);
        let (first, next) = all(5000, 1);
        assert_eq!((first.len(), next), (2, Some(-5)), "a quarter comes whole");
        assert_eq!(all(next.expect("more"), 1), (vec![view(-5, "ann", "7-1")], None));
        assert_eq!(row("a\0b", &view(1, "ann", "7-1")), None);
    }
}
