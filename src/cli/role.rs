//! `greenbar role`: sets of permissions.

use serde_json::json;

use super::context::{Context, gate, operator};
use super::failure::Failure;
use super::output;
use crate::auth::directory::Directory;
use crate::auth::permission::{Permission, Permissions};
use crate::auth::role::{Reach, Role};

/// Lists, makes and removes roles. A role is a set of permissions and a reach: the documents it sees before data policies.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// All roles
    List,
    /// All permissions with what they allow
    Permissions,
    /// Make or change a role; of a built-in one only --second-factor can be changed
    Set(Set),
    /// Take a role out
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Set {
    /// Its name: a-z, 0-9 and -
    name: String,
    /// A permission, such as document.read; may be given several times. Without any, those of an existing role stay
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// Documents it sees before data policies: none, own (of the user's accounts) or all
    #[arg(long, value_name = "REACH")]
    reach: Option<String>,
    /// Whether its users must have a second factor
    #[arg(long, value_name = "BOOL")]
    second_factor: Option<bool>,
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let directory = Directory::new(archive.engine());
        let record = |name: &str, what: &str| gate(&archive).record(&operator(), "role", name, what);
        match self.action {
            Action::List => directory.roles()?.iter().try_for_each(|role| told(context, role)),
            Action::Permissions => Permission::ALL.iter().try_for_each(|permission| {
                if context.json {
                    return output::json_line(&json!({ "name": permission.name(), "about": permission.about() }));
                }
                output::line(format!("{:<20} {}", permission.name(), permission.about()))
            }),
            Action::Set(set) => {
                let role = set.role(&directory)?;
                record(&role.name, "set")?;
                directory.set_role(&role)?;
                told(context, &role)
            }
            Action::Remove { name } => {
                record(&name, "remove")?;
                Ok(directory.remove_role(&name)?)
            }
        }
    }
}

impl Set {
    fn role(self, directory: &Directory) -> Result<Role, Failure> {
        let known = directory.role(&self.name)?;
        let none = || Role {
            name: self.name.clone(),
            permissions: Permissions::NONE,
            reach: Reach::None,
            second_factor: false,
            built_in: false,
        };
        let mut role = known.unwrap_or_else(none);
        if !self.permissions.is_empty() {
            role.permissions = Permissions::parse(self.permissions.iter().map(String::as_str)).map_err(|name| {
                Failure::usage(format!("{name:?} is no permission; see `greenbar role permissions`"))
            })?;
        }
        if let Some(reach) = &self.reach {
            role.reach = Reach::parse(reach).ok_or_else(|| Failure::usage("a reach is none, own or all"))?;
        }
        role.second_factor = self.second_factor.unwrap_or(role.second_factor);
        Ok(role)
    }
}

fn told(context: &Context, role: &Role) -> Result<(), Failure> {
    if context.json {
        return output::json_line(&json!({
            "name": role.name,
            "permissions": role.permissions,
            "reach": role.reach,
            "second_factor": role.second_factor,
            "built_in": role.built_in,
        }));
    }
    let names: Vec<&str> = role.permissions.iter().map(Permission::name).collect();
    let second = if role.second_factor { ", second factor" } else { "" };
    output::line(format!("{:<16} reach {}{second}: {}", role.name, role.reach.name(), names.join(" ")))
}
