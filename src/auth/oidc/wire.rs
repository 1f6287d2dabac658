//! The requests to a provider: TLS except on this machine, no redirects, bounded in time and size.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

use super::{OidcError, Settings};
use crate::auth::AuthError;

/// Longest a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer.
const MOST_BYTES: u64 = 1 << 20;

/// Refuses addresses that are not secret on their way: `https`, or `http` on this machine.
pub(super) fn check_url(url: &str) -> Result<(), AuthError> {
    let bad = || AuthError::BadUrl { url: url.to_string() };
    let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if authority.is_empty() || !authority.chars().all(plain) {
        return Err(bad());
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    match scheme {
        "https" => Ok(()),
        "http" if matches!(host, "127.0.0.1" | "localhost" | "::1") => Ok(()),
        _ => Err(bad()),
    }
}

/// `a=1&b=2`, with everything but letters, digits and `-._~` coded.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect();
    pairs.join("&")
}

/// A text as a value in a query string: what is not unreserved in RFC 3986 is percent-coded.
pub fn coded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn agent(settings: &Settings) -> Result<ureq::Agent, OidcError> {
    let mut tls = TlsConfig::builder();
    if let Some(pem) = &settings.ca_pem {
        let certificates: Vec<Certificate<'static>> = ureq::tls::parse_pem(pem.as_bytes())
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        tls = tls.root_certs(RootCerts::from(certificates));
    }
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .max_redirects(0)
        .http_status_as_error(false)
        .tls_config(tls.build())
        .build();
    Ok(config.into())
}

/// A JSON document of the provider.
pub(super) fn json<T: DeserializeOwned>(settings: &Settings, url: &str) -> Result<T, OidcError> {
    check_url(url)?;
    let answer = agent(settings)?.get(url).header("accept", "application/json").call();
    let answer = answer.map_err(|error| OidcError::Provider(format!("{url}: {error}")))?;
    let (status, bytes) = body(answer, url)?;
    if status != 200 {
        return Err(OidcError::Provider(format!("{url} answers {status}")));
    }
    serde_json::from_slice(&bytes).map_err(|error| OidcError::Provider(format!("{url}: {error}")))
}

/// Exchanges a code for an identity token.
pub(super) fn exchange(settings: &Settings, url: &str, code: &str, verifier: &str) -> Result<String, OidcError> {
    check_url(url)?;
    let redirect = settings.redirect_uri();
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect),
        ("code_verifier", verifier),
    ];
    let mut request = agent(settings)?
        .post(url)
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded");
    match &settings.client_secret {
        Some(secret) => {
            // RFC 6749, section 2.3.1: both parts are form-coded first.
            let pair = format!("{}:{}", coded(&settings.client_id), coded(secret));
            request = request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
        }
        None => pairs.push(("client_id", &settings.client_id)),
    }
    let answer = request.send(form(&pairs)).map_err(|error| OidcError::Provider(format!("{url}: {error}")))?;
    let (status, bytes) = body(answer, url)?;
    let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    match text("id_token") {
        Some(token) if status == 200 => Ok(token.to_string()),
        _ => {
            let error: String = text("error").unwrap_or("no identity token").chars().take(100).collect();
            Err(OidcError::Refused(format!("{error} ({status})")))
        }
    }
}

fn body(mut answer: ureq::http::Response<ureq::Body>, url: &str) -> Result<(u16, Vec<u8>), OidcError> {
    let status = answer.status().as_u16();
    let bytes = answer.body_mut().with_config().limit(MOST_BYTES).read_to_vec();
    Ok((status, bytes.map_err(|error| OidcError::Provider(format!("{url}: {error}")))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_are_secret_on_their_way_are_asked() {
        for good in
            ["https://id.example.org", "https://id.example.org:8443/x?y", "http://127.0.0.1:3000/", "http://[::1]:80"]
        {
            assert!(check_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example.org",
            "ftp://x",
            "id.example.org",
            "https://",
            "http://localhost@evil.example/",
            "file:///x",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
        assert_eq!(form(&[("a", "b c&d"), ("e", "ü")]), "a=b%20c%26d&e=%C3%BC");
    }
}
