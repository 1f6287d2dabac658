//! Numbers in the data of fields and objects: big-endian, and `None` where the data end before them.

/// `N` bytes from `at`.
pub fn array<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// A byte.
pub fn u8_at(data: &[u8], at: usize) -> Option<u8> {
    data.get(at).copied()
}

/// Two bytes without sign.
pub fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    array(data, at).map(u16::from_be_bytes)
}

/// Two bytes with sign.
pub fn i16_at(data: &[u8], at: usize) -> Option<i16> {
    array(data, at).map(i16::from_be_bytes)
}

/// Four bytes without sign.
pub fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    array(data, at).map(u32::from_be_bytes)
}
