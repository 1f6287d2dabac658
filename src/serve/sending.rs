//! Sends what is to go out, beside the requests: the server's documents as distribution sees them, and the thread that
//! works through the outbox.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::backend::{Backend, BackendError};
use super::state::State;
use crate::archive::{DocId, LoadId, LoadRow};
use crate::auth::directory::Rights;
use crate::auth::gate::{Gate, Principal, Use};
use crate::auth::permission::Permission;
use crate::auth::predicate::{Facts, Predicate};
use crate::auth::role::CUSTOMER;
use crate::distribute::channel::Channel;
use crate::distribute::config::{self, Config};
use crate::distribute::copies::Copies;
use crate::distribute::work::{Channels, Worker, open_channels};
use crate::distribute::{DistributeError, Listed, Report, Source, Wanted, schedule};
use crate::render::RenderOptions;

/// How long the sender sleeps when nothing is to be done.
const PAUSE: Duration = Duration::from_millis(500);

/// The documents of a backend, opened through the gate: what goes out shows what the customer would see.
pub struct Served {
    backend: Arc<dyn Backend>,
    gate: Gate,
}

impl Served {
    /// Of this backend.
    pub fn new(backend: Arc<dyn Backend>) -> Served {
        Served { gate: Gate::new(backend.engine()), backend }
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

    fn report(&self, definition: &str) -> Result<Option<Report>, DistributeError> {
        let known = self.backend.definitions().map_err(failed)?;
        let found = known.into_iter().find(|known| known.name == definition);
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
        let how = RenderOptions { pages: wanted.pages, ..RenderOptions::default() };
        self.backend.render(&permit, wanted.format, &how, out).map_err(failed)
    }

    fn loads(&self) -> Result<Vec<LoadRow>, DistributeError> {
        self.backend.loads().map_err(failed)
    }

    fn documents(&self, load: LoadId, each: &mut dyn FnMut(Listed) -> ControlFlow<()>) -> Result<(), DistributeError> {
        self.backend.documents(load, each).map_err(failed)
    }
}

/// The configuration as last read, with its channels open.
struct Current {
    read_at: Option<SystemTime>,
    config: Config,
    copies: Option<Box<dyn Channel>>,
    channels: Channels,
}

impl Current {
    /// Reads the file again when it changed. One that is wrong is told once, and nothing is sent until it is right.
    fn refresh(&mut self, folder: &Path) {
        let changed_at = std::fs::metadata(folder.join(config::FILE)).and_then(|file| file.modified()).ok();
        if changed_at == self.read_at {
            return;
        }
        self.read_at = changed_at;
        let opened = Config::read(folder).and_then(|config| Ok((config.open_copies()?, config)));
        match opened {
            Ok((copies, config)) => {
                self.channels = open_channels(&config);
                (self.copies, self.config) = (copies, config);
            }
            Err(error) => {
                tracing::error!(%error, "nothing is sent until the configuration is right");
                (self.copies, self.config, self.channels) = (None, Config::default(), Channels::new());
            }
        }
    }
}

/// Starts the thread that sends; it ends after `stop` was set and it was unparked.
pub fn work(state: Arc<State>, stop: Arc<AtomicBool>) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("greenbar-send".into()).spawn(move || {
        let over = || stop.load(Ordering::Relaxed);
        let mut current = Current { read_at: None, config: Config::default(), copies: None, channels: Channels::new() };
        while !over() {
            current.refresh(&state.config.data);
            let copies = Copies {
                crm: &state.crm,
                source: state.documents.as_ref(),
                config: &current.config,
                channel: current.copies.as_deref(),
            };
            if let Err(error) = copies.round(&over) {
                tracing::error!(%error, "copies could not be sent");
            }
            let worker = Worker {
                ledger: &state.ledger,
                crm: &state.crm,
                source: state.documents.as_ref(),
                config: &current.config,
                channels: &current.channels,
            };
            let worked = schedule::plan_due(&worker.planner()).and_then(|_| worker.round(&over));
            if let Err(error) = worked {
                tracing::error!(%error, "runs could not be worked on");
            }
            std::thread::park_timeout(PAUSE);
        }
    })
}
