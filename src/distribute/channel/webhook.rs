//! Events over HTTP: a CloudEvents 1.0 body (structured mode) with a Standard Webhooks signature.
//!
//! The body holds ids, no document and no name. Redirects are not followed (the receiver's address is what was
//! configured); names are looked up once, and one that leads into the own network is refused unless `private` is set, so
//! that nobody makes greenbar ask its neighbours. The id stays through all attempts.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::{Channel, Composed, Content, Needs, Outcome, Parcel, Rung};
use crate::distribute::DistributeError;
use crate::distribute::config::ChannelConfig;

struct Webhook {
    url: String,
    secret: Vec<u8>,
    agent: ureq::Agent,
}

/// Opens the channel.
pub fn open(config: &ChannelConfig) -> Result<Box<dyn Channel>, DistributeError> {
    let local = config.private && config.url.starts_with("http://");
    if !config.url.starts_with("https://") && !local {
        return Err(config.wrong("url", "it starts with https:// (http:// only with private = true)"));
    }
    let secret = match &config.secret_file {
        Some(path) => secret(path).map_err(|problem| config.wrong("secret_file", problem))?,
        None => return Err(config.wrong("secret_file", "it is missing")),
    };
    let settings = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(config.timeout_s.unwrap_or(20).clamp(1, 120))))
        .max_redirects(0)
        .http_status_as_error(false)
        .build();
    let resolver = Pinned { private: config.private, inner: DefaultResolver::default() };
    let agent = ureq::Agent::with_parts(settings, DefaultConnector::default(), resolver);
    Ok(Box::new(Webhook { url: config.url.clone(), secret, agent }))
}

/// `whsec_` and base64, as Standard Webhooks writes secrets.
fn secret(path: &Path) -> Result<Vec<u8>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let text = text.trim();
    let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).map_err(|_| "it is not base64")?;
    if bytes.len() < 24 { Err("it has fewer than 24 bytes".into()) } else { Ok(bytes) }
}

/// Looks names up and refuses what lies in the own network. The connection goes to the address that was looked at.
#[derive(Debug)]
struct Pinned {
    private: bool,
    inner: DefaultResolver,
}

impl Resolver for Pinned {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        if !self.private && found.iter().any(|address: &SocketAddr| is_private(address.ip())) {
            return Err(ureq::Error::Io(std::io::Error::other("the address lies in the own network")));
        }
        Ok(found)
    }
}

/// Whether an address is not of the public network.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0)
                || (a == 198 && matches!(b, 18 | 19))
        }
        IpAddr::V6(v6) => match v6.to_ipv4() {
            Some(v4) => is_private(IpAddr::V4(v4)),
            None => {
                v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || matches!(v6.segments()[0] >> 8, 0xfc..=0xfe)
            }
        },
    }
}

impl Channel for Webhook {
    fn needs(&self) -> Needs {
        Needs::Mention
    }

    fn target(&self) -> Rung {
        Rung::Accepted
    }

    fn repeatable(&self) -> bool {
        // The receiver tells repeated events by their id, as both standards ask of it.
        true
    }

    fn compose(&self, content: &Content) -> Result<Composed, DistributeError> {
        let documents: Vec<_> =
            content.documents.iter().map(|d| json!({ "id": d.document, "kind": d.kind, "pages": d.pages })).collect();
        let event = json!({
            "specversion": "1.0",
            "id": content.id,
            "source": "/greenbar",
            "type": "greenbar.document.available.v1",
            "time": content.made_at.to_string(),
            "datacontenttype": "application/json",
            "data": { "documents": documents, "copy": content.copy },
        });
        Ok(Composed { name: String::new(), bytes: event.to_string().into_bytes() })
    }

    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        let now = crate::auth::clock::Clock::default().now();
        let signed = match self.sign(parcel, now) {
            Ok(signed) => signed,
            Err(error) => return Outcome::Refused(error),
        };
        let sent = self
            .agent
            .post(&self.url)
            .header("content-type", "application/cloudevents+json; charset=utf-8")
            .header("webhook-id", parcel.id)
            .header("webhook-timestamp", now.to_string())
            .header("webhook-signature", signed)
            .send(parcel.bytes);
        match sent.map(|answer| answer.status().as_u16()) {
            Ok(status @ 200..=299) => Outcome::Taken { rung: Rung::Accepted, said: format!("HTTP {status}") },
            Ok(status @ 300..=399) => Outcome::Refused(format!("HTTP {status}: redirects are not followed")),
            Ok(410) => Outcome::Refused("HTTP 410: the receiver wants no more events".into()),
            Ok(status) => Outcome::Later(format!("HTTP {status}")),
            Err(ureq::Error::Io(error)) => Outcome::Later(error.to_string()),
            Err(error) => Outcome::Later(error.to_string()),
        }
    }
}

impl Webhook {
    fn sign(&self, parcel: &Parcel<'_>, at: i64) -> Result<String, String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).map_err(|error| error.to_string())?;
        mac.update(format!("{}.{at}.", parcel.id).as_bytes());
        mac.update(parcel.bytes);
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_network_is_told_from_the_public_one() {
        for own in
            ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"]
        {
            assert!(is_private(own.parse().expect("an address")), "{own}");
        }
        for public in ["8.8.8.8", "2001:4860:4860::8888"] {
            assert!(!is_private(public.parse().expect("an address")), "{public}");
        }
    }
}
