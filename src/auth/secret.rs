//! Random tokens, their fingerprints, and comparing secrets.

use sha2::{Digest, Sha256};

use super::AuthError;

/// 256 random bits as 64 hexadecimal digits.
pub fn token() -> Result<String, AuthError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| AuthError::Random { detail: error.to_string() })?;
    Ok(hex(&bytes))
}

/// What is stored of a token: its SHA-256. A token has 256 random bits, so a slow hash would add nothing.
pub fn fingerprint(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'?'));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Whether two secrets are equal; takes the same time wherever they differ (not for different lengths).
pub fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let difference = a.iter().zip(b).fold(0_u8, |seen, (x, y)| std::hint::black_box(seen | (x ^ y)));
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_secrets_compare_by_value() {
        let (a, b) = (token().expect("random"), token().expect("random"));
        assert_eq!(a.len(), 64);
        assert_ne!(a, b);
        assert!(same(a.as_bytes(), a.clone().as_bytes()));
        assert!(!same(a.as_bytes(), b.as_bytes()));
        assert!(!same(b"abc", b"abcd"));
        assert_eq!(hex(&[0, 0xab, 0xff]), "00abff");
    }
}
