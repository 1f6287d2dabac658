//! `greenbar hold`: legal holds.

use crate::archive::LoadId;
use crate::records::hold::{self, Hold, Release, Target};

use super::context::{Context, gate, load_id, operator};
use super::failure::Failure;
use super::output;

/// Places, releases and lists legal holds. What a hold covers cannot be removed from the archive.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Place a hold on an account, a report, a load or a document
    Add(Add),
    /// End a hold; it stays listed
    Release {
        /// Its name
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// All holds, released ones too
    List,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("target").required(true)))]
struct Add {
    /// A name, such as a case number; used once
    name: String,
    /// Every document of an account, also those to come
    #[arg(long, group = "target")]
    account: Option<String>,
    /// Every document of a report, also those to come
    #[arg(long, group = "target")]
    definition: Option<String>,
    /// One load
    #[arg(long, group = "target", value_parser = load_id)]
    load: Option<LoadId>,
    /// One document
    #[arg(long, group = "target")]
    document: Option<String>,
    /// Why
    #[arg(long)]
    reason: String,
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let engine = archive.engine();
        let who = operator();
        let now = archive.now();
        match self.action {
            Action::Add(add) => {
                let what = add.name.clone();
                let hold = add.into_hold(&who.name, now)?;
                gate(&archive).record(&who, "hold", &what, &hold.reason)?;
                hold::place(engine.as_ref(), &hold)?;
                tell(context, &hold)
            }
            Action::Release { name, reason } => {
                gate(&archive).record(&who, "release hold", &name, &reason)?;
                hold::release(engine.as_ref(), &name, Release { by: who.name, at: now, reason })?;
                let object = serde_json::json!({ "name": name, "state": "released" });
                output::done(context.json, &object, format!("hold {name} is released"))
            }
            Action::List => output::each(context.json, &hold::list(engine.as_ref())?, |hold| tell(context, hold)),
        }
    }
}

impl Add {
    fn into_hold(self, by: &str, now: i64) -> Result<Hold, Failure> {
        let target = match (self.account, self.definition, self.load, self.document) {
            (Some(account), ..) => Target::Account(account),
            (_, Some(definition), ..) => Target::Definition(definition),
            (_, _, Some(load), _) => Target::Load(load),
            (_, _, _, Some(document)) => {
                Target::Document(super::context::document_id(&document).map_err(Failure::usage)?.to_string())
            }
            _ => return Err(Failure::usage("say what the hold covers")),
        };
        Ok(Hold { name: self.name, target, reason: self.reason, placed_by: by.into(), placed_at: now, released: None })
    }
}

fn tell(context: &Context, hold: &Hold) -> Result<(), Failure> {
    if context.json {
        return output::json_line(hold);
    }
    let target = match &hold.target {
        Target::Account(account) => format!("account {account}"),
        Target::Definition(name) => format!("report {name}"),
        Target::Load(load) => format!("load {load}"),
        Target::Document(id) => format!("document {id}"),
    };
    let state = hold.released.as_ref().map_or("in force".to_string(), |release| format!("released by {}", release.by));
    output::line(format!("{:<20} {target:<32} {state:<24} {}", hold.name, hold.reason))
}
