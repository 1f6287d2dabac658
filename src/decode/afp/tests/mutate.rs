//! Streams cut, flipped and with lengths overwritten: no panic, no hang, every byte in one unit.

use super::*;

/// A generator with a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// Of a large file, its head; of a small one, everything.
fn head(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(200_000)]
}

fn survives(bytes: &[u8], how: &ReadSpec, name: &str) {
    let mut decoder = open(bytes, Start::default(), how, None);
    let (mut unit, mut all, mut notes) = (Unit::default(), Vec::new(), Notes::default());
    let mut pages = 0;
    while decoder.next(&mut unit, &mut notes).unwrap() {
        if unit.kind == UnitKind::Page && pages < 3 {
            pages += 1;
            decoder.page(&unit, &mut notes);
        } else if pages > 8 {
            decoder.want_text(false);
        }
        all.push(unit.clone());
    }
    assert_covers(bytes, &all, name);
    if let Some(page) = all.iter().rfind(|unit| unit.kind == UnitKind::Page) {
        alone_in(&all, page.bytes.clone(), page, how, &Context::default());
    }
}

/// Rounds for each file; the environment can ask for more.
fn rounds() -> usize {
    std::env::var("GREENBAR_MUTATIONS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(12)
}

#[test]
fn mutated_files_are_read_without_harm() {
    let mut random = Random(20_260_703);
    for (name, bytes) in corpus() {
        let how = sniffed(&bytes);
        let bytes = head(&bytes);
        for round in 0..rounds() {
            let mut mutant = bytes.to_vec();
            match round % 4 {
                0 => mutant.truncate(random.below(bytes.len())),
                1 => (0..1 + random.below(40)).for_each(|_| {
                    let at = random.below(mutant.len());
                    mutant[at] ^= 1 << random.below(8);
                }),
                2 => (0..1 + random.below(20)).for_each(|_| {
                    let at = random.below(mutant.len());
                    let value = [0x00, 0xFF, 0x7F, 0x01][random.below(4)];
                    let to = (at + 1 + random.below(4)).min(mutant.len());
                    mutant[at..to].fill(value);
                }),
                _ => {
                    let (from, to) = (random.below(mutant.len()), random.below(mutant.len()));
                    let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 3000));
                    let piece = mutant[from..to].to_vec();
                    let at = random.below(mutant.len());
                    mutant.splice(at..at, piece);
                }
            }
            survives(&mutant, &how, &name);
        }
    }
}

#[test]
fn every_field_with_an_extreme_length_is_survived() {
    for (name, bytes) in corpus() {
        let how = sniffed(&bytes);
        let bytes = &bytes[..bytes.len().min(20_000)];
        let mut at = 0;
        let mut starts = Vec::new();
        while let Some(record) = framing::record(&bytes[at..], Framing::Plain) {
            starts.push(at);
            at += record.raw;
        }
        for start in starts.into_iter().take(30) {
            for length in [0_u16, 7, 8, 9, 0x7FFF, 0xFFFF] {
                let mut mutant = bytes.to_vec();
                if let Some(place) = mutant.get_mut(start + 1..start + 3) {
                    place.copy_from_slice(&length.to_be_bytes());
                    let (all, _) = units(&mutant, &how);
                    assert_covers(&mutant, &all, &name);
                }
            }
        }
    }
}
