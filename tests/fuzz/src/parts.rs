//! Inputs of several parts.

/// Cuts an input into its parts: each but the last begins with its length in two bytes.
pub fn parts<const N: usize>(mut input: &[u8]) -> [&[u8]; N] {
    std::array::from_fn(|number| {
        if number + 1 == N {
            return std::mem::take(&mut input);
        }
        let (length, rest) = input.split_first_chunk().map_or((0, input), |(two, rest)| (u16::from_be_bytes(*two), rest));
        let (part, rest) = rest.split_at(rest.len().min(length.into()));
        input = rest;
        part
    })
}

/// The opposite of [`parts`].
pub fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let Some((last, before)) = parts.split_last() else { return Vec::new() };
    let mut input = Vec::new();
    for part in before {
        let part = &part[..part.len().min(0xFFFF)];
        input.extend(u16::try_from(part.len()).unwrap_or(0).to_be_bytes());
        input.extend(part);
    }
    input.extend(*last);
    input
}
