//! A dry run of a data policy: what it would hide from somebody, and show to somebody, before it is kept.

use minijinja::{Value, context};

use super::{Language, shown};
use crate::auth::directory::{Policy, Rights};
use crate::auth::gate::Principal;
use crate::auth::permission::Permission;
use crate::auth::predicate::Predicate;
use crate::auth::user::User;
use crate::serve::ask::SignedIn;
use crate::serve::backend::{DocumentView, HitsAsked};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Documents named as examples.
const EXAMPLES: usize = 5;

/// What a policy would do for somebody.
#[derive(Debug, Default)]
pub struct Trial {
    /// For whom: `role:agent`, `user:ann`.
    pub asked: String,
    /// The policy is for them.
    bound: bool,
    /// Documents seen now.
    now: u64,
    /// Of them those that would be hidden.
    hidden: u64,
    /// Documents that would be seen and are not now.
    shown: u64,
    hidden_examples: Vec<DocumentView>,
    shown_examples: Vec<DocumentView>,
}

/// Works it out. Examples are documents that the asker may see.
pub fn trial(state: &State, who: &SignedIn, policy: &Policy, asked: &str) -> Result<Trial, Problem> {
    let user = somebody(state, asked)?;
    let restricted = state.backend.restricted()?;
    let before = state.directory.rights(&user, &restricted)?;
    let after = state.directory.rights_if(&user, &restricted, policy).map_err(super::people::change::mended)?;
    let bound = before.roles.iter().any(|role| policy.roles.contains(role))
        || policy.users.contains(&user.name)
        || policy.groups.iter().any(|group| user.groups.contains(group));
    let (seen, then) = (before.predicate(), after.predicate());
    let not = |predicate: &Predicate| Predicate::Not(Box::new(predicate.clone()));
    let hidden = Predicate::All(vec![seen.clone(), not(&then)]);
    let shown = Predicate::All(vec![then, not(&seen)]);
    let (now, _) = found(state, who, seen, 0)?;
    let (hidden, hidden_examples) = found(state, who, hidden, EXAMPLES)?;
    let (shown, shown_examples) = found(state, who, shown, EXAMPLES)?;
    Ok(Trial { asked: asked.to_string(), bound, now, hidden, shown, hidden_examples, shown_examples })
}

/// The user of a name, or one of a role who has nothing of his own.
fn somebody(state: &State, asked: &str) -> Result<User, Problem> {
    let unknown = || Problem::bad_body("choose a role or a user");
    match asked.split_once(':') {
        Some(("user", name)) => state.users.get(name)?.ok_or_else(unknown),
        Some(("role", name)) => {
            let role = state.directory.role(name)?.ok_or_else(unknown)?;
            Ok(User { role: role.name, ..User::default() })
        }
        _ => Err(unknown()),
    }
}

/// How many documents a condition holds for, and the first of them that the asker sees, masked as for somebody without
/// rights of his own.
fn found(
    state: &State,
    who: &SignedIn,
    condition: Predicate,
    limit: usize,
) -> Result<(u64, Vec<DocumentView>), Problem> {
    let look = |limits: Vec<Predicate>, limit: usize| {
        let rights = Rights {
            permissions: [Permission::DocumentRead].into_iter().collect(),
            grants: vec![("policy trial".into(), condition.clone())],
            limits,
            ..Rights::default()
        };
        let scope = state.gate.scope(&Principal::new("system:policy-trial", "greenbar", rights));
        state.backend.hits(&HitsAsked { limit, ..HitsAsked::default() }, &scope)
    };
    let total = look(Vec::new(), 1)?.total;
    if limit == 0 || total == 0 || !who.may(Permission::DocumentRead) {
        return Ok((total, Vec::new()));
    }
    let own = look(vec![who.principal.rights.predicate()], limit)?;
    Ok((total, own.hits.into_iter().take(limit).map(|hit| hit.document).collect()))
}

/// For the page.
pub fn told(trial: &Trial, language: Language) -> Value {
    let (kind, name) = trial.asked.split_once(':').unwrap_or(("role", trial.asked.as_str()));
    let who = language.word(&format!("trial_{kind}")).replace("{name}", name);
    let examples =
        |list: &[DocumentView]| list.iter().map(|view| shown::document(view, language, false)).collect::<Vec<_>>();
    context! {
        who, bound => trial.bound, now => trial.now, hidden => trial.hidden, shown => trial.shown,
        hidden_examples => examples(&trial.hidden_examples),
        shown_examples => examples(&trial.shown_examples),
    }
}
