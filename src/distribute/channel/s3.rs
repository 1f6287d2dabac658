//! Objects in an S3 store: put with their SHA-256, asked back; their digest (`.sha256`) and manifest
//! (`.manifest.json`) last.
//!
//! Signed with AWS Signature Version 4 (one chunk, header form); addresses in path style (`url/bucket/key`), which every
//! store knows. An object appears whole or not at all, and putting it again replaces it by the same bytes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{Channel, Keeps, Parcel, http};
use crate::auth::secret::hex;
use crate::distribute::DistributeError;
use crate::distribute::config::ChannelConfig;
use crate::distribute::piece::digest;

struct S3 {
    url: String,
    host: String,
    bucket: String,
    prefix: String,
    region: String,
    key: String,
    secret: String,
    agent: ureq::Agent,
}

/// Opens the channel; no connection is made yet.
pub fn open(config: &ChannelConfig) -> Result<Box<dyn Channel>, DistributeError> {
    let url = config.url.trim_end_matches('/');
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://").filter(|_| config.private));
    let Some(host) = host.filter(|host| !host.is_empty() && !host.contains('/')) else {
        return Err(config.wrong("url", "it is like https://s3.example.com (http:// only with private = true)"));
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let prefix = config.path.display().to_string();
    if config.bucket.is_empty() || !config.bucket.chars().all(plain) || !prefix.chars().all(plain) {
        return Err(config.wrong("bucket", "bucket and path have letters, digits, - _ . and /"));
    }
    let Some(secret) = config.password()?.filter(|_| !config.user.is_empty()) else {
        return Err(config.wrong("user", "user (the access key) and password_file (its secret) are needed"));
    };
    let settings = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(config.timeout_s.unwrap_or(60).clamp(1, 3600))))
        .max_redirects(0)
        .http_status_as_error(false)
        .tls_config(http::trust(config)?)
        .build();
    Ok(Box::new(S3 {
        url: url.into(),
        host: host.into(),
        bucket: config.bucket.clone(),
        prefix: prefix.trim_matches('/').into(),
        region: if config.region.is_empty() { "us-east-1".into() } else { config.region.clone() },
        key: config.user.clone(),
        secret,
        agent: settings.into(),
    }))
}

impl Keeps for S3 {
    fn put(&self, parcel: &Parcel<'_>) -> Result<String, String> {
        let sum = digest(parcel.bytes);
        self.ask("PUT", parcel.name, parcel.bytes)?;
        let there = self.ask("HEAD", parcel.name, b"")?;
        let length = there.headers().get("content-length").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kept = there.headers().get("x-amz-checksum-sha256").and_then(|value| value.to_str().ok());
        // Stores that keep no checksums tell the length at least; they checked the bytes against the signature.
        if kept.is_some_and(|kept| kept != checksum(parcel.bytes)) || length != parcel.bytes.len().to_string() {
            return Err(format!("{}: the store says that it has something else", parcel.name));
        }
        for (name, text) in parcel.beside() {
            self.ask("PUT", &name, text.as_bytes())?;
        }
        Ok(format!("{}/{} sha256 {sum}", self.bucket, self.object(parcel.name)))
    }
}

impl S3 {
    fn object(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_string() } else { format!("{}/{name}", self.prefix) }
    }

    fn ask(&self, method: &str, name: &str, body: &[u8]) -> Result<ureq::http::Response<ureq::Body>, String> {
        let path = format!("/{}/{}", self.bucket, self.object(name));
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let headers = self.signed(method, &path, body, &now);
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let broken = |error: &dyn std::fmt::Display| format!("{method} {path}: {error}");
        let answer = match method {
            "PUT" => self.agent.run(request.body(body).map_err(|error| broken(&error))?),
            _ => self.agent.run(request.body(()).map_err(|error| broken(&error))?),
        };
        let mut answer = answer.map_err(|error| broken(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let text = answer.body_mut().with_config().limit(4_096).read_to_string().unwrap_or_default();
        let code = text.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next()).unwrap_or_default();
        Err(format!("{method} {path}: HTTP {} {code}", answer.status().as_u16()))
    }

    /// The headers of a request, with its signature (AWS General Reference, "Signature Version 4 signing process").
    fn signed(&self, method: &str, path: &str, body: &[u8], now: &str) -> Vec<(&'static str, String)> {
        let mut headers: Vec<(&'static str, String)> =
            vec![("host", self.host.clone()), ("x-amz-content-sha256", digest(body)), ("x-amz-date", now.to_string())];
        if method == "PUT" {
            headers.push(("x-amz-checksum-sha256", checksum(body)));
        } else {
            headers.push(("x-amz-checksum-mode", "ENABLED".into()));
        }
        headers.sort();
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let request = format!("{method}\n{path}\n\n{lines}\n{names}\n{}", digest(body));
        let day = now.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let text = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{}", digest(request.as_bytes()));
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [day, &self.region, "s3", "aws4_request", &text] {
            key = keyed(&key, part.as_bytes());
        }
        let (who, signature) = (&self.key, hex(&key));
        let value = format!("AWS4-HMAC-SHA256 Credential={who}/{scope}, SignedHeaders={names}, Signature={signature}");
        headers.push(("authorization", value));
        headers
    }
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn checksum(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}
