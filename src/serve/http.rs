//! Starting and stopping the server.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};

use super::backend::{Backend, Loads};
use super::routes;
use super::sending;
use super::state::{ServeConfig, State};
use super::web::locale;
use crate::capture::{CaptureError, Door, Intake, Loader, Stop, Uploads, listen};
use crate::distribute::calendar::Calendar;
use crate::distribute::config::Config;

/// Why the server did not start or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The intake cannot be opened, or a receiver not be started.
    #[error("streams cannot be captured")]
    Capture(#[from] CaptureError),
    /// The server ended with an error.
    #[error("the server ended")]
    Ended(#[from] io::Error),
}

/// A running server.
pub struct ServeHandle {
    /// Where it listens.
    pub address: SocketAddr,
    server: ServerHandle,
    serving: Option<JoinHandle<io::Result<()>>>,
    keeping: Keeping,
}

/// What runs beside the requests: loading what was received, sending what is to go out, sealing the audit.
struct Keeping {
    intake: Intake,
    state: web::Data<State>,
    stop: Arc<AtomicBool>,
    doors: Vec<Door>,
    shut: Stop,
    threads: Vec<JoinHandle<()>>,
}

/// Starts a server on threads of its own and returns when it listens.
pub fn start(backend: Arc<dyn Backend>, config: ServeConfig) -> Result<ServeHandle, ServeError> {
    start_with(backend, config, false)
}

fn start_with(backend: Arc<dyn Backend>, config: ServeConfig, signals: bool) -> Result<ServeHandle, ServeError> {
    let capture = config.capture.clone();
    let intake = Intake::open(backend.engine(), &config.data, config.clock.clone(), capture)?;
    let (listen, workers, blocking, shutdown_s) =
        (config.listen, config.workers, config.blocking_threads, config.shutdown_s);
    let uploads = Uploads::open(intake.clone())?;
    let state = web::Data::new(State::new(backend.clone(), config, intake.clone(), uploads));
    let shared = state.clone();
    let refused = |source| ServeError::Listen { address: listen, source };
    let listener = std::net::TcpListener::bind(listen).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let (told, server) = std::sync::mpsc::channel();
    let serving = std::thread::Builder::new().name("greenbar-serve".into()).spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let mut server = HttpServer::new(move || App::new().app_data(shared.clone()).configure(routes::configure))
                .workers(workers)
                .worker_max_blocking_threads(blocking)
                .shutdown_timeout(shutdown_s)
                .client_request_timeout(Duration::from_secs(20));
            if !signals {
                server = server.disable_signals();
            }
            let running = server.listen(listener)?.run();
            let _ = told.send(running.handle());
            running.await
        })
    })?;
    let Ok(server) = server.recv() else {
        let outcome = serving.join().unwrap_or_else(|_| Err(io::Error::other("the server's thread panicked")));
        return Err(refused(outcome.err().unwrap_or_else(|| io::Error::other("the server ended at once"))));
    };
    let keeping = Keeping::start(intake, state, backend)?;
    Ok(ServeHandle { address, server, serving: Some(serving), keeping })
}

/// Pages tell times in the organisation's zone; a configuration that is wrong is told where runs are planned too.
fn keep_zone(data: &Path) {
    match Config::read(data).and_then(|config| Calendar::of(&config)) {
        Ok(calendar) => locale::keep_zone(calendar.zone().clone()),
        Err(error) => tracing::warn!(%error, "pages tell times in UTC"),
    }
}

/// Serves until SIGTERM, SIGINT or ctrl-c; then finishes running requests and the running load.
/// `listening` is called with the address when the server takes requests.
pub fn run(
    backend: Arc<dyn Backend>,
    config: ServeConfig,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    keep_zone(&config.data);
    let mut handle = start_with(backend, config, true)?;
    listening(handle.address);
    let outcome = handle.wait();
    handle.keeping.finish();
    Ok(outcome?)
}

impl ServeHandle {
    /// Stops: running requests and the running load finish first.
    pub fn stop(mut self) -> Result<(), ServeError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), ServeError> {
        // The command reaches the server when it is sent; the future only tells when it was done.
        drop(self.server.stop(true));
        let outcome = self.wait();
        self.keeping.finish();
        Ok(outcome?)
    }

    fn wait(&mut self) -> io::Result<()> {
        let Some(serving) = self.serving.take() else { return Ok(()) };
        serving.join().unwrap_or_else(|_| Err(io::Error::other("the server's thread panicked")))
    }
}

impl Drop for ServeHandle {
    fn drop(&mut self) {
        if self.serving.is_some()
            && let Err(error) = self.end()
        {
            tracing::error!(%error, "the server did not end cleanly");
        }
    }
}

impl Keeping {
    fn start(intake: Intake, state: web::Data<State>, backend: Arc<dyn Backend>) -> Result<Keeping, ServeError> {
        let stop = Arc::new(AtomicBool::new(false));
        let shut = Stop::default();
        let doors = listen(intake.config(), &intake, &shut)?;
        let _ = state.doors.set(doors.iter().map(|door| door.told.clone()).collect());
        let loader: Arc<dyn Loader> = Arc::new(Loads(backend));
        let mut threads = intake.work(&loader)?;
        let (sealed, over) = (state.clone(), stop.clone());
        let sealing = std::thread::Builder::new().name("greenbar-audit".into()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_secs(1));
                if let Err(error) = sealed.gate.seal_audit() {
                    tracing::error!(%error, "the audit could not be brought to the disk");
                }
            }
        })?;
        let (swept, over) = (state.uploads.clone(), stop.clone());
        let sweeping = std::thread::Builder::new().name("greenbar-uploads".into()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                if let Err(error) = swept.sweep() {
                    tracing::error!(%error, "uploads were not looked through");
                }
                std::thread::park_timeout(Duration::from_secs(1));
            }
        })?;
        threads.push(sweeping);
        threads.push(sealing);
        threads.push(sending::work(state.clone().into_inner(), stop.clone())?);
        Ok(Keeping { intake, state, stop, doors, shut, threads })
    }

    fn finish(&mut self) {
        self.shut.now();
        self.doors.drain(..).for_each(Door::close);
        self.intake.stop();
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a background thread panicked");
            }
        }
        if let Err(error) = self.state.gate.seal_audit() {
            tracing::error!(%error, "the audit could not be brought to the disk");
        }
    }
}
