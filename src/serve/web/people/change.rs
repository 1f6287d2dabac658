//! What the forms of users, keys, roles, groups and data policies do.
//!
//! A form is looked through before anything is done: when something in it is wrong, nothing is changed and nothing stands in
//! the audit as done. What is changed is recorded first, with what was before and what comes. Nobody gives more than they
//! have: see [`gives`].

use super::{attributes, policy_of, printed, words};
use crate::auth::directory::{Group, check_name};
use crate::auth::permission::{Permission, Permissions};
use crate::auth::predicate::Rule;
use crate::auth::role::{AGENT, CUSTOMER, Reach, Role};
use crate::auth::user::{Given, NewUser, User};
use crate::auth::{AuthError, secret};
use crate::serve::ask::{Params, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Digits of a password that is made here and told once.
const PASSWORD: usize = 20;
/// Longest label of a key.
const LABEL: usize = 100;

/// A password or a key that was made, told once.
#[derive(Debug)]
pub struct Made {
    /// Whose.
    pub user: String,
    /// Its text.
    pub secret: String,
    /// Whether it is a key.
    pub is_key: bool,
}

/// What somebody can mend is told; the rest is the server's.
pub fn mended(error: AuthError) -> Problem {
    match error {
        AuthError::Store(_) | AuthError::Random { .. } | AuthError::Hash { .. } => error.into(),
        other => Problem::bad_body(other.to_string()),
    }
}

/// Who changes what, and by which right.
struct Change<'c> {
    state: &'c State,
    who: &'c SignedIn,
    right: Permission,
    kind: &'static str,
    name: &'c str,
}

impl Change<'_> {
    fn note(&self, why: &str) -> Result<(), Problem> {
        Ok(self.state.gate.record_by(&self.who.principal, self.right, self.kind, self.name, why)?)
    }

    /// Records what it was and what it becomes.
    fn note_from(&self, before: &str, after: &str) -> Result<(), Problem> {
        self.note(&format!("change from {before} to {after}"))
    }

    /// Refuses what would give somebody more than the caller has, and keeps that it was tried.
    fn refuse(&self, why: &str) -> Problem {
        let kept = self.state.gate.record_refused(&self.who.principal, self.right, self.kind, self.name, why);
        kept.map_or_else(Problem::from, |()| Problem::bad_body(why))
    }

    fn need_gives(&self, roles: &[Role]) -> Result<(), Problem> {
        match roles.iter().find(|role| !gives(self.state, self.who, role)) {
            Some(role) => Err(self.refuse(&format!("the role {} allows what you may not do yourself", role.name))),
            None => Ok(()),
        }
    }
}

/// Whether somebody may give a role, or decide over somebody who has it: the agent's and the customer's, which come with the
/// program, and those that allow and reach no more than the giver's own.
fn gives(state: &State, who: &SignedIn, role: &Role) -> bool {
    let common = role.built_in && matches!(role.name.as_str(), AGENT | CUSTOMER);
    let own = &who.principal.rights;
    let roles = state.directory.roles().unwrap_or_default();
    let reach = |wanted: &[String]| {
        let held = roles.iter().filter(|role| wanted.contains(&role.name));
        held.map(|role| rank(role.reach)).max().unwrap_or_default()
    };
    let within = role.permissions.and(own.permissions) == role.permissions;
    common || within && rank(role.reach) <= reach(&own.roles)
}

fn rank(reach: Reach) -> u8 {
    match reach {
        Reach::None => 0,
        Reach::Own => 1,
        Reach::All => 2,
    }
}

/// Roles by their names.
fn known_roles(state: &State, names: &[String]) -> Result<Vec<Role>, Problem> {
    let find = |name: &String| {
        state.directory.role(name)?.ok_or_else(|| Problem::bad_body(format!("there is no role {name:?}")))
    };
    names.iter().map(find).collect()
}

/// A user's own role and those that groups give.
fn roles_of(state: &State, role: &str, groups: &[String]) -> Result<Vec<Role>, Problem> {
    let known = state.directory.groups()?;
    let mut names = vec![role.to_string()];
    for group in groups {
        let group = known.iter().find(|known| known.name == *group);
        let group = group.ok_or_else(|| Problem::bad_body("one of the groups is not there any more"))?;
        names.extend(group.roles.iter().cloned());
    }
    known_roles(state, &names)
}

/// The roles that a user has, as far as they are still there.
fn held_by(state: &State, user: &User) -> Result<Vec<Role>, Problem> {
    let groups = state.directory.groups()?;
    let given = groups.iter().filter(|group| user.groups.contains(&group.name)).flat_map(|group| &group.roles);
    let names: Vec<&String> = given.chain([&user.role]).collect();
    Ok(state.directory.roles()?.into_iter().filter(|role| names.contains(&&role.name)).collect())
}

fn described(user: &User) -> String {
    let given = Given {
        role: user.role.clone(),
        accounts: user.accounts.clone(),
        groups: user.groups.clone(),
        attributes: user.attributes.clone(),
    };
    described_rights(&given)
}

fn described_rights(given: &Given) -> String {
    let mut text = format!("role={}", given.role);
    for (name, list) in [("groups", &given.groups), ("accounts", &given.accounts)] {
        if !list.is_empty() {
            text.push_str(&format!("; {name}={}", list.join(",")));
        }
    }
    let attributes = printed(&given.attributes);
    if attributes.is_empty() { text } else { format!("{text}; {attributes}") }
}

/// A user, a session or a key.
pub fn user(state: &State, who: &SignedIn, params: &Params) -> Result<Option<Made>, Problem> {
    let text = |name: &str| params.get(name).unwrap_or_default();
    let (what, name) = (text("what"), text("name").trim().to_lowercase());
    let change = Change { state, who, right: Permission::UserWrite, kind: "user", name: &name };
    // An administrator who locks himself out, or takes his own role, would leave nobody to undo it.
    if name == who.user.name && matches!(what, "disable" | "change") {
        return Err(Problem::bad_body("that is yourself: let somebody else do it"));
    }
    if what == "add" {
        return added(&change, params);
    }
    let user = state.users.get(&name)?.ok_or_else(|| Problem::bad_body(format!("there is no user {name:?}")))?;
    // Ending a session or a key takes something away; whoever may do it at all may do it in need.
    if !matches!(what, "session" | "key-end") {
        change.need_gives(&held_by(state, &user)?)?;
    }
    match what {
        "change" => changed(&change, &user, params)?,
        "password" => {
            let password = fresh()?;
            change.note(what)?;
            state.users.set_password(&name, &password).map_err(mended)?;
            state.sessions.revoke_all(&name)?;
            return Ok(Some(Made { user: name, secret: password, is_key: false }));
        }
        "key" => return keyed(&change, params),
        "key-end" => {
            let id = text("key");
            if !state.keys.list(Some(&name))?.iter().any(|key| key.id == id) {
                return Err(Problem::bad_body("the key is not there any more"));
            }
            change.note(what)?;
            state.keys.revoke(id).map_err(mended)?;
        }
        "disable" => {
            change.note(what)?;
            state.users.set_disabled(&name, true).map_err(mended)?;
            state.sessions.revoke_all(&name)?;
        }
        "enable" => {
            change.note(what)?;
            state.users.set_disabled(&name, false).map_err(mended)?;
        }
        "second" => {
            change.note(what)?;
            state.factors.remove(&name)?;
        }
        "sessions" => {
            change.note(what)?;
            state.sessions.revoke_all(&name)?;
        }
        "session" => {
            change.note(what)?;
            state.sessions.revoke(text("session"), Some(&name))?;
        }
        _ => {
            return Err(Problem::bad_body(
                "what is one of add, change, password, disable, enable, second, session, sessions, key, key-end",
            ));
        }
    }
    Ok(None)
}

fn fresh() -> Result<String, AuthError> {
    Ok(secret::token()?.chars().take(PASSWORD).collect())
}

fn added(change: &Change<'_>, params: &Params) -> Result<Option<Made>, Problem> {
    let text = |name: &str| params.get(name).unwrap_or_default();
    let state = change.state;
    change.need_gives(&known_roles(state, &[text("role").to_string()])?)?;
    let password = fresh()?;
    let new = NewUser {
        name: change.name.to_string(),
        role: text("role").to_string(),
        accounts: words(text("accounts")),
        display_name: text("display").to_string(),
        language: String::new(),
        password: Some(password.clone()),
    };
    state.users.may_add(&new).map_err(mended)?;
    let given = Given { role: new.role.clone(), accounts: new.accounts.clone(), ..Given::default() };
    change.note(&format!("add as {}", described_rights(&given)))?;
    state.users.add(new).map_err(mended)?;
    Ok(Some(Made { user: change.name.to_string(), secret: password, is_key: false }))
}

/// Role, groups, accounts and attributes, all of them or nothing.
fn changed(change: &Change<'_>, user: &User, params: &Params) -> Result<(), Problem> {
    let text = |name: &str| params.get(name).unwrap_or_default();
    let given = Given {
        role: text("role").to_string(),
        accounts: words(text("accounts")),
        groups: words(text("groups")),
        attributes: attributes(text("attributes"))?,
    };
    change.need_gives(&roles_of(change.state, &given.role, &given.groups)?)?;
    given.fits().map_err(mended)?;
    change.note_from(&described(user), &described_rights(&given))?;
    change.state.users.give(&user.name, given).map_err(mended)
}

/// A key for a program that acts as the user, perhaps with less.
fn keyed(change: &Change<'_>, params: &Params) -> Result<Option<Made>, Problem> {
    let text = |name: &str| params.get(name).unwrap_or_default();
    let scopes = permissions(text("scopes"))?;
    let scopes = (scopes != Permissions::NONE).then_some(scopes);
    let accounts = Some(words(text("accounts"))).filter(|accounts| !accounts.is_empty());
    let label: String = text("label").trim().chars().take(LABEL).collect();
    change.note("key")?;
    let (secret, _) = change.state.keys.make_scoped(change.name, &label, accounts, scopes).map_err(mended)?;
    Ok(Some(Made { user: change.name.to_string(), secret, is_key: true }))
}

fn permissions(text: &str) -> Result<Permissions, Problem> {
    let names = text.split([' ', ',', '\n', '\r']).filter(|name| !name.is_empty());
    Permissions::parse(names).map_err(|name| Problem::bad_body(format!("{name:?} is no permission")))
}

/// A role.
pub fn role(state: &State, who: &SignedIn, params: &Params) -> Result<Option<Made>, Problem> {
    let text = |name: &str| params.get(name).unwrap_or_default();
    let name = text("name").to_string();
    let change = Change { state, who, right: Permission::PolicyWrite, kind: "role", name: &name };
    let before = state.directory.role(&name)?;
    if let Some(before) = &before {
        change.need_gives(std::slice::from_ref(before))?;
    }
    if text("what") == "remove" {
        if before.is_none() {
            return Err(Problem::bad_body(format!("there is no role {name:?}")));
        }
        change.note("remove")?;
        state.directory.remove_role(&name).map_err(mended)?;
        return Ok(None);
    }
    let second_factor = params.get("second").is_some();
    let role = match before.clone() {
        Some(role) if role.built_in => Role { second_factor, ..role },
        _ => {
            let permissions = permissions(text("permissions"))?;
            let reach = Reach::parse(text("reach")).ok_or_else(|| Problem::bad_body("reach is none, own or all"))?;
            Role { name: name.clone(), permissions, reach, second_factor, built_in: false }
        }
    };
    change.need_gives(std::slice::from_ref(&role))?;
    check_name(&name).map_err(mended)?;
    match &before {
        Some(before) => change.note_from(&described_role(before), &described_role(&role))?,
        None => change.note(&format!("add as {}", described_role(&role)))?,
    }
    state.directory.set_role(&role).map_err(mended)?;
    Ok(None)
}

fn described_role(role: &Role) -> String {
    let permissions: Vec<&str> = role.permissions.iter().map(Permission::name).collect();
    let second = if role.second_factor { "; second factor" } else { "" };
    format!("{}; reach={}{second}", permissions.join(" "), role.reach.name())
}

/// A group.
pub fn group(state: &State, who: &SignedIn, params: &Params) -> Result<Option<Made>, Problem> {
    let text = |name: &str| params.get(name).unwrap_or_default();
    let name = text("name").to_string();
    let change = Change { state, who, right: Permission::PolicyWrite, kind: "group", name: &name };
    let before = state.directory.groups()?.into_iter().find(|group| group.name == name);
    if text("what") == "remove" {
        if before.is_none() {
            return Err(Problem::bad_body(format!("there is no group {name:?}")));
        }
        change.note("remove")?;
        state.directory.remove_group(&name).map_err(mended)?;
        return Ok(None);
    }
    let group = Group { name: name.clone(), roles: words(text("roles")), attributes: attributes(text("attributes"))? };
    change.need_gives(&known_roles(state, &group.roles)?)?;
    check_name(&name).map_err(mended)?;
    let described = |group: &Group| format!("roles={}; {}", group.roles.join(","), printed(&group.attributes));
    match &before {
        Some(before) => change.note_from(&described(before), &described(&group))?,
        None => change.note(&format!("add as {}", described(&group)))?,
    }
    state.directory.set_group(&group).map_err(mended)?;
    Ok(None)
}

/// Refuses a rule that asks for a field that no definition has: it would hide everything, or nothing.
pub fn check_fields(state: &State, rule: &str) -> Result<(), Problem> {
    let mut known: Vec<String> = state.backend.definitions()?.into_iter().flat_map(|known| known.fields).collect();
    known.sort_unstable();
    known.dedup();
    let unknown = Rule::parse(rule).map(|rule| rule.unknown_fields(&known)).unwrap_or_default();
    if unknown.is_empty() {
        return Ok(());
    }
    let told = format!("no definition has the field {}; there are: {}", unknown.join(", "), known.join(", "));
    Err(Problem::bad_body(told))
}

/// A data policy.
pub fn policy(state: &State, who: &SignedIn, params: &Params) -> Result<Option<Made>, Problem> {
    let text = |name: &str| params.get(name).unwrap_or_default();
    let name = text("name").to_string();
    let change = Change { state, who, right: Permission::PolicyWrite, kind: "policy", name: &name };
    let why = format!("{} {} {}", text("what"), text("effect"), text("rule"));
    if text("what") == "remove" {
        change.note(why.trim())?;
        state.directory.remove_policy(&name).map_err(mended)?;
        return Ok(None);
    }
    if params.get("force").is_none() {
        check_fields(state, text("rule"))?;
    }
    let policy = policy_of(params);
    policy.fits().map_err(mended)?;
    change.note(&why)?;
    state.directory.set_policy(&policy).map_err(mended)?;
    Ok(None)
}
