//! Finds bytes that print nothing or mean nothing, fast enough to look at every record.

use crate::frame::codepage::CodePage;

/// Looks for control codes and undecodable bytes in the text of one code page.
#[derive(Debug)]
pub struct Checker {
    code_page: &'static CodePage,
    /// Bytes from here ...
    low: u8,
    /// ... to here are all characters by themselves.
    high: u8,
    /// One byte is one character: the table below is the whole truth.
    single: bool,
    undecodable: [bool; 256],
    shifts: bool,
    scratch: String,
}

/// What was found in one text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Control codes; they print as blanks.
    pub controls: u64,
    /// Bytes without meaning in the code page.
    pub undecodable: u64,
    /// Where the first control code stands in the text.
    pub first_control: usize,
    /// Where the first of the bytes without meaning stands; 0 in double-byte text, where that is not known.
    pub first_undecodable: usize,
}

impl Checker {
    /// A checker for text in `code_page`.
    pub fn new(code_page: &'static CodePage) -> Checker {
        let ebcdic = code_page.is_ebcdic();
        let low = if ebcdic { 0x40 } else { 0x20 };
        let mut scratch = String::new();
        let mut undecodable = [false; 256];
        for (byte, bad) in (0..=u8::MAX).zip(&mut undecodable) {
            scratch.clear();
            *bad = code_page.decode(&[byte], &mut scratch) > 0;
        }
        let high = (low..=u8::MAX)
            .zip(undecodable.iter().skip(low.into()))
            .find(|(byte, bad)| **bad || (!ebcdic && *byte == 0x7F) || *byte == 0xFF)
            .map_or(u8::MAX, |(byte, _)| byte.saturating_sub(1));
        let (single, shifts) = (!code_page.is_multi_byte(), code_page.has_shifts());
        Checker { code_page, low, high: high.max(low), single, undecodable, shifts, scratch }
    }

    /// Counts in `text` what deserves a note.
    #[inline(always)]
    pub fn check(&mut self, text: &[u8]) -> Found {
        if within(text, self.low, self.high) { Found::default() } else { self.check_slowly(text) }
    }

    #[cold]
    fn check_slowly(&mut self, text: &[u8]) -> Found {
        let control = |byte: &&u8| match **byte {
            0x00 => false,
            0x0E | 0x0F if self.shifts => false,
            byte => byte < self.low,
        };
        let controls = text.iter().filter(control).count() as u64;
        let first_control = text.iter().position(|byte| control(&byte)).unwrap_or_default();
        let bad = |byte: &&u8| self.undecodable.get(usize::from(**byte)).copied().unwrap_or(true);
        let (undecodable, first_undecodable) = if self.single {
            (text.iter().filter(bad).count() as u64, text.iter().position(|byte| bad(&byte)).unwrap_or_default())
        } else {
            self.scratch.clear();
            let undecodable = self.code_page.decode(text, &mut self.scratch).into();
            let valid = std::str::from_utf8(text).err().filter(|_| self.code_page.name() == "utf-8");
            (undecodable, valid.map_or(0, |error| error.valid_up_to()))
        };
        Found { controls, undecodable, first_control, first_undecodable }
    }
}

/// Whether all bytes are from `low` to `high`: sixteen at a time, and the last sixteen once more for what is left.
#[inline]
fn within(text: &[u8], low: u8, high: u8) -> bool {
    let over = |byte: u8| byte.wrapping_sub(low).saturating_sub(high - low);
    let Some(last) = text.last_chunk::<16>() else { return text.iter().all(|byte| over(*byte) == 0) };
    let mut found = [0; 16];
    let (chunks, _) = text.as_chunks::<16>();
    for chunk in chunks.iter().chain([last]) {
        for (found, byte) in found.iter_mut().zip(chunk) {
            *found |= over(*byte);
        }
    }
    u128::from_ne_bytes(found) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_are_within_when_each_is(text in prop::collection::vec(0x30_u8..0x50, 0..70), low in 0x28_u8..0x34, more in 0_u8..0x30) {
            let high = low + more;
            prop_assert_eq!(within(&text, low, high), text.iter().all(|byte| (low..=high).contains(byte)));
        }
    }
}
