//! `greenbar policy`: who sees which documents.

use std::ops::ControlFlow;

use serde_json::json;

use super::context::{Context, gate, operator};
use super::failure::Failure;
use super::output::{self, grouped};
use crate::archive::Archive;
use crate::auth::directory::{Directory, Effect, Policy};
use crate::auth::predicate::{Facts, Rule};
use crate::auth::user::Users;

/// Lists, makes, removes and tries data policies; docs/security.md tells the language of rules.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// All policies
    List,
    /// Make or change a policy
    Set(Set),
    /// Take a policy out
    Remove {
        /// Its name
        name: String,
    },
    /// Count the documents that a user sees, of all there are
    Check {
        /// Sign-in name
        user: String,
    },
}

#[derive(Debug, clap::Args)]
struct Set {
    /// Its name: a-z, 0-9 and -
    name: String,
    /// What it does: limit (only documents for which the rule holds are seen) or allow (these are seen as well)
    #[arg(long, value_enum)]
    effect: What,
    /// The rule, such as `region = user.region`
    #[arg(long)]
    rule: String,
    /// A role it is for; may be given several times
    #[arg(long = "role")]
    roles: Vec<String>,
    /// A group it is for; may be given several times
    #[arg(long = "group")]
    groups: Vec<String>,
    /// A user it is for; may be given several times
    #[arg(long = "user")]
    users: Vec<String>,
    /// Keep it although it asks for a field that no definition has
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Widens
    Allow,
    /// Narrows
    Limit,
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let directory = Directory::new(archive.engine());
        let record = |name: &str, what: &str| gate(&archive).record(&operator(), "policy", name, what);
        match self.action {
            Action::List => output::each(context.json, &directory.policies()?, |policy| told(context, policy)),
            Action::Set(set) => {
                let effect = match set.effect {
                    What::Allow => Effect::Allow,
                    What::Limit => Effect::Limit,
                };
                let Set { name, rule, roles, groups, users, force, .. } = set;
                if !force {
                    check_fields(&archive, &rule)?;
                }
                let policy = Policy { name, effect, rule, roles, groups, users };
                record(&policy.name, &policy.rule)?;
                directory.set_policy(&policy)?;
                told(context, &policy)
            }
            Action::Remove { name } => {
                record(&name, "remove")?;
                Ok(directory.remove_policy(&name)?)
            }
            Action::Check { user } => {
                let known = Users::new(archive.engine(), Default::default()).get(&user)?;
                let known = known.ok_or_else(|| Failure::new(format!("there is no user {user:?}")))?;
                let rights = directory.rights(&known, &archive.safeguards()?.restricted)?;
                let (mut all, mut seen) = (0_u64, 0_u64);
                for load in archive.loads()? {
                    let definition = archive.definition(&load.definition, Some(load.definition_version))?;
                    let kind = definition.as_ref().map_or("report", |definition| definition.kind.as_str());
                    archive.documents(load.id, &mut |document| {
                        all += 1;
                        seen += u64::from(rights.by(&Facts::of(&document, &load.field_names, kind)).is_some());
                        ControlFlow::Continue(())
                    })?;
                }
                if context.json {
                    return output::json_line(&json!({ "user": user, "sees": seen, "documents": all }));
                }
                output::line(format!("{user} sees {} of {} documents", grouped(seen), grouped(all)))
            }
        }
    }
}

/// Refuses a rule that asks for a field that no definition has: it would hide everything, or nothing.
fn check_fields(archive: &Archive, rule: &str) -> Result<(), Failure> {
    let mut known = Vec::new();
    for row in archive.definitions()? {
        let definition = archive.definition(&row.name, Some(row.version))?;
        known.extend(definition.iter().flat_map(|definition| definition.fields.iter().map(|field| field.name.clone())));
    }
    known.sort_unstable();
    known.dedup();
    let unknown = Rule::parse(rule).map(|rule| rule.unknown_fields(&known)).unwrap_or_default();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("no definition has the field {}; there are: {}", unknown.join(", "), known.join(", ")))
        .advise("A test of such a field is true for no document; `--force` keeps the policy all the same."))
}

fn told(context: &Context, policy: &Policy) -> Result<(), Failure> {
    if context.json {
        return output::json_line(&json!(policy));
    }
    let effect = match policy.effect {
        Effect::Allow => "allow",
        Effect::Limit => "limit",
    };
    let mut bound = Vec::new();
    for (what, names) in [("role", &policy.roles), ("group", &policy.groups), ("user", &policy.users)] {
        bound.extend(names.iter().map(|name| format!("{what} {name}")));
    }
    output::line(format!("{:<16} {effect} {} ({})", policy.name, policy.rule, bound.join(", ")))
}
