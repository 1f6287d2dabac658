//! Signed tokens (RFC 7515, 7517, 7518): RS256 and ES256, checked against a key set. Nothing else is accepted: not `none`,
//! and not an HMAC made with a public key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

/// Longest token.
const MOST_BYTES: usize = 64 << 10;

/// Why a token does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtError {
    /// It is no token in three parts.
    Form,
    /// Its algorithm is not accepted.
    Algorithm,
    /// The key set has no key for it.
    UnknownKey,
    /// The signature is wrong.
    Signature,
}

impl JwtError {
    /// For the log.
    pub fn told(self) -> &'static str {
        match self {
            JwtError::Form => "it is no signed token",
            JwtError::Algorithm => "its algorithm is neither RS256 nor ES256",
            JwtError::UnknownKey => "none of the provider's keys is for it",
            JwtError::Signature => "its signature is wrong",
        }
    }
}

/// The claims of a token whose signature holds.
pub fn verified(token: &str, keys: &Value) -> Result<Value, JwtError> {
    if token.len() > MOST_BYTES {
        return Err(JwtError::Form);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Form)?;
    let (header, payload) = signed.split_once('.').ok_or(JwtError::Form)?;
    let header: Value = serde_json::from_slice(&bytes(header)?).map_err(|_| JwtError::Form)?;
    let signature = bytes(signature)?;
    // Extensions that must be understood are not.
    if header.get("crit").is_some() {
        return Err(JwtError::Form);
    }
    let kind = match header.get("alg").and_then(Value::as_str) {
        Some("RS256") => "RSA",
        Some("ES256") => "EC",
        _ => return Err(JwtError::Algorithm),
    };
    let text = |key: &Value, name: &str| key.get(name).and_then(Value::as_str).map(str::to_string);
    let wanted = text(&header, "kid");
    let list = keys.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let fits = |key: &&Value| {
        text(key, "kty").as_deref() == Some(kind)
            && text(key, "use").is_none_or(|usage| usage == "sig")
            && text(key, "alg").is_none_or(|alg| Some(alg) == text(&header, "alg"))
            && (wanted.is_none() || text(key, "kid") == wanted)
    };
    let mut fitting = list.iter().filter(fits).peekable();
    if fitting.peek().is_none() {
        return Err(JwtError::UnknownKey);
    }
    if !fitting.any(|key| holds(kind, key, signed.as_bytes(), &signature).is_some()) {
        return Err(JwtError::Signature);
    }
    serde_json::from_slice(&bytes(payload)?).map_err(|_| JwtError::Form)
}

fn holds(kind: &str, key: &Value, message: &[u8], signature: &[u8]) -> Option<()> {
    let part = |name: &str| bytes(key.get(name)?.as_str()?).ok();
    if kind == "RSA" {
        let public = RsaPublicKeyComponents { n: part("n")?, e: part("e")? };
        return public.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).ok();
    }
    if key.get("crv")?.as_str()? != "P-256" {
        return None;
    }
    let (x, y) = (part("x")?, part("y")?);
    if x.len() != 32 || y.len() != 32 {
        return None;
    }
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).ok()
}

fn bytes(text: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwtError::Form)
}
