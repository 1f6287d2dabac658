//! What an operator does with what arrived: looks through it, says what it is, tries it again, holds it, gives it up, makes rules.

use std::io;
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};

use super::CaptureError;
use super::intake::{Intake, remove_bytes};
use super::item::{Hold, Item, MORE_CAME, State};
use super::rows;
use super::rule::Rule;
use crate::archive::kv::Batch;

/// Items looked through for one page of a list.
const LOOKED_THROUGH: usize = 20_000;
/// Items that are let go in one step.
const TAKEN_UP: usize = 500;
/// Items of one load that are told.
const ITEMS_OF_LOAD: usize = 100;
/// With less room than this besides what is kept free, a load that stands still does so for want of room.
const STANDS_STILL_BELOW: u64 = 16 << 20;

/// A page of a list of items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The items, newest first.
    pub items: Vec<Item>,
    /// Where the next page starts, when there may be one: hand it back as `before`.
    pub next: Option<u64>,
}

impl Intake {
    /// Items before a number (0: from the newest), newest first, at most `limit`, in one of these states (none named: in
    /// any).
    pub fn list(&self, before: u64, limit: usize, states: &[State]) -> Result<Vec<Item>, CaptureError> {
        Ok(self.page(before, limit, states, &|_| true)?.items)
    }

    /// The same for items that are `wanted`. A page may hold fewer than `limit` although more follow: so many items are
    /// looked through at most.
    pub fn page(
        &self,
        before: u64,
        limit: usize,
        states: &[State],
        wanted: &dyn Fn(&Item) -> bool,
    ) -> Result<Page, CaptureError> {
        let before = if before == 0 { u64::MAX } else { before };
        let mut page = Page::default();
        for (looked, id) in self.candidates(before, states).enumerate() {
            if page.items.len() >= limit || looked >= LOOKED_THROUGH {
                page.next = Some(id + 1);
                break;
            }
            let item = self.shown(id)?;
            page.items.extend(item.filter(|item| (states.is_empty() || states.contains(&item.state)) && wanted(item)));
        }
        Ok(page)
    }

    /// An item as people see it: a load that stands still because the disk is full says so. The store waits for room by
    /// itself and goes on when there is some.
    pub fn shown(&self, id: u64) -> Result<Option<Item>, CaptureError> {
        let mut item = self.item(id)?;
        let loading = item.as_mut().filter(|item| item.state == State::Loading && item.error.is_none());
        if let Some(item) = loading
            && self.has_room_for(STANDS_STILL_BELOW).is_err()
        {
            item.error = Some("the disk is full: the load goes on when there is room".into());
        }
        Ok(item)
    }

    /// Numbers of items that may be in one of these states, newest first.
    fn candidates(&self, before: u64, states: &[State]) -> Box<dyn Iterator<Item = u64>> {
        let table = self.table();
        if states.is_empty() || !states.iter().all(|state| state.keeps_bytes()) {
            return Box::new((1..=table.last.min(before.saturating_sub(1))).rev());
        }
        let known = table.states.range(..before).filter(|(_, state)| states.contains(state));
        let open: Vec<u64> = known.map(|(id, _)| *id).collect();
        Box::new(open.into_iter().rev())
    }

    /// The items that brought the stream of a load, oldest first, at most 100: the first became it, the others found it there.
    pub fn items_of_load(&self, load: u32) -> Result<Vec<Item>, CaptureError> {
        let mut items = Vec::new();
        for id in rows::items_of_load(&*self.inner.engine, load, ITEMS_OF_LOAD)? {
            items.extend(self.item(id)?);
        }
        Ok(items)
    }

    /// Tries again to load an item that failed or that nobody knew.
    pub fn retry(&self, id: u64, by: &str) -> Result<Item, CaptureError> {
        self.again(id, None, ("retried", by, ""))
    }

    /// Says what an item is, and tries to load it as that. Also what still waits can be told what it is.
    pub fn assign(&self, id: u64, definition: &str, by: &str) -> Result<Item, CaptureError> {
        self.again(id, Some(definition), ("assigned", by, definition))
    }

    /// Keeps an item that waits from being loaded.
    pub fn hold(&self, id: u64, by: &str, why: &str) -> Result<Item, CaptureError> {
        let mut table = self.table();
        let mut item = self.item(id)?.ok_or(CaptureError::Nothing(id))?;
        if !matches!(item.state, State::Received | State::Identified)
            && !matches!(item.hold(), Some(Hold::Paused | Hold::New))
        {
            return Err(CaptureError::State {
                id,
                state: item.state.name(),
                detail: "only one that waits can be held",
            });
        }
        item.state = State::Held;
        item.step(self.now(), "held", by, why);
        self.put(&mut item)?;
        table.states.insert(id, State::Held);
        table.waiting.remove(id);
        Ok(item)
    }

    /// Notes something about a stream that was acknowledged, whatever became of it since.
    pub fn noted(&self, id: u64, what: &'static str, why: &str) -> Result<(), CaptureError> {
        let _table = self.table();
        let Some(mut item) = self.item(id)? else { return Ok(()) };
        item.step(self.now(), what, "", why);
        self.put(&mut item)
    }

    /// Notes that a sender went on after a stream was acknowledged: what was kept may be a part. One that waits is held, for
    /// somebody to look at it.
    pub fn more_came(&self, id: u64, why: &str) -> Result<(), CaptureError> {
        let mut table = self.table();
        let Some(mut item) = self.item(id)? else { return Ok(()) };
        item.step(self.now(), MORE_CAME, "", why);
        if matches!(item.state, State::Received | State::Identified | State::Held) {
            item.state = State::Held;
            item.step(self.now(), "held", "", why);
            table.states.insert(id, State::Held);
            table.waiting.remove(id);
        }
        self.put(&mut item)
    }

    /// Lets an item go that was held.
    pub fn let_go(&self, id: u64, by: &str) -> Result<Item, CaptureError> {
        self.again(id, None, ("released", by, ""))
    }

    fn again(
        &self,
        id: u64,
        definition: Option<&str>,
        (what, by, detail): (&str, &str, &str),
    ) -> Result<Item, CaptureError> {
        let mut table = self.table();
        let mut item = self.item(id)?.ok_or(CaptureError::Nothing(id))?;
        let fits = match (what, item.state) {
            ("released", state) => state == State::Held,
            // One that was cut off need not wait for its turn.
            ("retried", _) if table.waiting.is_suspect(id) => true,
            ("retried", state) => matches!(state, State::Failed | State::Unidentified),
            (_, state) => state.keeps_bytes() && state != State::Loading,
        };
        if !fits {
            let detail = match what {
                "released" => "it is not held",
                "retried" => "only one that failed or is unidentified can be tried again",
                _ => "only one that is not loaded and not being loaded can be told what it is",
            };
            return Err(CaptureError::State { id, state: item.state.name(), detail });
        }
        if let Some(definition) = definition {
            item.definition = Some(definition.into());
        }
        item.step(self.now(), what, by, detail);
        if table.waiting.is_suspect(id) {
            table.waiting.remove(id);
        }
        let held = item.state == State::Held && what != "released";
        let waits = matches!(item.state, State::Received | State::Identified) && table.waiting.contains(id);
        if !held {
            (item.state, item.error, item.attempts) = (item.before_loading(), None, 0);
        }
        self.put(&mut item)?;
        table.states.insert(id, item.state);
        if !held && !waits {
            table.waiting.push_back(id);
            self.inner.changed.notify_all();
        }
        Ok(item)
    }

    /// Gives an item up for whoever sent it: its bytes are removed, its row and the reason stay.
    pub fn discard(&self, id: u64, why: &str) -> Result<Item, CaptureError> {
        self.discard_by(id, "", why)
    }

    /// Gives an item up: its bytes are removed, its row, the reason and who did it stay.
    pub fn discard_by(&self, id: u64, by: &str, why: &str) -> Result<Item, CaptureError> {
        let mut table = self.table();
        let mut item = self.item(id)?.ok_or(CaptureError::Nothing(id))?;
        if !matches!(item.state, State::Failed | State::Unidentified | State::Held) {
            let detail = "only one that failed, is unidentified or held can be given up";
            return Err(CaptureError::State { id, state: item.state.name(), detail });
        }
        (item.state, item.error) = (State::Discarded, Some(why.into()));
        item.step(self.now(), "discarded", by, why);
        self.put(&mut item)?;
        table.states.remove(&id);
        drop(table);
        remove_bytes(&self.path(id), id);
        Ok(item)
    }

    /// Notes that a load was taken out of the archive: the items that brought its stream are over, and whoever sends the
    /// stream again means it.
    pub fn unloaded(&self, load: u32, by: &str, why: &str) -> Result<(), CaptureError> {
        for id in rows::items_of_load(&*self.inner.engine, load, usize::MAX)? {
            let _table = self.table();
            let Some(mut item) = self.item(id)?.filter(|item| item.state == State::Loaded) else { continue };
            (item.state, item.error) = (State::Discarded, Some(why.into()));
            item.step(self.now(), "unloaded", by, why);
            self.put(&mut item)?;
        }
        Ok(())
    }

    fn rules_lock(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.inner.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every version of every rule, by number and version.
    pub fn rule_versions(&self) -> Vec<Rule> {
        self.rules_lock().clone()
    }

    /// The rules that hold, the one made last first: of those that fit a stream, the first counts.
    pub fn rules(&self) -> Vec<Rule> {
        let all = self.rules_lock();
        let is_newest =
            |at: usize| all.get(at + 1).is_none_or(|next| all.get(at).is_none_or(|rule| rule.number != next.number));
        let newest = all.iter().enumerate().filter(|(at, _)| is_newest(*at)).map(|(_, rule)| rule);
        newest.rev().filter(|rule| !rule.removed).cloned().collect()
    }

    /// Makes a rule (`number` 0), or a new version of one. What waits and fits it, unidentified or not yet taken up, is for
    /// its definition from now on; returns the rule and how many those are.
    pub fn set_rule(&self, mut rule: Rule) -> Result<(Rule, usize), CaptureError> {
        if let Some(fault) = rule.fault() {
            return Err(CaptureError::Rule(fault.into()));
        }
        {
            let mut all = self.rules_lock();
            let last = all.iter().rev().find(|known| rule.number == 0 || known.number == rule.number);
            (rule.number, rule.version) = match (rule.number, last) {
                (0, last) => (last.map_or(1, |last| last.number + 1), 1),
                (number, Some(last)) => (number, last.version + 1),
                (number, None) => return Err(CaptureError::Rule(format!("there is no rule {number}"))),
            };
            (rule.at, rule.removed) = (self.now(), false);
            self.keep_rule(&mut all, &rule)?;
        }
        let taken = self.take_up(State::Unidentified, &|item| {
            let fits = rule.fits(item);
            if fits {
                item.definition = Some(rule.definition.clone());
                item.step(self.now(), "by-rule", &rule.by, &rule.definition);
            }
            fits
        })?;
        Ok((rule, taken))
    }

    /// Tries everything again that failed, oldest first, for when its cause is gone; returns how many.
    pub fn retry_failed(&self, by: &str) -> Result<usize, CaptureError> {
        self.take_up(State::Failed, &|item| {
            item.step(self.now(), "retried", by, "");
            true
        })
    }

    /// Lets all items in a state that `change` says yes to be loaded, oldest first; returns how many.
    pub(super) fn take_up(&self, from: State, change: &dyn Fn(&mut Item) -> bool) -> Result<usize, CaptureError> {
        let mut all: Vec<(i64, u64)> = Vec::new();
        for id in self.candidates(u64::MAX, &[from]) {
            // What waits for its queue has its place; all else goes by its number.
            let item = if from == State::Held { self.item(id)? } else { None };
            all.push((item.map_or(0, |item| item.place()), id));
        }
        all.sort_unstable();
        let all: Vec<u64> = all.into_iter().map(|(_, id)| id).collect();
        let mut count = 0;
        for ids in all.chunks(TAKEN_UP) {
            let mut table = self.table();
            let (mut batch, mut taken) = (Batch::default(), Vec::new());
            for id in ids {
                let Some(mut item) = self.item(*id)?.filter(|item| item.state == from) else { continue };
                if !change(&mut item) {
                    continue;
                }
                (item.state, item.error, item.attempts, item.changed_at) = (item.before_loading(), None, 0, self.now());
                rows::put_item(&mut batch, &item)?;
                taken.push((*id, item.state));
            }
            self.inner.engine.commit(batch)?;
            count += taken.len();
            for (id, state) in taken {
                table.states.insert(id, state);
                table.waiting.push_back(id);
            }
            self.inner.changed.notify_all();
        }
        Ok(count)
    }

    /// Takes a rule back: a last version says so.
    pub fn remove_rule(&self, number: u32, by: &str) -> Result<Rule, CaptureError> {
        let mut all = self.rules_lock();
        let last = all.iter().rev().find(|rule| rule.number == number && !rule.removed).cloned();
        let mut rule = last.ok_or_else(|| CaptureError::Rule(format!("there is no rule {number}")))?;
        (rule.version, rule.removed, rule.at, rule.by) = (rule.version + 1, true, self.now(), by.into());
        self.keep_rule(&mut all, &rule)?;
        Ok(rule)
    }

    fn keep_rule(&self, all: &mut Vec<Rule>, rule: &Rule) -> Result<(), CaptureError> {
        let mut batch = Batch::default();
        rows::put_rule(&mut batch, rule)?;
        self.inner.engine.commit(batch)?;
        let at = all.partition_point(|known| (known.number, known.version) < (rule.number, rule.version));
        all.insert(at, rule.clone());
        Ok(())
    }

    /// Gives an item that nobody named a definition for the one of the rules.
    pub(super) fn by_rule(&self, item: &mut Item) {
        if item.definition.is_some() || self.rules_lock().is_empty() {
            return;
        }
        item.definition = self.rules().into_iter().find(|rule| rule.fits(item)).map(|rule| rule.definition);
    }

    /// Copies what waits into a backup of the archive's folder, synced. Nothing must be working on the intake meanwhile.
    pub fn back_up(&self, target: &Path) -> Result<usize, CaptureError> {
        let ids: Vec<u64> = self.table().states.keys().copied().collect();
        let folder = target.join("intake");
        std::fs::create_dir_all(&folder)?;
        for id in &ids {
            let to = folder.join(super::intake::file_name(*id));
            std::fs::copy(self.path(*id), &to)?;
            std::fs::File::open(&to)?.sync_all()?;
        }
        std::fs::File::open(&folder)?.sync_all()?;
        Ok(ids.len())
    }
}

/// Puts what waited when a backup was made into the folder that it is restored to. A backup without such a part has none.
pub fn restore(backup: &Path, target: &Path) -> io::Result<usize> {
    let (from, to) = (backup.join("intake"), target.join("intake"));
    let mut count = 0;
    let entries = match std::fs::read_dir(&from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    std::fs::create_dir_all(&to)?;
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|ending| ending == "stream")) else {
            continue;
        };
        let target = to.join(name);
        std::fs::copy(&path, &target)?;
        std::fs::File::open(&target)?.sync_all()?;
        count += 1;
    }
    std::fs::File::open(&to)?.sync_all()?;
    Ok(count)
}
