//! Printing to a queue by LPD (RFC 1179), as a client.
//!
//! The data file goes first and the control file last: a daemon has a job when it has both, so that until the last byte of
//! the control file nothing is printed. An answer lost after that leaves the piece in doubt. A zero byte says that the
//! daemon took a file ([`Rung::Accepted`]); what the printer makes of it LPD cannot say. The job is named for the piece.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::{Channel, Composed, Content, Needs, Outcome, Parcel, Rung, one_file};
use crate::distribute::DistributeError;
use crate::distribute::config::ChannelConfig;

/// Longest that one answer may take, unless the configuration says otherwise.
const TIMEOUT_S: u64 = 60;

struct Lpd {
    host: String,
    port: u16,
    queue: String,
    ours: String,
    timeout: Duration,
}

/// Opens the channel; no connection is made yet.
pub fn open(config: &ChannelConfig) -> Result<Box<dyn Channel>, DistributeError> {
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    if !plain(&config.host) {
        return Err(config.wrong("host", "it is missing"));
    }
    if !plain(&config.queue) {
        return Err(config.wrong("queue", "the name of the queue, without blanks"));
    }
    let ours = if plain(&config.helo) { config.helo.clone() } else { "greenbar".into() };
    Ok(Box::new(Lpd {
        host: config.host.clone(),
        port: if config.port == 0 { 515 } else { config.port },
        queue: config.queue.clone(),
        ours,
        timeout: Duration::from_secs(config.timeout_s.unwrap_or(TIMEOUT_S).clamp(1, 600)),
    }))
}

impl Channel for Lpd {
    fn needs(&self) -> Needs {
        Needs::Files
    }

    fn target(&self) -> Rung {
        Rung::Accepted
    }

    fn repeatable(&self) -> bool {
        false
    }

    fn compose(&self, content: &Content) -> Result<Composed, DistributeError> {
        one_file(content)
    }

    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        let later = |error: std::io::Error| Outcome::Later(format!("{}: {error}", self.host));
        let control = self.control(parcel);
        let last = match self.data(parcel, &control) {
            Ok(mut stream) => {
                stream.write_all(&[control.as_bytes(), b"\0"].concat()).and_then(|()| answer(&mut stream))
            }
            Err(error) => return later(error),
        };
        match last {
            Ok(0) => Outcome::Taken { rung: Rung::Accepted, said: format!("{} took the job", self.queue) },
            Ok(code) => Outcome::Later(format!("{}: the daemon answered {code} to the control file", self.host)),
            Err(error) => Outcome::InDoubt(format!("{}: no answer after the last byte: {error}", self.host)),
        }
    }
}

impl Lpd {
    /// Number of the job, three digits: the same for every attempt.
    fn job(id: &str) -> u32 {
        id.bytes().fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 1_000)
    }

    fn control(&self, parcel: &Parcel<'_>) -> String {
        let (ours, job, id) = (&self.ours, Self::job(parcel.id), parcel.id);
        format!("H{ours}\nPgreenbar\nJ{id}\nldfA{job:03}{ours}\nUdfA{job:03}{ours}\nN{}\n", parcel.name)
    }

    /// Sends all but the control file; returns the connection, which waits for it.
    fn data(&self, parcel: &Parcel<'_>, control: &str) -> std::io::Result<TcpStream> {
        let found = (self.host.as_str(), self.port).to_socket_addrs()?.next();
        let address = found.ok_or_else(|| std::io::Error::other("the name leads nowhere"))?;
        let mut stream = TcpStream::connect_timeout(&address, self.timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        let (ours, job) = (&self.ours, Self::job(parcel.id));
        self.say(&mut stream, "the queue", format!("\x02{}\n", self.queue).as_bytes())?;
        let head = format!("\x03{} dfA{job:03}{ours}\n", parcel.bytes.len());
        self.say(&mut stream, "the data file", head.as_bytes())?;
        stream.write_all(parcel.bytes)?;
        self.say(&mut stream, "the data", b"\0")?;
        let head = format!("\x02{} cfA{job:03}{ours}\n", control.len());
        self.say(&mut stream, "the control file", head.as_bytes())?;
        Ok(stream)
    }

    fn say(&self, stream: &mut TcpStream, what: &str, bytes: &[u8]) -> std::io::Result<()> {
        stream.write_all(bytes)?;
        match answer(stream)? {
            0 => Ok(()),
            code => Err(std::io::Error::other(format!("the daemon answered {code} to {what}"))),
        }
    }
}

/// One byte; zero means yes.
fn answer(stream: &mut TcpStream) -> std::io::Result<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    Ok(byte[0])
}
