//! `greenbar demo`: an archive of the samples, served.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::archive::Archive;
use crate::auth::role::{ADMINISTRATOR, AGENT, CUSTOMER};
use crate::auth::user::{NewUser, Users};
use crate::capture::CaptureConfig;
use crate::records::retention::{self, Class};
use crate::serve::ServeConfig;

use super::beside::Before;
use super::context;
use super::definition::read;
use super::demo_crm;
use super::failure::Failure;
use super::load::load_file;
use super::output::{self, grouped};
use super::serve::{is_free, serve};

/// Makes an archive from the samples of the checkout (fixtures/samples, indexers), serves it on this machine only, and
/// prints the addresses and the sample sign-ins. Receivers are those of `greenbar.toml` in the archive's folder, as for `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port; 0 takes a free one
    #[arg(long, default_value_t = 8642)]
    port: u16,
    /// The archive's folder; a demo archive that is there is used again
    #[arg(long, default_value = "demo-archive")]
    dir: PathBuf,
    /// The checkout with the samples
    #[arg(long, default_value = ".")]
    samples: PathBuf,
}

/// A file that says that a folder was made by `greenbar demo`.
const MARK: &str = "made-by-greenbar-demo";

/// The settings of the demo: nothing listens, a folder is watched.
const SETTINGS: &str = "# Files that are put into the folder `in` beside this file are captured; docs/capture.md tells what else there is.\n\
    [[capture.folder]]\npath = \"in\"\nqueue = \"IN\"\nevery_s = 1\nstable_s = 1\n";

struct Sample {
    name: &'static str,
    role: &'static str,
    account: Option<&'static str>,
    display_name: &'static str,
    language: &'static str,
    password: &'static str,
    page: &'static str,
}

/// People of the demo. Their passwords are no secret: the demo listens on this machine only.
const PEOPLE: &[Sample] = &[
    Sample {
        name: "ann",
        role: AGENT,
        account: None,
        display_name: "Ann Agent",
        language: "",
        password: "green-bar-paper",
        page: "/agent",
    },
    Sample {
        name: "ava",
        role: CUSTOMER,
        account: Some("410000-1000-0"),
        display_name: "Ava Barnes",
        language: "en",
        password: "my-bills-please",
        page: "/my",
    },
    Sample {
        name: "zhou",
        role: CUSTOMER,
        account: Some("025348168131"),
        display_name: "周明怡",
        language: "zh-CN",
        password: "my-bills-please",
        page: "/my",
    },
    Sample {
        name: "admin",
        role: ADMINISTRATOR,
        account: None,
        display_name: "Administrator",
        language: "",
        password: "keeper-of-records",
        page: "/admin",
    },
];

impl Args {
    pub fn run(&self) -> Result<(), Failure> {
        let started = Instant::now();
        let archive = Arc::new(self.archive()?);
        add_definitions(&archive, &self.samples.join("indexers"))?;
        load_samples(&archive, &self.samples.join("fixtures/samples"))?;
        add_people(&archive)?;
        demo_crm::add(&archive, &self.samples)?;
        retention::set(archive.engine().as_ref(), &Class { name: "7-years".into(), years: Some(7) })?;
        let search = context::open_search(&archive, &self.dir)?;
        let stats = archive.stats()?;
        output::line(format!(
            "{} documents on {} pages from {} streams, in {:.1} s",
            grouped(stats.documents),
            grouped(stats.pages),
            grouped(stats.loads),
            started.elapsed().as_secs_f64()
        ))?;
        let mut config = ServeConfig::new(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)), &self.dir);
        config.capture = CaptureConfig::read(&self.dir)?;
        let folders: Vec<PathBuf> = config.capture.folder.iter().map(|folder| folder.path.clone()).collect();
        serve(archive, search, config, |address| {
            if let Err(failure) = say_how_to_sign_in(address, &folders) {
                failure.print();
            }
        })
    }

    fn archive(&self) -> Result<Archive, Failure> {
        let mark = self.dir.join(MARK);
        if mark.exists() {
            return Ok(Archive::open(&self.dir)?.with_libraries(context::libraries()).with_limits(context::limits()?));
        }
        if !is_free(&self.dir) {
            return Err(Failure::new(format!("{} holds something that is no demo archive", self.dir.display()))
                .advise("Name another folder with --dir."));
        }
        let archive = Archive::init(&self.dir)?;
        std::fs::write(&mark, "Remove this folder when you like.\n")?;
        std::fs::write(self.dir.join(crate::capture::config::FILE), SETTINGS)?;
        Ok(archive.with_libraries(context::libraries()).with_limits(context::limits()?))
    }
}

fn files(dir: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, Failure> {
    let missing = |error: std::io::Error| {
        Failure::new(format!("no samples in {}: {error}", dir.display()))
            .advise("Run it in the checkout, or name the checkout with --samples.")
    };
    let mut all: Vec<PathBuf> = std::fs::read_dir(dir).map_err(missing)?.flatten().map(|entry| entry.path()).collect();
    all.retain(|path| wanted(path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()));
    all.sort();
    Ok(all)
}

fn add_definitions(archive: &Archive, dir: &Path) -> Result<(), Failure> {
    for file in files(dir, |extension| extension == "toml")? {
        archive.add_definition(&read(&file)?)?;
    }
    Ok(())
}

fn load_samples(archive: &Archive, dir: &Path) -> Result<(), Failure> {
    for file in files(dir, |extension| !matches!(extension, "md" | "py"))? {
        let (row, _) = load_file(archive, &file, None, &Before::default())?;
        output::line(format!(
            "  {:<36} {:<24} {:>4} documents {:>4} pages",
            row.file, row.definition, row.documents, row.pages
        ))?;
    }
    Ok(())
}

fn add_people(archive: &Archive) -> Result<(), Failure> {
    let users = Users::new(archive.engine(), Default::default());
    for person in PEOPLE {
        if users.get(person.name)?.is_some() {
            continue;
        }
        users.add(NewUser {
            name: person.name.into(),
            role: person.role.into(),
            accounts: person.account.map(String::from).into_iter().collect(),
            display_name: person.display_name.into(),
            language: person.language.into(),
            password: Some(person.password.into()),
        })?;
    }
    Ok(())
}

fn say_how_to_sign_in(address: SocketAddr, folders: &[PathBuf]) -> Result<(), Failure> {
    output::line("")?;
    for person in PEOPLE {
        let what = match (person.role, person.language) {
            (AGENT, _) => "agent console",
            (CUSTOMER, "zh-CN") => "customer portal (Chinese)",
            (CUSTOMER, _) => "customer portal",
            _ => "administration",
        };
        output::line(format!(
            "  {what:<26} http://{address}{:<8} user {:<6} password {}",
            person.page, person.name, person.password
        ))?;
    }
    output::line(format!("  {:<26} http://{address}/api/openapi.json", "API"))?;
    for folder in folders {
        output::line(format!(
            "  {:<26} {} (what is put there shows at /admin/arrivals)",
            "captured folder",
            folder.display()
        ))?;
    }
    output::line("\nCtrl-C ends it.")
}
