//! AFP by hand, as small as it can be.

/// A structured field with X'5A'.
pub fn field(kind: u8, category: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + data.len()).expect("short").to_be_bytes();
    [&[0x5A, length[0], length[1], 0xD3, kind, category, 0, 0, 0], data].concat()
}

/// A page of 8.5 by 11 inches with nothing on it.
pub fn page() -> Vec<u8> {
    let size = [0, 0, 0x38, 0x40, 0x38, 0x40, 0, 0x2F, 0xD0, 0, 0x3D, 0xE0, 0, 0, 0];
    let all =
        [field(0xA8, 0xAF, b"PAGE0001"), field(0xA8, 0xC9, &[]), field(0xA6, 0xAF, &size), field(0xA9, 0xC9, &[])];
    [all.concat(), field(0xA9, 0xAF, &[])].concat()
}
