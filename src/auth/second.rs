//! The second factor: one-time codes of an authenticator app (RFC 6238: HMAC-SHA-1, 6 digits, 30 seconds), and recovery
//! codes for the day the phone is lost.
//!
//! Row `o/` + user name. The secret of the app has to be kept as it is; of recovery codes only SHA-256 (they have 80
//! random bits). A code is good once: the step it was made for, and all steps before it, are used up.

use std::sync::{Arc, Mutex, PoisonError};

use ring::hmac;
use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::{AuthError, row, secret};
use crate::archive::kv::{Batch, Engine, Family};

const PREFIX: &[u8] = b"o/";
/// Length of a step.
const STEP_S: i64 = 30;
/// Steps before and after now that are accepted: clocks of phones differ.
const DRIFT: i64 = 1;
const DIGITS: u32 = 6;
/// RFC 4226 wants at least 128 bits and recommends 160.
const SECRET_BYTES: usize = 20;
const RECOVERY_CODES: usize = 10;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    /// Base32; in use once `confirmed`.
    secret: String,
    confirmed: bool,
    /// The last step that was used.
    #[serde(default)]
    used: i64,
    /// SHA-256 of recovery codes that are left, hexadecimal.
    #[serde(default)]
    recovery: Vec<String>,
}

/// What an authenticator app needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The secret, Base32, for typing.
    pub secret: String,
    /// The same as an address for a QR code.
    pub uri: String,
}

/// The second factors of an archive's users.
#[derive(Clone)]
pub struct SecondFactors {
    engine: Arc<dyn Engine>,
    clock: Clock,
    /// Two requests with one code must not both find it unused.
    checking: Arc<Mutex<()>>,
}

impl SecondFactors {
    /// Of the users in this store.
    pub fn new(engine: Arc<dyn Engine>, clock: Clock) -> SecondFactors {
        SecondFactors { engine, clock, checking: Arc::default() }
    }

    /// Whether a user signs in with a second factor.
    pub fn has(&self, user: &str) -> Result<bool, AuthError> {
        Ok(self.get(user)?.is_some_and(|stored| stored.confirmed))
    }

    /// Recovery codes that a user has left.
    pub fn recovery_left(&self, user: &str) -> Result<usize, AuthError> {
        Ok(self.get(user)?.map_or(0, |stored| stored.recovery.len()))
    }

    /// Begins to enrol: a secret that counts once a code of it was shown. Nothing changes for a user who has one.
    pub fn begin(&self, user: &str) -> Result<Option<Enrolment>, AuthError> {
        let _one = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has(user)? {
            return Ok(None);
        }
        let secret = base32(&random::<SECRET_BYTES>()?);
        self.put(user, &Stored { secret: secret.clone(), ..Stored::default() })?;
        Ok(Some(enrolment(user, secret)))
    }

    /// What was begun and is not confirmed.
    pub fn pending(&self, user: &str) -> Result<Option<Enrolment>, AuthError> {
        let stored = self.get(user)?.filter(|stored| !stored.confirmed);
        Ok(stored.map(|stored| enrolment(user, stored.secret)))
    }

    /// Ends enrolling: with a right code the factor counts from now on, and the recovery codes are told, once.
    pub fn confirm(&self, user: &str, code: &str) -> Result<Option<Vec<String>>, AuthError> {
        let _one = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut stored) = self.get(user)?.filter(|stored| !stored.confirmed) else { return Ok(None) };
        let Some(step) = self.step_of(&stored, code) else { return Ok(None) };
        let codes = recovery_codes()?;
        stored.confirmed = true;
        stored.used = step;
        stored.recovery = codes.iter().map(|code| mark(code)).collect();
        self.put(user, &stored)?;
        Ok(Some(codes))
    }

    /// Whether a code is right; it is used up by that. Recovery codes are codes too.
    pub fn check(&self, user: &str, code: &str) -> Result<bool, AuthError> {
        let _one = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut stored) = self.get(user)?.filter(|stored| stored.confirmed) else { return Ok(false) };
        if let Some(step) = self.step_of(&stored, code) {
            stored.used = step;
            self.put(user, &stored)?;
            return Ok(true);
        }
        let given = mark(code);
        let before = stored.recovery.len();
        stored.recovery.retain(|known| !secret::same(known.as_bytes(), given.as_bytes()));
        if stored.recovery.len() == before {
            return Ok(false);
        }
        self.put(user, &stored)?;
        Ok(true)
    }

    /// Makes new recovery codes; the old ones stop working.
    pub fn new_recovery(&self, user: &str) -> Result<Option<Vec<String>>, AuthError> {
        let _one = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut stored) = self.get(user)?.filter(|stored| stored.confirmed) else { return Ok(None) };
        let codes = recovery_codes()?;
        stored.recovery = codes.iter().map(|code| mark(code)).collect();
        self.put(user, &stored)?;
        Ok(Some(codes))
    }

    /// Takes the second factor away.
    pub fn remove(&self, user: &str) -> Result<(), AuthError> {
        let mut batch = Batch::default();
        batch.delete(Family::Users, key(user));
        Ok(self.engine.commit(batch)?)
    }

    /// The step that a code is right for: near now, and after the last one that was used.
    fn step_of(&self, stored: &Stored, code: &str) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let secret = unbase32(&stored.secret)?;
        let now = self.clock.now().div_euclid(STEP_S);
        let mut right = None;
        for step in now - DRIFT..=now + DRIFT {
            if secret::same(totp(&secret, step).as_bytes(), code.as_bytes()) && step > stored.used {
                right = Some(step);
            }
        }
        right
    }

    fn get(&self, user: &str) -> Result<Option<Stored>, AuthError> {
        let bytes = self.engine.get(Family::Users, &key(user))?;
        Ok(bytes.map(|bytes| row::decode(&bytes)).transpose()?)
    }

    fn put(&self, user: &str, stored: &Stored) -> Result<(), AuthError> {
        let mut batch = Batch::default();
        batch.put(Family::Users, key(user), row::encode(stored)?);
        Ok(self.engine.commit(batch)?)
    }
}

fn key(user: &str) -> Vec<u8> {
    [PREFIX, user.as_bytes()].concat()
}

fn enrolment(user: &str, secret: String) -> Enrolment {
    // User names need no escaping: they are made of a-z 0-9 . _ @ -
    let uri = format!("otpauth://totp/greenbar:{user}?secret={secret}&issuer=greenbar&digits={DIGITS}&period={STEP_S}");
    Enrolment { secret, uri }
}

/// The code of a step (RFC 4226 section 5.3).
fn totp(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or(0) & 15);
    let word = bytes.get(offset..offset + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes);
    format!("{:0width$}", (word & 0x7fff_ffff) % 10_u32.pow(DIGITS), width = DIGITS as usize)
}

fn random<const N: usize>() -> Result<[u8; N], AuthError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| AuthError::Random { detail: error.to_string() })?;
    Ok(bytes)
}

/// `ABCD-EFGH-IJKL-MNOP`: 80 random bits each.
fn recovery_codes() -> Result<Vec<String>, AuthError> {
    let code = || -> Result<String, AuthError> {
        let text = base32(&random::<10>()?);
        Ok(text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-"))
    };
    (0..RECOVERY_CODES).map(|_| code()).collect()
}

/// What is kept of a recovery code; however it is typed.
fn mark(code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    secret::hex(&secret::fingerprint(&plain.to_ascii_uppercase()))
}

fn base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            out.extend(BASE32.get((bits >> count & 31) as usize).map(|digit| char::from(*digit)));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        out.extend(BASE32.get((bits << (5 - count) & 31) as usize).map(|digit| char::from(*digit)));
    }
    out
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.bytes() {
        let value = BASE32.iter().position(|known| *known == digit)?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 255).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    Some(out)
}

/// The code that an app would show now, for tests of what stands before this.
#[cfg(test)]
pub(crate) fn code_for_tests(secret: &str) -> String {
    totp(&unbase32(secret).unwrap_or_default(), Clock::default().now().div_euclid(STEP_S))
}

/// A QR code as the path of an SVG picture in which a module is one unit: its size, and the path.
pub fn qr(text: &str) -> Option<(i32, String)> {
    let code = qrcodegen::QrCode::encode_text(text, qrcodegen::QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{x} {y}h1v1h-1z"));
        }
    }
    Some((code.size(), path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::kv::memory::Memory;

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp(secret, time / STEP_S), code, "{time}");
        }
        assert_eq!(base32(secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(unbase32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").as_deref(), Some(secret.as_slice()));
        assert_eq!(base32(b"f"), "MY");
    }

    fn code(factors: &SecondFactors, user: &str, steps: i64) -> String {
        let stored = factors.get(user).expect("read").expect("there");
        let secret = unbase32(&stored.secret).expect("base32");
        totp(&secret, factors.clock.now() / STEP_S + steps)
    }

    #[test]
    fn a_factor_counts_once_a_code_was_shown_and_each_code_once() {
        let clock = Clock::standing(1_700_000_000);
        let factors = SecondFactors::new(Arc::new(Memory::default()), clock.clone());
        let begun = factors.begin("ann").expect("done").expect("begun");
        assert!(begun.uri.starts_with("otpauth://totp/greenbar:ann?secret=") && begun.secret.len() == 32);
        assert!(!factors.has("ann").expect("read"));
        assert_eq!(factors.confirm("ann", "000000x").expect("done"), None);
        let codes = factors.confirm("ann", &code(&factors, "ann", 0)).expect("done").expect("right");
        assert_eq!(codes.len(), RECOVERY_CODES);
        assert!(factors.has("ann").expect("read") && factors.begin("ann").expect("done").is_none());

        let used = code(&factors, "ann", 0);
        assert!(!factors.check("ann", &used).expect("done"), "it was used to confirm");
        clock.turn(STEP_S);
        let now = code(&factors, "ann", 0);
        let spaced = format!("{} {}", &now[..3], &now[3..]);
        assert!(factors.check("ann", &spaced).expect("done"));
        assert!(!factors.check("ann", &now).expect("done"), "once");
        assert!(!factors.check("ann", &code(&factors, "ann", 3)).expect("done"), "too early");
        assert!(factors.check("ann", &code(&factors, "ann", 1)).expect("done"), "a clock that is fast");
        clock.turn(10 * STEP_S);
        assert!(!factors.check("ann", &code(&factors, "ann", -2)).expect("done"), "too late");

        assert!(factors.check("ann", &codes[3].to_lowercase().replace('-', " ")).expect("done"));
        assert!(!factors.check("ann", &codes[3]).expect("done"), "once");
        assert_eq!(factors.recovery_left("ann").expect("read"), RECOVERY_CODES - 1);
        let new = factors.new_recovery("ann").expect("done").expect("new ones");
        assert!(!factors.check("ann", &codes[4]).expect("done") && factors.check("ann", &new[0]).expect("done"));
        factors.remove("ann").expect("removed");
        assert!(!factors.has("ann").expect("read") && !factors.check("ann", &new[1]).expect("done"));
    }

    #[test]
    fn a_code_is_a_picture() {
        let (size, path) = qr("otpauth://totp/greenbar:ann?secret=GEZDGNBVGY3TQOJQ").expect("fits");
        assert!(size >= 21 && path.starts_with("M0 0h1v1h-1z"));
    }
}
