//! What the receivers that listen share: who may come in, how many at once, and reading with an end to patience.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::config::DoorConfig;
use super::{CaptureError, Spool, Stop};

/// How long one read waits before it looks whether it is to end.
const TICK: Duration = Duration::from_millis(250);
/// Refusals that are told of each door.
const LATELY: usize = 20;
/// Bytes read at once.
const BUFFER: usize = 256 << 10;

/// A place where streams come in.
pub struct Door {
    /// What is known of it.
    pub told: Arc<Told>,
    thread: JoinHandle<()>,
    /// Woken by a connection when it is to end; a folder wakes by itself.
    wake: Option<SocketAddr>,
}

/// What is known of a door, for people.
pub struct Told {
    /// Name of the receiver.
    pub receiver: &'static str,
    /// Address or folder.
    pub place: String,
    /// Its queue, when it has one.
    pub queue: Option<String>,
    counts: Mutex<Counts>,
}

/// Figures of a door since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Open connections.
    pub open: usize,
    /// Streams taken.
    pub taken: u64,
    /// Connections, streams or requests refused.
    pub refused: u64,
    /// The last of those, newest last.
    pub lately: Vec<Refused>,
    #[serde(skip)]
    peers: HashMap<IpAddr, usize>,
}

/// A refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Refused {
    /// When, seconds since 1970 UTC.
    pub at: i64,
    /// Address or file.
    pub from: String,
    /// Why.
    pub why: String,
}

impl Told {
    /// A door of this receiver.
    pub fn new(receiver: &'static str, place: String, queue: Option<String>) -> Arc<Told> {
        Arc::new(Told { receiver, place, queue, counts: Mutex::default() })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The figures.
    pub fn figures(&self) -> Counts {
        self.counts().clone()
    }

    /// Counts a stream that was taken.
    pub fn taken(&self) {
        self.counts().taken += 1;
    }

    /// Notes a refusal.
    pub fn refused(&self, from: &dyn std::fmt::Display, why: &str) {
        tracing::warn!(receiver = self.receiver, %from, why, "a stream or connection was refused");
        let mut counts = self.counts();
        counts.refused += 1;
        if counts.lately.len() >= LATELY {
            counts.lately.remove(0);
        }
        let at = crate::auth::clock::Clock::default().now();
        counts.lately.push(Refused { at, from: from.to_string(), why: why.into() });
    }

    /// Lets somebody in, unless there are too many; who is in is counted until the guard goes.
    pub fn admit(self: &Arc<Self>, peer: IpAddr, limits: &DoorConfig) -> Result<Inside, &'static str> {
        if !limits.allow.iter().any(|network| network.holds(peer)) {
            return Err("the address is not in `allow`");
        }
        let mut counts = self.counts();
        if counts.open >= limits.connections {
            return Err("too many connections are open");
        }
        let of_peer = counts.peers.entry(peer).or_default();
        if *of_peer >= limits.connections_per_peer {
            return Err("too many connections are open from this address");
        }
        *of_peer += 1;
        counts.open += 1;
        Ok(Inside(self.clone(), peer))
    }

    fn leaves(&self, peer: IpAddr) {
        let mut counts = self.counts();
        counts.open = counts.open.saturating_sub(1);
        if let Some(left) = counts.peers.get_mut(&peer) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                counts.peers.remove(&peer);
            }
        }
    }
}

/// Leaves when it goes out of scope, also by a panic.
pub struct Inside(Arc<Told>, IpAddr);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.leaves(self.1);
    }
}

impl Door {
    /// Listens; each connection that may come in is served by `serve` on a thread of its own.
    pub fn open(
        told: Arc<Told>,
        listen: SocketAddr,
        limits: &DoorConfig,
        stop: &Stop,
        serve: impl Fn(Wire) + Send + Sync + 'static,
    ) -> Result<Door, CaptureError> {
        let receiver = told.receiver;
        let cannot = |source| CaptureError::Place { receiver, place: listen.to_string(), source };
        let listener = TcpListener::bind(listen).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let mut wake = address;
        if wake.ip().is_unspecified() {
            wake.set_ip(if wake.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
        }
        let (limits, stop, serve, shown) = (limits.clone(), stop.clone(), Arc::new(serve), told.clone());
        let thread = std::thread::Builder::new().name(format!("greenbar-{}", told.receiver)).spawn(move || {
            while let Ok((stream, from)) = next(&listener, &stop) {
                let peer = from.ip().to_canonical();
                let inside = match told.admit(peer, &limits) {
                    Ok(inside) => inside,
                    Err(why) => {
                        told.refused(&peer, why);
                        let _ = stream.shutdown(Shutdown::Both);
                        continue;
                    }
                };
                let (serve, stop, idle_s) = (serve.clone(), stop.clone(), limits.idle_s);
                let work = move || {
                    let _inside = inside;
                    if let Ok(wire) = Wire::new(stream, peer, &stop, idle_s) {
                        serve(wire);
                    }
                };
                let name = format!("greenbar-{}", told.receiver);
                if let Err(error) = std::thread::Builder::new().name(name).stack_size(512 << 10).spawn(work) {
                    told.refused(&peer, &format!("no thread for it: {error}"));
                }
            }
        });
        let thread = thread.map_err(cannot)?;
        tracing::info!(receiver = shown.receiver, %address, "listens for streams");
        Ok(Door { told: shown, thread, wake: Some(wake) })
    }

    /// A door without an address: `work` looks for streams by itself until it is stopped.
    pub fn watch(told: Arc<Told>, work: impl FnOnce() + Send + 'static) -> Result<Door, CaptureError> {
        let name = format!("greenbar-{}", told.receiver);
        let cannot = |source| CaptureError::Place { receiver: told.receiver, place: told.place.clone(), source };
        let thread = std::thread::Builder::new().name(name).spawn(work).map_err(cannot);
        thread.map(|thread| Door { told: told.clone(), thread, wake: None })
    }

    /// Waits for its end; call after the stop was given. Connections end by themselves soon after.
    pub fn close(self) {
        if let Some(address) = self.wake {
            let _ = TcpStream::connect_timeout(&address, Duration::from_secs(1));
        }
        if self.thread.join().is_err() {
            tracing::error!(receiver = self.told.receiver, "a receiver's thread panicked");
        }
    }
}

/// The next connection; an error when it is over.
fn next(listener: &TcpListener, stop: &Stop) -> io::Result<(TcpStream, SocketAddr)> {
    loop {
        let accepted = listener.accept();
        if stop.is_now() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match accepted {
            Ok(accepted) => return Ok(accepted),
            // Out of file handles, or the peer was gone already: it gets better.
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// Why reading ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The peer closed, or the connection broke.
    #[error("the connection ended")]
    Closed,
    /// Nothing came for too long.
    #[error("nothing came for {0} seconds")]
    Idle(u64),
    /// The server stops.
    #[error("the server stops")]
    Stopped,
    /// More came than is allowed here.
    #[error("a line has at most {0} bytes")]
    TooLong(usize),
    /// The bytes could not be kept.
    #[error(transparent)]
    Capture(#[from] CaptureError),
}

/// A connection that is read with an end to patience.
pub struct Wire {
    stream: TcpStream,
    /// The other side.
    pub peer: IpAddr,
    stop: Stop,
    idle: Duration,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
}

impl Wire {
    fn new(stream: TcpStream, peer: IpAddr, stop: &Stop, idle_s: u64) -> io::Result<Wire> {
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        let (stop, idle) = (stop.clone(), Duration::from_secs(idle_s));
        Ok(Wire { stream, peer, stop, idle, buffer: Vec::new(), at: 0, filled: 0 })
    }

    /// The stop that ends it.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// What was read and not yet taken; reads when there is nothing. Empty at the end. `patience` is how long nothing may
    /// come, instead of what the door says.
    pub fn fill(&mut self, patience: Option<Duration>) -> Result<&[u8], WireError> {
        if self.at < self.filled {
            return Ok(self.buffer.get(self.at..self.filled).unwrap_or_default());
        }
        self.buffer.resize(BUFFER, 0);
        (self.at, self.filled) = (0, 0);
        let patience = patience.unwrap_or(self.idle);
        let started = Instant::now();
        loop {
            if self.stop.is_now() {
                return Err(WireError::Stopped);
            }
            if patience < TICK {
                let _ = self.stream.set_read_timeout(Some(patience.max(Duration::from_millis(1))));
            }
            let read = self.stream.read(&mut self.buffer);
            if patience < TICK {
                let _ = self.stream.set_read_timeout(Some(TICK));
            }
            match read {
                Ok(read) => {
                    self.filled = read;
                    return Ok(self.buffer.get(..read).unwrap_or_default());
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if started.elapsed() >= patience {
                        return Err(WireError::Idle(patience.as_secs()));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(WireError::Closed),
            }
        }
    }

    /// Goes on behind so many bytes of what [`Wire::fill`] gave.
    pub fn taken(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// The next byte; `None` at the end.
    pub fn byte(&mut self, patience: Option<Duration>) -> Result<Option<u8>, WireError> {
        let byte = self.fill(patience)?.first().copied();
        self.taken(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// A line without its end (LF, or CR LF); `None` when the connection ends before its first byte.
    pub fn line(&mut self, most: usize) -> Result<Option<Vec<u8>>, WireError> {
        let mut line = Vec::new();
        loop {
            match self.byte(None)? {
                Some(b'\n') => {
                    if line.last() == Some(&b'\r') {
                        line.pop();
                    }
                    return Ok(Some(line));
                }
                Some(_) if line.len() >= most => return Err(WireError::TooLong(most)),
                Some(byte) => line.push(byte),
                None if line.is_empty() => return Ok(None),
                None => return Err(WireError::Closed),
            }
        }
    }

    /// Exactly so many bytes, piece by piece.
    pub fn exactly(
        &mut self,
        bytes: u64,
        each: &mut dyn FnMut(&[u8]) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let mut left = bytes;
        while left > 0 {
            let piece = self.fill(None)?;
            if piece.is_empty() {
                return Err(WireError::Closed);
            }
            let taken = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            each(piece.get(..taken).unwrap_or_default())?;
            self.taken(taken);
            left -= taken as u64;
        }
        Ok(())
    }

    /// Exactly so many bytes into a spool.
    pub fn spool(&mut self, bytes: u64, spool: &mut Spool) -> Result<(), WireError> {
        self.exactly(bytes, &mut |piece| Ok(spool.write(piece)?))
    }

    /// Answers.
    pub fn say(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.stream.write_all(bytes).map_err(|_| WireError::Closed)
    }

    /// Breaks the connection off when it is dropped, so that the sender sees that it failed: closing without lingering resets
    /// it, whatever was read.
    pub fn reset(&mut self) {
        let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// It ends as usual when it is dropped: what [`Wire::reset`] asked for is taken back.
    pub fn ends_well(&mut self) {
        let _ = socket2::SockRef::from(&self.stream).set_linger(None);
    }

    /// Says that nothing more is said; the other side sees the end after what was said.
    pub fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}
