//! The order of streams that wait for their queue, the documents of one job, and a stream that is brought once more.

use std::fs::File;
use std::io::Read;

use super::CaptureError;
use super::intake::Intake;
use super::item::{Arrival, Hold, Item, State};
use super::rows;

/// Bytes copied at once.
const COPIED: usize = 256 << 10;
/// Streams of a queue that are put in order.
const MOST: usize = 20_000;

impl Intake {
    /// The streams that a job brought, in the order in which they came; none: there is no such job.
    pub fn documents(&self, job: u64) -> Result<Vec<Item>, CaptureError> {
        let mut items: Vec<Item> = self.item(job)?.into_iter().collect();
        for id in rows::documents(&*self.inner.engine, job)? {
            items.extend(self.item(id)?);
        }
        Ok(items)
    }

    /// What stands still with its queue, in the order in which it will be loaded.
    pub fn standing(&self, queue: &str) -> Result<Vec<Item>, CaptureError> {
        let mut items = self.list(0, MOST, &[State::Held])?;
        items.retain(|item| item.is_of_queue(queue) && item.hold() == Some(Hold::Paused));
        items.sort_by_key(|item| (item.place(), item.id));
        Ok(items)
    }

    /// Puts what stands still with its queue directly behind another such, or (`None`) before all; false: it does not stand still.
    pub fn put_behind(&self, id: u64, other: Option<u64>) -> Result<bool, CaptureError> {
        let Some(item) = self.item(id)? else { return Ok(false) };
        let all = self.standing(item.queue.as_deref().unwrap_or_default())?;
        if !all.iter().any(|standing| standing.id == id) {
            return Ok(false);
        }
        let mut rest = all.iter().filter(|standing| standing.id != id);
        let place = match other {
            None => rest.next().map(|first| first.place().saturating_sub(1)),
            Some(other) => {
                let Some(before) = rest.find(|standing| standing.id == other) else { return Ok(false) };
                let next = rest.next().map_or_else(|| before.place().saturating_add(2), Item::place);
                Some(before.place() + (next - before.place()) / 2)
            }
        };
        // It may have been let go meanwhile.
        let table = self.table();
        let still = self.item(id)?.filter(|item| item.hold() == Some(Hold::Paused));
        let Some(mut item) = still.filter(|_| table.states.get(&id) == Some(&State::Held)) else { return Ok(false) };
        item.place = place.or(item.place);
        self.put(&mut item)?;
        Ok(true)
    }

    /// Gives a stream that is held another name.
    pub fn rename(&self, id: u64, name: &str, by: &str) -> Result<Item, CaptureError> {
        let _table = self.table();
        let mut item = self.item(id)?.ok_or(CaptureError::Nothing(id))?;
        if item.state != State::Held {
            return Err(CaptureError::State { id, state: item.state.name(), detail: "it is not held" });
        }
        let before = std::mem::replace(&mut item.file, name.into());
        item.attributes.insert("source".into(), name.into());
        item.step(self.now(), "renamed", by, &before);
        self.put(&mut item)?;
        Ok(item)
    }

    /// Takes the bytes of a stream that is still here once more, as another one.
    pub fn bring_again(&self, id: u64, arrival: Arrival) -> Result<Item, CaptureError> {
        let mut spool = self.begin()?;
        let mut file = File::open(self.path(id))?;
        let mut piece = vec![0; COPIED];
        loop {
            let count = file.read(&mut piece)?;
            if count == 0 {
                return spool.accept(arrival);
            }
            spool.write(piece.get(..count).unwrap_or_default())?;
        }
    }
}
