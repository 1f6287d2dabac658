//! Events over HTTP: a CloudEvents 1.0 body (structured mode) with a Standard Webhooks signature.
//!
//! The body holds ids, no document and no name. Redirects are not followed (the receiver's address is what was
//! configured). For each attempt the name is looked up once, and the connection goes to the address that was looked at; one
//! that leads into the own network is given up at once, unless `private` or `allow` says otherwise, so that nobody makes
//! greenbar ask its neighbours. Proxies of the environment are not used: they would look the name up again. The id stays
//! through all attempts.

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

use super::{Channel, Composed, Content, Mention, Needs, Outcome, Parcel, Rung, http};
use crate::distribute::DistributeError;
use crate::distribute::config::ChannelConfig;
use crate::network::Network;

struct Webhook {
    url: String,
    secret: Vec<u8>,
    agent: ureq::Agent,
}

/// Opens the channel.
pub fn open(config: &ChannelConfig) -> Result<Box<dyn Channel>, DistributeError> {
    let allowed = Allowed::read(config);
    let host = config.url.parse::<Uri>().ok().and_then(|url| url.host().map(host_name)).unwrap_or_default();
    let local = config.url.starts_with("http://") && allowed.names(&host);
    if host.is_empty() || !(config.url.starts_with("https://") || local) {
        return Err(
            config.wrong("url", "it starts with https:// (http:// only with private = true or a host of allow)")
        );
    }
    let secret = match &config.secret_file {
        Some(path) => secret(path).map_err(|problem| config.wrong("secret_file", problem))?,
        None => return Err(config.wrong("secret_file", "it is missing")),
    };
    let settings = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(config.timeout_s.unwrap_or(20).clamp(1, 120))))
        .max_redirects(0)
        .http_status_as_error(false)
        .tls_config(http::trust(config)?)
        .proxy(None)
        .build();
    let resolver = Pinned { allowed, inner: DefaultResolver::default() };
    let agent = ureq::Agent::with_parts(settings, DefaultConnector::default(), resolver);
    Ok(Box::new(Webhook { url: config.url.clone(), secret, agent }))
}

/// A document in the body of an event; `page_ranges` stand there when the piece is about some of its pages.
fn named(document: &Mention) -> serde_json::Value {
    let mut named = json!({ "id": document.document, "kind": document.kind, "pages": document.pages });
    if !document.stretches.is_empty() {
        named["page_ranges"] = json!(document.stretches);
    }
    named
}

/// `whsec_` and base64, as Standard Webhooks writes secrets.
fn secret(path: &Path) -> Result<Vec<u8>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let text = text.trim();
    let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).map_err(|_| "it is not base64")?;
    if bytes.len() < 24 { Err("it has fewer than 24 bytes".into()) } else { Ok(bytes) }
}

/// What of the own network events may go to.
#[derive(Debug, Default)]
struct Allowed {
    everything: bool,
    hosts: Vec<String>,
    networks: Vec<Network>,
}

impl Allowed {
    /// `private` and `allow` of a channel: what is no address and no network is the name of a host.
    fn read(config: &ChannelConfig) -> Allowed {
        let mut allowed = Allowed { everything: config.private, ..Allowed::default() };
        for entry in &config.allow {
            match entry.parse() {
                Ok(network) => allowed.networks.push(network),
                Err(_) => allowed.hosts.push(host_name(entry)),
            }
        }
        allowed
    }

    /// Whether a host is allowed by name, wherever it leads.
    fn trusts(&self, host: &str) -> bool {
        self.everything || self.hosts.iter().any(|known| known == host)
    }

    fn lists(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.holds(address))
    }

    /// Whether a host may be asked without TLS: as a name or as an address.
    fn names(&self, host: &str) -> bool {
        self.trusts(host) || host.parse().is_ok_and(|address| self.lists(address))
    }

    /// The address that a host may not lead to, if there is one among those found.
    fn forbids(&self, host: &str, found: &[SocketAddr]) -> Option<IpAddr> {
        let mut addresses = found.iter().map(SocketAddr::ip).filter(|_| !self.trusts(host));
        addresses.find(|address| is_private(*address) && !self.lists(*address))
    }
}

/// A host as it is compared: in lower case, without the brackets of an IPv6 address and the last dot of a whole name.
fn host_name(host: &str) -> String {
    host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}

/// A name leads into the own network.
#[derive(Debug, thiserror::Error)]
#[error(
    "{host} leads to {address}, which lies in the own network: `allow` of the channel names who may be asked there"
)]
struct OwnNetwork {
    host: String,
    address: IpAddr,
}

/// Looks names up and refuses what lies in the own network. The connection goes to the address that was looked at.
#[derive(Debug)]
struct Pinned<R = DefaultResolver> {
    allowed: Allowed,
    inner: R,
}

impl<R: Resolver> Resolver for Pinned<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let host = uri.host().map(host_name).unwrap_or_default();
        match self.allowed.forbids(&host, &found) {
            Some(address) => Err(ureq::Error::Other(Box::new(OwnNetwork { host, address }))),
            None => Ok(found),
        }
    }
}

/// Whether an address is not of the public network. IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4) counts as what it
/// leads to. Ranges: IANA's special-purpose registries (RFC 6890).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && matches!(b, 18 | 19))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, .., g, h] = v6.segments();
            let inside = |high: u16, low: u16| {
                let bits = u32::from(high) << 16 | u32::from(low);
                is_private(IpAddr::V4(bits.into()))
            };
            match (v6.to_ipv4(), a, b) {
                (Some(v4), ..) => is_private(IpAddr::V4(v4)),
                (None, 0x64, 0xff9b) => (c, d) != (0, 0) || inside(g, h),
                (None, 0x2002, high) => inside(high, c),
                _ => v6.is_multicast() || matches!(a >> 8, 0xfc..=0xfe) || a == 0x100,
            }
        }
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
        let documents: Vec<_> = content.documents.iter().map(named).collect();
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
            // Trying again would only ask whether the name leads elsewhere by now.
            Err(ureq::Error::Other(error)) if error.is::<OwnNetwork>() => Outcome::Refused(error.to_string()),
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
        let own = "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 255.255.255.255 224.0.0.1 198.18.0.1 \
            192.0.0.8 :: ::1 fd00::1 fe80::1 fec0::1 ff02::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1::1 100::1";
        for own in own.split_whitespace() {
            assert!(is_private(own.parse().expect("an address")), "{own}");
        }
        for public in
            ["8.8.8.8", "192.0.78.9", "2001:4860:4860::8888", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"]
        {
            assert!(!is_private(public.parse().expect("an address")), "{public}");
        }
    }

    /// A name server that gives another answer each time.
    #[derive(Debug, Default)]
    struct Rebinding(std::sync::atomic::AtomicUsize);

    impl Resolver for Rebinding {
        fn resolve(
            &self,
            _: &Uri,
            _: &ureq::config::Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let asked = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut found = self.empty();
            found.push(if asked == 0 { ([192, 0, 2, 1], 443).into() } else { ([127, 0, 0, 1], 443).into() });
            Ok(found)
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_the_second_time_is_looked_at_each_time() {
        let pinned = Pinned { allowed: Allowed::default(), inner: Rebinding::default() };
        let ask = || {
            pinned.resolve(
                &Uri::from_static("https://hooks.example/x"),
                &ureq::config::Config::default(),
                NextTimeout::default(),
            )
        };
        assert_eq!(ask().expect("public")[0].ip().to_string(), "192.0.2.1");
        let error = ask().expect_err("refused").to_string();
        assert!(error.contains("hooks.example leads to 127.0.0.1"), "{error}");
    }

    #[test]
    fn only_the_hosts_and_networks_that_are_named_may_lie_in_the_own_network() {
        let allow = ["Crm.example.com.", "10.2.0.0/16", "::1"].map(String::from).to_vec();
        let allowed = Allowed::read(&ChannelConfig { allow, ..ChannelConfig::default() });
        let forbids = |host: &str, found: &[&str]| {
            let found: Vec<SocketAddr> =
                found.iter().map(|text| SocketAddr::new(text.parse().expect("an address"), 443)).collect();
            allowed.forbids(host, &found).is_some()
        };
        assert!(!forbids("crm.example.com", &["192.168.1.1"]));
        assert!(!forbids("other.example.com", &["10.2.3.4", "::1"]));
        assert!(forbids("other.example.com", &["10.3.0.1"]));
        assert!(forbids("other.example.com", &["8.8.8.8", "10.3.0.1"]), "one of several is enough");
        assert!(forbids("crm.example.com.evil.example", &["192.168.1.1"]));
        assert!(allowed.names("10.2.0.1") && allowed.names("crm.example.com") && !allowed.names("10.3.0.1"));
    }
}
