//! What the channels over HTTP share: whom they trust (`ca_file`), and whether a request that failed had a connection at all.
//!
//! Without a connection, which is there when its TLS handshake is over, nothing of a request was sent; that is known here, not
//! guessed from the kind of the error.

use std::cell::Cell;

use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::{ConnectionDetails, Connector, DefaultConnector, Transport};

use super::Outcome;
use crate::distribute::DistributeError;
use crate::distribute::config::ChannelConfig;

thread_local! {
    /// Whether this thread is making a connection, or tried to and failed. A request works in the thread that asks.
    static CONNECTING: Cell<bool> = const { Cell::new(false) };
}

/// The usual connector, that notes whether a connection came about.
#[derive(Debug, Default)]
pub(super) struct Noting(DefaultConnector);

impl Connector for Noting {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        CONNECTING.set(true);
        let made = self.0.connect(details, chained)?;
        CONNECTING.set(made.is_none());
        Ok(made)
    }
}

/// Asks, and tells of an error what it means where nothing was sent: no connection, or none that can be trusted.
pub(super) fn asked<T>(ask: impl FnOnce() -> Result<T, ureq::Error>) -> Result<T, Result<Outcome, ureq::Error>> {
    CONNECTING.set(false);
    ask().map_err(|error| match error {
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Pem(_) => {
            Ok(Outcome::OutOfOrder(error.to_string()))
        }
        ureq::Error::Io(error) if CONNECTING.get() && error.kind() == std::io::ErrorKind::InvalidData => {
            Ok(Outcome::OutOfOrder(error.to_string()))
        }
        ureq::Error::ConnectionFailed
        | ureq::Error::HostNotFound
        | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            Ok(Outcome::Later(error.to_string()))
        }
        error if CONNECTING.get() => Ok(Outcome::Later(error.to_string())),
        error => Err(error),
    })
}

/// Whom a channel trusts: the authorities of its `ca_file`, without one the well-known ones.
pub(super) fn trust(config: &ChannelConfig) -> Result<TlsConfig, DistributeError> {
    let Some(path) = &config.ca_file else { return Ok(TlsConfig::default()) };
    let pem = std::fs::read(path).map_err(|error| config.wrong("ca_file", error))?;
    let mut authorities = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(authority) = item.map_err(|error| config.wrong("ca_file", error))? {
            authorities.push(authority);
        }
    }
    if authorities.is_empty() {
        return Err(config.wrong("ca_file", "it has no certificate (PEM)"));
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::from(authorities)).build())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::super::{Parcel, ipp};
    use super::*;

    /// A server that says a few bytes to whoever comes, and hangs up.
    fn server(says: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(mut client) = client else { return };
                let _ = client.read(&mut [0; 4_096]);
                let _ = client.write_all(says);
            }
        });
        port
    }

    fn printed(scheme: &str, port: u16) -> Outcome {
        let url = format!("{scheme}://localhost:{port}/p");
        let config =
            ChannelConfig { kind: "ipp".into(), url, private: true, timeout_s: Some(5), ..ChannelConfig::default() };
        let channel = ipp::open(&config).expect("opened");
        let parcel = Parcel { id: "x", to: "", name: "x.pdf", bytes: b"%PDF", manifest: "" };
        channel.deliver(&parcel)
    }

    #[test]
    fn nothing_is_in_doubt_that_had_no_connection_to_be_trusted() {
        let plain = server(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        assert!(matches!(printed("ipps", plain), Outcome::OutOfOrder(_)), "no TLS: {:?}", printed("ipps", plain));
        let mute = server(b"");
        assert!(matches!(printed("ipps", mute), Outcome::Later(_)), "it hangs up: {:?}", printed("ipps", mute));
        let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
        assert!(matches!(printed("ipp", closed), Outcome::Later(_)), "{:?}", printed("ipp", closed));
        assert!(matches!(printed("ipp", mute), Outcome::InDoubt(_)), "the job was sent: {:?}", printed("ipp", mute));
    }

    #[test]
    fn a_file_without_a_certificate_is_an_error_of_its_key() {
        let file = std::env::temp_dir().join(format!("greenbar-ca-{}", std::process::id()));
        std::fs::write(&file, "no certificate").expect("written");
        let config = ChannelConfig { name: "press".into(), ca_file: Some(file.clone()), ..ChannelConfig::default() };
        let told = trust(&config).expect_err("refused").to_string();
        std::fs::remove_file(file).expect("removed");
        assert!(told.contains("channel.press.ca_file: it has no certificate"), "{told}");
    }
}
