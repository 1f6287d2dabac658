//! `greenbar user`: users and API keys.

use std::io::{self, IsTerminal};

use serde_json::json;

use crate::auth::directory::{Directory, Rights};
use crate::auth::key::Keys;
use crate::auth::permission::{Permission, Permissions};
use crate::auth::second::SecondFactors;
use crate::auth::user::{NewUser, User, Users};

use super::context::{Context, gate, operator};
use super::failure::Failure;
use super::init::generate;
use super::output;

/// Adds, lists and changes users, and makes API keys for programs.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Add a user; the password is read from standard input with --password-stdin, otherwise generated and printed once
    Add(Add),
    /// All users
    List,
    /// Give a user a new password, generated and printed once (or read with --password-stdin)
    Password {
        /// Sign-in name
        name: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Lock a user out
    Disable {
        /// Sign-in name
        name: String,
    },
    /// Let a user in again
    Enable {
        /// Sign-in name
        name: String,
    },
    /// One user with groups, attributes and rights
    Show {
        /// Sign-in name
        name: String,
    },
    /// Change a user: role, groups, accounts, attributes. What is not named stays
    Set(Change),
    /// Take a user out; sessions and keys stop working
    Remove {
        /// Sign-in name
        name: String,
    },
    /// Turn a user's second factor off, when the phone and the recovery codes are lost
    ResetSecondFactor {
        /// Sign-in name
        name: String,
    },
    /// Make an API key that acts as the user; it is printed once
    Key {
        /// Sign-in name
        name: String,
        /// What the key is for
        #[arg(long, default_value = "")]
        label: String,
        /// Only these permissions of the user's; may be given several times
        #[arg(long = "scope", value_name = "PERMISSION")]
        scopes: Vec<String>,
        /// Only documents of these accounts, and no more than a customer may; may be given several times
        #[arg(long = "account")]
        accounts: Vec<String>,
    },
    /// All API keys
    Keys,
    /// End an API key
    RevokeKey {
        /// The key's id, as listed
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Sign-in name
    name: String,
    /// administrator, agent, customer or another role: `greenbar role list`
    #[arg(long)]
    role: String,
    /// A customer's account number; may be given several times
    #[arg(long = "account")]
    accounts: Vec<String>,
    /// Name for people
    #[arg(long, default_value = "")]
    display_name: String,
    /// en or zh-CN; as the browser asks when left out
    #[arg(long, default_value = "")]
    language: String,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, clap::Args)]
struct Change {
    /// Sign-in name
    name: String,
    /// The user's own role
    #[arg(long)]
    role: Option<String>,
    /// Groups, instead of those he is in; `--group ""` for none
    #[arg(long = "group")]
    groups: Vec<String>,
    /// Accounts of a customer, instead of those he has
    #[arg(long = "account")]
    accounts: Vec<String>,
    /// An attribute for data policies, such as `region=north,south`; no value takes it away
    #[arg(long = "attribute", value_name = "NAME=VALUES")]
    attributes: Vec<String>,
}

impl Change {
    fn run(&self, users: &Users, directory: &Directory) -> Result<(), Failure> {
        let full = |list: &[String]| list.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>();
        if !self.groups.is_empty() {
            users.set_groups(&self.name, full(&self.groups))?;
        }
        if !self.accounts.is_empty() {
            users.set_accounts(&self.name, full(&self.accounts))?;
        }
        if let Some(role) = &self.role {
            known_role(directory, role)?;
            users.set_role(&self.name, role)?;
        }
        for pair in &self.attributes {
            let (name, values) = attribute(pair)?;
            users.set_attribute(&self.name, &name, values)?;
        }
        Ok(())
    }
}

/// `region=north,south`
pub(super) fn attribute(pair: &str) -> Result<(String, Vec<String>), Failure> {
    let (name, values) =
        pair.split_once('=').ok_or_else(|| Failure::usage("an attribute is written name=value,value"))?;
    let values = values.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_string);
    Ok((name.trim().to_string(), values.collect()))
}

/// Refuses a role that there is not.
pub(super) fn known_role(directory: &Directory, name: &str) -> Result<(), Failure> {
    let roles = directory.roles()?;
    if roles.iter().any(|role| role.name == name) {
        return Ok(());
    }
    let names: Vec<String> = roles.into_iter().map(|role| role.name).collect();
    Err(Failure::usage(format!("there is no role {name:?}; there are {}", names.join(", "))))
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let engine = archive.engine();
        let users = Users::new(engine.clone(), Default::default());
        let directory = Directory::new(engine.clone());
        let keys = Keys::new(engine, Default::default());
        let gate = gate(&archive);
        let record = |what: &str, name: &str| gate.record(&operator(), what, name, "").map_err(Failure::from);
        match self.action {
            Action::Add(add) => {
                known_role(&directory, &add.role)?;
                let (password, generated) = password(add.password_stdin)?;
                record("add user", &add.name)?;
                let user = users.add(NewUser {
                    name: add.name,
                    role: add.role,
                    accounts: add.accounts,
                    display_name: add.display_name,
                    language: add.language,
                    password: Some(password.clone()),
                })?;
                told(context, &user, generated.then_some(&password))
            }
            Action::List => users.list()?.iter().try_for_each(|user| told(context, user, None)),
            Action::Password { name, password_stdin } => {
                let (password, generated) = password(password_stdin)?;
                record("set password", &name)?;
                users.set_password(&name, &password)?;
                let mut object = serde_json::json!({ "name": name });
                if !generated {
                    return output::done(context.json, &object, format!("{name} has a new password"));
                }
                object["password"] = password.as_str().into();
                output::done(context.json, &object, format!("password (shown once): {password}"))
            }
            Action::Disable { name } => {
                record("disable user", &name)?;
                users.set_disabled(&name, true)?;
                let object = serde_json::json!({ "name": name, "disabled": true });
                output::done(context.json, &object, format!("{name} is disabled"))
            }
            Action::Enable { name } => {
                record("enable user", &name)?;
                users.set_disabled(&name, false)?;
                let object = serde_json::json!({ "name": name, "disabled": false });
                output::done(context.json, &object, format!("{name} is enabled"))
            }
            Action::Show { name } => {
                let user = users.get(&name)?.ok_or_else(|| Failure::new(format!("there is no user {name:?}")))?;
                let rights = directory.rights(&user, &archive.safeguards()?.restricted)?;
                let second = SecondFactors::new(archive.engine(), Default::default()).has(&user.name)?;
                shown(context, &user, &rights, second)
            }
            Action::Set(change) => {
                record("change user", &change.name)?;
                change.run(&users, &directory)
            }
            Action::Remove { name } => {
                record("remove user", &name)?;
                users.remove(&name)?;
                let object = serde_json::json!({ "name": name, "removed": true });
                output::done(context.json, &object, format!("{name} is removed"))
            }
            Action::ResetSecondFactor { name } => {
                record("reset second factor", &name)?;
                Ok(SecondFactors::new(archive.engine(), Default::default()).remove(&name)?)
            }
            Action::Key { name, label, scopes, accounts } => {
                let scopes = (!scopes.is_empty())
                    .then(|| Permissions::parse(scopes.iter().map(String::as_str)))
                    .transpose()
                    .map_err(|name| Failure::usage(format!("{name:?} is no permission")))?;
                if users.get(&name)?.is_none() {
                    return Err(Failure::new(format!("there is no user {name:?}")));
                }
                record("make key", &name)?;
                let accounts = (!accounts.is_empty()).then_some(accounts);
                let (key, row) = keys.make_scoped(&name, &label, accounts, scopes)?;
                if context.json {
                    return output::json_line(&json!({ "key": key, "id": row.id, "user": name }));
                }
                output::line(format!("key (shown once): {key}"))
            }
            Action::Keys => keys.list(None)?.iter().try_for_each(|key| {
                if context.json {
                    return output::json_line(&json!({
                        "id": key.id, "user": key.user, "label": key.label, "scopes": key.scopes, "accounts": key.accounts,
                    }));
                }
                output::line(format!("{:<20} {:<20} {}", key.id, key.user, key.label))
            }),
            Action::RevokeKey { id } => {
                record("revoke key", &id)?;
                Ok(keys.revoke(&id)?)
            }
        }
    }
}

/// A password, and whether it was generated.
fn password(from_stdin: bool) -> Result<(String, bool), Failure> {
    if !from_stdin {
        return Ok((generate()?, true));
    }
    if io::stdin().is_terminal() {
        return Err(Failure::usage("--password-stdin reads a pipe or a file"));
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok((line.trim_end_matches(['\r', '\n']).to_string(), false))
}

fn shown(context: &Context, user: &User, rights: &Rights, second: bool) -> Result<(), Failure> {
    let grants: Vec<&str> = rights.grants.iter().map(|(name, _)| name.as_str()).collect();
    if context.json {
        return output::json_line(&json!({
            "name": user.name,
            "role": user.role,
            "roles": rights.roles,
            "groups": user.groups,
            "attributes": user.attributes,
            "accounts": user.accounts,
            "permissions": rights.permissions,
            "sees_by": grants,
            "limits": rights.limits.len(),
            "second_factor": second,
            "second_factor_wanted": rights.second_factor,
            "disabled": user.disabled,
        }));
    }
    told(context, user, None)?;
    let names: Vec<&str> = rights.permissions.iter().map(Permission::name).collect();
    output::line(format!("roles: {}", rights.roles.join(", ")))?;
    output::line(format!("groups: {}", user.groups.join(", ")))?;
    output::line(format!("permissions: {}", names.join(" ")))?;
    output::line(format!("sees documents by: {}; limits: {}", grants.join(", "), rights.limits.len()))
}

fn told(context: &Context, user: &User, password: Option<&String>) -> Result<(), Failure> {
    if context.json {
        return output::json_line(&json!({
            "name": user.name,
            "role": user.role,
            "groups": user.groups,
            "attributes": user.attributes,
            "accounts": user.accounts,
            "display_name": user.display_name,
            "disabled": user.disabled,
            "password": password,
        }));
    }
    let state = if user.disabled { " (disabled)" } else { "" };
    output::line(format!("{:<20} {:<14} {}{state}", user.name, user.role, user.accounts.join(", ")))?;
    password.map_or(Ok(()), |password| output::line(format!("password (shown once): {password}")))
}
