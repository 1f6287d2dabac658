//! `greenbar retention`: how long loads are kept.

use crate::auth::permission::Permission;
use crate::index::value::Day;
use crate::records::retention::{self, Class};

use super::context::{Context, gate, operator, record_change};
use super::failure::Failure;
use super::output;

/// Sets retention classes, lists loads whose time is over, and disposes of them.
///
/// A report definition names its class in `retention`. A load is kept until its newest document's date plus the years of
/// the class; a load without a class is kept for ever. Legal holds come first.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make or change a class
    Set {
        /// Its name
        class: String,
        /// How long; for ever when left out
        #[arg(long)]
        years: Option<u16>,
    },
    /// All classes
    List,
    /// The loads whose time is over
    Due {
        /// As of this day (today when left out), such as 2031-05-31
        #[arg(long, value_parser = day)]
        on: Option<Day>,
    },
    /// Remove the loads whose time is over, except those under a hold
    Dispose {
        /// As of this day (today when left out)
        #[arg(long, value_parser = day)]
        on: Option<Day>,
        /// The authority for it; kept in each tombstone
        #[arg(long)]
        reason: String,
    },
}

fn day(text: &str) -> Result<Day, String> {
    let mut parts = text.split('-').map(str::parse::<i16>);
    let date = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Ok(year)), Some(Ok(month)), Some(Ok(date)), None) => i8::try_from(month)
            .ok()
            .zip(i8::try_from(date).ok())
            .and_then(|(month, date)| Day::from_ymd(year, month, date)),
        _ => None,
    };
    date.ok_or_else(|| "a day is written like 2031-05-31".to_string())
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let today = || Day(i32::try_from(archive.now().div_euclid(86_400)).unwrap_or(i32::MAX));
        match self.action {
            Action::Set { class, years } => {
                gate(&archive).record(
                    &operator(),
                    "set retention",
                    &class,
                    &years.map_or("for ever".into(), |years| format!("{years} years")),
                )?;
                let class = Class { name: class, years };
                retention::set(archive.engine().as_ref(), &class)?;
                let kept = years.map_or("for ever".into(), |years| format!("{years} years"));
                output::done(context.json, &serde_json::json!(class), format!("{} is kept {kept}", class.name))
            }
            Action::List => {
                for class in retention::classes(archive.engine().as_ref())? {
                    if context.json {
                        output::json_line(&class)?;
                    } else {
                        let kept = class.years.map_or("for ever".into(), |years| format!("{years} years"));
                        output::line(format!("{:<24} {kept}", class.name))?;
                    }
                }
                Ok(())
            }
            Action::Due { on } => {
                for due in retention::due(&archive, on.unwrap_or_else(today))? {
                    if context.json {
                        output::json_line(&due)?;
                    } else {
                        output::line(format!(
                            "load {:>6}  {:<28} {:>8} documents, kept until {}",
                            due.load, due.definition, due.documents, due.kept_until
                        ))?;
                    }
                }
                Ok(())
            }
            Action::Dispose { on, reason } => {
                let mut kept = false;
                for due in retention::due(&archive, on.unwrap_or_else(today))? {
                    let recorded = record_change(&archive, Permission::LoadDelete, "dispose", due.load, &reason);
                    match recorded.and_then(|()| Ok(crate::records::remove(&archive, due.load, &reason)?)) {
                        Ok(()) => output::done(
                            context.json,
                            &serde_json::json!({ "load": due.load, "documents": due.documents, "state": "disposed" }),
                            format!("load {} disposed of ({} documents)", due.load, due.documents),
                        )?,
                        Err(error) => {
                            kept = true;
                            error.print();
                        }
                    }
                }
                super::context::open_search(&archive, context.dir()?)?;
                if kept { Err(Failure::reported()) } else { Ok(()) }
            }
        }
    }
}
