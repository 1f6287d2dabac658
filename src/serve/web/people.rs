//! Administration of users, keys, groups, roles and data policies: plain forms. What they do is in [`change`].

pub(super) mod change;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use minijinja::{Value, context};

use super::trial::{self, Trial};
use super::{Language, language, locale, page as render, role_word};
use crate::auth::directory::{Effect, Group, Policy};
use crate::auth::key::ApiKey;
use crate::auth::permission::Permission;
use crate::auth::predicate::Attributes;
use crate::auth::role::Role;
use crate::auth::session::Session;
use crate::auth::user::User;
use crate::serve::api::crm::access;
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// What the page tells besides what there is.
#[derive(Debug, Default)]
struct Told {
    /// What was wrong with the form.
    error: String,
    /// A password or a key that was made, told once.
    made: Option<change::Made>,
    /// What a policy would do.
    trial: Option<Trial>,
    /// The form that was sent, to be shown again as it was typed.
    sent: Option<(Form, Params)>,
}

/// The forms of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Users,
    Keys,
    Roles,
    Groups,
    Policies,
}

impl Form {
    const ALL: [Form; 5] = [Form::Users, Form::Keys, Form::Roles, Form::Groups, Form::Policies];

    fn name(self) -> &'static str {
        match self {
            Form::Users => "users",
            Form::Keys => "keys",
            Form::Roles => "roles",
            Form::Groups => "groups",
            Form::Policies => "policies",
        }
    }

    /// Its fields, but for those that choose what is done.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Form::Users => &["name", "role", "display", "accounts", "groups", "attributes"],
            Form::Keys => &["name", "label", "scopes", "accounts"],
            Form::Roles => &["name", "permissions", "reach", "second"],
            Form::Groups => &["name", "roles", "attributes"],
            Form::Policies => &["name", "effect", "rule", "roles", "groups", "users", "force", "as"],
        }
    }

    /// What a field says before anything was typed.
    fn begun(self, field: &str) -> &'static str {
        match (self, field) {
            (Form::Users, "role") => "agent",
            (Form::Policies, "rule") => "region = user.region",
            (Form::Policies, "as") => "role:agent",
            _ => "",
        }
    }

    /// The form as it was sent, or as it begins; `of` is who was to be changed.
    fn typed(self, sent: Option<&(Form, Params)>) -> Value {
        let params = sent.filter(|(form, _)| *form == self).map(|(_, params)| params);
        let value = |name: &str| match params {
            Some(params) => params.get(name).unwrap_or_default(),
            None => self.begun(name),
        };
        let changed = params.is_some_and(|params| params.get("what") == Some("change"));
        let fields = self.fields().iter().map(|name| match *name {
            "roles" | "groups" => (*name, Value::from(words(value(name)))),
            // The form for another one stays empty when an old one could not be changed.
            "name" if changed => ("name", Value::from("")),
            _ => (*name, Value::from(value(name))),
        });
        let of = if changed { value("name") } else { "" };
        Value::from_pairs(fields.chain([("open", Value::from(params.is_some() && !changed)), ("of", Value::from(of))]))
    }
}

/// The page.
pub async fn page(ask: Ask) -> Answer {
    ask.params(&[])?;
    show(&ask, Told::default(), StatusCode::OK).await
}

async fn show(ask: &Ask, told: Told, status: StatusCode) -> Answer {
    let who = ask.who()?.clone();
    let policies = who.may(Permission::PolicyRead);
    let reader = who.clone();
    let (users, roles, groups, rules, factors, sessions, keys) = ask
        .block(move |state| {
            let mut users = state.users.list()?;
            let mut keys = state.keys.list(None)?;
            if !reader.may(Permission::UserWrite) {
                // Who gives people their accounts works with numbers; who only reads sees them as on documents.
                let eyes = access::eyes(state, &reader)?;
                let of_keys = keys.iter_mut().filter_map(|key| key.accounts.as_mut());
                let all = users.iter_mut().map(|user| &mut user.accounts).chain(of_keys);
                for number in all.flatten() {
                    *number = eyes.number(number)?;
                }
            }
            let factors = users.iter().map(|user| state.factors.has(&user.name)).collect::<Result<Vec<_>, _>>()?;
            let (mut groups, mut rules) = (Vec::new(), Vec::new());
            if policies {
                (groups, rules) = (state.directory.groups()?, state.directory.policies()?);
            }
            Ok((users, state.directory.roles()?, groups, rules, factors, state.sessions.list(None)?, keys))
        })
        .await?;
    let language = language(&ask.request, Some(&who));
    let own = context! {
        may_users => who.may(Permission::UserWrite),
        may_policies => who.may(Permission::PolicyWrite),
        sees_policies => policies,
        users => users.iter().zip(factors).map(|(one, second)| user(one, second, language)).collect::<Vec<_>>(),
        roles => roles.iter().map(|one| role(one, language)).collect::<Vec<_>>(),
        groups => groups.iter().map(|one| group(one, language)).collect::<Vec<_>>(),
        policies => rules.iter().map(|one| policy(one, language)).collect::<Vec<_>>(),
        keys => keys.iter().map(|one| key(one, language)).collect::<Vec<_>>(),
        sessions => sessions.iter().map(|one| session(one, &who, language)).collect::<Vec<_>>(),
        trial => told.trial.as_ref().map(|trial| trial::told(trial, language)),
        typed => Value::from_pairs(Form::ALL.map(|form| (form.name(), form.typed(told.sent.as_ref())))),
        permissions => Permission::ALL.iter().map(|p| context! { name => p.name(), about => p.about() }).collect::<Vec<_>>(),
        error => told.error,
        made => told.made.as_ref().map(|made| context! { user => made.user.as_str(), secret => made.secret.as_str(), is_key => made.is_key }),
    };
    render(&ask.request, Some(&who), "people.html", status, own)
}

fn user(user: &User, second: bool, language: Language) -> Value {
    context! {
        name => user.name.as_str(),
        shown => user.display_name.as_str(),
        role => user.role.as_str(),
        role_word => role_word(&user.role, language),
        groups => user.groups.clone(),
        accounts => user.accounts.join(", "),
        attributes => printed(&user.attributes),
        disabled => user.disabled,
        second,
        provider => user.subject.is_some(),
    }
}

fn role_words(roles: &[String], language: Language) -> String {
    roles.iter().map(|role| role_word(role, language)).collect::<Vec<_>>().join(", ")
}

/// A session of anybody.
fn session(session: &Session, who: &SignedIn, language: Language) -> Value {
    context! {
        id => session.id.as_str(),
        user => session.user.as_str(),
        from => session.from.as_str(),
        opened => locale::moment(session.created_at, language),
        used => locale::moment(session.used_at, language),
        own => who.session.as_ref().is_some_and(|own| own.id == session.id),
    }
}

/// An API key of anybody; its text is not kept.
fn key(key: &ApiKey, language: Language) -> Value {
    context! {
        id => key.id.as_str(),
        user => key.user.as_str(),
        label => key.label.as_str(),
        scopes => key.scopes.map(|scopes| scopes.iter().map(Permission::name).collect::<Vec<_>>().join(" ")).unwrap_or_default(),
        accounts => key.accounts.as_ref().map(|accounts| accounts.join(", ")).unwrap_or_default(),
        made => locale::moment(key.created_at, language),
        used => key.used_at.map(|at| locale::moment(at, language)).unwrap_or_default(),
    }
}

fn role(role: &Role, language: Language) -> Value {
    context! {
        name => role.name.as_str(),
        word => role_word(&role.name, language),
        permissions => role.permissions.iter().map(Permission::name).collect::<Vec<_>>().join(" "),
        reach => role.reach.name(),
        second => role.second_factor,
        built_in => role.built_in,
    }
}

fn group(group: &Group, language: Language) -> Value {
    context! {
        name => group.name.as_str(),
        word => group.name.as_str(),
        roles => role_words(&group.roles, language),
        attributes => printed(&group.attributes),
    }
}

fn policy(policy: &Policy, language: Language) -> Value {
    context! {
        name => policy.name.as_str(),
        effect => match policy.effect { Effect::Allow => "allow", Effect::Limit => "limit" },
        rule => policy.rule.as_str(),
        roles => role_words(&policy.roles, language),
        groups => policy.groups.join(", "),
        users => policy.users.join(", "),
    }
}

/// `region=north,south; desk=12`
fn printed(attributes: &Attributes) -> String {
    let pairs: Vec<String> = attributes.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
    pairs.join("; ")
}

fn attributes(text: &str) -> Result<Attributes, Problem> {
    let mut found = Attributes::new();
    for pair in text.split([';', '\n']).map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, values) = pair.split_once('=').ok_or_else(|| Problem::bad_body(format!("{pair:?} has no =")))?;
        found.insert(name.trim().to_string(), words(values));
    }
    Ok(found)
}

fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_string).collect()
}

/// A change of users.
pub async fn users(ask: Ask) -> Answer {
    let params = ask.form_of_lists(
        &[
            "csrf",
            "what",
            "name",
            "role",
            "display",
            "accounts",
            "groups",
            "attributes",
            "session",
            "label",
            "scopes",
            "key",
        ],
        &["groups"],
    )?;
    let form = if params.get("what") == Some("key") { Form::Keys } else { Form::Users };
    changed(ask, form, params, change::user).await
}

/// A change of roles.
pub async fn roles(ask: Ask) -> Answer {
    let params = ask.form(&["csrf", "what", "name", "permissions", "reach", "second"])?;
    changed(ask, Form::Roles, params, change::role).await
}

/// A change of groups.
pub async fn groups(ask: Ask) -> Answer {
    let params = ask.form_of_lists(&["csrf", "what", "name", "roles", "attributes"], &["roles"])?;
    changed(ask, Form::Groups, params, change::group).await
}

/// A change of policies, or a dry run of one.
pub async fn policies(ask: Ask) -> Answer {
    let params = ask.form_of_lists(
        &["csrf", "what", "name", "effect", "rule", "roles", "groups", "users", "force", "as"],
        &["roles", "groups"],
    )?;
    if params.get("what") == Some("try") {
        return tried(ask, params).await;
    }
    changed(ask, Form::Policies, params, change::policy).await
}

/// Shows what a policy would do; nothing is kept. That it was tried is recorded: the answer tells of documents.
async fn tried(ask: Ask, params: Params) -> Answer {
    let who = ask.who()?.clone();
    let asked = params.clone();
    let outcome = ask
        .block(move |state| {
            if asked.get("force").is_none() {
                change::check_fields(state, asked.get("rule").unwrap_or_default())?;
            }
            let policy = policy_of(&asked);
            let why = format!("try {} {}", asked.get("as").unwrap_or_default(), policy.rule);
            state.gate.record_by(&who.principal, Permission::PolicyWrite, "policy", &policy.name, &why)?;
            trial::trial(state, &who, &policy, asked.get("as").unwrap_or_default())
        })
        .await;
    match outcome {
        Ok(trial) => {
            show(
                &ask,
                Told { trial: Some(trial), sent: Some((Form::Policies, params)), ..Told::default() },
                StatusCode::OK,
            )
            .await
        }
        Err(problem) if problem.status == StatusCode::BAD_REQUEST => {
            let sent = Some((Form::Policies, params));
            show(&ask, Told { error: problem.detail, sent, ..Told::default() }, StatusCode::BAD_REQUEST).await
        }
        Err(problem) => Err(problem),
    }
}

/// The policy that a form says.
fn policy_of(params: &Params) -> Policy {
    let text = |name: &str| params.get(name).unwrap_or_default();
    let effect = if text("effect") == "allow" { Effect::Allow } else { Effect::Limit };
    let (roles, groups, users) = (words(text("roles")), words(text("groups")), words(text("users")));
    Policy { name: text("name").to_string(), effect, rule: text("rule").to_string(), roles, groups, users }
}

type Change = fn(&State, &SignedIn, &Params) -> Result<Option<change::Made>, Problem>;

/// Makes a change; what was wrong with the form is told above it.
async fn changed(ask: Ask, form: Form, params: Params, change: Change) -> Answer {
    let who = ask.who()?.clone();
    let asked = params.clone();
    let outcome = ask.block(move |state| change(state, &who, &asked)).await;
    match outcome {
        Ok(None) => Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, "/admin/people")).finish()),
        Ok(made) => show(&ask, Told { made, ..Told::default() }, StatusCode::OK).await,
        Err(problem) if problem.status == StatusCode::BAD_REQUEST => {
            let told = Told { error: problem.detail, sent: Some((form, params)), ..Told::default() };
            show(&ask, told, StatusCode::BAD_REQUEST).await
        }
        Err(problem) => Err(problem),
    }
}
