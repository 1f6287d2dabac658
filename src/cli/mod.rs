//! The command line: one file for each command, and the words for what went wrong.
//!
//! A command reads or writes the archive directly; when a server has the archive open it says so. With `--json`
//! standard output carries JSON and nothing else. Exit codes: 0 done, 1 failed, 2 wrong usage.
//! Adding a command: a file here, a variant of [`Command`].

mod audit;
mod backup;
mod beside;
mod check;
mod compact;
mod completions;
mod context;
mod convert;
mod customer;
mod definition;
mod demo;
mod demo_crm;
mod distribute;
mod doctor;
mod export_load;
mod failure;
mod get;
mod group;
mod hold;
mod init;
mod inspect;
mod intake;
mod load;
mod loads;
mod log;
mod oidc;
mod output;
mod policy;
mod reindex;
mod retention;
mod role;
mod search;
mod serve;
mod stats;
mod stream;
mod unload;
mod user;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use context::Context;
use failure::Failure;

/// greenbar keeps bills, statements and reports as they were printed: it captures print streams, cuts them into
/// documents, indexes, archives and shows them.
#[derive(Debug, Parser)]
#[command(name = "greenbar", version, max_term_width = 110, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    /// The archive's folder
    #[arg(long, global = true, env = "GREENBAR_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON (one object, or one for each line) on standard output and nothing else
    #[arg(long, global = true)]
    json: bool,
    /// What the log on standard error tells: error, warn, info, debug; or by part, as warn,greenbar::capture=debug
    #[arg(long, global = true, env = "GREENBAR_LOG", value_name = "LEVELS")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an archive from the samples, serve it and say how to sign in
    Demo(demo::Args),
    /// Make an archive and its first administrator
    Init(init::Args),
    /// Add, list, show and compare report definitions
    Definition(definition::Args),
    /// Say what a print stream is: format, code page, records, pages
    Inspect(inspect::Args),
    /// Try a report definition on a sample without an archive
    Check(check::Args),
    /// Load print streams into the archive
    Load(load::Args),
    /// List loads with their page accounting
    Loads(loads::Args),
    /// Take a load out of the archive
    Unload(unload::Args),
    /// See what arrived, say what it is, try it again, give it up
    Intake(intake::Args),
    /// Find documents
    Search(search::Args),
    /// Get one rendition of a document
    Get(get::Args),
    /// Render a file without an archive
    Convert(convert::Args),
    /// Write the captured bytes of a load
    ExportLoad(export_load::Args),
    /// Prove that everything in the archive is as it was stored
    Verify(verify::Args),
    /// Rebuild the search index, or cut old loads anew with a newer definition
    Reindex(reindex::Args),
    /// Encode the blocks of old loads anew, smaller, each proven before the old one goes
    Compact(compact::Args),
    /// Make a consistent copy of the archive
    Backup(backup::BackupArgs),
    /// Make an archive from a backup
    Restore(backup::RestoreArgs),
    /// Figures of the archive
    Stats(stats::Args),
    /// Check the surroundings: fonts, disk, locks, versions
    Doctor(doctor::Args),
    /// Keep what must not be removed
    Hold(hold::Args),
    /// Say how long reports are kept, and dispose of what is over
    Retention(retention::Args),
    /// Read and verify the audit trail
    Audit(audit::Args),
    /// Manage users and API keys
    User(user::Args),
    /// Import customers and accounts, print PIN letters
    Customer(customer::Args),
    /// Send documents out: plan, run, reconcile, close
    Distribute(distribute::Args),
    /// Manage roles: sets of permissions
    Role(role::Args),
    /// Manage groups: roles and attributes for several users
    Group(group::Args),
    /// Manage data policies: who sees which documents
    Policy(policy::Args),
    /// Sign in through an OpenID Connect provider
    Oidc(oidc::Args),
    /// Serve the API, the agent console and the customer portal
    Serve(serve::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// Runs the program with these arguments (the first is the program's name).
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let serves = matches!(cli.command, Command::Serve(_) | Command::Demo(_));
    crate::heap::give_back_what_is_free(serves);
    let usual = if serves { log::SERVING } else { log::COMMAND };
    if let Err(failure) = log::start(cli.log.as_deref().unwrap_or(usual)) {
        return failure.report();
    }
    let context = Context { data: cli.data, json: cli.json };
    match cli.command.run(&context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

impl Command {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Command::Demo(args) => args.run(),
            Command::Init(args) => args.run(context),
            Command::Definition(args) => args.run(context),
            Command::Inspect(args) => args.run(context),
            Command::Check(args) => args.run(context),
            Command::Load(args) => args.run(context),
            Command::Loads(args) => args.run(context),
            Command::Unload(args) => args.run(context),
            Command::Intake(args) => args.run(context),
            Command::Search(args) => args.run(context),
            Command::Get(args) => args.run(context),
            Command::Convert(args) => args.run(context),
            Command::ExportLoad(args) => args.run(context),
            Command::Verify(args) => args.run(context),
            Command::Reindex(args) => args.run(context),
            Command::Compact(args) => args.run(context),
            Command::Backup(args) => args.run(context),
            Command::Restore(args) => args.run(context),
            Command::Stats(args) => args.run(context),
            Command::Doctor(args) => args.run(context),
            Command::Hold(args) => args.run(context),
            Command::Retention(args) => args.run(context),
            Command::Audit(args) => args.run(context),
            Command::User(args) => args.run(context),
            Command::Distribute(args) => args.run(context),
            Command::Role(args) => args.run(context),
            Command::Group(args) => args.run(context),
            Command::Policy(args) => args.run(context),
            Command::Oidc(args) => args.run(context),
            Command::Customer(args) => args.run(context),
            Command::Serve(args) => args.run(context),
            Command::Completions(args) => args.run(),
        }
    }
}

/// The whole command, for completions.
fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}
