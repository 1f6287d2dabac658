//! Where text stands: runs of bytes without two blanks in a row.

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = 0x7F7F_7F7F_7F7F_7F7F;
/// Moves the lowest bits of eight bytes into the highest byte.
const GATHER: u64 = 0x0102_0408_1020_4080;

/// One bit for each of 64 bytes: set where it is no blank.
fn text_bits(bytes: &[u8; 64], blank: u8) -> u64 {
    let blanks = u64::from(blank) * ONES;
    let mut bits = 0;
    for (place, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        let other = u64::from_le_bytes(*eight) ^ blanks;
        let text = (((other & LOW_BITS) + LOW_BITS) | other) >> 7 & ONES;
        bits |= (text.wrapping_mul(GATHER) >> 56) << (8 * place);
    }
    bits
}

/// Beginning and end of each run, one after the other. A single blank between text belongs to the run.
pub fn find(raw: &[u8], blank: u8, edges: &mut Vec<u32>) {
    edges.clear();
    let (chunks, rest) = raw.as_chunks::<64>();
    let mut last = [blank; 64];
    if let Some(start) = last.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    let mut chunks = chunks.iter().chain(std::iter::once(&last));
    let mut now = chunks.next().map_or(0, |chunk| text_bits(chunk, blank));
    let (mut before, mut inside, mut at) = (0_u64, 0_u64, 0_u32);
    loop {
        let next = chunks.next().map(|chunk| text_bits(chunk, blank));
        let (left, right) = (now << 1 | before >> 63, now >> 1 | next.unwrap_or(0) << 63);
        let run = now | (left & right);
        let mut changes = run ^ (run << 1 | inside);
        while changes != 0 {
            edges.push(at + changes.trailing_zeros());
            changes &= changes - 1;
        }
        (before, inside, at) = (now, run >> 63, at + 64);
        match next {
            Some(next) => now = next,
            None => break,
        }
    }
    if inside != 0 {
        edges.push(at);
    }
    if let Some(end) = edges.last_mut() {
        *end = (*end).min(raw.len() as u32);
    }
}
