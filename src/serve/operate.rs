//! What an operator does with arrivals and loads, for the API and the pages alike: rights, audit, and then the deed.

use std::path::PathBuf;

use super::api::loads::refused;
use super::ask::SignedIn;
use super::problem::Problem;
use super::state::State;
use crate::archive::trial::{LAST_PAGE, Look, MOST_PAGES, Trial};
use crate::archive::{Bringing, LoadId};
use crate::auth::permission::Permission;
use crate::capture::Item;
use crate::capture::rule::Rule;
use crate::capture::switches::{Switch, Switches};
use crate::serve::backend::BackendError;

/// Characters of a reason.
const REASON: usize = 500;

/// What is done with one arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It is for this definition.
    Assign(String),
    /// It is tried again.
    Retry,
    /// It is kept from being loaded; why.
    Hold(String),
    /// It may be loaded.
    Release,
    /// It is given up; why.
    Discard(String),
}

/// The right that a deed needs: what takes bytes away needs more than what brings them in.
pub fn right_for(act: &Act) -> Permission {
    if matches!(act, Act::Discard(_)) { Permission::LoadDelete } else { Permission::LoadWrite }
}

/// Does something with an arrival and records it.
pub fn act(state: &State, who: &SignedIn, id: u64, act: &Act) -> Result<Item, Problem> {
    let right = right_for(act);
    who.need(right)?;
    let by = &who.user.name;
    let intake = &state.intake;
    if let Act::Assign(definition) = act {
        known(state, definition)?;
    }
    let (kind, why, done) = match act {
        Act::Assign(definition) => ("intake-assign", definition.clone(), intake.assign(id, definition, by)),
        Act::Retry => ("intake-retry", String::new(), intake.retry(id, by)),
        Act::Hold(why) => {
            let why = reason(why, false)?;
            ("intake-hold", why.clone(), intake.hold(id, by, &why))
        }
        Act::Release => ("intake-release", String::new(), intake.let_go(id, by)),
        Act::Discard(why) => {
            let why = reason(why, true)?;
            ("intake-discard", why.clone(), intake.discard_by(id, by, &why))
        }
    };
    let item = done.map_err(|error| refused(&error))?;
    state.gate.record_by(&who.principal, right, kind, &item.named(), &why)?;
    Ok(item)
}

/// Tries everything again that failed; returns how many arrivals.
pub fn retry_failed(state: &State, who: &SignedIn) -> Result<usize, Problem> {
    who.need(Permission::LoadWrite)?;
    let count = state.intake.retry_failed(&who.user.name).map_err(|error| refused(&error))?;
    let what = format!("{count} failed arrivals");
    state.gate.record_by(&who.principal, Permission::LoadWrite, "intake-retry", &what, "")?;
    Ok(count)
}

/// Makes a rule, or changes one; returns it and how many arrivals it took up.
pub fn set_rule(state: &State, who: &SignedIn, rule: Rule) -> Result<(Rule, usize), Problem> {
    who.need(Permission::LoadWrite)?;
    known(state, &rule.definition)?;
    let rule = Rule { by: who.user.name.clone(), ..rule };
    let (rule, taken) = state.intake.set_rule(rule).map_err(|error| refused(&error))?;
    let what = format!("rule {} version {}", rule.number, rule.version);
    state.gate.record_by(&who.principal, Permission::LoadWrite, "intake-rule", &what, &rule.to_string())?;
    Ok((rule, taken))
}

/// Takes a rule back.
pub fn remove_rule(state: &State, who: &SignedIn, number: u32) -> Result<Rule, Problem> {
    who.need(Permission::LoadWrite)?;
    let rule = state.intake.remove_rule(number, &who.user.name).map_err(|error| refused(&error))?;
    let what = format!("rule {} version {}", rule.number, rule.version);
    state.gate.record_by(&who.principal, Permission::LoadWrite, "intake-rule", &what, "removed")?;
    Ok(rule)
}

/// Switches a queue; returns how it is switched now, and how many arrivals were held or let go.
pub fn switch(state: &State, who: &SignedIn, queue: &str, switch: &Switch) -> Result<(Switches, usize), Problem> {
    who.need(Permission::LoadWrite)?;
    let done = state.intake.switch(queue, switch, &who.user.name).map_err(|error| refused(&error))?;
    let what = format!("queue {}: {}", done.0.queue, switch.name());
    let why = if done.1 > 0 { format!("{} arrivals", done.1) } else { String::new() };
    state.gate.record_by(&who.principal, Permission::LoadWrite, "intake-queue", &what, &why)?;
    Ok(done)
}

/// Text of the pages of an arrival, recorded as something that was seen.
pub fn look(
    state: &State,
    who: &SignedIn,
    id: u64,
    definition: Option<&str>,
    (first, count): (u32, u32),
) -> Result<Look, Problem> {
    let (item, path) = kept(state, who, id)?;
    if let Some(own) = item.definition.as_deref().filter(|own| is_kept_from(state, who, own).unwrap_or(true)) {
        let why = format!("The definition {own} keeps values or documents from your role; so does the preview.");
        return Err(Problem::masked(why));
    }
    let pages = (first.clamp(1, LAST_PAGE), count.clamp(1, MOST_PAGES));
    let definition = definition.or(item.definition.as_deref());
    state.gate.record_by(&who.principal, Permission::LoadWrite, "intake-preview", &item.named(), "text")?;
    state.backend.look(&path, &item.file, definition, pages).map_err(unreadable)
}

/// What a definition would make of an arrival.
pub fn trial(state: &State, who: &SignedIn, id: u64, definition: &str) -> Result<Trial, Problem> {
    known(state, definition)?;
    let (item, path) = kept(state, who, id)?;
    let how = Bringing {
        definition: Some(definition.to_string()),
        queue: item.queue.clone(),
        job: item.job(),
        only_known: true,
    };
    state.gate.record_by(&who.principal, Permission::LoadWrite, "intake-preview", &item.named(), definition)?;
    let mut trial = state.backend.try_cut(&path, &item.file, &how).map_err(unreadable)?;
    if is_kept_from(state, who, definition)? {
        trial.report.first_documents.clear();
    }
    Ok(trial)
}

/// Takes a load out of the archive; those who send its stream again mean it.
pub fn unload(state: &State, who: &SignedIn, load: LoadId, why: &str) -> Result<(), Problem> {
    who.need(Permission::LoadDelete)?;
    let why = reason(why, true)?;
    let row = state.backend.load(load)?.ok_or_else(Problem::nothing)?;
    let what = format!("load {load}");
    let held = |error| match error {
        BackendError::Held(why) => Problem::state(format!("{why}.")),
        other => Problem::from(other),
    };
    if let Err(error) = state.backend.not_held(load) {
        state.gate.record_refused(&who.principal, Permission::LoadDelete, "unload", &what, &why)?;
        return Err(held(error));
    }
    state.gate.record_by(&who.principal, Permission::LoadDelete, "unload", &what, &why)?;
    state.backend.unload(load, &why).map_err(held)?;
    tracing::info!(load = load.0, documents = row.documents, by = who.user.name, "a load was taken out");
    state.ledger.unloaded(load.0, &why)?;
    state.intake.unloaded(load.0, &who.user.name, &why).map_err(|error| refused(&error))
}

/// The arrival and where its bytes are, for somebody who may see them.
fn kept(state: &State, who: &SignedIn, id: u64) -> Result<(Item, PathBuf), Problem> {
    who.need(Permission::LoadWrite)?;
    let item = state.intake.item(id).map_err(|error| refused(&error))?.ok_or_else(Problem::nothing)?;
    if !item.state.keeps_bytes() {
        return Err(Problem::state("The bytes of the stream are not in the intake any more."));
    }
    let path = state.intake.path(id);
    Ok((item, path))
}

/// Whether a definition keeps values or documents from somebody: then what is for it is not shown before it is loaded either.
fn is_kept_from(state: &State, who: &SignedIn, definition: &str) -> Result<bool, Problem> {
    let restricted = state.backend.restricted()?;
    let roles = restricted.iter().find(|(name, _)| name == definition).map(|(_, roles)| roles);
    let hidden = roles.is_some_and(|roles| !roles.iter().any(|role| who.principal.rights.roles.contains(role)));
    Ok(hidden || (!who.may(Permission::DocumentUnmask) && state.backend.has_masks(definition)?))
}

/// A definition that there is.
pub fn known(state: &State, name: &str) -> Result<(), Problem> {
    if state.backend.definitions()?.iter().any(|definition| definition.name == name) {
        return Ok(());
    }
    Err(Problem::bad_value(format!("There is no definition {name:?}.")))
}

/// A reason as somebody wrote it.
fn reason(text: &str, needed: bool) -> Result<String, Problem> {
    let text = text.trim();
    if needed && text.is_empty() {
        return Err(Problem::bad_value("Say why; the reason is kept."));
    }
    if text.chars().count() > REASON || text.contains(char::is_control) {
        return Err(Problem::bad_value(format!("A reason has at most {REASON} characters, on one line.")));
    }
    Ok(text.to_string())
}

fn unreadable(error: BackendError) -> Problem {
    match error {
        BackendError::NotLoadable(why) => Problem::bad_value(format!("{why}.")),
        other => other.into(),
    }
}
