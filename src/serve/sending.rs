//! Sends what is to go out, beside the requests: the server's documents as distribution sees them, and the thread that
//! works through the outbox.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use super::api::crm::access::rights_by_link;
use super::api::distribution::{close_balanced, keep};
use super::backend::{Backend, BackendError, DefinitionView};
use super::state::State;
use crate::archive::{DefinitionRow, DocId, LoadId, LoadRow};
use crate::auth::directory::{Directory, Rights};
use crate::auth::gate::{Gate, Principal, Use};
use crate::auth::permission::Permission;
use crate::auth::predicate::{Facts, Predicate};
use crate::auth::role::CUSTOMER;
use crate::distribute::channel::Channel;
use crate::distribute::config::{self, ChannelConfig, Config};
use crate::distribute::copies::Copies;
use crate::distribute::returned::Returned;
use crate::distribute::work::{Channels, Worker, open_channels};
use crate::distribute::{DistributeError, Handed, Listed, Report, Source, Wanted, schedule};
use crate::index::stretch::Stretch;
use crate::render::RenderOptions;

/// How long the sender sleeps when nothing is to be done.
const PAUSE: Duration = Duration::from_millis(500);
/// How long it waits before it tries again to open what could not be opened: a file may be there by now.
const OPEN_AGAIN: Duration = Duration::from_secs(10);
/// How long mail that came back waits when it could not be read, and manifests that could not be archived.
const READ_AGAIN: Duration = Duration::from_secs(30);
/// How long between two looks for runs that balance.
const BOOKS: Duration = Duration::from_secs(2);

/// The documents of a backend, opened through the gate: what goes out shows what the customer would see.
pub struct Served {
    backend: Arc<dyn Backend>,
    gate: Gate,
    directory: Directory,
    /// The report definitions when they were last read: each piece asks for one.
    known: Mutex<Option<(Instant, Vec<DefinitionView>)>>,
}

/// How long [`Served::known`] is believed.
const KNOWN_FOR: Duration = Duration::from_secs(1);

impl Served {
    /// Of this backend.
    pub fn new(backend: Arc<dyn Backend>) -> Served {
        let (gate, directory) = (Gate::new(backend.engine()), Directory::new(backend.engine()));
        Served { gate, directory, backend, known: Mutex::default() }
    }
}

fn failed(error: BackendError) -> DistributeError {
    match error {
        BackendError::Output(error) => DistributeError::Document(error.to_string()),
        other => DistributeError::Document(other.to_string()),
    }
}

impl Source for Served {
    fn facts(&self, id: DocId) -> Result<Option<Facts>, DistributeError> {
        let subject = self.backend.subject(id).map_err(failed)?;
        Ok(subject.there.then_some(subject.facts))
    }

    fn kept_from(&self, document: DocId, account: &str) -> Result<Option<String>, DistributeError> {
        let account = Some(account).filter(|account| !account.is_empty());
        let restricted = self.backend.restricted().map_err(failed)?;
        let rights = rights_by_link(&self.directory, &restricted, "link:planned", account)?;
        let subject = self.backend.subject(document).map_err(failed)?;
        let sees = self.gate.sees(&Principal::new("link:planned", "greenbar", rights), &subject.facts);
        Ok((!sees).then(|| "customers may not see documents of this report".into()))
    }

    fn reports(&self) -> Result<Option<Vec<(String, Vec<String>)>>, DistributeError> {
        let all = self.backend.definitions().map_err(failed)?;
        Ok(Some(all.into_iter().map(|known| (known.name, known.fields)).collect()))
    }

    fn report(&self, definition: &str) -> Result<Option<Report>, DistributeError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |known: &Option<(Instant, Vec<DefinitionView>)>| {
            let fresh = known.as_ref().filter(|(read_at, _)| read_at.elapsed() < KNOWN_FOR);
            fresh.and_then(|(_, list)| list.iter().find(|known| known.name == definition).cloned())
        };
        let mut found = find(&known);
        // One that is not known may have come since.
        if found.is_none() {
            *known = Some((Instant::now(), self.backend.definitions().map_err(failed)?));
            found = find(&known);
        }
        Ok(found.map(|found| Report {
            title: found.title,
            title_zh: found.title_zh,
            kind: found.kind,
            amount: found.amount,
        }))
    }

    fn render(&self, wanted: &Wanted<'_>, out: &mut dyn Write) -> Result<(), DistributeError> {
        let rights = Rights {
            roles: vec![CUSTOMER.into()],
            permissions: [Permission::DocumentRead, Permission::DocumentSend, Permission::DocumentUnmask]
                .into_iter()
                .collect(),
            grants: vec![("delivery".into(), Predicate::Everything)],
            ..Rights::default()
        };
        let who = Principal::new("system:deliver", "greenbar", rights);
        let subject = self.backend.subject(wanted.document).map_err(failed)?;
        let permit = self.gate.open(&who, Use::SEND, &subject, wanted.why);
        let permit = permit.map_err(|error| DistributeError::Document(error.to_string()))?;
        let how = RenderOptions { only: wanted.only.to_vec(), ..RenderOptions::default() };
        self.backend.render(&permit, wanted.format, &how, out).map_err(failed)
    }

    fn handed(&self, attempt: &Handed<'_>) -> Result<(), DistributeError> {
        let who = Principal::new("system:deliver", "greenbar", Rights::default());
        let told = ("distribution handed", attempt.what, attempt.why);
        let about = (Some(attempt.document), Some(attempt.account).filter(|account| !account.is_empty()));
        let recorded = self.gate.record_about(&who, Permission::DocumentSend, told, about);
        recorded.map_err(|error| DistributeError::Document(error.to_string()))
    }

    fn stretches(&self, document: DocId, field: &str) -> Result<Vec<Stretch>, DistributeError> {
        let permit = self.gate.system("plan-pages", document);
        let permit = permit.map_err(|error| DistributeError::Document(error.to_string()))?;
        self.backend.stretches(&permit, field).map_err(failed)
    }

    fn loads(&self) -> Result<Vec<LoadRow>, DistributeError> {
        self.backend.loads().map_err(failed)
    }

    fn documents(&self, load: LoadId, each: &mut dyn FnMut(Listed) -> ControlFlow<()>) -> Result<(), DistributeError> {
        self.backend.documents(load, each).map_err(failed)
    }
}

/// The configuration of a server: `distribution.toml` with the rules of the report definitions. Rules of definitions that are
/// wrong are left out, and those that name reports or fields that there are not plan nothing; what is wrong comes with it.
pub fn configuration(folder: &Path, backend: &dyn Backend) -> Result<(Config, Vec<DistributeError>), DistributeError> {
    let mut config = Config::read(folder)?;
    let mut newest: BTreeMap<String, DefinitionRow> = BTreeMap::new();
    for row in backend.definition_versions().map_err(failed)? {
        let older = newest.get(&row.name).is_some_and(|known| known.version > row.version);
        if !older {
            newest.insert(row.name.clone(), row);
        }
    }
    let mut told: Vec<DistributeError> =
        newest.values().flat_map(|row| config.add_rules(&row.name, &row.source)).collect();
    let reports: Vec<(String, Vec<String>)> =
        backend.definitions().map_err(failed)?.into_iter().map(|known| (known.name, known.fields)).collect();
    told.extend(config.distributions.iter().filter_map(|rule| Config::check_names(rule, &reports).err()));
    Ok((config, told))
}

/// The configuration as last read, with its channels open.
struct Current {
    seen: Seen,
    /// When it was last tried to open all of it.
    opened_at: Mutex<Instant>,
    config: Config,
    copies: Option<Box<dyn Channel>>,
    channels: Channels,
    /// The file is wrong: nothing is planned, read back or tried until it is right, and no attempt is used up.
    is_wrong: bool,
    /// What the archive was, and in which minute it was, when all that was due was planned.
    planned: Mutex<Option<(u64, i64)>>,
    /// When runs that balance were last looked for.
    books: Mutex<Option<Instant>>,
    /// Another one was read: who works with this one ends soon.
    is_old: AtomicBool,
    /// When mail that came back could not be read, last.
    unread_at: Mutex<Option<Instant>>,
    /// When a manifest could not be archived, last.
    unkept_at: Mutex<Option<Instant>>,
    /// What is wrong.
    wrong: Vec<String>,
}

impl Current {
    /// Reads the file; one that is wrong is told once, and nothing is sent until it is right.
    fn read(state: &State) -> Current {
        let mut seen = Seen::of(state, &Config::default());
        let opened = configuration(&state.config.data, &*state.backend)
            .and_then(|(config, told)| Ok((config.open_copies()?, config, told)));
        let mut wrong = Vec::new();
        let is_wrong = opened.is_err();
        let (copies, config, told) = opened.unwrap_or_else(|error| {
            wrong.push(format!("nothing is sent until the configuration is right: {error}"));
            (None, Config::default(), Vec::new())
        });
        wrong.extend(told.iter().map(|error| format!("a rule sends nothing until it is right: {error}")));
        seen.look_at_files(&config);
        let channels = open_channels(&config);
        let shut = channels.iter().filter_map(|(name, channel)| Some((name, channel.as_ref().err()?)));
        wrong.extend(shut.map(|(name, why)| format!("channel {name} cannot be opened; its pieces wait: {why}")));
        let is_old = AtomicBool::default();
        let (planned, books) = (Mutex::default(), Mutex::default());
        let (unread_at, unkept_at) = (Mutex::default(), Mutex::default());
        let opened_at = Mutex::new(Instant::now());
        Current {
            seen,
            opened_at,
            channels,
            config,
            copies,
            is_wrong,
            planned,
            books,
            is_old,
            unread_at,
            unkept_at,
            wrong,
        }
    }

    /// Says in the log what is wrong.
    fn tell(self) -> Current {
        for wrong in &self.wrong {
            tracing::error!("{wrong}");
        }
        self
    }

    /// The configuration anew when it, or a file that its channels read, was changed; or when what could not be opened is to be
    /// tried again, and something else came of it.
    fn anew(&self, state: &State) -> Option<Current> {
        if Seen::of(state, &self.config) != self.seen {
            return Some(Current::read(state).tell());
        }
        let mut opened_at = self.opened_at.lock().unwrap_or_else(PoisonError::into_inner);
        if self.wrong.is_empty() || opened_at.elapsed() < OPEN_AGAIN {
            return None;
        }
        *opened_at = Instant::now();
        let new = Current::read(state);
        (new.wrong != self.wrong).then(|| new.tell())
    }
}

/// When what the configuration says was changed.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// The file.
    changed: Option<SystemTime>,
    /// How many versions of definitions there are.
    versions: usize,
    /// The files that channels read.
    files: Vec<Option<SystemTime>>,
}

impl Seen {
    fn of(state: &State, config: &Config) -> Seen {
        let versions = state.backend.definition_versions().map_or(0, |versions| versions.len());
        let mut seen = Seen { changed: changed(&state.config.data.join(config::FILE)), versions, files: Vec::new() };
        seen.look_at_files(config);
        seen
    }

    fn look_at_files(&mut self, config: &Config) {
        self.files = config.channel.values().flat_map(ChannelConfig::files).map(changed).collect();
    }
}

fn changed(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|file| file.modified()).ok()
}

/// What works by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    /// The copies that agents send.
    Copies,
    /// The runs that are due.
    Plan,
    /// The mail that comes back.
    Returned,
    /// Runs that balance.
    Books,
    /// The room of closed runs.
    Room,
    /// The pieces of a channel.
    Channel(String),
}

impl Lane {
    fn work(&self, state: &State, current: &Current, stop: &AtomicBool) {
        let over = || stop.load(Ordering::Relaxed) || current.is_old.load(Ordering::Relaxed);
        let worker = worker(state, current);
        let done = match self {
            Lane::Copies => Copies {
                crm: &state.crm,
                source: state.documents.as_ref(),
                config: &current.config,
                channel: current.copies.as_deref(),
            }
            .round(&over),
            Lane::Plan => {
                let kept = keep(state);
                *current.unkept_at.lock().unwrap_or_else(PoisonError::into_inner) = kept.is_err().then(Instant::now);
                if let Err(problem) = kept {
                    tracing::error!(why = problem.detail, "a manifest could not be archived");
                }
                // Taken before: what comes in meanwhile is planned in the next round.
                let at = moment(state, &current.config);
                let new = schedule::plan_due(&worker.planner()).map(|new| new.len());
                *current.planned.lock().unwrap_or_else(PoisonError::into_inner) = new.is_ok().then_some(at);
                new
            }
            Lane::Returned => match &current.config.returned_mail {
                Some(maildir) => {
                    let read = Returned { ledger: &state.ledger, crm: &state.crm, maildir }.round(&over);
                    *current.unread_at.lock().unwrap_or_else(PoisonError::into_inner) =
                        read.is_err().then(Instant::now);
                    read
                }
                None => Ok(0),
            },
            Lane::Books => {
                if let Err(problem) = close_balanced(state, &current.config) {
                    tracing::error!(why = problem.detail, "a run that balances could not be closed");
                }
                *current.books.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                Ok(0)
            }
            Lane::Room => {
                state.ledger.give_back();
                Ok(0)
            }
            Lane::Channel(name) => worker.lane(name, &over),
        };
        if let Err(error) = done {
            tracing::error!(%error, lane = ?self, "what is to go out could not be worked on");
        }
    }
}

fn worker<'a>(state: &'a State, current: &'a Current) -> Worker<'a> {
    Worker {
        ledger: &state.ledger,
        crm: &state.crm,
        source: state.documents.as_ref(),
        config: &current.config,
        channels: &current.channels,
    }
}

/// Starts the thread that looks after what is sent; it ends after `stop` was set and it was unparked. Each channel, the
/// copies and planning work in threads of their own, so that none waits for another's dead server.
pub fn work(state: Arc<State>, stop: Arc<AtomicBool>) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("greenbar-send".into()).spawn(move || {
        let mut current = Arc::new(Current::read(&state).tell());
        let mut working: BTreeMap<Lane, JoinHandle<()>> = BTreeMap::new();
        while !stop.load(Ordering::Relaxed) {
            if let Some(new) = current.anew(&state) {
                current.is_old.store(true, Ordering::Relaxed);
                current = Arc::new(new);
            }
            working.retain(|_, thread| !thread.is_finished());
            let channels = worker(&state, &current).lanes().into_iter().map(Lane::Channel);
            for lane in [Lane::Copies, Lane::Plan, Lane::Returned, Lane::Books, Lane::Room].into_iter().chain(channels)
            {
                if working.contains_key(&lane) || !has_work(&lane, &state, &current) {
                    continue;
                }
                let (mine, state, current, stop) = (lane.clone(), state.clone(), current.clone(), stop.clone());
                let thread = std::thread::Builder::new().name("greenbar-lane".into());
                match thread.spawn(move || mine.work(&state, &current, &stop)) {
                    Ok(handle) => drop(working.insert(lane, handle)),
                    Err(error) => tracing::error!(%error, ?lane, "no thread"),
                }
            }
            std::thread::park_timeout(PAUSE);
        }
        for (_, thread) in working {
            let _ = thread.join();
        }
    })
}

/// What planning depends on: what is in the archive and, where a rule has a time of day, the minute of the clock.
fn moment(state: &State, config: &Config) -> (u64, i64) {
    let by_clock = config.distributions.iter().any(|rule| !rule.at.is_empty());
    let minute = if by_clock { state.crm.now().0 / 60 } else { 0 };
    (state.backend.generation(), minute)
}

/// Whether it is worth a thread.
fn has_work(lane: &Lane, state: &State, current: &Current) -> bool {
    if current.is_wrong {
        return *lane == Lane::Room && state.ledger.has_let_go();
    }
    match lane {
        Lane::Copies => true,
        Lane::Plan => {
            let planned = *current.planned.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due = !current.config.distributions.is_empty() && planned != Some(moment(state, &current.config));
            let unkept_at = *current.unkept_at.lock().unwrap_or_else(PoisonError::into_inner);
            let waits = unkept_at.is_some_and(|at| at.elapsed() < READ_AGAIN);
            is_due || (!waits && state.ledger.unkept().is_ok_and(|forms| !forms.is_empty()))
        }
        Lane::Room => state.ledger.has_let_go(),
        Lane::Books => {
            let looked = *current.books.lock().unwrap_or_else(PoisonError::into_inner);
            looked.is_none_or(|looked| looked.elapsed() >= BOOKS)
        }
        Lane::Returned => {
            let unread_at = *current.unread_at.lock().unwrap_or_else(PoisonError::into_inner);
            let waits = unread_at.is_some_and(|at| at.elapsed() < READ_AGAIN);
            let new = current.config.returned_mail.as_ref().filter(|_| !waits);
            new.is_some_and(|maildir| {
                // What cannot be listed is told by the round.
                std::fs::read_dir(maildir.join("new")).map_or(true, |mut new| new.next().is_some())
            })
        }
        Lane::Channel(name) => worker(state, current).is_due(name).unwrap_or_else(|error| {
            tracing::error!(%error, "the ledger cannot be read");
            false
        }),
    }
}
