//! `greenbar group`: roles and attributes for several users.

use serde_json::json;

use super::context::{Context, gate, operator};
use super::failure::Failure;
use super::output;
use super::user::attribute;
use crate::auth::directory::{Directory, Group};

/// Lists, makes and removes groups. `greenbar user set NAME --group GROUP` puts a user into one.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// All groups
    List,
    /// Make or change a group
    Set {
        /// Its name: a-z, 0-9 and -
        name: String,
        /// A role that its members have; may be given several times
        #[arg(long = "role")]
        roles: Vec<String>,
        /// An attribute that its members have, such as `region=north`; may be given several times
        #[arg(long = "attribute", value_name = "NAME=VALUES")]
        attributes: Vec<String>,
    },
    /// Take a group out
    Remove {
        /// Its name
        name: String,
    },
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let directory = Directory::new(archive.engine());
        let record = |name: &str, what: &str| gate(&archive).record(&operator(), "group", name, what);
        match self.action {
            Action::List => output::each(context.json, &directory.groups()?, |group| told(context, group)),
            Action::Set { name, roles, attributes } => {
                let attributes = attributes.iter().map(|pair| attribute(pair)).collect::<Result<_, _>>()?;
                let group = Group { name, roles, attributes };
                record(&group.name, "set")?;
                directory.set_group(&group)?;
                told(context, &group)
            }
            Action::Remove { name } => {
                record(&name, "remove")?;
                Ok(directory.remove_group(&name)?)
            }
        }
    }
}

fn told(context: &Context, group: &Group) -> Result<(), Failure> {
    if context.json {
        return output::json_line(&json!(group));
    }
    let pairs: Vec<String> =
        group.attributes.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
    output::line(format!("{:<16} roles {}; {}", group.name, group.roles.join(", "), pairs.join("; ")))
}
