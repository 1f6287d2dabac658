//! `greenbar customer`: customers and their accounts from files, and letters to them.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::auth::clock::Clock;
use crate::crm::contact::Owner;
use crate::crm::import::{ImportHow, ImportReport, Mapping, Source};
use crate::crm::{Crm, CrmError};
use crate::distribute::config::Config;
use crate::index::written;
use crate::render::letter::Letter;

use super::context::{Context, gate, operator};
use super::failure::Failure;
use super::output::{self, grouped};

/// Imports customers, accounts and contact points, shows what is known of an account, prints PIN letters.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Take customers, accounts and contact points from a CSV file or JSON lines
    Import(Import),
    /// What is known of an account and its customer
    Show {
        /// Account number, with or without separators
        account: String,
    },
    /// Make the PIN of an account and print the letter that tells it; an older PIN is worth nothing then
    PinLetter(PinLetter),
    /// Set the country (ISO 3166, such as US or CN) of telephone numbers that name none
    Country {
        /// Two letters
        country: String,
    },
}

#[derive(Debug, clap::Args)]
struct Import {
    /// The file; CSV with a header row, or JSON lines
    file: PathBuf,
    /// Which column is what (TOML); without it the columns have the names of the fields
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Empty values leave what is kept as it is
    #[arg(long)]
    delta: bool,
    /// Say what would happen and keep nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
struct PinLetter {
    /// Account number
    account: String,
    /// Where the PDF goes; standard output when left out
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name of the sender
    #[arg(long, default_value = "")]
    sender: String,
    /// Address of the portal, as it is to be typed; when left out, that of distribution.toml
    #[arg(long, default_value = "")]
    portal: String,
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let crm = Crm::new(archive.engine(), Clock::default());
        let gate = gate(&archive);
        let record =
            |kind: &str, what: &str, why: &str| gate.record(&operator(), kind, what, why).map_err(Failure::from);
        match self.action {
            Action::Import(import) => {
                record("import customers", &import.file.display().to_string(), "")?;
                let report = import_file(&crm, &import)?;
                say(&report, context.json)?;
                if report.failed > 0 { Err(Failure::reported()) } else { Ok(()) }
            }
            Action::Show { account } => {
                record("show customer", &account, "")?;
                show(&crm, &account, context.json)
            }
            Action::PinLetter(letter) => {
                record("pin letter", &letter.account, "")?;
                pin_letter(&crm, context.dir()?, &letter, context.json)
            }
            Action::Country { country } => {
                record("set country", &country, "")?;
                crm.set_default_country(&country.to_uppercase())?;
                output::line(format!(
                    "telephone numbers without a country are taken as those of {}",
                    country.to_uppercase()
                ))
            }
        }
    }
}

fn import_file(crm: &Crm, import: &Import) -> Result<ImportReport, Failure> {
    let cannot =
        |path: &PathBuf, error: std::io::Error| Failure::new(format!("cannot read {}: {error}", path.display()));
    let file = File::open(&import.file).map_err(|error| cannot(&import.file, error))?;
    let size = file.metadata().ok().map(|meta| meta.len());
    let bar = output::byte_bar(size, "customers");
    let mut file: Box<dyn Source> = if file.metadata().is_ok_and(|meta| meta.is_file()) {
        Box::new(BufReader::with_capacity(1 << 16, bar.wrap_read(file)))
    } else {
        // A pipe gives its rows once, and they are read twice.
        let mut rows = Vec::new();
        bar.wrap_read(file).read_to_end(&mut rows).map_err(|error| cannot(&import.file, error))?;
        Box::new(Cursor::new(rows))
    };
    let mapping = match &import.mapping {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| cannot(path, error))?;
            Mapping::parse(&text).map_err(|error| Failure::new(error.to_string()).at(path.display().to_string()))?
        }
        None => Mapping::of_head(file.fill_buf()?),
    };
    let how = ImportHow { delta: import.delta, dry_run: import.dry_run };
    let report = crm.import(&operator().name, &mut *file, &mapping, how, &mut |_| {});
    bar.finish_and_clear();
    report.map_err(|error| {
        Failure::new(super::failure::chain(&error))
            .at(import.file.display().to_string())
            .advise("Mend the file or the mapping; rows before it are kept, and taking them again changes nothing.")
    })
}

fn say(report: &ImportReport, json: bool) -> Result<(), Failure> {
    if json {
        return output::json_line(report);
    }
    for error in &report.errors {
        let column = if error.column.is_empty() { String::new() } else { format!(", column {}", error.column) };
        output::line(format!("  line {}{column}: {}", error.line, error.problem))?;
    }
    if !report.absent_columns.is_empty() {
        output::line(format!(
            "  the file does not have these columns of the mapping; what is kept of them stays: {}",
            report.absent_columns.join(", ")
        ))?;
    }
    let kept = if report.dry_run { "would be" } else { "were" };
    output::line(format!(
        "{} rows: {} customers {kept} added and {} changed, {} accounts added and {} changed, {} contact points added, \
         {} changed and {} removed; {} rows changed nothing, {} could not be taken",
        grouped(report.rows),
        grouped(report.customers_added),
        grouped(report.customers_changed),
        grouped(report.accounts_added),
        grouped(report.accounts_changed),
        grouped(report.contact_points_added),
        grouped(report.contact_points_changed),
        grouped(report.contact_points_removed),
        grouped(report.unchanged),
        grouped(report.failed),
    ))
}

fn show(crm: &Crm, number: &str, json: bool) -> Result<(), Failure> {
    let accounts = crm.accounts_like(number, 10)?;
    if accounts.is_empty() {
        return Err(Failure::new(format!("there is no account {number}"))
            .advise("Documents may have it all the same: greenbar search account:NUMBER"));
    }
    for account in accounts {
        let customer = account.customer.as_deref().map(|id| crm.customer(id)).transpose()?;
        let mut points = crm.contacts_of(&Owner::Account(account.id.clone()))?;
        if let Some(customer) = &customer {
            points.extend(crm.contacts_of(&Owner::Customer(customer.id.clone()))?);
        }
        if json {
            let points: Vec<_> = points.iter().map(crate::crm::Kept::json).collect();
            let customer = customer.as_ref().map(crate::crm::Kept::json);
            let shown = json!({ "account": account.json(), "customer": customer, "contact_points": points });
            output::json_line(&shown)?;
            continue;
        }
        let name = customer.as_ref().map_or_else(|| "no customer yet".into(), |customer| customer.display_name());
        output::line(format!("{}  {name}", account.id))?;
        for point in points {
            let proved = if point.verified_at.is_some() { "verified" } else { "not verified" };
            output::line(format!("  {:<6} {}  ({proved})", point.kind.name(), point.value.replace('\n', ", ")))?;
        }
    }
    Ok(())
}

fn pin_letter(crm: &Crm, archive: &Path, asked: &PinLetter, json: bool) -> Result<(), Failure> {
    let account = crm.accounts_like(&asked.account, 2)?;
    let [account] = account.as_slice() else {
        return Err(Failure::new(format!("there is no account {}, or more than one", asked.account)));
    };
    let to = crm.addressee(&account.id).map_err(|error| match error {
        CrmError::Invalid { .. } => Failure::new(format!("the account {} has no address for letters", account.id))
            .advise("Import one, or add a contact point of kind post."),
        other => other.into(),
    })?;
    let portal = match asked.portal.as_str() {
        "" => Config::read(archive).ok().map(|config| config.public_url).filter(|url| !url.is_empty()),
        given => Some(given.to_string()),
    };
    let enrol = |portal: String| if asked.portal.is_empty() { format!("{portal}/enrol") } else { portal };
    let portal = portal.map(enrol).unwrap_or_default();
    let (pin, until) = crm.make_pin(&operator().name, &account.id)?;
    let letter = Letter {
        sender: asked.sender.clone(),
        name: to.name,
        address: to.address,
        account: account.id.clone(),
        pin,
        until: written::day(until.day(), to.chinese),
        portal,
        date: written::day(crm.now().day(), to.chinese),
        chinese: to.chinese,
    };
    let pdf = letter.pdf().map_err(|error| Failure::new(error.to_string()))?;
    output::to_file_or_stdout(asked.output.as_deref(), |out| Ok(out.write_all(&pdf)?))?;
    if let Some(path) = &asked.output {
        if json {
            return output::json_line(&json!({ "account": account.id, "file": path, "until": until }));
        }
        output::line(format!(
            "the letter to {} is in {}; its PIN can be used until {}",
            account.id,
            path.display(),
            until.day()
        ))?;
    }
    Ok(())
}

impl From<CrmError> for Failure {
    fn from(error: CrmError) -> Failure {
        Failure::new(super::failure::chain(&error))
    }
}
