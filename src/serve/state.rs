//! What every request shares.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::backend::Backend;
use super::metrics::Metrics;
use super::rendition::Cache;
use super::sending::Served;
use crate::auth::clock::Clock;
use crate::auth::directory::Directory;
use crate::auth::gate::Gate;
use crate::auth::key::Keys;
use crate::auth::lockout::Lockout;
use crate::auth::oidc::Oidc;
use crate::auth::second::SecondFactors;
use crate::auth::session::Sessions;
use crate::auth::user::Users;
use crate::capture::{CaptureConfig, Intake, Told, Uploads};
use crate::crm::Crm;
use crate::distribute::ledger::Ledger;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The archive's folder: streams that wait to be loaded and large renditions lie in `intake` and `tmp` below it.
    pub data: PathBuf,
    /// Cookies are for TLS only (`__Host-`, `Secure`): set it behind a proxy that speaks TLS.
    pub secure_cookies: bool,
    /// Largest stream that `POST /api/v1/loads` takes.
    pub max_load_bytes: u64,
    /// Receivers and the intake.
    pub capture: CaptureConfig,
    /// Worker threads.
    pub workers: usize,
    /// Threads for each worker that may wait for the disk or render.
    pub blocking_threads: usize,
    /// Seconds that running requests get at the end.
    pub shutdown_s: u64,
    /// The clock.
    pub clock: Clock,
}

impl ServeConfig {
    /// The defaults for an archive's folder.
    pub fn new(listen: SocketAddr, data: impl Into<PathBuf>) -> ServeConfig {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        ServeConfig {
            listen,
            data: data.into(),
            secure_cookies: false,
            max_load_bytes: 64 << 30,
            capture: CaptureConfig::default(),
            workers: cores,
            blocking_threads: 8,
            shutdown_s: 30,
            clock: Clock::default(),
        }
    }
}

/// What every request shares.
pub struct State {
    pub backend: Arc<dyn Backend>,
    /// The documents as distribution sees them.
    pub documents: Arc<Served>,
    pub config: ServeConfig,
    pub gate: Gate,
    pub directory: Directory,
    pub users: Users,
    pub sessions: Sessions,
    pub factors: SecondFactors,
    pub oidc: Oidc,
    pub keys: Keys,
    pub lockout: Lockout,
    pub crm: Crm,
    /// The contact that each agent came to last, by user name; without one it is the newest that goes on.
    pub current_calls: std::sync::Mutex<std::collections::HashMap<String, String>>,
    pub ledger: Ledger,
    /// Held while manifests are archived.
    pub manifests: std::sync::Mutex<()>,
    pub intake: Intake,
    pub uploads: Arc<Uploads>,
    /// The receivers that listen.
    pub doors: std::sync::OnceLock<Vec<Arc<Told>>>,
    pub cache: Cache,
    pub metrics: Metrics,
    /// Argon2 takes 19 MiB and 30 ms for each sign-in: few at a time, the others wait in line.
    pub hashing: Semaphore,
    /// Whole loads being sent: each holds a thread.
    pub exports: Arc<Semaphore>,
}

impl State {
    /// The state of a server on this archive.
    pub fn new(backend: Arc<dyn Backend>, config: ServeConfig, intake: Intake, uploads: Arc<Uploads>) -> State {
        let engine = backend.engine();
        let clock = config.clock.clone();
        State {
            gate: Gate::new(engine.clone()),
            directory: Directory::new(engine.clone()),
            users: Users::new(engine.clone(), clock.clone()),
            sessions: Sessions::new(engine.clone(), clock.clone()),
            factors: SecondFactors::new(engine.clone(), clock.clone()),
            oidc: Oidc::new(engine.clone(), clock.clone()),
            keys: Keys::new(engine.clone(), clock.clone()),
            ledger: Ledger::new(engine.clone()),
            crm: Crm::new(engine, clock.clone()),
            lockout: Lockout::new(clock),
            current_calls: std::sync::Mutex::default(),
            manifests: std::sync::Mutex::default(),
            documents: Arc::new(Served::new(backend.clone())),
            intake,
            uploads,
            doors: std::sync::OnceLock::new(),
            cache: Cache::default(),
            metrics: Metrics::default(),
            hashing: Semaphore::new(2),
            exports: Arc::new(Semaphore::new(4)),
            backend,
            config,
        }
    }
}
